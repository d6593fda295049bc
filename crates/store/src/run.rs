//! Runs: what was started for a project and what became of it.

use sqlx::{Row, any::AnyRow};

use crate::{Millis, ProjectId, Store, StoreError, connection::Kind, now, user, wire};

/// Which run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(transparent)]
pub struct RunId(pub i64);

/// What became of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RunState {
    /// It goes on.
    Running,
    /// It came to its end.
    Finished,
    /// It failed.
    Failed,
    /// Somebody stopped it.
    Stopped,
}
wire::words!(RunState { Running = "running", Finished = "finished", Failed = "failed", Stopped = "stopped" });

/// A run to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewRun {
    /// The project; `None` for one that belongs to none.
    pub project: Option<ProjectId>,
    /// What is done: `train`, `suggest`, `check`.
    pub kind: String,
    /// The words of the command, the program first.
    pub command: Vec<String>,
    /// Where it writes.
    pub folder: String,
}

/// A run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    /// Which one.
    pub id: RunId,
    /// What it was started as.
    pub started: NewRun,
    /// What became of it.
    pub state: RunState,
    /// What it said at its end, such as the reason of a failure.
    pub told: String,
    /// When it began.
    pub begun: Millis,
    /// When it ended.
    pub ended: Option<Millis>,
}

impl Store {
    /// Notes that a run begins.
    ///
    /// # Errors
    /// The database fails.
    pub async fn begin_run(&self, run: NewRun) -> Result<Run, StoreError> {
        let mut writing = self.write().await?;
        let connection = writing.connection();
        if self.kind == Kind::Postgres {
            sqlx::raw_sql("LOCK TABLE run IN EXCLUSIVE MODE").execute(&mut *connection).await?;
        }
        let row = sqlx::query("SELECT COALESCE(MAX(id), 0) + 1 FROM run").fetch_one(&mut *connection).await?;
        let (id, begun) = (RunId(row.try_get(0)?), now());
        sqlx::query(
            "INSERT INTO run (id, project, kind, command, folder, state, told, begun) VALUES ($1, $2, $3, $4, $5, $6, '', $7)",
        )
        .bind(id.0)
        .bind(run.project.map(|project| project.0))
        .bind(run.kind.as_str())
        .bind(wire::to_json(&run.command))
        .bind(run.folder.as_str())
        .bind(RunState::Running.as_str())
        .bind(begun)
        .execute(&mut *connection)
        .await?;
        writing.commit().await?;
        Ok(Run { id, started: run, state: RunState::Running, told: String::new(), begun, ended: None })
    }

    /// Notes what became of a run. One that has ended stays as it ended.
    ///
    /// # Errors
    /// There is no such run, or the database fails.
    pub async fn end_run(&self, id: RunId, state: RunState, told: &str) -> Result<Run, StoreError> {
        let mut writing = self.write().await?;
        sqlx::query("UPDATE run SET state = $2, told = $3, ended = $4 WHERE id = $1 AND state = 'running'")
            .bind(id.0)
            .bind(state.as_str())
            .bind(told)
            .bind(now())
            .execute(writing.connection())
            .await?;
        writing.commit().await?;
        self.run(id).await
    }

    /// A run.
    ///
    /// # Errors
    /// There is none, or the database fails.
    pub async fn run(&self, id: RunId) -> Result<Run, StoreError> {
        let row = sqlx::query("SELECT * FROM run WHERE id = $1").bind(id.0).fetch_optional(&self.pool).await?;
        row.as_ref().map(of_row).transpose()?.ok_or_else(|| StoreError::NotFound(format!("run {}", id.0)))
    }

    /// The runs of a project, the newest first.
    ///
    /// # Errors
    /// The database fails.
    pub async fn runs(&self, project: ProjectId) -> Result<Vec<Run>, StoreError> {
        let query = sqlx::query("SELECT * FROM run WHERE project = $1 ORDER BY id DESC");
        query.bind(project.0).fetch_all(&self.pool).await?.iter().map(of_row).collect()
    }

    /// Takes a run that has ended off the list. Its folder stays.
    ///
    /// # Errors
    /// There is no such run or it goes on, or the database fails.
    pub async fn forget_run(&self, id: RunId) -> Result<(), StoreError> {
        let mut writing = self.write().await?;
        let query = sqlx::query("DELETE FROM run WHERE id = $1 AND state <> 'running'").bind(id.0);
        let met = query.execute(writing.connection()).await?.rows_affected();
        user::one(met, || format!("run {} that has ended", id.0))?;
        writing.commit().await
    }
}

fn of_row(row: &AnyRow) -> Result<Run, StoreError> {
    let id: i64 = row.try_get("id")?;
    Ok(Run {
        id: RunId(id),
        started: NewRun {
            project: row.try_get::<Option<i64>, _>("project")?.map(ProjectId),
            kind: row.try_get("kind")?,
            command: wire::of_json(row.try_get("command")?, || format!("run {id}"))?,
            folder: row.try_get("folder")?,
        },
        state: row.try_get::<&str, _>("state")?.parse()?,
        told: row.try_get("told")?,
        begun: row.try_get("begun")?,
        ended: row.try_get("ended")?,
    })
}
