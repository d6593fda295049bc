//! A result's columns, panel by panel, on one thread or several.

use std::ops::Range;

use super::{Rows, Start, rows::split_columns};
use crate::{Buffer, Pool, Team};

/// Shares the columns of `c [m, n]` out to a team, if there is one, by whole panels of `width` columns: `work(c, edge, panels)`
/// gets the columns of its panels and memory for [`add`].
pub(super) fn by_panels(
    team: Option<&mut Team>,
    pool: &mut Pool,
    c: &mut [f32],
    [m, n]: [usize; 2],
    width: usize,
    work: impl Fn(Rows<'_, '_>, &mut [f32], Range<usize>) + Sync,
) {
    let panels = n.div_ceil(width);
    let mut edge = edge(pool, [m, n], width);
    if let Some(team) = team {
        let parts = team.parts(panels);
        let widths = parts.clone().map(|panels| (panels.end * width).min(n) - panels.start * width);
        let columns = split_columns(c, n, widths);
        // The last panel is the one that the columns may not fill.
        let mut edge = Some(&mut *edge);
        let edges = parts.clone().map(|panels| edge.take_if(|_| panels.end * width >= n).unwrap_or_default());
        team.share(columns.into_iter().zip(edges).zip(parts), |_, ((mut rows, edge), panels)| {
            work(Rows::Columns { rows: &mut rows, first: 0 }, edge, panels);
        });
    } else {
        work(Rows::strided(c, n), &mut edge, 0..panels);
    }
    pool.give(edge);
}

/// Memory for [`add`].
pub(super) fn edge(pool: &mut Pool, [m, n]: [usize; 2], width: usize) -> Buffer {
    pool.take(if n.is_multiple_of(width) { 0 } else { m * width })
}

/// Adds to `columns` of `c [m, _]` what `sum` writes to a whole panel. Where the columns are fewer, their sums are made in
/// `edge [m, width]`, because registers are written whole.
pub(super) fn add(
    mut c: Rows<'_, '_>,
    edge: &mut [f32],
    [m, columns, width]: [usize; 3],
    start: Start<'_>,
    sum: impl FnOnce(Rows<'_, '_>, Start<'_>),
) {
    if columns == width {
        return sum(c, start);
    }
    sum(Rows::strided(edge, width), Start::Zero);
    for (row, sums) in edge.chunks_exact(width).enumerate().take(m) {
        for (column, (c, sum)) in c.row(row)[..columns].iter_mut().zip(sums).enumerate() {
            *c = match start {
                Start::Zero => *sum,
                Start::Target => *c + sum,
                Start::Row(start) => start[column] + sum,
            };
        }
    }
}
