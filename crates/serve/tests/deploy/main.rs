//! What lies in `deploy/` asks for no metric that the server does not have.

use std::{collections::BTreeSet, fs, path::Path, time::Duration};

use nomen_serve::Metrics;

/// Files that name metrics.
const FILES: [&str; 3] = ["prometheus/rules.yml", "prometheus/rules.test.yml", "grafana/nomen.json"];

/// The names of all samples that a server can show.
fn served() -> BTreeSet<String> {
    let metrics = Metrics::default();
    // A metric with labels is shown from its first event on.
    let second = Duration::from_secs(1);
    metrics.request("/v1/tag", 200, second);
    metrics.rejected("overloaded");
    metrics.tokenized(second, 1);
    metrics.queued(second);
    metrics.batch(1, second);
    metrics.entity("person", Some(0.5));
    metrics.models([("news", "1")].into_iter());
    metrics.loaded(true);
    let text = metrics.text(1, true);
    let mut names = BTreeSet::new();
    for line in text.lines() {
        if let Some(sample) = line.split([' ', '{']).next().filter(|_| !line.starts_with('#')) {
            names.insert(sample.to_owned());
        }
    }
    names
}

/// Words that begin as the server's metrics do, parts of names with a colon left out: those are recorded by the rules.
fn named(text: &str) -> BTreeSet<String> {
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == ':';
    text.split(|c| !is_part(c))
        .filter(|word| word.starts_with("nomen_") && !word.contains(':'))
        .map(str::to_owned)
        .collect()
}

#[test]
fn deploy_asks_for_no_metric_that_the_server_does_not_have() {
    let (served, deploy) = (served(), Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy"));
    for file in FILES {
        let asked = named(&fs::read_to_string(deploy.join(file)).unwrap());
        assert!(asked.len() >= 8, "{file} names {asked:?}");
        let unknown: Vec<&String> = asked.difference(&served).collect();
        assert!(unknown.is_empty(), "{file} asks for {unknown:?}; the server has {served:?}");
    }
}

#[test]
fn a_name_that_is_not_served_is_found() {
    let asked = named("rate(nomen_reqests_total[5m]) + job:nomen_entities:rate1h + nomen_ready");
    assert_eq!(asked, BTreeSet::from(["nomen_reqests_total".to_owned(), "nomen_ready".to_owned()]));
    assert!(!served().contains("nomen_reqests_total"));
}
