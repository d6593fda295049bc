//! Hugging Face rows as JSON lines and as Parquet: what datasets and pyarrow wrote is read, what is written is read
//! again, and what is damaged is an error. `bench/formats/hf_rows.py` lets datasets read what is written here.

use std::{
    fs,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use nomen_corpus::{
    Evidence, Format, Loss, ReadError, ReadOptions, Report, SchemeEvidence, WriteOptions, Writer, open, open_with,
    read_all, read_with,
};
use proptest::{collection::vec, prelude::*};
use schema::{Document, tags::Scheme};
use serde_json::json;

use crate::{document, entity, error_of, read_bytes, round_trips::sentences, write_bytes};

const ROWS: Format = Format::Huggingface;

fn golden(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/binary").join(name)
}

fn names() -> Vec<String> {
    ["O", "B-PER", "I-PER", "B-ORG", "I-ORG", "B-creative-work"].map(str::to_owned).to_vec()
}

fn read_named(path: &Path, tag_names: Option<Vec<String>>) -> Result<(Vec<Document>, Report), ReadError> {
    let mut reader = open_with(path, &ReadOptions { tag_names, ..ReadOptions::default() })?;
    let documents = reader.by_ref().collect::<Result<Vec<_>, _>>()?;
    Ok((documents, reader.into_report()))
}

/// Documents as the bytes of a Parquet file.
fn parquet(documents: &[Document], scheme: Scheme) -> Vec<u8> {
    let options = WriteOptions { scheme, ..WriteOptions::default() };
    let mut writer = Writer::new(Vec::new(), "out.parquet", ROWS, options);
    for document in documents {
        writer.write(document).unwrap();
    }
    writer.finish().unwrap().0
}

#[test]
fn what_datasets_and_pyarrow_wrote_is_read_alike() {
    let files = [
        ("rows.parquet", None),
        ("rows_gzip.parquet", None),
        ("rows_zstd.parquet", None),
        ("rows.jsonl", Some(names())),
    ];
    for (file, tag_names) in files {
        let (documents, report) = read_named(&golden(file), tag_names).unwrap();
        assert_eq!((report.format, report.evidence), (ROWS, Evidence::Content), "{file}");
        let found = report.scheme.unwrap();
        assert_eq!(found.scheme, Scheme::Iob2);
        assert_eq!(found.evidence, SchemeEvidence::WholeFile { tags: 8, repairs: 0 }, "{file}");
        let texts: Vec<&str> = documents.iter().map(Document::text).collect();
        assert_eq!(texts, ["EU rejects German call", "", "Zoë 👩‍🔬 met Zoë"], "{file}");
        assert_eq!(documents[0].entities(), [entity(0, 2, "ORG"), entity(11, 17, "creative-work")]);
        assert_eq!(documents[2].entities(), [entity(0, 16, "PER"), entity(21, 25, "PER")]);
        assert_eq!(documents[2].tokens().map(<[_]>::len), Some(4));
        assert_eq!(documents[1].id.as_deref(), Some("1"));
        assert_eq!((&documents[0].meta["pages"], &documents[0].meta["weight"]), (&json!([1, 2]), &json!(0.5)));
        assert_eq!(report.moved_to_meta.iter().collect::<Vec<_>>(), ["pages", "weight"]);
    }
}

#[test]
fn a_page_that_unpacks_to_another_length_than_it_claims_is_refused_before_it_is_unpacked() {
    let bytes = fs::read(golden("rows_gzip.parquet")).unwrap();
    // A dictionary page begins with its type, 2, and its claim, a number of one byte here.
    let header = bytes.windows(3).position(|window| window[..3] == [0x15, 0x04, 0x15]).unwrap();
    for claim in [0x02, 0x7E] {
        let mut bytes = bytes.clone();
        bytes[header + 3] = claim;
        let error = nomen_corpus::read(&bytes[..], "data", ROWS).err().unwrap().to_string();
        assert!(error.contains("a page claims another length than it has"), "{claim}: {error}");
    }
}

#[test]
fn numbers_without_names_are_an_error_that_says_where_names_can_come_from() {
    let refused = read_named(&golden("rows.jsonl"), None).unwrap_err().to_string();
    assert!(refused.contains("rows.jsonl:1: field `ner_tags`: holds numbers such as 3"), "{refused}");
    assert!(
        refused.contains("`nomen convert --tag-names O,B-PER,I-PER,...`") && refused.contains("dataset_info.json"),
        "{refused}"
    );
    let few = read_named(&golden("rows.jsonl"), Some(names()[..3].to_vec())).unwrap_err().to_string();
    assert!(few.contains("field `ner_tags`: 3 has no name: the list names 0 to 2"), "{few}");
    let bad = read_named(&golden("rows.jsonl"), Some(vec!["O".into(), "PER".into()])).unwrap_err().to_string();
    assert!(bad.contains("the names of the tags, number 1") && bad.contains("`PER` is not a tag"), "{bad}");
}

#[test]
fn a_description_beside_the_file_names_the_tags() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("rows.jsonl");
    fs::copy(golden("rows.jsonl"), &path).unwrap();
    let class = json!({"names": names(), "_type": "ClassLabel"});
    let lists = [
        json!({"feature": class, "_type": "Sequence"}),
        json!({"feature": class, "length": -1, "_type": "List"}),
        json!([class]),
    ];
    for ner_tags in lists {
        let info = json!({"features": {"ner_tags": ner_tags}});
        fs::write(folder.path().join("dataset_info.json"), info.to_string()).unwrap();
        assert_eq!(read_all(&path, None).unwrap().1.entity_count(), 4);
    }
    fs::write(folder.path().join("dataset_info.json"), "{").unwrap();
    let error = open(&path, None).err().unwrap().to_string();
    assert!(error.contains("field `dataset_info.json`: the file beside the data"), "{error}");
}

