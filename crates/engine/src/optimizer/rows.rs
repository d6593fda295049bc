//! Rows of a sparse parameter that take their steps late.
//!
//! A batch looks up few rows of a word table, yet `AdamW` moves all of them at every step: their moments decay and their
//! weights follow. Here a row takes the steps that it has missed when it is next read, in the same order and with the
//! same operations, so that it ends in the bits that it would have had in time. What is saved is the way of the whole table
//! through memory, which is most of a small batch's optimizer step.

use super::parallel::in_parallel;
use crate::{
    Isa,
    kernels::{self, AdamwStep},
};

/// A sparse parameter's weights and moments, `[rows, width]` each.
pub(super) struct Table<'a> {
    pub values: &'a mut [f32],
    pub first: &'a mut [f32],
    pub second: &'a mut [f32],
    pub width: usize,
}

/// How far every row of a table has come.
#[derive(Clone, Default)]
pub(super) struct Rows {
    all: Vec<Row>,
    /// The constants of the steps since all rows were level.
    steps: Vec<AdamwStep>,
}

#[derive(Clone, Copy)]
struct Row {
    /// How many of [`Rows::steps`] it has taken.
    taken: usize,
    /// Whether it ever had a gradient. Until then its moments are zero and a step only decays its weights.
    moved: bool,
}

/// Rows that are one job of a thread.
const CHUNK: usize = 64;

impl Rows {
    /// Rows that have taken the same steps and have these moments.
    pub fn level(first: &[f32], second: &[f32], width: usize) -> Self {
        let row = |(first, second): (&[f32], &[f32])| Row {
            taken: 0,
            moved: first.iter().chain(second).any(|moment| moment.to_bits() != 0),
        };
        let all = first.chunks_exact(width.max(1)).zip(second.chunks_exact(width.max(1))).map(row).collect();
        Self { all, steps: Vec::new() }
    }

    /// A step: the rows `ids` take it with their gradients `[ids, width]`, all others later. `ids` ascend.
    pub fn step(
        &mut self,
        table: Table<'_>,
        ids: &[u32],
        gradients: &[f32],
        step: AdamwStep,
        isa: Isa,
        threads: usize,
    ) {
        self.steps.push(step);
        self.advance(table, Some(ids), gradients, isa, threads);
    }

    /// Rows take the steps that they have missed. `ids` ascend.
    pub fn catch_up(&mut self, table: Table<'_>, ids: &[u32], isa: Isa, threads: usize) {
        self.advance(table, Some(ids), &[], isa, threads);
    }

    /// All rows take the steps that they have missed.
    pub fn settle(&mut self, table: Table<'_>, isa: Isa, threads: usize) {
        self.advance(table, None, &[], isa, threads);
        self.steps.clear();
        for row in &mut self.all {
            row.taken = 0;
        }
    }

    /// `gradients` belong to the last step; where there are none, there is nothing to take beyond the missed ones.
    fn advance(&mut self, table: Table<'_>, ids: Option<&[u32]>, gradients: &[f32], isa: Isa, threads: usize) {
        let Table { values, first, second, width } = table;
        let chunk = CHUNK * width;
        let rows = self.all.chunks_mut(CHUNK).zip(values.chunks_mut(chunk));
        let rows = rows.zip(first.chunks_mut(chunk)).zip(second.chunks_mut(chunk));
        let jobs = rows.enumerate().filter_map(|(index, (((rows, values), first), second))| {
            let offset = index * CHUNK;
            let before = |row: usize| ids.map_or(row, |ids| ids.partition_point(|id| (*id as usize) < row));
            let (from, to) = (before(offset), before(offset + rows.len()));
            let gradients = gradients.get(from * width..to * width).unwrap_or_default();
            let ids = ids.map(|ids| &ids[from..to]);
            (from < to).then_some(Job { rows, table: Table { values, first, second, width }, offset, ids, gradients })
        });
        in_parallel(threads, jobs.collect(), |job| job.run(&self.steps, isa));
    }
}

/// Some rows that follow each other.
struct Job<'a> {
    rows: &'a mut [Row],
    table: Table<'a>,
    /// The first row's number.
    offset: usize,
    /// Which of them are to move; `None` for all.
    ids: Option<&'a [u32]>,
    /// One a row that is to move, or none at all.
    gradients: &'a [f32],
}

impl Job<'_> {
    fn run(self, steps: &[AdamwStep], isa: Isa) {
        let Self { rows, table: Table { values, first, second, width }, offset, ids, gradients } = self;
        for index in 0..ids.map_or(rows.len(), <[u32]>::len) {
            let row = ids.map_or(index, |ids| ids[index] as usize - offset);
            let state = &mut rows[row];
            let at = row * width..(row + 1) * width;
            let (values, first, second) = (&mut values[at.clone()], &mut first[at.clone()], &mut second[at]);
            let gradient = gradients.get(index * width..(index + 1) * width);
            let missed = &steps[state.taken..steps.len() - usize::from(gradient.is_some())];
            if state.moved {
                kernels::adamw_idle(isa, values, first, second, missed);
            } else {
                kernels::decay(isa, values, missed);
            }
            if let (Some(gradient), Some(step)) = (gradient, steps.last()) {
                kernels::adamw(isa, values, first, second, gradient, *step);
                state.moved = true;
            }
            state.taken = steps.len();
        }
    }
}
