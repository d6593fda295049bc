//! What passes the gate and what does not.

use std::path::Path;

use nomen_operate::gate::{GateReport, Policy, Row, TestSet, Verdict, judge};
use schema::{Document, Entity, Label, Span};

const WORD: usize = 4;

fn entity(place: usize, label: &str) -> Entity {
    Entity::new(Span::new(place * 5, place * 5 + WORD).unwrap(), Label::new(label).unwrap())
}

/// So many texts, each with one entity of every label.
fn documents(texts: usize, labels: &[&str]) -> Vec<Document> {
    let document = |_| {
        let gold = labels.iter().enumerate().map(|(place, label)| entity(place, label)).collect();
        Document::new("word ".repeat(labels.len() + 1)).with_entities(gold).unwrap()
    };
    (0..texts).map(document).collect()
}

/// The gold without the entities of one label in the first `lost` texts.
fn without(documents: &[Document], label: &str, lost: usize) -> Vec<Vec<Entity>> {
    let answer = |(text, document): (usize, &Document)| {
        let mut answer = document.entities().to_vec();
        answer.retain(|entity| text >= lost || entity.label.as_str() != label);
        answer
    };
    documents.iter().enumerate().map(answer).collect()
}

fn policy(text: &str) -> Policy {
    Policy::parse(text, Path::new("gate.toml")).unwrap()
}

fn gate(documents: &[Document], live: &[Vec<Entity>], candidate: &[Vec<Entity>], text: &str) -> GateReport {
    judge(&[TestSet { name: "old", documents, live, candidate }], &policy(text), 5, 20).unwrap()
}

fn row<'r>(report: &'r GateReport, label: &str) -> &'r Row {
    report.sets[0].rows.iter().find(|row| row.label.as_ref().is_some_and(|of| of.as_str() == label)).unwrap()
}

#[test]
fn the_same_answers_hold_in_every_row_and_the_same_seed_says_the_same() {
    let documents = documents(40, &["PER", "LOC"]);
    let answers = without(&documents, "LOC", 10);
    let report = gate(&documents, &answers, &answers, "");
    assert!(report.passed);
    assert!(report.sets[0].rows.iter().all(|row| row.verdict == Verdict::Holds && row.change.change == 0.0));
    let worse = without(&documents, "PER", 9);
    let told = |_| serde_json::to_string(&gate(&documents, &answers, &worse, "")).unwrap();
    assert_eq!(told(0), told(1));
}

#[test]
fn a_label_that_is_forgotten_fails_and_is_shown_in_its_texts() {
    let documents = documents(60, &["PER", "LOC"]);
    let (live, candidate) = (without(&documents, "PER", 0), without(&documents, "PER", 15));
    let report = gate(&documents, &live, &candidate, "");
    assert!(!report.passed);
    let (per, loc) = (row(&report, "PER"), row(&report, "LOC"));
    assert_eq!((per.verdict, per.fails, per.support), (Verdict::Dropped, true, 60));
    assert!(per.change.interval.high < 0.0 && per.p_drop_corrected.unwrap() < 0.01);
    assert_eq!((loc.verdict, loc.fails), (Verdict::Holds, false));
    let exchanged = &report.sets[0].exchanged;
    assert_eq!((exchanged.lost.total(), exchanged.won.total(), exchanged.lost.cases.len()), (15, 0, 5));
    // The other way round the same entities are won.
    assert!(gate(&documents, &candidate, &live, "").passed);
    // A policy may allow it.
    assert!(gate(&documents, &live, &candidate, "max_drop = 0.2\n[labels.PER]\nmax_drop = 0.2").passed);
}

#[test]
fn a_drop_is_found_among_hundreds_of_labels() {
    let names: Vec<String> = (0..300).map(|number| format!("L{number}")).collect();
    let labels: Vec<&str> = names.iter().map(String::as_str).collect();
    let documents = documents(30, &labels);
    let (live, candidate) = (without(&documents, "L7", 0), without(&documents, "L7", 30));
    // With 100 draws alone, the smallest p-value of all rows together would be 1.
    let report = gate(&documents, &live, &candidate, "resamples = 100\nconfidence = 0.9\n");
    assert!(row(&report, "L7").fails && !row(&report, "L8").fails, "{:?}", row(&report, "L7"));
}

