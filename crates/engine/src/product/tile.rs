//! Register tiles: sums that stay in registers over the whole inner dimension.
//!
//! Bound by the multiply-adds of the vector units: a step of the inner dimension reads two registers of the right side
//! and `ROWS` single floats of the left for `2 * ROWS` multiply-adds of a register.
//!
//! The sums stay in registers because every loop over them is short and counts with an index, so that the compiler unrolls it
//! before it decides where an array lives. An adapter of iterators, a closure or a branch more in such a loop costs a factor
//! of two to ten. `./check instructions` notices where it happens to the AVX2 copy, `cargo bench` for all of them.

use super::{Start, View};
use crate::{
    isa::kernel,
    vector::{Array, Vector},
};

/// Rows of a register tile. Twelve sums hide the latency of a multiply-add on processors that start two in a cycle, and
/// fit the sixteen registers of AVX2.
const ROWS: usize = 6;
/// Registers side by side in a tile.
pub(crate) const WIDTH: usize = 2;

kernel! {
    /// `c [m, N] = start + a [m, k] · panel [k, N]` with `N` the columns of the instruction set's tile. The rows of `c`
    /// start `c_row` floats apart.
    pub(crate) fn strip(
        c: &mut [f32],
        c_row: usize,
        a: View<'_>,
        panel: &[f32],
        shape: [usize; 2],
        start: Start<'_>,
    ) = strip_body vectors;
}

#[inline(always)]
fn strip_body<const FMA: bool, V: Vector>(
    c: &mut [f32],
    c_row: usize,
    a: View<'_>,
    panel: &[f32],
    shape: [usize; 2],
    start: Start<'_>,
) {
    let target = Target { data: c, row: c_row, start };
    strip_of::<V, WIDTH>(target, a, View::rows(panel, WIDTH * V::LANES), shape);
}

/// `c [m, n] += a [m, k] · b [k, n]` for matrices that fit the first cache levels: nothing is copied.
///
/// `b` must have unit column stride; `c`'s rows start `c_row` floats apart.
#[inline(always)]
pub(crate) fn small_matmul_body<const FMA: bool, V: Vector>(
    c: &mut [f32],
    c_row: usize,
    a: View<'_>,
    b: View<'_>,
    [m, k, n]: [usize; 3],
) {
    let mut first = 0;
    while first + WIDTH * V::LANES <= n {
        let target = Target { data: &mut c[first..], row: c_row, start: Start::Target };
        strip_of::<V, WIDTH>(target, a, b.from(0, first), [m, k]);
        first += WIDTH * V::LANES;
    }
    while first + V::LANES <= n {
        let target = Target { data: &mut c[first..], row: c_row, start: Start::Target };
        strip_of::<V, 1>(target, a, b.from(0, first), [m, k]);
        first += V::LANES;
    }
    while first < n {
        let target = Target { data: &mut c[first..], row: c_row, start: Start::Target };
        strip_of::<Array<FMA, 1>, 1>(target, a, b.from(0, first), [m, k]);
        first += 1;
    }
}

/// Where sums go: rows that start `row` floats apart.
struct Target<'a> {
    data: &'a mut [f32],
    row: usize,
    start: Start<'a>,
}

/// All rows of `a` times the first `W` registers of `b`'s columns.
#[inline(always)]
fn strip_of<V: Vector, const W: usize>(mut c: Target<'_>, a: View<'_>, b: View<'_>, [m, k]: [usize; 2]) {
    assert!(a.holds(m, k) && b.column == 1 && (a.row == 1 || a.column == 1), "rows or columns are contiguous");
    let mut row = 0;
    while row + ROWS <= m {
        tile::<V, ROWS, W>(&mut c, a, b, k, row);
        row += ROWS;
    }
    if row + 4 <= m {
        tile::<V, 4, W>(&mut c, a, b, k, row);
        row += 4;
    }
    if row + 2 <= m {
        tile::<V, 2, W>(&mut c, a, b, k, row);
        row += 2;
    }
    if row < m {
        tile::<V, 1, W>(&mut c, a, b, k, row);
    }
}

/// `M` rows of the target, from `row` on.
#[inline(always)]
fn tile<V: Vector, const M: usize, const W: usize>(c: &mut Target<'_>, a: View<'_>, b: View<'_>, k: usize, row: usize) {
    let mut sums = [[V::splat(0.0); W]; M];
    if a.column == 1 {
        let mut rows = [&a.data[..0]; M];
        for index in 0..M {
            rows[index] = &a.data[(row + index) * a.row..][..k];
        }
        for p in 0..k {
            let right = load(&b.data[p * b.row..][..W * V::LANES]);
            for index in 0..M {
                add_products(&mut sums[index], rows[index][p], &right);
            }
        }
    } else {
        let rows = &a.data[row..];
        for p in 0..k {
            let factors: &[f32; M] = rows[p * a.column..].first_chunk().expect("the tile's rows");
            let right = load(&b.data[p * b.row..][..W * V::LANES]);
            for index in 0..M {
                add_products(&mut sums[index], factors[index], &right);
            }
        }
    }
    for index in 0..M {
        let target = &mut c.data[(row + index) * c.row..][..W * V::LANES];
        for part in 0..W {
            let (at, sum) = (part * V::LANES, sums[index][part]);
            let sum = match c.start {
                Start::Zero => sum,
                Start::Target => sum.add(V::load(&target[at..])),
                Start::Row(start) => sum.add(V::load(&start[at..])),
            };
            sum.store(&mut target[at..]);
        }
    }
}

/// `W` registers that follow each other.
#[inline(always)]
fn load<V: Vector, const W: usize>(source: &[f32]) -> [V; W] {
    let mut registers = [V::splat(0.0); W];
    for part in 0..W {
        registers[part] = V::load(&source[part * V::LANES..]);
    }
    registers
}

/// One step of the inner dimension for one row. The factor goes from memory to all lanes at once, which costs the vector
/// units nothing.
#[inline(always)]
fn add_products<V: Vector, const W: usize>(sums: &mut [V; W], factor: f32, right: &[V; W]) {
    let factor = V::splat(factor);
    for part in 0..W {
        sums[part] = factor.mul_add(right[part], sums[part]);
    }
}
