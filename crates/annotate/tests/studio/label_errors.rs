//! Likely label errors: how they come, in which order they stand, and what is done with one.

use axum::http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::fixture::{Asks, Fixture, run};

const API: &str = "/api/v1/projects/news";

/// Leaves a model.
const TRAINS: &str = r#"mkdir -p "$3/model-best""#;
/// Is sure that the first three letters of every text are a place.
const FINDS_PLACES: &str =
    r#"sed -E 's/"entities":\[[^]]*\]/"entities":[{"start":0,"end":3,"label":"LOC","score":0.75}]/' "$2""#;

async fn listed(fixture: &Fixture, asks: &Asks) -> Vec<Value> {
    let listed = fixture.get(asks, &format!("{API}/label-errors")).await.ok().json();
    listed.as_array().unwrap().clone()
}

#[test]
fn those_of_a_check_stand_in_its_order_until_somebody_has_looked() {
    run(async {
        let (fixture, owner) = Fixture::annotated(TRAINS, FINDS_PLACES).await;
        let finding = |document: usize, code: &str, message: &str| {
            json!({"code": code, "message": message, "suggestion": {"confidence": 0.9},
                "places": [{"document": document, "start": 0, "end": 3}]})
        };
        let found = json!({"findings": [finding(2, "Q026", "<b>two</b>"), finding(1, "Q001", "other"),
            finding(3, "Q026", "three"), finding(1, "Q026", "one")]});
        fixture.json(&owner, Method::PUT, &format!("{API}/findings"), &found).await.ok();
        let first = listed(&fixture, &owner).await;
        let documents: Vec<&Value> = first.iter().map(|error| &error["document"]).collect();
        assert_eq!(documents, [2, 3, 1]);
        assert_eq!((&first[0]["text"], &first[0]["start"], &first[0]["end"]), (&json!("Ærø"), &json!(0), &json!(3)));
        let page = fixture.get(&owner, "/p/news/quality").await.ok().text;
        assert!(page.contains("&lt;b&gt;two&lt;/b&gt;") && page.contains("<mark class=\"doubt\">Ærø</mark>"), "{page}");
        assert!(page.find("three").unwrap() < page.find(">one<").unwrap(), "{page}");

        // The checks that need no model leave them alone.
        fixture.form(&owner, "/p/news/quality/check", &[]).await.ok();
        assert_eq!(listed(&fixture, &owner).await.len(), 3);

        let decide = async |document: &str, message: &str, what: &str| {
            let fields = [("document", document), ("message", message), ("do", what)];
            fixture.form(&owner, "/p/news/quality/label-errors", &fields).await
        };
        decide("1", "one", "dismiss").await.ok();
        assert_eq!(decide("1", "one", "dismiss").await.status, StatusCode::NOT_FOUND, "a second click");
        assert_eq!(fixture.get(&owner, &format!("{API}/queue/next")).await.status, StatusCode::NO_CONTENT);
        decide("2", "<b>two</b>", "queue").await.ok();
        let next = fixture.get(&owner, &format!("{API}/queue/next")).await.ok().json();
        assert_eq!((&next["number"], &next["reason"]), (&json!(2), &json!("<b>two</b>")));
        let why = fixture.get(&owner, "/p/news/annotate/2?layer=first").await.ok().text;
        assert!(why.contains("<bdi>&lt;b&gt;two&lt;/b&gt;</bdi>"), "{why}");
        let dismiss = json!({"document": 3, "message": "three"});
        fixture.json(&owner, Method::POST, &format!("{API}/label-errors/dismiss"), &dismiss).await.ok();
        assert!(listed(&fixture, &owner).await.is_empty());
    });
}

#[test]
fn the_model_of_a_run_says_where_its_dev_set_is_doubtful() {
    run(async {
        let (fixture, owner) = Fixture::annotated(TRAINS, FINDS_PLACES).await;
        let started = fixture.json(&owner, Method::POST, &format!("{API}/runs"), &json!({})).await.ok().json();
        let id = started["id"].as_i64().unwrap();
        let ask = async || {
            let path = format!("{API}/runs/{id}/label-errors");
            fixture.json(&owner, Method::POST, &path, &json!({})).await
        };
        let mut seen = ask().await;
        for _ in 0..200 {
            if seen.status.is_success() {
                break;
            }
            assert_eq!(seen.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", seen.text);
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
            seen = ask().await;
        }
        assert_eq!(seen.json(), json!({"kept": 1}));
        let listed = listed(&fixture, &owner).await;
        let errors = fixture.get(&owner, &format!("{API}/runs/{id}/errors")).await.ok().json();
        assert_eq!(listed[0]["document"], errors["worst"][0]["document"], "{errors}");
        let message = listed[0]["message"].as_str().unwrap();
        assert!(message.contains("PER may be") && message.contains("LOC (wrong-label, confidence 0.75)"), "{message}");
        let page = fixture.get(&owner, &format!("/p/news/runs/{id}")).await.ok().text;
        assert!(page.contains("List as likely label errors"), "{page}");
        let reply = fixture.form(&owner, &format!("/p/news/runs/{id}/label-errors"), &[]).await.ok();
        assert_eq!(reply.headers["location"], "/p/news/quality#label-errors");

        // Whoever dismissed a place does not meet it at the next run.
        let dismiss = json!({"document": listed[0]["document"], "message": message});
        fixture.json(&owner, Method::POST, &format!("{API}/label-errors/dismiss"), &dismiss).await.ok();
        assert_eq!(ask().await.ok().json(), json!({"kept": 0}));
    });
}
