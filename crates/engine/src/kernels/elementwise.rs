//! Passes over whole buffers.

use super::math::{LANES, fold};
use crate::{
    isa::{fma, kernel},
    random::Dropout,
};

kernel! {
    /// `sum += term`.
    pub(crate) fn accumulate(sum: &mut [f32], term: &[f32]) = accumulate_body;
}

#[inline(always)]
fn accumulate_body<const FMA: bool>(sum: &mut [f32], term: &[f32]) {
    for (sum, term) in sum.iter_mut().zip(term) {
        *sum += term;
    }
}

kernel! {
    /// `values *= factors`.
    pub(crate) fn scale_by(values: &mut [f32], factors: &[f32]) = scale_by_body;
}

#[inline(always)]
fn scale_by_body<const FMA: bool>(values: &mut [f32], factors: &[f32]) {
    for (value, factor) in values.iter_mut().zip(factors) {
        *value *= factor;
    }
}

kernel! {
    /// Multiplies every value with its dropout factor.
    pub(crate) fn drop_out(values: &mut [f32], dropout: Dropout) = drop_out_body;
}

#[inline(always)]
fn drop_out_body<const FMA: bool>(values: &mut [f32], dropout: Dropout) {
    for (index, value) in values.iter_mut().enumerate() {
        *value *= dropout.factor(index as u32);
    }
}

kernel! {
    /// `sums [width] +=` the columns of `values [rows, width]`.
    pub(crate) fn add_column_sums(values: &[f32], sums: &mut [f32]) = add_column_sums_body;
}

#[inline(always)]
fn add_column_sums_body<const FMA: bool>(values: &[f32], sums: &mut [f32]) {
    for row in values.chunks_exact(sums.len()) {
        for (sum, value) in sums.iter_mut().zip(row) {
            *sum += value;
        }
    }
}

kernel! {
    /// Sum of the squares of a slice of at most a few thousand values, in `f32` lanes.
    pub(crate) fn squared_sum(values: &[f32]) -> f32 = squared_sum_body;
}

#[inline(always)]
fn squared_sum_body<const FMA: bool>(values: &[f32]) -> f32 {
    let mut lanes = [0.0; LANES];
    for chunk in values.chunks(LANES) {
        for (lane, value) in lanes.iter_mut().zip(chunk) {
            *lane = fma::<FMA>(*value, *value, *lane);
        }
    }
    fold(lanes)
}

kernel! {
    /// Moves every value a share of its way to another.
    pub(crate) fn pull(values: &mut [f32], towards: &[f32], share: f32) = pull_body;
}

#[inline(always)]
fn pull_body<const FMA: bool>(values: &mut [f32], towards: &[f32], share: f32) {
    for (value, towards) in values.iter_mut().zip(towards) {
        *value = fma::<FMA>(towards - *value, share, *value);
    }
}

/// The constants of one step of `AdamW`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct AdamwStep {
    /// Factor of the gradient (clipping).
    pub gradient_scale: f32,
    /// `1 - rate * weight decay`.
    pub keep: f32,
    /// `rate / (1 - beta1^t)`.
    pub rate: f32,
    /// `1 / sqrt(1 - beta2^t)`.
    pub inverse_root: f32,
    pub beta2: f32,
    /// `1 - beta1` and `1 - beta2`, subtracted in `f64`: in `f32` the latter would be off by a part in 10^5.
    pub rest1: f32,
    pub rest2: f32,
    pub eps: f32,
}

kernel! {
    /// One step of `AdamW` over values and their moments in a single pass, in the order of operations of
    /// `torch.optim.AdamW`.
    pub(crate) fn adamw(
        values: &mut [f32],
        first: &mut [f32],
        second: &mut [f32],
        gradient: &[f32],
        step: AdamwStep,
    ) = adamw_body;
}

#[inline(always)]
fn adamw_body<const FMA: bool>(
    values: &mut [f32],
    first: &mut [f32],
    second: &mut [f32],
    gradient: &[f32],
    step: AdamwStep,
) {
    for (((value, first), second), gradient) in values.iter_mut().zip(first).zip(second).zip(gradient) {
        move_weight::<FMA>(value, first, second, gradient * step.gradient_scale, &step);
    }
}

#[inline(always)]
fn move_weight<const FMA: bool>(value: &mut f32, first: &mut f32, second: &mut f32, gradient: f32, step: &AdamwStep) {
    *first = fma::<FMA>(gradient - *first, step.rest1, *first);
    *second = fma::<FMA>(gradient * gradient, step.rest2, *second * step.beta2);
    let denominator = fma::<FMA>(second.sqrt(), step.inverse_root, step.eps);
    *value = *value * step.keep - step.rate * (*first / denominator);
}

kernel! {
    /// Steps without a gradient, one after the other: the bits of as many [`adamw`] with zeros, in one pass.
    pub(crate) fn adamw_idle(values: &mut [f32], first: &mut [f32], second: &mut [f32], steps: &[AdamwStep]) =
        adamw_idle_body;
}

#[inline(always)]
fn adamw_idle_body<const FMA: bool>(values: &mut [f32], first: &mut [f32], second: &mut [f32], steps: &[AdamwStep]) {
    if steps.is_empty() {
        return;
    }
    let (values, values_rest) = values.as_chunks_mut::<LANES>();
    let (first, first_rest) = first.as_chunks_mut::<LANES>();
    let (second, second_rest) = second.as_chunks_mut::<LANES>();
    for ((value, first), second) in values.iter_mut().zip(first).zip(second) {
        for step in steps {
            for lane in 0..LANES {
                move_weight::<FMA>(&mut value[lane], &mut first[lane], &mut second[lane], 0.0, step);
            }
        }
    }
    for ((value, first), second) in values_rest.iter_mut().zip(first_rest).zip(second_rest) {
        for step in steps {
            move_weight::<FMA>(value, first, second, 0.0, step);
        }
    }
}

kernel! {
    /// What [`adamw_idle`] does where both moments are zero: the weights decay.
    pub(crate) fn decay(values: &mut [f32], steps: &[AdamwStep]) = decay_body;
}

#[inline(always)]
fn decay_body<const FMA: bool>(values: &mut [f32], steps: &[AdamwStep]) {
    for step in steps {
        for value in values.iter_mut() {
            *value *= step.keep;
        }
    }
}
