//! Lines of bounded length, with their numbers.

use std::io::{BufRead, Read};

use crate::{ReadErrorKind, error::Fault};

/// Where bytes come from.
pub(crate) type Input<'r> = Box<dyn BufRead + Send + 'r>;

/// The byte order mark that some editors put before UTF-8.
pub(crate) const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";

/// Lines ended by `\n` or `\r\n`, the last one also by the end of the input.
pub(crate) struct Lines<'r> {
    input: Input<'r>,
    limit: usize,
    number: usize,
    buffer: Vec<u8>,
}

impl<'r> Lines<'r> {
    pub(crate) fn new(input: Input<'r>, limit: usize) -> Self {
        Self { input, limit, number: 0, buffer: Vec::new() }
    }

    /// The next line without its end, and its number from 1.
    ///
    /// A line that is too long, or an input that fails, ends the input.
    pub(crate) fn next(&mut self) -> Option<Result<(usize, &str), Fault>> {
        let line = self.number + 1;
        self.buffer.clear();
        // Two more than the limit: room for the line's end.
        let room = self.limit.saturating_add(2) as u64;
        match (&mut self.input).take(room).read_until(b'\n', &mut self.buffer) {
            Ok(0) => return None,
            Ok(_) => {}
            Err(error) => return Some(Err(Fault::fatal(line, error))),
        }
        self.number = line;
        if self.buffer.last() == Some(&b'\n') {
            self.buffer.pop();
            if self.buffer.last() == Some(&b'\r') {
                self.buffer.pop();
            }
        }
        if self.buffer.len() > self.limit {
            self.buffer = Vec::new();
            return Some(Err(Fault::fatal(line, line_limit(self.limit))));
        }
        let text = std::str::from_utf8(&self.buffer);
        Some(text.map(|text| (line, text)).map_err(|error| Fault::at(line, encoding(error.valid_up_to()))))
    }
}

/// How many lines end in these bytes.
pub(crate) fn newlines(bytes: &[u8]) -> usize {
    bytes.split(|byte| *byte == b'\n').count() - 1
}

pub(crate) fn line_limit(limit: usize) -> ReadErrorKind {
    ReadErrorKind::Limit { what: "the line", limit, unit: "bytes" }
}

pub(crate) fn encoding(valid_up_to: usize) -> ReadErrorKind {
    ReadErrorKind::Encoding { column: valid_up_to + 1 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_line_ends_and_none_at_the_end_are_lines() {
        let mut lines = Lines::new(Box::new(&b"a\r\nb\n\nc\rd"[..]), 100);
        let mut found = Vec::new();
        while let Some(line) = lines.next() {
            let (number, text) = line.unwrap();
            found.push((number, text.to_owned()));
        }
        assert_eq!(found, [(1, "a".into()), (2, "b".into()), (3, String::new()), (4, "c\rd".into())]);
    }

    #[test]
    fn a_line_at_the_limit_is_read_and_one_above_it_is_not() {
        let mut lines = Lines::new(Box::new(&b"abc\r\nabcd\n"[..]), 3);
        assert_eq!(lines.next().unwrap().unwrap().1, "abc");
        assert!(lines.next().unwrap().is_err_and(|fault| fault.fatal && fault.line == 2));
    }

    #[test]
    fn a_bad_byte_names_its_line_and_the_next_line_is_read() {
        let mut lines = Lines::new(Box::new(&b"a\nb\xFFc\nd"[..]), 100);
        assert_eq!(lines.next().unwrap().unwrap().1, "a");
        let fault = lines.next().unwrap().unwrap_err();
        assert!(matches!((fault.line, fault.kind), (2, ReadErrorKind::Encoding { column: 2 })));
        assert_eq!(lines.next().unwrap().unwrap(), (3, "d"));
    }
}
