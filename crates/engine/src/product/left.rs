//! The left side of a product, as tiles read it.
//!
//! A narrow tile reads a copy: of all its rows one step of the inner dimension, then the next. Where they lie, its rows are as many streams
//! through the cache and as many addresses in registers. That makes no difference on a core that does nothing else; where two
//! threads share a core, or another guest of the machine has its other half, products of copies are faster by a third. A
//! transposed left side is read a row's length apart, which no prefetching follows and which is often so even that its lines push
//! each other out of the cache. Either is copied once a product and read by every panel. Tiles of AVX-512 are twice as wide, and where
//! they were measured (Zen 4, ADR 8) they did not wait for their left side.

use super::{
    View,
    tile::{ROWS, tiles},
};
use crate::{Buffer, Isa, Pool, isa::kernel};

/// Steps of the inner dimension that are copied for all tiles before the next ones: so few that they stay in the first cache level,
/// though their rows may lie where only some of its sets are.
const STEPS: usize = 8;
/// Lanes of a register in a narrow tile.
const NARROW: usize = 8;

/// The left side of a strip's tiles.
#[derive(Clone, Copy)]
pub(crate) enum Left<'a> {
    /// Where it is.
    InPlace(View<'a>),
    /// Copied: of every tile `[k, rows]`, one after the other.
    Packed(&'a [f32]),
}

/// A left side `[m, k]`, with a copy of it where tiles are narrow.
pub(super) struct LeftSide<'a> {
    a: View<'a>,
    rows: usize,
    copy: Option<Buffer>,
}

impl<'a> LeftSide<'a> {
    /// `a [m, k]` for products in blocks of `depth` of its inner dimension.
    pub fn new(isa: Isa, pool: &mut Pool, a: View<'a>, [m, k]: [usize; 2], depth: usize) -> Self {
        assert!(a.row == 1 || a.column == 1, "rows or columns are contiguous");
        if isa.lanes() > NARROW {
            return Self::in_place(a);
        }
        let mut copy = pool.take_scratch(m * k);
        for top in (0..k).step_by(depth) {
            let steps = depth.min(k - top);
            pack(isa, &mut copy[top * m..][..steps * m], a.from(0, top), [m, steps]);
        }
        Self { a, rows: m, copy: Some(copy) }
    }

    /// The same without a copy.
    pub fn in_place(a: View<'a>) -> Self {
        Self { a, rows: 0, copy: None }
    }

    /// The block of so many steps of the inner dimension from `top` on.
    pub fn block(&self, top: usize, steps: usize) -> Left<'_> {
        match &self.copy {
            Some(copy) => Left::Packed(&copy[top * self.rows..][..steps * self.rows]),
            None => Left::InPlace(self.a.from(0, top)),
        }
    }

    /// Gives the memory back.
    pub fn give(self, pool: &mut Pool) {
        if let Some(copy) = self.copy {
            pool.give_scratch(copy);
        }
    }
}

kernel! {
    /// `a [m, k]` as [`Left::Packed`].
    fn pack(target: &mut [f32], a: View<'_>, shape: [usize; 2]) = pack_body;
}

#[inline(always)]
fn pack_body<const FMA: bool>(target: &mut [f32], a: View<'_>, [m, k]: [usize; 2]) {
    if a.column == 1 {
        for (row, rows) in tiles(m) {
            let source = &a.data[row * a.row..];
            let target = &mut target[row * k..][..k * rows];
            match rows {
                1 => interleave::<1>(target, source, a.row),
                2 => interleave::<2>(target, source, a.row),
                3 => interleave::<3>(target, source, a.row),
                4 => interleave::<4>(target, source, a.row),
                5 => interleave::<5>(target, source, a.row),
                _ => interleave::<ROWS>(target, source, a.row),
            }
        }
        return;
    }
    for first in (0..k).step_by(STEPS) {
        let steps = STEPS.min(k - first);
        for (row, rows) in tiles(m) {
            let source = &a.data[first * a.column + row..];
            let target = &mut target[row * k + first * rows..][..steps * rows];
            match rows {
                1 => copy::<1>(target, source, a.column),
                2 => copy::<2>(target, source, a.column),
                3 => copy::<3>(target, source, a.column),
                4 => copy::<4>(target, source, a.column),
                5 => copy::<5>(target, source, a.column),
                _ => copy::<ROWS>(target, source, a.column),
            }
        }
    }
}

/// Of `M` rows, which begin `stride` elements apart, one element each, then the next.
#[inline(always)]
fn interleave<const M: usize>(target: &mut [f32], source: &[f32], stride: usize) {
    let target = target.as_chunks_mut::<M>().0;
    let mut rows = [&source[..0]; M];
    for index in 0..M {
        rows[index] = &source[index * stride..][..target.len()];
    }
    for step in 0..target.len() {
        for index in 0..M {
            target[step][index] = rows[index][step];
        }
    }
}

/// `M` elements of every step, which are `stride` elements apart.
#[inline(always)]
fn copy<const M: usize>(target: &mut [f32], source: &[f32], stride: usize) {
    for (step, target) in target.as_chunks_mut::<M>().0.iter_mut().enumerate() {
        *target = *source[step * stride..].first_chunk().expect("the tile's rows");
    }
}
