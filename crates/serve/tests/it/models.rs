//! New versions of models while requests come.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::Duration,
};

use serde_json::json;

use crate::sample::{get, post, serve};

#[test]
fn a_new_version_takes_over_without_a_failed_request_and_a_broken_one_does_not() {
    let server = serve(|config| config.reload_every_s = 0.05);
    let is_over = AtomicBool::new(false);
    thread::scope(|scope| {
        let clients: Vec<_> = (0..4)
            .map(|_| {
                scope.spawn(|| {
                    let mut answered = 0;
                    while !is_over.load(Ordering::SeqCst) {
                        let reply = post(server.addr, "/v1/tag", &json!({"texts": ["Anna", "Oslo"]}));
                        assert_eq!(reply.status, 200, "{reply:?}");
                        answered += 1;
                    }
                    answered
                })
            })
            .collect();
        for version in 1..=20 {
            server.control.is_broken.store(version % 5 == 0, Ordering::SeqCst);
            server.control.version.store(version, Ordering::SeqCst);
            let expected = if version % 5 == 0 { version - 1 } else { version };
            for _ in 0..200 {
                let health = get(server.addr, "/health").json();
                let is_there = health["models"][0]["version"] == format!("{expected:064}");
                if is_there && health["models"][0].get("problem").is_some() == (version % 5 == 0) {
                    break;
                }
                thread::sleep(Duration::from_millis(10));
            }
            let health = get(server.addr, "/health").json();
            assert_eq!(health["models"][0]["version"], format!("{expected:064}"));
            assert_eq!(health["status"], "ok");
        }
        is_over.store(true, Ordering::SeqCst);
        let answered: usize = clients.into_iter().map(|client| client.join().unwrap()).sum();
        assert!(answered > 20, "{answered}");
    });
    let problem = get(server.addr, "/health").json()["models"][0]["problem"].clone();
    assert_eq!(problem, "its weights are cut short");
}

#[test]
fn a_model_is_loaded_by_hand_and_a_broken_one_is_told() {
    let server = serve(|config| config.reload_every_s = 0.0);
    server.control.version.store(7, Ordering::SeqCst);
    let loaded = post(server.addr, "/admin/models/news/load", &json!(null));
    assert_eq!(loaded.json()["version"], format!("{:064}", 7));
    assert_eq!(loaded.json()["before"], format!("{:064}", 0));
    server.control.is_broken.store(true, Ordering::SeqCst);
    let broken = post(server.addr, "/admin/models/news/load", &json!(null));
    assert_eq!((broken.status, broken.json()["error"].as_str()), (422, Some("its weights are cut short")));
    assert_eq!(post(server.addr, "/admin/models/none/load", &json!(null)).status, 404);
    assert_eq!(post(server.addr, "/v1/tag", &json!({"texts": ["Anna"]})).status, 200);
}

#[test]
fn several_models_answer_by_name() {
    let server = serve(|config| {
        config.models.insert("law".to_owned(), "unused".into());
        config.default = Some("news".to_owned());
    });
    let model = |request| post(server.addr, "/v1/tag", &request).json()["model"].as_str().unwrap().to_owned();
    assert!(model(json!({"texts": []})).starts_with("news@"));
    assert!(model(json!({"texts": [], "model": "law"})).starts_with("law@"));
    let missing = post(server.addr, "/v1/tag", &json!({"texts": [], "model": "x"}));
    assert_eq!(
        (missing.status, missing.json()["error"].as_str()),
        (404, Some("there is no model `x`; there are law, news"))
    );
}
