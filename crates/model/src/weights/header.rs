//! The header of a safetensors file: 8 bytes of length (little-endian), then JSON, then the tensors' bytes.
//!
//! The `safetensors` crate reads headers too, but it takes up to 100 MB of JSON and its errors seldom name a tensor.
//! Here the element types are that crate's, the limits are those of real models, and the checks say which tensor is wrong.

use std::collections::HashSet;
use std::fmt;

use safetensors::Dtype;
use serde::Deserialize;
use serde::de::{Deserializer, Error as _, MapAccess, SeqAccess, Visitor};

use super::error::Fault;

/// Most tensors in one file. A 100-layer encoder has about 1,600.
pub const MAX_TENSORS: usize = 16_384;
/// Longest header in bytes: 512 a tensor, where about 120 are usual.
pub const MAX_HEADER_BYTES: usize = 8 << 20;
/// Most dimensions of a tensor.
const MAX_RANK: usize = 32;
/// Most entries of the metadata, which are texts that nothing here reads.
const MAX_METADATA: usize = 10_000;

const LENGTH_BYTES: usize = 8;
const METADATA: &str = "__metadata__";

#[derive(Debug)]
pub(super) struct Header {
    /// Where the tensors' bytes begin in the file.
    pub data_start: usize,
    /// In the order of their bytes.
    pub tensors: Vec<(String, Entry)>,
}

/// What the header says of one tensor.
#[derive(Debug, Deserialize)]
pub(super) struct Entry {
    pub dtype: Dtype,
    #[serde(deserialize_with = "read_shape")]
    pub shape: Vec<usize>,
    /// First byte and byte after the last, from the end of the header.
    pub data_offsets: (usize, usize),
}

pub(super) fn parse(file: &[u8]) -> Result<Header, Fault> {
    let Some((length, rest)) = file.split_first_chunk::<LENGTH_BYTES>() else {
        return Err(Fault::TooShort { length: file.len() });
    };
    let claimed = u64::from_le_bytes(*length);
    let length = usize::try_from(claimed)
        .ok()
        .filter(|&length| length <= rest.len() && length <= MAX_HEADER_BYTES)
        .ok_or(Fault::HeaderLength { claimed, available: rest.len(), limit: MAX_HEADER_BYTES })?;
    let (json, data) = rest.split_at(length);
    let mut tensors = read_json(json).map_err(|error| Fault::Header { reason: error.to_string() })?;
    tensors.sort_by_key(|(_, entry)| entry.data_offsets);
    check(&tensors, data.len())?;
    Ok(Header { data_start: LENGTH_BYTES + length, tensors })
}

/// Each tensor has its own length, and together they cover the data without overlap or gap.
fn check(tensors: &[(String, Entry)], available: usize) -> Result<(), Fault> {
    let mut previous = "";
    let mut covered = 0;
    for (name, info) in tensors {
        let (start, end) = info.data_offsets;
        let needed = byte_length(info).ok_or_else(|| Fault::Length {
            name: short(name),
            shape: short(&format!("{:?}", info.shape)),
            dtype: info.dtype,
        })?;
        if end.checked_sub(start) != Some(needed) {
            return Err(Fault::Offsets { name: short(name), start, end, needed });
        }
        if end > available {
            return Err(Fault::PastEnd { name: short(name), end, available });
        }
        if start < covered {
            return Err(Fault::Overlap { name: short(name), start, previous: short(previous), previous_end: covered });
        }
        if start > covered {
            return Err(Fault::Gap { name: short(name), start, expected: covered });
        }
        covered = end;
        previous = name;
    }
    if covered < available {
        return Err(Fault::Trailing { name: short(previous), extra: available - covered });
    }
    Ok(())
}

fn byte_length(info: &Entry) -> Option<usize> {
    let elements = info.shape.iter().try_fold(1_usize, |product, &side| product.checked_mul(side))?;
    let bits = elements.checked_mul(info.dtype.bitsize())?;
    (bits % 8 == 0).then_some(bits / 8)
}

/// Enough of a name to find it by; a hostile one may be megabytes long.
pub(super) fn short(name: &str) -> String {
    const SHOWN: usize = 120;
    match name.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}... ({} bytes)", &name[..end], name.len()),
        None => name.to_owned(),
    }
}

fn read_json(json: &[u8]) -> Result<Vec<(String, Entry)>, serde_json::Error> {
    if json.first() != Some(&b'{') {
        return Err(serde_json::Error::custom("does not begin with `{`"));
    }
    let mut reader = serde_json::Deserializer::from_slice(json);
    let tensors = reader.deserialize_map(Tensors)?;
    reader.end()?;
    Ok(tensors)
}

