//! The right side of a product, cut into panels.

use super::{Ahead, View, tile::WIDTH};
use crate::{Buffer, Isa, isa::kernel};

/// Columns of a panel: those of a register tile.
pub(crate) fn panel_width(isa: Isa) -> usize {
    WIDTH * isa.lanes()
}

/// A matrix `[k, n]` in panels of `width` columns, each `[k, width]`, one after the other; the last one is filled up
/// with zeros.
pub(crate) struct Panels {
    data: Buffer,
    rows: usize,
    columns: usize,
    width: usize,
}

impl Panels {
    /// Lays out `b [k, n]` for products on an instruction set.
    pub fn new(isa: Isa, b: View<'_>, [rows, columns]: [usize; 2]) -> Self {
        assert!(b.holds(rows, columns), "panels of [{rows}, {columns}]");
        let width = panel_width(isa);
        let mut data = Buffer::zeros(rows * columns.next_multiple_of(width));
        for (first, panel) in (0..columns).step_by(width).zip(data.chunks_exact_mut((rows * width).max(1))) {
            fill(isa, panel, width, b.from(0, first), width.min(columns - first));
        }
        Self { data, rows, columns, width }
    }

    /// Rows and columns of the matrix.
    pub fn shape(&self) -> (usize, usize) {
        (self.rows, self.columns)
    }

    /// Columns of a panel.
    pub fn width(&self) -> usize {
        self.width
    }

    /// The panel of the columns from `index * width` on.
    pub fn panel(&self, index: usize) -> &[f32] {
        &self.data[index * self.rows * self.width..][..self.rows * self.width]
    }

    /// The floats that follow the first so many of a panel, here or in the next one: as many as asked or as there are.
    pub fn behind(&self, index: usize, floats: usize, len: usize) -> Ahead<'_> {
        let rest = self.data.get(index * self.rows * self.width + floats..).unwrap_or_default();
        Ahead(&rest[..len.min(rest.len())])
    }
}

kernel! {
    /// Fills `panel [rows, width]` with the first `columns` of `b`'s columns, and zeros behind them.
    pub(crate) fn fill(panel: &mut [f32], width: usize, b: View<'_>, columns: usize) = fill_body;
}

#[inline(always)]
fn fill_body<const FMA: bool>(panel: &mut [f32], width: usize, b: View<'_>, columns: usize) {
    match width {
        8 => fill_of::<8>(panel, b, columns),
        16 => fill_of::<16>(panel, b, columns),
        32 => fill_of::<32>(panel, b, columns),
        _ => unreachable!("two registers of an instruction set"),
    }
}

#[inline(always)]
fn fill_of<const N: usize>(panel: &mut [f32], b: View<'_>, columns: usize) {
    let panel = panel.as_chunks_mut::<N>().0;
    if columns < N {
        for (row, target) in panel.iter_mut().enumerate() {
            for (column, value) in target.iter_mut().enumerate() {
                *value = if column < columns { b.data[row * b.row + column * b.column] } else { 0.0 };
            }
        }
    } else if b.column == 1 {
        for (row, target) in panel.iter_mut().enumerate() {
            *target = *b.data[row * b.row..].first_chunk().expect("the view holds a row");
        }
    } else {
        assert_eq!(b.row, 1, "rows or columns are contiguous");
        let mut source = [&b.data[..0]; N];
        for column in 0..N {
            source[column] = &b.data[column * b.column..][..panel.len()];
        }
        for (row, target) in panel.iter_mut().enumerate() {
            for column in 0..N {
                target[column] = source[column][row];
            }
        }
    }
}
