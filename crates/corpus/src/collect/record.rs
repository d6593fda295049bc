//! A collected text as a line of Nomen JSONL.

use std::{
    fmt::Write as _,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::{Limits, html::Page};

use super::{Reason, Skipped, language};

/// A row, without `entities`: nobody has looked for any.
#[derive(Serialize)]
struct Row<'r> {
    /// The first 16 digits of the text's sum.
    id: &'r str,
    text: &'r str,
    meta: About<'r>,
}

#[derive(Serialize)]
struct About<'r> {
    source: &'r str,
    #[serde(skip_serializing_if = "Option::is_none")]
    title: Option<&'r str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    date: Option<&'r str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    language: Option<&'r str>,
    collected: &'r str,
    encoding: &'r str,
    /// Some bytes could not be decoded; U+FFFD stands in their place.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    malformed: bool,
    sha256: &'r str,
}

/// Where a text comes from.
pub(super) struct Origin<'r> {
    pub(super) source: &'r str,
    /// When the collection began.
    pub(super) collected: &'r str,
    pub(super) encoding: &'r str,
    pub(super) malformed: bool,
}

/// SHA-256 sum of a text, 64 hexadecimal digits.
pub(super) fn sum(text: &str) -> String {
    let mut digits = String::with_capacity(64);
    for byte in Sha256::digest(text.as_bytes()) {
        // Writing to a string cannot fail.
        let _ = write!(digits, "{byte:02x}");
    }
    digits
}

/// The row with its line end. The language is the one that the text itself tells, else the one that the page claims.
pub(super) fn row(page: &Page, sum: &str, origin: &Origin<'_>) -> Result<Vec<u8>, Skipped> {
    let claimed = page.language.as_deref().and_then(|tag| tag.split('-').next()).map(str::to_ascii_lowercase);
    let language = language::of(&page.text).or(claimed.as_deref());
    let Origin { source, collected, encoding, malformed } = *origin;
    let about = About {
        source,
        title: page.title.as_deref(),
        date: page.date.as_deref(),
        language,
        collected,
        encoding,
        malformed,
        sha256: sum,
    };
    let row = Row { id: &sum[..16.min(sum.len())], text: &page.text, meta: about };
    let refused = |detail: String| Skipped::new(Reason::TooLarge, detail);
    let mut line = serde_json::to_vec(&row).map_err(|error| refused(error.to_string()))?;
    let limit = Limits::default().document_bytes;
    if line.len() > limit {
        return Err(refused(format!("its row would have more than the {} MiB that a reader takes", limit >> 20)));
    }
    line.push(b'\n');
    Ok(line)
}

/// The present time in UTC, as RFC 3339 writes it.
pub(super) fn now() -> String {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO).as_secs();
    timestamp(since)
}

/// Seconds since 1970 as a date of the proleptic Gregorian calendar.
fn timestamp(seconds: u64) -> String {
    let (days, rest) = (seconds / 86_400, seconds % 86_400);
    // Counted in eras of 400 years that begin in March, so that a leap day is the last of its year.
    let shifted = days + 719_468;
    let (era, day) = (shifted / 146_097, shifted % 146_097);
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let (day, month) = (day - (153 * month + 2) / 5 + 1, if month < 10 { month + 3 } else { month - 9 });
    let year = era * 400 + year + u64::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}Z", rest / 3600, rest / 60 % 60, rest % 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_those_of_the_calendar() {
        for (seconds, expected) in [
            (0, "1970-01-01T00:00:00Z"),
            (951_782_399, "2000-02-28T23:59:59Z"),
            (951_782_400, "2000-02-29T00:00:00Z"),
            (951_868_800, "2000-03-01T00:00:00Z"),
            (1_709_164_800, "2024-02-29T00:00:00Z"),
            (1_735_689_599, "2024-12-31T23:59:59Z"),
            (4_107_542_400, "2100-03-01T00:00:00Z"),
        ] {
            assert_eq!(timestamp(seconds), expected);
        }
    }

    #[test]
    fn a_row_is_read_back_as_a_text_that_nobody_annotated() {
        let page =
            Page {
                title: Some("T".into()), language: Some("DA-dk".into()), text: "Ærø\n😀".into(), ..Page::default()
            };
        let origin = Origin { source: "a.txt", collected: "2024-01-01T00:00:00Z", encoding: "UTF-8", malformed: false };
        let line = row(&page, &sum(&page.text), &origin).unwrap();
        let mut reader = crate::read(line.as_slice(), "row", crate::Format::Jsonl).unwrap();
        let document = reader.next().unwrap().unwrap();
        assert_eq!((document.text(), document.meta["language"].as_str()), ("Ærø\n😀", Some("da")));
        assert_eq!(document.id.as_deref(), document.meta["sha256"].as_str().map(|sum| &sum[..16]));
        assert_eq!(reader.report().unannotated, 1);
    }

    #[test]
    fn a_row_that_no_reader_would_take_is_refused() {
        let page = Page { text: "\u{1}".repeat(12 << 20), ..Page::default() };
        let origin = Origin { source: "a.txt", collected: "", encoding: "UTF-8", malformed: false };
        assert_eq!(row(&page, &sum("x"), &origin).unwrap_err().reason, Reason::TooLarge);
    }
}
