//! Products in 8-bit integers, for inference.
//!
//! Weights are quantized once, each output channel by its own scale: `w ≈ scale · q`, `q` in `-127..=127`. Activations are
//! quantized as they come, each row by its own scale and offset: `x ≈ minimum + scale · q`, `q` in `0..=255`. Then
//!
//! `Σ x·w ≈ row_scale · channel_scale · Σ q_x·q_w + minimum · channel_scale · Σ q_w`
//!
//! where the first sum is made of exact 32-bit integers, so that all instruction sets agree to the rounding of the two
//! multiplications behind it (Jacob et al., 2018, with the scales of a row chosen when it is seen). The integer sum cannot
//! overflow below an inner dimension of 66,000.
//!
//! Bound by the products of a *group* of the inner dimension: with VNNI one instruction multiplies and adds four bytes a lane, four
//! times the work of an `f32` multiply-add; with AVX2 two multiply and add two numbers of 16 bits, the same work an instruction as in
//! `f32`, of which processors start up to four in a cycle instead of two.

use super::{
    Rows, Start, View, columns,
    tile::{ROWS, WIDTH, hidden, tiles},
};
use crate::{
    Buffer, Isa, Pool,
    dot::Dot,
    isa::{fma, kernel},
    vector::{Vector, extremes},
};

/// Bytes of a group of the left side, whatever the numbers in it.
const LANE: usize = 4;
/// Columns of the widest tile.
const MOST_COLUMNS: usize = WIDTH * 16;

/// A weight `[out, in]` in 8 bits, in panels of as many outputs as a register tile is wide.
#[derive(Clone)]
pub(crate) struct QuantizedPanels {
    /// Of every panel `[in / group, width, group]` bytes; inputs and outputs are filled up with zeros.
    data: Buffer,
    inputs: usize,
    outputs: usize,
    width: usize,
    group: usize,
    /// Of every output, filled up: its scale.
    scales: Vec<f32>,
    /// Of every output, filled up: the sum of its quantized weights, times its scale.
    sums: Vec<f32>,
}

impl QuantizedPanels {
    /// Quantizes a weight `[out, in]` for products on an instruction set. A weight that is not finite makes its output NaN.
    pub fn new(isa: Isa, weight: &[f32], [outputs, inputs]: [usize; 2]) -> Self {
        let (width, group) = (quantized_width(isa), isa.dot_group());
        let (filled, row_bytes) = (outputs.next_multiple_of(width), inputs.next_multiple_of(group));
        let mut data = Buffer::zeros((filled * row_bytes).div_ceil(size_of::<f32>()));
        let (mut scales, mut sums) = (vec![0.0; filled], vec![0.0; filled]);
        let bytes: &mut [i8] = bytemuck::cast_slice_mut(&mut data);
        let mut quantized = vec![0; row_bytes];
        for (output, row) in weight.chunks_exact(inputs).enumerate() {
            let (scale, total) = quantize_weights(isa, row, &mut quantized[..inputs]);
            (scales[output], sums[output]) = (scale, scale * total as f32);
            let panel = &mut bytes[output / width * width * row_bytes..][..width * row_bytes];
            match group {
                2 => place::<2>(panel, &quantized, output % width, width),
                _ => place::<4>(panel, &quantized, output % width, width),
            }
        }
        Self { data, inputs, outputs, width, group, scales, sums }
    }

    /// Outputs of a panel.
    pub fn width(&self) -> usize {
        self.width
    }

    /// The panel of the outputs from `index * width` on.
    fn panel<'a>(&'a self, index: usize, bias: &'a [f32]) -> Right<'a> {
        let bytes = self.inputs.next_multiple_of(self.group) * self.width;
        let outputs = index * self.width..(index + 1) * self.width;
        let panel = &bytemuck::cast_slice(&self.data)[index * bytes..][..bytes];
        Right { panel, scales: &self.scales[outputs.clone()], sums: &self.sums[outputs], bias }
    }
}

/// Puts one output's bytes into its column of a panel.
fn place<const GROUP: usize>(panel: &mut [i8], bytes: &[i8], column: usize, width: usize) {
    let targets = panel.as_chunks_mut::<GROUP>().0.iter_mut().skip(column).step_by(width);
    for (target, group) in targets.zip(bytes.as_chunks().0) {
        *target = *group;
    }
}

