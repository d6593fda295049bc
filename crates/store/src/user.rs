//! People and what they may do in a project.

use sqlx::{Row, any::AnyRow};

use crate::{Millis, ProjectId, Store, StoreError, connection::Kind, error::is_taken, now, wire};

/// Which user.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(transparent)]
pub struct UserId(pub i64);

/// Somebody who annotates, or a program that does.
#[derive(Clone, PartialEq, Eq)]
pub struct User {
    /// Which one.
    pub id: UserId,
    /// The name; nobody else has it.
    pub name: String,
    /// The hashed password, as whoever checks it writes it; without one nobody can log in.
    pub password: Option<String>,
    /// May not log in any more. What this user did stays.
    pub disabled: bool,
    /// When the account was made.
    pub created: Millis,
}

impl std::fmt::Debug for User {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("User").field("id", &self.id).field("name", &self.name).finish_non_exhaustive()
    }
}

/// What somebody may do in a project; each may what those before may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// Annotates.
    Annotator,
    /// Sees the annotations of others and decides between them.
    Reviewer,
    /// Changes schema, people and data.
    Owner,
}
wire::words!(Role { Annotator = "annotator", Reviewer = "reviewer", Owner = "owner" });

/// Somebody in a project.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// Who.
    pub user: User,
    /// As what.
    pub role: Role,
}

const COLUMNS: &str = "SELECT person.id, person.name, person.password, person.disabled, person.created FROM person";

impl Store {
    /// Makes an account.
    ///
    /// # Errors
    /// The name is empty, has white space at an end, or is in use; or the database fails.
    pub async fn create_user(&self, name: &str, password: Option<&str>) -> Result<User, StoreError> {
        if name.is_empty() || name.trim() != name || name.chars().any(char::is_control) {
            return Err(StoreError::Invalid(format!(
                "{name:?} cannot be the name of a user: it is empty, or has white space at an end or control characters"
            )));
        }
        let mut writing = self.write().await?;
        let connection = writing.connection();
        if self.kind == Kind::Postgres {
            sqlx::raw_sql("LOCK TABLE person IN EXCLUSIVE MODE").execute(&mut *connection).await?;
        }
        let row = sqlx::query("SELECT COALESCE(MAX(id), 0) + 1 FROM person").fetch_one(&mut *connection).await?;
        let id: i64 = row.try_get(0)?;
        let created = now();
        let added =
            sqlx::query("INSERT INTO person (id, name, password, disabled, created) VALUES ($1, $2, $3, 0, $4)")
                .bind(id)
                .bind(name)
                .bind(password)
                .bind(created)
                .execute(&mut *connection)
                .await;
        match added {
            Err(error) if is_taken(&error) => return Err(StoreError::Taken(format!("user `{name}`"))),
            added => added?,
        };
        writing.commit().await?;
        let password = password.map(str::to_owned);
        Ok(User { id: UserId(id), name: name.to_owned(), password, disabled: false, created })
    }

    /// The user of this name, made without a password where there is none.
    ///
    /// # Errors
    /// As [`Store::create_user`].
    pub async fn user_named(&self, name: &str) -> Result<User, StoreError> {
        if let Some(user) = self.user_by_name(name).await? {
            return Ok(user);
        }
        match self.create_user(name, None).await {
            // Another process was quicker.
            Err(StoreError::Taken(what)) => self.user_by_name(name).await?.ok_or(StoreError::NotFound(what)),
            made => made,
        }
    }

    /// Every account, by name.
    ///
    /// # Errors
    /// The database fails.
    pub async fn users(&self) -> Result<Vec<User>, StoreError> {
        let query = sqlx::AssertSqlSafe(format!("{COLUMNS} ORDER BY name"));
        sqlx::query(query).fetch_all(&self.pool).await?.iter().map(of_row).collect()
    }

    /// A user.
    ///
    /// # Errors
    /// There is none, or the database fails.
    pub async fn user(&self, id: UserId) -> Result<User, StoreError> {
        let query = sqlx::AssertSqlSafe(format!("{COLUMNS} WHERE id = $1"));
        let row = sqlx::query(query).bind(id.0).fetch_optional(&self.pool).await?;
        row.as_ref().map(of_row).transpose()?.ok_or_else(|| StoreError::NotFound(format!("user {}", id.0)))
    }

    /// The user of this name, if there is one.
    ///
    /// # Errors
    /// The database fails.
    pub async fn user_by_name(&self, name: &str) -> Result<Option<User>, StoreError> {
        let query = sqlx::AssertSqlSafe(format!("{COLUMNS} WHERE name = $1"));
        sqlx::query(query).bind(name).fetch_optional(&self.pool).await?.as_ref().map(of_row).transpose()
    }

