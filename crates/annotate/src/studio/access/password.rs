//! Passwords: Argon2id with the parameters that OWASP names (19 MiB, two passes), as PHC strings.

use std::sync::LazyLock;

use argon2::{
    Argon2,
    password_hash::{PasswordHasher as _, PasswordVerifier as _, phc::PasswordHash},
};
use thiserror::Error;
use tokio::sync::Semaphore;

/// Fewest characters of a password (NIST SP 800-63B, 5.1.1).
const SHORTEST: usize = 8;
/// Most bytes of a password, so that hashing one stays cheap.
const LONGEST: usize = 1_024;
/// Passwords that are hashed at once; each takes 19 MiB and a core.
static ROOM: Semaphore = Semaphore::const_new(2);

/// Why a password cannot be one.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum PasswordError {
    /// Too short to be one.
    #[error("a password has at least {SHORTEST} characters")]
    Short,
    /// Too long to be hashed.
    #[error("a password has at most {LONGEST} bytes")]
    Long,
    /// It cannot be hashed.
    #[error("the password cannot be hashed: {0}")]
    Hash(String),
}

/// A password as the store keeps it.
///
/// # Errors
/// It is too short or too long, or the system gives no random numbers.
pub fn hash(password: &str) -> Result<String, PasswordError> {
    if password.chars().count() < SHORTEST {
        return Err(PasswordError::Short);
    }
    if password.len() > LONGEST {
        return Err(PasswordError::Long);
    }
    let hash = Argon2::default().hash_password(password.as_bytes());
    hash.map(|hash| hash.to_string()).map_err(|error| PasswordError::Hash(error.to_string()))
}

/// Whether a password is the one that was kept; where there is none, the same time is taken to say no.
pub(crate) async fn matches(password: String, kept: Option<String>) -> bool {
    let Ok(_room) = ROOM.acquire().await else { return false };
    tokio::task::spawn_blocking(move || verified(&password, kept.as_deref())).await.unwrap_or(false)
}

fn verified(password: &str, kept: Option<&str>) -> bool {
    // What nobody can log in with, made once.
    static NOBODY: LazyLock<String> = LazyLock::new(|| hash("nobody has this password").unwrap_or_default());
    if password.len() > LONGEST {
        return false;
    }
    let Ok(hash) = PasswordHash::new(kept.unwrap_or(&NOBODY)) else { return false };
    Argon2::default().verify_password(password.as_bytes(), &hash).is_ok() && kept.is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_matches_its_own_hash_only() {
        let kept = hash("correct horse").unwrap();
        assert!(kept.starts_with("$argon2id$") && !kept.contains("horse"));
        assert!(verified("correct horse", Some(&kept)));
        for (password, kept) in [("wrong horse", Some(&*kept)), ("correct horse", None), ("correct horse", Some("x"))] {
            assert!(!verified(password, kept));
        }
        assert!(!verified("nobody has this password", None));
    }

    #[test]
    fn passwords_of_no_use_are_refused() {
        assert_eq!(hash("short"), Err(PasswordError::Short));
        assert_eq!(hash(&"x".repeat(2_000)), Err(PasswordError::Long));
    }
}
