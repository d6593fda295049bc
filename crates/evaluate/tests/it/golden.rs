//! Figures of seqeval and conlleval, recorded by the scripts beside the files.

use std::{collections::BTreeMap, fs, path::Path};

use nomen_evaluate::{Average, TagScores, conlleval, seqeval};
use schema::{
    Label,
    tags::{Scheme, Tag, TagError},
};
use serde::{Deserialize, de::DeserializeOwned};

#[derive(Deserialize)]
struct Case {
    name: String,
    gold: Vec<Vec<String>>,
    predicted: Vec<Vec<String>>,
    accuracy: f64,
    default: Seqeval,
    strict: Seqeval,
    conlleval: Conlleval,
}

#[derive(Deserialize)]
struct Seqeval {
    per_type: BTreeMap<String, Row>,
    micro: Row,
    #[serde(rename = "macro")]
    macro_average: Row,
    weighted: Row,
}

/// `None` where seqeval's macro average over no label at all is undefined.
#[derive(Deserialize)]
struct Row {
    precision: Option<f64>,
    recall: Option<f64>,
    f1: Option<f64>,
    support: usize,
}

#[derive(Deserialize)]
struct Conlleval {
    overall: ConllevalRow,
    per_type: BTreeMap<String, ConllevalRow>,
}

#[derive(Deserialize, Debug, PartialEq)]
struct ConllevalRow {
    gold: usize,
    pred: usize,
    correct: usize,
    f1: f64,
}

#[derive(Deserialize)]
struct SchemeCase {
    scheme: String,
    gold: Vec<String>,
    predicted: Vec<String>,
    strict: BTreeMap<String, [usize; 3]>,
    default: BTreeMap<String, [usize; 3]>,
}

fn read<T: DeserializeOwned>(path: &str) -> Vec<T> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

fn tags<S: AsRef<str>>(sequence: impl IntoIterator<Item = S>) -> Result<Vec<Tag>, TagError> {
    sequence.into_iter().map(|tag| tag.as_ref().parse()).collect()
}

fn assert_row(average: Average, row: &Row, place: &str) {
    for (ours, theirs) in [(average.p, row.precision), (average.r, row.recall), (average.f, row.f1)] {
        assert!((ours - theirs.unwrap_or(0.0)).abs() < 1e-9, "{place}: {ours} instead of {theirs:?}");
    }
}

fn assert_seqeval(ours: &TagScores, theirs: &Seqeval, place: &str) {
    let scores = &ours.scores;
    assert_row(scores.micro().average(), &theirs.micro, &format!("{place}, micro"));
    assert_row(scores.macro_average(), &theirs.macro_average, &format!("{place}, macro"));
    assert_row(scores.weighted_average(), &theirs.weighted, &format!("{place}, weighted"));
    assert_eq!(scores.micro().gold, theirs.micro.support, "{place}");
    let labels: Vec<&str> = scores.by_label().keys().map(Label::as_str).collect();
    assert_eq!(labels, theirs.per_type.keys().collect::<Vec<_>>(), "{place}");
    for ((label, counts), row) in scores.by_label().iter().zip(theirs.per_type.values()) {
        assert_row(counts.average(), row, &format!("{place}, {label}"));
        assert_eq!(counts.gold, row.support, "{place}, {label}");
    }
}

