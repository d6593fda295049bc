//! Who annotates what next.

use std::time::Duration;

use sqlx::{AnyConnection, Row, any::AnyRow};

use crate::{Layer, Millis, Number, ProjectId, Store, StoreError, UserId, connection::Kind, now};

/// A document to annotate, in a layer.
#[derive(Debug, Clone, PartialEq)]
pub struct Task {
    /// The document.
    pub document: Number,
    /// The layer.
    pub layer: Layer,
    /// The revision to start from; 0 where there is none.
    pub head: u32,
    /// The highest comes first; among equals the document that arrived first.
    pub priority: f64,
    /// Why it has this priority, in words.
    pub reason: String,
    /// Nobody has to look at it any more.
    pub done: bool,
    /// Who is at it.
    pub lease: Option<Lease>,
}

/// A task in somebody's hands, which others do not get until it is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lease {
    /// Who.
    pub user: UserId,
    /// Until when.
    pub until: Millis,
}

/// The priority of the first document of a ranking ([`Store::rank`]); those of the others are below, and above 0.
pub const RANKED: f64 = 1.0;

const TASK: &str = "SELECT task.number, task.layer, task.head, task.priority, task.reason, task.done, task.leased_by,
    task.leased_until FROM task";

impl Store {
    /// The best free task of these layers, leased to the user for some time. A task that the user has in hand comes first, so
    /// that a page can be loaded again. Nobody gets both annotations of one document.
    ///
    /// # Errors
    /// The database fails.
    pub async fn next(
        &self,
        project: ProjectId,
        user: UserId,
        layers: &[Layer],
        lease: Duration,
    ) -> Result<Option<Task>, StoreError> {
        let mut writing = self.write().await?;
        let at = now();
        let mut best: Option<Task> = None;
        for own in [true, false] {
            for layer in layers {
                let Some(task) = self.best(writing.connection(), project, user, *layer, at, own).await? else {
                    continue;
                };
                let before = |known: &Task| {
                    (known.priority, u32::MAX - known.document) >= (task.priority, u32::MAX - task.document)
                };
                if !best.as_ref().is_some_and(before) {
                    best = Some(task);
                }
            }
            if best.is_some() {
                break;
            }
        }
        let Some(mut task) = best else {
            return Ok(None);
        };
        let until = at.saturating_add(millis(lease));
        sqlx::query(
            "UPDATE task SET leased_by = $4, leased_until = $5 WHERE project = $1 AND number = $2 AND layer = $3",
        )
        .bind(project.0)
        .bind(i64::from(task.document))
        .bind(task.layer.code())
        .bind(user.0)
        .bind(until)
        .execute(writing.connection())
        .await?;
        writing.commit().await?;
        task.lease = Some(Lease { user, until });
        Ok(Some(task))
    }

    async fn best(
        &self,
        connection: &mut AnyConnection,
        project: ProjectId,
        user: UserId,
        layer: Layer,
        at: Millis,
        own: bool,
    ) -> Result<Option<Task>, StoreError> {
        let mine = if own { "task.leased_by = $4 AND task.leased_until >= $3" } else { "task.leased_until < $3" };
        let lock = if self.kind == Kind::Postgres { " FOR UPDATE OF task SKIP LOCKED" } else { "" };
        let query = format!(
            "{TASK} WHERE task.project = $1 AND task.done = 0 AND task.layer = $2 AND {mine}
            AND NOT EXISTS (
                SELECT 1 FROM task other WHERE other.project = task.project AND other.number = task.number
                AND other.layer = 1 - task.layer
                AND (other.person = $4 OR (other.leased_by = $4 AND other.leased_until >= $3))
            ) ORDER BY task.priority DESC, task.number LIMIT 1{lock}"
        );
        let query = sqlx::query(sqlx::AssertSqlSafe(query)).bind(project.0).bind(layer.code()).bind(at).bind(user.0);
        query.fetch_optional(connection).await?.as_ref().map(of_row).transpose()
    }

