//! The report of an evaluation, as a user reads it.

use nomen_evaluate::{
    ErrorKind::{self, Missed, Spurious, WrongBoundary, WrongLabel},
    Pair, Report, Settings,
};
use schema::{Document, Entity, Label, Span};
use serde_json::json;

const TEXT: &str = "Søren Ærø moved from Aarhus to Google in 2019.";

/// The entity of `TEXT` that reads `quote`.
fn entity(quote: &str, label: &str, score: Option<f32>) -> Entity {
    let start = TEXT.find(quote).unwrap();
    let span = Span::of(TEXT, start..start + quote.len()).unwrap();
    Entity { score, ..Entity::new(span, Label::new(label).unwrap()) }
}

fn document() -> Document {
    let gold = ["Søren Ærø/PER", "Aarhus/LOC", "Google/ORG"].map(|entry| {
        let (quote, label) = entry.split_once('/').unwrap();
        entity(quote, label, None)
    });
    let mut document = Document::new(TEXT).with_entities(gold.to_vec()).unwrap();
    document.id = Some("mail-7".to_owned());
    document
}

fn predicted() -> Vec<Entity> {
    vec![entity("Søren", "PER", Some(0.5)), entity("Google", "LOC", Some(0.9)), entity("2019", "DATE", Some(0.7))]
}

#[test]
fn a_report_has_the_keys_of_spacy_and_counts_in_code_points() {
    let (document, predicted) = (document(), predicted());
    let pair = Pair { document: &document, predicted: &predicted };
    let unreachable = [(0, entity("Aarhus", "LOC", None))];
    let report = Report::new(&[pair, pair], &unreachable, &Settings { context: 6, ..Settings::default() });
    let report = serde_json::to_value(&report).unwrap();
    assert_eq!([&report["ents_p"], &report["ents_r"], &report["ents_f"]], [0.0; 3]);
    let org = json!({"p": 0.0, "r": 0.0, "f": 0.0, "support": 2, "predicted": 0, "correct": 0});
    assert_eq!(report["ents_per_type"]["ORG"], org);
    assert_eq!(report["exact_boundary"]["correct"], 2);
    assert_eq!(report["overlap"]["f"], 1.0 / 3.0);
    assert_eq!(report["ents_f_interval"]["level"], 0.95);
    assert_eq!(report["texts"], 2);
    // `ø` and `Æ` are two bytes each: in bytes these would be 26..32.
    let aarhus = json!({"document": 0, "id": "mail-7", "start": 21, "end": 27, "label": "LOC", "text": "Aarhus"});
    assert_eq!(report["unreachable"], json!([aarhus]));
    let first = &report["errors"]["worst"][0];
    assert_eq!(first["kind"], "wrong_label");
    assert_eq!((first["excerpt"].as_str().unwrap(), first["excerpt_start"].as_u64().unwrap()), ("to Google in", 28));
    assert_eq!(report["errors"]["counts"]["wrong_boundary"], 2);
}

#[test]
fn the_surest_errors_come_first_and_each_kind_has_its_limit() {
    let (document, predicted) = (document(), predicted());
    let pair = Pair { document: &document, predicted: &predicted };
    let report = Report::new(&[pair, pair], &[], &Settings { worst: 1, ..Settings::default() });
    let kinds: Vec<ErrorKind> = report.errors.worst.iter().map(|case| case.kind).collect();
    assert_eq!(kinds, [WrongLabel, Spurious, WrongBoundary, Missed]);
    assert!(report.errors.counts.values().all(|count| *count == 2));
}

#[test]
fn only_the_named_labels_count_and_all_of_them_are_shown() {
    let (document, predicted) = (document(), predicted());
    let pair = Pair { document: &document, predicted: &predicted };
    let labels = ["LOC", "MISC"].map(|name| Label::new(name).unwrap());
    let settings = Settings { labels: Some(labels.to_vec()), ..Settings::default() };
    let report = Report::new(&[pair], &[(0, entity("Google", "ORG", None))], &settings);
    assert_eq!(report.scores.by_label().keys().cloned().collect::<Vec<_>>(), labels);
    let micro = report.scores.micro();
    assert_eq!((micro.correct, micro.gold, micro.predicted), (0, 1, 1));
    assert!(report.unreachable.is_empty(), "ORG was not asked for");
    assert_eq!(report.errors.counts[&Spurious], 1);
}
