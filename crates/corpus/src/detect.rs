//! Which format a file has, from its first bytes and its name.

use std::{fmt, path::Path};

use thiserror::Error;

use crate::{Format, conll, lines::BYTE_ORDER_MARK};

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
        let head = head.strip_prefix(BYTE_ORDER_MARK).unwrap_or(head);
        let text = String::from_utf8_lossy(head);
        let extension = name.and_then(Path::extension).and_then(|extension| extension.to_str());
        let extension = extension.map(str::to_ascii_lowercase);
        let named = extension.as_deref().and_then(by_extension);
        // The share of rows that a token table must reach: all but a few where nothing else speaks for it.
        if named != Some(Self::Conll) && conll::looks_like(&text) {
            return Ok((Self::Conll, Evidence::Content));
        }
        if let Some(format) = json(&text)? {
            return Ok((format, Evidence::Content));
        }
        match (named, extension.as_deref()) {
            (Some(format), _) => Ok((format, Evidence::Name)),
            (None, None) => Ok((Self::Text, Evidence::Content)),
            (None, Some(_)) if text.trim().is_empty() => Ok((Self::Text, Evidence::Content)),
            (None, Some("json")) => Err(Unrecognized { reason: "it is neither a spaCy list nor JSON lines" }),
            (None, Some(_)) => Err(Unrecognized { reason: "an unknown file name ending, and neither JSON nor CoNLL" }),
        }
    }
}

impl Format {
    /// The format that a file's name tells; `None` where several share the ending.
    pub fn of_name(name: &Path) -> Option<Self> {
        by_extension(&name.extension()?.to_str()?.to_ascii_lowercase())
    }
}

fn by_extension(extension: &str) -> Option<Format> {
    Some(match extension {
        "jsonl" | "ndjson" => Format::Jsonl,
        "conll" | "conllu" | "iob" | "iob1" | "iob2" | "ioe1" | "ioe2" | "iobes" | "bio" | "bioes" | "bilou" => {
            Format::Conll
        }
        "txt" | "text" => Format::Text,
        _ => return None,
    })
}

/// The JSON format that the text starts like, `None` where it is not JSON at all.
fn json(text: &str) -> Result<Option<Format>, Unrecognized> {
    let mut marks = text.chars().filter(|character| !character.is_whitespace());
    match (marks.next(), marks.next(), marks.next()) {
        (Some('{'), Some('"' | '}'), _) => {
            let first = text.trim_start().lines().next().unwrap_or_default();
            // An object on one line; the last line seen may be cut.
            let whole = first.trim_end().ends_with('}') || !text.trim_start().contains('\n');
            if whole {
                Ok(Some(Format::Jsonl))
            } else {
                Err(Unrecognized { reason: "a JSON object over several lines" })
            }
        }
        (Some('['), Some('['), Some('"')) | (Some('['), Some(']'), None) | (Some('['), Some('"'), _) => {
            Ok(Some(Format::SpacyList))
        }
        (Some('['), Some('{'), Some('"')) => Err(Unrecognized { reason: "a JSON list of objects" }),
        _ => Ok(None),
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
        assert_eq!(detect("\u{feff}{\"text\": \"a\"}", ""), Some((Format::Jsonl, Evidence::Content)));
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
        for (head, name) in
            [("a,b\n", "a.csv"), ("PAR1", "a.parquet"), ("[{\"data\": {}}]", "a.json"), ("{\n \"a\": 1\n}", "a.json")]
        {
            assert_eq!(detect(head, name), None, "{name}");
        }
    }
}