    /// A task.
    ///
    /// # Errors
    /// There is none for this document and layer, or the database fails.
    pub async fn task(&self, project: ProjectId, number: Number, layer: Layer) -> Result<Task, StoreError> {
        let query = format!("{TASK} WHERE project = $1 AND number = $2 AND layer = $3");
        let query = sqlx::query(sqlx::AssertSqlSafe(query)).bind(project.0).bind(i64::from(number)).bind(layer.code());
        let row = query.fetch_optional(&self.pool).await?;
        let none = || StoreError::NotFound(format!("task for the {layer} annotation of document {number}"));
        row.as_ref().map(of_row).transpose()?.ok_or_else(none)
    }

    /// Prolongs a lease; `false` where the user does not have it any more.
    ///
    /// # Errors
    /// The database fails.
    pub async fn renew(
        &self,
        project: ProjectId,
        number: Number,
        layer: Layer,
        user: UserId,
        lease: Duration,
    ) -> Result<bool, StoreError> {
        let mut writing = self.write().await?;
        let at = now();
        let query = sqlx::query(
            "UPDATE task SET leased_until = $5
            WHERE project = $1 AND number = $2 AND layer = $3 AND leased_by = $4 AND leased_until >= $6 AND done = 0",
        )
        .bind(project.0)
        .bind(i64::from(number))
        .bind(layer.code())
        .bind(user.0)
        .bind(at.saturating_add(millis(lease)))
        .bind(at);
        let met = query.execute(writing.connection()).await?.rows_affected();
        writing.commit().await?;
        Ok(met > 0)
    }

    /// Gives a task back undone.
    ///
    /// # Errors
    /// The database fails.
    pub async fn release(
        &self,
        project: ProjectId,
        number: Number,
        layer: Layer,
        user: UserId,
    ) -> Result<(), StoreError> {
        let mut writing = self.write().await?;
        let query = "UPDATE task SET leased_by = NULL, leased_until = 0
            WHERE project = $1 AND number = $2 AND layer = $3 AND leased_by = $4";
        let query = sqlx::query(query).bind(project.0).bind(i64::from(number)).bind(layer.code()).bind(user.0);
        query.execute(writing.connection()).await?;
        writing.commit().await
    }

    /// Ranks what annotators have open: these documents, each with the reason in words, come in this order after those that
    /// somebody sent to the queue and before all others, in place of an earlier ranking. Those that are done stay as they are.
    ///
    /// # Errors
    /// The database fails.
    pub async fn rank(&self, project: ProjectId, ranked: &[(Number, String)]) -> Result<(), StoreError> {
        let mut writing = self.write().await?;
        let open = "project = $1 AND layer IN (0, 1) AND done = 0 AND priority <= $2";
        let query = format!("UPDATE task SET priority = 0, reason = '' WHERE {open} AND priority > 0");
        let query = sqlx::query(sqlx::AssertSqlSafe(query)).bind(project.0).bind(RANKED);
        query.execute(writing.connection()).await?;
        let query = format!("UPDATE task SET priority = $3, reason = $4 WHERE {open} AND number = $5");
        let places = ranked.len() as f64;
        for (place, (number, reason)) in ranked.iter().enumerate() {
            let priority = RANKED * (places - place as f64) / places;
            let query = sqlx::query(sqlx::AssertSqlSafe(query.as_str())).bind(project.0).bind(RANKED).bind(priority);
            query.bind(reason.as_str()).bind(i64::from(*number)).execute(writing.connection()).await?;
        }
        writing.commit().await
    }

    /// The documents that nobody has annotated yet, by number.
    ///
    /// # Errors
    /// The database fails.
    pub async fn open_documents(&self, project: ProjectId) -> Result<Vec<Number>, StoreError> {
        let query = "SELECT number FROM task WHERE project = $1 AND done = 0 AND layer = 0 ORDER BY number";
        let rows = sqlx::query(query).bind(project.0).fetch_all(&self.pool).await?;
        rows.iter().map(|row| Ok(row.try_get::<i64, _>(0)? as Number)).collect()
    }

