//! Sums of rows looked up in tables.

use super::Node;
use crate::{Gradients, ParameterId, Tape, Tensor, kernels};

/// A table and the row of it that every token takes.
#[derive(Debug, Clone)]
pub struct Lookup {
    /// The table, `[vocabulary, width]`.
    pub table: ParameterId,
    /// One row number a token; all below the table's rows.
    pub ids: Vec<u32>,
}

pub(crate) struct Saved {
    lookups: Vec<Lookup>,
    output: usize,
}

impl Tape<'_> {
    /// `[rows, width]`: for every token the sum of its rows (word, position and type of a BERT, say).
    ///
    /// # Panics
    /// There is no lookup, a row number lies outside its table, or the tables differ in width.
    pub fn embedding(&mut self, lookups: Vec<Lookup>) -> Tensor {
        let parameters = self.parameters;
        let width = parameters.get(lookups[0].table).width;
        let rows = self.packed.rows();
        let mut y = self.pool.take(rows * width);
        for (index, lookup) in lookups.iter().enumerate() {
            let table = parameters.get(lookup.table);
            assert_eq!(table.width, width, "`{}` is as wide as the first table", table.name);
            assert_eq!(lookup.ids.len(), rows, "one row number a token");
            for (y, &id) in y.chunks_exact_mut(width).zip(&lookup.ids) {
                let row = &table.values[id as usize * width..][..width];
                if index == 0 {
                    y.copy_from_slice(row);
                } else {
                    kernels::accumulate(self.isa, y, row);
                }
            }
        }
        let needs_gradient = lookups.iter().any(|lookup| self.trainable(lookup.table));
        let output = self.push(y, rows, width, needs_gradient);
        self.record(&output, || Node::Embedding(Saved { lookups, output: output.index }));
        output
    }
}

impl Saved {
    pub fn backward(self, tape: &mut Tape<'_>, gradients: &mut Gradients) {
        let Some(dy) = tape.take_gradient(self.output) else { return };
        for lookup in &self.lookups {
            let table = tape.parameters.get(lookup.table);
            if !table.trainable {
                continue;
            }
            if table.sparse {
                gradients.add_rows(tape.isa, lookup.table, &lookup.ids, table.width, &dy);
            } else {
                let sum = gradients.dense_sum(lookup.table, table.values.len());
                for (dy, &id) in dy.chunks_exact(table.width).zip(&lookup.ids) {
                    kernels::accumulate(tape.isa, &mut sum[id as usize * table.width..][..table.width], dy);
                }
            }
        }
        tape.pool.give(dy);
        tape.discard(self.output);
    }
}
