//! Stale tabs, double clicks and two people on one text: the server's half of fault row F7.

use axum::http::{Method, StatusCode};
use serde_json::{Value, json};
use store::Layer;

use crate::fixture::{Fixture, run};

const PLACE: &str = "/api/v1/projects/news/documents/1/annotations/first";

fn save(parent: u32, key: &str, entities: &Value) -> Value {
    json!({"parent": parent, "key": key, "verdict": "accepted", "entities": entities, "note": ""})
}

fn anna() -> Value {
    json!([{"start": 0, "end": 4, "label": "PER", "text": "Anna"}])
}

fn rome() -> Value {
    json!([{"start": 14, "end": 18, "label": "LOC", "text": "Rome"}])
}

#[test]
fn a_stale_version_is_a_conflict_that_shows_both_and_loses_neither() {
    run(async {
        let fixture = Fixture::new(None).await;
        let (ann, rob) = (fixture.session("ann").await, fixture.session("rob").await);
        let first = fixture.json(&ann, Method::PUT, PLACE, &save(0, "a", &anna())).await.ok().json();
        assert_eq!((&first["number"], &first["user"]), (&json!(1), &json!("ann")));
        let late = fixture.json(&rob, Method::PUT, PLACE, &save(0, "b", &rome())).await;
        assert_eq!(late.status, StatusCode::CONFLICT);
        let told = late.json();
        assert_eq!(told["mine"]["entities"][0]["text"], "Rome");
        assert_eq!((&told["mine"]["user"], &told["theirs"]["user"]), (&json!("rob"), &json!("ann")));
        assert_eq!(told["theirs"]["entities"][0]["text"], "Anna");

        let history = fixture.get(&rob, PLACE).await.ok().json();
        assert_eq!(history.as_array().unwrap().len(), 1, "nothing of the history changes");
        let lost = fixture.get(&rob, "/api/v1/projects/news/conflicts").await.ok().json();
        assert_eq!((&lost[0]["key"], &lost[0]["entities"][0]["label"]), (&json!("b"), &json!("LOC")));

        // Having seen both, the second one goes on from the newest.
        let next = fixture.json(&rob, Method::PUT, PLACE, &save(1, "c", &json!([anna()[0], rome()[0]]))).await.ok();
        assert_eq!(next.json()["number"], 2);
        let settled = json!({"document": 1, "layer": "first", "key": "b"});
        fixture.json(&rob, Method::POST, "/api/v1/projects/news/conflicts", &settled).await.ok();
        assert_eq!(fixture.get(&rob, "/api/v1/projects/news/conflicts").await.ok().json(), json!([]));
    });
}

#[test]
fn an_annotator_who_was_too_late_may_go_on_from_the_newest() {
    run(async {
        let fixture = Fixture::new(None).await;
        let (ann, ben) = (fixture.session("ann").await, fixture.session("ben").await);
        fixture.json(&ann, Method::PUT, PLACE, &save(0, "a", &anna())).await.ok();
        // Not out of the blue: the text is another's.
        let foreign = fixture.json(&ben, Method::PUT, PLACE, &save(1, "b", &rome())).await;
        assert_eq!(foreign.status, StatusCode::FORBIDDEN, "{}", foreign.text);
        assert_eq!(fixture.json(&ben, Method::PUT, PLACE, &save(0, "c", &rome())).await.status, StatusCode::CONFLICT);
        fixture.json(&ben, Method::PUT, PLACE, &save(1, "d", &rome())).await.ok();
    });
}

#[test]
fn the_same_save_twice_is_one_version() {
    run(async {
        let fixture = Fixture::new(None).await;
        let ann = fixture.session("ann").await;
        let body = save(0, "click", &anna());
        let (one, other) =
            tokio::join!(fixture.json(&ann, Method::PUT, PLACE, &body), fixture.json(&ann, Method::PUT, PLACE, &body));
        assert_eq!(one.ok().json(), other.ok().json());
        fixture.json(&ann, Method::PUT, PLACE, &body).await.ok();
        assert_eq!(fixture.store.history(fixture.project.id, 1, Layer::First).await.unwrap().len(), 1);
    });
}

#[test]
fn a_draft_is_there_until_its_text_is_saved_and_only_for_its_writer() {
    run(async {
        let fixture = Fixture::new(None).await;
        let (ann, ben) = (fixture.session("ann").await, fixture.session("ben").await);
        let draft = format!("{PLACE}/draft");
        let kept = json!({"entities": anna(), "anything": ["👩‍🔬", 1.5, null]});
        fixture.json(&ann, Method::PUT, &draft, &kept).await.ok();
        assert_eq!(fixture.get(&ann, &draft).await.ok().json()["body"], kept);
        assert_eq!(fixture.get(&ben, &draft).await.ok().json()["body"], Value::Null);
        // A save that comes too late leaves the draft of the other alone, and a save ends one's own.
        fixture.json(&ann, Method::PUT, PLACE, &save(0, "a", &anna())).await.ok();
        assert_eq!(fixture.get(&ann, &draft).await.ok().json()["body"], Value::Null);
    });
}

#[test]
fn what_does_not_fit_the_text_is_refused_and_named() {
    run(async {
        let fixture = Fixture::new(None).await;
        let ann = fixture.session("ann").await;
        let mention = |start: i64, end: i64, label: &str, text: &str| json!([{"start": start, "end": end, "label": label, "text": text}]);
        for (entities, why) in [
            // The scientist is three code points, one of them a joiner; UTF-16 would count two more.
            (mention(0, 4, "PER", "nna "), "covers"),
            (mention(0, 400, "PER", "Anna"), "past the end"),
            (mention(4, 4, "PER", ""), "empty"),
            (mention(0, 4, "NONE", "Anna"), "no label"),
            (json!([anna()[0], anna()[0]]), "overlap"),
            (mention(-1, 4, "PER", "Anna"), "invalid"),
        ] {
            let refused = fixture.json(&ann, Method::PUT, PLACE, &save(0, "k", &entities)).await;
            assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", refused.text);
            assert!(refused.text.contains(why), "{why}: {}", refused.text);
        }
        for body in [
            "",
            "{",
            "[]",
            "null",
            "{\"parent\":0}",
            "{\"parent\":0,\"key\":\"k\",\"verdict\":\"maybe\",\"entities\":[]}",
        ] {
            let refused = fixture.ask(&ann, Method::PUT, PLACE, "application/json", body).await;
            assert!(refused.status.is_client_error(), "{body}: {}", refused.status);
        }
        assert!(fixture.store.history(fixture.project.id, 1, Layer::First).await.unwrap().is_empty());
    });
}