/// The rows of a matrix in 8 bits, each by its own scale: `w ≈ scale · q`, `q` in `-127..=127`, as affine maps have their weights
/// during inference in `int8`. NaN is the scale of a row that holds a number that is not finite.
///
/// # Panics
/// The values are not whole rows of `width`.
pub fn quantize_rows(values: &[f32], width: usize) -> (Vec<i8>, Vec<f32>) {
    let mut bytes = vec![0; values.len()];
    if width == 0 {
        return (bytes, Vec::new());
    }
    assert!(values.len().is_multiple_of(width), "rows of {width}");
    let isa = Isa::detect();
    let rows = values.chunks_exact(width).zip(bytes.chunks_exact_mut(width));
    let scales = rows.map(|(row, bytes)| quantize_weights(isa, row, bytes).0).collect();
    (bytes, scales)
}

/// Columns of a panel.
pub(crate) fn quantized_width(isa: Isa) -> usize {
    WIDTH * isa.dot_lanes()
}

/// `c [m, out] = bias + a [m, in] · weightᵀ`, with both sides in 8 bits.
pub(crate) fn matmul_bytes(
    isa: Isa,
    pool: &mut Pool,
    c: &mut [f32],
    a: View<'_>,
    weight: &QuantizedPanels,
    bias: &[f32],
) {
    let (k, n, width) = (weight.inputs, weight.outputs, weight.width);
    let m = c.len() / n.max(1);
    assert!(c.len() == m * n && a.holds(m, k) && a.column == 1, "matrix product [{m}, {k}] x [{k}, {n}]");
    assert_eq!(width, quantized_width(isa), "panels for {}", isa.name());
    let groups = k.div_ceil(weight.group);
    let mut rows = pool.take(m * groups);
    let (mut scales, mut minima) = (pool.take(m), pool.take(m));
    let shape = [k, groups * weight.group];
    match weight.group {
        2 => quantize_to_words(isa, a, shape, bytemuck::cast_slice_mut(&mut rows), &mut scales, &mut minima),
        _ => quantize_to_bytes(isa, a, shape, bytemuck::cast_slice_mut(&mut rows), &mut scales, &mut minima),
    }
    let lanes = bytemuck::cast_slice(&rows);
    let left = Left { lanes, groups, scales: &scales, minima: &minima };
    columns::by_panels(None, pool, c, [m, n], width, |mut c, edge, panels| {
        for (index, panel) in panels.enumerate() {
            let first = panel * width;
            let columns = width.min(n - first);
            let mut row = [0.0; MOST_COLUMNS];
            row[..columns].copy_from_slice(&bias[first..first + columns]);
            let right = weight.panel(panel, &row);
            let sum = |c: Rows<'_, '_>, _: Start<'_>| strip(isa, c, left, right);
            columns::add(c.from(index * width), edge, [m, columns, width], Start::Zero, sum);
        }
    });
    for buffer in [rows, scales, minima] {
        pool.give(buffer);
    }
}

/// The left side: `[m, groups]`, a scale and a minimum a row.
#[derive(Clone, Copy)]
struct Left<'a> {
    lanes: &'a [[u8; LANE]],
    groups: usize,
    scales: &'a [f32],
    minima: &'a [f32],
}

/// A panel of the right side, with what belongs to its outputs.
#[derive(Clone, Copy)]
struct Right<'a> {
    panel: &'a [i8],
    scales: &'a [f32],
    sums: &'a [f32],
    bias: &'a [f32],
}

/// Added to a number below 2^22, rounds it to an integer, ties to even, in the low bits of the significand; negative ones too.
const ROUND: f32 = 12_582_912.0;

kernel! {
    /// Quantizes the weights of one output; returns their scale, and the sum of the bytes. NaN is the scale of weights
    /// that are not finite.
    fn quantize_weights(weights: &[f32], bytes: &mut [i8]) -> (f32, i32) = quantize_weights_body vectors;
}

#[inline(always)]
fn quantize_weights_body<const FMA: bool, V: Vector>(weights: &[f32], bytes: &mut [i8]) -> (f32, i32) {
    let (least, most) = extremes::<V>(weights);
    let largest = most.max(-least);
    let inverse = if largest > 0.0 { 127.0 / largest } else { 0.0 };
    let (mut sum, mut odd) = (0, 0);
    for (byte, weight) in bytes.iter_mut().zip(weights) {
        *byte = (weight * inverse + ROUND).to_bits() as i8;
        sum += i32::from(*byte);
        odd |= u32::from(!weight.is_finite());
    }
    let scale = if odd == 0 { largest.max(0.0) / 127.0 } else { f32::NAN };
    (scale, sum)
}

kernel! {
    /// Quantizes the rows of `a [m, k]` to `bytes [m, stride]`, filled up with zeros.
    fn quantize_to_bytes(
        a: View<'_>,
        shape: [usize; 2],
        bytes: &mut [u8],
        scales: &mut [f32],
        minima: &mut [f32],
    ) = quantize_body vectors;
}

