//! Projects: a schema, guidelines, and every version that they had.

use schema::Schema;
use sqlx::{AnyConnection, Row, any::AnyRow};

use crate::{Millis, Number, Role, Store, StoreError, UserId, error::is_taken, now, wire};

/// Which project.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(transparent)]
pub struct ProjectId(pub i64);

/// A set of documents that are labelled by one schema.
#[derive(Debug, Clone, PartialEq)]
pub struct Project {
    /// Which one.
    pub id: ProjectId,
    /// Its name; no other project has it.
    pub name: String,
    /// Its labels with their definitions.
    pub schema: Schema,
    /// What annotators are told, as Markdown.
    pub guidelines: String,
    /// Counts the changes of schema and guidelines, from 1.
    pub version: u32,
    /// Number of documents; they are numbered from 1 to this.
    pub documents: Number,
    /// When it was made.
    pub created: Millis,
}

/// A version that schema and guidelines had.
#[derive(Debug, Clone, PartialEq)]
pub struct Definition {
    /// The version.
    pub version: u32,
    /// The labels then.
    pub schema: Schema,
    /// The guidelines then.
    pub guidelines: String,
    /// Who changed it.
    pub user: Option<UserId>,
    /// When.
    pub at: Millis,
}

const COLUMNS: &str = "SELECT id, name, schema, guidelines, version, documents, created FROM project";

impl Store {
    /// Makes a project; `owner` becomes its owner.
    ///
    /// # Errors
    /// The name is empty or in use, or the database fails.
    pub async fn create_project(
        &self,
        name: &str,
        schema: &Schema,
        guidelines: &str,
        owner: UserId,
    ) -> Result<Project, StoreError> {
        if name.trim().is_empty() {
            return Err(StoreError::Invalid("a project needs a name".into()));
        }
        let mut writing = self.write().await?;
        let connection = writing.connection();
        if self.kind == crate::connection::Kind::Postgres {
            sqlx::raw_sql("LOCK TABLE project IN EXCLUSIVE MODE").execute(&mut *connection).await?;
        }
        let row = sqlx::query("SELECT COALESCE(MAX(id), 0) + 1 FROM project").fetch_one(&mut *connection).await?;
        let id = ProjectId(row.try_get(0)?);
        let json = wire::to_json(schema);
        let added = sqlx::query(
            "INSERT INTO project (id, name, schema, guidelines, version, documents, created) VALUES ($1, $2, $3, $4, 1, 0, $5)",
        )
        .bind(id.0)
        .bind(name)
        .bind(json.as_str())
        .bind(guidelines)
        .bind(now())
        .execute(&mut *connection)
        .await;
        match added {
            Err(error) if is_taken(&error) => return Err(StoreError::Taken(format!("project `{name}`"))),
            added => added?,
        };
        keep_definition(connection, id, 1, &json, guidelines, Some(owner)).await?;
        sqlx::query("INSERT INTO member (project, person, role) VALUES ($1, $2, $3)")
            .bind(id.0)
            .bind(owner.0)
            .bind(Role::Owner.as_str())
            .execute(&mut *connection)
            .await?;
        let project = read(connection, id, "").await?;
        writing.commit().await?;
        Ok(project)
    }

    /// Every project, by name.
    ///
    /// # Errors
    /// The database fails.
    pub async fn projects(&self) -> Result<Vec<Project>, StoreError> {
        let rows = sqlx::query(sqlx::AssertSqlSafe(format!("{COLUMNS} ORDER BY name"))).fetch_all(&self.pool).await?;
        rows.iter().map(of_row).collect()
    }

    /// A project.
    ///
    /// # Errors
    /// There is none, or the database fails.
    pub async fn project(&self, id: ProjectId) -> Result<Project, StoreError> {
        let mut connection = self.pool.acquire().await?;
        read(&mut connection, id, "").await
    }

    /// The project of this name.
    ///
    /// # Errors
    /// There is none, or the database fails.
    pub async fn project_by_name(&self, name: &str) -> Result<Project, StoreError> {
        let query = sqlx::AssertSqlSafe(format!("{COLUMNS} WHERE name = $1"));
        let row = sqlx::query(query).bind(name).fetch_optional(&self.pool).await?;
        row.as_ref().map(of_row).transpose()?.ok_or_else(|| StoreError::NotFound(format!("project `{name}`")))
    }

