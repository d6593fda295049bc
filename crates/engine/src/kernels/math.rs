//! Exponentials and sums that vectorize.

use crate::isa::{fma, kernel};

/// Partial sums that every reduction keeps, whatever the instruction set: one AVX-512 register of floats.
pub(crate) const LANES: usize = 16;

/// Sum of the lanes, pairwise, in an order that does not depend on the instruction set.
#[inline(always)]
pub(crate) fn fold(mut lanes: [f32; LANES]) -> f32 {
    let mut width = LANES / 2;
    while width > 0 {
        for lane in 0..width {
            lanes[lane] += lanes[lane + width];
        }
        width /= 2;
    }
    lanes[0]
}

/// Sum of a row.
#[inline(always)]
pub(crate) fn sum(row: &[f32]) -> f32 {
    let mut lanes = [0.0; LANES];
    let chunks = row.chunks_exact(LANES);
    let rest = chunks.remainder();
    for chunk in chunks {
        for lane in 0..LANES {
            lanes[lane] += chunk[lane];
        }
    }
    for (lane, value) in lanes.iter_mut().zip(rest) {
        *lane += value;
    }
    fold(lanes)
}

/// Inner product of two rows.
#[inline(always)]
pub(crate) fn dot<const FMA: bool>(a: &[f32], b: &[f32]) -> f32 {
    let mut lanes = [0.0; LANES];
    let (a_chunks, b_chunks) = (a.chunks_exact(LANES), b.chunks_exact(LANES));
    let (a_rest, b_rest) = (a_chunks.remainder(), b_chunks.remainder());
    for (a, b) in a_chunks.zip(b_chunks) {
        for lane in 0..LANES {
            lanes[lane] = fma::<FMA>(a[lane], b[lane], lanes[lane]);
        }
    }
    for (lane, (a, b)) in lanes.iter_mut().zip(a_rest.iter().zip(b_rest)) {
        *lane = fma::<FMA>(*a, *b, *lane);
    }
    fold(lanes)
}

/// `e^x` with a relative error below 2e-7, 0 below -87 (Cody and Waite's reduction to `|r| <= ln 2 / 2`, then a
/// polynomial of degree 6).
#[inline(always)]
pub(crate) fn exp<const FMA: bool>(x: f32) -> f32 {
    // Adding 1.5 * 2^23 rounds to an integer in the low bits of the significand.
    const ROUND: f32 = 12_582_912.0;
    const LN2_HIGH: f32 = 0.693_359_4;
    const LN2_LOW: f32 = -2.121_944_4e-4;
    let clamped = x.clamp(-87.0, 88.0);
    let shifted = fma::<FMA>(clamped, std::f32::consts::LOG2_E, ROUND);
    let n = shifted - ROUND;
    let r = fma::<FMA>(n, -LN2_LOW, fma::<FMA>(n, -LN2_HIGH, clamped));
    let mut p = fma::<FMA>(1.388_888_9e-3, r, 8.333_334e-3);
    p = fma::<FMA>(p, r, 4.166_666_6e-2);
    p = fma::<FMA>(p, r, 1.666_666_7e-1);
    p = fma::<FMA>(p, r, 0.5);
    p = fma::<FMA>(p, r, 1.0);
    p = fma::<FMA>(p, r, 1.0);
    let exponent = shifted.to_bits().wrapping_sub(ROUND.to_bits()).wrapping_add(127) << 23;
    let y = p * f32::from_bits(exponent);
    // Written so that NaN, which fails every comparison, goes through.
    if x < -87.0 { 0.0 } else { y }
}

kernel! {
    /// Of every row of `values [rows, width]` the maximum, into `maxima [rows]`, and `log(sum(exp(row - maximum)))`,
    /// into `log_sums [rows]`. The two are kept apart because their sum rounds away what a large offset leaves.
    pub(crate) fn log_sum_exp_rows(values: &[f32], width: usize, maxima: &mut [f32], log_sums: &mut [f32]) =
        log_sum_exp_rows_body;
}

#[inline(always)]
fn log_sum_exp_rows_body<const FMA: bool>(values: &[f32], width: usize, maxima: &mut [f32], log_sums: &mut [f32]) {
    for ((row, max), log_sum) in values.chunks_exact(width).zip(maxima).zip(log_sums) {
        *max = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        let sum: f32 = row.iter().map(|&value| exp::<FMA>(value - *max)).sum();
        *log_sum = sum.ln();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exp_is_within_two_parts_in_ten_million() {
        for step in -8600..8700 {
            let x = step as f32 / 100.0;
            let exact = f64::from(x).exp();
            for got in [exp::<true>(x), exp::<false>(x)] {
                assert!((f64::from(got) / exact - 1.0).abs() < 3e-7, "exp({x}) = {got}");
            }
        }
        assert_eq!(exp::<false>(-1000.0).to_bits(), 0.0f32.to_bits());
        assert_eq!(exp::<false>(0.0).to_bits(), 1.0f32.to_bits());
        assert!(exp::<false>(f32::NAN).is_nan());
    }
}