kernel! {
    /// The same as numbers of 16 bits.
    fn quantize_to_words(
        a: View<'_>,
        shape: [usize; 2],
        words: &mut [i16],
        scales: &mut [f32],
        minima: &mut [f32],
    ) = quantize_body vectors;
}

#[inline(always)]
fn quantize_body<const FMA: bool, V: Vector>(
    a: View<'_>,
    [k, stride]: [usize; 2],
    numbers: &mut [impl From<u8>],
    scales: &mut [f32],
    minima: &mut [f32],
) {
    for (row, target) in numbers.chunks_exact_mut(stride).enumerate() {
        let source = &a.data[row * a.row..][..k];
        let (minimum, maximum) = extremes::<V>(source);
        let range = maximum - minimum;
        let inverse = if range > 0.0 { 255.0 / range } else { 0.0 };
        minima[row] = minimum;
        let mut nan = 0;
        for (number, value) in target.iter_mut().zip(source) {
            *number = (fma::<FMA>(value - minimum, inverse, ROUND).to_bits() as u8).into();
            nan |= u32::from(value.is_nan());
        }
        // No byte stands for NaN, so the row's scale does: what is not a number must not come out as one.
        scales[row] = if nan == 0 { range / 255.0 } else { f32::NAN };
        target[k..].fill_with(|| 0.into());
    }
}

kernel! {
    /// All rows of the left side times one panel.
    fn strip(c: Rows<'_, '_>, left: Left<'_>, right: Right<'_>) = strip_body dots;
}

#[inline(always)]
fn strip_body<D: Dot>(mut c: Rows<'_, '_>, left: Left<'_>, right: Right<'_>) {
    for (row, rows) in tiles(left.scales.len()) {
        match rows {
            1 => tile::<D, 1>(&mut c, left, right, row),
            2 => tile::<D, 2>(&mut c, left, right, row),
            3 => tile::<D, 3>(&mut c, left, right, row),
            4 => tile::<D, 4>(&mut c, left, right, row),
            5 => tile::<D, 5>(&mut c, left, right, row),
            _ => tile::<D, ROWS>(&mut c, left, right, row),
        }
    }
}

