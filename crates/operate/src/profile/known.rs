//! Which words and surfaces the training texts had.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use sha2::{Digest as _, Sha256};
use unicode_segmentation::UnicodeSegmentation as _;

/// Words and surfaces as sorted 32-bit prefixes of their SHA-256, so that two sets are joined exactly; of 100,000 words one
/// unknown word in 40,000 is taken for known. Words are those of Unicode Standard Annex 29, in lower case, all digits equal.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Known {
    words: Hashes,
    surfaces: Hashes,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Hashes(Vec<u32>);

impl Known {
    /// The words of these texts and these surfaces of entities.
    pub fn of<'t>(texts: impl Iterator<Item = &'t str>, surfaces: impl Iterator<Item = &'t str>) -> Self {
        let words = texts.flat_map(|text| text.unicode_words().map(|word| hash(&folded(word))));
        Self { words: Hashes::of(words), surfaces: Hashes::of(surfaces.map(|surface| hash(&folded(surface)))) }
    }

    /// The same with what another has seen.
    #[must_use]
    pub fn join(self, other: &Self) -> Self {
        Self { words: self.words.join(&other.words), surfaces: self.surfaces.join(&other.surfaces) }
    }

    /// Whether an entity of the training texts reads like this one, but for case, white space and digits.
    pub fn has_surface(&self, surface: &str) -> bool {
        self.surfaces.has(hash(&folded(surface)))
    }

    /// The words of a text, and how many of them are not known.
    pub(crate) fn count(known: Option<&Self>, text: &str) -> (u64, u64) {
        let is_new = |word: &&str| known.is_some_and(|known| !known.words.has(hash(&folded(word))));
        let (words, new) =
            text.unicode_words().fold((0, 0), |(words, new), word| (words + 1, new + u64::from(is_new(&word))));
        (words, new)
    }

    /// How many words and surfaces there are.
    pub fn len(&self) -> [usize; 2] {
        [self.words.0.len(), self.surfaces.0.len()]
    }

    /// Whether nothing is known.
    pub fn is_empty(&self) -> bool {
        self.len() == [0, 0]
    }
}

/// In lower case, with single spaces, and a 0 for every digit.
fn folded(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    for word in text.split_whitespace() {
        if !folded.is_empty() {
            folded.push(' ');
        }
        let letters = word.chars().flat_map(char::to_lowercase);
        folded.extend(letters.map(|letter| if letter.is_numeric() { '0' } else { letter }));
    }
    folded
}

fn hash(text: &str) -> u32 {
    let digest = Sha256::digest(text.as_bytes());
    digest.iter().take(size_of::<u32>()).fold(0, |hash, byte| hash << 8 | u32::from(*byte))
}

impl Hashes {
    fn of(hashes: impl Iterator<Item = u32>) -> Self {
        let mut hashes: Vec<u32> = hashes.collect();
        hashes.sort_unstable();
        hashes.dedup();
        Self(hashes)
    }

    fn join(self, other: &Self) -> Self {
        Self::of(self.0.into_iter().chain(other.0.iter().copied()))
    }

    fn has(&self, hash: u32) -> bool {
        self.0.binary_search(&hash).is_ok()
    }
}

/// In JSON: the numbers in ascending order, big-endian, in base64.
impl Serialize for Hashes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let bytes: Vec<u8> = self.0.iter().flat_map(|hash| hash.to_be_bytes()).collect();
        serializer.serialize_str(&STANDARD.encode(bytes))
    }
}

impl<'de> Deserialize<'de> for Hashes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let bytes = STANDARD.decode(String::deserialize(deserializer)?).map_err(D::Error::custom)?;
        let (numbers, rest) = bytes.as_chunks::<{ size_of::<u32>() }>();
        let hashes: Vec<u32> = numbers.iter().copied().map(u32::from_be_bytes).collect();
        if rest.is_empty() && hashes.is_sorted_by(|a, b| a < b) {
            return Ok(Self(hashes));
        }
        Err(D::Error::custom("expected ascending numbers of 4 bytes in base64"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn case_white_space_and_digits_do_not_make_a_word_new() {
        let known = Known::of(["Anna paid 250 euros"].into_iter(), ["New  York", "Ærø"].into_iter());
        assert_eq!(Known::count(Some(&known), "ANNA paid 999 dollars."), (4, 1));
        assert!(known.has_surface("new york") && known.has_surface("ÆRØ") && !known.has_surface("york"));
        assert_eq!(Known::count(None, "two words"), (2, 0));
        assert_eq!(Known::count(Some(&known), ""), (0, 0));
    }

    #[test]
    fn joined_sets_know_what_either_knew() {
        let [a, b] = ["one two", "two three"].map(|text| Known::of([text].into_iter(), [text].into_iter()));
        let both = a.join(&b);
        assert_eq!(both.len(), [3, 2]);
        assert_eq!(Known::count(Some(&both), "one two three four"), (4, 1));
    }

    #[test]
    fn numbers_out_of_order_are_refused() {
        let bytes = |numbers: [u32; 2]| STANDARD.encode(numbers.map(u32::to_be_bytes).concat());
        let parse = |text: &str| serde_json::from_value::<Hashes>(serde_json::json!(text));
        assert!(parse(&bytes([1, 2])).is_ok());
        for wrong in [bytes([2, 1]), bytes([1, 1]), "AAA=".to_owned(), "?".to_owned()] {
            assert!(parse(&wrong).is_err(), "{wrong}");
        }
    }
}
