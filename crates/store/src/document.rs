//! Documents of a project.

use schema::{Document, Entity, Label};
use sqlx::{AnyConnection, Row, any::AnyRow};

use crate::{Millis, ProjectId, Store, StoreError, wire};

/// Number of a document in its project, from 1 in order of arrival.
pub type Number = u32;

/// A document as it came.
#[derive(Debug, Clone, PartialEq)]
pub struct DocumentRow {
    /// Its number.
    pub number: Number,
    /// Text, id, metadata, known tokens, and what was annotated when it came.
    pub document: Document,
    /// When it came.
    pub at: Millis,
}

pub(crate) const COLUMNS: &str = "document.number, document.id, document.text, document.meta, document.tokens, document.given, document.partial, document.looked_for, document.at";

impl Store {
    /// A document as it came.
    ///
    /// # Errors
    /// There is none of this number, or the database fails.
    pub async fn document(&self, project: ProjectId, number: Number) -> Result<DocumentRow, StoreError> {
        let mut connection = self.pool.acquire().await?;
        read(&mut connection, project, number).await
    }

    /// Up to `limit` documents behind the number `after`, in order.
    ///
    /// # Errors
    /// The database fails.
    pub async fn documents(
        &self,
        project: ProjectId,
        after: Number,
        limit: u32,
    ) -> Result<Vec<DocumentRow>, StoreError> {
        let query =
            format!("SELECT {COLUMNS} FROM document WHERE project = $1 AND number > $2 ORDER BY number LIMIT $3");
        let query = sqlx::query(sqlx::AssertSqlSafe(query)).bind(project.0).bind(i64::from(after));
        let rows = query.bind(i64::from(limit)).fetch_all(&self.pool).await?;
        rows.iter().map(of_row).collect()
    }

    /// The numbers of the documents with this id, in order.
    ///
    /// # Errors
    /// The database fails.
    pub async fn numbers_of(&self, project: ProjectId, id: &str) -> Result<Vec<Number>, StoreError> {
        let query = sqlx::query("SELECT number FROM document WHERE project = $1 AND id = $2 ORDER BY number");
        let rows = query.bind(project.0).bind(id).fetch_all(&self.pool).await?;
        rows.iter().map(|row| Ok(row.try_get::<i64, _>(0)? as Number)).collect()
    }
}

pub(crate) async fn read(
    connection: &mut AnyConnection,
    project: ProjectId,
    number: Number,
) -> Result<DocumentRow, StoreError> {
    let query = format!("SELECT {COLUMNS} FROM document WHERE project = $1 AND number = $2");
    let query = sqlx::query(sqlx::AssertSqlSafe(query)).bind(project.0).bind(i64::from(number));
    let row = query.fetch_optional(connection).await?;
    row.as_ref().map(of_row).transpose()?.ok_or_else(|| none(project, number))
}

/// The text alone.
pub(crate) async fn text(
    connection: &mut AnyConnection,
    project: ProjectId,
    number: Number,
) -> Result<String, StoreError> {
    let query = sqlx::query("SELECT text FROM document WHERE project = $1 AND number = $2");
    let row = query.bind(project.0).bind(i64::from(number)).fetch_optional(connection).await?;
    row.map(|row| row.try_get(0)).transpose()?.ok_or_else(|| none(project, number))
}

fn none(project: ProjectId, number: Number) -> StoreError {
    StoreError::NotFound(format!("document {number} in project {}", project.0))
}

pub(crate) fn of_row(row: &AnyRow) -> Result<DocumentRow, StoreError> {
    let number = row.try_get::<i64, _>("number")? as Number;
    let place = || format!("document {number}");
    let text: String = row.try_get("text")?;
    let given: Vec<Entity> = wire::entities_of_json(&text, row.try_get("given")?, place)?;
    let tokens: Option<&str> = row.try_get("tokens")?;
    let tokens = tokens.map(|tokens| wire::tokens_of_json(&text, tokens, place)).transpose()?;
    let mut document = Document::new(text).with_entities(given).map_err(|error| StoreError::damaged(place(), error))?;
    if let Some(tokens) = tokens {
        document = document.with_tokens(tokens).map_err(|error| StoreError::damaged(place(), error))?;
    }
    document.id = row.try_get("id")?;
    document.meta = wire::of_json(row.try_get("meta")?, place)?;
    document.partial = row.try_get::<i64, _>("partial")? != 0;
    let looked_for: Option<&str> = row.try_get("looked_for")?;
    document.looked_for = looked_for.map(|labels| wire::of_json::<Vec<Label>>(labels, place)).transpose()?;
    Ok(DocumentRow { number, document, at: row.try_get("at")? })
}
