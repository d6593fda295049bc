//! spaCy's DocBin: what spaCy wrote is read as spaCy sees it, what is written keeps texts and entities, and what is
//! damaged is an error. `bench/formats/spacy_docbin.py` lets spaCy read what is written here.

use std::{fs, io::Write as _, path::Path};

use flate2::{Compression, write::ZlibEncoder};
use nomen_corpus::{Evidence, Format, Limits, Loss, ReadOptions, WriteOptions, Writer, open, read_all, read_with};
use proptest::{collection::vec, prelude::*};
use schema::{
    Document, Entity,
    offset::{Offsets, Unit},
};
use serde_json::{Value, json};

use crate::{document, entity, read_bytes, round_trips::full_documents, write_bytes};

const DOCBIN: Format = Format::SpacyDocbin;

fn golden(name: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/binary").join(name)
}

/// A document as `documents.json` tells it.
fn seen(document: &Document) -> Value {
    let offsets = Offsets::new(document.text(), Unit::CodePoints);
    let entities = document.entities().iter().map(|entity| {
        let (start, end) = offsets.of(entity.span);
        json!([start, end, entity.label.as_str()])
    });
    json!({
        "text": document.text(),
        "tokens": document.tokens().unwrap().iter().map(|token| offsets.of(*token)).collect::<Vec<_>>(),
        "entities": entities.collect::<Vec<_>>(),
        "missing": document.partial,
        "cats": document.meta.get("cats").cloned().unwrap_or_else(|| json!({})),
    })
}

#[test]
fn what_spacy_wrote_is_read_as_spacy_reads_it() {
    let (documents, report) = read_all(golden("documents.spacy"), None).unwrap();
    assert_eq!((report.format, report.evidence), (DOCBIN, Evidence::Content));
    let expected: Vec<Value> = serde_json::from_str(&fs::read_to_string(golden("documents.json")).unwrap()).unwrap();
    assert_eq!(documents.iter().map(seen).collect::<Vec<_>>(), expected);

    let first = &documents[0];
    assert_eq!(first.id.as_deref(), Some("one"));
    assert_eq!(first.meta["pages"], json!({"first": 3, "of": [1, null, "é"]}));
    assert_eq!(first.meta["_.source"], "archive");
    assert_eq!(first.meta["entity_links"], json!([{"start": 2, "end": 14, "kb_id": "Q7259", "id": "ada"}]));
    assert_eq!(report.unannotated, 1, "the text that nobody looked at");
    let not_kept: Vec<(&str, usize)> = report.not_kept.iter().map(|(what, documents)| (*what, *documents)).collect();
    let expected = [
        ("span groups (`doc.spans`)", 1),
        ("tokens that are closed to entities (`set_ents` with `blocked`)", 1),
        ("user data that is not JSON under a name", 1),
    ];
    assert_eq!(not_kept, expected);
    assert!(report.to_string().contains("\nnot kept: span groups (`doc.spans`) (1 documents)"), "{report}");
}

#[test]
fn what_spacy_wrote_is_the_same_after_it_was_written_again() {
    let (documents, _) = read_all(golden("documents.spacy"), None).unwrap();
    let mut writer = Writer::new(Vec::new(), "out", DOCBIN, WriteOptions::default());
    for document in &documents {
        writer.write(document).unwrap();
    }
    let (bytes, losses) = writer.finish().unwrap();
    assert!(losses.is_empty(), "{losses}");
    assert_eq!(read_bytes(&bytes, DOCBIN).unwrap().0, documents);
}

/// What a DocBin keeps of a document whose entities start and end with text.
fn kept(document: &Document) -> (String, Vec<Entity>, Option<String>, schema::Meta) {
    let plain = document.entities().iter().map(|e| Entity::new(e.span, e.label.clone())).collect();
    (document.text().to_owned(), plain, document.id.clone(), document.meta.clone())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3000))]

    #[test]
    fn a_docbin_gives_back_texts_entities_and_metadata(several in vec(full_documents(), 0..4)) {
        let mut writer = Writer::new(Vec::new(), "out", DOCBIN, WriteOptions::default());
        let mut written = Vec::new();
        for document in several {
            match writer.write(&document) {
                Ok(()) => written.push(document),
                Err(error) => prop_assert!(error.to_string().contains("white space only"), "{}", error),
            }
        }
        let (bytes, losses) = writer.finish().unwrap();
        let (read, report) = read_bytes(&bytes, DOCBIN).unwrap();
        prop_assert_eq!(read.len(), written.len());
        for (read, written) in read.iter().zip(&written) {
            if losses.documents(Loss::EntityEdges) == 0 {
                prop_assert_eq!(kept(read), kept(written));
            }
            prop_assert_eq!(read.text(), written.text());
            let trimmed = |document: &Document| -> Vec<(String, String)> {
                let entities = document.entities().iter();
                entities.map(|e| (e.span.quote(document.text()).trim().to_owned(), e.label.to_string())).collect()
            };
            prop_assert_eq!(trimmed(read), trimmed(written));
            if losses.documents(Loss::Partial) == 0 {
                prop_assert_eq!(read.partial, written.partial);
            }
        }
        prop_assert!(report.not_kept.is_empty(), "{:?}", report.not_kept);
    }
}

