//! The population stability index with its sampling error.

use libm::erfc;
use serde::Serialize;

use crate::profile::Histogram;

/// How far two distributions are apart: the population stability index, `sum (p - q) ln (p / q)` over the bins, which is the
/// symmetric divergence of Jeffreys (1946).
///
/// Of two samples of `n` and `m` values of *one* distribution it is not 0 but about `1/n + 1/m` times a chi-squared number of
/// one degree of freedom less than there are bins (Yurdakul and Naranjo, 2020, "Statistical properties of the population stability
/// index"): small windows look like drift. Here that bias is taken off, the interval comes from the noncentral distribution,
/// whose square root has about the same spread wherever it lies, and `n` and `m` are effective numbers of values
/// ([`Histogram::effective`]).
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Stability {
    /// The index without its bias, 0 at least.
    pub psi: f64,
    /// Lower end of its interval.
    pub low: f64,
    /// Upper end of its interval.
    pub high: f64,
    /// How likely two samples of one distribution lie so far apart (chi-squared test), times the number of comparisons.
    pub p: f64,
}

impl Stability {
    /// Compares two distributions over the same bins. Each end of the interval, and `p`, take into account that so many
    /// `comparisons` are made; `confidence` is that of all of them together.
    pub fn of(profile: &Histogram, window: &Histogram, comparisons: usize, confidence: f64) -> Self {
        let pairs = || profile.smoothed().into_iter().zip(window.smoothed());
        let raw: f64 = pairs().map(|(expected, found)| (found - expected) * (found / expected).ln()).sum();
        let scale = 1.0 / profile.effective.max(1.0) + 1.0 / window.effective.max(1.0);
        let degrees = filled(profile, window).saturating_sub(1).max(1);
        let comparisons = comparisons.max(1) as f64;
        let reach = normal_quantile((1.0 - confidence) / comparisons);
        let root = (raw / scale).sqrt();
        let without_bias = |root: f64| (scale * (root * root - degrees as f64)).max(0.0);
        Self {
            psi: without_bias(root),
            low: without_bias((root - reach).max(0.0)),
            high: without_bias(root + reach),
            p: (chi_squared_tail(raw / scale, degrees) * comparisons).min(1.0),
        }
    }
}

/// Bins that either has values in.
fn filled(a: &Histogram, b: &Histogram) -> usize {
    a.counts.iter().zip(&b.counts).filter(|(a, b)| **a > 0 || **b > 0).count()
}

/// How likely a standard normal number is larger.
fn normal_tail(z: f64) -> f64 {
    0.5 * erfc(z / std::f64::consts::SQRT_2)
}

/// The number that a standard normal one exceeds with this probability, from 0 to 8, by bisection.
fn normal_quantile(tail: f64) -> f64 {
    let (mut low, mut high) = (0.0, 8.0);
    while high - low > 1e-9 {
        let middle = 0.5 * (low + high);
        if normal_tail(middle) > tail {
            low = middle;
        } else {
            high = middle;
        }
    }
    high
}

