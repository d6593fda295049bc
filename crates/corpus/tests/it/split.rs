//! Splits: nothing lost, nothing twice, nothing that belongs together apart, and every label in its share.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

use nomen_corpus::{
    duplicates::{Similarity, clusters, fold},
    read_all,
    split::{Grouping, Plan, Sizes, Source, Split, SplitError, split},
};
use proptest::{collection::vec, prelude::*, sample::select};
use schema::Document;
use serde_json::json;

use crate::{document, entity};

fn plan(sizes: &str) -> Plan {
    Plan {
        sizes: Sizes::ratio(sizes).unwrap(),
        group_by: vec![Grouping::Near],
        by_date: None,
        similarity: Similarity::default(),
        seed: 42,
    }
}

fn source(documents: &[Document]) -> Source<'_> {
    Source { path: Path::new("data.jsonl"), documents }
}

/// The part of every document, `None` for those that were left out.
fn parts(split: &Split, documents: usize) -> Vec<Option<usize>> {
    let mut parts = vec![None; documents];
    for (number, part) in split.parts.iter().enumerate() {
        assert!(!part.documents.is_empty() && part.documents.is_sorted());
        for document in &part.documents {
            assert_eq!(parts[*document].replace(number), None, "text {document} stands in two parts");
        }
    }
    let missing: Vec<usize> = (0..documents).filter(|document| parts[*document].is_none()).collect();
    assert_eq!(missing, split.left_out, "texts are lost");
    parts
}

fn sizes(split: &Split) -> Vec<usize> {
    split.parts.iter().map(|part| part.documents.len()).collect()
}

/// Texts that nothing repeats, each with the entities of a pattern, and a source, date and document.
fn plain(count: usize) -> Vec<Document> {
    let text = |at: usize| {
        let text = format!("alpha{at} beta{at} gamma{at} delta{at}");
        let entities = match at % 10 {
            0..4 => vec![entity(0, 5, "PER")],
            4 => vec![entity(0, 5, "PER"), entity(6, 8, "LOC")],
            5 => vec![entity(0, 5, "RARE")],
            _ => Vec::new(),
        };
        let mut document = document(&text, entities);
        document.meta.insert("source".into(), json!(format!("paper {}", at % 23)));
        document.meta.insert("date".into(), json!(format!("2024-{:02}-{:02}", at % 12 + 1, at % 28 + 1)));
        document.meta.insert("docstart".into(), json!(at / 7));
        document
    };
    (0..count).map(text).collect()
}

#[test]
fn sizes_are_met_and_every_label_has_its_share() {
    let documents = plain(1000);
    let split = split(&[source(&documents)], None, &plan("80,10,10")).unwrap();
    parts(&split, 1000);
    assert_eq!(sizes(&split), [800, 100, 100]);
    for (part, share) in split.parts.iter().zip([0.8, 0.1, 0.1]) {
        for (label, total) in [("PER", 500.0), ("LOC", 100.0), ("RARE", 100.0)] {
            let entities = part.documents.iter().flat_map(|at| documents[*at].entities());
            let count = entities.filter(|entity| entity.label.as_str() == label).count() as f64;
            assert!((count - share * total).abs() <= 1.0, "{label} in {}: {count} of {total}", part.name);
        }
    }
}

#[test]
fn counts_are_met_to_the_text() {
    let documents = plain(100);
    let of =
        |counts| split(&[source(&documents)], None, &Plan { sizes: Sizes::count(counts).unwrap(), ..plan("1,1,1") });
    assert_eq!(sizes(&of("rest,13,7").unwrap()), [80, 13, 7]);
    assert_eq!(sizes(&of("70,30,0").unwrap()), [70, 30]);
    let message = of("70,10,10").unwrap_err().to_string();
    assert!(message.contains("come to 90") && message.contains("100 texts") && message.contains("rest"), "{message}");
}

#[test]
fn folds_are_of_one_size_and_hold_every_text_once() {
    let documents = plain(103);
    let split = split(&[source(&documents)], None, &Plan { sizes: Sizes::Folds(5), ..plan("1,1,1") }).unwrap();
    parts(&split, 103);
    let mut sizes = sizes(&split);
    sizes.sort_unstable();
    assert_eq!(sizes, [20, 20, 21, 21, 21]);
    assert_eq!(split.parts[4].name.to_string(), "fold-5");
}