#[test]
fn scores_equal_those_of_seqeval_and_conlleval() {
    let mut judged = 0;
    for case in read::<Case>("testdata/seqeval.json") {
        let sequences = |sequences: &[Vec<String>]| sequences.iter().map(tags).collect::<Result<Vec<_>, _>>();
        let (Ok(gold), Ok(predicted)) = (sequences(&case.gold), sequences(&case.predicted)) else {
            // Here, unlike there, `O` cannot be a label: files that use it are refused when they are read.
            assert_eq!(case.name, "label O");
            continue;
        };
        judged += 1;
        let default = seqeval::default_mode(&gold, &predicted).unwrap();
        assert_seqeval(&default, &case.default, &format!("{}, default mode", case.name));
        assert!((default.accuracy - case.accuracy).abs() < 1e-9, "{}", case.name);
        let strict = seqeval::strict(&gold, &predicted, Scheme::Iob2).unwrap();
        assert_seqeval(&strict, &case.strict, &format!("{}, strict mode", case.name));

        let conlleval = conlleval(&gold, &predicted).unwrap();
        let row = |counts: nomen_evaluate::Counts| (counts.gold, counts.predicted, counts.correct);
        let theirs = |row: &ConllevalRow| (row.gold, row.pred, row.correct);
        assert_eq!(row(conlleval.scores.micro()), theirs(&case.conlleval.overall), "{}", case.name);
        assert!((conlleval.scores.micro().f1() - case.conlleval.overall.f1).abs() < 1e-9, "{}", case.name);
        for (label, expected) in &case.conlleval.per_type {
            let counts = conlleval.scores.by_label()[label.as_str()];
            assert_eq!(row(counts), theirs(expected), "{}, {label}", case.name);
        }
    }
    assert_eq!(judged, 79);
}

#[test]
fn strict_and_default_mode_count_what_seqeval_counts_in_every_scheme() {
    let counts = |scores: &TagScores| -> BTreeMap<String, [usize; 3]> {
        let rows = scores.scores.by_label().iter();
        rows.map(|(label, row)| (label.to_string(), [row.correct, row.gold, row.predicted])).collect()
    };
    let cases = read::<SchemeCase>("tests/golden/schemes.json");
    assert_eq!(cases.len(), 180);
    for case in cases {
        let sequences = |sequences: &[String]| -> Vec<Vec<Tag>> {
            sequences.iter().map(|sequence| tags(sequence.split(' ')).unwrap()).collect()
        };
        let (gold, predicted) = (sequences(&case.gold), sequences(&case.predicted));
        let place = format!("{}\n{:?}\n{:?}", case.scheme, case.gold, case.predicted);
        let strict = seqeval::strict(&gold, &predicted, case.scheme.parse().unwrap()).unwrap();
        assert_eq!(counts(&strict), case.strict, "{place}");
        assert_eq!(counts(&seqeval::default_mode(&gold, &predicted).unwrap()), case.default, "{place}");
    }
}

#[test]
fn tags_of_another_scheme_and_missing_tags_are_refused() {
    let sequences = |text: &str| vec![tags(text.split(' ')).unwrap()];
    let foreign = seqeval::strict(&sequences("O S-A"), &sequences("O O"), Scheme::Iob2).unwrap_err();
    assert_eq!(foreign.to_string(), "sequence 0, token 1: IOB2 has no tag `S-A`; name the scheme that the tags follow");
    let short = seqeval::default_mode(&sequences("O O"), &sequences("O")).unwrap_err();
    assert_eq!(short.to_string(), "sequence 0: 2 gold tags, but 1 predicted ones");
    assert!(conlleval(&sequences("O"), &[]).is_err());
}

#[test]
fn tag_scores_are_written_with_the_keys_of_seqeval() {
    let gold = vec![tags(["B-A", "O", "B-B", "O"]).unwrap()];
    let predicted = vec![tags(["B-A", "O", "O", "O"]).unwrap()];
    let scores = serde_json::to_value(conlleval(&gold, &predicted).unwrap()).unwrap();
    let expected = serde_json::json!({
        "A": {"precision": 1.0, "recall": 1.0, "f1": 1.0, "number": 1},
        "B": {"precision": 0.0, "recall": 0.0, "f1": 0.0, "number": 1},
        "overall_precision": 1.0, "overall_recall": 0.5, "overall_f1": 2.0 / 3.0, "overall_accuracy": 0.75,
    });
    assert_eq!(scores, expected);
}