    /// Lets documents be annotated by a second person, who does not see what the first did.
    ///
    /// # Errors
    /// A document is not there, or the database fails.
    pub async fn ask_twice(&self, project: ProjectId, documents: &[Number]) -> Result<(), StoreError> {
        let mut writing = self.write().await?;
        for number in documents {
            let first =
                sqlx::query("SELECT priority, reason FROM task WHERE project = $1 AND number = $2 AND layer = 0");
            let row = first.bind(project.0).bind(i64::from(*number)).fetch_optional(&mut *writing.connection()).await?;
            let row = row.ok_or_else(|| StoreError::NotFound(format!("document {number} in project {}", project.0)))?;
            let (priority, reason) = (row.try_get(0)?, row.try_get(1)?);
            new_task(writing.connection(), project, *number, Layer::Second, priority, reason).await?;
        }
        writing.commit().await
    }

    /// Puts documents into the queue of a layer, again where they were done: number, priority and the reason in words. Their
    /// history goes on where it ended. A priority above [`RANKED`] comes before every ranking.
    ///
    /// # Errors
    /// A document is not there, a priority is no number, or the database fails.
    pub async fn send_back(
        &self,
        project: ProjectId,
        layer: Layer,
        documents: &[(Number, f64, String)],
    ) -> Result<(), StoreError> {
        if let Some((number, ..)) = documents.iter().find(|(_, priority, _)| !priority.is_finite()) {
            return Err(StoreError::Invalid(format!("the priority of document {number} is no number")));
        }
        let query =
            "UPDATE task SET priority = $4, reason = $5, done = 0 WHERE project = $1 AND number = $2 AND layer = $3";
        let mut writing = self.write().await?;
        for (number, priority, reason) in documents {
            if layer == Layer::Review {
                new_task(writing.connection(), project, *number, layer, *priority, reason).await?;
            }
            let query = sqlx::query(query).bind(project.0).bind(i64::from(*number));
            let query = query.bind(layer.code()).bind(*priority).bind(reason.as_str());
            let met = query.execute(writing.connection()).await?.rows_affected();
            crate::user::one(met, || format!("task for the {layer} annotation of document {number}"))?;
        }
        writing.commit().await
    }
}

/// A task that nobody has done.
pub(crate) async fn new_task(
    connection: &mut AnyConnection,
    project: ProjectId,
    number: Number,
    layer: Layer,
    priority: f64,
    reason: &str,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO task (project, number, layer, head, counts, done, priority, reason, leased_until)
        VALUES ($1, $2, $3, 0, 0, 0, $4, $5, 0) ON CONFLICT (project, number, layer) DO NOTHING",
    )
    .bind(project.0)
    .bind(i64::from(number))
    .bind(layer.code())
    .bind(priority)
    .bind(reason)
    .execute(connection)
    .await?;
    Ok(())
}

fn millis(lease: Duration) -> Millis {
    Millis::try_from(lease.as_millis()).unwrap_or(Millis::MAX)
}

fn of_row(row: &AnyRow) -> Result<Task, StoreError> {
    let until: Millis = row.try_get("leased_until")?;
    let user = row.try_get::<Option<i64>, _>("leased_by")?.map(UserId);
    Ok(Task {
        document: row.try_get::<i64, _>("number")? as Number,
        layer: Layer::of_code(row.try_get("layer")?)?,
        head: row.try_get::<i64, _>("head")? as u32,
        priority: row.try_get("priority")?,
        reason: row.try_get("reason")?,
        done: row.try_get::<i64, _>("done")? != 0,
        lease: user.map(|user| Lease { user, until }).filter(|lease| lease.until >= now()),
    })
}
