//! Register tiles: sums that stay in registers over the whole inner dimension.
//!
//! Bound by the multiply-adds of the vector units: a step of the inner dimension reads two registers of the right side
//! and `ROWS` single floats of the left for `2 * ROWS` multiply-adds of a register.
//!
//! The sums stay in registers because every loop over them is short and counts with an index, so that the compiler unrolls it
//! before it decides where an array lives. An adapter of iterators, a closure or a branch more in such a loop costs a factor
//! of two to ten. `./check instructions` notices where it happens to the AVX2 copy, `cargo bench` for all of them.

use super::{Ahead, Rows, Start, View, ahead::Fetch, left::Left};
use crate::{
    isa::kernel,
    vector::{Array, Vector},
};

/// Rows of a register tile. Twelve sums hide the latency of a multiply-add on processors that start two in a cycle, and
/// fit the sixteen registers of AVX2.
pub(super) const ROWS: usize = 6;
/// Registers side by side in a tile.
pub(crate) const WIDTH: usize = 2;

kernel! {
    /// `c [m, N] = start + a [m, k] · panel [k, N]` with `N` the columns of the instruction set's tile; `ahead` is what
    /// will be read next.
    pub(crate) fn strip(
        c: Rows<'_, '_>,
        a: Left<'_>,
        panel: &[f32],
        ahead: Ahead<'_>,
        shape: [usize; 2],
        start: Start<'_>,
    ) = strip_body vectors;
}

#[inline(always)]
fn strip_body<const FMA: bool, V: Vector>(
    c: Rows<'_, '_>,
    a: Left<'_>,
    panel: &[f32],
    ahead: Ahead<'_>,
    shape: [usize; 2],
    start: Start<'_>,
) {
    match a {
        Left::InPlace(a) => strip_of::<V, WIDTH>(c, start, a, View::rows(panel, WIDTH * V::LANES), ahead, shape),
        Left::Packed(left) => strip_of_packed::<V>(c, start, left, panel, ahead, shape),
    }
}

/// `c [m, n] += a [m, k] · b [k, n]` for matrices that fit the first cache levels: nothing is copied.
///
/// `b` must have unit column stride.
#[inline(always)]
pub(crate) fn small_matmul_body<const FMA: bool, V: Vector>(
    mut c: Rows<'_, '_>,
    a: View<'_>,
    b: View<'_>,
    [m, k, n]: [usize; 3],
) {
    assert!(a.holds(m, k) && (a.row == 1 || a.column == 1), "rows or columns are contiguous");
    let mut first = 0;
    while first + WIDTH * V::LANES <= n {
        strip_of::<V, WIDTH>(c.from(first), Start::Target, a, b.from(0, first), Ahead(&[]), [m, k]);
        first += WIDTH * V::LANES;
    }
    while first + V::LANES <= n {
        strip_of::<V, 1>(c.from(first), Start::Target, a, b.from(0, first), Ahead(&[]), [m, k]);
        first += V::LANES;
    }
    while first < n {
        strip_of::<Array<FMA, 1>, 1>(c.from(first), Start::Target, a, b.from(0, first), Ahead(&[]), [m, k]);
        first += 1;
    }
}

/// All rows of `a` times the first `W` registers of `b`'s columns.
///
/// Rows go to the tiles as evenly as they can: a tile of one or two waits for its own sums.
#[inline(always)]
fn strip_of<V: Vector, const W: usize>(
    mut c: Rows<'_, '_>,
    start: Start<'_>,
    a: View<'_>,
    b: View<'_>,
    ahead: Ahead<'_>,
    [m, k]: [usize; 2],
) {
    assert!(b.column == 1, "rows are contiguous");
    for (row, rows) in tiles(m) {
        let fetch = ahead.share(row, rows, [m, k]);
        match rows {
            1 => tile::<V, 1, W>(&mut c, start, a, b, fetch, k, row),
            2 => tile::<V, 2, W>(&mut c, start, a, b, fetch, k, row),
            3 => tile::<V, 3, W>(&mut c, start, a, b, fetch, k, row),
            4 => tile::<V, 4, W>(&mut c, start, a, b, fetch, k, row),
            5 => tile::<V, 5, W>(&mut c, start, a, b, fetch, k, row),
            _ => tile::<V, ROWS, W>(&mut c, start, a, b, fetch, k, row),
        }
    }
}

