//! Token rows: well formed in several ways, and broken ones (`tests/fixtures` holds each case and its repairs).

use std::{fmt::Write as _, fs, path::Path};

use nomen_corpus::{Format::Conll, ReadOptions, Reader, SchemeEvidence, open, open_with, read_with};
use schema::{Document, tags::Scheme};

use crate::{error_of, read_bytes};

/// `text/LABEL` of each entity.
fn mentions(document: &Document) -> Vec<String> {
    let entities = document.entities().iter();
    entities.map(|entity| format!("{}/{}", entity.span.quote(document.text()), entity.label)).collect()
}

fn fixture(name: &str) -> Reader<'static> {
    open(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name), None).unwrap()
}

/// Scheme, repairs and errors of a fixture, as its `.expected` file lists them.
fn summary(name: &str) -> String {
    let mut reader = fixture(name);
    let mut errors = String::new();
    for document in reader.by_ref() {
        if let Err(error) = document {
            writeln!(errors, "{}", error.to_string().rsplit_once(name).unwrap().1).unwrap();
        }
    }
    let report = reader.into_report();
    let mut summary = format!("scheme {}\n", report.scheme.unwrap());
    writeln!(summary, "{} sentences, {} entities", report.documents, report.entity_count()).unwrap();
    assert_eq!(report.repairs.total, report.repairs.first.len());
    for repair in &report.repairs.first {
        writeln!(summary, "{repair}").unwrap();
    }
    summary + &errors
}

#[test]
fn broken_files_are_refused_or_repaired_as_listed() {
    for name in ["orphan_inside", "mixed_schemes", "wrong_columns", "no_final_newline", "bad_tags"] {
        let expected = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/fixtures/{name}.expected"));
        let found = summary(&format!("{name}.conll"));
        assert_eq!(found, fs::read_to_string(&expected).unwrap_or_default(), "{name}");
    }
}

#[test]
fn a_last_line_without_its_end_loses_nothing() {
    let (documents, _) = read_bytes(b"a\tO\nNew\tB-LOC\nYork\tI-LOC", Conll).unwrap();
    assert_eq!(mentions(&documents[0]), ["New York/LOC"]);
}

#[test]
fn tokens_become_a_text_with_known_boundaries() {
    let text = "# sent_id = 7\n# from = a note\nEU\tB-ORG\n#\tO\n👩‍🔬\tO\n\n\n-DOCSTART-\tO\n\nA B\tB-creative-work\n";
    let (documents, report) = read_bytes(text.as_bytes(), Conll).unwrap();
    assert_eq!(documents[0].text(), "EU # 👩‍🔬");
    assert_eq!(documents[0].id.as_deref(), Some("7"));
    assert_eq!(documents[0].meta["comments"][0], "from = a note");
    assert!(!documents[0].meta.contains_key("docstart"));
    assert_eq!(documents[0].tokens().unwrap().iter().map(|token| token.len()).collect::<Vec<_>>(), [2, 1, 11]);
    assert_eq!(documents[1].meta["docstart"], 1);
    assert_eq!(mentions(&documents[1]), ["A B/creative-work"]);
    assert_eq!((report.documents, report.tokens), (2, 4));
}

#[test]
fn spaces_tabs_and_line_ends_of_either_kind_say_the_same() {
    let tabs = "-DOCSTART-\t-X-\tO\tO\n\nEU\tNNP\tI-NP\tB-ORG\nsays\tVBZ\tI-VP\tO\n\n";
    let (expected, _) = read_bytes(tabs.as_bytes(), Conll).unwrap();
    for text in [tabs.replace('\t', " "), tabs.replace('\t', "  "), tabs.replace('\n', "\r\n")] {
        assert_eq!(read_bytes(text.as_bytes(), Conll).unwrap().0, expected);
    }
    let marked = format!("\u{feff}{tabs}");
    let (documents, report) = read_bytes(marked.as_bytes(), Conll).unwrap();
    assert_eq!((documents, report.byte_order_mark), (expected, true));
}

