//! Requests as traces, sent to a collector in OTLP's JSON over HTTP (OpenTelemetry Protocol 1.x, `/v1/traces`).
//!
//! A request that comes with a `traceparent` (W3C Trace Context) becomes a part of its caller's trace, and is traced if the caller says so.

use std::{
    sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel},
    thread::{self, JoinHandle},
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use anyhow::bail;
use serde_json::{Value, json};
use serve::{RequestRecord, config};

/// Requests that wait to be sent; more of them are left out.
const WAITING: usize = 4_096;
/// Requests that are sent together.
const TOGETHER: usize = 256;
/// How long a request waits for others.
const PAUSE: Duration = Duration::from_secs(2);
/// How long a collector may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// Sends traces.
pub struct Traces {
    requests: SyncSender<RequestRecord>,
    share: f64,
}

/// The thread that sends.
pub struct Sending(JoinHandle<()>);

impl Sending {
    /// Waits until everything is sent, behind the last [`Traces`].
    pub fn finish(self) {
        let _ = self.0.join();
    }
}

/// A caller's trace: its id, the caller's part of it, and whether it is traced.
#[derive(Debug, PartialEq, Eq)]
struct Parent<'p> {
    trace: &'p str,
    span: &'p str,
    is_traced: bool,
}

impl Traces {
    /// Begins to send to the collector of the settings.
    pub fn start(settings: &config::Traces) -> anyhow::Result<(Self, Sending)> {
        let config::Traces { endpoint, share } = settings;
        if !endpoint.starts_with("http://") {
            bail!("`traces.endpoint` is {endpoint}; it must be the http:// address of a collector beside the server");
        }
        if !(0.0..=1.0).contains(share) {
            bail!("`traces.share` is {share}; it must lie between 0 and 1");
        }
        let (requests, received) = sync_channel(WAITING);
        let url = format!("{}/v1/traces", endpoint.trim_end_matches('/'));
        let sending = thread::Builder::new().name("nomen-traces".to_owned()).spawn(move || send(&received, &url))?;
        Ok((Self { requests, share: *share }, Sending(sending)))
    }

    /// Sends a request, if it is to be traced and there is room.
    pub fn request(&self, request: &RequestRecord) {
        let parent = request.trace_parent.as_deref().and_then(parent);
        let is_traced = parent.map_or_else(|| share(&request.id) < self.share, |parent| parent.is_traced);
        if is_traced {
            let _ = self.requests.try_send(request.clone());
        }
    }
}

/// A number from 0 to 1 that belongs to a request.
fn share(id: &str) -> f64 {
    let digits = serve::hash(id);
    u32::from_str_radix(&digits[..8], 16).map_or(1.0, |number| f64::from(number) / f64::from(u32::MAX))
}

fn parent(header: &str) -> Option<Parent<'_>> {
    let mut parts = header.split('-');
    let (version, trace, span, flags) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    let is_hex = |digits: &str, length| {
        digits.len() == length && digits.bytes().all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f'))
    };
    let is_whole = is_hex(version, 2) && version != "ff" && is_hex(trace, 32) && is_hex(span, 16) && is_hex(flags, 2);
    let is_one = trace.bytes().any(|digit| digit != b'0') && span.bytes().any(|digit| digit != b'0');
    let flags = u8::from_str_radix(flags, 16).ok()?;
    (is_whole && is_one).then_some(Parent { trace, span, is_traced: flags & 1 == 1 })
}

fn send(requests: &Receiver<RequestRecord>, url: &str) {
    let agent: ureq::Agent = ureq::Agent::config_builder().timeout_global(Some(PATIENCE)).build().into();
    let (mut spans, mut since) = (Vec::new(), Instant::now());
    loop {
        let (is_over, waited) = match requests.recv_timeout(PAUSE) {
            Ok(request) => {
                if spans.is_empty() {
                    since = Instant::now();
                }
                spans.extend(of_request(&request));
                (false, since.elapsed() >= PAUSE)
            }
            Err(RecvTimeoutError::Timeout) => (false, true),
            Err(RecvTimeoutError::Disconnected) => (true, true),
        };
        if !spans.is_empty() && (waited || spans.len() >= 4 * TOGETHER) {
            // A collector that is away costs its traces and nothing else.
            let body = json!({"resourceSpans": [{
                "resource": {"attributes": [attribute("service.name", "nomen")]},
                "scopeSpans": [{"scope": {"name": "nomen"}, "spans": std::mem::take(&mut spans)}],
            }]});
            let _ = agent.post(url).header("content-type", "application/json").send(body.to_string());
        }
        if is_over {
            return;
        }
    }
}

