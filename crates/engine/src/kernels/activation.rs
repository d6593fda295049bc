//! Activation functions, each with its derivative, which takes the place of the input for the backward pass.

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
    /// `y = max(x, 0)`; `x` becomes the derivative, 0 at 0 as in PyTorch.
    pub(crate) fn relu(x: &mut [f32], y: &mut [f32]) = relu_body;
}

#[inline(always)]
fn gelu_body<const FMA: bool>(x: &mut [f32], y: &mut [f32]) {
    for (x, y) in x.iter_mut().zip(y) {
        let value = *x;
        let z = value.abs() * std::f32::consts::FRAC_1_SQRT_2;
        let density = exp::<FMA>(-z * z);
        // erfc(z) by Abramowitz and Stegun 7.1.26, absolute error 1.5e-7; it shares its exponential with the density.
        let t = 1.0 / fma::<FMA>(0.327_591_1, z, 1.0);
        let mut p = fma::<FMA>(1.061_405_4, t, -1.453_152);
        p = fma::<FMA>(p, t, 1.421_413_7);
        p = fma::<FMA>(p, t, -0.284_496_74);
        p = fma::<FMA>(p, t, 0.254_829_6);
        let half_tail = 0.5 * p * t * density;
        let cumulative = if value < 0.0 { half_tail } else { 1.0 - half_tail };
        *y = value * cumulative;
        *x = fma::<FMA>(value * density, 0.398_942_3, cumulative);
    }
}

#[inline(always)]
fn gelu_tanh_body<const FMA: bool>(x: &mut [f32], y: &mut [f32]) {
    const SCALE: f32 = 0.797_884_6; // sqrt(2 / pi)
    const CUBIC: f32 = 0.044_715;
    for (x, y) in x.iter_mut().zip(y) {
        let value = *x;
        let square = value * value;
        let inner = SCALE * value * fma::<FMA>(CUBIC, square, 1.0);
        // tanh(u) = 1 - 2 / (e^2u + 1)
        let tanh = 1.0 - 2.0 / (exp::<FMA>(2.0 * inner) + 1.0);
        let slope = SCALE * fma::<FMA>(3.0 * CUBIC, square, 1.0);
        *y = 0.5 * value * (1.0 + tanh);
        *x = 0.5 * (1.0 + tanh) + 0.5 * value * (1.0 - tanh * tanh) * slope;
    }
}

#[inline(always)]
fn relu_body<const FMA: bool>(x: &mut [f32], y: &mut [f32]) {
    for (x, y) in x.iter_mut().zip(y) {
        *y = x.max(0.0);
        *x = if *x > 0.0 { 1.0 } else { 0.0 };
    }
}
