//! Figures of scikit-learn and the krippendorff package, recorded by the script beside the file; properties.

use std::fs;

use nomen_evaluate::agreement::{Agreement, Annotated, cohen_kappa, krippendorff_alpha, words};
use proptest::prelude::*;
use schema::{Entity, Label};
use serde::Deserialize;

#[derive(Deserialize)]
struct Golden {
    kappa: Vec<Kappa>,
    alpha: Vec<Alpha>,
}

#[derive(Deserialize)]
struct Kappa {
    one: Vec<String>,
    other: Vec<String>,
    #[serde(rename = "kappa")]
    figure: Option<f64>,
}

#[derive(Deserialize)]
struct Alpha {
    rows: Vec<Vec<Option<String>>>,
    alpha: Option<f64>,
}

fn golden() -> Golden {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/agreement.json");
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

fn same(own: Option<f64>, theirs: Option<f64>) -> bool {
    match (own, theirs) {
        (Some(own), Some(theirs)) => (own - theirs).abs() < 1e-12,
        (own, theirs) => own == theirs,
    }
}

#[test]
fn kappa_is_that_of_scikit_learn() {
    let cases = golden().kappa;
    assert!(cases.iter().any(|case| case.figure.is_none()) && cases.len() == 80);
    for case in cases {
        let own = cohen_kappa(&case.one, &case.other);
        assert!(same(own, case.figure), "{own:?} {:?}: {:?} {:?}", case.figure, case.one, case.other);
    }
}

#[test]
fn alpha_is_that_of_the_krippendorff_package() {
    let cases = golden().alpha;
    assert_eq!(cases.len(), 80);
    for case in cases {
        let units: Vec<Vec<Option<&str>>> =
            (0..case.rows[0].len()).map(|token| case.rows.iter().map(|row| row[token].as_deref()).collect()).collect();
        let own = krippendorff_alpha(&units);
        assert!(same(own, case.alpha), "{own:?} {:?}: {:?}", case.alpha, case.rows);
    }
}

const TEXT: &str = "a bb ccc dd e ff ggg hh i jj";

/// Some of the words, each with one of two labels.
fn annotations() -> impl Strategy<Value = Vec<Entity>> {
    prop::collection::vec(0usize..3, 10).prop_map(|picks| {
        let entity =
            |(span, pick): (_, usize)| (pick > 0).then(|| Entity::new(span, Label::new(["A", "B"][pick - 1]).unwrap()));
        words(TEXT).into_iter().zip(picks).filter_map(entity).collect()
    })
}

proptest! {
    #[test]
    fn who_is_named_first_changes_no_figure_and_every_entity_is_counted_once(one in annotations(), other in annotations()) {
        let agreement = |by: Vec<(&str, &[Entity])>| {
            let by = by.into_iter().collect();
            Agreement::of([&Annotated { text: TEXT, tokens: None, by }])
        };
        let here = agreement(vec![("a", &one), ("b", &other)]);
        prop_assert_eq!(&here, &agreement(vec![("b", &other), ("a", &one)]));
        let there = agreement(vec![("a", &other), ("b", &one)]);
        prop_assert!(same(here.alpha, there.alpha));
        let (here, there) = (&here.pairs[0], &there.pairs[0]);
        prop_assert!(same(here.kappa, there.kappa));
        prop_assert_eq!(here.spans.correct, there.spans.correct);
        let apart = here.disagreements;
        let paired = here.spans.correct + apart.label + apart.boundary + apart.both;
        prop_assert_eq!(paired + apart.only_one, one.len());
        prop_assert_eq!(paired + apart.only_other, other.len());
    }
}