/// How likely a chi-squared number of these degrees of freedom is larger (Abramowitz and Stegun, 1964, 26.4.4 and 26.4.5).
fn chi_squared_tail(x: f64, degrees: usize) -> f64 {
    let half = 0.5 * x.max(0.0);
    let (mut tail, mut term) = if degrees.is_multiple_of(2) {
        ((-half).exp(), (-half).exp())
    } else {
        (erfc(half.sqrt()), 2.0 * (half / std::f64::consts::PI).sqrt() * (-half).exp())
    };
    // Each two degrees add a term: half^j / j! times exp(-half), or the same with halves for odd degrees.
    let mut order = if degrees.is_multiple_of(2) { 1.0 } else { 1.5 };
    for place in 0..(degrees.max(1) - 1) / 2 {
        if degrees.is_multiple_of(2) || place > 0 {
            term *= half / order;
            order += 1.0;
        }
        tail += term;
    }
    tail.min(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tails_are_those_of_r() {
        // pnorm(1.96, lower = FALSE), qnorm(1e-4, lower = FALSE); pchisq(x, df, lower = FALSE).
        assert!((normal_tail(1.96) - 0.024_997_895).abs() < 1e-8);
        assert!((normal_quantile(1e-4) - 3.719_016_485).abs() < 1e-6);
        for (x, degrees, expected) in [
            (3.841_458_821, 1, 0.05),
            (5.991_464_547, 2, 0.05),
            (7.814_727_903, 3, 0.05),
            (9.487_729_037, 4, 0.05),
            (16.918_977_605, 9, 0.05),
            (18.307_038_053, 10, 0.05),
            (0.0, 9, 1.0),
        ] {
            assert!((chi_squared_tail(x, degrees) - expected).abs() < 1e-7, "{x} {degrees}");
        }
    }

    /// Draws from a distribution, reproducibly.
    struct Draws(u64);

    impl Draws {
        fn share(&mut self) -> f64 {
            self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (self.0 >> 11) as f64 / (1u64 << 53) as f64
        }

        fn histogram(&mut self, shares: &[f64], values: u64) -> Histogram {
            let mut counts = vec![0; shares.len()];
            for _ in 0..values {
                let mut left = self.share();
                let at = shares.iter().position(|share| {
                    left -= share;
                    left < 0.0
                });
                counts[at.unwrap_or(shares.len() - 1)] += 1;
            }
            Histogram { counts, effective: values as f64 }
        }
    }

    /// Of 4,000 comparisons of windows with profiles, the mean index, the share of lower ends above `true_psi`, and the share of
    /// `p` of at most 0.05.
    fn measured(expected: &[f64], found: &[f64], window: u64, true_psi: f64) -> (f64, f64, f64) {
        const TRIALS: u32 = 4_000;
        let mut draws = Draws(window);
        let (mut mean, mut above, mut significant) = (0.0, 0, 0);
        for _ in 0..TRIALS {
            let profile = draws.histogram(expected, 1_000);
            let stability = Stability::of(&profile, &draws.histogram(found, window), 1, 0.95);
            mean += stability.psi / f64::from(TRIALS);
            above += u32::from(stability.low > true_psi);
            significant += u32::from(stability.p <= 0.05);
        }
        (mean, f64::from(above) / f64::from(TRIALS), f64::from(significant) / f64::from(TRIALS))
    }

    #[test]
    fn the_same_distribution_is_found_to_differ_as_often_as_the_test_says() {
        let deciles = [0.1; 10];
        for window in [50, 250, 1_000] {
            let (mean, above, significant) = measured(&deciles, &deciles, window, 0.0);
            assert!(mean < 0.05, "{mean} in windows of {window}");
            assert!(significant < 0.08 && above < 0.08, "{significant} {above} in windows of {window}");
        }
    }

    #[test]
    fn at_the_threshold_the_alarm_is_as_rare_as_it_promises() {
        // Moved by as much as makes an index of 0.25: by the definition of the index.
        let deciles = [0.1; 10];
        let moved =
            |by: f64| -> Vec<f64> { (0..10).map(|bin| 0.1 * (1.0 + by * (f64::from(bin) - 4.5) / 4.5)).collect() };
        let psi = |shares: &[f64]| -> f64 { shares.iter().map(|share| (share - 0.1) * (share / 0.1).ln()).sum() };
        let (mut low, mut high) = (0.0, 0.99);
        while high - low > 1e-12 {
            let middle = 0.5 * (low + high);
            if psi(&moved(middle)) < 0.25 { low = middle } else { high = middle }
        }
        for window in [50, 250, 1_000] {
            let (mean, above, significant) = measured(&deciles, &moved(low), window, 0.25);
            assert!((mean - 0.25).abs() < 0.06, "{mean} in windows of {window}");
            assert!(above < 0.08, "{above} in windows of {window}");
            assert!(window < 100 || significant > 0.95, "{significant} in windows of {window}");
        }
    }

    #[test]
    fn more_comparisons_ask_for_more() {
        let mut draws = Draws(1);
        let profile = draws.histogram(&[0.5, 0.5], 1_000);
        let window = draws.histogram(&[0.25, 0.75], 250);
        let [one, many] = [1, 1_000].map(|comparisons| Stability::of(&profile, &window, comparisons, 0.95));
        assert!((one.psi - many.psi).abs() < 1e-12 && many.low < one.low && one.high < many.high && one.p <= many.p);
        assert!(one.low > 0.05 && one.low < one.psi && one.psi < one.high);
    }
}
