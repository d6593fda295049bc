//! What writers keep, what they say they lost, and when a file appears.

use std::fs;

use nomen_corpus::{Format, Loss, Losses, WriteOptions, Writer};
use schema::{Document, Span, tags::Scheme};
use serde_json::json;

use crate::{document, entity, write_bytes};

fn written(document: &Document, format: Format) -> (String, Losses) {
    let mut writer = Writer::new(Vec::new(), "out", format, WriteOptions::default());
    writer.write(document).unwrap();
    let (bytes, losses) = writer.finish().unwrap();
    (String::from_utf8(bytes).unwrap(), losses)
}

fn refusal(document: &Document, format: Format) -> String {
    let mut writer = Writer::new(Vec::new(), "out", format, WriteOptions::default());
    let error = writer.write(document).unwrap_err().to_string();
    assert_eq!(writer.finish().unwrap().0, b"", "something of the refused document was written");
    error
}

#[test]
fn the_canonical_line_has_its_fields_in_order() {
    let mut document = document("é Anna", vec![entity(3, 7, "PER")]);
    let (line, losses) = written(&document, Format::Jsonl);
    assert_eq!(
        line,
        "{\"text\":\"é Anna\",\"entities\":[{\"start\":2,\"end\":6,\"label\":\"PER\"}],\"complete\":true}\n"
    );
    assert!(losses.is_empty());
    document.id = Some("7".into());
    document.meta.insert("from".into(), json!("a note"));
    document.partial = true;
    let quoted = write_bytes(&[document], Format::Jsonl, WriteOptions { quote: true, ..WriteOptions::default() });
    assert_eq!(
        String::from_utf8(quoted).unwrap(),
        concat!(
            r#"{"id":"7","text":"é Anna","entities":[{"start":2,"end":6,"label":"PER","text":"Anna"}],"#,
            r#""meta":{"from":"a note"},"complete":false}"#,
            "\n"
        )
    );
}

#[test]
fn a_spacy_list_is_one_json_list() {
    let options = WriteOptions::default();
    assert_eq!(write_bytes(&[], Format::SpacyList, options), b"[]\n");
    let documents = [document("é Anna", vec![entity(3, 7, "PER")]), document("b", Vec::new())];
    let bytes = write_bytes(&documents, Format::SpacyList, options);
    let expected = json!([["é Anna", {"entities": [[2, 6, "PER"]]}], ["b", {"entities": []}]]);
    assert_eq!(serde_json::from_slice::<serde_json::Value>(&bytes).unwrap(), expected);
}

#[test]
fn rows_come_in_the_chosen_scheme() {
    let document = document("New York, Anna", vec![entity(0, 8, "LOC"), entity(10, 14, "PER")]);
    let rows = |scheme| {
        let options = WriteOptions { scheme, ..WriteOptions::default() };
        String::from_utf8(write_bytes(std::slice::from_ref(&document), Format::Conll, options)).unwrap()
    };
    assert_eq!(rows(Scheme::Iob2), "New\tB-LOC\nYork\tI-LOC\n,\tO\nAnna\tB-PER\n\n");
    assert_eq!(rows(Scheme::Bilou), "New\tB-LOC\nYork\tL-LOC\n,\tO\nAnna\tU-PER\n\n");
    assert_eq!(rows(Scheme::Iob1), "New\tI-LOC\nYork\tI-LOC\n,\tO\nAnna\tI-PER\n\n");
}

#[test]
fn words_are_cut_where_an_entity_starts_or_ends() {
    let (rows, losses) =
        written(&document("Rust-based (v1.2)", vec![entity(0, 4, "LANG"), entity(13, 14, "N")]), Format::Conll);
    assert_eq!(rows, "Rust\tB-LANG\n-\tO\nbased\tO\n(\tO\nv\tO\n1\tB-N\n.\tO\n2\tO\n)\tO\n\n");
    assert_eq!(losses.iter().map(|(loss, ..)| loss).collect::<Vec<_>>(), [Loss::WhiteSpace]);
    let known = document("Rustbased tool", vec![entity(0, 4, "LANG")]);
    let known = known.with_tokens(vec![Span::new(0, 9).unwrap(), Span::new(10, 14).unwrap()]).unwrap();
    let (rows, losses) = written(&known, Format::Conll);
    assert_eq!(rows, "Rust\tB-LANG\nbased\tO\ntool\tO\n\n");
    assert_eq!(losses.documents(Loss::TokenCut), 1);
}

