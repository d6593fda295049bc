//! Dropout decisions from a counter, so that a step can be repeated from its number alone.

/// Names the dropout of one operation in one step: the same key gives the same decisions, whichever thread asks
/// and in whichever order. Nothing has to be stored between forward and backward, or in a checkpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DropoutKey(u64);

impl DropoutKey {
    /// The key of a step of a run.
    pub fn new(seed: u64, step: u64) -> Self {
        Self(mix64(mix64(seed) ^ step))
    }

    /// The key of a part of what this key names: a micro-batch, an operation.
    #[must_use]
    pub fn part(self, index: u64) -> Self {
        Self(mix64(self.0 ^ mix64(index.wrapping_add(1))))
    }

    pub(crate) fn halves(self) -> (u32, u32) {
        (self.0 as u32, (self.0 >> 32) as u32)
    }
}

/// Drops values with a probability and scales the others, so that the expected value stays.
#[derive(Debug, Clone, Copy)]
pub struct Dropout {
    low: u32,
    high: u32,
    /// A value is dropped when its 32 random bits lie below this.
    threshold: u32,
    /// What the others are multiplied with: `1 / (1 - probability)`.
    pub(crate) scale: f32,
}

impl Dropout {
    /// Dropout with a probability in `0..1` under a key.
    pub fn new(key: DropoutKey, probability: f32) -> Self {
        debug_assert!((0.0..1.0).contains(&probability));
        let (low, high) = key.halves();
        let threshold = (f64::from(probability) * 4_294_967_296.0) as u32;
        Self { low, high, threshold, scale: 1.0 / (1.0 - probability) }
    }

    /// Dropout that keeps everything.
    pub fn none() -> Self {
        Self { low: 0, high: 0, threshold: 0, scale: 1.0 }
    }

    /// Whether nothing is ever dropped.
    pub fn is_none(self) -> bool {
        self.threshold == 0
    }

    /// The factor of value number `index`: 0 or the scale. Two rounds of multiply and xor-shift over a counter
    /// (a finalizer of `MurmurHash3`'s kind), one vector multiplication each.
    #[inline(always)]
    pub(crate) fn factor(self, index: u32) -> f32 {
        let mut bits = index.wrapping_mul(0x9e37_79b9).wrapping_add(self.low);
        bits = (bits ^ (bits >> 16)).wrapping_mul(0x85eb_ca6b) ^ self.high;
        bits = (bits ^ (bits >> 13)).wrapping_mul(0xc2b2_ae35);
        bits ^= bits >> 16;
        if bits < self.threshold { 0.0 } else { self.scale }
    }
}

/// The finalizer of `SplitMix64` (Steele, Lea and Flood, 2014).
fn mix64(value: u64) -> u64 {
    let mut z = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// A stream of pseudo-random numbers (`SplitMix64`), for initial weights and shuffling.
#[derive(Debug, Clone)]
pub struct Random(u64);

impl Random {
    /// The stream of a seed.
    pub fn new(seed: u64) -> Self {
        Self(mix64(seed))
    }

    /// The next 64 bits.
    pub fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        mix64(self.0)
    }

    /// Uniform in `0..1`.
    pub fn unit(&mut self) -> f64 {
        (self.bits() >> 11) as f64 / (1u64 << 53) as f64
    }

    /// Uniform in `0..bound` (Lemire's multiply-shift; its bias is below 2^-32 for the sizes used here).
    pub fn below(&mut self, bound: usize) -> usize {
        ((u128::from(self.bits()) * bound as u128) >> 64) as usize
    }

    /// Standard normal (Box and Muller).
    pub fn normal(&mut self) -> f64 {
        let radius = (-2.0 * (1.0 - self.unit()).ln()).sqrt();
        radius * (std::f64::consts::TAU * self.unit()).cos()
    }

    /// Puts a slice into random order (Fisher and Yates).
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            items.swap(last, self.below(last + 1));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_share_dropped_and_the_mean_are_as_asked() {
        for probability in [0.1f32, 0.5] {
            let dropout = Dropout::new(DropoutKey::new(7, 3).part(2), probability);
            let n = 200_000;
            let factors: Vec<f32> = (0..n).map(|index| dropout.factor(index)).collect();
            let dropped = factors.iter().filter(|factor| **factor == 0.0).count() as f32 / n as f32;
            let mean = factors.iter().sum::<f32>() / n as f32;
            assert!((dropped - probability).abs() < 0.005, "{dropped}");
            assert!((mean - 1.0).abs() < 0.01, "{mean}");
        }
    }

    #[test]
    fn neighbouring_steps_operations_and_rows_are_uncorrelated() {
        let base = DropoutKey::new(1, 1);
        let n = 50_000u32;
        let agree = |a: Dropout, b: Dropout, shift: u32| {
            (0..n).filter(|&i| (a.factor(i) == 0.0) == (b.factor(i + shift) == 0.0)).count() as f64 / f64::from(n)
        };
        let half = |key| Dropout::new(key, 0.5);
        for (a, b, shift) in [
            (half(base), half(DropoutKey::new(1, 2)), 0),
            (half(base.part(0)), half(base.part(1)), 0),
            (half(base), half(base), 384),
            (half(base), half(base), 1),
            (half(DropoutKey::new(1, 1)), half(DropoutKey::new(2, 1)), 0),
        ] {
            let share = agree(a, b, shift);
            assert!((share - 0.5).abs() < 0.02, "{share}");
        }
    }

    #[test]
    fn a_shuffle_is_a_permutation_that_depends_on_the_seed() {
        let shuffled = |seed| {
            let mut items: Vec<u32> = (0..100).collect();
            Random::new(seed).shuffle(&mut items);
            items
        };
        assert_eq!(shuffled(1), shuffled(1));
        assert_ne!(shuffled(1), shuffled(2));
        let mut sorted = shuffled(1);
        sorted.sort_unstable();
        assert_eq!(sorted, (0..100).collect::<Vec<_>>());
    }
}