#[test]
fn losses_are_named() {
    let mut writer = Writer::new(Vec::new(), "out", DOCBIN, WriteOptions::default());
    let mut scored = document("a  b ", vec![entity(0, 2, "X"), entity(3, 5, "Y")]);
    scored.partial = true;
    scored.looked_for = Some(Vec::new());
    let mut entities = scored.entities().to_vec();
    entities[0].score = Some(0.5);
    entities[1].source = Some("rule".into());
    writer.write(&scored.with_entities(entities).unwrap()).unwrap();
    let mut found: Vec<Loss> = writer.losses().iter().map(|(loss, ..)| loss).collect();
    found.sort_unstable();
    let mut expected = [Loss::Partial, Loss::LookedFor, Loss::EntityEdges, Loss::Score, Loss::Source];
    expected.sort_unstable();
    assert_eq!(found, expected);
    let blank = writer.write(&document("a \n b", vec![entity(1, 4, "X")])).unwrap_err();
    assert!(blank.to_string().contains("as spacy-docbin: its entity X covers white space only"), "{blank}");
}

/// A message under zlib.
fn packed(message: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(message).unwrap();
    encoder.finish().unwrap()
}

fn unpacked(file: &[u8]) -> Vec<u8> {
    let mut message = Vec::new();
    std::io::Read::read_to_end(&mut flate2::read::ZlibDecoder::new(file), &mut message).unwrap();
    message
}

fn error_of(bytes: &[u8]) -> String {
    read_bytes(bytes, DOCBIN).expect_err("was read").to_string()
}

/// One document of three tokens, and its message.
fn small() -> Vec<u8> {
    unpacked(&write_bytes(&[document("Ada met Bo", vec![entity(0, 3, "PER")])], DOCBIN, WriteOptions::default()))
}

fn replaced(message: &[u8], old: &[u8], new: &[u8]) -> Vec<u8> {
    let at = message.windows(old.len()).position(|window| window == old).expect("is in the message");
    [&message[..at], new, &message[at + old.len()..]].concat()
}

#[test]
fn what_is_wrong_with_a_message_is_named() {
    let message = small();
    for (old, new, told) in [
        (
            &b"\xa30.1"[..],
            &b"\xa30.2"[..],
            "in `version`: version 0.2 is not known, 0.1 is; write the file with spaCy 3",
        ),
        (b"\xa7version\xa30.1", b"", "it ends within"),
        (b"\x93\x41\x4d\x4e", b"\x93\x40\x4d\x4e", "in `attrs`: the attribute ORTH (65), the words, is missing"),
        (b"\x93\x41\x4d\x4e", b"\x93\x41\x4d\x4d", "in `attrs`: attribute 77 occurs twice"),
        (b"\x93\x41\x4d\x4e", b"\x92\x41\x4d", "`lengths` tells of 3 tokens, but `tokens` has 72 bytes"),
        (b"\xa6spaces\xc4\x03\x01", b"\xa6spaces\xc4\x02", "`lengths` tells of 3 tokens, but `spaces` of 2"),
        (b"\xc4\x04\x03\0\0\0", b"\xc4\x04\x04\0\0\0", "`lengths` tells of 4 tokens"),
        (b"\xc4\x04\x03\0\0\0", b"\xc4\x04\xff\xff\xff\xff", "`lengths` gives document 1 a length below 0"),
        (b"\xa4cats\x91\x80", b"\xa4cats\x90", "`lengths` tells of 1 documents, but `cats` of 0"),
        (
            b"\xa4cats\x91\x80",
            b"\xa4cats\x91\x01",
            "document 1: not a sound `spacy-docbin` file: its `cats` are no map",
        ),
        (b"\xa3met", b"\xa3mat", "token 2 has a word with the number"),
        (b"\xa3met", b"\xa3m\xff\xff", "in `strings`: a text is not UTF-8"),
        (b"\xa4cats", b"\xa4cuts", "in `cuts`: version 0.1 has no such field"),
    ] {
        let error = error_of(&packed(&replaced(&message, old, new)));
        assert!(error.starts_with("data: ") && error.contains(told), "{told}: {error}");
    }
    assert!(error_of(&packed(&[&message[..], b"\xc0"].concat())).contains("more follows behind the message"));
    assert!(error_of(&[&packed(&message)[..], b"x"].concat()).contains("bytes follow behind its end"));
    assert!(error_of(b"PK\x03\x04").contains("in the beginning: corrupt deflate stream"));
    assert!(error_of(b"").contains("it ends within the beginning"));
}

