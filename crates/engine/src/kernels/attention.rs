//! Scaled dot-product attention (Vaswani et al., 2017) of one sequence, head by head.
//!
//! Sequences of a sentence's length live in the first-level cache, and their matrix products are too small for a
//! packing library: everything happens in a scratch of a few rows. The probabilities are not kept for the
//! backward pass but computed again from their logarithmic sums, as in `FlashAttention` (Dao et al., 2022): long
//! sequences then cost no quadratic memory.

use std::ops::Range;

use super::math::{LANES, dot, exp, fold};
use crate::{
    isa::{fma, kernel},
    product::{Rows, View, small_matmul_body},
    random::Dropout,
    vector::{Vector, extremes},
};

/// Rows of scores in the scratch at a time.
const TILE: usize = 32;

/// Shape of the attention of one sequence.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Heads {
    /// Number of heads.
    pub count: usize,
    /// Width of a head.
    pub width: usize,
    /// What scores are multiplied with before the softmax.
    pub scale: f32,
}

impl Heads {
    fn model_width(self) -> usize {
        self.count * self.width
    }
}

/// Columns of a row of scores, rounded up to whole vectors.
fn padded(length: usize) -> usize {
    length.next_multiple_of(LANES)
}

/// Floats of scratch that a sequence of `length` tokens needs, forward or backward.
pub(crate) fn scratch_len(length: usize, heads: Heads) -> usize {
    2 * (heads.width + TILE) * padded(length)
}

kernel! {
    /// `qkv [length, 3 * width]` to those rows of the output that belong to some `queries`, `out [queries, width]`;
    /// `log_sums [queries, heads]` for the backward pass. `first` numbers the sequence's first probability for the dropout.
    pub(crate) fn attention_forward(
        heads: Heads,
        queries: Range<usize>,
        qkv: &[f32],
        out: &mut [f32],
        log_sums: &mut [f32],
        dropout: Dropout,
        first: u32,
        scratch: &mut [f32],
    ) = forward_body vectors;
}

#[inline(always)]
#[allow(clippy::too_many_arguments)]
fn forward_body<const FMA: bool, V: Vector>(
    heads: Heads,
    queries: Range<usize>,
    qkv: &[f32],
    out: &mut [f32],
    log_sums: &mut [f32],
    dropout: Dropout,
    first: u32,
    scratch: &mut [f32],
) {
    let (width, row) = (heads.model_width(), 3 * heads.model_width());
    let length = qkv.len() / row;
    if length == 0 {
        return;
    }
    let columns = padded(length);
    let (keys, scores) = scratch.split_at_mut(heads.width * columns);
    out.fill(0.0);
    for head in 0..heads.count {
        let at = head * heads.width;
        transpose(&qkv[width + at..], row, length, heads.width, keys, columns);
        let values = View::strided(&qkv[2 * width + at..], row);
        for top in queries.clone().step_by(TILE) {
            let rows = TILE.min(queries.end - top);
            let scores = &mut scores[..rows * columns];
            scores.fill(0.0);
            let (product, tile) = ([rows, heads.width, columns], View::strided(&qkv[top * row + at..], row));
            small_matmul_body::<FMA, V>(Rows::strided(scores, columns), tile, View::rows(keys, columns), product);
            for (line, scores) in scores.chunks_exact_mut(columns).enumerate() {
                let query = top + line;
                let log_sum = softmax::<FMA, V>(scores, length, heads.scale);
                log_sums[(query - queries.start) * heads.count + head] = log_sum;
                if !dropout.is_none() {
                    let first = first.wrapping_add(((head * length + query) * length) as u32);
                    for (key, score) in scores.iter_mut().enumerate() {
                        *score *= dropout.factor(first.wrapping_add(key as u32));
                    }
                }
            }
            let out = &mut out[(top - queries.start) * width + at..];
            let probabilities = View::strided(scores, columns);
            small_matmul_body::<FMA, V>(Rows::strided(out, width), probabilities, values, [rows, length, heads.width]);
        }
    }
}

kernel! {
    /// The gradient of `qkv` from `dout`, the gradient of the output; `dqkv` is overwritten.
    pub(crate) fn attention_backward(
        heads: Heads,
        qkv: &[f32],
        out: &[f32],
        log_sums: &[f32],
        dout: &[f32],
        dqkv: &mut [f32],
        dropout: Dropout,
        first: u32,
        scratch: &mut [f32],
    ) = backward_body vectors;
}

