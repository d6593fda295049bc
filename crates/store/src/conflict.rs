//! Versions that came too late.

use sqlx::{AnyConnection, Row as _, any::AnyRow};

use crate::{
    Layer, Lost, NewRevision, Number, ProjectId, Provenance, Store, StoreError, UserId, document, now, user, wire,
};

pub(crate) const LOST: &str =
    "conflict.number, conflict.layer, conflict.parent, conflict.head, conflict.person, conflict.at,
    conflict.verdict, conflict.entities, conflict.note, conflict.origin, conflict.key, conflict.settled";

impl Store {
    /// Versions that came too late: those of a document, or of all documents of the project; the oldest first.
    ///
    /// # Errors
    /// The database fails.
    pub async fn conflicts(
        &self,
        project: ProjectId,
        number: Option<Number>,
        settled: bool,
    ) -> Result<Vec<Lost>, StoreError> {
        let query = format!(
            "SELECT {LOST}, document.text FROM conflict
            JOIN document ON document.project = conflict.project AND document.number = conflict.number
            WHERE conflict.project = $1 AND conflict.settled = $2 AND (conflict.number = $3 OR $3 = 0)
            ORDER BY conflict.number, conflict.at, conflict.key"
        );
        let query = sqlx::query(sqlx::AssertSqlSafe(query)).bind(project.0).bind(i64::from(settled));
        let rows = query.bind(i64::from(number.unwrap_or(0))).fetch_all(&self.pool).await?;
        rows.iter().map(|row| lost_of_row(row, row.try_get("text")?)).collect()
    }

    /// Says that a conflict was looked at. The version that came too late stays.
    ///
    /// # Errors
    /// There is no such conflict, or the database fails.
    pub async fn settle_conflict(
        &self,
        project: ProjectId,
        number: Number,
        layer: Layer,
        key: &str,
    ) -> Result<(), StoreError> {
        let mut writing = self.write().await?;
        let query = "UPDATE conflict SET settled = 1 WHERE project = $1 AND number = $2 AND layer = $3 AND key = $4";
        let query = sqlx::query(query).bind(project.0).bind(i64::from(number)).bind(layer.code()).bind(key);
        let met = query.execute(writing.connection()).await?.rows_affected();
        user::one(met, || format!("conflict {key:?} of document {number}"))?;
        writing.commit().await
    }
}

/// Keeps a version that came too late.
pub(crate) async fn keep_lost(
    connection: &mut AnyConnection,
    project: ProjectId,
    number: Number,
    layer: Layer,
    head: u32,
    revision: &NewRevision,
    user: UserId,
) -> Result<Lost, StoreError> {
    let text = document::text(connection, project, number).await?;
    // The same save again is the same conflict.
    sqlx::query(
        "INSERT INTO conflict (project, number, layer, key, parent, head, person, at, verdict, entities, note, origin, settled)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, 0)
        ON CONFLICT (project, number, layer, key) DO NOTHING",
    )
    .bind(project.0)
    .bind(i64::from(number))
    .bind(layer.code())
    .bind(revision.key.as_str())
    .bind(i64::from(revision.parent))
    .bind(i64::from(head))
    .bind(user.0)
    .bind(now())
    .bind(revision.verdict.as_str())
    .bind(wire::entities_to_json(&text, &revision.entities))
    .bind(revision.note.as_str())
    .bind(wire::to_json(&revision.origin))
    .execute(&mut *connection)
    .await?;
    let query = format!("SELECT {LOST} FROM conflict WHERE project = $1 AND number = $2 AND layer = $3 AND key = $4");
    let query = sqlx::query(sqlx::AssertSqlSafe(query)).bind(project.0).bind(i64::from(number)).bind(layer.code());
    lost_of_row(&query.bind(revision.key.as_str()).fetch_one(connection).await?, &text)
}

pub(crate) fn lost_of_row(row: &AnyRow, text: &str) -> Result<Lost, StoreError> {
    let document = row.try_get::<i64, _>("number")? as Number;
    let place = || format!("a conflict of document {document}");
    Ok(Lost {
        document,
        layer: Layer::of_code(row.try_get("layer")?)?,
        parent: row.try_get::<i64, _>("parent")? as u32,
        head: row.try_get::<i64, _>("head")? as u32,
        user: row.try_get::<Option<i64>, _>("person")?.map(UserId),
        at: row.try_get("at")?,
        verdict: row.try_get::<&str, _>("verdict")?.parse()?,
        entities: wire::entities_of_json(text, row.try_get("entities")?, place)?,
        note: row.try_get("note")?,
        origin: wire::of_json::<Provenance>(row.try_get("origin")?, place)?,
        key: row.try_get("key")?,
        settled: row.try_get::<i64, _>("settled")? != 0,
    })
}
