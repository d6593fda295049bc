//! Which format a file has, from its first bytes and its name.

use std::{fmt, path::Path};

use thiserror::Error;

use crate::{Format, compression, conll, docbin, huggingface, lines::BYTE_ORDER_MARK, table};

/// How a format was concluded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Evidence {
    /// The caller said so.
    Given,
    /// The content shows it.
    Content,
    /// The file name says so, and the content does not contradict.
    Name,
}

impl fmt::Display for Evidence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Given => "given",
            Self::Content => "from the content",
            Self::Name => "from the file name",
        })
    }
}

/// Neither content nor name tell a format.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("the format is not recognized ({reason}); say which it is: {}", Format::names())]
pub struct Unrecognized {
    /// What was seen.
    pub reason: &'static str,
}

impl Format {
    /// The format of a file that starts with `head`. The name (if there is one) decides where the content does not.
    ///
    /// # Errors
    /// The content shows no format, and taking it for plain text would only be a guess.
    pub fn detect(head: &[u8], name: Option<&Path>) -> Result<(Self, Evidence), Unrecognized> {
        if docbin::looks_like(head) {
            return Ok((Self::SpacyDocbin, Evidence::Content));
        }
        if huggingface::looks_like_parquet(head) {
            return Ok((Self::Huggingface, Evidence::Content));
        }
        let head = head.strip_prefix(BYTE_ORDER_MARK).unwrap_or(head);
        let text = String::from_utf8_lossy(head);
        let extension = name.and_then(Path::extension).and_then(|extension| extension.to_str());
        let extension = extension.map(str::to_ascii_lowercase);
        let named = extension.as_deref().and_then(by_extension);
        // The share of rows that a token table must reach: all but a few where nothing else speaks for it.
        let own_table = table::is_own_header(&text);
        if named != Some(Self::Conll) && !own_table && conll::looks_like(&text) {
            return Ok((Self::Conll, Evidence::Content));
        }
        if let Some(format) = json(&text)? {
            return Ok((format, Evidence::Content));
        }
        if is_page(&text) {
            return Ok((Self::Html, Evidence::Content));
        }
        if own_table {
            let tab = text.lines().next().is_some_and(|line| line.contains(char::from(table::TAB)));
            return Ok((if tab { Self::Tsv } else { Self::Csv }, Evidence::Content));
        }
        match (named, extension.as_deref()) {
            (Some(format), _) => Ok((format, Evidence::Name)),
            (None, None) => Ok((Self::Text, Evidence::Content)),
            (None, Some(_)) if text.trim().is_empty() => Ok((Self::Text, Evidence::Content)),
            (None, Some("json")) => {
                Err(Unrecognized { reason: "it is neither a spaCy list nor JSON lines nor a known tool's export" })
            }
            (None, Some(_)) => Err(Unrecognized { reason: "an unknown file name ending, and neither JSON nor CoNLL" }),
        }
    }
}

impl Format {
    /// The format that a file's name tells, with or without the ending of a compressed one; `None` where several share the ending.
    pub fn of_name(name: &Path) -> Option<Self> {
        let name = compression::bare_name(name);
        by_extension(&name.extension()?.to_str()?.to_ascii_lowercase())
    }
}

fn by_extension(extension: &str) -> Option<Format> {
    Some(match extension {
        "jsonl" | "ndjson" => Format::Jsonl,
        "conll" | "conllu" | "iob" | "iob1" | "iob2" | "ioe1" | "ioe2" | "iobes" | "bio" | "bioes" | "bilou" => {
            Format::Conll
        }
        "spacy" => Format::SpacyDocbin,
        "parquet" => Format::Huggingface,
        "txt" | "text" => Format::Text,
        "md" | "markdown" => Format::Markdown,
        "html" | "htm" | "xhtml" => Format::Html,
        "csv" => Format::Csv,
        "tsv" => Format::Tsv,
        _ => return None,
    })
}

