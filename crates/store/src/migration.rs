//! The layout of the database and its history.

use sqlx::Row;

use crate::{Store, StoreError, connection::Kind, now};

/// A step from one layout to the next: what both databases do, then what each does in its own way.
struct Step {
    both: &'static str,
    sqlite: &'static str,
    postgres: &'static str,
}

/// The number of the newest layout that this version knows.
pub const VERSION: i64 = 3;

const STEPS: [Step; VERSION as usize] = [
    Step {
        both: include_str!("../migrations/0001.sql"),
        sqlite: include_str!("../migrations/0001.sqlite.sql"),
        postgres: include_str!("../migrations/0001.postgres.sql"),
    },
    Step { both: include_str!("../migrations/0002.sql"), sqlite: "", postgres: "" },
    Step {
        both: include_str!("../migrations/0003.sql"),
        sqlite: "",
        postgres: include_str!("../migrations/0003.postgres.sql"),
    },
];

/// Any number that no other program is likely to lock.
const LOCK: &str = "SELECT pg_advisory_xact_lock(5641863570001)";

/// Brings the database up to [`VERSION`]. All steps are one transaction: whoever is killed has changed nothing.
pub(crate) async fn migrate(store: &Store, name: &str) -> Result<(), StoreError> {
    if version(store, name).await? == VERSION {
        return Ok(());
    }
    let mut writing = store.write().await?;
    let connection = writing.connection();
    if store.kind == Kind::Postgres {
        sqlx::raw_sql(LOCK).execute(&mut *connection).await?;
    }
    sqlx::raw_sql("CREATE TABLE IF NOT EXISTS nomen_layout (version BIGINT PRIMARY KEY, at BIGINT NOT NULL)")
        .execute(&mut *connection)
        .await?;
    // Another process may have been here since.
    let row = sqlx::query("SELECT MAX(version) FROM nomen_layout").fetch_one(&mut *connection).await?;
    let found: i64 = row.try_get::<Option<i64>, _>(0)?.unwrap_or(0);
    if found > VERSION {
        return Err(StoreError::Newer { database: name.to_owned(), found, known: VERSION });
    }
    for (step, version) in STEPS.iter().zip(1i64..) {
        if version <= found {
            continue;
        }
        sqlx::raw_sql(step.both).execute(&mut *connection).await?;
        let own = if store.kind == Kind::Sqlite { step.sqlite } else { step.postgres };
        if !own.is_empty() {
            sqlx::raw_sql(own).execute(&mut *connection).await?;
        }
        sqlx::query("INSERT INTO nomen_layout (version, at) VALUES ($1, $2)")
            .bind(version)
            .bind(now())
            .execute(&mut *connection)
            .await?;
    }
    writing.commit().await
}

/// The layout that the database has; 0 where it is empty.
async fn version(store: &Store, name: &str) -> Result<i64, StoreError> {
    let tables = match store.kind {
        Kind::Sqlite => "SELECT COUNT(*) FROM sqlite_master WHERE type = 'table' AND name = 'nomen_layout'",
        Kind::Postgres => {
            "SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = current_schema() AND table_name = 'nomen_layout'"
        }
    };
    let open = |error| StoreError::Open { database: name.to_owned(), error };
    let known: i64 = sqlx::query(tables).fetch_one(&store.pool).await.map_err(open)?.try_get(0)?;
    if known == 0 {
        return Ok(0);
    }
    let row = sqlx::query("SELECT MAX(version) FROM nomen_layout").fetch_one(&store.pool).await?;
    let found = row.try_get::<Option<i64>, _>(0)?.unwrap_or(0);
    if found > VERSION {
        return Err(StoreError::Newer { database: name.to_owned(), found, known: VERSION });
    }
    Ok(found)
}
