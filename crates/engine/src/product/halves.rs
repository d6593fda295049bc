//! Products of factors in 16 bits with sums in 32, for training.
//!
//! Both sides are rounded to bfloat16 as they are laid out: neighbours of the inner dimension as pairs, which one instruction
//! multiplies and adds to a 32-bit sum where the processor has it (AVX-512's BF16), with twice the speed of `f32`. The range is
//! that of `f32`, so gradients need no scaling (Kalamkar et al., 2019).
//!
//! Blocks, panels and tiles are those of the products in `f32`; a row's result has the same bits whatever rows are computed
//! with it.

use super::{
    Rows, Start, View, columns, depth, panel_width,
    tile::{ROWS, WIDTH, hidden, tiles},
};
use crate::{
    Isa, Pool,
    isa::kernel,
    pairs::{Pairs, pair},
    vector::Vector,
};

/// Columns of the widest panel.
const MOST_COLUMNS: usize = WIDTH * 16;

/// `c [m, n] = start + a [m, k] · b [k, n]` with both factors rounded to 16 bits; `c` is dense and row-major.
pub(crate) fn matmul_bf16(
    isa: Isa,
    pool: &mut Pool,
    c: &mut [f32],
    a: View<'_>,
    b: View<'_>,
    [m, k, n]: [usize; 3],
    start: Start<'_>,
) {
    assert!(c.len() == m * n && a.holds(m, k) && b.holds(k, n), "matrix product [{m}, {k}] x [{k}, {n}]");
    let pairs = k.div_ceil(2);
    let (width, depth) = (panel_width(isa), depth(pairs));
    let mut buffers =
        [m * pairs, depth * width, if b.column == 1 { 0 } else { depth * width }].map(|len| pool.take(len));
    let mut edge = columns::edge(pool, [m, n], width);
    let [left, panel, scratch] = buffers.each_mut().map(|buffer| bytemuck::cast_slice_mut::<f32, u32>(buffer));
    let a = if a.column == 1 {
        for (row, target) in left.chunks_exact_mut(pairs.max(1)).enumerate() {
            pair_up(isa, &a.data[row * a.row..][..k], target);
        }
        View::rows(left, pairs)
    } else {
        interleave(isa, left, m, a.transposed(), [k, m]);
        View::rows(left, m).transposed()
    };
    let mut c = Rows::strided(c, n);
    for first in (0..n).step_by(width) {
        let columns = width.min(n - first);
        let sum = |mut c: Rows<'_, '_>, mut start: Start<'_>| {
            for top in (0..pairs).step_by(depth) {
                let block = depth.min(pairs - top);
                let rows = (2 * block).min(k - 2 * top);
                let (panel, b) = (&mut panel[..block * width], b.from(2 * top, first));
                if b.column == 1 {
                    interleave(isa, panel, width, b, [rows, columns]);
                } else {
                    for (column, target) in scratch.chunks_exact_mut(block).take(columns).enumerate() {
                        pair_up(isa, &b.data[column * b.column..][..rows], target);
                    }
                    transpose(isa, panel, width, &scratch[..columns * block], columns);
                }
                strip(isa, c.from(0), a.from(0, top), panel, [m, block], start);
                start = Start::Target;
            }
        };
        columns::add(c.from(first), &mut edge, [m, columns, width], start.columns(first), sum);
    }
    for buffer in buffers {
        pool.give(buffer);
    }
    pool.give(edge);
}

kernel! {
    /// Neighbours of a row as pairs; the last one's second number is 0 where there is none.
    fn pair_up(row: &[f32], target: &mut [u32]) = pair_up_body;
}

#[inline(always)]
fn pair_up_body<const FMA: bool>(row: &[f32], target: &mut [u32]) {
    let (twos, rest) = row.as_chunks::<2>();
    for (target, [first, second]) in target.iter_mut().zip(twos) {
        *target = pair(*first, *second);
    }
    if let ([last], Some(target)) = (rest, target.last_mut()) {
        *target = pair(*last, 0.0);
    }
}

