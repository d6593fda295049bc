//! Who may ask.

use nomen_serve::{Config, config::Key, hash};
use serde_json::json;

use crate::sample::{ask, get, serve};

fn key(name: &str, admin: bool) -> Key {
    Key { name: name.to_owned(), sha256: hash(name), requests_per_second: None, admin }
}

#[test]
fn without_its_key_a_server_tells_only_that_it_lives() {
    let server = serve(|config| config.keys = vec![key("team", false), key("ops", true)]);
    for path in
        ["/health", "/health/live", "/health/ready", "/v2/health/live", "/label-studio/health", "/openapi.json", "/"]
    {
        assert_eq!(get(server.addr, path).status, 200, "{path}");
    }
    for path in ["/info", "/metrics", "/v2", "/nowhere"] {
        let reply = get(server.addr, path);
        assert_eq!((reply.status, reply.header("www-authenticate")), (401, Some("Bearer")), "{path}");
    }
    let body = json!({"texts": ["Anna"]}).to_string();
    let tag = |headers: &[&str]| ask(server.addr, "POST /v1/tag", headers, body.as_bytes()).status;
    assert_eq!(tag(&[]), 401);
    assert_eq!(tag(&["Authorization: Bearer team"]), 200);
    assert_eq!(tag(&["X-API-Key: team"]), 200);
    let load =
        |key: &str| ask(server.addr, "POST /admin/models/news/load", &[&format!("X-API-Key: {key}")], b"").status;
    assert_eq!((load("team"), load("ops")), (403, 200));
    let kept = server.kept.requests.lock().unwrap();
    assert!(
        kept.iter()
            .any(|request| request.key.as_deref() == Some("ops") && request.route == "/admin/models/{name}/load")
    );
}

#[test]
fn foreign_hosts_and_origins_are_refused_on_every_route() {
    let server = serve(|config| config.origins = vec!["https://labels.example".to_owned()]);
    for path in ["/v1/tag", "/", "/admin/models/news/load", "/label-studio/webhook", "/health"] {
        for header in ["Host: evil.example", "Origin: https://evil.example"] {
            assert_eq!(ask(server.addr, &format!("POST {path}"), &[header], b"{}").status, 403, "{path} {header}");
        }
    }
    let preflight = ask(
        server.addr,
        "OPTIONS /v1/tag",
        &["Origin: https://labels.example", "Access-Control-Request-Method: POST"],
        b"",
    );
    assert_eq!(
        (preflight.status, preflight.header("access-control-allow-origin")),
        (204, Some("https://labels.example"))
    );
}

#[test]
fn a_server_does_not_start_where_it_should_not() {
    let refused = |change: fn(&mut Config)| {
        let mut config = Config::default();
        config.models.insert("a".to_owned(), "a".into());
        change(&mut config);
        config.check().unwrap_err().to_string()
    };
    assert!(refused(|config| config.addr = "0.0.0.0:80".parse().unwrap()).contains("--insecure"));
    assert!(refused(|config| config.default = Some("b".to_owned())).contains("no model"));
    assert!(refused(|config| config.limits.texts = 0).contains("limits.texts"));
    assert!(refused(|config| config.timeouts.body_s = f64::NAN).contains("timeouts.body_s"));
    assert!(refused(|config| config.keys = vec![Key { sha256: "short".to_owned(), ..key("x", false) }]).contains("64"));
    let load = |text: &str| {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), text).unwrap();
        Config::load(Some(file.path()), [], &[]).map(|_| ()).unwrap_err().to_string()
    };
    assert!(load("adr = 1").contains("did you mean `addr`?"));
    assert!(load("[limits]\nbody_byte = 1").contains("did you mean `limits.body_bytes`?"));
    assert!(load("[[keys]]\nnam = 1").contains("did you mean `name`?"));
    assert!(load("addr = 3").contains("addr"));
}

#[test]
fn settings_go_by_command_line_then_environment_then_file() {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "[limits]\ntexts = 1\ntext_bytes = 1\npieces = 1\n[models]\nnews = \"m\"\n").unwrap();
    let environment = [("NOMEN_SERVE_LIMITS__TEXTS", "2"), ("NOMEN_SERVE_LIMITS__PIECES", "2"), ("OTHER", "x")];
    let environment = environment.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let config = Config::load(Some(file.path()), environment, &["limits.pieces=3".to_owned()]).unwrap();
    assert_eq!((config.limits.text_bytes, config.limits.texts, config.limits.pieces), (1, 2, 3));
    assert_eq!(config.models["news"], file.path().parent().unwrap().join("m"));
    let wrong = [("NOMEN_SERVE_LIMIT__TEXTS".to_owned(), "1".to_owned())];
    assert!(Config::load(None, wrong, &[]).unwrap_err().to_string().contains("NOMEN_SERVE_LIMIT__TEXTS"));
}

#[test]
fn the_commented_file_of_defaults_says_the_defaults() {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), nomen_serve::config::DEFAULTS).unwrap();
    assert_eq!(Config::load(Some(file.path()), [], &[]).unwrap(), Config::default());
    for name in nomen_serve::config::NAMES {
        let key = name.rsplit('.').next().unwrap();
        let is_there = nomen_serve::config::DEFAULTS.lines().any(|line| {
            let line = line.trim_start_matches("# ");
            line.starts_with(&format!("{key} = ")) || line == format!("[{key}]") || line == format!("[[{key}]]")
        });
        assert!(is_there, "{name} is not in the file of defaults");
    }
}
