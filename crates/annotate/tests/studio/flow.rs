//! From a file to a file: import, annotate twice, review, search, change, export.

use axum::http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::fixture::{Asks, Fixture, run};

const API: &str = "/api/v1/projects/news";

/// Emoji that are joined, combining marks, right to left, CJK, CRLF.
const TEXTS: [&str; 5] = [
    "👩‍🔬 Ada works in Zürich.",
    "e\u{301}cole de Paris",
    "שלום לרונה מתל אביב",
    "東京に住む田中さん",
    "line one\r\nin Oslo\r\n",
];

async fn import(fixture: &Fixture, asks: &Asks, query: &str, lines: &str) -> crate::fixture::Reply {
    let path = format!("{API}/documents?{query}");
    fixture.ask(asks, Method::POST, &path, "application/octet-stream", lines).await
}

#[test]
fn what_sources_suggested_in_a_file_is_suggested_in_the_studio_also_for_texts_that_are_there() {
    run(async {
        let fixture = Fixture::new(None).await;
        let owner = fixture.session("olga").await;
        let text = json!({"text": "Anna met ANNA in Rome", "complete": false});
        // Behind the three of the fixture.
        import(&fixture, &owner, "name=raw.jsonl", &text.to_string()).await.ok();
        let rows = json!([
            {"start": 17, "end": 21, "label": "LOC", "status": "exact", "quote": "Rome", "score": 0.75, "source": "llm:m", "prompt": "00ff"},
            {"label": "LOC", "status": "ungrounded", "quote": "Oslo", "source": "llm:m", "prompt": "00ff"},
            {"start": 17, "end": 21, "label": "LOC", "status": "exact", "quote": "Rome", "source": "lexicon:l", "verified": false},
        ]);
        let line = json!({"text": text["text"], "complete": false, "meta": {"suggestions": rows}}).to_string();
        for _ in 0..2 {
            let done = import(&fixture, &owner, "name=suggested.jsonl", &line).await.ok().json();
            assert_eq!((&done["added"], &done["known"]), (&json!(0), &json!(1)));
        }
        let found = fixture.get(&owner, &format!("{API}/documents/4/suggestions")).await.ok().text;
        assert_eq!(found.matches("Rome").count(), 2, "{found}");
        assert_eq!((found.matches("ungrounded").count(), found.matches("Oslo").count()), (1, 1), "{found}");

        let listed = fixture.get(&owner, &format!("{API}/documents/4/suggestions")).await.ok().json();
        let taken_back = listed.as_array().unwrap().iter().find(|one| one["verified"] == json!(false)).unwrap();
        assert_eq!((&taken_back["origin"], &taken_back["score"]), (&json!("lexicon:l"), &json!(null)), "{listed}");
        let page = fixture.get(&owner, "/p/news/annotate/4").await.ok().text;
        assert!(page.contains("taken back"), "{page}");

        // What an annotator refuses is part of the history, whatever the sources say by then.
        let mut save = json!({"parent": 0, "key": "k", "verdict": "accepted", "entities": [],
            "rejected": [{"start": 17, "end": 21, "label": "LOC", "quote": "Rome", "origin": "lexicon:old", "version": "1"}]});
        let place = format!("{API}/documents/4/annotations/first");
        let saved = fixture.json(&owner, Method::PUT, &place, &save).await.ok().json();
        let refused = json!({"start": 17, "end": 21, "label": "LOC", "quote": "Rome",
            "origin": {"kind": "lexicon", "name": "old", "version": "1"}});
        assert_eq!(saved["origin"]["refused"], json!([refused]), "{saved}");
        // It stays decided where a source still says it, in the same words.
        let known = listed.as_array().unwrap().iter().find(|one| one["start"] == json!(17)).unwrap();
        let still =
            json!({"start": 17, "end": 21, "label": "LOC", "quote": "Rome", "origin": known["origin"], "version": ""});
        save["rejected"] = json!([save["rejected"][0], still]);
        (save["key"], save["parent"]) = (json!("m"), json!(1));
        fixture.json(&owner, Method::PUT, &place, &save).await.ok();
        let page = fixture.get(&owner, "/p/news/annotate/4").await.ok().text;
        assert!(page.contains(&format!("\"rejected\":[{}]", known["number"])), "{page}");
        save["rejected"][0]["origin"] = json!("nobody");
        save["key"] = json!("l");
        let wrong = fixture.json(&owner, Method::PUT, &place, &save).await;
        assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(wrong.text.contains("`nobody` is not KIND:NAME"), "{}", wrong.text);

        // What a text has that is still to be annotated is shown as well.
        let given = json!({"text": "Bob in Bonn", "entities": [{"start": 7, "end": 11, "label": "LOC"}]}).to_string();
        import(&fixture, &owner, "name=given.jsonl&shown=true", &given).await.ok();
        let found = fixture.get(&owner, &format!("{API}/documents/5/suggestions")).await.ok().text;
        assert!(found.contains("Bonn") && found.contains("import"), "{found}");

        let broken = line.replace("\"start\":17", "\"start\":16");
        let refused = import(&fixture, &owner, "name=broken.jsonl", &broken).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(refused.text.contains("document 1 of the file: meta.suggestions[0]"), "{}", refused.text);
    });
}