/// As the tile of `f32` products, loops count with an index.
#[inline(always)]
fn tile<D: Dot, const M: usize>(c: &mut Rows<'_, '_>, left: Left<'_>, right: Right<'_>, row: usize) {
    let width = WIDTH * D::Floats::LANES;
    let mut rows: [&[[u8; LANE]]; M] = [&[]; M];
    for index in 0..M {
        rows[index] = &hidden(&left.lanes[(row + index) * left.groups..])[..left.groups];
    }
    let steps: &[[D::Bytes; WIDTH]] = &bytemuck::cast_slice(right.panel)[..left.groups];
    let mut sums = [[D::zero(); WIDTH]; M];
    for group in 0..left.groups {
        let mut weights = [D::zero(); WIDTH];
        for part in 0..WIDTH {
            weights[part] = D::load(&steps[group][part]);
        }
        for index in 0..M {
            let numbers = D::splat(rows[index][group]);
            for part in 0..WIDTH {
                sums[index][part] = sums[index][part].add_products(numbers, weights[part]);
            }
        }
    }
    for index in 0..M {
        let (scale, minimum) = (left.scales[row + index], left.minima[row + index]);
        let target = &mut c.row(row + index)[..width];
        for part in 0..WIDTH {
            let at = part * D::Floats::LANES;
            let offset = D::Floats::splat(minimum)
                .mul_add(D::Floats::load(&right.sums[at..]), D::Floats::load(&right.bias[at..]));
            let scale = D::Floats::splat(scale).mul(D::Floats::load(&right.scales[at..]));
            sums[index][part].to_floats().mul_add(scale, offset).store(&mut target[at..]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Random;

    const SHAPES: [[usize; 3]; 5] = [[1, 1, 1], [7, 5, 3], [6, 64, 33], [13, 130, 40], [17, 384, 9]];

    #[test]
    fn numbers_that_8_bits_hold_are_multiplied_exactly_on_every_instruction_set() {
        for [m, k, n] in SHAPES {
            let mut random = Random::new(k as u64);
            let mut draw = |count: usize, low: f32, whole_numbers: usize| -> Vec<f32> {
                (0..count).map(|_| low + random.below(whole_numbers) as f32).collect()
            };
            let (mut a, mut weight, bias) = (draw(m * k, 0.0, 256), draw(n * k, -127.0, 255), draw(n, -9.0, 19));
            // Rows of nothing but the largest factors, where sums of few bits would overflow.
            let whole_rows = [0.0, 255.0].into_iter().cycle();
            a.chunks_exact_mut(k).skip(1).step_by(2).zip(whole_rows).for_each(|(row, byte)| row.fill(byte));
            let whole_channels = [127.0, -127.0].into_iter().cycle();
            weight.chunks_exact_mut(k).step_by(3).zip(whole_channels).for_each(|(row, byte)| row.fill(byte));
            // Both ends of the range in every row make all scales 1.
            for row in a.chunks_exact_mut(k) {
                row[0] = 255.0;
                row[k - 1] = if k > 1 { 0.0 } else { 255.0 };
            }
            weight.chunks_exact_mut(k).for_each(|row| row[k / 2] = -127.0);
            let expected =
                |i: usize, j: usize| -> f32 { bias[j] + (0..k).map(|p| a[i * k + p] * weight[j * k + p]).sum::<f32>() };
            for isa in Isa::available() {
                let mut pool = Pool::default();
                let panels = QuantizedPanels::new(isa, &weight, [n, k]);
                let mut c = vec![f32::NAN; m * n];
                matmul_bytes(isa, &mut pool, &mut c, View::rows(&a, k), &panels, &bias);
                for (index, c) in c.iter().enumerate() {
                    let expected = expected(index / n, index % n);
                    assert!((c - expected).abs() <= 1e-5 * expected.abs().max(1.0), "{} {m} {k} {n}", isa.name());
                }
            }
        }
    }

    #[test]
    fn any_numbers_are_multiplied_to_within_half_a_step_of_each_factor() {
        for [m, k, n] in SHAPES {
            let mut random = Random::new(7);
            let mut draw = |count: usize| -> Vec<f32> { (0..count).map(|_| random.normal() as f32).collect() };
            let (a, weight, bias) = (draw(m * k), draw(n * k), draw(n));
            for isa in Isa::available() {
                let mut pool = Pool::default();
                let panels = QuantizedPanels::new(isa, &weight, [n, k]);
                let mut c = vec![f32::NAN; m * n];
                matmul_bytes(isa, &mut pool, &mut c, View::rows(&a, k), &panels, &bias);
                for i in 0..m {
                    let row = &a[i * k..][..k];
                    let low = row.iter().copied().fold(f32::INFINITY, f32::min);
                    let half_row = (row.iter().copied().fold(f32::NEG_INFINITY, f32::max) - low) / 510.0;
                    for j in 0..n {
                        let channel = &weight[j * k..][..k];
                        let half_channel = channel.iter().fold(0.0f32, |most, w| most.max(w.abs())) / 254.0;
                        let exact: f32 = bias[j] + row.iter().zip(channel).map(|(x, w)| x * w).sum::<f32>();
                        let bound: f32 = row
                            .iter()
                            .zip(channel)
                            .map(|(x, w)| half_row * w.abs() + half_channel * (x.abs() + half_row))
                            .sum();
                        assert!((c[i * n + j] - exact).abs() <= bound * 1.001 + 1e-4, "{} {m} {k} {n}", isa.name());
                    }
                }
            }
        }
    }

    #[test]
    fn a_weight_that_is_not_finite_shows_in_the_result() {
        for spoilt in [f32::NAN, f32::INFINITY] {
            let panels = QuantizedPanels::new(Isa::detect(), &[1.0, spoilt, 1.0, 1.0], [2, 2]);
            let mut c = [0.0; 2];
            let a = [1.0, 2.0];
            matmul_bytes(Isa::detect(), &mut Pool::default(), &mut c, View::rows(&a, 2), &panels, &[0.0; 2]);
            assert!(c[0].is_nan() && c[1].is_finite());
        }
    }

    #[test]
    fn an_activation_that_is_not_finite_shows_in_its_row_alone() {
        for isa in Isa::available() {
            let panels = QuantizedPanels::new(isa, &[1.0; 40], [2, 20]);
            for spoilt in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
                for column in [0, 3, 19] {
                    let mut a = [0.5; 40];
                    a[0] = 1.0;
                    a[20] = 1.0;
                    a[column] = spoilt;
                    let mut c = [0.0; 4];
                    matmul_bytes(isa, &mut Pool::default(), &mut c, View::rows(&a, 20), &panels, &[0.0; 2]);
                    assert!(!c[0].is_finite() && !c[1].is_finite(), "{spoilt} in {column}: {c:?}, {}", isa.name());
                    assert!(c[2].is_finite() && c[3].is_finite(), "{spoilt} in {column}: {c:?}, {}", isa.name());
                }
            }
        }
    }
}
