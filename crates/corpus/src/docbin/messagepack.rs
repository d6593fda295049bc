//! MessagePack (<https://github.com/msgpack/msgpack/blob/master/spec.md>), as much of it as a DocBin needs: read in
//! one pass from an input that nobody vouches for, and written.

use std::io::{self, Read};

use serde_json::{Map, Number, Value};

/// What stands at the beginning of a value: the value itself, or how much follows.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Head {
    Nil,
    Bool(bool),
    Unsigned(u64),
    Negative(i64),
    Float(f64),
    /// Bytes of text that follow.
    Str(usize),
    /// Bytes that follow.
    Bin(usize),
    /// Values that follow.
    Array(usize),
    /// Pairs of values that follow.
    Map(usize),
    /// Bytes of an application's own type that follow.
    Extension(usize),
}

/// Why no value could be read.
#[derive(Debug)]
pub(super) enum Problem {
    Io(io::Error),
    /// The input ends inside a value.
    Ended,
    /// More memory would be needed than is allowed.
    Room,
    /// In words.
    Malformed(String),
}

impl From<io::Error> for Problem {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::UnexpectedEof => Self::Ended,
            io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput => Self::Malformed(error.to_string()),
            _ => Self::Io(error),
        }
    }
}

/// Reads values; what is kept of them is charged against `room`, in bytes, before it is read.
pub(super) struct Unpacker<R> {
    input: R,
    room: usize,
    /// The bytes of the last head.
    head: Vec<u8>,
}

impl<R: Read> Unpacker<R> {
    pub(super) fn new(input: R, room: usize) -> Self {
        Self { input, room, head: Vec::new() }
    }

    /// Takes note of memory that is about to be used.
    pub(super) fn charge(&mut self, bytes: usize) -> Result<(), Problem> {
        self.room = self.room.checked_sub(bytes).ok_or(Problem::Room)?;
        Ok(())
    }

    pub(super) fn head(&mut self) -> Result<Head, Problem> {
        self.head.clear();
        let marker = self.big_endian(1)? as u8;
        Ok(match marker {
            0x00..=0x7f => Head::Unsigned(u64::from(marker)),
            0x80..=0x8f => Head::Map(usize::from(marker & 0x0f)),
            0x90..=0x9f => Head::Array(usize::from(marker & 0x0f)),
            0xa0..=0xbf => Head::Str(usize::from(marker & 0x1f)),
            0xc0 => Head::Nil,
            0xc1 => return Err(Problem::Malformed("the byte C1 is no MessagePack".to_owned())),
            0xc2 | 0xc3 => Head::Bool(marker == 0xc3),
            0xc4..=0xc6 => Head::Bin(self.length(1 << (marker - 0xc4))?),
            0xc7..=0xc9 => Head::Extension(self.length(1 << (marker - 0xc7))?.saturating_add(1)),
            0xca => Head::Float(f64::from(f32::from_bits(self.big_endian(4)? as u32))),
            0xcb => Head::Float(f64::from_bits(self.big_endian(8)?)),
            0xcc..=0xcf => Head::Unsigned(self.big_endian(1 << (marker - 0xcc))?),
            0xd0..=0xd3 => {
                let bytes = 1u32 << (marker - 0xd0);
                let unused = 64 - 8 * bytes;
                let signed = (self.big_endian(bytes as usize)? << unused).cast_signed() >> unused;
                u64::try_from(signed).map_or(Head::Negative(signed), Head::Unsigned)
            }
            0xd4..=0xd8 => Head::Extension((1 << (marker - 0xd4)) + 1),
            0xd9..=0xdb => Head::Str(self.length(1 << (marker - 0xd9))?),
            0xdc | 0xdd => Head::Array(self.length(2 << (marker - 0xdc))?),
            0xde | 0xdf => Head::Map(self.length(2 << (marker - 0xde))?),
            0xe0..=0xff => Head::Negative(i64::from(marker.cast_signed())),
        })
    }

    fn length(&mut self, bytes: usize) -> Result<usize, Problem> {
        usize::try_from(self.big_endian(bytes)?).map_err(|_| Problem::Room)
    }

    fn big_endian(&mut self, bytes: usize) -> Result<u64, Problem> {
        let mut number = [0; 8];
        let digits = &mut number[8 - bytes..];
        self.input.read_exact(digits)?;
        self.head.extend_from_slice(digits);
        Ok(u64::from_be_bytes(number))
    }

    /// Appends the next `len` bytes.
    pub(super) fn bytes_into(&mut self, len: usize, bytes: &mut Vec<u8>) -> Result<(), Problem> {
        self.charge(len)?;
        // A length can lie: memory is taken as bytes arrive.
        bytes.reserve(len.min(1 << 20));
        let read = (&mut self.input).take(len as u64).read_to_end(bytes)?;
        if read == len { Ok(()) } else { Err(Problem::Ended) }
    }

