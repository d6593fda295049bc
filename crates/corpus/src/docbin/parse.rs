//! The message of a file, read in one pass and in bounded memory.

use std::{
    collections::HashMap,
    io::{BufRead, Read},
};

use flate2::bufread::ZlibDecoder;

use super::{
    VERSION, attribute,
    message::{Message, Values, damaged},
    messagepack::{Head, Problem, Unpacker},
    strings,
};
use crate::{ReadErrorKind, lines::Input};

/// Memory of a string and its place in the table, beside its bytes.
const STRING: usize = 64;
/// Memory of a place in a list.
const PLACE: usize = 8;

/// The message of a file, in at most `limit` bytes of memory.
pub(super) fn read(input: Input<'_>, limit: usize) -> Result<Message, ReadErrorKind> {
    let mut place = "the beginning".to_owned();
    let mut stream = ZlibDecoder::new(input);
    let message = parse(&mut stream, limit, &mut place).and_then(|message| {
        let trailing = !stream.get_mut().fill_buf()?.is_empty();
        if trailing { Err(Problem::Malformed("bytes follow behind its end".to_owned())) } else { Ok(message) }
    });
    message.map_err(|problem| match problem {
        Problem::Io(error) => ReadErrorKind::Io(error),
        Problem::Room => ReadErrorKind::Limit { what: "the file, unpacked in memory,", limit, unit: "bytes" },
        Problem::Ended => damaged(format!("it ends within {place}")),
        Problem::Malformed(problem) => damaged(format!("in {place}: {problem}")),
    })
}

pub(super) fn malformed<T>(problem: impl Into<String>) -> Result<T, Problem> {
    Err(Problem::Malformed(problem.into()))
}

fn parse(stream: &mut impl Read, limit: usize, place: &mut String) -> Result<Message, Problem> {
    let mut unpacker = Unpacker::new(stream, limit);
    let Head::Map(fields) = unpacker.head()? else { return malformed("expected a map") };
    let mut message = Message::default();
    let (mut lengths, mut seen) = (Vec::new(), Vec::new());
    for _ in 0..fields {
        let Head::Str(len) = unpacker.head()? else { return malformed("expected the name of a field") };
        let name = unpacker.text(len)?;
        *place = format!("`{}`", name.escape_debug());
        if seen.contains(&name) {
            return malformed("the field occurs twice");
        }
        match name.as_str() {
            "version" => version(&mut unpacker)?,
            "attrs" => message.attributes = attributes(&mut unpacker)?,
            "tokens" => message.tokens = binary(&mut unpacker)?,
            "spaces" => message.spaces = binary(&mut unpacker)?,
            "lengths" => {
                lengths = binary(&mut unpacker)?;
                unpacker.charge(lengths.len() / 4 * PLACE)?;
            }
            "strings" => message.strings = table(&mut unpacker)?,
            "cats" => message.cats = values(&mut unpacker)?,
            "flags" => message.flags = values(&mut unpacker)?,
            "span_groups" => message.span_groups = values(&mut unpacker)?,
            "user_data" => message.user_data = values(&mut unpacker)?,
            _ => return malformed("version 0.1 has no such field"),
        }
        seen.push(name);
    }
    "the end".clone_into(place);
    if !unpacker.at_end()? {
        return malformed("more follows behind the message");
    }
    for field in ["version", "attrs", "tokens", "spaces", "lengths", "strings", "cats"] {
        if !seen.iter().any(|name| name == field) {
            return malformed(format!("the field `{field}` is missing; spaCy 3 writes it"));
        }
    }
    message.ends = ends(&lengths)?;
    message.check()?;
    Ok(message)
}

fn version<R: Read>(unpacker: &mut Unpacker<R>) -> Result<(), Problem> {
    let Head::Str(len) = unpacker.head()? else { return malformed("expected a text") };
    let found = unpacker.text(len)?;
    if found == VERSION {
        return Ok(());
    }
    malformed(format!("version {} is not known, {VERSION} is; write the file with spaCy 3", found.escape_debug()))
}

fn attributes<R: Read>(unpacker: &mut Unpacker<R>) -> Result<Vec<u64>, Problem> {
    let Head::Array(len) = unpacker.head()? else { return malformed("expected a list of numbers") };
    let mut attributes = Vec::new();
    for _ in 0..len {
        let Head::Unsigned(attribute) = unpacker.head()? else { return malformed("expected a list of numbers") };
        if attributes.contains(&attribute) {
            return malformed(format!("attribute {attribute} occurs twice"));
        }
        // No more than there are, so that a search through them is short.
        if attributes.len() == 1000 {
            return malformed("more than 1000 attributes");
        }
        attributes.push(attribute);
    }
    if !attributes.contains(&attribute::ORTH) {
        return malformed("the attribute ORTH (65), the words, is missing");
    }
    Ok(attributes)
}

fn binary<R: Read>(unpacker: &mut Unpacker<R>) -> Result<Vec<u8>, Problem> {
    let Head::Bin(len) = unpacker.head()? else { return malformed("expected bytes") };
    let mut bytes = Vec::new();
    unpacker.bytes_into(len, &mut bytes)?;
    Ok(bytes)
}

/// The strings under the numbers that spaCy gives them.
fn table<R: Read>(unpacker: &mut Unpacker<R>) -> Result<HashMap<u64, Box<str>>, Problem> {
    let Head::Array(len) = unpacker.head()? else { return malformed("expected a list of texts") };
    let mut table: HashMap<u64, Box<str>> = HashMap::new();
    for _ in 0..len {
        let Head::Str(len) = unpacker.head()? else { return malformed("expected a list of texts") };
        unpacker.charge(STRING)?;
        let string = unpacker.text(len)?.into_boxed_str();
        let id = strings::id(&string);
        if let Some(other) = table.get(&id)
            && *other != string
        {
            let (string, other) = (string.escape_debug(), other.escape_debug());
            return malformed(format!("`{string}` and `{other}` have the same number {id}"));
        }
        table.insert(id, string);
    }
    Ok(table)
}

fn values<R: Read>(unpacker: &mut Unpacker<R>) -> Result<Values, Problem> {
    let Head::Array(len) = unpacker.head()? else { return malformed("expected a list with a value a document") };
    let mut values = Values::default();
    for _ in 0..len {
        unpacker.charge(PLACE)?;
        unpacker.raw_into(&mut values.bytes)?;
        values.ends.push(values.bytes.len());
    }
    Ok(values)
}

fn ends(lengths: &[u8]) -> Result<Vec<usize>, Problem> {
    let (lengths, rest) = lengths.as_chunks::<4>();
    if !rest.is_empty() {
        return malformed("`lengths` is no list of 32-bit numbers");
    }
    let mut end = 0usize;
    lengths
        .iter()
        .enumerate()
        .map(|(at, length)| {
            let length = usize::try_from(i32::from_le_bytes(*length)).ok();
            let Some(next) = length.and_then(|length| end.checked_add(length)) else {
                return malformed(format!("`lengths` gives document {} a length below 0", at + 1));
            };
            end = next;
            Ok(end)
        })
        .collect()
}
