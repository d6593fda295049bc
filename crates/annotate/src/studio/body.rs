//! Bodies of requests: bounded in bytes and time before anything looks into them.

use std::{sync::Arc, time::Duration};

use axum::{
    body::{Body, Bytes, HttpBody as _},
    extract::{FromRequest, Request},
};
use futures_util::StreamExt as _;
use serde::de::DeserializeOwned;
use serde_json::error::Category;

use super::{Refusal, Studio};

/// Bytes of a body of JSON.
const JSON: usize = 8 << 20;
/// For a body of up to 8 MiB; larger ones get as much more time.
const PATIENCE: Duration = Duration::from_secs(30);

/// A body as JSON of a shape.
pub struct Json<T>(pub T);

impl<T: DeserializeOwned> FromRequest<Arc<Studio>> for Json<T> {
    type Rejection = Refusal;

    async fn from_request(request: Request, _: &Arc<Studio>) -> Result<Self, Refusal> {
        let bytes = whole(request.into_body(), JSON).await?;
        serde_json::from_slice(&bytes).map(Self).map_err(|error| match error.classify() {
            Category::Data => Refusal::Invalid(format!("the body is not what this route takes: {error}")),
            _ => Refusal::Malformed(format!("the body is no JSON: {error}")),
        })
    }
}

/// A form's fields in their order; a name may come several times.
pub struct Fields(Vec<(String, String)>);

impl Fields {
    /// The value of the first field of this name, without the carriage returns that browsers put before line feeds; empty where
    /// there is none.
    pub fn get(&self, name: &str) -> String {
        self.all(name).into_iter().next().unwrap_or_default()
    }

    /// The values of all fields of this name.
    pub fn all(&self, name: &str) -> Vec<String> {
        self.0.iter().filter(|(given, _)| given == name).map(|(_, value)| value.replace("\r\n", "\n")).collect()
    }

    /// Whether there is such a field.
    pub fn has(&self, name: &str) -> bool {
        self.0.iter().any(|(given, _)| given == name)
    }
}

impl FromRequest<Arc<Studio>> for Fields {
    type Rejection = Refusal;

    async fn from_request(request: Request, _: &Arc<Studio>) -> Result<Self, Refusal> {
        let bytes = whole(request.into_body(), JSON).await?;
        Ok(Self(url::form_urlencoded::parse(&bytes).into_owned().collect()))
    }
}

/// A whole body.
///
/// # Errors
/// It has more bytes than `most`, breaks off, or comes too slowly.
pub async fn whole(body: Body, most: usize) -> Result<Bytes, Refusal> {
    let too_large = || Refusal::TooLarge(format!("the body has more than {most} bytes"));
    if body.size_hint().lower() > most as u64 {
        return Err(too_large());
    }
    let patience = PATIENCE * (1 + (most / JSON) as u32);
    let collected = async {
        let (mut whole, mut stream) = (Vec::new(), body.into_data_stream());
        while let Some(part) = stream.next().await {
            let part = part.map_err(|_| Refusal::Malformed("the body ended too early".to_owned()))?;
            if whole.len() + part.len() > most {
                return Err(too_large());
            }
            whole.extend_from_slice(&part);
        }
        Ok(Bytes::from(whole))
    };
    tokio::time::timeout(patience, collected).await.unwrap_or(Err(Refusal::Slow))
}
