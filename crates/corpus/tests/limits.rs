//! Input made to exhaust memory or the stack; a process of its own, so that no other test counts in its memory.
#![allow(clippy::unwrap_used)]

use std::{
    io::{self, BufReader, Read, Write, repeat},
    sync::LazyLock,
    time::{Duration, Instant},
};

use nomen_corpus::{Format, Limits, ReadOptions, read, read_with};

const GIB: u64 = 1 << 30;

/// The message of the first error.
fn error_of(text: &str, format: Format) -> String {
    let reader = read(text.as_bytes(), "data", format).unwrap();
    reader.into_iter().find_map(Result::err).expect("was read").to_string()
}

/// The largest memory that this process has held, where the system tells.
fn peak_mib() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix(" kB")?.trim().parse::<u64>().ok().map(|kib| kib / 1024)
}

/// Time that this thread has computed, where the system tells, so that a busy machine does no harm; else the clock.
fn thread_time() -> Duration {
    static START: LazyLock<Instant> = LazyLock::new(Instant::now);
    let computed = std::fs::read_to_string("/proc/thread-self/schedstat").ok();
    let nanoseconds = computed.and_then(|times| times.split(' ').next()?.parse().ok());
    nanoseconds.map_or_else(|| START.elapsed(), Duration::from_nanos)
}

#[test]
fn a_line_of_two_gib_stops_at_the_limit() {
    // A DocBin has no lines.
    for format in Format::ALL.into_iter().filter(|format| *format != Format::SpacyDocbin) {
        let start: &[u8] = if format == Format::SpacyList { b"[[\"" } else { b"{" };
        let endless = BufReader::new(start.chain(repeat(b'a').take(2 * GIB)));
        let began = thread_time();
        let mut reader = read(endless, "data", format).unwrap();
        let error = reader.next().unwrap().unwrap_err();
        let took = thread_time().saturating_sub(began);
        assert!(error.to_string().starts_with("data:1: the "), "{error}");
        assert!(error.to_string().contains("exceeds the limit of 67108864 bytes"), "{error}");
        assert!(reader.next().is_none());
        assert!(took < Duration::from_secs(1), "{format} took {took:?}");
    }
    if let Some(peak) = peak_mib() {
        assert!(peak < 256, "{peak} MiB");
    }
}

/// What `pack` makes of this many letters that follow `start`: a file of kilobytes that unpacks to them.
fn bomb<W: Write>(start: &[u8], letters: u64, pack: impl FnOnce() -> W, finish: impl FnOnce(W) -> Vec<u8>) -> Vec<u8> {
    let mut packer = pack();
    io::copy(&mut start.chain(repeat(b'a').take(letters)), &mut packer).unwrap();
    let bomb = finish(packer);
    assert!((bomb.len() as u64) < letters / 200, "{} bytes", bomb.len());
    bomb
}

fn gzip_bomb(start: &[u8], letters: u64) -> Vec<u8> {
    let pack = || flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    bomb(start, letters, pack, |packer| packer.finish().unwrap())
}

fn zstandard_bomb(start: &[u8], letters: u64) -> Vec<u8> {
    bomb(start, letters, || zstd::Encoder::new(Vec::new(), 1).unwrap(), |packer| packer.finish().unwrap())
}

#[test]
fn compressed_bombs_stop_at_the_limit_of_what_they_unpack_to() {
    const LETTERS: u64 = 256 << 20;
    let bombs = |start| [gzip_bomb(start, LETTERS), zstandard_bomb(start, LETTERS)];
    let (objects, lists) = (bombs(b"{"), bombs(b"[[\""));
    for format in Format::ALL.into_iter().filter(|format| *format != Format::SpacyDocbin) {
        for bomb in if format == Format::SpacyList { &lists } else { &objects } {
            let mut reader = read(&bomb[..], "data", format).unwrap();
            let error = reader.next().unwrap().unwrap_err();
            assert!(error.to_string().contains("exceeds the limit of 67108864 bytes"), "{format}: {error}");
            assert!(reader.next().is_none());
        }
    }
    if let Some(peak) = peak_mib() {
        assert!(peak < 256, "{peak} MiB");
    }
}

#[test]
fn a_docbin_that_unpacks_to_more_than_its_limit_is_refused() {
    // MessagePack: a map of one field, `tokens`, whose bytes are said to be 256 MiB, as they are.
    let start = b"\x81\xa6tokens\xc6\x10\x00\x00\x00";
    let pack = || flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::default());
    let bomb = bomb(start, 256 << 20, pack, |packer| packer.finish().unwrap());
    let limits = Limits { whole_file_bytes: 32 << 20, ..Limits::default() };
    let options = ReadOptions { format: Some(Format::SpacyDocbin), limits, ..ReadOptions::default() };
    let error = read_with(&bomb[..], "data", &options).unwrap().next().unwrap().unwrap_err();
    assert!(error.to_string().contains("exceeds the limit of 33554432 bytes"), "{error}");
    if let Some(peak) = peak_mib() {
        assert!(peak < 256, "{peak} MiB");
    }
}

#[test]
fn a_zstandard_file_that_asks_for_a_window_of_gigabytes_is_refused() {
    // RFC 8878: magic, a header that names a window of 2 GiB, and a block of one repeated byte.
    let bomb = b"\x28\xb5\x2f\xfd\x00\xa8\x03\x00\x00a";
    let error = read(&bomb[..], "data", Format::Text).and_then(|mut reader| reader.next().unwrap()).unwrap_err();
    assert!(error.to_string().contains("cannot be read"), "{error}");
    if let Some(peak) = peak_mib() {
        assert!(peak < 256, "{peak} MiB");
    }
}

#[test]
fn a_sentence_without_an_end_stops_at_the_limit() {
    let limits = Limits { document_bytes: 1000, ..Limits::default() };
    let options = ReadOptions { format: Some(Format::Conll), limits, ..ReadOptions::default() };
    let text = "word\tO\n".repeat(1000);
    let error = read_with(text.as_bytes(), "data", &options).unwrap().next().unwrap().unwrap_err();
    assert!(error.to_string().starts_with("data:167: the sentence exceeds the limit of 1000 bytes"), "{error}");
}

#[test]
fn json_nested_a_hundred_thousand_deep_is_refused() {
    let nested = |open: &str, close: &str| open.repeat(100_000) + &close.repeat(100_000);
    let began = thread_time();
    for inner in [nested("[", "]"), nested("{\"a\":", "}"), "[".repeat(100_000)] {
        for (format, text) in [
            (Format::Jsonl, format!("{{\"text\":\"a\",\"meta\":{{\"x\":{inner}}}}}")),
            (Format::SpacyList, format!("[[\"a\",{{\"entities\":[],\"x\":{inner}}}]]")),
        ] {
            let error = error_of(&text, format);
            let expected = ["the nesting of the JSON exceeds the limit of 100 levels", "is not closed"];
            assert!(expected.iter().any(|part| error.contains(part)), "{error}");
        }
    }
    assert!(thread_time().saturating_sub(began) < Duration::from_secs(1));
}