/// Whether a text starts as a web page does.
fn is_page(text: &str) -> bool {
    let start: String = text.trim_start().chars().take(14).collect::<String>().to_ascii_lowercase();
    start.starts_with("<!doctype html") || start.starts_with("<html")
}

/// The JSON format that the text starts like, `None` where it is not JSON at all.
fn json(text: &str) -> Result<Option<Format>, Unrecognized> {
    let mut marks = text.chars().filter(|character| !character.is_whitespace());
    let start = match (marks.next(), marks.next(), marks.next()) {
        (Some('{'), Some('"' | '}'), _) | (Some('['), Some('{'), Some('"')) => text.find('{'),
        (Some('['), Some('['), Some('"')) | (Some('['), Some(']'), None) | (Some('['), Some('"'), _) => {
            return Ok(Some(Format::SpacyList));
        }
        _ => None,
    };
    let Some(start) = start else { return Ok(None) };
    let fields = Fields::of(&text[start..]);
    if let Some(format) = fields.tool() {
        return Ok(Some(format));
    }
    let listed = text.trim_start().starts_with('[');
    let first = text[start..].lines().next().unwrap_or_default();
    // An object on one line; the last line seen may be cut.
    let whole = first.trim_end().ends_with('}') || !text[start..].contains('\n');
    match (listed, whole) {
        (false, true) if huggingface::looks_like_row(first) => Ok(Some(Format::Huggingface)),
        (false, true) => Ok(Some(Format::Jsonl)),
        (false, false) => {
            Err(Unrecognized { reason: "a JSON object over several lines, with fields of no known format" })
        }
        (true, _) => Err(Unrecognized { reason: "a JSON list of objects with fields of no known format" }),
    }
}

/// The fields of the first object, each with how its value starts: its first characters without white space.
struct Fields<'t>(Vec<(&'t str, String)>);

impl<'t> Fields<'t> {
    /// Those of the object that `text` starts with, as far as it goes.
    fn of(text: &'t str) -> Self {
        let mut fields = Vec::new();
        let (mut depth, mut at) = (0usize, 0);
        let bytes = text.as_bytes();
        while at < bytes.len() {
            match bytes[at] {
                b'{' | b'[' => depth += 1,
                b'}' | b']' => {
                    depth -= 1;
                    if depth == 0 {
                        break;
                    }
                }
                b'"' => {
                    let Some(length) = quoted(&bytes[at + 1..]) else { break };
                    let value = text[at + 1 + length + 1..].trim_start().strip_prefix(':');
                    if let (1, Some(value)) = (depth, value) {
                        let start = value.chars().filter(|c| !c.is_whitespace()).take(60).collect();
                        fields.push((&text[at + 1..at + 1 + length], start));
                    }
                    at += length + 1;
                }
                _ => {}
            }
            at += 1;
        }
        Self(fields)
    }

    /// Whether the field is there, with a value that starts like one of these.
    fn has(&self, name: &str, starts: &[&str]) -> bool {
        self.0.iter().any(|(field, value)| *field == name && starts.iter().any(|start| value.starts_with(start)))
    }

    /// The annotation tool whose fields these are.
    fn tool(&self) -> Option<Format> {
        let any = &[""][..];
        let relation =
            |(_, value): &(&str, String)| value.contains("\"start_offset\"") || value.contains("\"end_offset\"");
        let judged = &["\"accept\"", "\"reject\"", "\"ignore\""][..];
        Some(if self.has("data", &["{"]) && (self.has("annotations", any) || self.has("predictions", any)) {
            Format::LabelStudio
        } else if self.has("responses", any) || self.has("suggestions", any) {
            Format::Argilla
        } else if self.has("tokenized_text", any) {
            Format::Gliner
        } else if self.has("spans", &["["]) || self.has("tokens", &["[{"]) || self.has("answer", judged) {
            Format::Prodigy
        } else if self.has("label", &["["]) || self.has("labels", &["[["]) || self.0.iter().any(relation) {
            Format::Doccano
        } else {
            return None;
        })
    }
}