#[test]
fn what_comes_in_and_is_annotated_goes_out_to_the_character() {
    run(async {
        let fixture = Fixture::new(None).await;
        let (owner, ann) = (fixture.session("olga").await, fixture.session("ann").await);
        let lines: Vec<String> = TEXTS.iter().map(|text| json!({"text": text}).to_string()).collect();
        let lines = lines.join("\n");
        let done = import(&fixture, &owner, "name=more.jsonl", &lines).await.ok().json();
        assert_eq!(done, json!({"added": 5, "known": 0, "differing": []}));
        let again = import(&fixture, &owner, "name=more.jsonl", &lines).await.ok().json();
        assert_eq!(again, json!({"added": 0, "known": 5, "differing": []}));

        let mut seen = 0;
        loop {
            let next = fixture.get(&ann, &format!("{API}/queue/next")).await.ok();
            if next.status == StatusCode::NO_CONTENT {
                break;
            }
            let next = next.json();
            let document = fixture.get(&ann, &format!("{API}/documents/{}", next["number"])).await.ok().json();
            let text: Vec<char> = document["text"].as_str().unwrap().chars().collect();
            let end = text.len() - text.iter().rev().take_while(|letter| letter.is_whitespace()).count();
            let quote: String = text[end - 3..end].iter().collect();
            let entity = json!({"start": end - 3, "end": end, "label": "LOC", "text": quote});
            let body =
                json!({"parent": next["head"], "key": format!("k{seen}"), "verdict": "accepted", "entities": [entity]});
            let place = format!("{API}/documents/{}/annotations/{}", next["number"], next["layer"].as_str().unwrap());
            fixture.json(&ann, Method::PUT, &place, &body).await.ok();
            seen += 1;
        }
        assert_eq!(seen, 8);

        let reviewer = fixture.session("rob").await;
        let out = fixture.get(&reviewer, &format!("{API}/export")).await.ok().text;
        assert_eq!(out, fixture.get(&reviewer, &format!("{API}/export")).await.ok().text);
        let texts: Vec<String> = out
            .lines()
            .map(|line| serde_json::from_str::<Value>(line).unwrap()["text"].as_str().unwrap().to_owned())
            .collect();
        assert_eq!(texts[3..], TEXTS);
        for line in out.lines() {
            let line: Value = serde_json::from_str(line).unwrap();
            let length = line["text"].as_str().unwrap().trim_end().chars().count();
            assert_eq!(line["entities"][0]["end"], length);
        }
        let conll = fixture.get(&reviewer, &format!("{API}/export?format=conll")).await.ok().text;
        assert!(conll.contains("LOC"), "{conll}");
        let history = fixture.get(&reviewer, &format!("{API}/export?history=true")).await.ok().text;
        assert_eq!(history.lines().count(), 8);
        assert!(history.contains("\"user\":\"ann\""), "{history}");
        let wrong = fixture.get(&reviewer, &format!("{API}/export?format=xml")).await;
        assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    });
}

#[test]
fn a_broken_file_adds_nothing() {
    run(async {
        let fixture = Fixture::new(None).await;
        let owner = fixture.session("olga").await;
        let good = "{\"text\":\"one\"}\n";
        for (lines, why) in [
            (format!("{good}{{\"text\":\n"), "broken.jsonl:2"),
            (
                format!("{good}{{\"text\":\"x\",\"entities\":[{{\"start\":0,\"end\":9,\"label\":\"PER\"}}]}}\n"),
                "broken.jsonl:2",
            ),
            (format!("{good}{{\"text\":\"x\",\"entities\":[{{\"start\":0,\"end\":1,\"label\":\"NEW\"}}]}}\n"), "`NEW`"),
        ] {
            let refused = import(&fixture, &owner, "name=broken.jsonl&format=jsonl", &lines).await;
            assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
            assert!(refused.text.contains(why), "{}", refused.text);
        }
        assert_eq!(fixture.store.document_count(fixture.project.id).await.unwrap(), 3);
        let labelled = "{\"text\":\"x\",\"entities\":[{\"start\":0,\"end\":1,\"label\":\"NEW\"}]}\n";
        import(&fixture, &owner, "format=jsonl&add_labels=true", labelled).await.ok();
        let schema = fixture.get(&owner, &format!("{API}/schema")).await.ok().json();
        assert_eq!(schema["labels"][2]["name"], "NEW");
    });
}

