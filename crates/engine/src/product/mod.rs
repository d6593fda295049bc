//! Matrix products.
//!
//! A product runs over *panels* of its right side: a few columns, as many as a register tile is wide, copied so that
//! they lie one row after the other. A panel stays in the first cache levels while all rows of the left side pass by.
//! The left side and the result are used where they are. Weights that serve many products are kept as [`Panels`].
//!
//! Every element of a result is one chain of multiply-adds per block of the inner dimension, and the blocks follow
//! from that dimension alone: a row's result has the same bits whatever rows are computed with it.

mod bytes;
mod panels;
mod tile;
mod view;

pub(crate) use bytes::{QuantizedPanels, matmul_bytes, quantized_width};
pub(crate) use panels::{Panels, panel_width};
pub(crate) use tile::small_matmul_body;
pub(crate) use view::View;

use crate::{Buffer, Isa, Pool};

/// What a product is added to.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Start<'a> {
    /// Nothing: the target is overwritten.
    Zero,
    /// What the target holds.
    Target,
    /// The same row, `[n]`, for every row of the target, which is overwritten.
    Row(&'a [f32]),
}

impl Start<'_> {
    /// The start of the columns from `first` on.
    fn columns(self, first: usize) -> Self {
        match self {
            Self::Row(row) => Self::Row(&row[first..]),
            other => other,
        }
    }
}

/// Most rows of a panel: with the widest panel 64 KiB, which a second-level cache holds beside the left side's rows.
const DEPTH: usize = 512;

/// Rows of every block that an inner dimension of `k` is cut into, the last one excepted.
fn depth(k: usize) -> usize {
    k.div_ceil(k.div_ceil(DEPTH).max(1)).max(1)
}

/// `c [m, n] = start + a [m, k] · b [k, n]`; `c` is dense and row-major.
pub(crate) fn matmul(
    isa: Isa,
    pool: &mut Pool,
    c: &mut [f32],
    a: View<'_>,
    b: View<'_>,
    [m, k, n]: [usize; 3],
    start: Start<'_>,
) {
    assert!(c.len() == m * n && a.holds(m, k) && b.holds(k, n), "matrix product [{m}, {k}] x [{k}, {n}]");
    let (width, depth) = (panel_width(isa), depth(k));
    let mut panel = pool.take(depth * width);
    let mut edge = Edge::new(pool, [m, n], width);
    for first in (0..n).step_by(width) {
        let columns = width.min(n - first);
        let (target, row, mut start) = edge.target(c, first, start);
        for top in (0..k).step_by(depth) {
            let rows = depth.min(k - top);
            let panel = &mut panel[..rows * width];
            panels::fill(isa, panel, width, b.from(top, first), columns);
            tile::strip(isa, target, row, a.from(0, top), panel, [m, rows], start);
            start = Start::Target;
        }
    }
    edge.finish(pool, c, start);
    pool.give(panel);
}

/// `c [m, n] = start + a [m, k] · b`, where `b [k, n]` was laid out before.
pub(crate) fn matmul_panels(
    isa: Isa,
    pool: &mut Pool,
    c: &mut [f32],
    a: View<'_>,
    b: &Panels,
    m: usize,
    start: Start<'_>,
) {
    let (k, n) = b.shape();
    assert!(c.len() == m * n && a.holds(m, k), "matrix product [{m}, {k}] x [{k}, {n}]");
    let (width, depth) = (panel_width(isa), depth(k));
    assert_eq!(b.width(), width, "panels for {}", isa.name());
    let mut edge = Edge::new(pool, [m, n], width);
    for (first, panel) in (0..n).step_by(width).zip(b.iter()) {
        let (target, row, mut start) = edge.target(c, first, start);
        for (top, panel) in (0..k).step_by(depth).zip(panel.chunks(depth * width)) {
            tile::strip(isa, target, row, a.from(0, top), panel, [m, panel.len() / width], start);
            start = Start::Target;
        }
    }
    edge.finish(pool, c, start);
}

/// The last columns of a result, where they are fewer than a panel has: their sums are made beside the result, because
/// registers are written whole.
struct Edge {
    /// `[m, width]`, or nothing where the panels divide the columns.
    sums: Buffer,
    columns: usize,
    width: usize,
    /// Columns of the result.
    row: usize,
}

impl Edge {
    fn new(pool: &mut Pool, [m, n]: [usize; 2], width: usize) -> Self {
        let columns = n % width;
        Self { sums: pool.take(if columns == 0 { 0 } else { m * width }), columns, width, row: n }
    }

