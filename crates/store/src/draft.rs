//! What somebody has not saved yet.

use serde_json::Value;
use sqlx::Row;

use crate::{Layer, Millis, Number, ProjectId, Store, StoreError, UserId, document, now, wire};

/// The unsaved state of an editor. It is gone when its user saves the document.
#[derive(Debug, Clone, PartialEq)]
pub struct Draft {
    /// Whatever the editor keeps.
    pub body: Value,
    /// When.
    pub at: Millis,
}

impl Store {
    /// Keeps a draft in place of the one before.
    ///
    /// # Errors
    /// The document is not there, or the database fails.
    pub async fn keep_draft(
        &self,
        project: ProjectId,
        number: Number,
        layer: Layer,
        user: UserId,
        body: &Value,
    ) -> Result<(), StoreError> {
        let mut writing = self.write().await?;
        document::text(writing.connection(), project, number).await?;
        sqlx::query(
            "INSERT INTO draft (project, number, layer, person, at, body) VALUES ($1, $2, $3, $4, $5, $6)
            ON CONFLICT (project, number, layer, person) DO UPDATE SET at = excluded.at, body = excluded.body",
        )
        .bind(project.0)
        .bind(i64::from(number))
        .bind(layer.code())
        .bind(user.0)
        .bind(now())
        .bind(wire::to_json(body))
        .execute(writing.connection())
        .await?;
        writing.commit().await
    }

    /// A user's draft, if there is one.
    ///
    /// # Errors
    /// The database fails.
    pub async fn draft(
        &self,
        project: ProjectId,
        number: Number,
        layer: Layer,
        user: UserId,
    ) -> Result<Option<Draft>, StoreError> {
        let query = "SELECT at, body FROM draft WHERE project = $1 AND number = $2 AND layer = $3 AND person = $4";
        let query = sqlx::query(query).bind(project.0).bind(i64::from(number)).bind(layer.code()).bind(user.0);
        let Some(row) = query.fetch_optional(&self.pool).await? else {
            return Ok(None);
        };
        let body = wire::of_json(row.try_get("body")?, || format!("a draft of document {number}"))?;
        Ok(Some(Draft { body, at: row.try_get("at")? }))
    }

    /// Throws a draft away.
    ///
    /// # Errors
    /// The database fails.
    pub async fn drop_draft(
        &self,
        project: ProjectId,
        number: Number,
        layer: Layer,
        user: UserId,
    ) -> Result<(), StoreError> {
        let mut writing = self.write().await?;
        let query = "DELETE FROM draft WHERE project = $1 AND number = $2 AND layer = $3 AND person = $4";
        let query = sqlx::query(query).bind(project.0).bind(i64::from(number)).bind(layer.code()).bind(user.0);
        query.execute(writing.connection()).await?;
        writing.commit().await
    }
}