#[test]
fn two_people_annotate_blind_and_a_reviewer_decides() {
    run(async {
        let fixture = Fixture::new(None).await;
        let owner = fixture.session("olga").await;
        let asked =
            fixture.json(&owner, Method::POST, &format!("{API}/queue/twice"), &json!({"share": 1.0})).await.ok();
        assert_eq!(asked.json(), json!({"documents": 3}));
        for share in [json!(0), json!(1.5), json!(-1)] {
            let refused =
                fixture.json(&owner, Method::POST, &format!("{API}/queue/twice"), &json!({"share": share})).await;
            assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
        }
        let (ann, ben, rob) =
            (fixture.session("ann").await, fixture.session("ben").await, fixture.session("rob").await);
        let body = |key: &str, end: usize| json!({"parent": 0, "key": key, "verdict": "accepted", "entities": [{"start": 0, "end": end, "label": "PER"}]});
        let place = |layer: &str| format!("{API}/documents/1/annotations/{layer}");
        fixture.json(&ann, Method::PUT, &place("first"), &body("a", 4)).await.ok();
        let twice = fixture.json(&ann, Method::PUT, &place("second"), &body("b", 4)).await;
        assert!(twice.status.is_client_error(), "nobody annotates a text twice: {}", twice.status);
        // Whoever comes second does not see the first.
        let seen = fixture.get(&ben, &format!("{API}/documents/1")).await.ok().json();
        assert_eq!(seen["annotations"], json!([]));
        fixture.json(&ben, Method::PUT, &place("second"), &body("c", 13)).await.ok();
        let decided = fixture.json(&ann, Method::PUT, &place("review"), &body("d", 4)).await;
        assert_eq!(decided.status, StatusCode::FORBIDDEN);

        let asked = fixture.get(&ann, &format!("{API}/queue/next?layer=review")).await;
        assert_eq!(asked.status, StatusCode::FORBIDDEN);
        let next = fixture.get(&rob, &format!("{API}/queue/next?layer=review")).await.ok().json();
        assert_eq!((&next["number"], &next["layer"]), (&json!(1), &json!("review")));
        let pair = fixture.get(&rob, &format!("{API}/review/1")).await.ok().json();
        assert_eq!(
            (&pair["first"]["entities"][0]["end"], &pair["second"]["entities"][0]["end"]),
            (&json!(4), &json!(13))
        );
        let agreement = fixture.get(&rob, &format!("{API}/agreement")).await.ok().json();
        assert_eq!(
            (&agreement["texts"], &agreement["pairs"][0]["other_boundary"]),
            (&json!(1), &json!(1)),
            "{agreement}"
        );
        for page in ["quality", "quality/agreement"] {
            let page = fixture.get(&rob, &format!("/p/news/{page}")).await.ok().text;
            assert!(page.contains("Krippendorff") && page.contains("ben"), "{page}");
        }
        let page = fixture.get(&rob, "/p/news/review/1").await.ok().text;
        assert!(page.contains("ann") && page.contains("ben"), "{page}");
        // The first suggestion that a reviewer is shown is what the first annotator marked.
        let mut decision = body("e", 4);
        decision["entities"][0]["suggestion"] = json!(1);
        let saved = fixture.json(&rob, Method::PUT, &place("review"), &decision).await.ok().json();
        assert_eq!(saved["entities"][0]["source"], "person:ann");
        let after = fixture.get(&rob, &format!("{API}/queue/next?layer=review")).await;
        assert_eq!(after.status, StatusCode::NO_CONTENT);
    });
}

