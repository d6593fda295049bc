//! Cross-validation with the tiny model: who judges what, and that errors stand out.

use std::path::{Path, PathBuf};

use nomen_train::{CrossValidation, CrossValidationError, Settings, Source, Verdict, label_errors};
use schema::{Document, Entity, Label};

use crate::sample::{documents, settings};

fn base() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../model/testdata/bert")
}

fn source(documents: &[Document]) -> Source<'_> {
    Source { path: Path::new("sample.jsonl"), documents }
}

/// Every document's verdict, by the model of its fold.
fn judge(cross: &CrossValidation<'_>, count: usize) -> Vec<Verdict> {
    let mut verdicts = vec![None; count];
    for (fold, held_out) in cross.folds().iter().enumerate() {
        let mut fit = cross.fit(fold).unwrap();
        while fit.step().unwrap().is_some() {}
        let judged = cross.judge(fold, &mut fit).unwrap();
        assert_eq!(judged.len(), held_out.len());
        for (document, verdict) in held_out.iter().zip(judged) {
            assert!(verdicts[*document].replace(verdict).is_none(), "document {document} is judged twice");
        }
    }
    verdicts.into_iter().map(Option::unwrap).collect()
}

fn quick() -> Settings {
    Settings { num_train_epochs: 1, ..settings() }
}

#[test]
fn every_document_is_judged_once_and_the_same_again_gives_the_same() {
    let documents = documents(60, 3);
    let base = base();
    let once = || {
        let cross = CrossValidation::new(source(&documents), &base, quick(), 3).unwrap();
        (cross.folds().to_vec(), judge(&cross, documents.len()))
    };
    let (folds, verdicts) = once();
    let mut all: Vec<usize> = folds.concat();
    all.sort_unstable();
    assert_eq!(all, (0..60).collect::<Vec<_>>());
    for (document, verdict) in documents.iter().zip(&verdicts) {
        assert_eq!(verdict.given.len(), verdict.slots.len());
        assert_eq!(verdict.logits.len(), verdict.slots.len() * 5);
        assert!(verdict.entities.iter().all(|entity| entity.span.end() <= document.text().len()));
    }
    assert_eq!((folds, verdicts), once());
}

#[test]
fn equal_and_nearly_equal_texts_are_in_one_fold() {
    let mut documents = documents(20, 4);
    let long =
        "the boat and the teacher were an example that nora hand compiles today and reads in the north rain again";
    let label = Label::new("PER").unwrap();
    for text in [long.to_owned(), long.to_uppercase(), format!("{long} indeed")] {
        let span = schema::Span::new(4, 8).unwrap();
        documents.push(Document::new(text).with_entities(vec![Entity::new(span, label.clone())]).unwrap());
    }
    let base = base();
    let cross = CrossValidation::new(source(&documents), &base, quick(), 4).unwrap();
    let fold = |document: usize| cross.folds().iter().position(|fold| fold.contains(&document)).unwrap();
    assert_eq!([fold(20), fold(21)], [fold(22); 2]);
}

#[test]
fn folds_that_cannot_be_made_are_refused_with_their_file() {
    let documents = documents(3, 5);
    let base = base();
    for folds in [0, 1, 4, usize::MAX] {
        let Err(error) = CrossValidation::new(source(&documents), &base, quick(), folds) else {
            panic!("{folds} folds of 3 documents were made");
        };
        assert!(matches!(error, CrossValidationError::Folds { .. }));
        assert!(error.to_string().starts_with(&format!("sample.jsonl: {folds} folds cannot be made")), "{error}");
    }
}

#[test]
fn wrong_labels_in_data_that_can_be_learned_are_ranked_first() {
    let mut documents = documents(160, 6);
    let swap = |label: &Label| Label::new(if label.as_str() == "PER" { "creative-work" } else { "PER" }).unwrap();
    let mut wrong = Vec::new();
    for at in (0..160).step_by(20) {
        let mut entities = documents[at].entities().to_vec();
        if let Some(entity) = entities.first_mut() {
            entity.label = swap(&entity.label);
            wrong.push(at);
            documents[at] = documents[at].clone().with_entities(entities).unwrap();
        }
    }
    assert!(wrong.len() >= 6, "{wrong:?}");
    let base = base();
    let settings = Settings { num_train_epochs: 5, ..settings() };
    let cross = CrossValidation::new(source(&documents), &base, settings, 4).unwrap();
    let verdicts = judge(&cross, documents.len());
    let pairs: Vec<(&Document, &Verdict)> = documents.iter().zip(&verdicts).collect();
    let tag_set = cross.fit(0).unwrap().bundle().codec.tag_set().clone();
    let errors = label_errors(&tag_set, &pairs).unwrap();
    let first: Vec<usize> = errors.iter().take(wrong.len()).map(|error| error.document).collect();
    let right = first.iter().filter(|document| wrong.contains(document)).count();
    assert!(right * 4 >= wrong.len() * 3, "{first:?} instead of {wrong:?}");
}
