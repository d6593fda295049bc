//! Runs as child processes: what they say, how they end, what they were wrong about.

use std::{fs, time::Duration};

use axum::http::{Method, StatusCode};
use nomen_annotate::{
    queue::Order,
    studio::{Learning, learn},
};
use serde_json::{Value, json};

use crate::fixture::{Asks, Fixture, run};

const API: &str = "/api/v1/projects/news";

/// Writes events as `nomen train` does, and leaves.
const TRAINS: &str = r#"mkdir -p "$3"; test -s "$1" && test -s "$2" || exit 3
echo '{"event":"step","step":1,"loss":2.5}' > "$3/events.jsonl"
echo '{"event":"evaluation","step":1,"ents_f":0.5}' >> "$3/events.jsonl"
echo '{"event":"step","step":2,"loss":1.25}' >> "$3/events.jsonl"; mkdir "$3/model-best""#;
/// Finds nothing in any text.
const FINDS_NOTHING: &str = r#"test -d "$1" || exit 4; sed 's/"entities":\[[^]]*\]/"entities":[]/' "$2""#;

async fn over(fixture: &Fixture, asks: &Asks, run: i64) -> Value {
    for _ in 0..200 {
        let told = fixture.get(asks, &format!("{API}/runs/{run}")).await;
        // One that the studio starts by itself may not be there yet.
        if told.status != StatusCode::NOT_FOUND && told.json()["state"] != "running" {
            return told.ok().json();
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("the run does not end");
}

#[test]
fn a_run_is_watched_and_its_errors_go_to_the_queue() {
    run(async {
        let (fixture, owner) = Fixture::annotated(TRAINS, FINDS_NOTHING).await;
        let started = fixture
            .json(&owner, Method::POST, &format!("{API}/runs"), &json!({"settings": ["max_steps=2"]}))
            .await
            .ok()
            .json();
        let id = started["id"].as_i64().unwrap();
        let told = over(&fixture, &owner, id).await;
        assert_eq!((&told["state"], &told["steps"]), (&json!("finished"), &json!(2)), "{told}");
        assert_eq!((&told["loss"], &told["best"]), (&json!(1.25), &json!(0.5)));

        let events = fixture.get(&owner, &format!("{API}/runs/{id}/events")).await.ok();
        assert_eq!(events.headers["content-type"], "text/event-stream");
        let messages: Vec<&str> = events.text.split("\n\n").filter(|message| !message.is_empty()).collect();
        assert_eq!(messages.len(), 4, "{}", events.text);
        assert!(messages[0].contains("\"loss\":2.5") && messages[3].starts_with("event: over"), "{}", events.text);

        let errors = fixture.get(&owner, &format!("{API}/runs/{id}/errors")).await.ok().json();
        assert_eq!(errors["total"], 1, "{errors}");
        assert_eq!(errors["worst"][0]["kind"], "missed");
        let wrong = errors["worst"][0]["document"].as_u64().unwrap();
        let page = fixture.get(&owner, &format!("/p/news/runs/{id}")).await.ok().text;
        assert!(page.contains("missed") && page.contains("Send them to the queue"), "{page}");
        assert!(fixture.get(&owner, "/p/news/runs").await.ok().text.contains("0.5000"));

        assert_eq!(fixture.get(&owner, &format!("{API}/queue/next")).await.status, StatusCode::NO_CONTENT);
        fixture.form(&owner, &format!("/p/news/runs/{id}/queue"), &[]).await.ok();
        let next = fixture.get(&owner, &format!("{API}/queue/next")).await.ok().json();
        assert_eq!(next["number"], wrong);
        assert!(next["reason"].as_str().unwrap().contains("was wrong about"), "{next}");
    });
}

/// Says that it is unsure of the first three letters of documents that begin with `?`.
const DOUBTS: &str = r#"test -d "$1" || exit 4; sed -E 's/"entities":\[[^]]*\]/"entities":[]/;
s/("text":"\?[^}]*"entities":\[)\]/\1{"start":0,"end":3,"label":"PER","score":0.55}]/' "$2""#;

#[test]
fn a_run_suggests_on_what_is_open_and_ranks_it() {
    run(async {
        let (fixture, owner) = Fixture::annotated(TRAINS, DOUBTS).await;
        fixture.add(["Plain words.", "Other plain words.", "?Who is that?"]).await;
        let refused = fixture.json(&owner, Method::POST, &format!("{API}/runs"), &json!({"order": "best"})).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", refused.text);
        let wanted = json!({"order": "uncertainty"});
        let started = fixture.json(&owner, Method::POST, &format!("{API}/runs"), &wanted).await.ok().json();
        let id = started["id"].as_i64().unwrap();
        let told = over(&fixture, &owner, id).await;
        assert_eq!((&told["state"], &told["told"]), (&json!("finished"), &json!("")), "{told}");
        let next = fixture.get(&owner, &format!("{API}/queue/next")).await.ok().json();
        assert_eq!(
            (&next["number"], &next["reason"]),
            (&json!(6), &json!("what is suggested is in doubt (0.90)")),
            "{next}"
        );
        let suggested = fixture.get(&owner, &format!("{API}/documents/6/suggestions")).await.ok().json();
        assert_eq!(suggested[0]["version"], format!("run {id}"), "{suggested}");
        // By what is known, without a model.
        let wanted = json!({"order": "diversity", "seed": 3});
        let placed = fixture.json(&owner, Method::POST, &format!("{API}/queue/order"), &wanted).await.ok().json();
        assert_eq!(placed["documents"], 3);
        fixture
            .json(&owner, Method::POST, &format!("{API}/queue/release"), &json!({"document": 6, "layer": "first"}))
            .await
            .ok();
        let next = fixture.get(&owner, &format!("{API}/queue/next")).await.ok().json();
        assert!(next["reason"].as_str().unwrap().contains("unlike"), "{next}");
        fixture.form(&owner, "/p/news/queue/order", &[("order", "random")]).await.ok();
    });
}

#[test]
fn the_studio_learns_whenever_so_many_more_are_accepted() {
    run(async {
        let (fixture, owner) = Fixture::annotated(TRAINS, DOUBTS).await;
        fixture.add(["?One more.", "Two more.", "Three more.", "Four more."]).await;
        let learning = Learning {
            project: fixture.project.id,
            every: 2.try_into().unwrap(),
            order: Order::Mixed,
            base: String::new(),
            settings: vec!["max_steps=2".to_owned()],
        };
        let (stop, stopped) = tokio::sync::watch::channel(false);
        let learns = tokio::spawn(learn(fixture.studio.clone(), learning.clone(), stopped.clone()));
        assert_eq!(over(&fixture, &owner, 1).await["state"], "finished");
        let accept = async |number: u32| {
            let body = json!({"parent": 0, "key": "k", "verdict": "accepted", "entities": []});
            fixture.json(&owner, Method::PUT, &format!("{API}/documents/{number}/annotations/first"), &body).await.ok();
        };
        accept(4).await;
        // Another studio on the same database does not learn the same again, nor from one more.
        stop.send_replace(true);
        learns.await.unwrap();
        let (stop, stopped) = tokio::sync::watch::channel(false);
        let learns = tokio::spawn(learn(fixture.studio.clone(), learning, stopped));
        tokio::time::sleep(Duration::from_millis(300)).await;
        assert_eq!(fixture.get(&owner, &format!("{API}/runs")).await.ok().json().as_array().unwrap().len(), 1);
        accept(5).await;
        assert_eq!(over(&fixture, &owner, 2).await["state"], "finished");
        let learned = fs::read_to_string(fixture.runs().join("studio-2/train.jsonl")).unwrap();
        assert_eq!(learned.lines().count(), 4, "five are accepted, one of them is judged by: {learned}");
        stop.send_replace(true);
        learns.await.unwrap();
    });
}

#[test]
fn a_run_that_fails_says_why() {
    run(async {
        let (fixture, owner) = Fixture::annotated("echo the base model is gone >&2; exit 2", FINDS_NOTHING).await;
        let started = fixture.json(&owner, Method::POST, &format!("{API}/runs"), &json!({})).await.ok().json();
        let told = over(&fixture, &owner, started["id"].as_i64().unwrap()).await;
        assert_eq!(told["state"], "failed");
        assert!(told["told"].as_str().unwrap().contains("the base model is gone"), "{told}");
    });
}

#[cfg(unix)]
#[test]
fn a_run_is_asked_to_leave_and_one_goes_on_at_a_time() {
    run(async {
        let script = r#"trap 'echo saved > "$3/saved"; exit 143' TERM; mkdir -p "$3"; echo > "$3/ready"; while :; do sleep 0.05; done"#;
        let (fixture, owner) = Fixture::annotated(script, FINDS_NOTHING).await;
        let started = fixture.json(&owner, Method::POST, &format!("{API}/runs"), &json!({})).await.ok().json();
        let id = started["id"].as_i64().unwrap();
        let second = fixture.json(&owner, Method::POST, &format!("{API}/runs"), &json!({})).await;
        assert_eq!(second.status, StatusCode::CONFLICT, "{}", second.text);
        let ready = fixture.runs().join("studio-1/run/ready");
        while !ready.exists() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        fixture.json(&owner, Method::POST, &format!("{API}/runs/{id}/stop"), &json!({})).await.ok();
        assert_eq!(over(&fixture, &owner, id).await["state"], "stopped");
        assert_eq!(fs::read_to_string(fixture.runs().join("studio-1/run/saved")).unwrap(), "saved\n");
        // A studio that ends takes its runs with it.
        let third = fixture.json(&owner, Method::POST, &format!("{API}/runs"), &json!({})).await.ok().json();
        while !fixture.runs().join("studio-2/run/ready").exists() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        fixture.studio.end().await;
        assert_eq!(over(&fixture, &owner, third["id"].as_i64().unwrap()).await["state"], "stopped");
    });
}

#[cfg(target_os = "linux")]
#[test]
fn a_run_that_outlives_its_studio_is_attended_by_the_next() {
    let script = r#"mkdir -p "$3/model-best"; echo > "$3/ready"; while ! test -e "$3/go"; do sleep 0.02; done
        echo '{"event":"end"}' > "$3/events.jsonl""#;
    // The runtime ends with the studio, and with it all that waits for the process.
    let (fixture, owner, id) = run(async {
        let (fixture, owner) = Fixture::annotated(script, FINDS_NOTHING).await;
        let wanted = json!({"order": "random"});
        let started = fixture.json(&owner, Method::POST, &format!("{API}/runs"), &wanted).await.ok().json();
        while !fixture.runs().join("studio-1/run/ready").exists() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        fixture.add(["One more."]).await;
        (fixture, owner, started["id"].as_i64().unwrap())
    });
    run(async {
        let next = fixture.again().await;
        assert_eq!(next.get(&owner, &format!("{API}/runs/{id}")).await.ok().json()["state"], "running");
        let second = next.json(&owner, Method::POST, &format!("{API}/runs"), &json!({})).await;
        assert_eq!(second.status, StatusCode::CONFLICT, "{}", second.text);
        fs::write(next.runs().join("studio-1/run/go"), "").unwrap();
        let told = over(&next, &owner, id).await;
        assert_eq!((&told["state"], &told["told"]), (&json!("finished"), &json!("")), "{told}");
        let reason = next.get(&owner, &format!("{API}/queue/next")).await.ok().json()["reason"].clone();
        assert_eq!(reason, "drawn by chance", "it goes on to what comes after the training");
    });
}

#[test]
fn what_is_no_setting_starts_nothing() {
    run(async {
        let (fixture, owner) = Fixture::annotated(TRAINS, FINDS_NOTHING).await;
        for wanted in
            [json!({"settings": ["--out=elsewhere"]}), json!({"settings": ["x"]}), json!({"base": "--config"})]
        {
            let refused = fixture.json(&owner, Method::POST, &format!("{API}/runs"), &wanted).await;
            assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", refused.text);
        }
        let reviewer = fixture.session("rob").await;
        let refused = fixture.json(&reviewer, Method::POST, &format!("{API}/runs"), &json!({})).await;
        assert_eq!(refused.status, StatusCode::FORBIDDEN);
        assert_eq!(fixture.get(&owner, &format!("{API}/runs")).await.ok().json(), json!([]));
        assert!(!fixture.runs().join("studio-1").exists());
    });
}