#[test]
fn labels_are_changed_with_what_carries_them_and_after_a_look() {
    run(async {
        let fixture = Fixture::new(None).await;
        let owner = fixture.session("olga").await;
        let entity = json!([{"start": 0, "end": 4, "label": "PER"}]);
        let body = json!({"parent": 0, "key": "k", "verdict": "accepted", "entities": entity});
        fixture.json(&owner, Method::PUT, &format!("{API}/documents/1/annotations/first"), &body).await.ok();
        let rename = json!({"change": "rename", "from": "PER", "to": "PERSON"});
        let seen = fixture.json(&owner, Method::POST, &format!("{API}/relabel/preview"), &rename).await.ok().json();
        assert_eq!((&seen["mentions"], &seen["documents"]), (&json!(1), &json!(1)));
        let mut decided = rename.clone();
        decided["version"] = json!(9);
        let stale = fixture.json(&owner, Method::POST, &format!("{API}/relabel"), &decided).await;
        assert_eq!(stale.status, StatusCode::CONFLICT, "{}", stale.text);

        // The same by the page: a look, then the change.
        let fields = [("change", "rename"), ("from", "PER"), ("to", "PERSON")];
        let look = fixture.form(&owner, "/p/news/schema/relabel", &fields).await.ok();
        assert!(look.text.contains("Anna"), "{}", look.text);
        let before = fixture.get(&owner, &format!("{API}/documents?label=PER")).await.ok().json();
        assert_eq!(before["documents"].as_array().unwrap().len(), 1);
        let version = fixture.project.version.to_string();
        let seen = [&fields[..], &[("seen", "yes"), ("version", version.as_str())]].concat();
        fixture.form(&owner, "/p/news/schema/relabel", &seen).await.ok();
        let found =
            fixture.get(&owner, &format!("{API}/documents?label=PERSON&surface=anna&text=rome")).await.ok().json();
        assert_eq!(found["documents"][0]["entities"][0]["label"], "PERSON");
        let history = fixture.get(&owner, &format!("{API}/documents/1/annotations/first")).await.ok().json();
        assert_eq!(history[0]["entities"][0]["label"], "PER", "no old version is touched");
        assert_eq!(history[1]["origin"]["by"], "relabel");
    });
}

#[test]
fn the_schema_form_keeps_every_field_and_refuses_a_stale_one() {
    run(async {
        let fixture = Fixture::new(None).await;
        let owner = fixture.session("olga").await;
        let form = [
            ("version", "1"),
            ("name", "PER"),
            ("definition", "A human being.\r\nNo titles."),
            ("examples", "Ada\r\n\r\nAnna"),
            ("near_misses", "the doctor"),
            ("colour", "#2a9d8f"),
            ("parent", ""),
            ("name", "LOC"),
            ("definition", ""),
            ("examples", ""),
            ("near_misses", ""),
            ("colour", ""),
            ("parent", "PER"),
            ("new", "ORG\r\n"),
            ("guidelines", "# Rules\r\n<b>bold</b>"),
        ];
        fixture.form(&owner, "/p/news/schema", &form).await.ok();
        let schema = fixture.get(&owner, &format!("{API}/schema")).await.ok().json();
        assert_eq!(
            schema["labels"],
            json!([
                {"name": "PER", "definition": "A human being.\nNo titles.", "examples": ["Ada", "Anna"],
                 "near_misses": ["the doctor"], "colour": "#2a9d8f"},
                {"name": "LOC", "parent": "PER"},
                {"name": "ORG"}
            ])
        );
        assert_eq!((&schema["version"], &schema["guidelines"]), (&json!(2), &json!("# Rules\n<b>bold</b>")));
        let stale = fixture.form(&owner, "/p/news/schema", &form).await;
        assert_eq!(stale.status, StatusCode::CONFLICT);
        let broken = [&form[1..], &[("version", "2"), ("name", "MORE")]].concat();
        assert_eq!(fixture.form(&owner, "/p/news/schema", &broken).await.status, StatusCode::UNPROCESSABLE_ENTITY);
        let put = json!({"version": 2, "labels": [{"name": "PER", "colour": "red"}], "guidelines": ""});
        let refused = fixture.json(&owner, Method::PUT, &format!("{API}/schema"), &put).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    });
}

#[test]
fn findings_lead_to_their_documents() {
    run(async {
        let fixture = Fixture::new(None).await;
        let rob = fixture.session("rob").await;
        let entity = json!([{"start": 0, "end": 5, "label": "PER", "text": "Anna "}]);
        let body = json!({"parent": 0, "key": "k", "verdict": "accepted", "entities": entity});
        fixture.json(&rob, Method::PUT, &format!("{API}/documents/1/annotations/first"), &body).await.ok();
        let rules = fixture.json(&rob, Method::POST, &format!("{API}/findings"), &json!({})).await.ok().json();
        let rule =
            rules.as_array().unwrap().iter().find(|rule| rule["name"].as_str().unwrap().contains("space")).unwrap();
        let code = rule["rule"].as_str().unwrap();
        let found = fixture.get(&rob, &format!("{API}/documents?rule={code}")).await.ok().json();
        assert_eq!(found["documents"][0]["number"], 1);
        let page = fixture.get(&rob, &format!("/p/news/data?rule={code}")).await.ok().text;
        assert!(page.contains("Anna"), "{page}");
        assert!(fixture.get(&rob, "/p/news/quality").await.ok().text.contains(code));
        assert!(fixture.get(&rob, "/p/news/data/1").await.ok().text.contains(code));
        assert_eq!(
            fixture.get(&rob, &format!("{API}/documents?state=nonsense")).await.status,
            StatusCode::UNPROCESSABLE_ENTITY
        );
        assert_eq!(fixture.get(&rob, "/p/news/data?user=nobody").await.status, StatusCode::UNPROCESSABLE_ENTITY);
    });
}