#[inline(always)]
#[allow(clippy::too_many_arguments)]
fn backward_body<const FMA: bool, V: Vector>(
    heads: Heads,
    qkv: &[f32],
    out: &[f32],
    log_sums: &[f32],
    dout: &[f32],
    dqkv: &mut [f32],
    dropout: Dropout,
    first: u32,
    scratch: &mut [f32],
) {
    let (width, row) = (heads.model_width(), 3 * heads.model_width());
    let length = qkv.len() / row;
    if length == 0 {
        return;
    }
    let columns = padded(length);
    let (keys, scratch) = scratch.split_at_mut(heads.width * columns);
    let (values, scratch) = scratch.split_at_mut(heads.width * columns);
    let (scores, dscores) = scratch.split_at_mut(TILE * columns);
    dqkv.fill(0.0);
    for head in 0..heads.count {
        let at = head * heads.width;
        transpose(&qkv[width + at..], row, length, heads.width, keys, columns);
        transpose(&qkv[2 * width + at..], row, length, heads.width, values, columns);
        for top in (0..length).step_by(TILE) {
            let rows = TILE.min(length - top);
            let (scores, dscores) = (&mut scores[..rows * columns], &mut dscores[..rows * columns]);
            scores.fill(0.0);
            dscores.fill(0.0);
            let queries = View::strided(&qkv[top * row + at..], row);
            let dout_tile = View::strided(&dout[top * width + at..], width);
            let product = [rows, heads.width, columns];
            small_matmul_body::<FMA, V>(Rows::strided(scores, columns), queries, View::rows(keys, columns), product);
            small_matmul_body::<FMA, V>(
                Rows::strided(dscores, columns),
                dout_tile,
                View::rows(values, columns),
                product,
            );
            for line in 0..rows {
                let query = top + line;
                let span = (top + line) * width + at..(top + line) * width + at + heads.width;
                let projection = dot::<FMA>(&dout[span.clone()], &out[span]);
                // Whole registers: what lies behind the last key is computed too, and never read.
                let scores = scores[line * columns..][..columns].as_chunks_mut::<LANES>().0.as_flattened_mut();
                let dscores = dscores[line * columns..][..columns].as_chunks_mut::<LANES>().0.as_flattened_mut();
                let first = first.wrapping_add(((head * length + query) * length) as u32);
                let log_sum = log_sums[query * heads.count + head];
                for (key, (score, dscore)) in scores.iter_mut().zip(dscores).enumerate() {
                    let probability = exp::<FMA>(fma::<FMA>(*score, heads.scale, -log_sum));
                    let factor = if dropout.is_none() { 1.0 } else { dropout.factor(first.wrapping_add(key as u32)) };
                    *score = probability * factor;
                    *dscore = probability * (factor * *dscore - projection) * heads.scale;
                }
            }
            let (probabilities, dscores) = (View::strided(scores, columns), View::strided(dscores, columns));
            let over_queries = [length, rows, heads.width];
            let key_rows = View::strided(&qkv[width + at..], row);
            let dvalues = &mut dqkv[2 * width + at..];
            small_matmul_body::<FMA, V>(
                Rows::strided(dvalues, row),
                probabilities.transposed(),
                dout_tile,
                over_queries,
            );
            let dkeys = &mut dqkv[width + at..];
            small_matmul_body::<FMA, V>(Rows::strided(dkeys, row), dscores.transposed(), queries, over_queries);
            let dqueries = &mut dqkv[top * row + at..];
            small_matmul_body::<FMA, V>(Rows::strided(dqueries, row), dscores, key_rows, [rows, length, heads.width]);
        }
    }
}

/// `source [length, width]`, its rows `row` apart, to `target [width, columns]`; the columns past `length` are 0.
#[inline(always)]
fn transpose(source: &[f32], row: usize, length: usize, width: usize, target: &mut [f32], columns: usize) {
    let mut first = 0;
    // Sixteen positions at a time are gathered and written as one register; one by one they would be stores far apart.
    while first + LANES <= length {
        let mut rows = [&source[..0]; LANES];
        for lane in 0..LANES {
            rows[lane] = &source[(first + lane) * row..][..width];
        }
        for index in 0..width {
            let target: &mut [f32; LANES] =
                target[index * columns + first..].first_chunk_mut().expect("columns are whole registers");
            for lane in 0..LANES {
                target[lane] = rows[lane][index];
            }
        }
        first += LANES;
    }
    for index in 0..width {
        let target = &mut target[index * columns..][..columns];
        for position in first..length {
            target[position] = source[position * row + index];
        }
        target[length..].fill(0.0);
    }
}

/// The first `length` scores become `softmax(scale * scores)`, and those behind them, which fill up a register, 0; returns
/// the logarithm of the sum.
#[inline(always)]
fn softmax<const FMA: bool, V: Vector>(scores: &mut [f32], length: usize, scale: f32) -> f32 {
    let (_, max) = extremes::<V>(&scores[..length]);
    let mut sums = [0.0; LANES];
    for (index, chunk) in scores.as_chunks_mut::<LANES>().0.iter_mut().enumerate() {
        let filled = length - index * LANES;
        for lane in 0..LANES {
            let score = exp::<FMA>((chunk[lane] - max) * scale);
            chunk[lane] = if lane < filled { score } else { 0.0 };
            sums[lane] += chunk[lane];
        }
    }
    let sum = fold(sums);
    let inverse = 1.0 / sum;
    for score in scores {
        *score *= inverse;
    }
    fma::<FMA>(max, scale, sum.ln())
}