    /// Changes schema and guidelines. `seen` is the version that the change started from. Annotations stay as they are:
    /// [`Store::relabel`] renames and merges labels with everything that carries them.
    ///
    /// # Errors
    /// Somebody else was quicker ([`StoreError::Stale`]), a label that would go is still in use, or the database fails.
    pub async fn define(
        &self,
        id: ProjectId,
        seen: u32,
        schema: &Schema,
        guidelines: &str,
        user: UserId,
    ) -> Result<Project, StoreError> {
        let mut writing = self.write().await?;
        let connection = writing.connection();
        let known = read(connection, id, self.for_update()).await?;
        if known.version != seen {
            return Err(StoreError::Stale { seen, found: known.version });
        }
        for label in known.schema.labels().filter(|label| schema.position(label.as_str()).is_none()) {
            let carrier = sqlx::query("SELECT number FROM mention WHERE project = $1 AND label = $2 LIMIT 1")
                .bind(id.0)
                .bind(label.as_str())
                .fetch_optional(&mut *connection)
                .await?;
            if let Some(carrier) = carrier {
                let number: i64 = carrier.try_get(0)?;
                return Err(StoreError::Invalid(format!(
                    "the label `{label}` is in use (document {number}); rename or merge it instead, or take its annotations away first"
                )));
            }
        }
        redefine(connection, &known, schema, guidelines, user).await?;
        let project = read(connection, id, "").await?;
        writing.commit().await?;
        Ok(project)
    }

    /// Every version of schema and guidelines, the first one first.
    ///
    /// # Errors
    /// The database fails.
    pub async fn definitions(&self, id: ProjectId) -> Result<Vec<Definition>, StoreError> {
        let query =
            "SELECT version, schema, guidelines, person, at FROM definition WHERE project = $1 ORDER BY version";
        let rows = sqlx::query(query).bind(id.0).fetch_all(&self.pool).await?;
        let definition = |row: &AnyRow| {
            let version = row.try_get::<i64, _>(0)? as u32;
            let place = || format!("version {version} of project {}", id.0);
            Ok(Definition {
                version,
                schema: wire::of_json(row.try_get(1)?, place)?,
                guidelines: row.try_get(2)?,
                user: row.try_get::<Option<i64>, _>(3)?.map(UserId),
                at: row.try_get(4)?,
            })
        };
        rows.iter().map(definition).collect()
    }
}

/// Writes the next version of schema and guidelines.
pub(crate) async fn redefine(
    connection: &mut AnyConnection,
    known: &Project,
    schema: &Schema,
    guidelines: &str,
    user: UserId,
) -> Result<(), StoreError> {
    let (json, version) = (wire::to_json(schema), known.version + 1);
    sqlx::query("UPDATE project SET schema = $2, guidelines = $3, version = $4 WHERE id = $1")
        .bind(known.id.0)
        .bind(json.as_str())
        .bind(guidelines)
        .bind(i64::from(version))
        .execute(&mut *connection)
        .await?;
    keep_definition(connection, known.id, version, &json, guidelines, Some(user)).await
}

async fn keep_definition(
    connection: &mut AnyConnection,
    project: ProjectId,
    version: u32,
    schema: &str,
    guidelines: &str,
    user: Option<UserId>,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO definition (project, version, schema, guidelines, person, at) VALUES ($1, $2, $3, $4, $5, $6)",
    )
    .bind(project.0)
    .bind(i64::from(version))
    .bind(schema)
    .bind(guidelines)
    .bind(user.map(|user| user.0))
    .bind(now())
    .execute(connection)
    .await?;
    Ok(())
}

pub(crate) async fn read(
    connection: &mut AnyConnection,
    id: ProjectId,
    lock: &'static str,
) -> Result<Project, StoreError> {
    let query = sqlx::AssertSqlSafe(format!("{COLUMNS} WHERE id = $1{lock}"));
    let row = sqlx::query(query).bind(id.0).fetch_optional(connection).await?;
    row.as_ref().map(of_row).transpose()?.ok_or_else(|| StoreError::NotFound(format!("project {}", id.0)))
}

fn of_row(row: &AnyRow) -> Result<Project, StoreError> {
    let id: i64 = row.try_get("id")?;
    Ok(Project {
        id: ProjectId(id),
        name: row.try_get("name")?,
        schema: wire::of_json(row.try_get("schema")?, || format!("the schema of project {id}"))?,
        guidelines: row.try_get("guidelines")?,
        version: row.try_get::<i64, _>("version")? as u32,
        documents: row.try_get::<i64, _>("documents")? as u32,
        created: row.try_get("created")?,
    })
}
