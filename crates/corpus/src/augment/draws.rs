//! Random numbers of one method for one copy of one text.

use super::Method;
use crate::mix::mix;

/// A stream of random numbers: `SplitMix64` (Steele, Lea and Flood, 2014) from a state that seed, method, copy and text
/// decide.
#[derive(Debug, Clone)]
pub(super) struct Draws(u64);

impl Draws {
    pub fn new(seed: u64, method: Method, copy: u32, text: usize) -> Self {
        // By name: a new method must not move the numbers of the others.
        let method = method.name().bytes().fold(0, |state, byte| mix(state ^ u64::from(byte)));
        Self(mix(mix(mix(seed ^ method) ^ u64::from(copy)) ^ text as u64))
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        mix(self.0)
    }

    /// Whether something of this probability happens.
    pub fn happens(&mut self, probability: f64) -> bool {
        ((self.next() >> 11) as f64) < probability * (1u64 << 53) as f64
    }

    /// A number below `bound`, all of them equally likely; 0 below 0.
    pub fn below(&mut self, bound: usize) -> usize {
        ((u128::from(self.next()) * bound as u128) >> 64) as usize
    }

    /// One of these, all of them equally likely.
    pub fn one_of<'v, T>(&mut self, values: &'v [T]) -> Option<&'v T> {
        values.get(self.below(values.len()))
    }

    /// An order of `count` things (Fisher and Yates).
    pub fn order(&mut self, count: usize) -> Vec<usize> {
        let mut order: Vec<usize> = (0..count).collect();
        for at in (1..count).rev() {
            order.swap(at, self.below(at + 1));
        }
        order
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seed_method_copy_and_text_each_have_numbers_of_their_own() {
        let first = |seed, method, copy, text| Draws::new(seed, method, copy, text).next();
        let base = first(1, Method::Typos, 1, 1);
        assert_eq!(base, first(1, Method::Typos, 1, 1));
        for other in [
            first(2, Method::Typos, 1, 1),
            first(1, Method::Casing, 1, 1),
            first(1, Method::Typos, 2, 1),
            first(1, Method::Typos, 1, 2),
        ] {
            assert_ne!(base, other);
        }
    }

    #[test]
    fn a_rate_is_kept_and_its_ends_are_never_and_always() {
        let mut draws = Draws::new(7, Method::Typos, 1, 0);
        let mut share = |rate| (0..10_000).filter(|_| draws.happens(rate)).count();
        assert_eq!([share(0.0), share(1.0)], [0, 10_000]);
        // 3,000 expected, with a standard deviation of 46.
        assert!((2_800..3_200).contains(&share(0.3)));
    }
}