    /// The next `len` bytes as text.
    pub(super) fn text(&mut self, len: usize) -> Result<String, Problem> {
        let mut bytes = Vec::new();
        self.bytes_into(len, &mut bytes)?;
        String::from_utf8(bytes).map_err(|_| Problem::Malformed("a text is not UTF-8".to_owned()))
    }

    /// Appends the bytes of a whole value.
    pub(super) fn raw_into(&mut self, bytes: &mut Vec<u8>) -> Result<(), Problem> {
        let mut pending = 1u64;
        while pending > 0 {
            pending -= 1;
            let head = self.head()?;
            self.charge(self.head.len())?;
            bytes.extend_from_slice(&self.head);
            match head {
                Head::Str(len) | Head::Bin(len) | Head::Extension(len) => self.bytes_into(len, bytes)?,
                Head::Array(len) => pending = pending.saturating_add(len as u64),
                Head::Map(len) => pending = pending.saturating_add(2 * len as u64),
                _ => {}
            }
        }
        Ok(())
    }

    /// Whether nothing follows.
    pub(super) fn at_end(&mut self) -> Result<bool, Problem> {
        Ok(self.input.read(&mut [0])? == 0)
    }

    /// The next value, `None` where JSON has no such value; then the input stands anywhere inside of it.
    fn json(&mut self, depth: usize) -> Result<Option<Value>, Problem> {
        self.charge(size_of::<Value>())?;
        let Some(inner) = depth.checked_sub(1) else { return Ok(None) };
        Ok(match self.head()? {
            Head::Nil => Some(Value::Null),
            Head::Bool(value) => Some(Value::Bool(value)),
            Head::Unsigned(value) => Some(value.into()),
            Head::Negative(value) => Some(value.into()),
            Head::Float(value) => Number::from_f64(value).map(Value::Number),
            Head::Str(len) => Some(Value::String(self.text(len)?)),
            Head::Bin(_) | Head::Extension(_) => None,
            Head::Array(len) => {
                let mut items = Vec::new();
                for _ in 0..len {
                    let Some(item) = self.json(inner)? else { return Ok(None) };
                    items.push(item);
                }
                Some(Value::Array(items))
            }
            Head::Map(len) => {
                let mut object = Map::new();
                for _ in 0..len {
                    self.charge(2 * size_of::<Value>())?;
                    let Head::Str(len) = self.head()? else { return Ok(None) };
                    let key = self.text(len)?;
                    let Some(value) = self.json(inner)? else { return Ok(None) };
                    if object.insert(key, value).is_some() {
                        return Ok(None);
                    }
                }
                Some(Value::Object(object))
            }
        })
    }
}

/// The value that these bytes are, where JSON has such a value and it takes no more than `room` bytes of memory.
pub(super) fn json(bytes: &[u8], depth: usize, room: usize) -> Option<Value> {
    Unpacker::new(bytes, room).json(depth).ok().flatten()
}

/// Appends a head in its shortest form.
pub(super) fn put(out: &mut Vec<u8>, head: Head) {
    let mut sized = |len: usize, fixed: Option<(u8, usize)>, markers: [Option<u8>; 3]| {
        let len = len as u64;
        if let Some((marker, below)) = fixed
            && len < below as u64
        {
            out.push(marker | len as u8);
            return;
        }
        for (marker, width) in markers.into_iter().zip([1, 2, 4]) {
            if let Some(marker) = marker
                && (width == 4 || len < 1 << (8 * width))
            {
                out.push(marker);
                out.extend_from_slice(&len.to_be_bytes()[8 - width..]);
                return;
            }
        }
    };
    match head {
        Head::Nil => out.push(0xc0),
        Head::Bool(value) => out.push(0xc2 | u8::from(value)),
        Head::Unsigned(value @ 0..=0x7f) => out.push(value as u8),
        Head::Unsigned(value) => {
            out.push(0xcf);
            out.extend_from_slice(&value.to_be_bytes());
        }
        Head::Negative(value) => {
            out.push(0xd3);
            out.extend_from_slice(&value.to_be_bytes());
        }
        Head::Float(value) => {
            out.push(0xcb);
            out.extend_from_slice(&value.to_bits().to_be_bytes());
        }
        Head::Str(len) => sized(len, Some((0xa0, 32)), [Some(0xd9), Some(0xda), Some(0xdb)]),
        Head::Bin(len) => sized(len, None, [Some(0xc4), Some(0xc5), Some(0xc6)]),
        Head::Array(len) => sized(len, Some((0x90, 16)), [None, Some(0xdc), Some(0xdd)]),
        Head::Map(len) => sized(len, Some((0x80, 16)), [None, Some(0xde), Some(0xdf)]),
        // The length counts the byte that names the type.
        Head::Extension(len) => sized(len.saturating_sub(1), None, [Some(0xc7), Some(0xc8), Some(0xc9)]),
    }
}

