//! Multi-head self-attention within each sequence.

use std::ops::Range;

use super::Node;
use crate::{
    Buffer, Pool, Tape, Tensor, kernels,
    kernels::{Heads, scratch_len},
    random::Dropout,
};

/// How a layer attends.
#[derive(Debug, Clone, Copy)]
pub struct Attention {
    /// Number of heads; divides the width.
    pub heads: usize,
    /// Probability that an attention weight is dropped while training.
    pub dropout: f32,
}

pub(crate) struct Saved {
    heads: Heads,
    input: usize,
    output: usize,
    pub log_sums: Buffer,
    dropout: Dropout,
}

impl Tape<'_> {
    /// `qkv [rows, 3 * width]` (queries, keys, values side by side) to `[rows, width]`; every token attends to all
    /// tokens of its sequence.
    ///
    /// # Panics
    /// The width is not three times a multiple of the heads, or `qkv` has not one row a token.
    pub fn attention(&mut self, qkv: Tensor, attention: Attention) -> Tensor {
        let (rows, triple) = self.shape(&qkv);
        assert_eq!(rows, self.packed.rows(), "one row a token");
        assert_eq!(triple % (3 * attention.heads), 0, "queries, keys and values of {} heads", attention.heads);
        let width = triple / 3;
        let head_width = width / attention.heads;
        let heads = Heads { count: attention.heads, width: head_width, scale: 1.0 / (head_width as f32).sqrt() };
        let dropout = self.next_dropout(attention.dropout);
        let packed = self.packed;
        let mut out = self.pool.take(rows * width);
        let mut log_sums = self.pool.take(rows * attention.heads);
        let (isa, qkv_data) = (self.isa, self.values[qkv.index].contents());
        let attend = |pool: &mut Pool, part: Range<usize>, out: &mut [f32], log_sums: &mut [f32]| {
            let mut scratch = pool.take(scratch_len(packed.longest(), heads));
            let mut first = 0u32;
            for sequence in packed.sequences() {
                let (start, end) = (sequence.start.max(part.start), sequence.end.min(part.end));
                if start < end {
                    let qkv = &qkv_data[sequence.start * triple..sequence.end * triple];
                    let queries = start - sequence.start..end - sequence.start;
                    let out = &mut out[(start - part.start) * width..(end - part.start) * width];
                    let log_sums = &mut log_sums[(start - part.start) * heads.count..(end - part.start) * heads.count];
                    kernels::attention_forward(isa, heads, queries, qkv, out, log_sums, dropout, first, &mut scratch);
                }
                first = first.wrapping_add((heads.count * sequence.len() * sequence.len()) as u32);
            }
            pool.give(scratch);
        };
        if let Some(team) = &mut self.team {
            let part = team.part(rows);
            let parts = team.parts(rows);
            let jobs = parts.zip(out.chunks_mut(part * width)).zip(log_sums.chunks_mut(part * heads.count));
            team.share(jobs, |pool, ((part, out), log_sums)| attend(pool, part, out, log_sums));
        } else {
            attend(self.pool, 0..rows, &mut out, &mut log_sums);
        }
        let needs_gradient = self.value(qkv.index).needs_gradient;
        let output = self.push(out, rows, width, needs_gradient);
        if self.is_training() && needs_gradient {
            self.save(&qkv);
            self.save(&output);
            let saved = Saved { heads, input: qkv.index, output: output.index, log_sums, dropout };
            self.record(&output, || Node::Attention(saved));
        } else {
            self.pool.give(log_sums);
        }
        self.release(qkv);
        output
    }
}

impl Saved {
    pub fn backward(self, tape: &mut Tape<'_>) {
        let Some(dout) = tape.take_gradient(self.output) else { return };
        let (rows, triple) = (tape.value(self.input).rows, tape.value(self.input).width);
        let (width, heads) = (triple / 3, self.heads.count);
        let packed = tape.packed;
        let mut dqkv = tape.pool.take(rows * triple);
        let mut scratch = tape.pool.take(scratch_len(packed.longest(), self.heads));
        let mut first = 0u32;
        for sequence in packed.sequences() {
            kernels::attention_backward(
                tape.isa,
                self.heads,
                &tape.data(self.input)[sequence.start * triple..sequence.end * triple],
                &tape.data(self.output)[sequence.start * width..sequence.end * width],
                &self.log_sums[sequence.start * heads..sequence.end * heads],
                &dout[sequence.start * width..sequence.end * width],
                &mut dqkv[sequence.start * triple..sequence.end * triple],
                self.dropout,
                first,
                &mut scratch,
            );
            first = first.wrapping_add((heads * sequence.len() * sequence.len()) as u32);
        }
        for buffer in [scratch, dout, self.log_sums] {
            tape.pool.give(buffer);
        }
        tape.add_gradient(self.input, dqkv);
        tape.discard(self.output);
    }
}
