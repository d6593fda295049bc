//! A model that learns a second label and keeps the first.

use std::{collections::BTreeMap, num::NonZeroUsize, path::PathBuf};

use model::{Bundle, Workers, bundle::NewModel, text::SlotTarget};
use nomen_train::{
    Dataset, Fit, RowTarget, Settings, Taught, Teacher, add_teacher_labels, calibrated_confidence, correct_bias, score,
};
use schema::{Document, Label, Schema};

use crate::sample::{self, documents};

const OLD: &str = "PER";
const NEW: &str = "creative-work";

/// Enough steps to learn one label well.
fn settings() -> Settings {
    Settings { num_train_epochs: 10, ..sample::settings() }
}

fn label(name: &str) -> Label {
    Label::new(name).unwrap()
}

fn base() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../model/testdata/bert")
}

/// The documents as somebody annotates them who looks for one label only.
fn searched_for(name: &str, documents: Vec<Document>) -> Vec<Document> {
    let only = |document: Document| {
        let kept = document.entities().iter().filter(|entity| entity.label.as_str() == name).cloned().collect();
        let mut document = document.with_entities(kept).unwrap();
        document.looked_for = Some(vec![label(name)]);
        document
    };
    documents.into_iter().map(only).collect()
}

fn fresh(names: &[&str]) -> Bundle {
    let schema = Schema::of_labels(names.iter().map(|name| label(name)));
    Bundle::from_base(&base(), &NewModel { schema: &schema, settings: settings().codec(), seed: 42 }).unwrap()
}

fn workers() -> Workers {
    Workers::new(NonZeroUsize::new(2).unwrap())
}

/// A bundle after all steps over these documents.
fn trained(bundle: Bundle, settings: Settings, documents: &[Document], teacher: Option<&Teacher<'_>>) -> Bundle {
    let dataset = Dataset::new(&bundle.codec, documents, teacher).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let mut fit = Fit::new(bundle, settings, dataset, Vec::new());
    while fit.step().unwrap().is_some() {}
    fit.bundle().save(folder.path()).unwrap();
    Bundle::open(folder.path()).unwrap()
}

/// A model that knows the old label.
fn old() -> Bundle {
    trained(fresh(&[OLD]), settings(), &searched_for(OLD, documents(160, 1)), None)
}

/// A model of both labels that starts where the old one is: its encoder, and its rows of the head.
fn grown(old: &Bundle) -> Bundle {
    let folder = tempfile::tempdir().unwrap();
    old.save(folder.path()).unwrap();
    let schema = Schema::of_labels([label(OLD), label(NEW)]);
    let new = NewModel { schema: &schema, settings: settings().codec(), seed: 42 };
    let mut bundle = Bundle::from_base(folder.path(), &new).unwrap();
    assert_eq!(bundle.keep_head(old, &BTreeMap::new()), [label(OLD)]);
    bundle
}

fn teacher<'b>(old: &'b Bundle, workers: &'b Workers, pupil: &Bundle) -> Teacher<'b> {
    Teacher::new(old, workers, &pupil.codec, |name| pupil.codec.tag_set().tag(name), 1.0)
}

fn f1(bundle: &Bundle, name: &str) -> f64 {
    score(&workers(), bundle, &searched_for(name, documents(60, 2))).unwrap().micro().f1()
}

#[test]
fn a_grown_model_says_of_the_old_label_what_the_old_one_said() {
    let old = old();
    let grown = grown(&old);
    let input = documents(1, 5).remove(0);
    let logits = |bundle: &Bundle| {
        let encoded = bundle.codec.encode((&input).into()).unwrap();
        workers().logits(&bundle.classifier, &bundle.codec, &[encoded]).remove(0)
    };
    let (before, after) = (logits(&old), logits(&grown));
    for (before, after) in before.chunks_exact(3).zip(after.chunks_exact(5)) {
        for (tag, name) in old.codec.tag_set().names().iter().enumerate() {
            let here = grown.codec.tag_set().tag(name).unwrap() as usize;
            assert!((before[tag] - after[here]).abs() < 1e-6, "{name}");
        }
    }
}

