//! Public data sets, where they are present beside the project, through every format and back.

use std::{collections::BTreeMap, path::PathBuf};

use nomen_corpus::{Format, Loss, Losses, ReadOptions, WriteOptions, Writer, read_all, read_with};
use schema::{Document, Entity, Label, Span, offset::Unit, tags::Scheme};

use crate::real_files::data;

/// Documents of each file that are written in every format, from its first.
const EACH: usize = 300;
/// And between any two formats.
const BETWEEN: usize = 12;

/// The files of every set that has a format of ours.
fn files() -> Option<Vec<PathBuf>> {
    let data = data()?;
    let of = |set: &str, endings: [&str; 3]| endings.map(|ending| data.join(set).join(ending)).to_vec();
    let conll = ["crossner_ai", "crossner_science", "ncbi_disease", "snips_slots", "uner_da_ddt", "wnut17"];
    let mut files: Vec<PathBuf> =
        conll.iter().flat_map(|set| of(set, ["train.conll", "dev.conll", "test.conll"])).collect();
    files.extend(of("tech", ["train.json", "dev.json", "test.json"]));
    files.extend(["wikigold.iob1.txt", "sec_fin3.iob1.txt"].map(|name| data.join("originals").join(name)));
    files.push(data.join("raw_rustsec/corpus.jsonl"));
    Some(files)
}

/// A format and the name of a file of it; Hugging Face rows are lines or Parquet.
fn targets() -> Vec<(Format, &'static str)> {
    let written = Format::ALL.into_iter().filter(|format| format.is_written());
    written.map(|format| (format, "out")).chain([(Format::Huggingface, "out.parquet")]).collect()
}

/// The documents that the format holds, as they were and as they come back, and what was lost of them all; the others with
/// the reason.
fn there_and_back(
    documents: &[Document],
    (format, name): (Format, &str),
) -> (Vec<Document>, Vec<Document>, Losses, Vec<String>) {
    let mut writer = Writer::new(Vec::new(), name, format, WriteOptions::default());
    let (mut held, mut refused) = (Vec::new(), Vec::new());
    for document in documents {
        match writer.write(document) {
            Ok(()) => held.push(document.clone()),
            Err(error) => refused.push(error.to_string()),
        }
    }
    let (bytes, losses) = writer.finish().unwrap();
    let unit = (format == Format::Doccano).then_some(Unit::CodePoints);
    let scheme = Some(Scheme::Iob2);
    let options = ReadOptions { format: Some(format), unit, scheme, ..ReadOptions::default() };
    let back = read_with(&bytes[..], name, &options).unwrap().collect::<Result<Vec<_>, _>>();
    (held, back.unwrap_or_else(|error| panic!("{format}: {error}")), losses, refused)
}

/// What is left of a document in a format, without what is called lost.
fn without(document: &Document, format: Format, losses: &Losses) -> Document {
    let lost = |loss| losses.documents(loss) > 0;
    let kept = |entity: &Entity| Entity {
        score: entity.score.filter(|_| !lost(Loss::Score)),
        source: entity.source.clone().filter(|_| !lost(Loss::Source)),
        ..entity.clone()
    };
    let entities = if lost(Loss::Entities) { Vec::new() } else { document.entities().iter().map(kept).collect() };
    let mut left = Document::new(document.text()).with_entities(entities).unwrap();
    if let Some(tokens) = document.tokens().filter(|_| !lost(Loss::Tokens)) {
        left = left.with_tokens(tokens.to_vec()).unwrap();
    }
    left.id = document.id.clone().filter(|_| !lost(Loss::Id));
    left.meta.clone_from(&document.meta);
    if lost(Loss::Meta) {
        // CoNLL's groups of sentences are all that it holds of it.
        left.meta.retain(|field, _| format == Format::Conll && field == "docstart");
    }
    // Plain text never says that a text without entities is complete.
    left.partial = document.partial && !lost(Loss::Partial) || format == Format::Text;
    left.looked_for = document.looked_for.clone().filter(|_| !lost(Loss::LookedFor));
    left
}

fn bare(text: &str) -> String {
    text.chars().filter(|character| !character.is_whitespace()).collect()
}

