//! Streams and files: detection, laziness, and what a file that cannot be opened says.

use std::{
    fs,
    io::{BufRead, BufReader, Cursor, Read},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use nomen_corpus::{Evidence, Format, ReadOptions, open, read, read_all, read_with};
use schema::Document;

/// Counts the bytes that were taken out of it.
struct Counting<R>(R, Arc<AtomicUsize>);

impl<R: Read> Read for Counting<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let count = self.0.read(buffer)?;
        self.1.fetch_add(count, Ordering::Relaxed);
        Ok(count)
    }
}

#[test]
fn documents_come_before_the_input_ends() {
    let line = "{\"text\":\"word\",\"entities\":[]}\n";
    for format in [None, Some(Format::Jsonl)] {
        let taken = Arc::new(AtomicUsize::new(0));
        let input = Cursor::new(line.repeat(10_000));
        let input = BufReader::with_capacity(100, Counting(input, Arc::clone(&taken)));
        let mut reader = read_with(input, "stdin", &ReadOptions { format, ..ReadOptions::default() }).unwrap();
        assert_eq!(reader.next().unwrap().unwrap().text(), "word");
        assert!(taken.load(Ordering::Relaxed) <= 200);
        assert_eq!(reader.count(), 9_999);
    }
}

#[test]
fn a_stream_is_detected_from_its_first_line() {
    for (text, format) in [
        ("{\"text\":\"a\"}\n{\"text\":\"b\"}\n", Format::Jsonl),
        ("[[\"a\",{\"entities\":[]}],[\"b\",{\"entities\":[]}]]", Format::SpacyList),
        ("a\tO\n\nb\tB-X\n", Format::Conll),
        ("One line.\nTwo lines.\n", Format::Text),
        ("\u{feff}{\"text\":\"a\"}\n{\"text\":\"b\"}", Format::Jsonl),
    ] {
        for capacity in [1, 7, 8192] {
            let input = BufReader::with_capacity(capacity, text.as_bytes());
            let mut reader = read_with(input, "stdin", &ReadOptions::default()).unwrap();
            assert_eq!((reader.report().format, reader.report().evidence), (format, Evidence::Content), "{text}");
            let documents: Vec<Document> = reader.by_ref().map(Result::unwrap).collect();
            assert_eq!(documents.len(), 2, "{text}");
            assert_eq!(reader.report().byte_order_mark, text.starts_with('\u{feff}'));
        }
    }
}

#[test]
fn each_line_of_a_text_is_a_document_even_an_empty_one() {
    let mut reader = read(&b"One\r\n\nThree"[..], "stdin", Format::Text).unwrap();
    let texts: Vec<String> = reader.by_ref().map(|document| document.unwrap().text().to_owned()).collect();
    assert_eq!(texts, ["One", "", "Three"]);
    assert_eq!(reader.report().unannotated, 3);
}

#[test]
fn files_that_cannot_be_read_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let message = |name: &str| read_all(at(name), None).unwrap_err().to_string();
    assert!(message("absent.jsonl").starts_with(&format!("{}: cannot be read: ", at("absent.jsonl").display())));
    fs::write(at("wide.txt"), b"\xFF\xFEa\0").unwrap();
    assert!(message("wide.txt").ends_with("the file is UTF-16; save it as UTF-8"));
    fs::write(at("a.xyz"), "a,b\n").unwrap();
    assert!(message("a.xyz").contains("say which it is: jsonl, conll, spacy-list, "));
    fs::write(at("latin.txt"), b"caf\xE9\n").unwrap();
    assert!(message("latin.txt").contains("latin.txt:1: not valid UTF-8 at byte 4 of the line"));
}

#[test]
fn an_empty_file_has_no_documents() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["a.jsonl", "a.conll", "a.json", "a.txt", "a"] {
        let path = folder.path().join(name);
        for content in ["", "\u{feff}"] {
            fs::write(&path, content).unwrap();
            let (documents, report) = read_all(&path, None).unwrap();
            assert!(documents.is_empty(), "{name}");
            assert_eq!(report.documents, 0);
        }
    }
    let reader = open(folder.path().join("a.conll"), None).unwrap();
    assert_eq!(reader.report().format, Format::Conll);
}

#[test]
fn an_input_that_fails_ends_with_an_error() {
    struct Broken;
    impl Read for Broken {
        fn read(&mut self, _: &mut [u8]) -> std::io::Result<usize> {
            Err(std::io::Error::other("the cable was pulled"))
        }
    }
    impl BufRead for Broken {
        fn fill_buf(&mut self) -> std::io::Result<&[u8]> {
            Err(std::io::Error::other("the cable was pulled"))
        }
        fn consume(&mut self, _: usize) {}
    }
    let input = (&b"{\"text\":\"a\"}\n"[..]).chain(Broken);
    let mut reader = read(input, "stdin", Format::Jsonl).unwrap();
    assert!(reader.next().unwrap().is_ok());
    let error = reader.next().unwrap().unwrap_err().to_string();
    assert_eq!(error, "stdin:2: cannot be read: the cable was pulled");
    assert!(reader.next().is_none());
}
