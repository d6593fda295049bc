//! Which texts may be near duplicates: those that share a band of their MinHash signatures.

use super::{shingles::Shingles, similarity::Similarity};
use crate::mix::mix;

/// Hash functions of a signature.
const FUNCTIONS: usize = 128;
/// A pair just at the threshold must be found with this probability.
const RECALL: f64 = 0.995;
/// Longest band; longer ones would only be needed close to a similarity of 1, where these find everything too.
const LONGEST: usize = 16;

/// How a signature is cut into bands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Bands {
    /// How many bands there are.
    pub(super) count: usize,
    /// Functions in a band.
    rows: usize,
}

impl Bands {
    /// The longest bands, so the fewest candidates, that find a pair of this similarity as good as always: two
    /// texts of similarity `s` share one of `count` bands with the probability `1 - (1 - s^rows)^count`.
    pub(super) fn finding(similarity: Similarity) -> Self {
        let cut = |rows: usize| Self { count: FUNCTIONS / rows, rows };
        let finds = |bands: &Self| bands.probability(similarity.get()) >= RECALL;
        (1..=LONGEST).rev().map(cut).find(finds).unwrap_or(cut(1))
    }

    /// The probability that texts of this similarity share a band.
    fn probability(self, similarity: f64) -> f64 {
        1.0 - (1.0 - similarity.powf(self.rows as f64)).powf(self.count as f64)
    }

    /// One number a band; texts with equal numbers share the band.
    pub(super) fn of(self, shingles: &Shingles) -> Vec<u64> {
        let mut least = [u32::MAX; FUNCTIONS];
        for shingle in shingles.hashes() {
            for (function, least) in FACTORS.iter().zip(&mut least) {
                // Multiply-shift (Dietzfelbinger et al., 1997); the shingles are mixed well already.
                let hash = (shingle.wrapping_mul(*function) >> 32) as u32;
                *least = hash.min(*least);
            }
        }
        let bands = least.chunks_exact(self.rows).take(self.count);
        bands.map(|rows| rows.iter().fold(0, |hash, row| mix(hash ^ u64::from(*row)))).collect()
    }
}

/// Odd factors, one a function, the same in every build.
static FACTORS: [u64; FUNCTIONS] = factors();

const fn factors() -> [u64; FUNCTIONS] {
    let mut factors = [0; FUNCTIONS];
    let mut at = 0;
    while at < FUNCTIONS {
        factors[at] = mix(at as u64) | 1;
        at += 1;
    }
    factors
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bands_grow_with_the_similarity_and_find_what_is_just_at_it() {
        let rows = |similarity| Bands::finding(Similarity::new(similarity).unwrap());
        let cuts = [0.05, 0.3, 0.5, 0.7, 0.8, 0.9, 1.0].map(|similarity| (similarity, rows(similarity)));
        assert!(cuts.windows(2).all(|pair| pair[0].1.rows <= pair[1].1.rows), "{cuts:?}");
        for (similarity, bands) in cuts {
            assert!(bands.probability(similarity) >= RECALL, "{similarity}: {bands:?}");
            assert!(bands.count * bands.rows <= FUNCTIONS);
        }
        assert_eq!(rows(0.7), Bands { count: 32, rows: 4 });
    }

    #[test]
    #[allow(clippy::float_cmp)] // a quotient of two counts
    fn the_share_of_equal_rows_estimates_the_similarity() {
        // 60 shared of 100: 0.6, with a standard deviation of 0.043 over 128 functions.
        let words = |range: std::ops::Range<usize>| range.map(|at| format!("w{at}")).collect::<Vec<_>>().join(" ");
        let (a, b) = (Shingles::of(&words(0..82)), Shingles::of(&words(20..102)));
        assert_eq!(a.jaccard(&b), 0.6);
        let single = Bands { count: FUNCTIONS, rows: 1 };
        let equal = single.of(&a).iter().zip(single.of(&b)).filter(|(a, b)| **a == *b).count();
        let share = equal as f64 / FUNCTIONS as f64;
        assert!((0.45..0.75).contains(&share), "{share}");
    }
}
