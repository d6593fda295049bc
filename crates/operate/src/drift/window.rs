//! Windows of texts or of time.

use std::{fmt, ops::Range, str::FromStr};

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::predictions::Row;

const MINUTE: u64 = 60_000;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;

/// How a log is cut: `250` texts, or `30m`, `1h`, `1d`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub enum Window {
    /// So many texts.
    Texts(u64),
    /// So many milliseconds, counted from the beginning of 1970 in UTC.
    Time(u64),
}

/// What is no window.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{0:?} is no window; expected a number of texts such as 250, or a time such as 30m, 1h or 1d")]
pub struct WindowError(String);

impl Window {
    /// Cuts rows that are sorted by time. A last window of texts that is less than half full belongs to the one before it.
    pub fn cut(self, rows: &[Row]) -> Vec<Range<usize>> {
        match self {
            Self::Texts(texts) => {
                let texts = usize::try_from(texts).unwrap_or(usize::MAX).max(1);
                let mut windows: Vec<Range<usize>> = (0..rows.len())
                    .step_by(texts)
                    .map(|start| start..start.saturating_add(texts).min(rows.len()))
                    .collect();
                if windows.len() > 1
                    && let Some(last) = windows.pop_if(|last| last.len() < texts.div_ceil(2))
                    && let Some(before) = windows.last_mut()
                {
                    before.end = last.end;
                }
                windows
            }
            Self::Time(length) => {
                let mut start = 0;
                let together = rows.chunk_by(|a, b| a.at / length.max(1) == b.at / length.max(1));
                let cut = together.map(|rows| {
                    let window = start..start + rows.len();
                    start = window.end;
                    window
                });
                cut.collect()
            }
        }
    }
}

impl FromStr for Window {
    type Err = WindowError;

    fn from_str(text: &str) -> Result<Self, WindowError> {
        let wrong = || WindowError(text.to_owned());
        let number = |digits: &str| digits.parse::<u64>().ok().filter(|number| *number > 0).ok_or_else(wrong);
        let time = |digits: &str, unit: u64| number(digits)?.checked_mul(unit).map(Self::Time).ok_or_else(wrong);
        match text.char_indices().next_back() {
            Some((at, 'm')) => time(&text[..at], MINUTE),
            Some((at, 'h')) => time(&text[..at], HOUR),
            Some((at, 'd')) => time(&text[..at], DAY),
            _ => number(text).map(Self::Texts),
        }
    }
}

impl TryFrom<String> for Window {
    type Error = WindowError;

    fn try_from(text: String) -> Result<Self, WindowError> {
        text.parse()
    }
}

impl From<Window> for String {
    fn from(window: Window) -> Self {
        window.to_string()
    }
}

impl fmt::Display for Window {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Texts(texts) => write!(f, "{texts}"),
            Self::Time(time) if time.is_multiple_of(DAY) => write!(f, "{}d", time / DAY),
            Self::Time(time) if time.is_multiple_of(HOUR) => write!(f, "{}h", time / HOUR),
            Self::Time(time) => write!(f, "{}m", time / MINUTE),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(moments: impl IntoIterator<Item = u64>) -> Vec<Row> {
        moments.into_iter().map(|at| Row { at, ..Row::of("text", &[], None) }).collect()
    }

    #[test]
    fn windows_are_read_as_they_are_written() {
        for text in ["1", "250", "30m", "1h", "36h", "7d"] {
            assert_eq!(text.parse::<Window>().unwrap().to_string(), text);
        }
        assert_eq!("24h".parse(), Ok::<Window, WindowError>(Window::Time(DAY)));
        for wrong in ["", "0", "0h", "-1", "h", "1w", "1.5h", "é", "1é", "99999999999999999999", "99999999999999999d"]
        {
            assert!(wrong.parse::<Window>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn every_row_is_in_one_window_and_a_short_rest_joins_the_last() {
        let lengths = |window: &str, rows: &[Row]| -> Vec<usize> {
            let windows = window.parse::<Window>().unwrap().cut(rows);
            assert!(windows.windows(2).all(|pair| pair[0].end == pair[1].start));
            assert_eq!(windows.iter().map(Range::len).sum::<usize>(), rows.len());
            windows.iter().map(Range::len).collect()
        };
        let ten = rows(0..10);
        assert_eq!(lengths("4", &ten), [4, 4, 2]);
        assert_eq!(lengths("7", &ten), [10]);
        assert_eq!(lengths("20", &ten), [10]);
        assert_eq!(lengths("3", &[]), [0; 0]);
        assert_eq!(lengths("1h", &rows([0, HOUR - 1, HOUR, 5 * HOUR])), [2, 1, 1]);
    }
}