#[test]
fn documents_of_a_value_stay_together_in_the_file_that_they_came_from() {
    let documents = plain(300);
    let (one, other) = documents.split_at(150);
    let sources = [source(one), source(other)];
    let grouped = |grouping| split(&sources, None, &Plan { group_by: vec![grouping], ..plan("60,20,20") }).unwrap();
    let found = grouped(Grouping::Meta("source".into()));
    let of = parts(&found, 300);
    let mut by_source: BTreeMap<String, BTreeSet<Option<usize>>> = BTreeMap::new();
    for (document, part) in documents.iter().zip(&of) {
        by_source.entry(document.meta["source"].to_string()).or_default().insert(*part);
    }
    assert!(by_source.len() == 23 && by_source.values().all(|parts| parts.len() == 1));
    assert_eq!(found.parts.iter().map(|part| part.groups).sum::<usize>(), 23);

    let found = grouped(Grouping::Document);
    let of = parts(&found, 300);
    let mut by_document: BTreeMap<(bool, String), BTreeSet<Option<usize>>> = BTreeMap::new();
    for (at, part) in of.iter().enumerate() {
        by_document.entry((at < 150, documents[at].meta["docstart"].to_string())).or_default().insert(*part);
    }
    assert!(by_document.values().all(|parts| parts.len() == 1));
    assert_eq!(found.parts.iter().map(|part| part.groups).sum::<usize>(), by_document.len());
}

#[test]
fn a_field_that_no_text_has_is_refused_and_one_that_some_have_is_told() {
    let mut documents = plain(50);
    let by = |key: &str| vec![Grouping::Meta(key.into())];
    let refused = split(&[source(&documents)], None, &Plan { group_by: by("sauce"), ..plan("1,1,1") }).unwrap_err();
    assert!(refused.to_string().contains("`sauce`") && refused.to_string().contains("docstart, source"), "{refused}");
    documents[3].meta.remove("source");
    let found = split(&[source(&documents)], None, &Plan { group_by: by("source"), ..plan("1,1,1") }).unwrap();
    assert_eq!(found.ungrouped, [(Grouping::Meta("source".into()), 1)]);
}

#[test]
fn by_date_the_oldest_are_learned_from() {
    let documents = plain(200);
    let by_date = Plan { by_date: Some("date".into()), ..plan("70,15,15") };
    let found = split(&[source(&documents)], None, &by_date).unwrap();
    parts(&found, 200);
    assert_eq!(sizes(&found), [140, 30, 30]);
    let ranges: Vec<(String, String)> = found.parts.iter().map(|part| part.dates.clone().unwrap()).collect();
    assert!(ranges.iter().all(|(oldest, newest)| oldest <= newest));
    assert!(ranges.windows(2).all(|pair| pair[0].1 <= pair[1].0), "{ranges:?}");
}

#[test]
fn a_text_without_a_date_is_named() {
    let mut documents = plain(20);
    documents[4].meta.insert("date".into(), json!("last May"));
    documents[9].meta.remove("date");
    let by_date = Plan { by_date: Some("date".into()), ..plan("1,1,1") };
    let refused = split(&[source(&documents[..2]), source(&documents[2..])], None, &by_date).unwrap_err().to_string();
    assert!(
        ["data.jsonl: text 3", "`last May`", "2 such texts"].iter().all(|part| refused.contains(part)),
        "{refused}"
    );
    let folds = Plan { sizes: Sizes::Folds(3), by_date: Some("source".into()), ..plan("1,1,1") };
    assert!(split(&[source(&plain(20))], None, &folds).is_err());
}

