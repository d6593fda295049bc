//! Public data sets, where they are present beside the project: counts against what their makers say.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use nomen_corpus::{Format, SchemeEvidence, WriteOptions, open, read_all};
use schema::tags::Scheme;

use crate::{read_bytes, write_bytes};

/// The folder of data sets; `None`, and a line that says so, where it is absent.
pub(crate) fn data() -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
    if folder.is_dir() {
        return Some(folder);
    }
    eprintln!("skipped: no data sets in shared/data beside the project");
    None
}

/// Rows of the table in `ABOUT.md` whose header starts with these cells: name to cells.
fn table(about: &str, header: &str) -> BTreeMap<String, Vec<String>> {
    let is_header = |line: &str| line.starts_with(&format!("| {header} |"));
    let mut lines = about.lines().skip_while(|line| !is_header(line));
    let _header_and_rule = (lines.next(), lines.next());
    lines
        .take_while(|line| line.starts_with('|'))
        .map(|line| {
            let mut cells = line.trim_matches('|').split('|').map(|cell| cell.trim().to_owned());
            (cells.next().unwrap(), cells.collect())
        })
        .collect()
}

const SPLITS: [&str; 3] = ["train", "dev", "test"];

#[test]
fn every_conll_set_has_the_counts_that_its_page_states_and_survives_a_round_trip() {
    let Some(data) = data() else { return };
    let mut files = 0;
    for set in ["crossner_ai", "crossner_science", "ncbi_disease", "snips_slots", "uner_da_ddt", "wnut17"] {
        let about = fs::read_to_string(data.join(set).join("ABOUT.md")).unwrap();
        let (sizes, labels) = (table(&about, "split"), table(&about, "label | train"));
        for (column, split) in SPLITS.iter().enumerate() {
            let path = data.join(set).join(format!("{split}.conll"));
            let (documents, report) = read_all(&path, None).unwrap();
            let name = path.display();
            assert_eq!(report.format, Format::Conll, "{name}");
            let scheme = report.scheme.unwrap();
            assert_eq!((scheme.scheme, report.repairs.total), (Scheme::Iob2, 0), "{name}");
            assert!(matches!(scheme.evidence, SchemeEvidence::WholeFile { repairs: 0, .. }), "{name}");
            let size = [report.documents, report.tokens, report.entity_count()].map(|count| count.to_string());
            assert_eq!(size, sizes[*split][..3], "{name}");
            for (label, counts) in &labels {
                let found = report.entities.get(label.as_str()).copied().unwrap_or(0);
                assert_eq!(found.to_string(), counts[column], "{name}: {label}");
            }
            for format in [Format::Conll, Format::Jsonl] {
                let written = write_bytes(&documents, format, WriteOptions::default());
                assert_eq!(read_bytes(&written, format).unwrap().0, documents, "{name} as {format}");
            }
            files += 1;
        }
    }
    assert_eq!(files, 18);
}

#[test]
fn the_spacy_lists_have_the_counts_that_their_page_states_and_survive_a_round_trip() {
    let Some(data) = data() else { return };
    let about = fs::read_to_string(data.join("tech/ABOUT.md")).unwrap();
    let (sizes, labels) = (table(&about, "split"), table(&about, "label | train"));
    for (column, split) in SPLITS.iter().enumerate() {
        let (documents, report) = read_all(data.join(format!("tech/{split}.json")), None).unwrap();
        assert_eq!(report.format, Format::SpacyList);
        assert_eq!(report.documents.to_string(), sizes[*split][0]);
        assert_eq!(documents.iter().filter(|d| d.entities().is_empty()).count().to_string(), sizes[*split][2]);
        for (label, counts) in &labels {
            assert_eq!(report.entities[label.as_str()].to_string(), counts[column], "{split}: {label}");
        }
        for format in [Format::SpacyList, Format::Jsonl] {
            let written = write_bytes(&documents, format, WriteOptions::default());
            assert_eq!(read_bytes(&written, format).unwrap().0, documents, "{split} as {format}");
        }
    }
}

#[test]
fn the_original_files_are_read_as_their_makers_left_them() {
    let Some(data) = data() else { return };
    let originals = data.join("originals");
    let facts = |name: &str| {
        let (_, report) = read_all(originals.join(name), None).unwrap();
        let columns = report.columns.unwrap();
        (report.scheme.unwrap().scheme, columns.token, columns.tag, report.documents, report.entity_count())
    };
    // The same sentences as the cleaned sets: numbered tokens and comments there, a hash as a token here.
    assert_eq!(facts("da_ddt.dev.iob2"), (Scheme::Iob2, 1, 2, 564, 379));
    assert_eq!(facts("wnut17.dev.conll"), (Scheme::Iob2, 0, 1, 1009, 836));
    assert_eq!(facts("wnut17.test.annotated"), (Scheme::Iob2, 0, 1, 1287, 1079));
    assert_eq!(facts("wikigold.iob1.txt").0, Scheme::Iob1);
    assert_eq!(facts("sec_fin3.iob1.txt").0, Scheme::Iob1);

    let (sentences, report) = read_all(originals.join("wikigold.iob1.txt"), None).unwrap();
    assert_eq!((report.documents, report.repairs.total), (1696, 0));
    assert_eq!(sentences.last().unwrap().meta["docstart"], 144);
    let refused = open(originals.join("snips.train_BookRestaurant.json"), None).err().unwrap();
    assert!(refused.to_string().contains("not recognized"), "{refused}");
}

#[test]
fn raw_texts_are_read_with_their_other_fields_as_metadata() {
    let Some(data) = data() else { return };
    let path = data.join("raw_rustsec/corpus.jsonl");
    let (documents, report) = read_all(&path, None).unwrap();
    let lines = fs::read_to_string(path).unwrap().lines().count();
    assert_eq!((report.documents, report.unannotated), (lines, lines));
    assert!(documents.iter().all(|document| document.partial && document.meta.contains_key("title")));
}
