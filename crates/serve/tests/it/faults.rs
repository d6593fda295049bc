//! Bad input, slow and leaving clients, and more load than the server carries (rows E and H of the table of faults).

use std::{
    io::{Read as _, Write as _},
    sync::atomic::{AtomicUsize, Ordering},
    thread,
    time::{Duration, Instant},
};

use flate2::{Compression, write::GzEncoder};
use serde_json::json;

use crate::sample::{ask, connect, get, post, reply, serve, serve_slowly};

#[test]
fn what_is_no_json_is_malformed_and_json_of_another_shape_is_invalid() {
    let server = serve(|_| ());
    let routes = ["/v1/tag", "/", "/models/news", "/v2/models/news/infer", "/label-studio/predict", "/doccano"];
    for route in routes {
        let line = format!("POST {route}");
        for body in [&b""[..], b"{", b"\xff\xfe", b"nope"] {
            assert_eq!(ask(server.addr, &line, &[], body).status, 400, "{route} {body:?}");
        }
        assert_eq!(ask(server.addr, &line, &[], br#"[["Anna"], null, null, null]"#).status, 422, "{route}");
        let deep = format!("{{\"x\": {}", "[".repeat(100_000));
        let status = ask(server.addr, &line, &[], deep.as_bytes()).status;
        assert!(status == 400 || status == 422, "{route}: {status}");
        for body in [
            "{}",
            "[]",
            "3",
            "null",
            r#"{"texts": 9223372036854775807}"#,
            r#"{"texts": [null], "text": 1e400, "inputs": -1}"#,
            r#"{"texts": ["a"], "threshold": 1e39}"#,
            r#"{"texts": ["a"], "threshold": -1}"#,
        ] {
            let status = ask(server.addr, &line, &[], body.as_bytes()).status;
            assert!(status == 422 || status == 400, "{route} {body}: {status}");
        }
    }
    assert_eq!(ask(server.addr, "DELETE /v1/tag", &[], b"").status, 405);
    assert_eq!(get(server.addr, "/v1/tagg").status, 404);
    assert_eq!(get(server.addr, "/v2/models/%ff/ready").status, 404);
}

#[test]
fn what_is_too_large_is_refused_before_it_is_read() {
    let server = serve(|config| {
        config.limits.body_bytes = 10_000;
        config.limits.texts = 5;
        config.limits.text_bytes = 1_000;
        config.limits.pieces = 300;
    });
    let announced = ask(server.addr, "POST /v1/tag", &["Content-Length: 10001"], b"");
    assert_eq!(announced.status, 413);
    let mut chunked = Vec::new();
    for _ in 0..20 {
        chunked.extend_from_slice(b"3e8\r\n");
        chunked.extend_from_slice(&[b' '; 1_000]);
        chunked.extend_from_slice(b"\r\n");
    }
    assert_eq!(ask(server.addr, "POST /v1/tag", &["Transfer-Encoding: chunked"], &chunked).status, 413);
    let mut packed = GzEncoder::new(Vec::new(), Compression::best());
    packed.write_all(&vec![b' '; 5_000_000]).unwrap();
    let packed = packed.finish().unwrap();
    assert!(packed.len() < 10_000);
    assert_eq!(ask(server.addr, "POST /v1/tag", &["Content-Encoding: gzip"], &packed).status, 413);
    assert_eq!(ask(server.addr, "POST /v1/tag", &["Content-Encoding: br"], b"{}").status, 415);
    assert_eq!(post(server.addr, "/v1/tag", &json!({"texts": vec!["a"; 6]})).status, 413);
    assert_eq!(post(server.addr, "/doccano", &json!({"text": "a".repeat(1_001)})).status, 413);
    assert_eq!(post(server.addr, "/v1/tag", &json!({"texts": vec!["a ".repeat(100); 4]})).status, 413);
    let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
    packed.write_all(json!({"texts": ["Anna"]}).to_string().as_bytes()).unwrap();
    assert_eq!(ask(server.addr, "POST /v1/tag", &["Content-Encoding: gzip"], &packed.finish().unwrap()).status, 200);
}

#[test]
fn bodies_have_so_many_bytes_together_and_give_them_back() {
    let server = serve_slowly(Duration::from_millis(1_500), |config| {
        config.limits.body_bytes = 60_000;
        config.limits.bodies_bytes = 90_000;
    });
    let body = json!({"texts": ["a ".repeat(25_000)]});
    let statuses: Vec<u16> = thread::scope(|scope| {
        let clients: Vec<_> = (0..4).map(|_| scope.spawn(|| post(server.addr, "/v1/tag", &body).status)).collect();
        clients.into_iter().map(|client| client.join().unwrap()).collect()
    });
    assert!(statuses.iter().all(|status| matches!(status, 200 | 429)), "{statuses:?}");
    assert_eq!(statuses.iter().filter(|status| **status == 200).count(), 1, "{statuses:?}");
    assert_eq!(post(server.addr, "/v1/tag", &body).status, 200);
}

#[test]
fn a_panic_takes_its_batch_and_nothing_else() {
    let server = serve(|_| ());
    let reply = post(server.addr, "/v1/tag", &json!({"texts": ["panic"]}));
    assert_eq!((reply.status, reply.json()["error_type"].as_str()), (500, Some("failed")));
    assert_eq!(post(server.addr, "/v1/tag", &json!({"texts": ["Anna"]})).status, 200);
    assert_eq!(get(server.addr, "/health").status, 200);
}

#[test]
fn a_full_queue_refuses_at_once_and_says_when_to_come_again() {
    let server = serve_slowly(Duration::from_millis(200), |config| {
        config.limits.queue_pieces = 200;
        config.limits.batch_pieces = 50;
    });
    let (good, busy) = (AtomicUsize::new(0), AtomicUsize::new(0));
    thread::scope(|scope| {
        for _ in 0..40 {
            scope.spawn(|| {
                let reply = post(server.addr, "/v1/tag", &json!({"texts": ["Anna ".repeat(10)]}));
                match reply.status {
                    200 => good.fetch_add(1, Ordering::SeqCst),
                    429 => {
                        assert!(reply.header("retry-after").unwrap().parse::<u64>().unwrap() >= 1);
                        busy.fetch_add(1, Ordering::SeqCst)
                    }
                    other => panic!("{other}"),
                };
            });
        }
    });
    assert_eq!(good.load(Ordering::SeqCst) + busy.load(Ordering::SeqCst), 40);
    assert!(good.load(Ordering::SeqCst) >= 20, "{good:?}");
    assert!(busy.load(Ordering::SeqCst) > 0);
    // As the server sees it: the clients share the processor with it.
    let slowest = server
        .kept
        .requests
        .lock()
        .unwrap()
        .iter()
        .filter(|request| request.status == 429)
        .map(|request| request.took)
        .max();
    assert!(slowest.is_some_and(|slowest| slowest < Duration::from_millis(50)), "{slowest:?}");
    // Nothing is held behind it.
    assert_eq!(server.app.models.all().len(), 1);
    assert_eq!(post(server.addr, "/v1/tag", &json!({"texts": ["Anna ".repeat(190)]})).status, 200);
}

#[test]
fn batches_are_filled_across_requests_and_never_beyond_the_budget() {
    let server = serve_slowly(Duration::from_millis(100), |config| config.limits.batch_pieces = 60);
    thread::scope(|scope| {
        for _ in 0..20 {
            scope.spawn(|| {
                assert_eq!(post(server.addr, "/v1/tag", &json!({"texts": ["Anna ".repeat(10)]})).status, 200);
            });
        }
    });
    let batches = server.control.batches.lock().unwrap().clone();
    assert_eq!(batches.iter().sum::<usize>(), 200);
    assert!(batches.iter().all(|pieces| *pieces <= 60), "{batches:?}");
    assert!(batches.len() <= 6, "{batches:?}");
}

#[test]
fn what_a_client_that_left_had_asked_for_is_not_computed() {
    let server = serve_slowly(Duration::from_millis(300), |config| config.limits.batch_pieces = 10);
    let body = json!({"texts": vec!["Anna ".repeat(10); 10]}).to_string();
    let head = format!("POST /v1/tag HTTP/1.1\r\nHost: localhost\r\nContent-Length: {}\r\n\r\n", body.len());
    let mut stream = connect(server.addr);
    stream.write_all(head.as_bytes()).unwrap();
    stream.write_all(body.as_bytes()).unwrap();
    thread::sleep(Duration::from_millis(100));
    drop(stream);
    thread::sleep(Duration::from_millis(900));
    let batches = server.control.batches.lock().unwrap().len();
    assert!(batches <= 2, "{batches} batches for nobody");
    assert!(server.kept.requests.lock().unwrap().iter().any(|request| request.status == 499));
}

#[test]
fn an_answer_that_would_come_too_late_is_refused() {
    let server = serve_slowly(Duration::from_millis(400), |config| config.timeouts.answer_s = 0.2);
    let reply = post(server.addr, "/v1/tag", &json!({"texts": ["Anna"]}));
    assert_eq!((reply.status, reply.json()["error_type"].as_str()), (503, Some("late")));
    thread::sleep(Duration::from_millis(500));
    assert_eq!(get(server.addr, "/health").status, 200);
}

#[test]
fn slow_headers_bodies_and_idle_connections_are_closed() {
    let server = serve(|config| {
        config.timeouts.header_s = 0.3;
        config.timeouts.body_s = 0.3;
        config.timeouts.idle_s = 0.6;
    });
    let closed_within = |sent: &[u8], least: f64, most: f64| {
        let mut stream = connect(server.addr);
        let begun = Instant::now();
        stream.write_all(sent).unwrap();
        let mut rest = Vec::new();
        let _ = stream.read_to_end(&mut rest);
        let took = begun.elapsed().as_secs_f64();
        assert!(took >= least && took < most, "{took} {}", String::from_utf8_lossy(sent));
        String::from_utf8_lossy(&rest).into_owned()
    };
    closed_within(b"", 0.25, 2.0);
    closed_within(b"POST /v1/tag HTTP/1.1\r\nHost: loc", 0.25, 2.0);
    let slow = closed_within(b"POST /v1/tag HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n{", 0.25, 2.0);
    assert!(slow.starts_with("HTTP/1.1 408"), "{slow}");
    let idle = closed_within(b"GET /health/live HTTP/1.1\r\nHost: localhost\r\n\r\n", 0.55, 2.5);
    assert!(idle.starts_with("HTTP/1.1 200"), "{idle}");
    // A header that comes byte by byte is not saved by its progress.
    let mut stream = connect(server.addr);
    let begun = Instant::now();
    for byte in b"GET /health/live HTTP/1.1\r\nHost: localhost\r\nX-Slow: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" {
        if stream.write_all(&[*byte]).is_err() {
            break;
        }
        thread::sleep(Duration::from_millis(20));
    }
    let mut rest = Vec::new();
    let _ = stream.read_to_end(&mut rest);
    assert!(begun.elapsed() < Duration::from_secs(4) && rest.is_empty());
}

#[test]
fn a_client_that_does_not_read_is_left() {
    let server = serve(|config| config.timeouts.write_s = 0.5);
    let text = "Anna ".repeat(20_000);
    let body = json!({"texts": vec![text; 4]}).to_string();
    let mut stream = connect(server.addr);
    for _ in 0..8 {
        let head = format!("POST /v1/tag HTTP/1.1\r\nHost: localhost\r\nContent-Length: {}\r\n\r\n", body.len());
        if stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(body.as_bytes())).is_err() {
            break;
        }
    }
    let begun = Instant::now();
    loop {
        let text = String::from_utf8(get(server.addr, "/metrics").body).unwrap();
        // The connection that asks is one of them.
        if text.contains("nomen_connections 1\n") {
            break;
        }
        assert!(begun.elapsed() < Duration::from_secs(10), "{text}");
        thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn stopping_answers_what_was_taken_and_takes_nothing_new() {
    let mut server = serve_slowly(Duration::from_millis(900), |_| ());
    let addr = server.addr;
    let clients: Vec<_> =
        (0..8).map(|_| thread::spawn(move || post(addr, "/v1/tag", &json!({"texts": ["Anna"]})).status)).collect();
    thread::sleep(Duration::from_millis(500));
    let begun = Instant::now();
    server.stop();
    assert!(begun.elapsed() < Duration::from_secs(5));
    for client in clients {
        assert_eq!(client.join().unwrap(), 200);
    }
    assert!(std::net::TcpStream::connect(addr).is_err());
}

struct NoModels;

impl nomen_serve::Open for NoModels {
    fn open(&self, _: &str) -> Result<nomen_serve::Opened, String> {
        Err("none".to_owned())
    }
    fn mark(&self, _: &str) -> Result<String, String> {
        Err("none".to_owned())
    }
}

#[test]
fn a_port_in_use_is_named() {
    let server = serve(|_| ());
    let taken = server.addr;
    let config =
        nomen_serve::Config { addr: taken, models: [("a".to_owned(), "a".into())].into(), ..Default::default() };
    let models = nomen_serve::Models::new(Box::new(NoModels), vec!["a".to_owned()], "a".to_owned());
    let app = nomen_serve::App::new(config, models, std::sync::Arc::new(nomen_serve::Unobserved));
    let error = nomen_serve::Server::bind(app).err().unwrap().to_string();
    assert!(error.contains(&taken.to_string()) && error.contains("--addr"), "{error}");
}

#[test]
fn paths_methods_and_models_that_nobody_knows_make_no_series() {
    let server = serve(|_| ());
    let mut stream = connect(server.addr);
    for index in 0..3_000 {
        let last = if index == 2_999 { "Connection: close\r\n" } else { "" };
        let request = format!("M{index} /p{index} HTTP/1.1\r\nHost: localhost\r\n{last}\r\n");
        stream.write_all(request.as_bytes()).unwrap();
        if index % 50 == 49 && last.is_empty() {
            let mut answers = vec![0; 1 << 16];
            assert!(stream.read(&mut answers).unwrap() > 0);
        }
    }
    reply(&mut stream);
    for index in 0..50 {
        post(server.addr, &format!("/models/m{index}"), &json!({"inputs": "Anna"}));
        get(server.addr, &format!("/v2/models/m{index}"));
    }
    let text = String::from_utf8(get(server.addr, "/metrics").body).unwrap();
    let series = text.lines().filter(|line| !line.starts_with('#')).count();
    assert!(series <= 250, "{series}");
    assert!(text.contains(r#"route="other",code="404"} 3000"#), "{text}");
}

#[test]
fn texts_and_keys_are_in_no_metric_and_no_record() {
    let server = serve(|config| {
        let key = nomen_serve::config::Key {
            name: "team".to_owned(),
            sha256: nomen_serve::hash("s3cret-key"),
            requests_per_second: None,
            admin: false,
        };
        config.keys = vec![key];
    });
    let body = json!({"texts": ["Xylophonist Zebedee"]}).to_string();
    for key in ["s3cret-key", "wr0ng-key"] {
        ask(server.addr, "POST /v1/tag?key=qu3ry", &[&format!("Authorization: Bearer {key}")], body.as_bytes());
    }
    ask(server.addr, "POST /v1/tag", &["X-API-Key: s3cret-key"], b"{\"Xylophonist\": 1}");
    let metrics = ask(server.addr, "GET /metrics", &["X-API-Key: s3cret-key"], b"");
    let told = format!("{:?}{}", server.kept.requests.lock().unwrap(), String::from_utf8_lossy(&metrics.body));
    for secret in ["Xylophonist", "Zebedee", "s3cret-key", "wr0ng-key", "qu3ry"] {
        assert!(!told.contains(secret), "{secret}");
    }
}