/// All rows of a packed left side times a panel.
#[inline(always)]
fn strip_of_packed<V: Vector>(
    mut c: Rows<'_, '_>,
    start: Start<'_>,
    left: &[f32],
    panel: &[f32],
    ahead: Ahead<'_>,
    [m, k]: [usize; 2],
) {
    let panel: &[[V::Floats; WIDTH]] = &bytemuck::cast_slice(panel)[..k];
    for (row, rows) in tiles(m) {
        let (left, fetch) = (&left[row * k..][..rows * k], ahead.share(row, rows, [m, k]));
        match rows {
            1 => packed_tile::<V, 1>(&mut c, start, left, panel, fetch, row),
            2 => packed_tile::<V, 2>(&mut c, start, left, panel, fetch, row),
            3 => packed_tile::<V, 3>(&mut c, start, left, panel, fetch, row),
            4 => packed_tile::<V, 4>(&mut c, start, left, panel, fetch, row),
            5 => packed_tile::<V, 5>(&mut c, start, left, panel, fetch, row),
            _ => packed_tile::<V, ROWS>(&mut c, start, left, panel, fetch, row),
        }
    }
}

/// The first row and the rows of the fewest tiles for `m` rows, all as large or smaller by one.
#[inline(always)]
pub(super) fn tiles(m: usize) -> impl Iterator<Item = (usize, usize)> {
    let count = m.div_ceil(ROWS);
    let (rows, larger) = (m / count.max(1), m % count.max(1));
    (0..count).map(move |tile| (tile * rows + tile.min(larger), rows + usize::from(tile < larger)))
}

/// `M` rows of the target, from `row` on.
#[inline(always)]
fn tile<V: Vector, const M: usize, const W: usize>(
    c: &mut Rows<'_, '_>,
    start: Start<'_>,
    a: View<'_>,
    b: View<'_>,
    fetch: Fetch,
    k: usize,
    row: usize,
) {
    let mut sums = [[V::splat(0.0); W]; M];
    if a.column == 1 {
        let mut rows = [&a.data[..0]; M];
        for index in 0..M {
            rows[index] = &hidden(&a.data[(row + index) * a.row..])[..k];
        }
        for p in 0..k {
            let right = load(&b.data[p * b.row..][..W * V::LANES]);
            fetch.step(p);
            for index in 0..M {
                add_products(&mut sums[index], rows[index][p], &right);
            }
        }
    } else {
        let rows = hidden(&a.data[row..]);
        for p in 0..k {
            let factors: &[f32; M] = rows[p * a.column..].first_chunk().expect("the tile's rows");
            let right = load(&b.data[p * b.row..][..W * V::LANES]);
            for index in 0..M {
                add_products(&mut sums[index], factors[index], &right);
            }
        }
    }
    finish(sums, c, start, row);
}

/// The same where both sides lie as they are read.
#[inline(always)]
fn packed_tile<V: Vector, const M: usize>(
    c: &mut Rows<'_, '_>,
    start: Start<'_>,
    left: &[f32],
    panel: &[[V::Floats; WIDTH]],
    fetch: Fetch,
    row: usize,
) {
    let steps = &hidden(left).as_chunks::<M>().0[..panel.len()];
    let mut sums = [[V::splat(0.0); WIDTH]; M];
    for p in 0..panel.len() {
        let mut right = [V::splat(0.0); WIDTH];
        for part in 0..WIDTH {
            right[part] = V::load(panel[p][part].as_ref());
        }
        fetch.step(p);
        for index in 0..M {
            add_products(&mut sums[index], steps[p][index], &right);
        }
    }
    finish(sums, c, start, row);
}

/// Writes a tile's sums, added to what they start with.
#[inline(always)]
fn finish<V: Vector, const M: usize, const W: usize>(
    sums: [[V; W]; M],
    c: &mut Rows<'_, '_>,
    start: Start<'_>,
    row: usize,
) {
    for index in 0..M {
        let target = &mut c.row(row + index)[..W * V::LANES];
        for part in 0..W {
            let (at, sum) = (part * V::LANES, sums[index][part]);
            let sum = match start {
                Start::Zero => sum,
                Start::Target => sum.add(V::load(&target[at..])),
                Start::Row(start) => sum.add(V::load(&start[at..])),
            };
            sum.store(&mut target[at..]);
        }
    }
}

/// The same elements, behind an address that the compiler cannot derive from others.
///
/// It saves registers otherwise: at every step of the inner dimension it computes the tile's place from the tile's number,
/// and one row's address from that of the row before. With AVX2 a step of the largest tile in place then takes 43 instructions
/// for its 12 multiply-adds; so it takes 32, and 26 where both sides are packed.
#[inline(always)]
pub(super) fn hidden<T>(elements: &[T]) -> &[T] {
    std::hint::black_box(elements)
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
