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
//! Bound by the dot products of four bytes: with VNNI one instruction does four times the work of an `f32` multiply-add; with AVX2
//! four do, and it is memory that 8 bits save.

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

/// Bytes that one lane of a dot product takes.
const GROUP: usize = 4;
/// Columns of the widest tile.
const MOST_COLUMNS: usize = WIDTH * 16;

/// A weight `[out, in]` in 8 bits, in panels of as many outputs as a register tile is wide.
#[derive(Clone)]
pub(crate) struct QuantizedPanels {
    /// Of every panel `[in / 4, width, 4]` bytes; inputs and outputs are filled up with zeros.
    data: Buffer,
    inputs: usize,
    outputs: usize,
    width: usize,
    /// Of every output, filled up: its scale.
    scales: Vec<f32>,
    /// Of every output, filled up: the sum of its quantized weights.
    totals: Vec<i32>,
    /// The same times its scale.
    sums: Vec<f32>,
}

impl QuantizedPanels {
    /// Quantizes a weight `[out, in]` for products on an instruction set. A weight that is not finite makes its output NaN.
    pub fn new(isa: Isa, weight: &[f32], [outputs, inputs]: [usize; 2]) -> Self {
        let (width, groups) = (quantized_width(isa), inputs.div_ceil(GROUP));
        let filled = outputs.next_multiple_of(width);
        let mut data = Buffer::zeros((filled * groups * GROUP).div_ceil(size_of::<f32>()));
        let (mut scales, mut totals, mut sums) = (vec![0.0; filled], vec![0; filled], vec![0.0; filled]);
        let bytes: &mut [i8] = bytemuck::cast_slice_mut(&mut data);
        let mut quantized = vec![0; groups * GROUP];
        for (output, row) in weight.chunks_exact(inputs).enumerate() {
            (scales[output], totals[output]) = quantize_weights(isa, row, &mut quantized[..inputs]);
            sums[output] = scales[output] * totals[output] as f32;
            let panel = &mut bytes[output / width * width * groups * GROUP..][..width * groups * GROUP];
            let targets = panel.as_chunks_mut().0.iter_mut().skip(output % width).step_by(width);
            for (target, four) in targets.zip(quantized.as_chunks::<GROUP>().0) {
                *target = *four;
            }
        }
        Self { data, inputs, outputs, width, scales, totals, sums }
    }

    /// Outputs of a panel.
    pub fn width(&self) -> usize {
        self.width
    }

    /// The panel of the outputs from `index * width` on.
    fn panel<'a>(&'a self, index: usize, bias: &'a [f32]) -> Right<'a> {
        let bytes = self.inputs.div_ceil(GROUP) * self.width * GROUP;
        let outputs = index * self.width..(index + 1) * self.width;
        let panel = &bytemuck::cast_slice(&self.data)[index * bytes..][..bytes];
        let (scales, totals) = (&self.scales[outputs.clone()], &self.totals[outputs.clone()]);
        Right { panel, scales, totals, sums: &self.sums[outputs], bias }
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
    let groups = k.div_ceil(GROUP);
    let mut bytes = pool.take(m * groups);
    let (mut scales, mut minima) = (pool.take(m), pool.take(m));
    let rows: &mut [u8] = bytemuck::cast_slice_mut(&mut bytes);
    quantize(isa, a, k, rows, &mut scales, &mut minima);
    let left = Left { bytes: rows, groups, scales: &scales, minima: &minima };
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
    for buffer in [bytes, scales, minima] {
        pool.give(buffer);
    }
}

/// The left side: `[m, groups * 4]` bytes, a scale and a minimum a row.
#[derive(Clone, Copy)]
struct Left<'a> {
    bytes: &'a [u8],
    groups: usize,
    scales: &'a [f32],
    minima: &'a [f32],
}

/// A panel of the right side, with what belongs to its outputs.
#[derive(Clone, Copy)]
struct Right<'a> {
    panel: &'a [i8],
    scales: &'a [f32],
    totals: &'a [i32],
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
    /// Quantizes the rows of `a [m, k]` to `bytes [m, k rounded up to 4]`, filled up with zeros.
    fn quantize(a: View<'_>, k: usize, bytes: &mut [u8], scales: &mut [f32], minima: &mut [f32]) = quantize_body vectors;
}

#[inline(always)]
fn quantize_body<const FMA: bool, V: Vector>(
    a: View<'_>,
    k: usize,
    bytes: &mut [u8],
    scales: &mut [f32],
    minima: &mut [f32],
) {
    let stride = k.next_multiple_of(GROUP);
    for (row, target) in bytes.chunks_exact_mut(stride).enumerate() {
        let source = &a.data[row * a.row..][..k];
        let (minimum, maximum) = extremes::<V>(source);
        let range = maximum - minimum;
        let inverse = if range > 0.0 { 255.0 / range } else { 0.0 };
        minima[row] = minimum;
        let mut nan = 0;
        for (byte, value) in target.iter_mut().zip(source) {
            *byte = fma::<FMA>(value - minimum, inverse, ROUND).to_bits() as u8;
            nan |= u32::from(value.is_nan());
        }
        // No byte stands for NaN, so the row's scale does: what is not a number must not come out as one.
        scales[row] = if nan == 0 { range / 255.0 } else { f32::NAN };
        target[k..].fill(0);
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
    let mut rows: [&[[u8; GROUP]]; M] = [&[]; M];
    for index in 0..M {
        let at = (row + index) * left.groups * GROUP;
        rows[index] = &hidden(&left.bytes[at..]).as_chunks().0[..left.groups];
    }
    let mut starts = [D::start(right.totals); WIDTH];
    for part in 0..WIDTH {
        starts[part] = D::start(&right.totals[part * D::Floats::LANES..]);
    }
    let mut sums = [starts; M];
    for group in 0..left.groups {
        let panel = &right.panel[group * width * GROUP..][..width * GROUP];
        let mut weights = [D::load(panel); WIDTH];
        for part in 0..WIDTH {
            weights[part] = D::load(&panel[part * D::Floats::LANES * GROUP..]);
        }
        for index in 0..M {
            let four = D::splat(rows[index][group]);
            for part in 0..WIDTH {
                sums[index][part] = sums[index][part].add_products(four, weights[part]);
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