#[test]
fn what_may_be_chance_is_undecided_and_the_policy_says_what_that_means() {
    let documents = documents(40, &["PER", "LOC"]);
    let (live, candidate) = (without(&documents, "PER", 0), without(&documents, "PER", 2));
    let report = gate(&documents, &live, &candidate, "");
    assert_eq!((row(&report, "PER").verdict, report.passed), (Verdict::Undecided, true));
    assert!(!gate(&documents, &live, &candidate, "undecided = \"fail\"").passed);
}

#[test]
fn too_few_entities_are_not_judged_by_label_but_a_set_of_too_few_fails() {
    let documents = documents(15, &["PER", "LOC"]);
    let (live, candidate) = (without(&documents, "PER", 0), without(&documents, "PER", 15));
    let report = gate(&documents, &live, &candidate, "max_drop = 1");
    let per = row(&report, "PER");
    assert_eq!((per.verdict, per.fails, per.p_drop_corrected, report.passed), (Verdict::TooFew, false, None, true));
    let report = gate(&documents, &live, &live, "min_support = 31");
    assert_eq!((report.sets[0].rows[0].verdict, report.passed), (Verdict::TooFew, false));
}

#[test]
fn a_gain_that_is_required_must_be_there_and_shown() {
    let documents = documents(60, &["PER", "LOC"]);
    let (without_any, with_some, with_all) =
        (without(&documents, "PER", 60), without(&documents, "PER", 30), without(&documents, "PER", 0));
    let wants = "[sets.old.labels.PER]\nmin_gain = 0.8\n";
    assert!(gate(&documents, &without_any, &with_all, wants).passed);
    let report = gate(&documents, &without_any, &with_some, wants);
    assert_eq!((row(&report, "PER").verdict, report.passed), (Verdict::NoGain, false));
    assert!(!gate(&documents, &with_all, &with_all, "[sets.old]\nmin_gain = 0\n").passed, "no gain is no gain");
}

#[test]
fn a_set_judges_only_the_labels_that_it_annotates() {
    let mut documents = documents(30, &["PER"]);
    let live = without(&documents, "PER", 0);
    let mut candidate = live.clone();
    // A label that came later.
    for answer in &mut candidate {
        answer.push(entity(1, "DRUG"));
    }
    let report = gate(&documents, &live, &candidate, "");
    assert!(report.passed && report.sets[0].unjudged == [0, 30] && report.sets[0].rows.len() == 2);
    // Who looked for it and found none says that it is wrong.
    for document in &mut documents {
        document.looked_for = Some(["PER", "DRUG"].map(|name| Label::new(name).unwrap()).to_vec());
    }
    let report = gate(&documents, &live, &candidate, "");
    assert!(!report.passed && report.sets[0].rows.len() == 3);
}

#[test]
fn sets_and_names_that_cannot_be_are_refused() {
    let documents = documents(30, &["PER"]);
    let answers = without(&documents, "PER", 0);
    let set = TestSet { name: "old", documents: &documents, live: &answers, candidate: &answers };
    let refused = |sets: &[TestSet<'_>], text: &str| judge(sets, &policy(text), 0, 0).unwrap_err().to_string();
    assert!(refused(&[], "").contains("no test set"));
    assert!(refused(&[set, set], "").contains("two test sets are called \"old\""));
    assert!(refused(&[TestSet { live: &answers[1..], ..set }], "").contains("30 documents, but 29 answers"));
    let empty = [Document::new("nothing")];
    let nothing = [Vec::new()];
    assert!(
        refused(&[TestSet { documents: &empty, live: &nothing, candidate: &nothing, ..set }], "")
            .contains("no entities")
    );
    for (text, expected) in [
        ("[labels.PERS]\nmax_drop = 0\n", "`labels.PERS`, but the test sets have PER; did you mean `PER`?"),
        ("[sets.olds]\nmax_drop = 0\n", "`sets.olds`, but the test sets are called old; did you mean `old`?"),
        ("[sets.old.labels.LOC]\nmax_drop = 0\n", "`sets.old.labels.LOC`, but the labels of this set are PER"),
    ] {
        let refused = refused(&[set], text);
        assert!(refused.contains(expected), "{refused}");
    }
}
