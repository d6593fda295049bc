//! The parts of a path that vary.

use axum::{
    extract::{FromRequestParts, RawPathParams},
    http::request::Parts,
};
use store::{Layer, Number};

use super::Refusal;

/// The parts of a path that vary, by the names that the route gives them.
pub struct Path(Vec<(String, String)>);

impl<S: Send + Sync> FromRequestParts<S> for Path {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refusal> {
        let path = RawPathParams::from_request_parts(parts, state).await;
        let path = path.map_err(|_| Refusal::NotFound("the path is no text".to_owned()))?;
        Ok(Self(path.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect()))
    }
}

impl Path {
    /// A part; empty where the route has none of this name.
    pub fn get(&self, name: &str) -> &str {
        self.0.iter().find(|(given, _)| given == name).map_or("", |(_, value)| value)
    }

    /// The number of a document.
    pub fn number(&self) -> Result<Number, Refusal> {
        let given = self.get("number");
        let number = given.parse().ok().filter(|number| *number > 0);
        number
            .ok_or_else(|| Refusal::NotFound(format!("there is no document `{given}`; documents are numbered from 1")))
    }

    /// A number that names something else.
    pub fn id(&self, name: &str) -> Result<i64, Refusal> {
        let given = self.get(name);
        given.parse().map_err(|_| Refusal::NotFound(format!("there is no {name} `{given}`")))
    }

    /// A layer.
    pub fn layer(&self) -> Result<Layer, Refusal> {
        let given = self.get("layer");
        given.parse().map_err(|_| Refusal::NotFound(format!("there is no layer `{given}`: first, second or review")))
    }
}