kernel! {
    /// Neighbouring rows of `b [rows, columns]` as rows of pairs, `[rows / 2, width]`: zeros where there is no row or column.
    fn interleave(target: &mut [u32], width: usize, b: View<'_>, shape: [usize; 2]) = interleave_body;
}

#[inline(always)]
fn interleave_body<const FMA: bool>(target: &mut [u32], width: usize, b: View<'_>, [rows, columns]: [usize; 2]) {
    for (index, target) in target.chunks_exact_mut(width.max(1)).enumerate() {
        let (filled, rest) = target.split_at_mut(columns);
        let first = &b.data[2 * index * b.row..][..columns];
        if 2 * index + 1 < rows {
            let second = &b.data[(2 * index + 1) * b.row..][..columns];
            for ((target, first), second) in filled.iter_mut().zip(first).zip(second) {
                *target = pair(*first, *second);
            }
        } else {
            for (target, first) in filled.iter_mut().zip(first) {
                *target = pair(*first, 0.0);
            }
        }
        rest.fill(0);
    }
}

kernel! {
    /// `source [columns, rows]` as `panel [rows, width]`, zeros behind the columns.
    fn transpose(panel: &mut [u32], width: usize, source: &[u32], columns: usize) = transpose_body;
}

#[inline(always)]
fn transpose_body<const FMA: bool>(panel: &mut [u32], width: usize, source: &[u32], columns: usize) {
    let rows = panel.len() / width;
    let mut lines = [&source[..0]; MOST_COLUMNS];
    for column in 0..columns {
        lines[column] = &source[column * rows..][..rows];
    }
    if width == MOST_COLUMNS && columns == MOST_COLUMNS {
        for (row, target) in panel.as_chunks_mut::<MOST_COLUMNS>().0.iter_mut().enumerate() {
            for column in 0..MOST_COLUMNS {
                target[column] = lines[column][row];
            }
        }
        return;
    }
    for (row, target) in panel.chunks_exact_mut(width).enumerate() {
        for (column, target) in target.iter_mut().enumerate() {
            *target = lines[column].get(row).copied().unwrap_or_default();
        }
    }
}

kernel! {
    /// `c [m, N] = start + a [m, pairs] · panel [pairs, N]` with `N` the columns of the instruction set's tile.
    fn strip(c: Rows<'_, '_>, a: View<'_, u32>, panel: &[u32], shape: [usize; 2], start: Start<'_>) = strip_body pairs;
}

#[inline(always)]
fn strip_body<P: Pairs>(
    mut c: Rows<'_, '_>,
    a: View<'_, u32>,
    panel: &[u32],
    [m, pairs]: [usize; 2],
    start: Start<'_>,
) {
    for (row, rows) in tiles(m) {
        match rows {
            1 => tile::<P, 1>(&mut c, start, a, panel, pairs, row),
            2 => tile::<P, 2>(&mut c, start, a, panel, pairs, row),
            3 => tile::<P, 3>(&mut c, start, a, panel, pairs, row),
            4 => tile::<P, 4>(&mut c, start, a, panel, pairs, row),
            5 => tile::<P, 5>(&mut c, start, a, panel, pairs, row),
            _ => tile::<P, ROWS>(&mut c, start, a, panel, pairs, row),
        }
    }
}

/// As the tile of `f32` products, loops count with an index.
#[inline(always)]
fn tile<P: Pairs, const M: usize>(
    c: &mut Rows<'_, '_>,
    start: Start<'_>,
    a: View<'_, u32>,
    panel: &[u32],
    pairs: usize,
    row: usize,
) {
    let lanes = P::Floats::LANES;
    let mut sums = [[P::Floats::splat(0.0); WIDTH]; M];
    if a.column == 1 {
        let mut rows = [&a.data[..0]; M];
        for index in 0..M {
            rows[index] = &hidden(&a.data[(row + index) * a.row..])[..pairs];
        }
        for p in 0..pairs {
            let right = load::<P>(&panel[p * WIDTH * lanes..][..WIDTH * lanes]);
            for index in 0..M {
                add_products(&mut sums[index], rows[index][p], &right);
            }
        }
    } else {
        let rows = hidden(&a.data[row..]);
        for p in 0..pairs {
            let factors: &[u32; M] = rows[p * a.column..].first_chunk().expect("the tile's rows");
            let right = load::<P>(&panel[p * WIDTH * lanes..][..WIDTH * lanes]);
            for index in 0..M {
                add_products(&mut sums[index], factors[index], &right);
            }
        }
    }
    for index in 0..M {
        let target = &mut c.row(row + index)[..WIDTH * lanes];
        for part in 0..WIDTH {
            let (at, sum) = (part * lanes, sums[index][part]);
            let sum = match start {
                Start::Zero => sum,
                Start::Target => sum.add(P::Floats::load(&target[at..])),
                Start::Row(start) => sum.add(P::Floats::load(&start[at..])),
            };
            sum.store(&mut target[at..]);
        }
    }
}

/// Two registers that follow each other.
#[inline(always)]
fn load<P: Pairs>(source: &[u32]) -> [P; WIDTH] {
    let mut registers = [P::splat(0); WIDTH];
    for part in 0..WIDTH {
        registers[part] = P::load(&source[part * P::Floats::LANES..]);
    }
    registers
}

/// One step of the inner dimension for one row.
#[inline(always)]
fn add_products<P: Pairs>(sums: &mut [P::Floats; WIDTH], factor: u32, right: &[P; WIDTH]) {
    let factor = P::splat(factor);
    for part in 0..WIDTH {
        sums[part] = factor.add_products(right[part], sums[part]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Random, pairs::rounded};

    fn drawn(len: usize, seed: u64) -> Vec<f32> {
        let mut random = Random::new(seed);
        (0..len).map(|_| random.normal() as f32).collect()
    }

    /// A factor as it is multiplied.
    fn halved(value: f32) -> f64 {
        f64::from(f32::from_bits(rounded(value) << 16))
    }

    const SHAPES: [[usize; 3]; 7] =
        [[1, 1, 1], [5, 3, 7], [31, 32, 48], [6, 17, 33], [4, 64, 16], [13, 2091, 40], [3, 1024, 9]];

    #[test]
    fn products_are_those_of_the_rounded_factors_on_every_instruction_set_whichever_side_is_transposed() {
        for [m, k, n] in SHAPES {
            let (a, b, bias) = (drawn(m * k, 1), drawn(k * n, 2), drawn(n, 3));
            for (a, b) in [
                (View::rows(&a, k), View::rows(&b, n)),
                (View::rows(&a, m).transposed(), View::rows(&b, n)),
                (View::rows(&a, k), View::rows(&b, k).transposed()),
                (View::rows(&a, m).transposed(), View::rows(&b, k).transposed()),
            ] {
                for isa in Isa::available() {
                    let mut pool = Pool::default();
                    let mut c = vec![f32::NAN; m * n];
                    matmul_bf16(isa, &mut pool, &mut c, a, b, [m, k, n], Start::Row(&bias));
                    let mut twice = c.clone();
                    matmul_bf16(isa, &mut pool, &mut twice, a, b, [m, k, n], Start::Target);
                    for (index, c) in c.iter().enumerate() {
                        let (i, j) = (index / n, index % n);
                        let sum: f64 = (0..k).map(|p| halved(a.at(i, p)) * halved(b.at(p, j))).sum();
                        let bias = f64::from(bias[j]);
                        assert!((f64::from(*c) - bias - sum).abs() < 1e-3, "{} {m} {k} {n}", isa.name());
                        assert!((f64::from(twice[index]) - bias - 2.0 * sum).abs() < 2e-3, "{}", isa.name());
                    }
                }
            }
        }
    }

    #[test]
    fn a_row_has_the_same_bits_whatever_rows_are_computed_with_it() {
        let [m, k, n] = [17, 2053, 37];
        let (a, b) = (drawn(m * k, 1), drawn(k * n, 2));
        let b = View::rows(&b, n);
        for isa in Isa::available() {
            let mut pool = Pool::default();
            let mut all = vec![0.0; m * n];
            matmul_bf16(isa, &mut pool, &mut all, View::rows(&a, k), b, [m, k, n], Start::Zero);
            for (first, rows) in [(0, 1), (3, 5), (10, 7)] {
                let mut some = vec![0.0; rows * n];
                matmul_bf16(isa, &mut pool, &mut some, View::rows(&a[first * k..], k), b, [rows, k, n], Start::Zero);
                assert_eq!(some, all[first * n..(first + rows) * n], "{}", isa.name());
            }
        }
    }

    #[test]
    fn a_factor_that_is_not_finite_shows_in_the_result() {
        for isa in Isa::available() {
            for spoilt in [f32::NAN, f32::INFINITY] {
                let (a, b) = ([1.0, spoilt, 2.0], [1.0; 3]);
                let mut c = [0.0];
                let (a, b) = (View::rows(&a, 3), View::rows(&b, 1));
                matmul_bf16(isa, &mut Pool::default(), &mut c, a, b, [1, 3, 1], Start::Zero);
                assert!(!c[0].is_finite(), "{}", isa.name());
            }
        }
    }
}
