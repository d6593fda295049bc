//! Matrix products.
//!
//! A product runs over *panels* of its right side: a few columns, as many as a register tile is wide, copied so that
//! they lie one row after the other. A panel stays in the first cache levels while all rows of the left side pass by.
//! The result is used where it is, and so is the left side, unless tiles are narrow: then it is copied as well (`left`).
//! Weights that serve many products are kept as [`Panels`].
//!
//! Every element of a result is one chain of multiply-adds per block of the inner dimension, and the blocks follow
//! from that dimension alone: a row's result has the same bits whatever rows are computed with it.

mod ahead;
mod bytes;
mod columns;
mod halves;
mod left;
mod panels;
mod rows;
mod tile;
mod view;

pub(crate) use ahead::Ahead;
pub use bytes::quantize_rows;
pub(crate) use bytes::{QuantizedPanels, matmul_bytes, quantized_width};
pub(crate) use halves::matmul_bf16;
pub(crate) use panels::{Panels, panel_width};
pub(crate) use rows::Rows;
pub(crate) use tile::small_matmul_body;
pub(crate) use view::View;

use self::left::LeftSide;
use crate::{Isa, Pool, Team};

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
    let left = LeftSide::new(isa, pool, a, [m, k], depth);
    let mut panel = pool.take(depth * width);
    let mut edge = columns::edge(pool, [m, n], width);
    let mut c = Rows::strided(c, n);
    for first in (0..n).step_by(width) {
        let columns = width.min(n - first);
        let sum = |mut c: Rows<'_, '_>, mut start: Start<'_>| {
            for top in (0..k).step_by(depth) {
                let rows = depth.min(k - top);
                let panel = &mut panel[..rows * width];
                panels::fill(isa, panel, width, b.from(top, first), columns);
                tile::strip(isa, c.from(0), left.block(top, rows), panel, Ahead(&[]), [m, rows], start);
                start = Start::Target;
            }
        };
        columns::add(c.from(first), &mut edge, [m, columns, width], start.columns(first), sum);
    }
    pool.give(edge);
    pool.give(panel);
    left.give(pool);
}

/// `c [m, n] = start + a [m, k] · b`, where `b [k, n]` was laid out before; shared by a team, if there is one.
pub(crate) fn matmul_panels(
    team: Option<&mut Team>,
    isa: Isa,
    pool: &mut Pool,
    c: &mut [f32],
    a: View<'_>,
    b: &Panels,
    start: Start<'_>,
) {
    let (k, n) = b.shape();
    let m = c.len() / n.max(1);
    assert!(
        c.len() == m * n && a.holds(m, k) && (a.row == 1 || a.column == 1),
        "matrix product [{m}, {k}] x [{k}, {n}]"
    );
    let (width, depth) = (panel_width(isa), depth(k));
    assert_eq!(b.width(), width, "panels for {}", isa.name());
    // A team would wait for a copy that one of it makes.
    let left = if team.is_some() { LeftSide::in_place(a) } else { LeftSide::new(isa, pool, a, [m, k], depth) };
    columns::by_panels(team, pool, c, [m, n], width, |mut c, edge, panels| {
        for (index, panel) in panels.enumerate() {
            let first = panel * width;
            let sum = |mut c: Rows<'_, '_>, mut start: Start<'_>| {
                for (top, block) in (0..k).step_by(depth).zip(b.panel(panel).chunks(depth * width)) {
                    let ahead = b.behind(panel, top * width + block.len(), block.len());
                    let steps = block.len() / width;
                    tile::strip(isa, c.from(0), left.block(top, steps), block, ahead, [m, steps], start);
                    start = Start::Target;
                }
            };
            let shape = [m, width.min(n - first), width];
            columns::add(c.from(index * width), edge, shape, start.columns(first), sum);
        }
    });
    left.give(pool);
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
        let (mut two, mut three) = (Team::new(2), Team::new(3));
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
                    let panels = Panels::new(isa, b, [k, n]);
                    for team in [None, Some(&mut two), Some(&mut three)] {
                        again.fill(f32::NAN);
                        matmul_panels(team, isa, &mut pool, &mut again, a, &panels, Start::Row(&bias));
                        assert_eq!(c, again, "{} {m} {k} {n}", isa.name());
                    }
                }
            }
        }
    }

    #[test]
    fn a_product_has_the_same_bits_whether_its_left_side_is_transposed_or_not() {
        for [m, k, n] in SHAPES {
            let (transposed, b) = (random(k * m, 1), random(k * n, 2));
            let a: Vec<f32> = (0..m * k).map(|index| transposed[index % k * m + index / k]).collect();
            for isa in Isa::available() {
                let product = |a: View<'_>| {
                    let mut c = vec![f32::NAN; m * n];
                    matmul(isa, &mut Pool::default(), &mut c, a, View::rows(&b, n), [m, k, n], Start::Zero);
                    c
                };
                let expected = product(View::rows(&a, k));
                assert_eq!(product(View::rows(&transposed, m).transposed()), expected, "{} {m} {k} {n}", isa.name());
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
