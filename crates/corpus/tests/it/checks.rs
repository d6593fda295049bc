//! Each check against its fixture: what it must find, and that it finds nothing in sound data.

use std::{
    env,
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
};

use nomen_corpus::{
    check::{Check, Data, File, Finding, Place, Role, Suspect, SuspectKind, Unreachable, check, mend},
    open, read,
};
use schema::{Document, Label, Schema};

use crate::{document, entity};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/check")
}

/// The fixtures whose name starts with `name`, in order.
fn files(name: &str) -> Vec<File> {
    let mut paths: Vec<PathBuf> = fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| {
        let file = path.file_name().unwrap().to_str().unwrap();
        file.starts_with(name) && !file.ends_with(".expected")
    });
    paths.sort();
    assert!(!paths.is_empty(), "{name} has no fixture");
    paths.iter().map(|path| File::read(open(path, None).unwrap(), Role::of_name(path))).collect()
}

fn schema() -> Schema {
    Schema::of_labels(["CITY", "PERSON"].map(|name| Label::new(name).unwrap()))
}

/// The findings as lines, files by name.
fn told(data: &Data<'_>, findings: &[Finding]) -> String {
    let mut lines = String::new();
    let place = |place: &Place| {
        let file = &data.files[place.file];
        let name = file.path.file_name().unwrap().to_str().unwrap();
        let line = place.line.map_or_else(String::new, |line| format!(":{line}"));
        let shown = place.excerpt(data).map_or_else(String::new, |excerpt| {
            format!("  {:?} [{}] {:?}", excerpt.before, excerpt.marked, excerpt.after)
        });
        format!("{name}{line}{shown}")
    };
    for finding in findings {
        writeln!(lines, "{} {}: {}", finding.check, finding.severity, finding.message).unwrap();
        for shown in &finding.places {
            writeln!(lines, "    {}", place(shown)).unwrap();
        }
    }
    // The name of the folder is that of the machine.
    lines.replace(&format!("{}/", folder().display()), "")
}

/// Compares with a file; `NOMEN_BLESS=1` writes it anew.
#[track_caller]
fn is_as_written(path: &Path, text: &str) {
    if env::var_os("NOMEN_BLESS").is_some() {
        fs::write(path, text).unwrap();
    }
    let written = fs::read_to_string(path).unwrap_or_default();
    assert!(written == text, "{} differs (NOMEN_BLESS=1 accepts it):\n{text}", path.display());
}

/// One of each kind, in the order of the fixture's documents.
fn suspects() -> Vec<Suspect> {
    let suspect = |document, given: &[usize], suggested: &[(usize, usize)], confidence| Suspect {
        document,
        given: given.to_vec(),
        suggested: suggested.iter().map(|(start, end)| entity(*start, *end, "CITY")).collect(),
        confidence,
        is_likely: confidence > 0.9,
    };
    vec![
        suspect(0, &[1], &[(14, 18)], 0.91),
        suspect(1, &[1], &[(8, 16)], 0.93),
        suspect(2, &[], &[(3, 8)], 0.99),
        suspect(3, &[0], &[], 0.6),
    ]
}

#[test]
fn every_check_finds_in_its_fixture_what_is_written_beside_it() {
    for rule in Check::ALL.map(Check::rule) {
        let mut files = files(rule.code);
        if rule.code == "Q025" {
            files[0].unreachable = vec![Unreachable { document: 0, entity: 0, reason: "it ends inside a word".into() }];
        }
        if rule.code == "Q026" {
            files[0].suspects = suspects();
        }
        let schema = schema();
        let data = Data { files: &files, schema: (rule.code == "Q011").then_some(&schema) };
        let findings = check(&data, &[rule.code.parse().unwrap()]);
        assert!(!findings.is_empty(), "{} finds nothing in its fixture", rule.code);
        is_as_written(&folder().join(format!("{}.expected", rule.code)), &told(&data, &findings));
    }
}