#[test]
fn nothing_that_repeats_a_protected_text_is_learned_from() {
    let words: Vec<String> = (0..20).map(|at| format!("word{at}")).collect();
    let old = words.join(" ");
    let mut documents = plain(40);
    documents.push(document(&old.to_uppercase(), Vec::new()));
    documents.push(document(&old.replace("word3 ", "other "), Vec::new()));
    let protected = [document(&old, Vec::new())];
    let keep = |plan: &Plan| split(&[source(&documents)], Some(source(&protected)), plan);
    for group_by in [vec![Grouping::Near], vec![Grouping::Text], Vec::new()] {
        let found = keep(&Plan { group_by, ..plan("90,10") }).unwrap();
        parts(&found, 42);
        assert_eq!((found.left_out.as_slice(), sizes(&found)), (&[40, 41][..], vec![36, 4]));
        assert_eq!(found.parts[1].name.to_string(), "dev");
    }
    assert!(matches!(keep(&plan("80,10,10")), Err(SplitError::Sizes { found: 3, expected: 2, .. })));
    assert_eq!(keep(&Plan { sizes: Sizes::Folds(5), ..plan("1,1") }), Err(SplitError::FoldsProtected));
}

#[test]
fn a_part_that_would_be_empty_is_refused() {
    let same = vec![document("one text", Vec::new()); 10];
    let refused = split(&[source(&same)], None, &plan("80,10,10")).unwrap_err().to_string();
    assert!(refused.contains("would be empty") && refused.contains("10 texts in 1 groups"), "{refused}");
    assert!(split(&[], None, &plan("80,10,10")).is_err());
}

/// Annotated sets whose labels are many and of unequal frequency.
fn real(name: &str) -> Option<Vec<Document>> {
    let file: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data").join(name);
    file.is_file().then(|| read_all(file, None).unwrap().0)
}

#[test]
fn whole_documents_keep_the_shares_of_their_labels_too() {
    let Some(documents) = real("originals/wikigold.iob1.txt") else {
        return eprintln!("skipped: no data sets beside the project");
    };
    let by_document = Plan { group_by: vec![Grouping::Document], ..plan("80,10,10") };
    let found = split(&[source(&documents)], None, &by_document).unwrap();
    parts(&found, documents.len());
    for label in ["LOC", "MISC", "ORG", "PER"] {
        let count = |positions: &mut dyn Iterator<Item = usize>| -> f64 {
            let entities = positions.flat_map(|at| documents[at].entities());
            entities.filter(|entity| entity.label.as_str() == label).count() as f64
        };
        let total = count(&mut (0..documents.len()));
        for (part, share) in found.parts.iter().zip([0.8, 0.1, 0.1]) {
            let off = (count(&mut part.documents.iter().copied()) / total - share).abs();
            assert!(off < 0.01, "{label} is {off} off its share in {}", part.name);
        }
    }
}

#[test]
fn real_sets_keep_the_shares_of_their_labels() {
    for name in ["snips_slots/train.conll", "wnut17/train.conll", "ncbi_disease/train.conll", "uner_da_ddt/train.conll"]
    {
        let Some(documents) = real(name) else { return eprintln!("skipped: no data sets beside the project") };
        let found = split(&[source(&documents)], None, &plan("80,10,10")).unwrap();
        parts(&found, documents.len());
        let mut totals: BTreeMap<&str, f64> = BTreeMap::new();
        documents.iter().flat_map(Document::entities).for_each(|e| *totals.entry(e.label.as_str()).or_default() += 1.0);
        for (part, share) in found.parts.iter().zip([0.8, 0.1, 0.1]) {
            let size = part.documents.len() as f64 / documents.len() as f64;
            assert!((size - share).abs() < 0.01, "{name}: {} has {size} of the texts", part.name);
            for (label, total) in &totals {
                let entities = part.documents.iter().flat_map(|at| documents[*at].entities());
                let count = entities.filter(|entity| entity.label.as_str() == *label).count() as f64;
                let off = (count - share * total).abs();
                assert!(off <= 2.0 + 0.05 * share * total, "{name}: {label} in {}: {count} of {total}", part.name);
            }
        }
    }
}

