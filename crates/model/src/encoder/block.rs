//! One layer of a post-norm transformer encoder (Vaswani et al., 2017; Devlin et al., 2019).

use engine::{Attention, Linear, Norm, Tape, Tensor};

use super::Shape;

/// The parameters of one layer.
#[derive(Debug, Clone)]
pub(crate) struct Block {
    /// Queries, keys and values in one product, `[3 * width, width]`.
    pub qkv: Linear,
    pub attention_output: Linear,
    pub attention_norm: Norm,
    pub inner: Linear,
    pub outer: Linear,
    pub output_norm: Norm,
}

impl Block {
    /// `[rows, width]` to `[rows, width]`, or to `[wanted, width]` where only some rows are wanted: every row is attended to,
    /// but nothing behind the attention mixes rows.
    pub fn forward(
        &self,
        tape: &mut Tape<'_>,
        mut hidden: Tensor,
        attention: Attention,
        shape: &Shape,
        wanted: Option<&[u32]>,
    ) -> Tensor {
        let qkv = tape.linear(&hidden, self.qkv);
        let mut attended = tape.attention(qkv, attention);
        if let Some(wanted) = wanted {
            (attended, hidden) = (tape.select(attended, wanted), tape.select(hidden, wanted));
        }
        let mixed = tape.linear(&attended, self.attention_output);
        tape.release(attended);
        let hidden =
            tape.residual_norm(mixed, hidden, self.attention_norm, shape.attention_output_dropout.unwrap_or(0.0));

        let inner = tape.linear(&hidden, self.inner);
        let active = tape.activation(inner, shape.activation);
        let outer = tape.linear(&active, self.outer);
        tape.release(active);
        tape.residual_norm(outer, hidden, self.output_norm, shape.dropout)
    }
}
