//! What must hold of every reader on every input. Fuzzing looks for inputs that break it, and the test beside this file
//! replays the inputs that fuzzing kept.
#![allow(clippy::unwrap_used)]

use std::io::{BufRead, BufReader, Write as _};

use nomen_corpus::{Format, Limits, Loss, Losses, ReadOptions, Report, WriteOptions, Writer, read_with};
use schema::{Document, Entity, Label, Span, offset::Unit, tags::Scheme};

/// Small enough that a reader which does not keep to them shows in the memory of a fuzzer.
const LIMITS: Limits = Limits { document_bytes: 1 << 20, json_depth: 100, whole_file_bytes: 16 << 20 };
/// Where reading stops: a few bytes of a compressed file can be millions of lines.
const MOST_ITEMS: usize = 2000;
const MOST_TEXT: usize = 4 << 20;
/// How many documents are written and read again.
const MOST_WRITTEN: usize = 40;

/// Reads an input in every way: with the format alone, in small pieces, and with one of the options that a caller can give,
/// chosen by the input's length. The format is detected where none is given.
///
/// # Panics
/// A reader panics, gives a document that is none or an error that does not say where, counts wrongly, depends on how the
/// input is cut, or gives what does not come back after it was written.
pub fn hold(format: Option<Format>, bytes: &[u8]) {
    let plain = ReadOptions { format, limits: LIMITS, ..ReadOptions::default() };
    let found = sound(bytes, bytes, &plain);
    if format.is_some() && !is_packed(bytes) {
        let cut = sound(BufReader::with_capacity(3, bytes), bytes, &plain);
        // Where a damaged DocBin is seen to be damaged depends on how much of it is unpacked at once.
        let same = |found: &Option<Found>| {
            found.as_ref().map(|found| found.items.iter().flatten().cloned().collect::<Vec<_>>())
        };
        assert_eq!(same(&found), same(&cut), "cut in pieces");
        assert!(format == Some(Format::SpacyDocbin) || found == cut, "cut in pieces: {found:?} {cut:?}");
    }
    let variants = variants(&plain);
    let variant = &variants[bytes.len() % variants.len()];
    sound(bytes, bytes, variant);

    let Some(Found { format, items }) = found else { return };
    let documents: Vec<&Document> = items.iter().flatten().take(MOST_WRITTEN).collect();
    for document in &documents {
        let back = there_and_back(document, Format::Jsonl).expect("Nomen JSONL holds every document").0;
        assert_eq!(back, [(*document).clone()]);
        if format.is_written() {
            comes_back(document, format);
        }
    }
}

/// [`hold`] for a `DocBin`. An input that is no zlib stream is what one holds: packed, a changed byte is a wrong checksum and
/// nothing behind it is reached.
///
/// # Panics
/// As [`hold`].
pub fn hold_docbin(bytes: &[u8]) {
    if bytes.first() == Some(&0x78) {
        return hold(Some(Format::SpacyDocbin), bytes);
    }
    let mut packed = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::none());
    packed.write_all(bytes).unwrap();
    hold(Some(Format::SpacyDocbin), &packed.finish().unwrap());
}

/// Every other thing that a caller can say.
fn variants(plain: &ReadOptions) -> Vec<ReadOptions> {
    let units = Unit::ALL.map(|unit| ReadOptions { unit: Some(unit), ..plain.clone() });
    let schemes = Scheme::ALL.map(|scheme| ReadOptions { scheme: Some(scheme), ..plain.clone() });
    let names = ["O", "B-PER", "I-PER"].map(str::to_owned).to_vec();
    let tight = Limits { document_bytes: 64, json_depth: 2, whole_file_bytes: 4096 };
    let rest = [
        ReadOptions { text_field: Some("id".into()), ..plain.clone() },
        ReadOptions { tag_names: Some(names), ..plain.clone() },
        ReadOptions { limits: tight, ..plain.clone() },
    ];
    units.into_iter().chain(schemes).chain(rest).collect()
}

#[derive(Debug, PartialEq)]
struct Found {
    format: Format,
    /// Documents and the messages of errors, in order.
    items: Vec<Result<Document, String>>,
}

/// Whether it is compressed with gzip or Zstandard, so that lines are not those of its bytes.
fn is_packed(bytes: &[u8]) -> bool {
    [&b"\x1F\x8B"[..], b"\x28\xB5\x2F\xFD"].iter().any(|magic| bytes.starts_with(magic))
}

