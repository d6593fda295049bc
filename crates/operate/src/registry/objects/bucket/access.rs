//! How an object store is reached.

use std::{env, fmt, time::Duration};

/// How an object store is reached. [`Access::from_env`] is what a command line wants; nothing that is secret is ever shown.
#[derive(Clone, Default)]
pub struct Access {
    /// Address of the store. Without one, Amazon's own of the region.
    pub endpoint: Option<String>,
    /// The region; `us-east-1` without one, which is what stores outside of Amazon expect.
    pub region: Option<String>,
    /// Name of the key.
    pub key: Option<String>,
    /// The key itself.
    pub secret: Option<String>,
    /// Token of a key that ends.
    pub token: Option<String>,
    /// How long a store may keep silent, and how often it is asked again.
    pub patience: Patience,
}

/// How long a store may keep silent, and how often it is asked again.
#[derive(Debug, Clone)]
pub struct Patience {
    /// Finding the address; and again connecting, with TLS.
    pub connect: Duration,
    /// From the end of a request to the head of the answer.
    pub answer: Duration,
    /// Between two pieces of a file, on the way up or down.
    pub stall: Duration,
    /// What is waited before each further attempt, where a connection breaks or a store is too busy.
    pub pauses: Vec<Duration>,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(5),
            answer: Duration::from_secs(60),
            stall: Duration::from_secs(30),
            pauses: [200, 800, 3200].map(Duration::from_millis).to_vec(),
        }
    }
}

impl Access {
    /// As the tools of Amazon read the environment: `AWS_ENDPOINT_URL_S3` or `AWS_ENDPOINT_URL`, `AWS_REGION` or
    /// `AWS_DEFAULT_REGION`, `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`, `AWS_SESSION_TOKEN`. Empty variables count as unset.
    pub fn from_env() -> Self {
        Self::read(|name| env::var(name).ok())
    }

    fn read(variable: impl Fn(&str) -> Option<String>) -> Self {
        let set = |name: &str| variable(name).map(|value| value.trim().to_owned()).filter(|value| !value.is_empty());
        Self {
            endpoint: set("AWS_ENDPOINT_URL_S3").or_else(|| set("AWS_ENDPOINT_URL")),
            region: set("AWS_REGION").or_else(|| set("AWS_DEFAULT_REGION")),
            key: set("AWS_ACCESS_KEY_ID"),
            secret: set("AWS_SECRET_ACCESS_KEY"),
            token: set("AWS_SESSION_TOKEN"),
            patience: Patience::default(),
        }
    }
}

impl fmt::Debug for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("Access");
        // An address may hold a password.
        shown.field("has_endpoint", &self.endpoint.is_some()).field("region", &self.region);
        shown.field("has_key", &self.key.is_some()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_environment_is_read_as_the_tools_of_amazon_do_and_secrets_are_not_shown() {
        let access = Access::read(|name| match name {
            "AWS_ENDPOINT_URL_S3" => Some(" ".to_owned()),
            other => Some(format!("<{other}>")),
        });
        assert_eq!(access.endpoint.as_deref(), Some("<AWS_ENDPOINT_URL>"));
        assert_eq!(access.region.as_deref(), Some("<AWS_REGION>"));
        assert_eq!(access.token.as_deref(), Some("<AWS_SESSION_TOKEN>"));
        let shown = format!("{access:?}");
        assert!(!shown.contains("AWS_ACCESS") && !shown.contains("SECRET") && !shown.contains("TOKEN"), "{shown}");
        assert!(!shown.contains("ENDPOINT"), "{shown}");
    }
}
