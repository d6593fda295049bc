//! Annotations that are wrong, and what is said about them.

use nomen_corpus::Format::{self, Jsonl, SpacyList};
use schema::Label;

use crate::{error_of, read_bytes};

/// The text is `a👩‍🔬e` and a combining accent: 6 code points.
const TEXT: &str = "a👩‍🔬e\u{301}";

/// Start, end and label.
type Triple = (i64, i64, &'static str);

fn lines(entities: &[Triple]) -> [(Format, String); 2] {
    let objects: Vec<_> =
        entities.iter().map(|(s, e, l)| format!(r#"{{"start":{s},"end":{e},"label":"{l}"}}"#)).collect();
    let lists: Vec<_> = entities.iter().map(|(s, e, l)| format!(r#"[{s},{e},"{l}"]"#)).collect();
    let good = r#"{"text":"good","entities":[]}"#;
    [
        (Jsonl, format!("{good}\n{{\"text\":\"{TEXT}\",\"entities\":[{}]}}\n", objects.join(","))),
        (SpacyList, format!("[[\"good\",{{\"entities\":[]}}],\n[\"{TEXT}\",{{\"entities\":[{}]}}]]", lists.join(","))),
    ]
}

#[test]
fn spans_that_are_none_are_refused_by_line_and_entity() {
    let cases: [(&[Triple], &str); 6] = [
        (&[(0, 1, "A"), (3, 2, "B")], "data:2: entity 2 (B at 3..2): reversed span: start 3 is after end 2"),
        (&[(0, 7, "A")], "data:2: entity 1 (A at 0..7): span ends at 7, past the end of the text at 6"),
        (&[(2, 2, "A")], "data:2: entity 1 (A at 2..2): empty span at 2"),
        (&[(3, 5, "B"), (0, 4, "A")], "data:2: entities 2 (A at 0..4) and 1 (B at 3..5) overlap; keep one of them"),
        (&[(0, 1, "A"), (0, 1, "A")], "data:2: entities 1 (A at 0..1) and 2 (A at 0..1) overlap"),
        (&[(0, 4_000_000_000_000, "A")], "data:2: entity 1 (A at 0..4000000000000): span ends at"),
    ];
    for (entities, message) in cases {
        for (format, text) in lines(entities) {
            let error = error_of(&text, format);
            assert!(error.starts_with(message), "{format}: {error}");
        }
    }
    for (format, text) in lines(&[(-1, 2, "A")]) {
        assert!(error_of(&text, format).contains("expected an offset (a whole number, 0 or more), found -1"));
    }
}

#[test]
fn an_offset_inside_a_character_is_refused() {
    // In UTF-16 units the quote would start inside the woman: no unit makes 2..4 that quote.
    let line = format!(r#"{{"text":"{TEXT}","entities":[{{"start":2,"end":4,"label":"A","text":"👩"}}]}}"#);
    let error = error_of(&line, Jsonl);
    assert!(
        error.starts_with("data:1: entity 1 (A): offsets 2..4 do not cover \"👩\" in code points, UTF-16"),
        "{error}"
    );
}

#[test]
fn of_a_bad_file_no_document_is_kept_but_each_bad_line_can_be_listed() {
    let text = "{\"text\":1}\n{\"text\":\"b\",\"entities\":[]}\n{\n{\"text\":\"d\",\"entities\":[]}\n";
    assert!(read_bytes(text.as_bytes(), Jsonl).is_err());
    let reader = nomen_corpus::read(text.as_bytes(), "data", Jsonl).unwrap();
    let (good, bad): (Vec<_>, Vec<_>) = reader.partition(Result::is_ok);
    let lines: Vec<usize> = bad.into_iter().map(|error| error.unwrap_err().line).collect();
    assert_eq!((good.len(), lines), (2, vec![1, 3]));
}

#[test]
fn what_would_be_lost_in_a_line_is_refused_or_kept_as_metadata() {
    for (line, message) in [
        (r#"{"text":"a","text":"b"}"#, "data:1: column 18: key `text` occurs twice"),
        (r#"{"text":"a","meta":{"x":1,"x":2}}"#, "key `x` occurs twice"),
        (r#"{"text":"a","x":1,"meta":{"x":2}}"#, "field `x`: is unknown and would go under `meta`"),
        (r#"{"text":"a","spans":[]}"#, "it looks like Prodigy"),
        (r#"{"text":"a","label":[[0,1,"A"]]}"#, "it looks like doccano"),
        (r#"{"text":"a","entities":[{"start":0,"end":1,"label":"A","id":3}]}"#, "field `entities[0].id`"),
        (r#"{"text":"a","entities":[{"start":0,"end":1}]}"#, "field `entities[0].label`: is missing"),
        (r#"{"text":"a","entities":[{"start":0,"end":1,"label":"O"}]}"#, "`O` cannot be a label"),
        (r#"{"text":"a","entities":[{"start":0,"end":1,"label":"A","score":1.5}]}"#, "between 0 and 1, found 1.5"),
        (r#"{"text":"a","entities":[{"start":0.5,"end":1,"label":"A"}]}"#, "found 0.5"),
        (r#"{"text":"a","tokens":[[0,2]]}"#, "field `tokens[0]`: span ends at 2"),
        (r#"{"text":"a","complete":"no"}"#, "field `complete`: expected true or false, found a string"),
        (r#"{"entities":[]}"#, "field `text`: is missing"),
        (r#"{"text":"a"} {"text":"b"}"#, "data:1: malformed JSON at column 14: trailing characters"),
        (r#"["a",{"entities":[]}]"#, "expected an object"),
    ] {
        let error = error_of(line, Jsonl);
        assert!(error.contains(message), "{line}: {error}");
    }
    let (documents, report) = read_bytes(br#"{"text":"a","entities":[],"title":null,"meta":{"x":2}}"#, Jsonl).unwrap();
    assert_eq!(serde_json::to_string(&documents[0].meta).unwrap(), r#"{"x":2,"title":null}"#);
    assert_eq!(report.moved_to_meta.iter().map(String::as_str).collect::<Vec<_>>(), ["title"]);
}

#[test]
fn every_field_of_a_line_arrives() {
    let line = concat!(
        r#"{"id":7,"text":"é Anna","entities":[{"start":2,"end":6,"label":"PER","text":"Anna","score":0.9,"#,
        r#""source":"gazetteer"}],"tokens":[[0,1],[2,6]],"meta":{"a":null},"labels":["PER"],"complete":false}"#
    );
    let (documents, report) = read_bytes(line.as_bytes(), Jsonl).unwrap();
    let document = &documents[0];
    let entity = &document.entities()[0];
    assert_eq!((document.id.as_deref(), document.partial), (Some("7"), true));
    assert_eq!((entity.span.quote(document.text()), entity.score), ("Anna", Some(0.9)));
    assert_eq!(entity.source.as_deref(), Some("gazetteer"));
    assert_eq!(document.tokens().unwrap().len(), 2);
    assert_eq!(document.looked_for, Some(vec![Label::new("PER").unwrap()]));
    assert!(document.meta.contains_key("a"));
    assert_eq!((report.units.total, report.unannotated), (0, 0));
}

#[test]
fn a_text_that_nobody_annotated_is_partial_and_an_empty_list_is_not() {
    let (documents, report) = read_bytes(b"{\"text\":\"a\"}\n{\"text\":\"a\",\"entities\":[]}\n\n", Jsonl).unwrap();
    assert_eq!(documents.iter().map(|document| document.partial).collect::<Vec<_>>(), [true, false]);
    assert_eq!(report.unannotated, 1);
}

#[test]
fn a_broken_list_names_the_line() {
    for (text, message) in [
        ("[[\"a\",{\"entities\":[]}],\n", "data:2: malformed JSON: the list is not closed"),
        ("[[\"a\",{\"entities\":[]}]\n[\"b\"", "data:2: malformed JSON: expected a comma or the end of the list"),
        ("[[\"a\",{\"entities\":[]}]]\nx", "data:2: malformed JSON: expected nothing after"),
        ("[\n[\"a\",\n{\"entities\":[}]]", "data:3: malformed JSON at column 14"),
        ("[\n[\"a\",{\"entities\":[]", "data:2: malformed JSON: the element that starts here is not closed"),
        ("[{\"data\":1}]", "data:1: malformed JSON: expected a [text, {\"entities\": [...]}] pair, found an object"),
        ("{}", "data:1: malformed JSON: expected a list"),
        ("[[\"a\"]]", "data:1: field `the element`: expected [text, {\"entities\": [...]}]"),
        ("[[\"a\",{}]]", "data:1: field `entities`: is missing; a text without entities has an empty list"),
        (
            "[[\"ab\",{\"entities\":[[0,1,\"A\",\"Q42\"]]}]]",
            "data:1: field `entities[0]`: expected [start, end, label], found",
        ),
        ("[[\"ab\",{\"entities\":[\"O\"]}]]", "found \"O\""),
    ] {
        let error = error_of(text, SpacyList);
        assert!(error.contains(message), "{text}: {error}");
    }
    let (documents, _) = read_bytes(b" [ ] \n", SpacyList).unwrap();
    assert!(documents.is_empty());
}

#[test]
fn spacy_pairs_one_a_line_are_read_like_a_list() {
    let pairs =
        "[\"a [\\\" b\", {\"entities\": [[0, 1, \"A\"]]}]\r\n[\"b\", {\"entities\": [], \"cats\": {\"x\": 1}}]\n";
    let (documents, report) = read_bytes(pairs.as_bytes(), SpacyList).unwrap();
    assert_eq!(documents.len(), 2);
    assert_eq!(documents[0].text(), "a [\" b");
    assert!(documents[1].meta.contains_key("cats") && report.moved_to_meta.contains("cats"));
}
