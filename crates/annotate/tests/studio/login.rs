//! Sessions, from the login to the end.

use axum::http::{Method, StatusCode, header};

use crate::fixture::{Asks, Fixture, PASSWORD, run};

#[test]
fn a_password_opens_a_session_that_ends_when_it_is_left() {
    run(async {
        let fixture = Fixture::new(None).await;
        let before = fixture.nobody().await;
        let page = fixture.get(&before, "/p/news/annotate").await;
        assert_eq!(page.status, StatusCode::UNAUTHORIZED);
        assert!(page.text.contains("name=\"next\" value=\"/p/news/annotate\""), "{}", page.text);

        let fields = [("name", "ann"), ("password", PASSWORD), ("next", "/p/news/annotate")];
        let reply = fixture.form(&before, "/login", &fields).await;
        assert_eq!(reply.status, StatusCode::SEE_OTHER, "{}", reply.text);
        assert_eq!(reply.headers[header::LOCATION], "/p/news/annotate");
        let cookie = reply.headers[header::SET_COOKIE].to_str().unwrap().to_owned();
        for part in ["HttpOnly", "SameSite=Strict", "Path=/"] {
            assert!(cookie.contains(part), "{cookie}");
        }
        let secret = cookie.split_once('=').unwrap().1.split(';').next().unwrap().to_owned();
        assert_ne!(Some(&secret), before.session.as_ref(), "a secret that was there before must not become a session");

        let inside = Asks { session: Some(secret), ..Asks::default() };
        let home = fixture.get(&inside, "/").await.ok();
        let csrf = home.text.split("name=\"csrf-token\" content=\"").nth(1).unwrap().split('"').next().unwrap();
        let inside = Asks { csrf: Some(csrf.to_owned()), ..inside };
        fixture.form(&inside, "/logout", &[]).await.ok();
        assert_eq!(fixture.get(&inside, "/").await.status, StatusCode::UNAUTHORIZED);
    });
}

#[test]
fn the_cookie_is_for_tls_only_where_there_is_tls() {
    run(async {
        let fixture = Fixture::new(None).await;
        let request = axum::http::Request::builder()
            .uri("/login")
            .header(header::HOST, "localhost:8090")
            .header("x-forwarded-proto", "https")
            .body(axum::body::Body::empty())
            .unwrap();
        let reply = tower::ServiceExt::oneshot(fixture.app.clone(), request).await.unwrap();
        assert!(reply.headers()[header::SET_COOKIE].to_str().unwrap().ends_with("; Secure"));
    });
}

#[test]
fn a_wrong_password_says_no_more_than_an_unknown_name_and_is_not_tried_for_ever() {
    run(async {
        let fixture = Fixture::new(None).await;
        let asks = fixture.nobody().await;
        let tried = async |name: &str, password: &str| {
            fixture.form(&asks, "/login", &[("name", name), ("password", password)]).await
        };
        let (wrong, unknown) = (tried("ann", "wrong horse").await, tried("nobody", PASSWORD).await);
        assert_eq!((wrong.status, unknown.status), (StatusCode::UNAUTHORIZED, StatusCode::UNAUTHORIZED));
        assert_eq!(wrong.text, unknown.text);
        let mut statuses = Vec::new();
        for _ in 0..10 {
            statuses.push(tried("ann", "wrong horse").await.status);
        }
        assert_eq!(statuses.last(), Some(&StatusCode::TOO_MANY_REQUESTS));
        let right = tried("ann", PASSWORD).await;
        assert_eq!(right.status, StatusCode::TOO_MANY_REQUESTS);
        assert!(right.headers.contains_key(header::RETRY_AFTER));
        assert_eq!(tried("ben", PASSWORD).await.status, StatusCode::SEE_OTHER);
    });
}