#[test]
fn sound_data_has_no_finding_but_notes() {
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/tech");
    for name in ["train.jsonl", "dev.jsonl"] {
        let file = File::read(open(example.join(name), None).unwrap(), None);
        let data = Data { files: &[file], schema: None };
        let structural = [
            Check::Unreadable,
            Check::RepairedTags,
            Check::SpaceAtEdge,
            Check::CutWord,
            Check::AcrossSentences,
            Check::EmptyText,
            Check::Mojibake,
            Check::OtherLanguage,
            Check::InvisibleToken,
            Check::LabelSpellings,
        ];
        let findings = check(&data, &structural);
        assert!(findings.is_empty(), "{}", told(&data, &findings));
    }
}

#[test]
fn the_page_on_checks_is_that_of_the_rules() {
    let mut page = String::from(
        "# Checks\n\n\
         `nomen check FILE...` looks for mistakes in annotated text. Errors are certain, warnings probable, notes worth \
         knowing. `--select` and `--ignore` take codes and names. This page is written from the rules in \
         `crates/corpus/src/check` (`NOMEN_BLESS=1 cargo test -p nomen-corpus --test it -- checks::the_page`).\n\n\
         | code | name | at most |\n|---|---|---|\n",
    );
    for rule in Check::ALL.map(Check::rule) {
        let anchor = format!("{}-{}", rule.code.to_lowercase(), rule.name);
        writeln!(page, "| [{}](#{anchor}) | {} | {} |", rule.code, rule.name, rule.severity).unwrap();
    }
    for rule in Check::ALL.map(Check::rule) {
        let command = rule.command.map_or_else(String::new, |command| format!(" `{command}`"));
        write!(
            page,
            "\n## {} {}\n\n{}\n\n**Why.** {}\n\n**To mend.** {}{command}\n",
            rule.code, rule.name, rule.what, rule.why, rule.fix
        )
        .unwrap();
    }
    is_as_written(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/checks.md"), &page);
}

#[test]
fn what_the_reader_refuses_is_a_finding_with_its_line_and_the_rest_is_checked() {
    let lines = "{\"text\":\"Paris\",\"entities\":[{\"start\":0,\"end\":5,\"label\":\"A\"},{\"start\":2,\"end\":5,\"label\":\"B\"}]}\n\
                 {\"text\":\"Rome \",\"entities\":[{\"start\":0,\"end\":5,\"label\":\"A\"}]}\n";
    let files = [File::read(read(lines.as_bytes(), "lines", nomen_corpus::Format::Jsonl).unwrap(), None)];
    let data = Data { files: &files, schema: None };
    let findings = check(&data, &[Check::Unreadable, Check::SpaceAtEdge]);
    assert_eq!(findings.len(), 2);
    assert!(findings[0].message.contains("overlap") && findings[0].places[0].line == Some(1));
    assert_eq!((findings[1].check, findings[1].places[0].line), (Check::SpaceAtEdge, Some(2)));
}

#[test]
fn label_errors_are_ranked_over_all_files_and_say_what_would_stand_there() {
    let file = || File::read(open(folder().join("Q026.jsonl"), None).unwrap(), None);
    let (mut first, mut second) = (file(), file());
    let suspects = suspects();
    first.suspects = vec![suspects[3].clone(), suspects[0].clone()];
    // What is said of documents and entities that there are not is passed over.
    let stray = [
        Suspect { document: 9, ..suspects[2].clone() },
        Suspect { given: vec![7], suggested: vec![], ..suspects[0].clone() },
    ];
    second.suspects = [suspects[1].clone(), suspects[2].clone()].into_iter().chain(stray).collect();
    let findings = check(&Data { files: &[first, second], schema: None }, &[Check::LabelError]);
    let kinds: Vec<SuspectKind> = findings.iter().map(|finding| finding.suggestion.as_ref().unwrap().kind).collect();
    let ranked = [SuspectKind::Missed, SuspectKind::WrongBoundary, SuspectKind::WrongLabel, SuspectKind::Spurious];
    assert_eq!(kinds, ranked);
    let files: Vec<usize> = findings.iter().map(|finding| finding.places[0].file).collect();
    assert_eq!(files, [1, 1, 0, 0]);
    assert_eq!(findings[1].suggestion.as_ref().unwrap().entities, [entity(8, 16, "CITY")]);
    assert_eq!(findings[0].places[0].label, None, "a missed entity has no label yet");
}

#[test]
fn a_token_has_the_line_of_its_row_past_comments_and_blank_lines() {
    let rows = "# a comment\nA\tO\n# another one\nB\tB-X\n\n\nC\tO\n";
    let file = File::read(read(rows.as_bytes(), "rows", nomen_corpus::Format::Conll).unwrap(), None);
    assert_eq!([file.line(0, 0), file.line(0, 2), file.line(1, 0)], [Some(2), Some(4), Some(7)]);
}

#[test]
fn mending_trims_drops_repetitions_and_empty_texts_and_touches_nothing_else() {
    let sound = document("Anna in Rome", vec![entity(0, 4, "PERSON"), entity(8, 12, "CITY")]);
    let spaced = document("Anna in Rome", vec![entity(0, 5, "PERSON"), entity(7, 12, "CITY")]);
    let other = document("Anna in Rome", vec![entity(0, 4, "PERSON")]);
    let space_only = document("a b", vec![entity(1, 2, "CITY")]);
    let documents =
        vec![sound.clone(), Document::new(" \u{200B}"), spaced, other.clone(), sound.clone(), space_only.clone()];
    let (mended, what) = mend(documents);
    assert_eq!(mended, [sound, other, space_only]);
    assert_eq!((what.empty, what.repeated, what.trimmed), (vec![1], vec![(2, 0), (4, 0)], vec![]));

    let (mended, what) = mend(vec![document("\tÆrø!\n", vec![entity(0, 7, "CITY")])]);
    assert_eq!(mended, [document("\tÆrø!\n", vec![entity(1, 7, "CITY")])]);
    assert_eq!(what.trimmed, [0]);
}

#[test]
fn a_partial_text_does_not_miss_what_nobody_looked_for() {
    let mut documents: Vec<Document> = (0..6).map(|_| document("in Rome", vec![entity(3, 7, "CITY")])).collect();
    documents.push(Document::new("to Rome"));
    let find = |documents: Vec<Document>| {
        let mut file = File::read(read(&b""[..], "none", nomen_corpus::Format::Jsonl).unwrap(), None);
        file.documents = documents;
        check(&Data { files: &[file], schema: None }, &[Check::MissedMention]).len()
    };
    assert_eq!(find(documents.clone()), 1);
    documents[6].partial = true;
    assert_eq!(find(documents), 0);
}

mod properties {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn no_text_and_no_entity_makes_a_check_or_an_excerpt_panic(
            texts in proptest::collection::vec("(?s)[a-cÀ-ÿĀ-ſ€‘-” \\n.,!?\"'()«»Â©\u{FFFD}\u{200B}日本😀]{0,40}", 0..6),
            cuts in proptest::collection::vec((0usize..40, 1usize..20, "[AB]"), 0..6),
        ) {
            let documents: Vec<Document> = texts.iter().map(|text| {
                let ends: Vec<usize> = text.char_indices().map(|(at, _)| at).chain([text.len()]).collect();
                let mut entities = Vec::new();
                let mut end = 0;
                for (skip, length, label) in &cuts {
                    let (start, stop) = (end + skip % 5, end + skip % 5 + length);
                    if let (Some(from), Some(to)) = (ends.get(start), ends.get(stop)) {
                        entities.push(entity(*from, *to, label));
                        end = stop;
                    }
                }
                document(text, entities)
            }).collect();
            let mut files: Vec<File> = [Role::Train, Role::Test].map(|role| {
                File::read(read(&b""[..], "none", nomen_corpus::Format::Jsonl).unwrap(), Some(role))
            }).into();
            files[0].documents.clone_from(&documents);
            files[1].documents.clone_from(&documents);
            let data = Data { files: &files, schema: None };
            let findings = check(&data, &Check::ALL);
            told(&data, &findings);
            let (mended, _) = mend(documents);
            let (again, nothing) = mend(mended.clone());
            prop_assert!(nothing.is_empty());
            prop_assert_eq!(again, mended);
        }
    }
}
