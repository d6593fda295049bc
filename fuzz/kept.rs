//! The inputs that fuzzing kept of a target, `fuzz/kept/TARGET.tar.gz`; included by the tests that replay them.

use std::{fs, io::Read as _, path::Path};

/// Header and padding of the tar format (POSIX.1-1988, ustar) come in blocks of this size.
const BLOCK: usize = 512;

/// The kept inputs of a target with their names, by name.
pub fn cases(target: &str) -> Vec<(String, Vec<u8>)> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../../fuzz/kept/{target}.tar.gz"));
    let mut tar = Vec::new();
    let packed = fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    flate2::read::GzDecoder::new(&packed[..]).read_to_end(&mut tar).unwrap();
    let (mut cases, mut at) = (Vec::new(), 0);
    while let Some(header) = tar.get(at..at + BLOCK).filter(|header| header[0] != 0) {
        let field = |from: usize, to: usize| {
            let text = header[from..to].split(|byte| *byte == 0).next().unwrap_or_default();
            std::str::from_utf8(text).unwrap().trim()
        };
        let size = usize::from_str_radix(field(124, 136), 8).unwrap();
        cases.push((field(0, 100).to_owned(), tar[at + BLOCK..at + BLOCK + size].to_vec()));
        at += BLOCK + size.next_multiple_of(BLOCK);
    }
    assert!(!cases.is_empty(), "{target} has no cases");
    cases
}
