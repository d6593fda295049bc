//! HTTPS by certificate files.

use std::{
    io::{Read as _, Write as _},
    path::{Path, PathBuf},
    sync::Arc,
};

use nomen_serve::{App, Config, Models, Open, Opened, Server, Unobserved, config::Tls};
use rustls::{
    ClientConfig, ClientConnection, RootCertStore, Stream,
    pki_types::{CertificateDer, ServerName, pem::PemObject},
};

use crate::sample::{connect, serve};

fn testdata(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/testdata").join(name)
}

fn tls(certificate: &str, key: &str) -> Tls {
    Tls { certificate: testdata(certificate), key: testdata(key) }
}

#[test]
fn a_server_with_certificates_answers_https_and_closes_on_plain_text() {
    let server = serve(|config| config.tls = Some(tls("server.pem", "server.key")));
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(testdata("authority.pem")).unwrap()).unwrap();
    let config = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let mut client = ClientConnection::new(Arc::new(config), ServerName::try_from("localhost").unwrap()).unwrap();
    let mut socket = connect(server.addr);
    let mut stream = Stream::new(&mut client, &mut socket);
    let body = r#"{"texts": ["Anna"]}"#;
    let head = "POST /v1/tag HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n";
    stream.write_all(format!("{head}Content-Length: {}\r\n\r\n{body}", body.len()).as_bytes()).unwrap();
    let mut answer = String::new();
    let _ = stream.read_to_string(&mut answer);
    assert!(answer.starts_with("HTTP/1.1 200") && answer.contains(r#""text":"Anna""#), "{answer}");

    let mut plain = connect(server.addr);
    plain.write_all(b"GET /health/live HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
    let mut answer = Vec::new();
    let _ = plain.read_to_end(&mut answer);
    assert!(!answer.starts_with(b"HTTP"));
}

struct NoModels;

impl Open for NoModels {
    fn open(&self, _: &str) -> Result<Opened, String> {
        Err("none".to_owned())
    }

    fn mark(&self, _: &str) -> Result<String, String> {
        Err("none".to_owned())
    }
}

#[test]
fn files_that_are_no_certificate_or_no_key_are_named() {
    for (certificate, key, wrong) in [
        ("server.key", "server.key", "server.key"),
        ("server.pem", "server.pem", "server.pem"),
        ("none", "server.key", "none"),
    ] {
        let models = [("a".to_owned(), "a".into())].into();
        let config = Config {
            addr: "127.0.0.1:0".parse().unwrap(),
            models,
            tls: Some(tls(certificate, key)),
            ..Config::default()
        };
        let models = Models::new(Box::new(NoModels), vec!["a".to_owned()], "a".to_owned());
        let error = Server::bind(App::new(config, models, Arc::new(Unobserved))).err().unwrap().to_string();
        assert!(error.contains(wrong), "{error}");
    }
}