#[test]
fn new_texts_alone_erase_the_old_label_and_a_teacher_keeps_it() {
    let old = old();
    assert!(f1(&old, OLD) > 0.9, "{}", f1(&old, OLD));
    let new = searched_for(NEW, documents(160, 3));
    let mut naive = new.clone();
    for document in &mut naive {
        document.looked_for = None;
    }
    let naive = trained(grown(&old), settings(), &naive, None);
    assert!(f1(&naive, OLD) < 0.3 && f1(&naive, NEW) > 0.9, "{} {}", f1(&naive, OLD), f1(&naive, NEW));

    let (workers, pupil) = (workers(), grown(&old));
    let taught = trained(grown(&old), settings(), &new, Some(&teacher(&old, &workers, &pupil)));
    assert!(f1(&taught, OLD) > 0.9 && f1(&taught, NEW) > 0.9, "{} {}", f1(&taught, OLD), f1(&taught, NEW));
}

#[test]
fn what_nobody_looked_for_is_open_and_a_teacher_decides_it_only_where_it_can_know() {
    let old = old();
    let pupil = grown(&old);
    let set = pupil.codec.tag_set();
    let is_new = |tag: u32| set.label(tag).is_some_and(|label| label.as_str() == NEW);
    let (workers, new, past) = (workers(), searched_for(NEW, documents(8, 3)), searched_for(OLD, documents(8, 4)));
    let rows = |documents: &[Document], teacher: Option<&Teacher<'_>>| {
        let dataset = Dataset::new(&pupil.codec, documents, teacher).unwrap();
        dataset.examples.into_iter().flat_map(|example| example.targets).collect::<Vec<_>>()
    };
    let open = rows(&new, None);
    assert!(open.iter().any(|row| matches!(row, RowTarget::Tag(tag) if is_new(*tag))));
    assert!(open.iter().all(|row| !matches!(row, RowTarget::Among(tags) if tags.iter().any(|tag| is_new(*tag)))));

    let teacher = teacher(&old, &workers, &pupil);
    for row in rows(&new, Some(&teacher)) {
        match row {
            RowTarget::Unknown => {}
            RowTarget::Tag(tag) => assert!(is_new(tag)),
            RowTarget::Like(Taught { probabilities, .. }) => {
                assert!((probabilities.iter().sum::<f32>() - 1.0).abs() < 1e-5);
                assert!((0..).zip(probabilities.iter()).all(|(tag, of)| !is_new(tag) || *of == 0.0));
            }
            RowTarget::Among(_) => panic!("the teacher knows every label that is open here"),
        }
    }
    // In old texts the new label is open, of which the teacher knows nothing.
    assert!(rows(&past, Some(&teacher)).iter().all(|row| !matches!(row, RowTarget::Like(_))));
    let encoded = pupil.codec.encode((&past[0]).into()).unwrap();
    assert!(pupil.codec.targets(&past[0], &encoded).slots.contains(&SlotTarget::NotLookedFor));
}

#[test]
fn a_teacher_annotates_where_it_is_sure_and_nothing_is_in_the_way() {
    let old = old();
    let mut annotated = searched_for(NEW, documents(40, 3));
    let before: Vec<usize> = annotated.iter().map(|document| document.entities().len()).collect();
    let confidence = calibrated_confidence(&searched_for(OLD, documents(60, 2)), &old, &workers(), 0.95).unwrap();
    let added = add_teacher_labels(&mut annotated, &old, &workers(), confidence.unwrap(), |label| Some(label.clone()));
    let after: usize = annotated.iter().map(|document| document.entities().len()).sum();
    assert!(
        added.as_ref().is_ok_and(|added| *added > 20 && before.iter().sum::<usize>() + added == after),
        "{added:?}"
    );
    assert!(annotated.iter().all(|document| document.looked_for == Some(vec![label(NEW)])), "the rest stays open");

    let mut complete = documents(40, 3);
    let whole = complete.clone();
    assert_eq!(add_teacher_labels(&mut complete, &old, &workers(), 0.0, |label| Some(label.clone())).unwrap(), 0);
    assert_eq!(complete, whole, "nothing is added to what was searched for everything");
    let mut unwanted = searched_for(NEW, documents(40, 3));
    assert_eq!(add_teacher_labels(&mut unwanted, &old, &workers(), 0.0, |_| None).unwrap(), 0);
}

