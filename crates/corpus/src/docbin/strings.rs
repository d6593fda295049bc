//! The numbers that stand for strings: a symbol's own number, else a hash.

/// What the symbols before `FLAG19`, those from 64 on, and those after the deprecated ones are called.
const FLAGS: &str = "IS_ALPHA IS_ASCII IS_DIGIT IS_LOWER IS_PUNCT IS_SPACE IS_TITLE IS_UPPER LIKE_URL LIKE_NUM LIKE_EMAIL IS_STOP IS_OOV_DEPRECATED IS_BRACKET IS_QUOTE IS_LEFT_PUNCT IS_RIGHT_PUNCT IS_CURRENCY";
const ATTRIBUTES: &str = "ID ORTH LOWER NORM SHAPE PREFIX SUFFIX LENGTH CLUSTER LEMMA POS TAG DEP ENT_IOB ENT_TYPE HEAD SENT_START SPACY PROB LANG ADJ ADP ADV AUX CONJ CCONJ DET INTJ NOUN NUM PART PRON PROPN PUNCT SCONJ SYM VERB X EOL SPACE";
const NAMES: &str = "PERSON NORP FACILITY ORG GPE LOC PRODUCT EVENT WORK_OF_ART LANGUAGE LAW DATE TIME PERCENT MONEY QUANTITY ORDINAL CARDINAL acomp advcl advmod agent amod appos attr aux auxpass cc ccomp complm conj cop csubj csubjpass dep det dobj expl hmod hyph infmod intj iobj mark meta neg nmod nn npadvmod nsubj nsubjpass num number oprd obj obl parataxis partmod pcomp pobj poss possessive preconj prep prt punct quantmod relcl rcmod root xcomp acl ENT_KB_ID MORPH ENT_ID IDX _";

/// Runs of symbols: the first number of each and their names.
const NAMED: [(u64, &str); 3] = [(1, FLAGS), (64, ATTRIBUTES), (380, NAMES)];
/// Runs of symbols that are numbered: first and last number of each, the prefix, the number behind the first
/// one's prefix, and the digits of it.
const NUMBERED: [(u64, u64, &str, u64, usize); 2] = [(19, 63, "FLAG", 19, 2), (104, 379, "DEPRECATED", 1, 3)];

/// The number that spaCy gives a string: 0 where it is empty, a symbol's own number, else MurmurHash64A (Austin
/// Appleby) of its UTF-8 bytes with seed 1.
pub(super) fn id(string: &str) -> u64 {
    if string.is_empty() { 0 } else { symbol(string).unwrap_or_else(|| murmur(string.as_bytes())) }
}

/// The string that a symbol's number stands for.
pub(super) fn symbol_name(id: u64) -> Option<String> {
    for (first, last, prefix, number, digits) in NUMBERED {
        if (first..=last).contains(&id) {
            return Some(format!("{prefix}{:0digits$}", id - first + number));
        }
    }
    let (first, names) = NAMED.into_iter().rev().find(|(first, _)| *first <= id)?;
    names.split(' ').nth(usize::try_from(id - first).ok()?).map(str::to_owned)
}

fn symbol(string: &str) -> Option<u64> {
    for (first, last, prefix, number, digits) in NUMBERED {
        if let Some(rest) = string.strip_prefix(prefix) {
            let of_length = rest.len() == digits && rest.bytes().all(|byte| byte.is_ascii_digit());
            let value: u64 = rest.parse().ok().filter(|_| of_length)?;
            return value.checked_sub(number).map(|above| above + first).filter(|id| *id <= last);
        }
    }
    NAMED.into_iter().find_map(|(first, names)| {
        let place = names.split(' ').position(|name| name == string)?;
        Some(first + place as u64)
    })
}

fn murmur(bytes: &[u8]) -> u64 {
    const M: u64 = 0xc6a4_a793_5bd1_e995;
    const SEED: u64 = 1;
    let mut hash = SEED ^ (bytes.len() as u64).wrapping_mul(M);
    let mut words = bytes.chunks_exact(8);
    for word in words.by_ref() {
        let mut k = word.iter().rev().fold(0, |k, byte| k << 8 | u64::from(*byte)).wrapping_mul(M);
        k ^= k >> 47;
        hash = (hash ^ k.wrapping_mul(M)).wrapping_mul(M);
    }
    let rest = words.remainder();
    if !rest.is_empty() {
        hash = (hash ^ rest.iter().rev().fold(0, |k, byte| k << 8 | u64::from(*byte))).wrapping_mul(M);
    }
    hash = (hash ^ hash >> 47).wrapping_mul(M);
    hash ^ hash >> 47
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Numbers as spaCy 3.8 gives them.
    #[test]
    fn strings_have_the_numbers_that_spacy_gives_them() {
        let known = [
            ("", 0),
            ("IS_ALPHA", 1),
            ("FLAG19", 19),
            ("FLAG63", 63),
            ("ENT_IOB", 77),
            ("SPACE", 103),
            ("DEPRECATED001", 104),
            ("PERSON", 380),
            ("acl", 451),
            ("_", 456),
            ("Paris", 10_427_160_276_079_242_800),
            ("a", 11_901_859_001_352_538_922),
            ("of the", 15_627_968_086_262_446_795),
            ("e\u{301}", 12_745_818_603_700_845_520),
            ("漢字", 15_261_529_094_089_737_185),
            ("👩‍🔬", 16_992_671_781_312_138_247),
            ("abcdefgh", 17_751_780_907_874_141_760),
            ("abcdefghi", 13_885_881_106_499_164_936),
            ("FLAG64", 1_510_155_025_906_635_710),
            ("a longer string of words, 40 bytes or so", 4_821_402_021_057_399_599),
        ];
        for (string, number) in known {
            assert_eq!(id(string), number, "{string}");
        }
    }

    #[test]
    fn a_symbols_number_gives_back_its_name() {
        for number in 1..=456 {
            let name = symbol_name(number).unwrap();
            assert_eq!(id(&name), number, "{name}");
        }
        assert_eq!((symbol_name(0), symbol_name(457)), (None, None));
        for no_symbol in ["FLAG18", "FLAG64", "FLAG019", "DEPRECATED000", "DEPRECATED277", "FLAG+9", "person"] {
            assert!(id(no_symbol) > 456, "{no_symbol}");
        }
    }
}