/// The request's span, and those of what was done for it, one after the other.
fn of_request(request: &RequestRecord) -> Vec<Value> {
    let RequestRecord { id, trace_parent, began, route, method, status, took, work, .. } = request;
    let parent = trace_parent.as_deref().and_then(parent);
    // Ids that belong to the request: the same request is the same span, whoever sends it again.
    let own = serve::hash(&format!("{id} {:?}", began.duration_since(UNIX_EPOCH).unwrap_or_default()));
    let trace = parent.as_ref().map_or(&own[..32], |parent| parent.trace).to_owned();
    let span = own[32..48].to_owned();
    let mut root = json!({
        "traceId": trace,
        "spanId": span,
        "name": format!("{method} {route}"),
        "kind": 2,
        "startTimeUnixNano": nanoseconds(*began),
        "endTimeUnixNano": nanoseconds(*began + *took),
        "attributes": [
            attribute("http.request.method", method),
            attribute("http.route", route),
            json!({"key": "http.response.status_code", "value": {"intValue": status.to_string()}}),
            attribute("nomen.request_id", id),
            json!({"key": "nomen.texts", "value": {"intValue": work.texts.to_string()}}),
            json!({"key": "nomen.pieces", "value": {"intValue": work.pieces.to_string()}}),
        ],
        "status": if *status >= 500 { json!({"code": 2}) } else { json!({}) },
    });
    if let Some(parent) = parent {
        root["parentSpanId"] = parent.span.into();
    }
    let mut spans = vec![root];
    let mut at = *began;
    for (index, (name, took)) in
        [("tokenize", work.tokenized), ("queue", work.queued), ("inference", work.computed)].into_iter().enumerate()
    {
        if took > Duration::ZERO {
            spans.push(json!({
                "traceId": trace,
                "spanId": format!("{}{index:x}", &own[48..63]),
                "parentSpanId": span,
                "name": name,
                "kind": 1,
                "startTimeUnixNano": nanoseconds(at),
                "endTimeUnixNano": nanoseconds(at + took),
            }));
            at += took;
        }
    }
    spans
}

fn attribute(key: &str, value: &str) -> Value {
    json!({"key": key, "value": {"stringValue": value}})
}

/// Nanoseconds since 1970, as OTLP's JSON writes numbers of 64 bits.
fn nanoseconds(time: SystemTime) -> String {
    time.duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(trace_parent: Option<&str>) -> RequestRecord {
        RequestRecord {
            id: "abc".to_owned(),
            trace_parent: trace_parent.map(str::to_owned),
            began: UNIX_EPOCH + Duration::from_secs(1_000),
            route: "/v1/tag",
            method: "POST".to_owned(),
            status: 200,
            key: None,
            took: Duration::from_millis(9),
            work: serve::Work {
                tokenized: Duration::from_millis(1),
                queued: Duration::from_millis(2),
                computed: Duration::from_millis(5),
                ..serve::Work::default()
            },
        }
    }

    #[test]
    fn a_request_is_a_part_of_its_callers_trace() {
        let parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
        let spans = of_request(&request(Some(parent)));
        let names: Vec<&str> = spans.iter().map(|span| span["name"].as_str().unwrap()).collect();
        assert_eq!(names, ["POST /v1/tag", "tokenize", "queue", "inference"]);
        assert!(spans.iter().all(|span| span["traceId"] == "0af7651916cd43dd8448eb211c80319c"));
        assert_eq!(spans[0]["parentSpanId"], "b7ad6b7169203331");
        assert!(spans[1..].iter().all(|span| span["parentSpanId"] == spans[0]["spanId"]));
        assert_eq!(spans[3]["endTimeUnixNano"], "1000008000000");
        let mut ids: Vec<String> = spans.iter().map(|span| span["spanId"].to_string()).collect();
        ids.dedup();
        assert_eq!(ids.len(), 4);
        assert!(of_request(&request(None))[0].get("parentSpanId").is_none());
    }

    #[test]
    fn headers_that_are_no_trace_context_are_no_parent() {
        for header in [
            "",
            "00-0-0-01",
            "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            "00-00000000000000000000000000000000-b7ad6b7169203331-01",
            "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01",
        ] {
            assert_eq!(parent(header), None, "{header}");
        }
        assert!(!parent("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00").unwrap().is_traced);
    }

    #[test]
    fn a_collector_gets_what_was_traced() {
        use std::io::{Read as _, Write as _};
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let (traces, sending) = Traces::start(&config::Traces { endpoint, share: 1.0 }).unwrap();
        traces.request(&request(None));
        drop(traces);
        let (mut stream, _) = listener.accept().unwrap();
        let mut got = Vec::new();
        while !got.ends_with(b"]}]}") {
            let mut some = [0; 4096];
            let count = stream.read(&mut some).unwrap();
            assert!(count > 0, "{}", String::from_utf8_lossy(&got));
            got.extend_from_slice(&some[..count]);
        }
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}").unwrap();
        sending.finish();
        let got = String::from_utf8(got).unwrap();
        assert!(got.starts_with("POST /v1/traces ") && got.contains("\"name\":\"inference\""), "{got}");
    }
}