#[test]
fn a_new_password_ends_every_session() {
    run(async {
        let fixture = Fixture::new(None).await;
        let (here, there) = (fixture.session("ann").await, fixture.session("ann").await);
        let change = [("old", "wrong horse"), ("new", "battery staple")];
        assert_eq!(fixture.form(&here, "/account/password", &change).await.status, StatusCode::UNPROCESSABLE_ENTITY);
        fixture.form(&here, "/account/password", &[("old", PASSWORD), ("new", "battery staple")]).await.ok();
        for asks in [here, there] {
            assert_eq!(fixture.get(&asks, "/").await.status, StatusCode::UNAUTHORIZED);
        }
    });
}

#[test]
fn an_owner_adds_people_and_takes_over_nobody() {
    run(async {
        let fixture = Fixture::new(None).await;
        let owner = fixture.session("olga").await;
        let put = async |name: &str, body| {
            fixture.json(&owner, Method::PUT, &format!("/api/v1/projects/news/people/{name}"), &body).await
        };
        put("new", serde_json::json!({"role": "reviewer", "password": "battery staple"})).await.ok();
        // Whoever has an account keeps the password.
        let taken = put("ann", serde_json::json!({"role": "owner", "password": "battery staple"})).await;
        assert_eq!(taken.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", taken.text);
        assert_eq!(put("other", serde_json::json!({"role": "owner"})).await.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert_eq!(
            put("short", serde_json::json!({"role": "owner", "password": "x"})).await.status,
            StatusCode::UNPROCESSABLE_ENTITY
        );
        let people = fixture.get(&owner, "/api/v1/projects/news/people").await.ok().json();
        let names: Vec<&str> =
            people.as_array().unwrap().iter().map(|person| person["name"].as_str().unwrap()).collect();
        assert_eq!(names, ["ann", "ben", "new", "olga", "rob"]);
        let last =
            fixture.json(&owner, Method::DELETE, "/api/v1/projects/news/people/olga", &serde_json::json!({})).await;
        assert_eq!(last.status, StatusCode::UNPROCESSABLE_ENTITY, "a project keeps an owner");
    });
}

#[test]
fn with_the_first_account_everybody_logs_in_at_once() {
    run(async {
        let fixture = Fixture::new(Some("olga")).await;
        let me = fixture.visitor("0123456789abcdef".repeat(4)).await;
        let add = async |name: &str, role: &str| {
            let fields = [("name", name), ("role", role), ("password", PASSWORD)];
            fixture.form(&me, "/p/news/people", &fields).await
        };
        let refused = add("ann", "annotator").await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", refused.text);
        assert!(refused.text.contains("the role owner"), "{}", refused.text);
        assert_eq!(fixture.get(&me, "/p/news/people").await.status, StatusCode::OK);
        add("olga", "owner").await.ok();
        for page in ["/", "/p/news/annotate", "/api/v1/projects"] {
            assert_eq!(fixture.get(&me, page).await.status, StatusCode::UNAUTHORIZED, "{page}");
        }
        let written =
            fixture.json(&me, Method::DELETE, "/api/v1/projects/news/people/olga", &serde_json::json!({})).await;
        assert_eq!(written.status, StatusCode::UNAUTHORIZED);
        let login = [("name", "olga"), ("password", PASSWORD), ("next", "/p/news/people")];
        assert_eq!(fixture.form(&me, "/login", &login).await.status, StatusCode::SEE_OTHER);
    });
}

#[test]
fn an_account_that_another_process_makes_counts_as_well() {
    run(async {
        let fixture = Fixture::new(Some("olga")).await;
        let me = Asks::default();
        fixture.person("ann", None).await;
        assert_eq!(fixture.get(&me, "/p/news/annotate").await.status, StatusCode::UNAUTHORIZED);
        // Nor does it open again when the account goes.
        let ann = fixture.store.user_named("ann").await.unwrap();
        fixture.store.set_password(ann.id, None).await.unwrap();
        assert_eq!(fixture.get(&me, "/p/news/annotate").await.status, StatusCode::UNAUTHORIZED);
    });
}