#[test]
fn findings_of_another_program_are_kept_where_they_fit_and_lead_the_queue() {
    run(async {
        let fixture = Fixture::new(None).await;
        let rob = fixture.session("rob").await;
        for number in [1, 2] {
            let body = json!({"parent": 0, "key": "k", "verdict": "accepted",
                "entities": [{"start": 0, "end": 3, "label": "PER"}]});
            fixture.json(&rob, Method::PUT, &format!("{API}/documents/{number}/annotations/first"), &body).await.ok();
        }
        let finding = |document: usize, text: &str, confidence: f64| {
            json!({"code": "Q026", "name": "label-error", "message": "LOC?", "suggestion": {"confidence": confidence},
                "places": [{"file": "x", "document": document, "start": 0, "end": 3, "text": text}]})
        };
        let put = async |findings: Value| {
            let body = json!({"findings": findings, "errors": 0});
            fixture.json(&rob, Method::PUT, &format!("{API}/findings?queue=true"), &body).await
        };
        for wrong in [json!([finding(1, "Xxx", 0.9)]), json!([finding(3, "Not", 0.9)]), json!([finding(0, "Ann", 0.9)])]
        {
            assert_eq!(put(wrong).await.status, StatusCode::UNPROCESSABLE_ENTITY);
        }
        let both = json!([finding(2, "Ærø", 0.99), finding(1, "Ann", 0.96)]);
        assert_eq!(put(both.clone()).await.ok().json(), json!({"kept": 2, "sent": 2}));
        let next = fixture.get(&rob, &format!("{API}/queue/next")).await.ok().json();
        assert_eq!((&next["number"], &next["reason"]), (&json!(2), &json!("LOC?")));
        // What somebody has dismissed neither comes again nor goes to the queue.
        let dismiss = json!({"document": 2, "message": "LOC?"});
        fixture.json(&rob, Method::POST, &format!("{API}/label-errors/dismiss"), &dismiss).await.ok();
        assert_eq!(put(both).await.ok().json(), json!({"kept": 1, "sent": 1}));
    });
}

#[test]
fn pages_of_a_search_follow_each_other_without_a_gap() {
    run(async {
        let fixture = Fixture::new(None).await;
        let texts: Vec<String> = (0..25).map(|number| format!("text number {number} about rivers")).collect();
        fixture.add(texts.iter().map(String::as_str)).await;
        let rob = fixture.session("rob").await;
        let (mut seen, mut after) = (Vec::new(), 0);
        loop {
            let page =
                fixture.get(&rob, &format!("{API}/documents?text=RIVERS&limit=10&after={after}")).await.ok().json();
            seen.extend(
                page["documents"].as_array().unwrap().iter().map(|document| document["number"].as_u64().unwrap()),
            );
            let Some(next) = page["next"].as_u64() else { break };
            after = next;
        }
        assert_eq!(seen, (4..=28).collect::<Vec<u64>>());
    });
}

#[test]
fn the_person_at_the_machine_needs_no_login_and_owns_everything() {
    run(async {
        let fixture = Fixture::new(Some("olga")).await;
        let me = Asks::default();
        let home = fixture.get(&me, "/").await.ok();
        assert!(home.headers.contains_key("set-cookie"));
        for page in ["annotate", "review", "data", "data/1", "schema", "quality", "runs", "people"] {
            let reply = fixture.get(&me, &format!("/p/news/{page}")).await.ok();
            assert!(reply.text.contains("olga") || reply.status.is_redirection(), "{page}: {}", reply.text);
        }
        let next = fixture.get(&me, "/p/news/annotate").await;
        assert_eq!(next.headers["location"], "/p/news/annotate/1?layer=first");
        let editor = fixture.get(&me, "/p/news/annotate/1?layer=first").await.ok().text;
        assert!(editor.contains("Anna lives in Rome"), "{editor}");
    });
}
