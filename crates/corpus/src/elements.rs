//! JSON values one after the other: the elements of a list, or values that follow each other, one a line or over several lines.

use std::io::{BufRead, Read as _};

use serde_json::Value;

use crate::{
    Limits, ReadErrorKind,
    error::Fault,
    json,
    lines::{Input, encoding, line_limit, newlines},
};

/// What every element of a file is.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Shape {
    /// A list, such as spaCy's `[text, {"entities": [...]}]`.
    List,
    /// An object.
    Object,
}

/// The elements of an input; memory is bounded by the largest of them.
pub(crate) struct Elements<'r> {
    input: Input<'r>,
    limits: Limits,
    shape: Shape,
    /// What an element looks like, for messages.
    expected: &'static str,
    line: usize,
    state: State,
}

#[derive(Clone, Copy, PartialEq)]
enum State {
    /// Nothing read yet.
    Start,
    /// Before the first element of a list.
    First,
    /// After an element of a list.
    Inside,
    /// Elements without a list around them.
    Loose,
    /// After the first bracket of the first of such elements, already taken.
    FirstLoose,
    /// Elements without a list around them, of which the first took one line: so does each, and a broken one ends with its line.
    Lines,
}

impl<'r> Elements<'r> {
    pub(crate) fn new(input: Input<'r>, limits: Limits, shape: Shape, expected: &'static str) -> Self {
        Self { input, limits, shape, expected, line: 1, state: State::Start }
    }

    /// The next element with its first line; `None` at the end.
    pub(crate) fn next(&mut self) -> Option<Result<(usize, Value), Fault>> {
        let element = match self.advance() {
            Ok(true) if self.state == State::Lines => self.one_line(),
            Ok(true) => self.element(),
            Ok(false) => return None,
            Err(fault) => Err(fault),
        };
        Some(element.and_then(|(line, bytes)| self.value(line, &bytes).map(|value| (line, value))))
    }

    fn opens(&self, byte: u8) -> bool {
        byte == if self.shape == Shape::List { b'[' } else { b'{' }
    }

    /// Moves to the first byte of the next element; `false` at the end.
    fn advance(&mut self) -> Result<bool, Fault> {
        if self.state == State::Start {
            self.state = self.start()?;
        }
        if self.state == State::FirstLoose {
            return Ok(true);
        }
        let next = self.peek()?;
        match (self.state, next) {
            (State::Lines | State::Loose | State::Start, None) => Ok(false),
            (State::Lines, Some(_)) => Ok(true),
            (State::First | State::Inside, Some(b']')) => {
                self.skip();
                match self.peek()? {
                    None => Ok(false),
                    Some(_) => Err(self.broken("expected nothing after the end of the list".into())),
                }
            }
            (State::Inside, Some(b',')) => {
                self.skip();
                match self.peek()? {
                    Some(byte) if self.opens(byte) => Ok(true),
                    Some(_) => Err(self.broken(format!("expected {} after the comma", self.expected))),
                    None => Err(self.broken("the list is not closed".into())),
                }
            }
            (State::Inside, Some(_)) => Err(self.broken("expected a comma or the end of the list".into())),
            (State::First | State::Loose, Some(byte)) if self.opens(byte) => Ok(true),
            (_, Some(_)) => Err(self.broken(format!("expected {}", self.expected))),
            (_, None) => Err(self.broken("the list is not closed".into())),
        }
    }

    /// What the first bytes show.
    fn start(&mut self) -> Result<State, Fault> {
        match (self.shape, self.peek()?) {
            (_, None) => return Ok(State::Start),
            (Shape::Object, Some(b'{')) => return Ok(State::Loose),
            (_, Some(b'[')) => self.skip(),
            (_, Some(_)) => return Err(self.broken(format!("expected a list of elements, each {}", self.expected))),
        }
        match (self.shape, self.peek()?) {
            (_, Some(b']')) => Ok(State::First),
            (Shape::List, Some(b'"')) => Ok(State::FirstLoose),
            (_, Some(byte)) if self.opens(byte) => Ok(State::First),
            (Shape::List, Some(b'{')) => Err(self.broken(format!("expected {}, found an object", self.expected))),
            _ => Err(self.broken(format!("expected {}", self.expected))),
        }
    }

    /// The bytes of the line that starts here.
    fn one_line(&mut self) -> Result<(usize, Vec<u8>), Fault> {
        let (line, limit) = (self.line, self.limits.document_bytes);
        let mut bytes = Vec::new();
        let room = limit.saturating_add(1) as u64;
        (&mut self.input).take(room).read_until(b'\n', &mut bytes).map_err(|error| Fault::fatal(line, error))?;
        if bytes.len() > limit {
            return Err(Fault::fatal(line, line_limit(limit)));
        }
        self.line += newlines(&bytes);
        bytes.truncate(bytes.trim_ascii_end().len());
        Ok((line, bytes))
    }

    /// The bytes of the element that starts here, to the bracket that closes it.
    fn element(&mut self) -> Result<(usize, Vec<u8>), Fault> {
        let first_line = self.line;
        let mut bytes = Vec::new();
        let mut extent = Extent::default();
        if self.state == State::FirstLoose {
            extent.depth = 1;
            bytes.push(b'[');
        }
        loop {
            let available = self.input.fill_buf().map_err(|error| Fault::fatal(self.line, error))?;
            if available.is_empty() {
                return Err(Fault::fatal(first_line, structure("the element that starts here is not closed".into())));
            }
            let end = extent.end(available);
            let taken = end.map_or(available.len(), |last| last + 1);
            if bytes.len() + taken > self.limits.document_bytes {
                let (what, limit) = ("the element", self.limits.document_bytes);
                return Err(Fault::fatal(first_line, ReadErrorKind::Limit { what, limit, unit: "bytes" }));
            }
            bytes.extend_from_slice(&available[..taken]);
            self.line += newlines(&available[..taken]);
            self.input.consume(taken);
            if end.is_some() {
                break;
            }
        }
        self.state = match self.state {
            State::Loose if self.shape == Shape::Object && self.line == first_line => State::Lines,
            State::Loose | State::FirstLoose => State::Loose,
            _ => State::Inside,
        };
        Ok((first_line, bytes))
    }

