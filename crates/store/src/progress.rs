//! How far a project is.

use sqlx::{Row as _, any::AnyRow};

use crate::{Layer, ProjectId, Store, StoreError, UserId};

/// How far a layer of a project is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// The layer.
    pub layer: Layer,
    /// Number of tasks.
    pub tasks: u64,
    /// Those that are done.
    pub done: u64,
}

impl Store {
    /// How far each layer is that has tasks, by layer.
    ///
    /// # Errors
    /// The database fails.
    pub async fn progress(&self, project: ProjectId) -> Result<Vec<Progress>, StoreError> {
        let query =
            "SELECT layer, done, COUNT(*) FROM task WHERE project = $1 GROUP BY layer, done ORDER BY layer, done";
        let mut layers: Vec<Progress> = Vec::new();
        for row in sqlx::query(query).bind(project.0).fetch_all(&self.pool).await? {
            let layer = Layer::of_code(row.try_get(0)?)?;
            let (done, count) = (row.try_get::<i64, _>(1)? != 0, row.try_get::<i64, _>(2)? as u64);
            if layers.last().is_none_or(|last| last.layer != layer) {
                layers.push(Progress { layer, tasks: 0, done: 0 });
            }
            if let Some(last) = layers.last_mut() {
                last.tasks += count;
                last.done += if done { count } else { 0 };
            }
        }
        Ok(layers)
    }

    /// How many documents each user left last, by layer.
    ///
    /// # Errors
    /// The database fails.
    pub async fn progress_by_user(&self, project: ProjectId) -> Result<Vec<(UserId, Layer, u64)>, StoreError> {
        let query = "SELECT person, layer, COUNT(*) FROM task WHERE project = $1 AND person IS NOT NULL
            GROUP BY person, layer ORDER BY person, layer";
        let rows = sqlx::query(query).bind(project.0).fetch_all(&self.pool).await?;
        let count = |row: &AnyRow| {
            Ok((UserId(row.try_get(0)?), Layer::of_code(row.try_get(1)?)?, row.try_get::<i64, _>(2)? as u64))
        };
        rows.iter().map(count).collect()
    }

    /// How many documents are accepted: what counts for them says so.
    ///
    /// # Errors
    /// The database fails.
    pub async fn accepted(&self, project: ProjectId) -> Result<u64, StoreError> {
        let query = "SELECT COUNT(*) FROM task WHERE project = $1 AND counts = 1 AND verdict = 'accepted'";
        let row = sqlx::query(query).bind(project.0).fetch_one(&self.pool).await?;
        Ok(row.try_get::<i64, _>(0)? as u64)
    }
}
