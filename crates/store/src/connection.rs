//! Opening a database, and transactions in it.

use std::{path::Path, sync::Arc, time::Duration};

use sqlx::{
    Any, AnyConnection, AnyPool, Executor, Row, Transaction,
    any::{AnyConnectOptions, AnyPoolOptions},
};
use tokio::sync::{Mutex, OwnedMutexGuard};
use url::Url;

use crate::{StoreError, migration};

/// `SQLite` loses its WAL-reset bug with this version.
const OLDEST_SQLITE: [u32; 3] = [3, 51, 3];
/// How long a writer of another process is waited for.
const PATIENCE: Duration = Duration::from_secs(20);

/// The project database. Cheap to clone; every clone speaks to the same one.
#[derive(Debug, Clone)]
pub struct Store {
    pub(crate) pool: AnyPool,
    pub(crate) kind: Kind,
    /// Writers of this process take turns, so that none starves while `SQLite` lets them try.
    turn: Arc<Mutex<()>>,
}

/// Which database it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Sqlite,
    Postgres,
}

/// A transaction that writes. Dropped without [`Writing::commit`], it changes nothing.
pub(crate) struct Writing {
    transaction: Transaction<'static, Any>,
    _turn: Option<OwnedMutexGuard<()>>,
}

impl Writing {
    pub(crate) fn connection(&mut self) -> &mut AnyConnection {
        &mut self.transaction
    }

    pub(crate) async fn commit(self) -> Result<(), StoreError> {
        Ok(self.transaction.commit().await?)
    }
}

impl Store {
    /// Opens the database at a place: the path of an `SQLite` file, which is made where there is none, or the address
    /// of a `PostgreSQL` database (`postgres://user@host/name`). Its layout is brought up to [`crate::VERSION`].
    ///
    /// # Errors
    /// It cannot be opened, a newer Nomen made it, or `SQLite` is older than 3.51.3.
    pub async fn open(place: &str) -> Result<Self, StoreError> {
        if place.starts_with("postgres://") || place.starts_with("postgresql://") {
            // A password stands in the address, so errors name the database without it.
            let name = shown(place);
            let address = Url::parse(place)
                .map_err(|error| StoreError::Invalid(format!("{name} is no address of a database: {error}")))?;
            return Self::connect(address, Kind::Postgres, name).await;
        }
        Self::open_file(Path::new(place.strip_prefix("sqlite://").unwrap_or(place))).await
    }

    /// Opens an `SQLite` file, which is made where there is none.
    ///
    /// # Errors
    /// As [`Store::open`].
    pub async fn open_file(path: &Path) -> Result<Self, StoreError> {
        let name = path.display().to_string();
        let unusable = || StoreError::Invalid(format!("{name} cannot be the path of a database: it is no UTF-8"));
        let absolute = std::path::absolute(path)
            .map_err(|error| StoreError::Open { database: name.clone(), error: sqlx::Error::Io(error) })?;
        let file = Url::from_file_path(&absolute).map_err(|()| unusable())?;
        let mut address = Url::parse("sqlite:///").map_err(|_| unusable())?;
        address.set_path(file.path());
        address.set_query(Some("mode=rwc"));
        Self::connect(address, Kind::Sqlite, name).await
    }

    async fn connect(address: Url, kind: Kind, name: String) -> Result<Self, StoreError> {
        sqlx::any::install_default_drivers();
        let failed = |error| StoreError::Open { database: name.clone(), error };
        let options: AnyConnectOptions = address.as_str().parse().map_err(failed)?;
        let pool = AnyPoolOptions::new()
            .max_connections(8)
            .acquire_timeout(PATIENCE)
            .after_connect(move |connection, _| Box::pin(prepare(connection, kind)))
            .connect_with(options)
            .await
            .map_err(failed)?;
        let store = Self { pool, kind, turn: Arc::default() };
        if kind == Kind::Sqlite {
            store.check_sqlite().await?;
        }
        migration::migrate(&store, &name).await?;
        Ok(store)
    }

    async fn check_sqlite(&self) -> Result<(), StoreError> {
        let row = sqlx::query("SELECT sqlite_version()").fetch_one(&self.pool).await?;
        let version: String = row.try_get(0)?;
        let mut parts = version.split('.').map(|part| part.parse().unwrap_or(0));
        let found: [u32; 3] = std::array::from_fn(|_| parts.next().unwrap_or(0));
        if found < OLDEST_SQLITE { Err(StoreError::OldSqlite(version)) } else { Ok(()) }
    }

    /// Lets the database count what its plans go by.
    pub(crate) async fn look_over(&self) -> Result<(), StoreError> {
        // SQLite reads some rows of each index only.
        let wish = match self.kind {
            Kind::Sqlite => "PRAGMA optimize = 0x10002",
            Kind::Postgres => "ANALYZE document, document_text, task, mention, revision",
        };
        sqlx::raw_sql(wish).execute(&self.pool).await?;
        Ok(())
    }

    /// Waits until every connection is given back and closes them.
    pub async fn close(&self) {
        self.pool.close().await;
    }

    /// A transaction that holds the right to write from its start.
    pub(crate) async fn write(&self) -> Result<Writing, StoreError> {
        let (turn, transaction) = match self.kind {
            Kind::Sqlite => {
                let turn = Arc::clone(&self.turn).lock_owned().await;
                (Some(turn), self.pool.begin_with("BEGIN IMMEDIATE").await?)
            }
            Kind::Postgres => (None, self.pool.begin().await?),
        };
        Ok(Writing { transaction, _turn: turn })
    }

    /// What a query on `PostgreSQL` says to keep the rows that it reads from being changed by others.
    pub(crate) fn for_update(&self) -> &'static str {
        match self.kind {
            Kind::Sqlite => "",
            Kind::Postgres => " FOR UPDATE",
        }
    }
}

async fn prepare(connection: &mut AnyConnection, kind: Kind) -> Result<(), sqlx::Error> {
    if kind == Kind::Sqlite {
        let patience = format!("PRAGMA busy_timeout = {}", PATIENCE.as_millis());
        connection.execute(sqlx::AssertSqlSafe(patience)).await?;
        // Synchronous FULL syncs the log at every commit: what was acknowledged outlives a loss of power.
        for pragma in ["PRAGMA journal_mode = WAL", "PRAGMA synchronous = FULL", "PRAGMA foreign_keys = ON"] {
            connection.execute(pragma).await?;
        }
    }
    Ok(())
}

/// An address without its password.
fn shown(address: &str) -> String {
    Url::parse(address).map_or_else(
        |_| "the address of the database".to_owned(),
        |mut address| {
            let _ = address.set_password(None);
            address.set_query(None);
            address.to_string()
        },
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_not_shown() {
        assert_eq!(shown("postgres://ann:secret@db/nomen?sslpassword=hidden"), "postgres://ann@db/nomen");
        assert_eq!(shown("postgres://["), "the address of the database");
    }
}
