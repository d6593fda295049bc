//! The set of short runs of words by which texts are compared.

use unicode_segmentation::UnicodeSegmentation;

use super::fold::fold;
use crate::mix::mix;

/// Words in a shingle.
pub const SHINGLE: usize = 3;

/// Hashes of a text's shingles, sorted, each once; never empty.
pub(super) struct Shingles(Vec<u64>);

impl Shingles {
    /// The shingles of a folded text.
    ///
    /// Words are those of Unicode (UAX 29) without white space and punctuation. A text of fewer words than a shingle
    /// has one shingle, all its words; one without any word (marks, emoji) is its own shingle.
    pub(super) fn of(folded: &str) -> Self {
        let words: Vec<u64> = folded.unicode_words().map(|word| hash(word.as_bytes())).collect();
        let mut hashes: Vec<u64> = match words.len() {
            0 => vec![mix(hash(folded.as_bytes()))],
            1..SHINGLE => vec![joined(&words)],
            _ => words.windows(SHINGLE).map(joined).collect(),
        };
        hashes.sort_unstable();
        hashes.dedup();
        Self(hashes)
    }

    pub(super) fn hashes(&self) -> &[u64] {
        &self.0
    }

    /// Jaccard similarity: shared shingles over all shingles of the two.
    pub(super) fn jaccard(&self, other: &Self) -> f64 {
        let (mut a, mut b) = (self.0.as_slice(), other.0.as_slice());
        let mut shared = 0;
        while let (Some(first), Some(second)) = (a.first(), b.first()) {
            shared += usize::from(first == second);
            if first <= second {
                a = &a[1..];
            }
            if second <= first {
                b = &b[1..];
            }
        }
        shared as f64 / (self.0.len() + other.0.len() - shared) as f64
    }

    /// The most that the similarity could be, from the sizes alone.
    pub(super) fn bound(&self, other: &Self) -> f64 {
        let (a, b) = (self.0.len(), other.0.len());
        a.min(b) as f64 / a.max(b) as f64
    }
}

/// Jaccard similarity of two texts' sets of word shingles, between 0 and 1; 1 where they are equal but for case,
/// white space and punctuation between words.
pub fn jaccard(a: &str, b: &str) -> f64 {
    Shingles::of(&fold(a)).jaccard(&Shingles::of(&fold(b)))
}

/// The words in their order as one number.
fn joined(words: &[u64]) -> u64 {
    words.iter().fold(words.len() as u64, |hash, word| mix(hash ^ word))
}

/// FNV-1a, the same in every build.
fn hash(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}

#[cfg(test)]
#[allow(clippy::float_cmp)] // quotients of small counts
mod tests {
    use super::*;

    #[test]
    fn similarity_is_shared_shingles_over_all() {
        // abc bcd cde against abc bcd cdx: 2 of 4.
        assert_eq!(jaccard("a b c d e", "A  b, c d x"), 0.5);
        assert_eq!(jaccard("a b c", "c b a"), 0.0);
        assert_eq!(jaccard("one two three four", "one two three four!"), 1.0);
    }

    #[test]
    fn short_texts_are_equal_or_have_nothing_in_common() {
        assert_eq!(jaccard("Rust", "rust."), 1.0);
        assert_eq!(jaccard("Rust", "Go"), 0.0);
        assert_eq!(jaccard("New York", "York New"), 0.0);
        assert_eq!(jaccard("New York", "New York"), 1.0);
        assert_eq!(jaccard("👍", "👍"), 1.0);
        assert_eq!(jaccard("👍", "👎"), 0.0);
        assert_eq!(jaccard("", " "), 1.0);
        assert_eq!(jaccard("", "a"), 0.0);
    }

    #[test]
    fn scripts_without_spaces_have_shingles_too() {
        let similarity = jaccard("東京都は日本の首都です", "東京都は日本の首都だ");
        assert!((0.4..1.0).contains(&similarity), "{similarity}");
    }
}