    /// Where the panel of the columns from `first` on writes, how far apart its rows are, and what it adds to.
    fn target<'t, 's>(
        &'t mut self,
        c: &'t mut [f32],
        first: usize,
        start: Start<'s>,
    ) -> (&'t mut [f32], usize, Start<'s>) {
        if first + self.width <= self.row {
            (&mut c[first..], self.row, start.columns(first))
        } else {
            (&mut self.sums, self.width, Start::Zero)
        }
    }

    /// Brings the sums into the result.
    fn finish(self, pool: &mut Pool, c: &mut [f32], start: Start<'_>) {
        if self.columns > 0 {
            let first = self.row - self.columns;
            for (c, sums) in c.chunks_exact_mut(self.row).zip(self.sums.chunks_exact(self.width)) {
                for (column, (c, sum)) in c[first..].iter_mut().zip(sums).enumerate() {
                    *c = match start {
                        Start::Zero => *sum,
                        Start::Target => *c + sum,
                        Start::Row(start) => start[first + column] + sum,
                    };
                }
            }
        }
        pool.give(self.sums);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Random;

    fn random(len: usize, seed: u64) -> Vec<f32> {
        let mut random = Random::new(seed);
        (0..len).map(|_| random.normal() as f32).collect()
    }

    fn naive(a: View<'_>, b: View<'_>, [m, k, n]: [usize; 3]) -> Vec<f32> {
        let mut c = vec![0.0; m * n];
        for i in 0..m {
            for j in 0..n {
                let sum: f64 = (0..k).map(|p| f64::from(a.at(i, p)) * f64::from(b.at(p, j))).sum();
                c[i * n + j] = sum as f32;
            }
        }
        c
    }

    const SHAPES: [[usize; 3]; 8] = [
        [1, 1, 1],
        [5, 3, 7],
        [31, 32, 48],
        [6, 17, 33],
        [4, 64, 16],
        [9, 8, 8],
        [13, 2 * DEPTH + 7, 40],
        [3, DEPTH, 9],
    ];

    #[test]
    fn products_agree_with_the_definition_on_every_instruction_set_whichever_side_is_transposed() {
        for [m, k, n] in SHAPES {
            let (a, b, bias) = (random(m * k, 1), random(k * n, 2), random(n, 3));
            for (a, b) in [
                (View::rows(&a, k), View::rows(&b, n)),
                (View::rows(&a, m).transposed(), View::rows(&b, n)),
                (View::rows(&a, k), View::rows(&b, k).transposed()),
            ] {
                let product = naive(a, b, [m, k, n]);
                let close = |c: &[f32], expected: &dyn Fn(usize) -> f32| {
                    c.iter().enumerate().all(|(index, c)| (c - expected(index)).abs() < 1e-3)
                };
                for isa in Isa::available() {
                    let mut pool = Pool::default();
                    let mut c = vec![f32::NAN; m * n];
                    matmul(isa, &mut pool, &mut c, a, b, [m, k, n], Start::Zero);
                    assert!(close(&c, &|index| product[index]), "{} {m} {k} {n}", isa.name());
                    matmul(isa, &mut pool, &mut c, a, b, [m, k, n], Start::Target);
                    assert!(close(&c, &|index| 2.0 * product[index]), "{} {m} {k} {n}", isa.name());
                    matmul(isa, &mut pool, &mut c, a, b, [m, k, n], Start::Row(&bias));
                    assert!(close(&c, &|index| product[index] + bias[index % n]), "{} {m} {k} {n}", isa.name());
                    let mut again = vec![f32::NAN; m * n];
                    matmul_panels(isa, &mut pool, &mut again, a, &Panels::new(isa, b, [k, n]), m, Start::Row(&bias));
                    assert_eq!(c, again, "{} {m} {k} {n}", isa.name());
                }
            }
        }
    }

    #[test]
    fn a_row_has_the_same_bits_whatever_rows_are_computed_with_it() {
        let [m, k, n] = [17, 2 * DEPTH + 5, 37];
        let (a, b) = (random(m * k, 1), random(k * n, 2));
        for isa in Isa::available() {
            let mut pool = Pool::default();
            let mut all = vec![0.0; m * n];
            let b = View::rows(&b, n);
            matmul(isa, &mut pool, &mut all, View::rows(&a, k), b, [m, k, n], Start::Zero);
            for (first, rows) in [(0, 1), (3, 5), (10, 7)] {
                let mut some = vec![0.0; rows * n];
                matmul(isa, &mut pool, &mut some, View::rows(&a[first * k..], k), b, [rows, k, n], Start::Zero);
                assert_eq!(some, all[first * n..(first + rows) * n]);
            }
        }
    }
}