/// A shape, given up past the greatest rank: a hostile one may have millions of dimensions.
fn read_shape<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<usize>, D::Error> {
    struct Shape;

    impl<'de> Visitor<'de> for Shape {
        type Value = Vec<usize>;

        fn expecting(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
            write!(formatter, "at most {MAX_RANK} dimensions")
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
            let mut shape = Vec::new();
            while let Some(side) = seq.next_element()? {
                if shape.len() == MAX_RANK {
                    return Err(A::Error::invalid_length(MAX_RANK + 1, &self));
                }
                shape.push(side);
            }
            Ok(shape)
        }
    }

    deserializer.deserialize_seq(Shape)
}

/// The metadata, checked to be texts and dropped.
#[derive(Deserialize)]
struct Metadata(#[serde(deserialize_with = "skip_metadata")] ());

fn skip_metadata<'de, D: Deserializer<'de>>(deserializer: D) -> Result<(), D::Error> {
    struct Texts;

    impl<'de> Visitor<'de> for Texts {
        type Value = ();

        fn expecting(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
            write!(formatter, "at most {MAX_METADATA} texts by name")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
            let mut count = 0;
            while map.next_entry::<String, String>()?.is_some() {
                count += 1;
                if count > MAX_METADATA {
                    return Err(A::Error::invalid_length(count, &self));
                }
            }
            Ok(())
        }
    }

    deserializer.deserialize_map(Texts)
}

struct Tensors;

impl<'de> Visitor<'de> for Tensors {
    type Value = Vec<(String, Entry)>;

    fn expecting(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        formatter.write_str("a map from tensor names to dtype, shape and data_offsets")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut seen = HashSet::new();
        let mut tensors = Vec::new();
        while let Some(name) = map.next_key::<String>()? {
            let named = |error: A::Error| A::Error::custom(format!("{:?}: {error}", short(&name)));
            if !seen.insert(name.clone()) {
                return Err(A::Error::custom(format!("tensor {:?} is listed twice", short(&name))));
            }
            if name == METADATA {
                map.next_value::<Metadata>().map_err(named)?;
                continue;
            }
            if tensors.len() == MAX_TENSORS {
                return Err(A::Error::custom(format!(
                    "tensor {:?} is one too many: a file may hold {MAX_TENSORS}",
                    short(&name)
                )));
            }
            let info = map.next_value::<Entry>().map_err(named)?;
            tensors.push((name, info));
        }
        Ok(tensors)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use safetensors::SafeTensors;

    use super::*;

    fn file(json: &str, data: usize) -> Vec<u8> {
        let mut bytes = (json.len() as u64).to_le_bytes().to_vec();
        bytes.extend(json.as_bytes());
        bytes.resize(bytes.len() + data, 0);
        bytes
    }

    const TWO: &str = r#"{"a":{"dtype":"F32","shape":[2,1],"data_offsets":[0,8]},"b":{"dtype":"F16","shape":[2],"data_offsets":[8,12]}}"#;

    #[test]
    fn a_sound_header_gives_tensors_in_the_order_of_their_bytes() {
        let header = parse(&file(TWO, 12)).unwrap();
        assert_eq!(header.data_start, 8 + TWO.len());
        let names: Vec<_> = header.tensors.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["a", "b"]);
        assert_eq!(header.tensors[1].1.dtype, Dtype::F16);
    }

    #[test]
    fn four_bit_tensors_must_fill_whole_bytes() {
        let odd = r#"{"odd":{"dtype":"F4","shape":[3],"data_offsets":[0,1]}}"#;
        assert!(matches!(parse(&file(odd, 1)), Err(Fault::Length { name, .. }) if name == "odd"));
    }

    proptest! {
        /// The format's own reader is the reference: what it refuses is refused here, and nothing panics.
        #[test]
        fn nothing_is_accepted_that_the_reference_reader_refuses(
            changes in prop::collection::vec((0..(8 + TWO.len() + 12), any::<u8>()), 0..3),
            cut in 0..24_usize,
        ) {
            let mut bytes = file(TWO, 12);
            for (position, byte) in changes {
                bytes[position] = byte;
            }
            bytes.truncate(bytes.len() - cut.saturating_sub(16));
            if let Ok(header) = parse(&bytes) {
                let reference = SafeTensors::deserialize(&bytes).expect("the reference reader accepts it too");
                prop_assert_eq!(reference.len(), header.tensors.len());
                for (name, info) in &header.tensors {
                    let (start, end) = info.data_offsets;
                    let data = &bytes[header.data_start + start..header.data_start + end];
                    prop_assert_eq!(reference.tensor(name).unwrap().data(), data);
                }
            }
        }
    }
}
