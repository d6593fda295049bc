//! Who may what: fault rows F2 and F5, over the table of all routes.

use axum::http::{Method, StatusCode};
use nomen_annotate::studio::{Needs, ROUTES, Route, openapi};
use store::{AccessKind, Role, Store};

use crate::fixture::{Asks, Fixture, run};

/// A route's path with every part filled in.
fn filled(route: &Route) -> String {
    [
        ("{project}", "news"),
        ("{number}", "1"),
        ("{layer}", "first"),
        ("{run}", "1"),
        ("{name}", "nobody"),
        ("{token}", "none"),
        ("{version}", "0"),
    ]
    .into_iter()
    .fold(route.path.to_owned(), |path, (part, value)| path.replace(part, value))
}

fn method(route: &Route) -> Method {
    route.method.to_uppercase().parse().unwrap()
}

fn is_write(route: &Route) -> bool {
    route.method != "get"
}

async fn sent(fixture: &Fixture, route: &Route, asks: &Asks) -> (StatusCode, String) {
    let kind = if route.path.starts_with("/api/") { "application/json" } else { "application/x-www-form-urlencoded" };
    let reply =
        fixture.ask(asks, method(route), &filled(route), kind, if kind.ends_with("json") { "{}" } else { "" }).await;
    (reply.status, reply.text)
}

#[test]
fn every_route_lets_in_whom_its_rule_names_and_nobody_else() {
    run(async {
        let fixture = Fixture::new(None).await;
        // The owner of another project has no part in this one.
        fixture.person("eve", None).await;
        let eve = fixture.store.user_named("eve").await.unwrap();
        fixture.store.create_project("other", &schema::Schema::default(), "", eve.id).await.unwrap();
        let people =
            [("eve", None), ("ann", Some(Role::Annotator)), ("rob", Some(Role::Reviewer)), ("olga", Some(Role::Owner))];
        for route in ROUTES {
            let shown = format!("{} {}", route.method, route.path);
            let (status, _) = sent(&fixture, route, &fixture.nobody().await).await;
            let is_open = route.needs == Needs::Nothing;
            assert_eq!(
                status != StatusCode::UNAUTHORIZED || route.path == "/login",
                is_open,
                "nobody: {shown}: {status}"
            );
            for (name, role) in people {
                // A session of its own for each: some routes end it.
                let (status, text) = sent(&fixture, route, &fixture.session(name).await).await;
                let told = format!("{name}: {shown}: {status} {text}");
                let is_foreign = text.contains("you have no part in it");
                match route.needs {
                    Needs::Role(_) if role.is_none() => {
                        assert_eq!(status, StatusCode::NOT_FOUND, "{told}");
                        assert!(is_foreign, "{told}");
                    }
                    Needs::Role(needed) if role < Some(needed) => assert_eq!(status, StatusCode::FORBIDDEN, "{told}"),
                    Needs::Owner if !matches!(name, "eve" | "olga") => {
                        assert_eq!(status, StatusCode::FORBIDDEN, "{told}");
                    }
                    _ => {
                        assert!(!is_foreign && status != StatusCode::FORBIDDEN, "{told}");
                        assert!(status != StatusCode::UNAUTHORIZED || route.path == "/login", "{told}");
                        assert!(!status.is_server_error(), "{told}");
                    }
                }
            }
        }
    });
}

#[test]
fn a_project_that_is_not_there_looks_like_one_of_others() {
    run(async {
        let fixture = Fixture::new(None).await;
        fixture.person("eve", None).await;
        let eve = fixture.session("eve").await;
        let (theirs, none) =
            (fixture.get(&eve, "/api/v1/projects/news").await, fixture.get(&eve, "/api/v1/projects/none").await);
        assert_eq!((theirs.status, &theirs.text), (none.status, &none.text));
    });
}