    /// Sets or takes away a password (its hash) and ends every session of the user.
    ///
    /// # Errors
    /// There is no such user, or the database fails.
    pub async fn set_password(&self, id: UserId, password: Option<&str>) -> Result<(), StoreError> {
        let mut writing = self.write().await?;
        let query = sqlx::query("UPDATE person SET password = $2 WHERE id = $1").bind(id.0).bind(password);
        one(query.execute(writing.connection()).await?.rows_affected(), || format!("user {}", id.0))?;
        sqlx::query("DELETE FROM access WHERE person = $1 AND kind = 'session'")
            .bind(id.0)
            .execute(writing.connection())
            .await?;
        writing.commit().await
    }

    /// Lets a user log in no more, or again. Sessions and tokens of a disabled user end at once.
    ///
    /// # Errors
    /// There is no such user, or the database fails.
    pub async fn set_disabled(&self, id: UserId, disabled: bool) -> Result<(), StoreError> {
        let mut writing = self.write().await?;
        let query = sqlx::query("UPDATE person SET disabled = $2 WHERE id = $1").bind(id.0).bind(i64::from(disabled));
        one(query.execute(writing.connection()).await?.rows_affected(), || format!("user {}", id.0))?;
        if disabled {
            sqlx::query("DELETE FROM access WHERE person = $1").bind(id.0).execute(writing.connection()).await?;
        }
        writing.commit().await
    }

    /// What a user is in a project; `None` where the user has no part in it.
    ///
    /// # Errors
    /// The database fails.
    pub async fn role(&self, project: ProjectId, user: UserId) -> Result<Option<Role>, StoreError> {
        let query = sqlx::query("SELECT role FROM member WHERE project = $1 AND person = $2");
        let row = query.bind(project.0).bind(user.0).fetch_optional(&self.pool).await?;
        row.map(|row| row.try_get::<&str, _>(0)?.parse()).transpose()
    }

    /// Gives a user a role in a project, or takes the part in it away.
    ///
    /// # Errors
    /// There is no such project or user, the project would be without an owner, or the database fails.
    pub async fn set_role(&self, project: ProjectId, user: UserId, role: Option<Role>) -> Result<(), StoreError> {
        self.project(project).await?;
        self.user(user).await?;
        let mut writing = self.write().await?;
        let connection = writing.connection();
        sqlx::query("DELETE FROM member WHERE project = $1 AND person = $2")
            .bind(project.0)
            .bind(user.0)
            .execute(&mut *connection)
            .await?;
        if let Some(role) = role {
            sqlx::query("INSERT INTO member (project, person, role) VALUES ($1, $2, $3)")
                .bind(project.0)
                .bind(user.0)
                .bind(role.as_str())
                .execute(&mut *connection)
                .await?;
        }
        let owners = sqlx::query("SELECT COUNT(*) FROM member WHERE project = $1 AND role = 'owner'");
        let owners: i64 = owners.bind(project.0).fetch_one(&mut *connection).await?.try_get(0)?;
        if owners == 0 {
            return Err(StoreError::Invalid("a project needs an owner; make somebody else its owner first".into()));
        }
        writing.commit().await
    }

    /// Everybody who has a part in a project, by name.
    ///
    /// # Errors
    /// The database fails.
    pub async fn members(&self, project: ProjectId) -> Result<Vec<Member>, StoreError> {
        let query = "SELECT person.id, person.name, person.password, person.disabled, person.created, member.role
            FROM member JOIN person ON person.id = member.person WHERE member.project = $1 ORDER BY person.name";
        let rows = sqlx::query(query).bind(project.0).fetch_all(&self.pool).await?;
        let member = |row: &AnyRow| Ok(Member { user: of_row(row)?, role: row.try_get::<&str, _>("role")?.parse()? });
        rows.iter().map(member).collect()
    }
}

/// What a statement about one thing must have met.
pub(crate) fn one(affected: u64, what: impl Fn() -> String) -> Result<(), StoreError> {
    if affected == 0 { Err(StoreError::NotFound(what())) } else { Ok(()) }
}

pub(crate) fn of_row(row: &AnyRow) -> Result<User, StoreError> {
    Ok(User {
        id: UserId(row.try_get("id")?),
        name: row.try_get("name")?,
        password: row.try_get("password")?,
        disabled: row.try_get::<i64, _>("disabled")? != 0,
        created: row.try_get("created")?,
    })
}
