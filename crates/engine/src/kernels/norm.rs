//! Layer normalization (Ba, Kiros and Hinton, 2016) over rows.

use super::math::{dot, sum};
use crate::{
    isa::{fma, kernel},
    random::Dropout,
};

kernel! {
    /// `sum = dropout(x) + residual`, `y = (sum - mean) / sqrt(variance + eps) * gamma + beta`, row by row.
    ///
    /// `x [rows, width]` becomes the normalized sum, `inverse [rows]` gets `1 / sqrt(variance + eps)`: together
    /// all that the backward pass needs. An empty `residual` counts as zeros.
    pub(crate) fn layer_norm_forward(
        x: &mut [f32],
        residual: &[f32],
        dropout: Dropout,
        gamma: &[f32],
        beta: &[f32],
        eps: f32,
        y: &mut [f32],
        inverse: &mut [f32],
    ) = forward_body;
}

#[inline(always)]
#[allow(clippy::too_many_arguments)]
fn forward_body<const FMA: bool>(
    x: &mut [f32],
    residual: &[f32],
    dropout: Dropout,
    gamma: &[f32],
    beta: &[f32],
    eps: f32,
    y: &mut [f32],
    inverse: &mut [f32],
) {
    let width = gamma.len();
    for (row, inverse) in inverse.iter_mut().enumerate() {
        let at = row * width;
        let x = &mut x[at..at + width];
        if !dropout.is_none() {
            for (column, x) in x.iter_mut().enumerate() {
                *x *= dropout.factor((at + column) as u32);
            }
        }
        if !residual.is_empty() {
            for (x, residual) in x.iter_mut().zip(&residual[at..at + width]) {
                *x += residual;
            }
        }
        let mean = sum(x) / width as f32;
        for x in x.iter_mut() {
            *x -= mean;
        }
        let variance = dot::<FMA>(x, x) / width as f32;
        *inverse = 1.0 / (variance + eps).sqrt();
        let y = &mut y[at..at + width];
        for ((x, y), (gamma, beta)) in x.iter_mut().zip(y).zip(gamma.iter().zip(beta)) {
            *x *= *inverse;
            *y = fma::<FMA>(*x, *gamma, *beta);
        }
    }
}

kernel! {
    /// The gradient of the sum that [`layer_norm_forward`] normalized, from the gradient `dy` of its output.
    ///
    /// `dy` becomes that gradient (which is also the residual's), `dx` gets it times the dropout factors, and
    /// `dgamma`, `dbeta` grow by their gradients.
    pub(crate) fn layer_norm_backward(
        dy: &mut [f32],
        dx: &mut [f32],
        normalized: &[f32],
        inverse: &[f32],
        dropout: Dropout,
        gamma: &[f32],
        dgamma: &mut [f32],
        dbeta: &mut [f32],
    ) = backward_body;
}

#[inline(always)]
#[allow(clippy::too_many_arguments)]
fn backward_body<const FMA: bool>(
    dy: &mut [f32],
    dx: &mut [f32],
    normalized: &[f32],
    inverse: &[f32],
    dropout: Dropout,
    gamma: &[f32],
    dgamma: &mut [f32],
    dbeta: &mut [f32],
) {
    let width = gamma.len();
    for (row, inverse) in inverse.iter().enumerate() {
        let at = row * width;
        let normalized = &normalized[at..at + width];
        let dy = &mut dy[at..at + width];
        for (((dgamma, dbeta), dy), normalized) in
            dgamma.iter_mut().zip(dbeta.iter_mut()).zip(dy.iter()).zip(normalized)
        {
            *dgamma = fma::<FMA>(*dy, *normalized, *dgamma);
            *dbeta += dy;
        }
        for (dy, gamma) in dy.iter_mut().zip(gamma) {
            *dy *= gamma;
        }
        let mean = sum(dy) / width as f32;
        let projection = dot::<FMA>(dy, normalized) / width as f32;
        let dx = &mut dx[at..at + width];
        for (column, ((dy, dx), normalized)) in dy.iter_mut().zip(dx).zip(normalized).enumerate() {
            *dy = (*dy - fma::<FMA>(*normalized, projection, mean)) * inverse;
            *dx = if dropout.is_none() { *dy } else { *dy * dropout.factor((at + column) as u32) };
        }
    }
}