#[test]
fn a_bias_is_raised_until_open_labels_are_found_as_often_as_before() {
    let old = old();
    let before = f1(&old, OLD);
    let mut rare = grown(&old);
    let is_old = |label: &Label| label.as_str() == OLD;
    while f1(&rare, OLD) > 0.7 * before {
        rare.raise(is_old, -0.5);
    }
    let lowered = f1(&rare, OLD);
    let named = |label: &Label| Some(label.clone());
    let correct =
        |bundle: &mut Bundle, documents: &[Document]| correct_bias(bundle, &old, &workers(), documents, named).unwrap();
    assert_eq!(correct(&mut rare, &searched_for(OLD, documents(60, 4))).to_bits(), 0, "nothing is open there");
    assert_eq!(f1(&rare, OLD).to_bits(), lowered.to_bits());
    let open = searched_for(NEW, documents(60, 4));
    let raised = correct(&mut rare, &open);
    assert!(raised > 0.0 && f1(&rare, OLD) > 0.9 * before, "{raised}: {lowered}, then {}", f1(&rare, OLD));
    assert_eq!(correct(&mut rare, &open).to_bits(), 0, "they are not too rare any more");
    assert_eq!(correct_bias(&mut rare, &old, &workers(), &open, |_| None).unwrap().to_bits(), 0);
}

fn weights(bundle: &Bundle) -> Vec<(String, Vec<f32>)> {
    bundle.classifier.tensors().map(|(name, _, values)| (name.to_owned(), values.to_vec())).collect()
}

#[test]
fn averaging_goes_from_the_old_weights_to_the_new_ones_and_keeps_rows_that_are_new() {
    let old = old();
    let new = || trained(grown(&old), Settings { max_steps: 5, ..settings() }, &documents(40, 3), None);
    let [mut all_new, mut all_old, mut half] = [new(), new(), new()];
    let before = weights(&all_new);
    all_new.average(&old, &BTreeMap::new(), 1.0);
    assert!(weights(&all_new) == before);
    all_old.average(&old, &BTreeMap::new(), 0.0);
    half.average(&old, &BTreeMap::new(), 0.5);
    let start: BTreeMap<String, Vec<f32>> = weights(&old).into_iter().collect();
    for (((name, new), (_, old)), (_, half)) in before.iter().zip(weights(&all_old)).zip(weights(&half)) {
        if name.starts_with("classifier") {
            let known = start[name].len();
            assert!(old[..known] == start[name] && old[known..] == new[known..], "{name}");
        } else {
            assert!(old == start[name], "{name}");
            assert!(
                half.iter()
                    .zip(new)
                    .zip(&old)
                    .all(|((half, new), old)| (half - f32::midpoint(*new, *old)).abs() < 1e-6)
            );
        }
    }
}

#[test]
fn weights_stay_closer_with_a_pull_and_lower_layers_change_less_with_a_decay() {
    let distance = |settings: Settings| {
        let start = fresh(&[OLD, NEW]);
        let before = weights(&start);
        let after = weights(&trained(start, Settings { max_steps: 20, ..settings }, &documents(160, 1), None));
        let of = |part: &str| -> f64 {
            let named = before.iter().zip(&after).filter(|((name, _), _)| name.contains(part));
            named
                .flat_map(|((_, a), (_, b))| a.iter().zip(b))
                .map(|(a, b)| f64::from(a - b).powi(2))
                .sum::<f64>()
                .sqrt()
        };
        (of("layer.0."), of("layer.1."), of("embeddings"))
    };
    let plain = distance(settings());
    let held = distance(Settings { l2_sp: 100.0, ..settings() });
    assert!(held.0 < plain.0 / 2.0 && held.1 < plain.1 / 2.0, "{held:?} {plain:?}");
    let decayed = distance(Settings { layer_decay: 0.5, ..settings() });
    assert!(decayed.0 < 0.7 * plain.0 && decayed.1 > 0.8 * plain.1, "{decayed:?} {plain:?}");
    let last_only = distance(Settings { layer_decay: 0.0, ..settings() });
    assert_eq!((last_only.0, last_only.2), (0.0, 0.0));
    assert!(last_only.1 > 0.0);
}