    fn value(&self, line: usize, bytes: &[u8]) -> Result<Value, Fault> {
        let text = std::str::from_utf8(bytes).map_err(|error| {
            let valid = &bytes[..error.valid_up_to()];
            let column = valid.len() - valid.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
            Fault::at(line + newlines(valid), encoding(column))
        })?;
        json::parse(text, line, self.limits.json_depth)
    }

    /// The next byte that is not white space, still in the input.
    fn peek(&mut self) -> Result<Option<u8>, Fault> {
        loop {
            let available = self.input.fill_buf().map_err(|error| Fault::fatal(self.line, error))?;
            if available.is_empty() {
                return Ok(None);
            }
            let blank = available.iter().take_while(|byte| byte.is_ascii_whitespace()).count();
            let found = available.get(blank).copied();
            self.line += newlines(&available[..blank]);
            self.input.consume(blank);
            if found.is_some() {
                return Ok(found);
            }
        }
    }

    fn skip(&mut self) {
        self.input.consume(1);
    }

    fn broken(&self, message: String) -> Fault {
        Fault::fatal(self.line, structure(message))
    }
}

fn structure(message: String) -> ReadErrorKind {
    ReadErrorKind::Structure { message }
}

/// Follows brackets and strings to the end of one JSON value.
#[derive(Default)]
struct Extent {
    depth: usize,
    in_string: bool,
    escaped: bool,
}

impl Extent {
    /// The position of the byte that closes what the first byte of all opened.
    fn end(&mut self, bytes: &[u8]) -> Option<usize> {
        let mut at = 0;
        while at < bytes.len() {
            if self.escaped {
                self.escaped = false;
            } else if self.in_string {
                at += bytes[at..].iter().position(|byte| matches!(byte, b'"' | b'\\'))?;
                self.escaped = bytes[at] == b'\\';
                self.in_string = self.escaped;
            } else {
                match bytes[at] {
                    b'"' => self.in_string = true,
                    b'[' | b'{' => self.depth += 1,
                    b']' | b'}' => self.depth = self.depth.saturating_sub(1),
                    _ => {}
                }
                if self.depth == 0 {
                    return Some(at);
                }
            }
            at += 1;
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn elements(text: &str, shape: Shape) -> Vec<Result<(usize, String), (usize, String)>> {
        let mut elements = Elements::new(Box::new(text.as_bytes()), Limits::default(), shape, "an element");
        let mut found = Vec::new();
        while let Some(element) = elements.next() {
            let fatal = element.as_ref().is_err_and(|fault| fault.fatal);
            found
                .push(element.map(|(line, value)| (line, value.to_string())).map_err(|f| (f.line, f.kind.to_string())));
            if fatal {
                break;
            }
        }
        found
    }

    fn whole(text: &str, shape: Shape) -> Vec<(usize, String)> {
        elements(text, shape).into_iter().map(Result::unwrap).collect()
    }

    #[test]
    fn objects_are_found_in_a_list_one_a_line_and_over_lines() {
        let expected =
            |lines: [usize; 2]| vec![(lines[0], r#"{"a":1}"#.to_owned()), (lines[1], r#"{"a":[2]}"#.to_owned())];
        assert_eq!(whole("[{\"a\":1},\n {\"a\":[2]}]\n", Shape::Object), expected([1, 2]));
        assert_eq!(whole("{\"a\":1}\n\n{\"a\":[2]}\n", Shape::Object), expected([1, 3]));
        assert_eq!(whole("{\n\"a\":1\n}\n{\"a\":\n[2]}", Shape::Object), expected([1, 4]));
        assert_eq!(whole("[[1], [2]]", Shape::List), [(1, "[1]".to_owned()), (1, "[2]".to_owned())]);
        assert_eq!(
            whole("[\"a\", 1]\n[\"b\", 2]\n", Shape::List),
            [(1, "[\"a\",1]".to_owned()), (2, "[\"b\",2]".to_owned())]
        );
        assert!(whole(" \n", Shape::Object).is_empty() && whole("[]", Shape::Object).is_empty());
    }

    #[test]
    fn a_broken_line_is_told_and_the_next_is_read() {
        let found = elements("{\"a\":1}\n{\"a\":\n{\"a\":3} x\n{\"a\":4}\n", Shape::Object);
        assert_eq!(found.len(), 4);
        assert!(
            found[1].as_ref().is_err_and(|(line, _)| *line == 2)
                && found[2].as_ref().is_err_and(|(line, _)| *line == 3)
        );
        assert_eq!(found[3], Ok((4, r#"{"a":4}"#.to_owned())));
    }

    #[test]
    fn what_is_never_closed_names_the_line_where_it_starts() {
        let found = elements("[{\"a\":1},\n{\"b\":\n[", Shape::Object);
        assert_eq!(found[1].as_ref().unwrap_err().0, 2);
        assert!(
            elements("[{\"a\":1}", Shape::Object)[1].as_ref().is_err_and(|(_, message)| message.contains("not closed"))
        );
    }
}
