//! A zlib stream (RFC 1950) whose parts are compressed while their lengths, which stand before them, are unknown.
//!
//! Each part is a run of deflate blocks of its own that refers to nothing before it and ends on a byte. So the
//! parts can be put one behind the other in any order, once all are there, and only compressed bytes are kept.

use std::io::{self, Write};

use flate2::{Compress, Compression, FlushCompress};

/// How hard is tried: the rows of a DocBin hold hashes, which hardly get smaller with more effort.
const LEVEL: u32 = 3;
/// Bytes that are compressed at once.
const CHUNK: usize = 1 << 16;

/// A part of the stream.
pub(super) struct Part {
    deflate: Compress,
    waiting: Vec<u8>,
    packed: Vec<u8>,
    len: u64,
    sum: Adler,
    /// What went wrong first; told when the stream is written.
    failed: Option<io::Error>,
}

impl Part {
    pub(super) fn new() -> Self {
        let deflate = Compress::new(Compression::new(LEVEL), false);
        Self { deflate, waiting: Vec::new(), packed: Vec::new(), len: 0, sum: Adler::default(), failed: None }
    }

    /// A part of these bytes.
    pub(super) fn of(bytes: &[u8]) -> Self {
        let mut part = Self::new();
        part.push(bytes);
        part
    }

    /// Bytes before compression.
    pub(super) fn len(&self) -> u64 {
        self.len
    }

    pub(super) fn push(&mut self, bytes: &[u8]) {
        self.len += bytes.len() as u64;
        self.waiting.extend_from_slice(bytes);
        if self.waiting.len() >= CHUNK
            && let Err(error) = self.compress(FlushCompress::None)
        {
            self.failed.get_or_insert(error);
        }
    }

    fn compress(&mut self, flush: FlushCompress) -> io::Result<()> {
        self.sum.add(&self.waiting);
        let mut rest = &self.waiting[..];
        loop {
            self.packed.reserve(CHUNK);
            let before = self.deflate.total_in();
            self.deflate.compress_vec(rest, &mut self.packed, flush)?;
            rest = &rest[(self.deflate.total_in() - before) as usize..];
            // What does not fill the room that it was given is all.
            if rest.is_empty() && self.packed.len() < self.packed.capacity() {
                self.waiting.clear();
                return Ok(());
            }
        }
    }
}

/// Writes the parts as one stream.
pub(super) fn write(out: &mut impl Write, parts: Vec<Part>) -> io::Result<()> {
    out.write_all(&[0x78, 0x9c])?;
    let mut sum = Adler::default();
    for mut part in parts {
        part.compress(FlushCompress::Sync)?;
        if let Some(error) = part.failed {
            return Err(error);
        }
        sum = sum.then(part.sum, part.len);
        out.write_all(&part.packed)?;
    }
    // An empty last block.
    out.write_all(&[0x03, 0x00])?;
    out.write_all(&sum.value().to_be_bytes())
}

/// The checksum Adler-32 of RFC 1950.
#[derive(Clone, Copy)]
struct Adler {
    a: u32,
    b: u32,
}

impl Default for Adler {
    fn default() -> Self {
        Self { a: 1, b: 0 }
    }
}

impl Adler {
    const MODULUS: u32 = 65_521;
    /// Bytes that 32 bits can add up without a remainder taken.
    const RUN: usize = 5552;

    fn add(&mut self, bytes: &[u8]) {
        for run in bytes.chunks(Self::RUN) {
            for byte in run {
                self.a += u32::from(*byte);
                self.b += self.a;
            }
            self.a %= Self::MODULUS;
            self.b %= Self::MODULUS;
        }
    }

    /// The sum of two sequences, one behind the other; the second has `len` bytes.
    fn then(self, next: Self, len: u64) -> Self {
        let modulus = u64::from(Self::MODULUS);
        let (a, next_a) = (u64::from(self.a), u64::from(next.a));
        // The second sum started from 1 where it should have started from `a`.
        let above = a + modulus - 1;
        let b = u64::from(self.b) + u64::from(next.b) + len % modulus * (above % modulus);
        Self { a: ((above + next_a) % modulus) as u32, b: (b % modulus) as u32 }
    }

    fn value(self) -> u32 {
        self.b << 16 | self.a
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use flate2::read::ZlibDecoder;
    use proptest::{collection::vec, prelude::*};

    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(100))]

        #[test]
        fn the_parts_are_one_stream_with_a_right_sum(
            parts in vec((vec(any::<u8>(), 0..300), 1usize..2000), 0..5)
        ) {
            let mut whole = Vec::new();
            let mut packed = Vec::new();
            for (piece, times) in parts {
                let mut part = Part::new();
                for _ in 0..times {
                    part.push(&piece);
                    whole.extend_from_slice(&piece);
                }
                prop_assert_eq!(part.len(), (piece.len() * times) as u64);
                packed.push(part);
            }
            let mut stream = Vec::new();
            write(&mut stream, packed).unwrap();
            let mut read = Vec::new();
            let mut decoder = ZlibDecoder::new(&stream[..]);
            decoder.read_to_end(&mut read).unwrap();
            prop_assert_eq!(decoder.total_in(), stream.len() as u64);
            prop_assert!(read == whole);
        }
    }
}