#[test]
fn each_scheme_is_concluded_from_its_tags_or_taken_as_given() {
    let rows = |tags: &str| tags.split(' ').fold(String::new(), |rows, tag| rows + "x\t" + tag + "\n");
    for (tags, scheme) in [
        ("I-A B-A O I-B I-B", Scheme::Iob1),
        ("B-A B-A O B-B I-B", Scheme::Iob2),
        ("E-A I-A O I-B I-B", Scheme::Ioe1),
        ("E-A E-A O I-B E-B", Scheme::Ioe2),
        ("S-A S-A O B-B E-B", Scheme::Iobes),
        ("U-A U-A O B-B L-B", Scheme::Bilou),
    ] {
        let (documents, report) = read_bytes(rows(tags).as_bytes(), Conll).unwrap();
        assert_eq!((report.scheme.unwrap().scheme, report.repairs.total), (scheme, 0), "{tags}");
        assert_eq!(mentions(&documents[0]), ["x/A", "x/A", "x x/B"], "{tags}");
        let options = ReadOptions { format: Some(Conll), scheme: Some(Scheme::Iob2), ..ReadOptions::default() };
        let text = rows(tags);
        let mut given = read_with(text.as_bytes(), "data", &options).unwrap();
        assert_eq!(given.by_ref().map(Result::unwrap).collect::<Vec<_>>(), documents);
        assert_eq!(given.report().scheme.unwrap().evidence, SchemeEvidence::Given);
        assert_eq!(given.report().repairs.total == 0, scheme == Scheme::Iob2, "{tags}");
    }
}

#[test]
fn numbered_tokens_comments_and_ranges_of_conll_u_are_understood() {
    let text = "# text = dos gatos\n1-2\tdos\t_\t_\n1\tde\tO\tx\n2\tos\tB-A\tx\n2.1\t_\t_\t_\n3\tgatos\tI-A\tx\n\n";
    let (documents, report) = read_bytes(text.as_bytes(), Conll).unwrap();
    assert_eq!(documents[0].text(), "de os gatos");
    assert_eq!(mentions(&documents[0]), ["os gatos/A"]);
    assert_eq!(report.skipped_rows, 2);
}

#[test]
fn one_column_is_no_annotated_file() {
    assert!(error_of("word\nword\n", Conll).starts_with("data:1: one column only"));
    assert!(error_of("a\tO\n\tO\n", Conll).starts_with("data:2: the token is empty"));
}

#[test]
fn the_whole_file_decides_the_scheme_even_if_its_beginning_does_not() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("late.conll");
    // A MiB of sentences that fit IOB1 and IOB2 alike for lack of entities, then IOBES.
    let mut text = "word\tO\n\n".repeat(1 << 17);
    text.push_str("a\tB-X\nb\tE-X\n\n");
    fs::write(&path, &text).unwrap();
    let mut reader = open(&path, None).unwrap();
    assert_eq!(reader.report().scheme.unwrap().scheme, Scheme::Iobes);
    assert!(reader.by_ref().all(|document| document.is_ok()));
    assert_eq!((reader.report().repairs.total, reader.report().documents), (0, (1 << 17) + 1));
    // A stream cannot be read twice: the same tags are understood alike, and listed as repairs.
    let (documents, report) = read_bytes(text.as_bytes(), Conll).unwrap();
    assert!(matches!(report.scheme.unwrap().evidence, SchemeEvidence::Beginning { .. }));
    assert_eq!(report.repairs.first[0].to_string(), format!("line {}: E-X taken as I-X", (1 << 18) + 2));
    assert_eq!(mentions(documents.last().unwrap()), ["a b/X"]);
}

#[test]
fn a_given_scheme_needs_no_first_pass_over_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.conll");
    fs::write(&path, "a\tU-X\n").unwrap();
    let options = ReadOptions { scheme: Some(Scheme::Bilou), ..ReadOptions::default() };
    let reader = open_with(&path, &options).unwrap();
    assert_eq!(reader.report().scheme.unwrap().evidence, SchemeEvidence::Given);
}