/// Appends a text.
pub(super) fn put_text(out: &mut Vec<u8>, text: &str) {
    put(out, Head::Str(text.len()));
    out.extend_from_slice(text.as_bytes());
}

/// Appends a JSON value.
pub(super) fn put_json(out: &mut Vec<u8>, value: &Value) {
    match value {
        Value::Null => put(out, Head::Nil),
        Value::Bool(value) => put(out, Head::Bool(*value)),
        Value::Number(number) => put(out, number_head(number)),
        Value::String(text) => put_text(out, text),
        Value::Array(items) => {
            put(out, Head::Array(items.len()));
            for item in items {
                put_json(out, item);
            }
        }
        Value::Object(object) => {
            put(out, Head::Map(object.len()));
            for (key, value) in object {
                put_text(out, key);
                put_json(out, value);
            }
        }
    }
}

fn number_head(number: &Number) -> Head {
    if let Some(value) = number.as_u64() {
        Head::Unsigned(value)
    } else if let Some(value) = number.as_i64() {
        Head::Negative(value)
    } else {
        Head::Float(number.as_f64().unwrap_or(f64::NAN))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn heads() -> impl Strategy<Value = Head> {
        let len = prop_oneof![0usize..40, 250usize..260, 65_530usize..65_540, Just(0xffff_ffff)];
        let ints = prop_oneof![Just(i64::MIN), -300i64..0];
        prop_oneof![
            Just(Head::Nil),
            any::<bool>().prop_map(Head::Bool),
            any::<u64>().prop_map(Head::Unsigned),
            (0u64..300).prop_map(Head::Unsigned),
            ints.prop_map(Head::Negative),
            (-1e9f64..1e9).prop_map(Head::Float),
            len.clone().prop_map(Head::Str),
            len.clone().prop_map(Head::Bin),
            len.clone().prop_map(Head::Array),
            len.clone().prop_map(Head::Map),
            len.prop_map(|len| Head::Extension(len.max(1))),
        ]
    }

    proptest! {
        #[test]
        fn every_head_is_read_as_it_was_written(head in heads()) {
            let mut bytes = Vec::new();
            put(&mut bytes, head);
            let mut unpacker = Unpacker::new(&bytes[..], 0);
            prop_assert_eq!(unpacker.head().unwrap(), head);
            prop_assert!(unpacker.at_end().unwrap());
        }
    }

    #[test]
    fn numbers_of_every_width_are_read() {
        let heads: [(&[u8], Head); 8] = [
            (b"\xcc\xff", Head::Unsigned(255)),
            (b"\xcd\x01\x00", Head::Unsigned(256)),
            (b"\xd0\xff", Head::Negative(-1)),
            (b"\xd1\xff\x00", Head::Negative(-256)),
            (b"\xd2\x00\x00\x00\x05", Head::Unsigned(5)),
            (b"\xe0", Head::Negative(-32)),
            (b"\xca\x3f\x80\x00\x00", Head::Float(1.0)),
            (b"\xd8", Head::Extension(17)),
        ];
        for (bytes, head) in heads {
            assert_eq!(Unpacker::new(bytes, 0).head().unwrap(), head);
        }
    }

    #[test]
    fn values_come_back_and_those_that_json_lacks_are_none() {
        let value = json!({"a": [1, -2, 1.5, null, true, "é"], "b": {}});
        let mut bytes = Vec::new();
        put_json(&mut bytes, &value);
        assert_eq!(json(&bytes, 10, 10_000), Some(value));
        assert_eq!(json(&bytes, 2, 10_000), None, "too deep");
        assert_eq!(json(&bytes, 10, 50), None, "too large");
        for none in
            [&b"\xc4\x01a"[..], b"\x81\x01\x02", b"\x82\xa1a\x01\xa1a\x01", b"\xcb\x7f\xf8\0\0\0\0\0\0", b"\x92\x01"]
        {
            assert_eq!(json(none, 10, 10_000), None);
        }
    }

    #[test]
    fn a_length_that_lies_costs_no_memory() {
        let mut unpacker = Unpacker::new(&b"\xff\xff"[..], usize::MAX);
        let mut bytes = Vec::new();
        assert!(matches!(unpacker.bytes_into(usize::MAX / 2, &mut bytes), Err(Problem::Ended)));
        assert!(bytes.capacity() <= 1 << 21);
        assert!(matches!(Unpacker::new(&b"abc"[..], 2).text(3), Err(Problem::Room)));
        let nested = vec![b'\x91'; 1 << 20];
        assert!(matches!(Unpacker::new(&nested[..], 1 << 21).raw_into(&mut bytes), Err(Problem::Ended)));
        assert_eq!(json(&nested, 100, 1 << 30), None);
    }
}
