//! Sessions of the browser and tokens of programs. The database has the SHA-256 of each secret only.

use std::fmt::Write as _;

use sha2::{Digest, Sha256};
use sqlx::{Row, any::AnyRow};

use crate::{Millis, Store, StoreError, User, UserId, now, user, wire};

/// What a secret opens the door for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AccessKind {
    /// A browser after its login.
    Session,
    /// A program.
    Token,
}
wire::words!(AccessKind { Session = "session", Token = "token" });

/// A session or token that there is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Access {
    /// SHA-256 of the secret, in hexadecimal digits; names this access, opens nothing.
    pub hash: String,
    /// Whose it is.
    pub user: UserId,
    /// Session or token.
    pub kind: AccessKind,
    /// What its user calls it.
    pub name: String,
    /// When it was given out.
    pub created: Millis,
    /// When it ends; `None` for one that stays until it is taken back.
    pub until: Option<Millis>,
}

impl Store {
    /// Lets whoever knows `secret` be `user`. The secret should be at least 128 random bits.
    ///
    /// # Errors
    /// The secret is known already, there is no such user, or the database fails.
    pub async fn grant(
        &self,
        secret: &str,
        user: UserId,
        kind: AccessKind,
        name: &str,
        until: Option<Millis>,
    ) -> Result<Access, StoreError> {
        let access = Access { hash: hash(secret), user, kind, name: name.to_owned(), created: now(), until };
        let mut writing = self.write().await?;
        let connection = writing.connection();
        // Those that are over make room.
        sqlx::query("DELETE FROM access WHERE until < $1").bind(access.created).execute(&mut *connection).await?;
        sqlx::query("INSERT INTO access (hash, person, kind, name, created, until) VALUES ($1, $2, $3, $4, $5, $6)")
            .bind(access.hash.as_str())
            .bind(user.0)
            .bind(kind.as_str())
            .bind(name)
            .bind(access.created)
            .bind(until)
            .execute(&mut *connection)
            .await?;
        writing.commit().await?;
        Ok(access)
    }

    /// Who comes with this secret: `None` where it is unknown or over, or its user may not log in any more.
    ///
    /// # Errors
    /// The database fails.
    pub async fn admit(&self, secret: &str, kind: AccessKind) -> Result<Option<User>, StoreError> {
        let query = "SELECT person.id, person.name, person.password, person.disabled, person.created
            FROM access JOIN person ON person.id = access.person
            WHERE access.hash = $1 AND access.kind = $2 AND person.disabled = 0
            AND (access.until IS NULL OR access.until > $3)";
        let query = sqlx::query(query).bind(hash(secret)).bind(kind.as_str()).bind(now());
        query.fetch_optional(&self.pool).await?.as_ref().map(user::of_row).transpose()
    }

    /// The sessions or tokens of a user, the oldest first.
    ///
    /// # Errors
    /// The database fails.
    pub async fn accesses(&self, user: UserId, kind: AccessKind) -> Result<Vec<Access>, StoreError> {
        let query = "SELECT hash, name, created, until FROM access
            WHERE person = $1 AND kind = $2 ORDER BY created, hash";
        let rows = sqlx::query(query).bind(user.0).bind(kind.as_str()).fetch_all(&self.pool).await?;
        let access = |row: &AnyRow| {
            let (hash, name) = (row.try_get("hash")?, row.try_get("name")?);
            Ok(Access { hash, user, kind, name, created: row.try_get("created")?, until: row.try_get("until")? })
        };
        rows.iter().map(access).collect()
    }

    /// Moves the end of a session.
    ///
    /// # Errors
    /// The database fails.
    pub async fn prolong(&self, secret: &str, until: Millis) -> Result<(), StoreError> {
        let mut writing = self.write().await?;
        let query = sqlx::query("UPDATE access SET until = $2 WHERE hash = $1").bind(hash(secret)).bind(until);
        query.execute(writing.connection()).await?;
        writing.commit().await
    }

    /// Ends the session of this secret; one that is unknown is over anyway.
    ///
    /// # Errors
    /// The database fails.
    pub async fn leave(&self, secret: &str) -> Result<(), StoreError> {
        let mut writing = self.write().await?;
        let query = sqlx::query("DELETE FROM access WHERE hash = $1").bind(hash(secret));
        query.execute(writing.connection()).await?;
        writing.commit().await
    }

    /// Takes back a user's session or token by its hash.
    ///
    /// # Errors
    /// The user has no such access, or the database fails.
    pub async fn revoke(&self, user: UserId, access: &str) -> Result<(), StoreError> {
        let mut writing = self.write().await?;
        let query = sqlx::query("DELETE FROM access WHERE hash = $1 AND person = $2").bind(access).bind(user.0);
        user::one(query.execute(writing.connection()).await?.rows_affected(), || "such session or token".into())?;
        writing.commit().await
    }
}

fn hash(secret: &str) -> String {
    hex(&Sha256::digest(secret))
}

/// Hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut digits, byte| {
        // Writing to a string cannot fail.
        let _ = write!(digits, "{byte:02x}");
        digits
    })
}