#[test]
fn a_state_that_spacy_does_not_know_is_an_error() {
    let message = small();
    let row = message.windows(8).position(|window| window == [3, 0, 0, 0, 0, 0, 0, 0]).unwrap();
    for (state, told) in
        [(1, "token 1 is inside an entity (ENT_IOB 1)"), (7, "token 1 has the ENT_IOB 7; it can be 0 to 3")]
    {
        let mut message = message.clone();
        message[row] = state;
        let error = error_of(&packed(&message));
        assert!(error.contains("document 1: ") && error.contains(told), "{error}");
    }
}

#[test]
fn a_file_that_unpacks_to_more_than_the_limit_is_refused_before_it_takes_the_memory() {
    // A claim of four gigabytes, and a real gigabyte of zeros that takes a megabyte.
    let claim = packed(b"\x81\xa6tokens\xc6\xff\xff\xff\xff");
    let mut bomb = b"\x81\xa6spaces\xc6\x40\x00\x00\x00".to_vec();
    bomb.resize(bomb.len() + (1 << 25), 0);
    let limits = Limits { whole_file_bytes: 1 << 20, ..Limits::default() };
    let options = ReadOptions { format: Some(DOCBIN), limits, ..ReadOptions::default() };
    for file in [claim, packed(&bomb)] {
        let error = read_with(&file[..], "bomb", &options).unwrap().next().unwrap().unwrap_err();
        let told =
            "bomb: the file, unpacked in memory, exceeds the limit of 1048576 bytes; split it, or raise the limit";
        assert!(error.to_string().starts_with(told), "{error}");
    }
    let many = [&b"\x81\xa7strings\xdd\xff\xff\xff\xff"[..], &vec![0xa0; 100_000]].concat();
    let error = read_with(&packed(&many)[..], "bomb", &options).unwrap().next().unwrap().unwrap_err();
    assert!(error.to_string().contains("exceeds the limit"), "{error}");
}

#[test]
fn every_cut_and_every_changed_byte_is_an_error_or_documents() {
    let file = fs::read(golden("documents.spacy")).unwrap();
    let documents = read_bytes(&file, DOCBIN).unwrap().0;
    for cut in 0..file.len() {
        assert!(read_bytes(&file[..cut], DOCBIN).is_err(), "cut at {cut}");
    }
    // The sum at the end sees every change of the compressed bytes, so the message is changed below it.
    let message = unpacked(&file);
    let (mut refused, mut whole) = (0, 0);
    for at in 0..message.len() {
        for change in [0x01, 0x80, 0xff] {
            let mut message = message.clone();
            message[at] ^= change;
            match read_bytes(&packed(&message), DOCBIN) {
                Ok(_) => whole += 1,
                Err(error) => {
                    refused += 1;
                    assert!(error.to_string().starts_with("data: "), "{error}");
                }
            }
        }
    }
    assert!(refused > 1000 && whole > 100, "{refused} refused, {whole} read");
    for at in 0..file.len() {
        let mut file = file.clone();
        file[at] ^= 0x10;
        // Some bits of a compressed stream mean nothing.
        assert!(read_bytes(&file, DOCBIN).map_or(true, |(read, _)| read == documents), "byte {at}");
    }
}

#[test]
fn a_broken_document_leaves_the_others() {
    let several = [document("Ada", vec![entity(0, 3, "PER")]), document("met", vec![]), document("Bo", vec![])];
    let message = unpacked(&write_bytes(&several, DOCBIN, WriteOptions::default()));
    let file = packed(&replaced(&message, b"\xa3met", b"\xa3mat"));
    let found: Vec<_> = nomen_corpus::read(&file[..], "data", DOCBIN).unwrap().collect();
    assert_eq!(found.len(), 3);
    assert!(found[1].as_ref().unwrap_err().to_string().starts_with("data: document 2: "));
    assert_eq!(found[2].as_ref().unwrap().text(), "Bo");
}

#[test]
fn the_name_tells_the_format_where_the_content_is_broken() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("empty.spacy");
    fs::write(&path, "x").unwrap();
    let error = open(&path, None).unwrap().next().unwrap().unwrap_err().to_string();
    assert!(error.contains("empty.spacy: not a sound `spacy-docbin` file: "), "{error}");
}
