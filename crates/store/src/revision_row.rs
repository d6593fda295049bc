//! Revisions as rows of the database.

use sqlx::{AnyConnection, Row as _, any::AnyRow};

use crate::{Layer, Number, ProjectId, Provenance, Revision, StoreError, UserId, wire};

pub(crate) const REVISION: &str =
    "revision.number, revision.layer, revision.revision, revision.parent, revision.person, revision.at,
    revision.verdict, revision.entities, revision.note, revision.origin, revision.key";

/// A revision as a row.
pub(crate) async fn write_revision(
    connection: &mut AnyConnection,
    project: ProjectId,
    text: &str,
    revision: &Revision,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO revision (project, number, layer, revision, parent, person, at, verdict, entities, note, origin, key)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
    )
    .bind(project.0)
    .bind(i64::from(revision.document))
    .bind(revision.layer.code())
    .bind(i64::from(revision.number))
    .bind(i64::from(revision.parent))
    .bind(revision.user.map(|user| user.0))
    .bind(revision.at)
    .bind(revision.verdict.as_str())
    .bind(wire::entities_to_json(text, &revision.entities))
    .bind(revision.note.as_str())
    .bind(wire::to_json(&revision.origin))
    .bind(revision.key.as_str())
    .execute(connection)
    .await?;
    Ok(())
}

/// The revision that a save of this name left.
pub(crate) async fn by_key(
    connection: &mut AnyConnection,
    project: ProjectId,
    number: Number,
    layer: Layer,
    key: &str,
    text: &str,
) -> Result<Option<Revision>, StoreError> {
    let query =
        format!("SELECT {REVISION} FROM revision WHERE project = $1 AND number = $2 AND layer = $3 AND key = $4");
    let query = sqlx::query(sqlx::AssertSqlSafe(query)).bind(project.0).bind(i64::from(number)).bind(layer.code());
    query.bind(key).fetch_optional(connection).await?.map(|row| of_row(&row, text)).transpose()
}

pub(crate) async fn read_revision(
    connection: &mut AnyConnection,
    project: ProjectId,
    number: Number,
    layer: Layer,
    revision: u32,
    text: &str,
) -> Result<Revision, StoreError> {
    let query =
        format!("SELECT {REVISION} FROM revision WHERE project = $1 AND number = $2 AND layer = $3 AND revision = $4");
    let query = sqlx::query(sqlx::AssertSqlSafe(query)).bind(project.0).bind(i64::from(number)).bind(layer.code());
    let row = query.bind(i64::from(revision)).fetch_optional(connection).await?;
    let row = row.ok_or_else(|| StoreError::NotFound(format!("revision {revision} of document {number}")))?;
    of_row(&row, text)
}

pub(crate) fn of_row(row: &AnyRow, text: &str) -> Result<Revision, StoreError> {
    let document = row.try_get::<i64, _>("number")? as Number;
    let number = row.try_get::<i64, _>("revision")? as u32;
    let place = || format!("revision {number} of document {document}");
    Ok(Revision {
        document,
        layer: Layer::of_code(row.try_get("layer")?)?,
        number,
        parent: row.try_get::<i64, _>("parent")? as u32,
        user: row.try_get::<Option<i64>, _>("person")?.map(UserId),
        at: row.try_get("at")?,
        verdict: row.try_get::<&str, _>("verdict")?.parse()?,
        entities: wire::entities_of_json(text, row.try_get("entities")?, place)?,
        note: row.try_get("note")?,
        origin: wire::of_json::<Provenance>(row.try_get("origin")?, place)?,
        key: row.try_get("key")?,
    })
}