#[test]
fn writes_from_other_sites_and_to_other_names_are_refused() {
    run(async {
        for local in [None, Some("olga")] {
            let fixture = Fixture::new(local).await;
            for route in ROUTES.iter().filter(|route| is_write(route)) {
                let asks = fixture.session("olga").await;
                let shown = format!("{} {}", route.method, route.path);
                for origin in ["http://evil.example", "http://localhost:9999", "https://localhost.evil.example", "null"]
                {
                    let asks = Asks { origin: Some(origin.to_owned()), ..asks.clone() };
                    let (status, text) = sent(&fixture, route, &asks).await;
                    assert_eq!(status, StatusCode::FORBIDDEN, "{origin}: {shown}");
                    assert!(text.contains("origin"), "{shown}: {text}");
                }
                for host in ["evil.example", "evil.example:8090", "localhost.evil.example:8090"] {
                    let asks = Asks { host: Some(host.to_owned()), ..asks.clone() };
                    let (status, text) = sent(&fixture, route, &asks).await;
                    assert_eq!(status, StatusCode::FORBIDDEN, "{host}: {shown}");
                    assert!(text.contains("not called by this name"), "{shown}: {text}");
                }
                // Without the token of a page, whatever the origin.
                for csrf in [None, Some("0".repeat(64))] {
                    let asks = Asks { csrf, ..asks.clone() };
                    let (status, _) = sent(&fixture, route, &asks).await;
                    assert_eq!(status, StatusCode::FORBIDDEN, "without its token: {shown}");
                }
            }
        }
    });
}

#[test]
fn programs_come_with_tokens_that_can_be_taken_back() {
    run(async {
        let fixture = Fixture::new(None).await;
        let ann = fixture.session("ann").await;
        let made =
            fixture.json(&ann, Method::POST, "/api/v1/tokens", &serde_json::json!({"name": "script"})).await.ok();
        let token = made.json()["token"].as_str().unwrap().to_owned();
        let program = Asks { token: Some(token.clone()), ..Asks::default() };
        assert_eq!(fixture.get(&program, "/api/v1/projects").await.ok().json()[0]["name"], "news");
        // A token is no cookie: no page can send it, so a write needs nothing else.
        let draft = "/api/v1/projects/news/documents/1/annotations/first/draft";
        fixture.json(&program, Method::PUT, draft, &serde_json::json!({"a": 1})).await.ok();
        assert_eq!(
            fixture.get(&program, "/api/v1/projects/news/people").await.status,
            StatusCode::FORBIDDEN,
            "a token opens no more than its owner may"
        );
        let known = fixture.get(&ann, "/api/v1/tokens").await.ok();
        assert!(!known.text.contains(&token), "{}", known.text);
        let id = known.json()[0]["id"].as_str().unwrap().to_owned();
        fixture.json(&ann, Method::DELETE, &format!("/api/v1/tokens/{id}"), &serde_json::json!({})).await.ok();
        assert_eq!(fixture.get(&program, "/api/v1/projects").await.status, StatusCode::UNAUTHORIZED);
        assert_eq!(admitted(&fixture.store, &token).await, None);
    });
}

async fn admitted(store: &Store, token: &str) -> Option<String> {
    store.admit(token, AccessKind::Token).await.unwrap().map(|user| user.name)
}

#[test]
fn the_description_has_every_route_of_the_interface_and_no_other() {
    let described = openapi();
    let mut told: Vec<String> = Vec::new();
    for (path, methods) in described["paths"].as_object().unwrap() {
        told.extend(methods.as_object().unwrap().keys().map(|method| format!("{method} {path}")));
    }
    let mut there: Vec<String> = ROUTES
        .iter()
        .filter(|route| route.path.starts_with("/api/"))
        .map(|route| format!("{} {}", route.method, route.path))
        .collect();
    told.sort();
    there.sort();
    assert_eq!(told, there);
}

#[test]
fn a_route_that_nobody_knows_says_nothing() {
    run(async {
        let fixture = Fixture::new(None).await;
        for path in ["/nothing", "/api/v1/nothing", "/p/news/nothing", "/assets/0/../../etc/passwd"] {
            assert_eq!(fixture.get(&fixture.nobody().await, path).await.status, StatusCode::NOT_FOUND, "{path}");
        }
        let patched = fixture.ask(&fixture.nobody().await, Method::PATCH, "/login", "", "").await;
        assert_eq!(patched.status, StatusCode::METHOD_NOT_ALLOWED);
    });
}