/// Documents of which many repeat others, with up to three entities and a source.
fn documents() -> impl Strategy<Value = Vec<Document>> {
    let words = vec(select(vec!["a", "b", "c", "d", "É", "漢字", "👍", "."]), 1..9);
    let labels = vec(select(vec!["X", "Y", "Z"]), 0..4);
    let drawn = (words, labels, 0u8..6);
    vec(drawn, 12..80).prop_map(|drawn| {
        let document = |(words, labels, source): (Vec<&str>, Vec<&str>, u8)| {
            let text = format!("{} 123", words.join(" "));
            let end = text.len();
            let entities = labels.iter().enumerate().map(|(at, label)| entity(end - 3 + at, end - 2 + at, label));
            let mut document = document(&text, entities.collect());
            document.meta.insert("source".into(), source.into());
            document
        };
        drawn.into_iter().map(document).collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn every_text_is_in_one_part_and_no_group_in_two(
        documents in documents(),
        protected in documents(),
        group_by in vec(select(vec![Grouping::Text, Grouping::Near, Grouping::Meta("source".into())]), 0..3),
        protect in any::<bool>(),
        folds in any::<bool>(),
        seed in any::<u64>(),
    ) {
        let protected = (protect && !folds).then(|| source(&protected[..3]));
        let sizes = match (folds, protected) {
            (true, _) => Sizes::Folds(2),
            (_, None) => Sizes::ratio("3,1,1").unwrap(),
            (_, Some(_)) => Sizes::ratio("3,1").unwrap(),
        };
        let plan = Plan { sizes, group_by: group_by.clone(), seed, ..plan("1,1,1") };
        let found = match split(&[source(&documents)], protected, &plan) {
            Ok(found) => found,
            Err(SplitError::EmptyPart { .. }) => return Ok(()),
            Err(error) => return Err(TestCaseError::fail(error.to_string())),
        };
        let parts = parts(&found, documents.len());
        let mut by_text = BTreeMap::new();
        let mut by_source = BTreeMap::new();
        for (document, part) in documents.iter().zip(&parts) {
            prop_assert_eq!(by_text.entry(fold(document.text())).or_insert(*part), part, "one text in two parts");
            if group_by.contains(&Grouping::Meta("source".into())) {
                let source = document.meta["source"].to_string();
                prop_assert_eq!(by_source.entry(source).or_insert(*part), part, "one source in two parts");
            }
        }
        let mut texts: Vec<&str> = documents.iter().map(Document::text).collect();
        let protected: Vec<&str> = protected.iter().flat_map(|source| source.documents).map(Document::text).collect();
        texts.extend(&protected);
        if group_by.contains(&Grouping::Near) || !protected.is_empty() {
            for cluster in clusters(&texts, plan.similarity).clusters() {
                // A protected text is as one that was left out.
                let part = |member: &usize| parts.get(*member).copied().flatten();
                let first = part(&cluster.members[0]);
                let near = cluster.members.iter().all(|member| part(member) == first);
                let holds_protected = cluster.members.iter().any(|member| *member >= documents.len());
                prop_assert!(near || (!group_by.contains(&Grouping::Near) && !holds_protected));
            }
        }
        prop_assert_eq!(split(&[source(&documents)], None, &plan).ok(), split(&[source(&documents)], None, &plan).ok());
    }

    #[test]
    fn label_shares_stay_within_the_heaviest_group_of_what_was_wanted(documents in documents(), seed in any::<u64>()) {
        // Alone every text is a group of at most three entities of a label.
        let alone: Vec<Document> = documents.iter().enumerate().map(|(at, document)| {
            let text = format!("{} {at}", document.text());
            Document::new(text).with_entities(document.entities().to_vec()).unwrap()
        }).collect();
        let plan = Plan { group_by: vec![Grouping::Text], seed, ..plan("50,50,0") };
        let found = split(&[source(&alone)], None, &plan).unwrap();
        for label in ["X", "Y", "Z"] {
            let counts: Vec<usize> = found.parts.iter().map(|part| {
                let entities = part.documents.iter().flat_map(|at| alone[*at].entities());
                entities.filter(|entity| entity.label.as_str() == label).count()
            }).collect();
            let off = counts[0].abs_diff(counts[1]);
            prop_assert!(off <= 6 + (counts[0] + counts[1]) / 5, "{label}: {counts:?}");
        }
    }
}