#[test]
fn what_is_wrong_with_a_row_is_named() {
    for (line, told) in [
        (r#"{"tokens":["a"],"ner_tags":["O","O"]}"#, "data:1: field `ner_tags`: holds 2 tags for 1 tokens"),
        (r#"{"tokens":["a"],"tags":["PER"]}"#, "data:1: token `a`: `PER` is not a tag"),
        (r#"{"tokens":["a"]}"#, "field `ner_tags`: is missing; a row has `tokens` and"),
        (r#"{"ner_tags":["O"]}"#, "field `tokens`: is missing"),
        (r#"{"tokens":["a",1],"ner_tags":["O","O"]}"#, "field `tokens`: expected a list of strings, found a number"),
        (r#"{"tokens":["a"],"ner_tags":[1.5]}"#, "field `ner_tags`: expected a list of names or numbers of tags"),
        (r#"{"tokens":[""],"ner_tags":["O"]}"#, "the token is empty"),
        (r#"{"id":[],"tokens":[],"ner_tags":[]}"#, "field `id`: expected a string or a number, found a list"),
        ("[1]", "field `the line`: expected an object"),
    ] {
        let error = error_of(line, ROWS);
        assert!(error.starts_with("data:1: ") && error.contains(told), "{told}: {error}");
    }
}

#[test]
fn autotrain_rows_with_repairs_are_read_and_listed() {
    let lines = "{\"tokens\":[\"Ada\",\"Byron\",\"x\"],\"tags\":[\"B-PER\",\"I-PER\",\"O\"]}\n\n{\"id\":7,\"tokens\":[\"Bo\"],\"tags\":[\"I-PER\"]}\n";
    let (documents, report) = read_bytes(lines.as_bytes(), ROWS).unwrap();
    assert_eq!(documents[1].id.as_deref(), Some("7"));
    assert_eq!(report.repairs.first[0].to_string(), "line 3: I-PER taken as B-PER");
    let mut reader = nomen_corpus::read(&b"{\n{\"tokens\":[],\"tags\":[]}\n"[..], "data", ROWS).unwrap();
    assert!(reader.next().unwrap().is_err());
    assert!(reader.next().unwrap().is_ok(), "the lines behind a broken one are read");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn both_containers_give_back_tokens_and_entities_in_every_scheme(
        several in vec(sentences(), 0..4), named in any::<bool>()
    ) {
        let mut several = several;
        for (number, document) in several.iter_mut().enumerate() {
            document.id = (named || number == 1).then(|| number.to_string());
        }
        for scheme in Scheme::ALL {
            let options = WriteOptions { scheme, ..WriteOptions::default() };
            for bytes in [write_bytes(&several, ROWS, options), parquet(&several, scheme)] {
                let (read, report) = read_bytes(&bytes, ROWS).unwrap();
                prop_assert_eq!(&read, &several);
                prop_assert_eq!(report.repairs.total, 0);
            }
        }
    }
}

#[test]
fn files_of_the_same_labels_number_them_alike() {
    let one = document("Rome Ada", vec![entity(0, 4, "LOC"), entity(5, 8, "PER")]);
    let other = document("Ada Rome", vec![entity(0, 3, "PER"), entity(4, 8, "LOC")]);
    let description = |document: Document| {
        let bytes = parquet(&[document], Scheme::Iob2);
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let start = text.find("{\"info\"").unwrap();
        text[start..start + text[start..].find("}}}}").unwrap()].to_owned()
    };
    let described = description(one);
    assert!(described.contains(r#"["O","B-LOC","I-LOC","B-PER","I-PER"]"#), "{described}");
    assert_eq!(described, description(other));
}

#[test]
fn losses_are_named() {
    let mut writer = Writer::new(Vec::new(), "out", ROWS, WriteOptions::default());
    let mut partial = document("Ada  met", vec![entity(0, 3, "PER")]);
    partial.partial = true;
    partial.meta.insert("a".into(), json!(1));
    writer.write(&partial).unwrap();
    writer.write(&document(" ", vec![])).unwrap();
    let losses = writer.finish().unwrap().1;
    assert_eq!([Loss::Partial, Loss::Meta, Loss::WhiteSpace].map(|loss| losses.documents(loss)), [1, 1, 2]);
    assert_eq!(losses.iter().count(), 3);
}

#[test]
fn many_rows_come_back_across_groups() {
    let long = vec!["word"; 200_000].join(" ");
    let several = [document(&long, vec![entity(0, 4, "X")]), document(&long, vec![]), document("end", vec![])];
    let (read, report) = read_bytes(&parquet(&several, Scheme::Iob2), ROWS).unwrap();
    assert_eq!(read.iter().map(|document| document.text().len()).collect::<Vec<_>>(), [999_999, 999_999, 3]);
    assert_eq!((report.tokens, report.entity_count()), (400_001, 1));
}

#[test]
fn damaged_parquet_is_an_error_or_documents() {
    for name in ["rows.parquet", "rows_zstd.parquet"] {
        let file = fs::read(golden(name)).unwrap();
        for cut in 4..file.len() {
            let error = read_bytes(&file[..cut], ROWS).unwrap_err().to_string();
            assert!(error.contains("data: not a sound `huggingface` file: Parquet: it is cut off"), "{cut}: {error}");
        }
        for at in 4..file.len() {
            for change in [0x01, 0x20, 0xff] {
                let mut file = file.clone();
                file[at] ^= change;
                let Ok(reader) = nomen_corpus::read(&file[..], "data", ROWS) else { continue };
                for document in reader.take(1000) {
                    if let Err(error) = document {
                        assert!(error.to_string().starts_with("data: "), "{at}: {error}");
                    }
                }
            }
        }
    }
}

#[test]
fn a_file_above_the_limit_and_a_description_too_large_are_refused() {
    let file = fs::read(golden("rows.parquet")).unwrap();
    let limits = nomen_corpus::Limits { whole_file_bytes: 1000, ..nomen_corpus::Limits::default() };
    let options = ReadOptions { format: Some(ROWS), limits, ..ReadOptions::default() };
    let error = read_with(&file[..], "data", &options).err().unwrap().to_string();
    assert!(error.contains("data: the file exceeds the limit of 1000 bytes"), "{error}");
    let large = [b"PAR1", &[0; 100][..], &u32::MAX.to_le_bytes(), b"PAR1"].concat();
    let error = nomen_corpus::read(&large[..], "data", ROWS).err().unwrap().to_string();
    assert!(error.contains("its description exceeds the limit"), "{error}");
}

/// A description of columns nested as deep as its size allows; the crate that reads it goes down by recursion.
#[test]
fn columns_nested_without_end_are_an_error() {
    // Thrift's compact protocol: a version, then the list of columns, each a name and the number of its children.
    let mut description = vec![0x15, 0x02, 0x19, 0xfc];
    let levels = 180_000u32;
    let mut left = levels;
    while left >= 0x80 {
        description.push(left as u8 | 0x80);
        left >>= 7;
    }
    description.push(left as u8);
    for level in 0..levels {
        if level + 1 < levels {
            description.extend_from_slice(b"\x48\x01a\x15\x02\x00");
        } else {
            description.extend_from_slice(b"\x15\x02\x38\x01a\x00");
        }
    }
    description.extend_from_slice(b"\x16\x00\x19\x0c\x00");
    let length = u32::try_from(description.len()).unwrap().to_le_bytes();
    let file = [b"PAR1", &description[..], &length[..], b"PAR1"].concat();
    assert!(nomen_corpus::read(&file[..], "data", ROWS).is_err());
}

#[test]
fn a_page_that_claims_more_than_there_is_is_an_error_at_once() {
    for name in ["header_without_end.parquet", "page_of_two_gigabytes.parquet"] {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/hostile").join(name);
        let begun = Instant::now();
        let error = read_named(&path, Some(names())).unwrap_err().to_string();
        assert!(error.contains(name) && error.contains("page"), "{error}");
        assert!(begun.elapsed() < Duration::from_secs(1), "{:?}", begun.elapsed());
    }
}