fn quotes(document: &Document) -> Vec<(String, &Label)> {
    document.entities().iter().map(|e| (bare(e.span.quote(document.text())), &e.label)).collect()
}

/// The document behind the format is the one before it, in all that the format holds.
fn assert_same(before: &Document, back: &Document, losses: &Losses, place: &str) {
    assert_eq!(bare(back.text()), bare(before.text()), "{place}");
    if losses.documents(Loss::Entities) == 0 {
        assert_eq!(quotes(back), quotes(before), "{place}");
    }
    if losses.documents(Loss::WhiteSpace) + losses.documents(Loss::EntityEdges) > 0 {
        return;
    }
    let mut back = back.clone();
    if let (Some(number), Some(_)) = (before.meta.get("docstart"), back.meta.get("docstart")) {
        // A group is numbered in its file, and here it is the first.
        back.meta.insert("docstart".into(), number.clone());
    }
    if before.tokens().is_none() && back.tokens().is_some() {
        // A format of tokens cuts a text that has none; what else it says is compared.
        back = without_tokens(&back);
    }
    let expected = if losses.documents(Loss::TokenCut) > 0 {
        back = without_tokens(&back);
        without_tokens(before)
    } else {
        before.clone()
    };
    assert_eq!(back, expected, "{place}");
}

fn without_tokens(document: &Document) -> Document {
    let mut without = Document::new(document.text()).with_entities(document.entities().to_vec()).unwrap();
    without.id.clone_from(&document.id);
    without.meta.clone_from(&document.meta);
    without.partial = document.partial;
    without.looked_for.clone_from(&document.looked_for);
    without
}

#[test]
fn every_set_comes_back_from_every_format_with_all_that_the_format_holds() {
    let Some(files) = files() else { return };
    let mut compared: BTreeMap<String, usize> = BTreeMap::new();
    for file in files {
        let (mut documents, _) = read_all(&file, None).unwrap();
        documents.truncate(EACH);
        for target in targets() {
            for document in &documents {
                let place = format!("{} as {} ({})", file.display(), target.0, target.1);
                let (held, back, losses, refused) = there_and_back(std::slice::from_ref(document), target);
                assert!(refused.iter().all(|reason| is_known(target.0, reason)), "{place}: {refused:?}");
                if losses.documents(Loss::EmptyText) > 0 {
                    assert!(back.is_empty(), "{place}");
                    continue;
                }
                assert_eq!(back.len(), held.len(), "{place}");
                if let (Some(held), Some(back)) = (held.first(), back.first()) {
                    assert_same(&without(held, target.0, &losses), back, &losses, &place);
                    *compared.entry(format!("{} {}", target.0, target.1)).or_default() += 1;
                }
            }
        }
    }
    assert_eq!(compared.len(), targets().len());
    assert!(compared.values().all(|documents| *documents > 4000), "{compared:?}");
}

/// What a format may refuse of these sets: a text of several lines is none of `text`.
fn is_known(format: Format, reason: &str) -> bool {
    format == Format::Text && reason.contains("line") || reason.contains("write `jsonl`")
}

#[test]
fn entities_of_every_set_come_back_over_any_two_formats() {
    let Some(files) = files() else { return };
    let annotated: Vec<_> = targets().into_iter().filter(|(format, _)| *format != Format::Text).collect();
    for file in files {
        let (mut documents, _) = read_all(&file, None).unwrap();
        documents.truncate(BETWEEN);
        for first in &annotated {
            let (_, in_first, ..) = there_and_back(&documents, *first);
            for second in &annotated {
                let (held, in_second, ..) = there_and_back(&in_first, *second);
                let (_, again, ..) = there_and_back(&in_second, *first);
                let place = format!("{}: {first:?} {second:?}", file.display());
                assert_eq!(again.len(), held.len(), "{place}");
                for (again, held) in again.iter().zip(&held) {
                    assert_eq!(bare(again.text()), bare(held.text()), "{place}");
                    assert_eq!(quotes(again), quotes(held), "{place}");
                    let spans = |document: &Document| document.entities().iter().map(|e| e.span).collect::<Vec<Span>>();
                    assert!(again.text() != held.text() || spans(again) == spans(held), "{place}");
                }
            }
        }
    }
}
