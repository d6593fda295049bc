//! gzip (RFC 1952) and Zstandard (RFC 8878) around a file, told by its first bytes on the way in and by its name on the way out.

use std::{
    fs::File,
    io::{self, BufRead, BufReader, Cursor, Read, Write},
    path::{Path, PathBuf},
};

use flate2::{read::MultiGzDecoder, write::GzEncoder};

use crate::lines::Input;

const GZIP: &[u8] = &[0x1F, 0x8B];
const ZSTANDARD: &[u8] = &[0x28, 0xB5, 0x2F, 0xFD];
/// How much is read or decoded at once.
const BUFFER: usize = 1 << 16;

/// What a compressed file is called, behind the name that tells its format.
const ENDINGS: [(&str, Compression); 3] =
    [("gz", Compression::Gzip), ("zst", Compression::Zstandard), ("zstd", Compression::Zstandard)];

#[derive(Clone, Copy, PartialEq, Debug)]
enum Compression {
    Gzip,
    Zstandard,
}

/// What an input holds, decompressed where it is compressed. No more of it is read than tells which.
pub(crate) fn decompressed(mut input: Input<'_>) -> io::Result<Input<'_>> {
    let mut seen = Vec::new();
    while [GZIP, ZSTANDARD].iter().any(|magic| magic.len() > seen.len() && magic.starts_with(&seen)) {
        let Some(byte) = input.fill_buf()?.first().copied() else { break };
        seen.push(byte);
        input.consume(1);
    }
    let gzip = seen.starts_with(GZIP);
    let whole = Cursor::new(seen.clone()).chain(input);
    Ok(if gzip {
        Box::new(BufReader::with_capacity(BUFFER, MultiGzDecoder::new(whole)))
    } else if seen.starts_with(ZSTANDARD) {
        Box::new(BufReader::with_capacity(BUFFER, zstd::Decoder::with_buffer(whole)?))
    } else {
        Box::new(whole)
    })
}

/// A file's content, decompressed where it is compressed.
pub(crate) fn open(path: &Path) -> io::Result<Input<'static>> {
    decompressed(Box::new(BufReader::with_capacity(BUFFER, File::open(path)?)))
}

/// A file's name without the ending of a compressed one.
pub(crate) fn bare_name(path: &Path) -> PathBuf {
    if named(path).is_some() { path.with_extension("") } else { path.to_owned() }
}

fn named(path: &Path) -> Option<Compression> {
    let extension = path.extension()?.to_str()?;
    ENDINGS.into_iter().find(|(ending, _)| extension.eq_ignore_ascii_case(ending)).map(|(_, compression)| compression)
}

/// A stream that is compressed as the file's name says.
pub(crate) enum Compressor<W: Write> {
    Plain(W),
    Gzip(GzEncoder<W>),
    Zstandard(zstd::Encoder<'static, W>),
}

impl<W: Write> Compressor<W> {
    /// Zstandard's own default level.
    const LEVEL: i32 = 3;

    pub(crate) fn new(out: W, path: &Path) -> io::Result<Self> {
        Ok(match named(path) {
            None => Self::Plain(out),
            Some(Compression::Gzip) => Self::Gzip(GzEncoder::new(out, flate2::Compression::default())),
            Some(Compression::Zstandard) => Self::Zstandard(zstd::Encoder::new(out, Self::LEVEL)?),
        })
    }

    /// Completes the compressed stream and gives back what is below it.
    pub(crate) fn finish(self) -> io::Result<W> {
        match self {
            Self::Plain(out) => Ok(out),
            Self::Gzip(encoder) => encoder.finish(),
            Self::Zstandard(encoder) => encoder.finish(),
        }
    }
}

impl<W: Write> Write for Compressor<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Plain(out) => out.write(bytes),
            Self::Gzip(encoder) => encoder.write(bytes),
            Self::Zstandard(encoder) => encoder.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Plain(out) => out.flush(),
            Self::Gzip(encoder) => encoder.flush(),
            Self::Zstandard(encoder) => encoder.flush(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn through(bytes: &[u8], name: &str) -> Vec<u8> {
        let mut compressor = Compressor::new(Vec::new(), Path::new(name)).unwrap();
        compressor.write_all(bytes).unwrap();
        let packed = compressor.finish().unwrap();
        let mut back = Vec::new();
        decompressed(Box::new(Cursor::new(packed))).unwrap().read_to_end(&mut back).unwrap();
        back
    }

    #[test]
    fn what_is_compressed_by_name_is_found_by_content() {
        for bytes in [&b""[..], b"(", b"(\xB5\x2F", b"\x1F", b"one\ntwo\n"] {
            for name in ["a.jsonl", "a.jsonl.gz", "a.ZST", "a.zstd"] {
                assert_eq!(through(bytes, name), bytes, "{name}");
            }
        }
        assert_eq!(bare_name(Path::new("x/a.conll.gz")), Path::new("x/a.conll"));
        assert_eq!(bare_name(Path::new("x/a.conll")), Path::new("x/a.conll"));
    }

    #[test]
    fn gzip_members_behind_each_other_are_one_stream() {
        let mut both = Vec::new();
        for text in ["one\n", "two\n"] {
            let mut encoder = GzEncoder::new(&mut both, flate2::Compression::fast());
            encoder.write_all(text.as_bytes()).unwrap();
            encoder.finish().unwrap();
        }
        let mut back = String::new();
        decompressed(Box::new(Cursor::new(both))).unwrap().read_to_string(&mut back).unwrap();
        assert_eq!(back, "one\ntwo\n");
    }
}
