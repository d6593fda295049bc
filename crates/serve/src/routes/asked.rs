//! A request's body: bounded in bytes and time before anything looks into it.

use std::{io::Read as _, sync::Arc};

use axum::{
    body::{Body, HttpBody as _},
    extract::{FromRequest, Request},
    http::{HeaderMap, header},
};
use bytes::{Bytes, BytesMut};
use flate2::read::MultiGzDecoder;
use http_body_util::BodyExt as _;
use schema::offset::Unit;
use serde::de::DeserializeOwned;
use serde_json::error::Category;

use crate::{
    App, Refusal,
    app::Worked,
    config::{Limits, Timeouts},
};

/// A request with its whole body.
pub(crate) struct Asked {
    pub worked: Worked,
    pub headers: HeaderMap,
    /// The unit of offsets in the answer: `?offsets=utf16` or `bytes`, code points without it.
    pub unit: Unit,
    pub body: Bytes,
}

impl FromRequest<Arc<App>> for Asked {
    type Rejection = Refusal;

    async fn from_request(request: Request, app: &Arc<App>) -> Result<Self, Refusal> {
        app.queue.has_room()?;
        let unit = unit(request.uri().query().unwrap_or_default())?;
        let (parts, body) = request.into_parts();
        let body = received(body, &parts.headers, &app.config.limits, app.config.timeouts.body_s).await?;
        let worked = parts.extensions.get::<Worked>().cloned().unwrap_or_default();
        Ok(Self { worked, headers: parts.headers, unit, body })
    }
}

impl Asked {
    /// The body as JSON of this shape.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, Refusal> {
        json(&self.body)
    }
}

/// Bytes as JSON of a shape: malformed where they are no JSON, invalid where they are another shape.
pub(crate) fn json<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Refusal> {
    let text = std::str::from_utf8(bytes)
        .map_err(|error| Refusal::Malformed(format!("the body is no UTF-8 from byte {} on", error.valid_up_to())))?;
    serde_json::from_str(text).map_err(|error| match error.classify() {
        Category::Data => Refusal::Invalid(format!("the body is not what this route takes: {error}")),
        _ => Refusal::Malformed(format!("the body is no JSON: {error}")),
    })
}

/// The unit of offsets that a query asks for.
pub(crate) fn unit(query: &str) -> Result<Unit, Refusal> {
    let given = query.split('&').filter_map(|pair| pair.split_once('=')).find(|(name, _)| *name == "offsets");
    match given.map(|(_, unit)| unit) {
        None | Some("codepoints") => Ok(Unit::CodePoints),
        Some("utf16") => Ok(Unit::Utf16),
        Some("bytes") => Ok(Unit::Bytes),
        Some(_) => Err(Refusal::Invalid("`offsets` must be one of codepoints, utf16, bytes".to_owned())),
    }
}

async fn received(body: Body, headers: &HeaderMap, limits: &Limits, seconds: f64) -> Result<Bytes, Refusal> {
    let most = limits.body_bytes;
    let too_large = || Refusal::TooLarge(format!("the body has more than {most} bytes"));
    // What is announced is believed where it is too much, and counted where it is not.
    if body.size_hint().lower() > most as u64 {
        return Err(too_large());
    }
    let is_packed = is_packed(headers)?;
    let whole = tokio::time::timeout(Timeouts::of(seconds), collected(body, most, &too_large));
    let whole = whole.await.unwrap_or(Err(Refusal::Slow(seconds)))?;
    if is_packed { unpacked(&whole, most, &too_large) } else { Ok(whole) }
}

async fn collected(mut body: Body, most: usize, too_large: &impl Fn() -> Refusal) -> Result<Bytes, Refusal> {
    let mut whole = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| Refusal::Malformed("the body ended too early".to_owned()))?;
        if let Ok(data) = frame.into_data() {
            if whole.len() + data.len() > most {
                return Err(too_large());
            }
            // The usual body is one frame, which need not be copied.
            if whole.is_empty() && body.is_end_stream() {
                return Ok(data);
            }
            whole.extend_from_slice(&data);
        }
    }
    Ok(whole.freeze())
}

fn is_packed(headers: &HeaderMap) -> Result<bool, Refusal> {
    match headers.get(header::CONTENT_ENCODING).map(|encoding| encoding.to_str().unwrap_or("?")) {
        None | Some("identity" | "") => Ok(false),
        Some("gzip" | "x-gzip") => Ok(true),
        Some(_) => Err(Refusal::Encoding("the body may be packed by gzip, or not at all".to_owned())),
    }
}

fn unpacked(bytes: &[u8], most: usize, too_large: &impl Fn() -> Refusal) -> Result<Bytes, Refusal> {
    let mut whole = Vec::new();
    let read = MultiGzDecoder::new(bytes).take(most as u64 + 1).read_to_end(&mut whole);
    read.map_err(|error| Refusal::Malformed(format!("the body is no gzip: {error}")))?;
    if whole.len() > most { Err(too_large()) } else { Ok(whole.into()) }
}
