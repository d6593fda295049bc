//! JSON values read strictly: nothing that a lenient parser would drop or change gets through.

use std::{
    cell::{Cell, RefCell},
    fmt,
};

use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

use crate::{ReadErrorKind, error::Fault};

/// The value that `text` is.
///
/// `first_line` is the number of the file's line at which `text` starts. Refused are duplicate keys, more than
/// `depth` nested arrays and objects, and whole numbers that 64 bits cannot hold.
pub(crate) fn parse(text: &str, first_line: usize, depth: usize) -> Result<Value, Fault> {
    let (refused, large) = (RefCell::new(None), Cell::new(false));
    let mut parser = serde_json::Deserializer::from_str(text);
    let strict = Strict { depth: depth.min(120), limit: depth.min(120), refused: &refused, large: &large };
    let parsed = strict.deserialize(&mut parser).and_then(|value| parser.end().map(|()| value));
    let value = parsed.map_err(|error| {
        let column = error.column().max(1);
        let kind = match refused.take() {
            Some(Refused::Duplicate(key)) => ReadErrorKind::DuplicateKey { key, column },
            Some(Refused::Depth(limit)) => {
                ReadErrorKind::Limit { what: "the nesting of the JSON", limit, unit: "levels" }
            }
            None => {
                let message = error.to_string();
                let message = message.rsplit_once(" at line ").map_or(message.as_str(), |(message, _)| message);
                ReadErrorKind::Json { column, message: message.to_owned() }
            }
        };
        Fault::at(first_line + error.line().max(1) - 1, kind)
    })?;
    match large.get().then(|| large_whole_number(text)).flatten() {
        None => Ok(value),
        Some(at) => {
            let before = &text[..at];
            let column = at - before.rfind('\n').map_or(0, |end| end + 1) + 1;
            let message = "the number is too large to be kept exactly; quote it".to_owned();
            Err(Fault::at(first_line + before.matches('\n').count(), ReadErrorKind::Json { column, message }))
        }
    }
}

/// Where the first whole number begins that 64 bits cannot hold, in a text that is JSON. A parser rounds it to a number with a
/// fraction, and gives those that were written with a fraction or an exponent in the same way.
fn large_whole_number(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        let begun = at;
        at += 1;
        match byte {
            b'"' => {
                while let Some(byte) = bytes.get(at).filter(|byte| **byte != b'"') {
                    at += if *byte == b'\\' { 2 } else { 1 };
                }
                at += 1;
            }
            b'-' | b'0'..=b'9' => {
                let part = |byte: &&u8| byte.is_ascii_digit() || matches!(byte, b'.' | b'e' | b'E' | b'+' | b'-');
                at += bytes[at..].iter().take_while(part).count();
                let number = &text[begun..at];
                let whole = !number.contains(['.', 'e', 'E']);
                if whole && number.parse::<u64>().is_err() && number.parse::<i64>().is_err() {
                    return Some(begun);
                }
            }
            _ => {}
        }
    }
    None
}

/// What a value is, for messages.
pub(crate) fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

/// What the strict rules refused; kept beside the parser's error, which can carry text only.
enum Refused {
    Duplicate(String),
    Depth(usize),
}

#[derive(Clone, Copy)]
struct Strict<'f> {
    depth: usize,
    limit: usize,
    refused: &'f RefCell<Option<Refused>>,
    /// There was a number beyond 64 bits.
    large: &'f Cell<bool>,
}

impl Strict<'_> {
    fn inner<E: serde::de::Error>(self) -> Result<Self, E> {
        let depth = self.depth.checked_sub(1).ok_or_else(|| {
            self.refused.replace(Some(Refused::Depth(self.limit)));
            E::custom("nested too deeply")
        })?;
        Ok(Self { depth, ..self })
    }
}

impl<'de> DeserializeSeed<'de> for Strict<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<Value, E> {
        if value.abs() >= 9_223_372_036_854_775_808.0 {
            self.large.set(true);
        }
        Number::from_f64(value).map(Value::Number).ok_or_else(|| E::custom("the number is none"))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(Value::String(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let inner = self.inner()?;
        let mut list = Vec::new();
        while let Some(item) = items.next_element_seed(inner)? {
            list.push(item);
        }
        Ok(Value::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let inner = self.inner()?;
        let mut object = Map::new();
        while let Some(key) = entries.next_key::<String>()? {
            if object.contains_key(&key) {
                self.refused.replace(Some(Refused::Duplicate(key)));
                return Err(A::Error::custom("duplicate key"));
            }
            let value = entries.next_value_seed(inner)?;
            object.insert(key, value);
        }
        Ok(Value::Object(object))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(text: &str) -> ReadErrorKind {
        parse(text, 7, 100).unwrap_err().kind
    }

    #[test]
    fn what_a_lenient_parser_would_drop_is_refused_at_every_depth() {
        assert!(matches!(kind(r#"{"a":1,"a":2}"#), ReadErrorKind::DuplicateKey { key, .. } if key == "a"));
        assert!(matches!(kind(r#"[{"m":{"b":1,"b":1}}]"#), ReadErrorKind::DuplicateKey { key, .. } if key == "b"));
        assert!(matches!(kind("12345678901234567890123"), ReadErrorKind::Json { column: 1, .. }));
        assert!(matches!(kind("-9223372036854775809"), ReadErrorKind::Json { column: 1, .. }));
        assert!(matches!(kind(r#""\ud800""#), ReadErrorKind::Json { .. }));
        assert!(matches!(kind("{} {}"), ReadErrorKind::Json { column: 4, .. }));
    }

    #[test]
    fn a_whole_number_that_would_be_rounded_is_refused_where_it_stands_and_one_with_an_exponent_is_read() {
        let fault =
            parse("{\"a\": 1e300, \"99999999999999999999\\\"\": [7,\n 18446744073709551616]}", 3, 100).unwrap_err();
        assert_eq!(fault.line, 4);
        assert!(matches!(fault.kind, ReadErrorKind::Json { column: 2, .. }), "{:?}", fault.kind);
        for (text, number) in
            [("1.8e307", 1.8e307), ("-1E20", -1e20), ("123456789012345678901.5", 123_456_789_012_345_678_901.5)]
        {
            assert_eq!(parse(text, 1, 100).unwrap(), Value::from(number), "{text}");
        }
        assert_eq!(parse("18446744073709551615", 1, 100).unwrap(), Value::from(u64::MAX));
        assert_eq!(parse("-9223372036854775808", 1, 100).unwrap(), Value::from(i64::MIN));
    }

    #[test]
    fn nesting_stops_at_the_limit() {
        let nested = |depth: usize| "[".repeat(depth) + &"]".repeat(depth);
        assert!(parse(&nested(100), 1, 100).is_ok());
        for depth in [101, 128, 129, 100_000] {
            let fault = parse(&nested(depth), 1, 100).unwrap_err();
            assert!(matches!(fault.kind, ReadErrorKind::Limit { limit: 100, .. }));
        }
    }

    #[test]
    fn an_error_in_a_later_line_names_that_line() {
        let fault = parse("[1,\n2,\n x]", 7, 100).unwrap_err();
        assert_eq!(fault.line, 9);
        assert_eq!(fault.kind.to_string(), "malformed JSON at column 2: expected value");
    }
}
