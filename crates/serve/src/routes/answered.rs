//! Around every request: who asks, what it is called, and what is told of it when it is over.

use std::{
    collections::hash_map::RandomState,
    hash::BuildHasher as _,
    panic::AssertUnwindSafe,
    sync::{
        Arc, LazyLock,
        atomic::{AtomicU64, Ordering},
    },
    time::{Instant, SystemTime},
};

use axum::{
    extract::{MatchedPath, Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use futures_util::FutureExt as _;
use serde_json::json;

use super::known;
use crate::{App, Refusal, RequestRecord, access::Caller, app::Worked};

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const LONGEST_ID: usize = 128;
/// The status that is written down where the client left before its answer, after nginx.
const CLIENT_LEFT: u16 = 499;

/// Why a request was refused, on its way to the metrics.
#[derive(Clone)]
struct Reason(&'static str);

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let (status, kind) = self.status();
        let body = json!({"error": self.to_string(), "error_type": kind}).to_string();
        let mut response = (status, [(header::CONTENT_TYPE, "application/json")], body).into_response();
        if let Some(seconds) = self.retry_after() {
            response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
        }
        if status == StatusCode::UNAUTHORIZED {
            response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response.extensions_mut().insert(Reason(kind));
        response
    }
}

/// A request that is told of when it is over, however it ends.
struct Told {
    app: Arc<App>,
    begun: Instant,
    worked: Worked,
    record: RequestRecord,
}

impl Drop for Told {
    fn drop(&mut self) {
        self.record.took = self.begun.elapsed();
        self.record.work = self.worked.get();
        self.app.metrics.request(self.record.route, self.record.status, self.record.took);
        self.app.observer.request(&self.record);
    }
}

pub(super) async fn answered(State(app): State<Arc<App>>, mut request: Request, next: Next) -> Response {
    let template = request.extensions().get::<MatchedPath>().map(|path| path.as_str().to_owned());
    let (route, guard) = known(template.as_deref(), request.method());
    let worked = Worked::default();
    let id = id(request.headers());
    let mut told = Told {
        begun: Instant::now(),
        worked: worked.clone(),
        record: RequestRecord {
            id: id.clone(),
            trace_parent: text(request.headers(), "traceparent"),
            began: SystemTime::now(),
            route,
            method: plain(request.method()),
            status: CLIENT_LEFT,
            key: None,
            took: std::time::Duration::ZERO,
            work: crate::Work::default(),
        },
        app: Arc::clone(&app),
    };
    let (mut response, origin) = match app.access.caller(request.headers(), guard) {
        Err(refusal) => preflight(&app, &request).map_or_else(
            || (refusal.into_response(), None),
            |origin| (StatusCode::NO_CONTENT.into_response(), Some(origin)),
        ),
        Ok(Caller { origin: Some(origin), .. }) if request.method() == Method::OPTIONS => {
            (StatusCode::NO_CONTENT.into_response(), Some(origin))
        }
        Ok(Caller { key, origin }) => {
            told.record.key = key;
            request.extensions_mut().insert(worked);
            let response = AssertUnwindSafe(next.run(request)).catch_unwind().await;
            let response = response.unwrap_or_else(|panic| {
                app.observer.failed(&format!("panic in {route}: {}", crate::queue::said(&*panic)));
                Refusal::Failed.into_response()
            });
            (response, origin)
        }
    };
    if let Some(Reason(reason)) = response.extensions().get::<Reason>() {
        app.metrics.rejected(reason);
    }
    told.record.status = response.status().as_u16();
    let headers = response.headers_mut();
    if let Ok(id) = HeaderValue::from_str(&id) {
        headers.insert(REQUEST_ID, id);
    }
    if let Some(origin) = origin.and_then(|origin| HeaderValue::from_str(&origin).ok()) {
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        headers.insert(header::VARY, HeaderValue::from_static("Origin"));
        let methods = HeaderValue::from_static("GET, POST");
        headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, methods);
        let asked = HeaderValue::from_static("content-type, authorization, x-api-key, x-request-id");
        headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, asked);
    }
    response
}

/// The origin of a page whose browser asks whether it may ask; that has no key in it.
fn preflight(app: &App, request: &Request) -> Option<String> {
    let origin = text(request.headers(), "origin")?;
    (request.method() == Method::OPTIONS && app.access.knows_origin(&origin)).then_some(origin)
}

/// The caller's id of a request, or a new one.
fn id(headers: &HeaderMap) -> String {
    static RANDOM: LazyLock<RandomState> = LazyLock::new(RandomState::new);
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let is_fine =
        |id: &String| id.len() <= LONGEST_ID && !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_graphic());
    text(headers, "x-request-id")
        .filter(is_fine)
        .unwrap_or_else(|| format!("{:016x}", RANDOM.hash_one(COUNT.fetch_add(1, Ordering::Relaxed))))
}

fn text(headers: &HeaderMap, name: &str) -> Option<String> {
    headers.get(name)?.to_str().ok().map(str::to_owned)
}

/// A method that everybody knows, so that logs have no others.
fn plain(method: &Method) -> String {
    match *method {
        Method::GET | Method::POST | Method::OPTIONS | Method::HEAD | Method::PUT | Method::DELETE | Method::PATCH => {
            method.to_string()
        }
        _ => "OTHER".to_owned(),
    }
}
