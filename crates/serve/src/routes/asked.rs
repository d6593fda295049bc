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
use serde::de::{DeserializeOwned, IgnoredAny};
use serde_json::error::Category;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::{App, Refusal, app::Worked, config::Timeouts};

/// A request with its whole body.
pub(crate) struct Asked {
    pub worked: Worked,
    pub headers: HeaderMap,
    /// The unit of offsets in the answer: `?offsets=utf16` or `bytes`, code points without it.
    pub unit: Unit,
    pub body: Bytes,
    /// Held while what the body asks for is under way.
    _held: Held,
}

/// Part of the bytes that bodies may have together.
#[derive(Default)]
pub(crate) struct Held(Option<OwnedSemaphorePermit>);

/// What a permit stands for.
const KIBIBYTE: usize = 1 << 10;

/// So many bytes that bodies may have together.
pub(crate) fn bytes_of_bodies(bytes: usize) -> Arc<Semaphore> {
    Arc::new(Semaphore::new(bytes.div_ceil(KIBIBYTE)))
}

impl Held {
    /// Takes what a body of so many bytes needs beside what is held for it already.
    ///
    /// # Errors
    /// Others have it.
    fn grow(&mut self, bytes: usize, of: &Arc<Semaphore>, busy: impl Fn() -> Refusal) -> Result<(), Refusal> {
        let held = self.0.as_ref().map_or(0, OwnedSemaphorePermit::num_permits);
        let more = bytes.div_ceil(KIBIBYTE).saturating_sub(held);
        if more == 0 {
            return Ok(());
        }
        let permit = Arc::clone(of).try_acquire_many_owned(more as u32).map_err(|_| busy())?;
        match &mut self.0 {
            Some(all) => all.merge(permit),
            none => *none = Some(permit),
        }
        Ok(())
    }
}

impl FromRequest<Arc<App>> for Asked {
    type Rejection = Refusal;

    async fn from_request(request: Request, app: &Arc<App>) -> Result<Self, Refusal> {
        app.queue.has_room()?;
        let unit = unit(request.uri().query().unwrap_or_default())?;
        let (parts, body) = request.into_parts();
        let (body, held) = received(body, &parts.headers, app).await?;
        let worked = parts.extensions.get::<Worked>().cloned().unwrap_or_default();
        Ok(Self { worked, headers: parts.headers, unit, body, _held: held })
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
    let wrong = |error: serde_json::Error| match error.classify() {
        Category::Data => Refusal::Invalid(format!("the body is not what this route takes: {error}")),
        _ => Refusal::Malformed(format!("the body is no JSON: {error}")),
    };
    // Lists would pass for objects whose fields they have in order.
    if text.trim_start().starts_with('[') {
        serde_json::from_str::<IgnoredAny>(text).map_err(wrong)?;
        return Err(Refusal::Invalid("the body is a list, and this route takes an object".to_owned()));
    }
    serde_json::from_str(text).map_err(wrong)
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

async fn received(body: Body, headers: &HeaderMap, app: &App) -> Result<(Bytes, Held), Refusal> {
    let (most, seconds) = (app.config.limits.body_bytes, app.config.timeouts.body_s);
    let too_large = || Refusal::TooLarge(format!("the body has more than {most} bytes"));
    // What is announced is believed where it is too much, and counted where it is not.
    if body.size_hint().lower() > most as u64 {
        return Err(too_large());
    }
    let is_packed = is_packed(headers)?;
    let mut held = Held::default();
    let whole = tokio::time::timeout(Timeouts::of(seconds), collected(body, most, &too_large, app, &mut held));
    let mut whole = whole.await.unwrap_or(Err(Refusal::Slow(seconds)))?;
    if is_packed {
        whole = unpacked(&whole, most, &too_large)?;
        held.grow(whole.len(), &app.bodies, || app.queue.busy())?;
    }
    Ok((whole, held))
}

async fn collected(
    mut body: Body,
    most: usize,
    too_large: &impl Fn() -> Refusal,
    app: &App,
    held: &mut Held,
) -> Result<Bytes, Refusal> {
    let mut whole = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| Refusal::Malformed("the body ended too early".to_owned()))?;
        if let Ok(data) = frame.into_data() {
            if whole.len() + data.len() > most {
                return Err(too_large());
            }
            held.grow(whole.len() + data.len(), &app.bodies, || app.queue.busy())?;
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
