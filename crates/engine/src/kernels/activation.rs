//! Activation functions, in place, or each with its derivative, which takes the place of the input for the backward pass.

use super::math::exp;
use crate::isa::{fma, kernel};

kernel! {
    /// `y = gelu(x)` with the normal distribution function itself (Hendrycks and Gimpel, 2016); `x` becomes the
    /// derivative at `x`.
    pub(crate) fn gelu(x: &mut [f32], y: &mut [f32]) = gelu_body;
}

kernel! {
    /// `y = gelu(x)` in the approximation with tanh (`gelu_new` of transformers); `x` becomes the derivative.
    pub(crate) fn gelu_tanh(x: &mut [f32], y: &mut [f32]) = gelu_tanh_body;
}

kernel! {
    /// `y = max(x, 0)`, NaN where `x` is; `x` becomes the derivative, 0 at 0 as in `PyTorch`.
    pub(crate) fn relu(x: &mut [f32], y: &mut [f32]) = relu_body;
}

kernel! {
    /// `x = gelu(x)`, the same bits as [`gelu`] gives.
    pub(crate) fn gelu_in_place(x: &mut [f32]) = gelu_in_place_body;
}

kernel! {
    /// `x = gelu(x)` in the approximation, the same bits as [`gelu_tanh`] gives.
    pub(crate) fn gelu_tanh_in_place(x: &mut [f32]) = gelu_tanh_in_place_body;
}

kernel! {
    /// `x = max(x, 0)`.
    pub(crate) fn relu_in_place(x: &mut [f32]) = relu_in_place_body;
}

/// The function and its derivative; where nobody reads the derivative, the compiler leaves it out.
#[inline(always)]
fn gelu_at<const FMA: bool>(x: f32) -> (f32, f32) {
    let z = x.abs() * std::f32::consts::FRAC_1_SQRT_2;
    let density = exp::<FMA>(-z * z);
    // erfc(z) by Abramowitz and Stegun 7.1.26, absolute error 1.5e-7; it shares its exponential with the density.
    let t = 1.0 / fma::<FMA>(0.327_591_1, z, 1.0);
    let mut p = fma::<FMA>(1.061_405_4, t, -1.453_152);
    p = fma::<FMA>(p, t, 1.421_413_7);
    p = fma::<FMA>(p, t, -0.284_496_74);
    p = fma::<FMA>(p, t, 0.254_829_6);
    let half_tail = 0.5 * p * t * density;
    let cumulative = if x < 0.0 { half_tail } else { 1.0 - half_tail };
    (x * cumulative, fma::<FMA>(x * density, 0.398_942_3, cumulative))
}

#[inline(always)]
fn gelu_tanh_at<const FMA: bool>(x: f32) -> (f32, f32) {
    const SCALE: f32 = 0.797_884_6; // sqrt(2 / pi)
    const CUBIC: f32 = 0.044_715;
    // Past these the distribution is 0 or 1 in `f32`, while the square of a huge value would be infinite.
    let bounded = x.clamp(-16.0, 9.0);
    let square = bounded * bounded;
    let inner = SCALE * bounded * fma::<FMA>(CUBIC, square, 1.0);
    // (1 + tanh(u)) / 2 = e^2u / (e^2u + 1), which keeps its digits in the lower tail.
    let power = exp::<FMA>(2.0 * inner);
    let above = 1.0 / (power + 1.0);
    let cumulative = power * above;
    let slope = SCALE * fma::<FMA>(3.0 * CUBIC, square, 1.0);
    (x * cumulative, fma::<FMA>(2.0 * bounded * slope * above, cumulative, cumulative))
}

#[inline(always)]
fn relu_at(x: f32) -> (f32, f32) {
    // Written so that NaN, which fails every comparison, goes through.
    if x <= 0.0 { (0.0, 0.0) } else { (x, 1.0) }
}

#[inline(always)]
fn gelu_body<const FMA: bool>(x: &mut [f32], y: &mut [f32]) {
    for (x, y) in x.iter_mut().zip(y) {
        (*y, *x) = gelu_at::<FMA>(*x);
    }
}

#[inline(always)]
fn gelu_tanh_body<const FMA: bool>(x: &mut [f32], y: &mut [f32]) {
    for (x, y) in x.iter_mut().zip(y) {
        (*y, *x) = gelu_tanh_at::<FMA>(*x);
    }
}

#[inline(always)]
fn relu_body<const FMA: bool>(x: &mut [f32], y: &mut [f32]) {
    for (x, y) in x.iter_mut().zip(y) {
        (*y, *x) = relu_at(*x);
    }
}

#[inline(always)]
fn gelu_in_place_body<const FMA: bool>(x: &mut [f32]) {
    for x in x {
        *x = gelu_at::<FMA>(*x).0;
    }
}

#[inline(always)]
fn gelu_tanh_in_place_body<const FMA: bool>(x: &mut [f32]) {
    for x in x {
        *x = gelu_tanh_at::<FMA>(*x).0;
    }
}

#[inline(always)]
fn relu_in_place_body<const FMA: bool>(x: &mut [f32]) {
    for x in x {
        *x = relu_at(*x).0;
    }
}
