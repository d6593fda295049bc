//! Reading annotations: every version, the newest ones, what counts.

use schema::Document;
use sqlx::Row as _;

use crate::{
    Layer, Number, ProjectId, Revision, Store, StoreError, document,
    revision_row::{REVISION, of_row},
};

impl Store {
    /// Every revision of a document's layer, the oldest first.
    ///
    /// # Errors
    /// The document is not there, or the database fails.
    pub async fn history(&self, project: ProjectId, number: Number, layer: Layer) -> Result<Vec<Revision>, StoreError> {
        let mut connection = self.pool.acquire().await?;
        let text = document::text(&mut connection, project, number).await?;
        let query = format!(
            "SELECT {REVISION} FROM revision WHERE project = $1 AND number = $2 AND layer = $3 ORDER BY revision"
        );
        let query = sqlx::query(sqlx::AssertSqlSafe(query)).bind(project.0).bind(i64::from(number));
        let rows = query.bind(layer.code()).fetch_all(&mut *connection).await?;
        rows.iter().map(|row| of_row(row, &text)).collect()
    }

    /// The newest revision of each layer of a document that has one, by layer.
    ///
    /// # Errors
    /// The document is not there, or the database fails.
    pub async fn heads(&self, project: ProjectId, number: Number) -> Result<Vec<Revision>, StoreError> {
        let mut connection = self.pool.acquire().await?;
        let text = document::text(&mut connection, project, number).await?;
        let query = format!(
            "SELECT {REVISION} FROM task JOIN revision ON revision.project = task.project AND revision.number = task.number
            AND revision.layer = task.layer AND revision.revision = task.head
            WHERE task.project = $1 AND task.number = $2 ORDER BY task.layer"
        );
        let query = sqlx::query(sqlx::AssertSqlSafe(query)).bind(project.0).bind(i64::from(number));
        query.fetch_all(&mut *connection).await?.iter().map(|row| of_row(row, &text)).collect()
    }

    /// What counts for a document: its review, else its first annotation; `None` where there is neither.
    ///
    /// # Errors
    /// As [`Store::heads`].
    pub async fn standing(&self, project: ProjectId, number: Number) -> Result<Option<Revision>, StoreError> {
        let mut heads = self.heads(project, number).await?;
        heads.retain(|head| head.layer != Layer::Second);
        Ok(heads.pop())
    }

    /// Documents that two people annotated, up to `limit` behind the number `after`: text, first and second annotation.
    ///
    /// # Errors
    /// The database fails.
    pub async fn annotated_twice(
        &self,
        project: ProjectId,
        after: Number,
        limit: u32,
    ) -> Result<Vec<(Document, Revision, Revision)>, StoreError> {
        let query = "SELECT one.number FROM task one JOIN task two
            ON two.project = one.project AND two.number = one.number AND two.layer = 1 AND two.head > 0
            WHERE one.project = $1 AND one.layer = 0 AND one.head > 0 AND one.number > $2 ORDER BY one.number LIMIT $3";
        let query = sqlx::query(query).bind(project.0).bind(i64::from(after)).bind(i64::from(limit));
        let mut pairs = Vec::new();
        for row in query.fetch_all(&self.pool).await? {
            let number = row.try_get::<i64, _>(0)? as Number;
            let document = self.document(project, number).await?.document;
            let mut heads = self.heads(project, number).await?.into_iter();
            if let (Some(first), Some(second)) = (heads.next(), heads.next()) {
                pairs.push((document, first, second));
            }
        }
        Ok(pairs)
    }
}