#[test]
fn text_outside_known_tokens_is_not_dropped() {
    let document = Document::new("a b c").with_tokens(vec![Span::new(2, 3).unwrap()]).unwrap();
    assert_eq!(written(&document, Format::Conll).0, "a\tO\nb\tO\nc\tO\n\n");
}

#[test]
fn what_the_format_has_no_place_for_is_said() {
    use Loss::{Entities, EntityEdges, Id, LookedFor, Meta, Partial, Tokens, WhiteSpace};
    let mut full =
        document("Anna  sat", vec![entity(0, 5, "PER")]).with_tokens(vec![Span::new(0, 4).unwrap()]).unwrap();
    full.id = Some("7".into());
    full.meta.insert("from".into(), json!("a note"));
    full.partial = true;
    full.looked_for = Some(Vec::new());
    let lost = |format| written(&full, format).1.iter().map(|(loss, ..)| loss).collect::<Vec<_>>();
    assert_eq!(lost(Format::Jsonl), []);
    assert_eq!(lost(Format::SpacyList), [Partial, LookedFor, Tokens, Id, Meta]);
    assert_eq!(lost(Format::Conll), [Partial, LookedFor, WhiteSpace, EntityEdges, Id, Meta]);
    assert_eq!(lost(Format::Text), [Entities, LookedFor, Tokens, Id, Meta]);
    let message = written(&full, Format::SpacyList).1.to_string();
    assert!(
        message.starts_with("not kept: that words without a label are unknown, not negatives (1 documents"),
        "{message}"
    );
}

#[test]
fn what_would_change_its_meaning_is_refused() {
    let spaced = Document::new("New York").with_tokens(vec![Span::new(0, 8).unwrap()]).unwrap();
    let message = refusal(&spaced, Format::Conll);
    assert!(message.starts_with("document 1 cannot be written as conll: its token `New York` holds white space"));
    assert!(refusal(&document("a  b", vec![entity(1, 3, "X")]), Format::Conll).contains("white space only"));
    assert!(refusal(&document("Cola", vec![entity(0, 4, "soft drink")]), Format::Conll).contains("label `soft drink`"));
    let start = Document::new("-DOCSTART-").with_tokens(vec![Span::new(0, 10).unwrap()]).unwrap();
    assert!(refusal(&start, Format::Conll).contains("would start a new document"));
    let mut lines = Document::new("a\nb");
    lines.id = Some("x".into());
    assert!(
        refusal(&lines, Format::Text).starts_with("document 1 (`x`) cannot be written as text: its text holds a line")
    );
    let mut unsure = entity(0, 1, "X");
    unsure.score = Some(f32::NAN);
    assert!(refusal(&document("a", vec![unsure]), Format::Jsonl).contains("a score is not between 0 and 1"));
}

#[test]
fn document_starts_come_back() {
    let text = "a\tO\n\n-DOCSTART-\tO\n\nb\tO\n\nc\tO\n\n-DOCSTART-\tO\n\nd\tO\n\n";
    let (documents, _) = crate::read_bytes(text.as_bytes(), Format::Conll).unwrap();
    assert_eq!(write_bytes(&documents, Format::Conll, WriteOptions::default()), text.as_bytes());
}

#[test]
fn a_file_appears_when_it_is_saved_and_not_before() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("out.jsonl");
    fs::write(&path, "old").unwrap();
    let mut writer = Writer::create(&path, Format::Jsonl, WriteOptions::default()).unwrap();
    writer.write(&Document::new("new")).unwrap();
    drop(writer);
    assert_eq!(fs::read_to_string(&path).unwrap(), "old");
    let mut writer = Writer::create(&path, Format::Jsonl, WriteOptions::default()).unwrap();
    writer.write(&Document::new("new")).unwrap();
    assert_eq!(fs::read_to_string(&path).unwrap(), "old");
    assert!(writer.save().unwrap().is_empty());
    assert!(fs::read_to_string(&path).unwrap().contains("new"));
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "something was left beside the file");
    let error =
        Writer::create(folder.path().join("no/out.jsonl"), Format::Jsonl, WriteOptions::default()).err().unwrap();
    assert!(error.to_string().contains("out.jsonl: cannot be written"), "{error}");
}