/// Length of the string whose opening quotation mark stands before these bytes; `None` where it does not end.
fn quoted(bytes: &[u8]) -> Option<usize> {
    let mut at = 0;
    loop {
        match bytes.get(at)? {
            b'"' => return Some(at),
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn detect(head: &str, name: &str) -> Option<(Format, Evidence)> {
        let name = (!name.is_empty()).then(|| Path::new(name));
        Format::detect(head.as_bytes(), name).ok()
    }

    #[test]
    fn content_decides_before_the_name() {
        assert_eq!(detect("{\"text\": \"a\"}\n", "a.txt"), Some((Format::Jsonl, Evidence::Content)));
        assert_eq!(detect("[\n[\n\"a\",", "a.jsonl"), Some((Format::SpacyList, Evidence::Content)));
        assert_eq!(detect("[\"a\", {\"entities\": []}]\n", ""), Some((Format::SpacyList, Evidence::Content)));
        assert_eq!(detect("010 I-MISC\nis O\n\n", "wikigold.txt"), Some((Format::Conll, Evidence::Content)));
        assert_eq!(detect("[\tO\n\"\tO\n\n", "x.tsv"), Some((Format::Conll, Evidence::Content)));
        assert_eq!(detect("PAR1", "a.txt"), Some((Format::Huggingface, Evidence::Content)));
        let row = r#"{"id": "1", "tokens": ["a"], "ner_tags": [0]}"#;
        assert_eq!(detect(row, "a.json"), Some((Format::Huggingface, Evidence::Content)));
        assert_eq!(detect("\u{feff}{\"text\": \"a\"}", ""), Some((Format::Jsonl, Evidence::Content)));
    }

    #[test]
    fn the_fields_of_the_first_object_tell_the_tool() {
        for (head, format) in [
            (r#"{"text": "a", "spans": [], "answer": "accept"}"#, Format::Prodigy),
            (r#"{"text": "a", "tokens": [{"text": "a"}]}"#, Format::Prodigy),
            (r#"{"text": "\"spans\": [", "label": [[0, 1, "A"]]}"#, Format::Doccano),
            (r#"{"id": 1, "text": "a", "entities": [{"id": 0, "start_offset": 0}], "relations": []}"#, Format::Doccano),
            ("[\n {\n \"id\": 1,\n \"annotations\": [], \"data\": {\"text\": \"a\"}}]", Format::LabelStudio),
            (r#"[{"data": {"text": "a"}, "predictions": []"#, Format::LabelStudio),
            (r#"[{"fields": {"text": "a"}, "responses": {}}"#, Format::Argilla),
            (r#"{"tokenized_text": ["a"], "ner": []}"#, Format::Gliner),
            (r#"{"text": "a", "entities": [], "labels": ["A"], "meta": {"spans": []}}"#, Format::Jsonl),
            ("id,text,entities,labels,complete,meta\n", Format::Csv),
            ("id\ttext\tentities\tlabels\tcomplete\tmeta\n1\ta\t[]\t\ttrue\t\n", Format::Tsv),
        ] {
            assert_eq!(detect(head, "a.json"), Some((format, Evidence::Content)), "{head}");
        }
    }

    #[test]
    fn the_name_decides_where_the_content_is_broken_or_plain() {
        assert_eq!(detect("one\ntwo\n", "a.conll"), Some((Format::Conll, Evidence::Name)));
        assert_eq!(detect("not json", "a.jsonl"), Some((Format::Jsonl, Evidence::Name)));
        assert_eq!(detect("Some words.\n", "a.txt"), Some((Format::Text, Evidence::Name)));
        assert_eq!(detect("Some words.\n", ""), Some((Format::Text, Evidence::Content)));
    }

    #[test]
    fn what_would_only_be_a_guess_is_refused() {
        for (head, name) in [("a,b\n", "a.xyz"), ("[{\"data\": {}}]", "a.json"), ("{\n \"a\": 1\n}", "a.json")] {
            assert_eq!(detect(head, name), None, "{name}");
        }
    }
}