/// What a reader gives of `input`, which holds `bytes`; `None` where it refuses to begin.
fn sound<'r>(input: impl BufRead + Send + 'r, bytes: &[u8], options: &ReadOptions) -> Option<Found> {
    let mut reader = match read_with(input, "case", options) {
        Ok(reader) => reader,
        Err(error) => {
            assert!(error.to_string().starts_with("case: ") || error.line > 0, "{error}");
            return None;
        }
    };
    let packed = is_packed(bytes);
    let lines = bytes.split(|byte| *byte == b'\n').count();
    let (mut items, mut length, mut whole) = (Vec::new(), 0, true);
    while let Some(item) = reader.next() {
        assert!(packed || reader.lines().iter().all(|line| (1..=lines).contains(line)), "{:?}", reader.lines());
        match &item {
            Ok(document) => {
                valid(document);
                length += document.text().len();
            }
            Err(error) => {
                let text = error.to_string();
                let place = if error.line == 0 { "case: ".to_owned() } else { format!("case:{}: ", error.line) };
                assert!(text.starts_with(&place) && text.len() > place.len(), "{text}");
                assert!(packed || error.line <= lines, "{text}");
                length += text.len();
            }
        }
        items.push(item.map_err(|error| error.to_string()));
        if items.len() == MOST_ITEMS || length > MOST_TEXT {
            whole = false;
            break;
        }
    }
    counted(reader.report(), &items, whole);
    Some(Found { format: reader.report().format, items })
}

/// The report tells what was given.
fn counted(report: &Report, items: &[Result<Document, String>], whole: bool) {
    let documents: Vec<&Document> = items.iter().flatten().collect();
    assert_eq!(report.documents, documents.len());
    assert_eq!(report.errors, items.len() - documents.len());
    assert_eq!(report.entity_count(), documents.iter().map(|document| document.entities().len()).sum::<usize>());
    assert!(!whole || report.repairs.total >= report.repairs.first.len());
}

/// A document is what its own constructors accept, with labels and scores that can be written.
fn valid(document: &Document) {
    let mut again = Document::new(document.text()).with_entities(document.entities().to_vec()).unwrap();
    if let Some(tokens) = document.tokens() {
        again = again.with_tokens(tokens.to_vec()).unwrap();
    }
    assert_eq!((again.entities(), again.tokens()), (document.entities(), document.tokens()));
    for Entity { span, label, score, .. } in document.entities() {
        assert!(!span.quote(document.text()).is_empty());
        assert!(Label::new(label.as_str()).is_ok(), "{label:?}");
        assert!(score.is_none_or(|score| (0.0..=1.0).contains(&score)), "{score:?}");
    }
}

/// What is read of a document once it was written, and what the writer called lost; `None` where it is refused.
fn there_and_back(document: &Document, format: Format) -> Option<(Vec<Document>, Losses)> {
    let quote = document.text().len() % 2 == 1;
    let mut writer = Writer::new(Vec::new(), "out", format, WriteOptions { quote, ..WriteOptions::default() });
    writer.write(document).ok()?;
    let (bytes, losses) = writer.finish().unwrap();
    // What the files cannot say, the caller does: the unit of doccano's offsets and the scheme of tags.
    let unit = (format == Format::Doccano).then_some(Unit::CodePoints);
    let options = ReadOptions { format: Some(format), unit, scheme: Some(Scheme::Iob2), ..ReadOptions::default() };
    let reader = read_with(&bytes[..], "out", &options).unwrap();
    Some((reader.collect::<Result<_, _>>().unwrap(), losses))
}

/// A document that its own format accepts has the same characters and entities behind it, and is the same in all that the
/// writer does not call lost.
fn comes_back(document: &Document, format: Format) {
    let Some((back, losses)) = there_and_back(document, format) else { return };
    if losses.documents(Loss::EmptyText) > 0 {
        assert!(back.is_empty());
        return;
    }
    let [back] = &back[..] else { panic!("{} documents of one as {format}", back.len()) };
    let kept = |losses_of_it: &[Loss]| losses_of_it.iter().all(|loss| losses.documents(*loss) == 0);
    assert_eq!(bare(back.text()), bare(document.text()), "{format}");
    if kept(&[Loss::WhiteSpace]) {
        assert_eq!(back.text(), document.text(), "{format}");
    }
    if kept(&[Loss::Entities]) {
        assert_eq!(quotes(back), quotes(document), "{format}");
    }
    if kept(&[Loss::Entities, Loss::WhiteSpace, Loss::EntityEdges]) {
        assert_eq!(mentions(back), mentions(document), "{format}");
    }
    if kept(&[Loss::Id]) {
        assert_eq!(back.id, document.id, "{format}");
    }
    if kept(&[Loss::Partial]) {
        assert_eq!(back.partial, document.partial, "{format}");
    }
}

fn bare(text: &str) -> String {
    text.chars().filter(|character| !character.is_whitespace()).collect()
}

fn quotes(document: &Document) -> Vec<(String, Label)> {
    document.entities().iter().map(|e| (bare(e.span.quote(document.text())), e.label.clone())).collect()
}

fn mentions(document: &Document) -> Vec<(Span, Label)> {
    document.entities().iter().map(|entity| (entity.span, entity.label.clone())).collect()
}
