//! What the environment says of tracking.

use std::{env, fmt};

/// MLflow's variables. Credentials come from here alone, and nothing writes or shows them.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Environment {
    /// `MLFLOW_TRACKING_URI`.
    pub uri: Option<String>,
    /// `MLFLOW_EXPERIMENT_NAME`.
    pub experiment: Option<String>,
    /// `MLFLOW_TRACKING_TOKEN`, sent as a bearer token; it goes before user name and password.
    pub token: Option<String>,
    /// `MLFLOW_TRACKING_USERNAME`.
    pub username: Option<String>,
    /// `MLFLOW_TRACKING_PASSWORD`.
    pub password: Option<String>,
}

impl Environment {
    /// That of this process; an empty variable counts as none.
    pub fn of_process() -> Self {
        let read = |name| env::var(name).ok().filter(|value| !value.is_empty());
        Self {
            uri: read("MLFLOW_TRACKING_URI"),
            experiment: read("MLFLOW_EXPERIMENT_NAME"),
            token: read("MLFLOW_TRACKING_TOKEN"),
            username: read("MLFLOW_TRACKING_USERNAME"),
            password: read("MLFLOW_TRACKING_PASSWORD"),
        }
    }
}

impl fmt::Debug for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let known = |secret: &Option<String>| if secret.is_some() { "set" } else { "not set" };
        f.debug_struct("Environment")
            .field("uri", &known(&self.uri))
            .field("experiment", &self.experiment)
            .field("token", &known(&self.token))
            .field("username", &known(&self.username))
            .field("password", &known(&self.password))
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_credential_is_shown_when_debugging() {
        let secret = Some("s3cret".to_owned());
        let environment = Environment {
            uri: Some("http://me:s3cret@host".to_owned()),
            experiment: None,
            token: secret.clone(),
            username: secret.clone(),
            password: secret,
        };
        let shown = format!("{environment:?}");
        assert!(!shown.contains("s3cret") && shown.contains("set"), "{shown}");
    }
}
