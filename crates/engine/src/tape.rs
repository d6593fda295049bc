//! The tape: runs operations forward, remembers what their backward passes need, and runs those in reverse.

use crate::{
    Buffer, Gradients, Isa, Packed, ParameterId, Parameters, Pool, Team,
    ops::Node,
    random::{Dropout, DropoutKey},
};

/// Number format of the affine maps during inference. All else is computed in `f32`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Precision {
    /// 32-bit floats.
    #[default]
    F32,
    /// 8-bit integers: weights with a scale an output, activations with a scale and an offset a row.
    Int8,
}

/// Number format that the factors of affine maps are rounded to during training. Weights, sums, gradients, all other operations
/// and the optimizer have 32 bits with both.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Factors {
    /// 32-bit floats.
    #[default]
    F32,
    /// 16-bit floats with the range of 32-bit ones (bfloat16), as `PyTorch`'s autocast takes them.
    Bf16,
}

/// Why a tape runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Only the result is wanted: nothing is saved, nothing is dropped out.
    Inference(Precision),
    /// Gradients will be asked for.
    Training {
        /// What the dropout follows from.
        dropout: DropoutKey,
        /// Format of the factors of affine maps.
        factors: Factors,
    },
}

/// A `[rows, width]` activation of a [`Tape`]. It stands for memory wherever the tape keeps it.
///
/// Operations that take it by value are its last reader, so that its memory can serve again; those that borrow it
/// leave it alive.
#[derive(Debug)]
#[must_use]
pub struct Tensor {
    pub(crate) index: usize,
}

/// What the tape knows of an activation.
pub(crate) struct Value {
    /// `None` once nobody needs the contents.
    pub data: Option<Buffer>,
    pub rows: usize,
    pub width: usize,
    /// A backward pass will read the contents.
    pub saved: bool,
    /// Something trainable lies behind it.
    pub needs_gradient: bool,
    pub gradient: Option<Buffer>,
}

impl Value {
    pub(crate) fn contents(&self) -> &[f32] {
        self.data.as_deref().expect("an activation is read before its last reader has taken it")
    }
}

/// One pass over one micro-batch.
pub struct Tape<'a> {
    pub(crate) parameters: &'a Parameters,
    pub(crate) pool: &'a mut Pool,
    pub(crate) packed: &'a Packed,
    pub(crate) isa: Isa,
    pub(crate) mode: Mode,
    /// Who shares in an operation.
    pub(crate) team: Option<&'a mut Team>,
    pub(crate) values: Vec<Value>,
    nodes: Vec<Node>,
    /// Operations with dropout so far; numbers their keys.
    drops: u64,
}

impl<'a> Tape<'a> {
    /// An empty tape for sequences laid out as `packed`.
    pub fn new(parameters: &'a Parameters, pool: &'a mut Pool, packed: &'a Packed, isa: Isa, mode: Mode) -> Self {
        Self { parameters, pool, packed, isa, mode, team: None, values: Vec::new(), nodes: Vec::new(), drops: 0 }
    }

    /// Has a team share in every operation of inference; the results have the same bits. Training splits batches instead.
    #[must_use]
    pub fn shared_by(mut self, team: Option<&'a mut Team>) -> Self {
        self.team = team.filter(|team| team.threads() > 1 && !self.is_training());
        self
    }

    /// Rows and width of an activation.
    pub fn shape(&self, tensor: &Tensor) -> (usize, usize) {
        let value = &self.values[tensor.index];
        (value.rows, value.width)
    }

    /// The contents of an activation in host memory, row-major.
    pub fn read(&self, tensor: &Tensor) -> &[f32] {
        self.data(tensor.index)
    }

    /// Says that nobody will read an activation forward any more.
    #[allow(clippy::needless_pass_by_value, reason = "taking the tensor away is the point")]
    pub fn release(&mut self, tensor: Tensor) {
        let value = &mut self.values[tensor.index];
        if !value.saved
            && let Some(data) = value.data.take()
        {
            self.pool.give(data);
        }
    }

    /// Puts the gradient of a loss that was computed elsewhere on an activation, for [`Tape::backward`]; adds
    /// where there is one already. `gradient` is row-major and as long as the activation. Does nothing during
    /// inference, or where nothing trainable lies behind the activation.
    ///
    /// # Panics
    /// The lengths differ.
    pub fn put_loss_gradient(&mut self, tensor: &Tensor, gradient: &[f32]) {
        let value = &self.values[tensor.index];
        assert_eq!(gradient.len(), value.rows * value.width, "one gradient an element");
        if self.is_training() && value.needs_gradient {
            let mut buffer = self.pool.take(gradient.len());
            buffer.copy_from_slice(gradient);
            self.add_gradient(tensor.index, buffer);
        }
    }

    /// Runs all backward passes, adding to `gradients`. The loss has put its gradient on its logits.
    pub fn backward(mut self, gradients: &mut Gradients) {
        while let Some(node) = self.nodes.pop() {
            node.backward(&mut self, gradients);
        }
    }

    pub(crate) fn is_training(&self) -> bool {
        matches!(self.mode, Mode::Training { .. })
    }

    /// The next operation's dropout.
    pub(crate) fn next_dropout(&mut self, probability: f32) -> Dropout {
        match self.mode {
            Mode::Training { dropout: key, .. } if probability > 0.0 => {
                self.drops += 1;
                Dropout::new(key.part(self.drops), probability)
            }
            Mode::Training { .. } | Mode::Inference(_) => Dropout::none(),
        }
    }

    pub(crate) fn push(&mut self, data: Buffer, rows: usize, width: usize, needs_gradient: bool) -> Tensor {
        debug_assert_eq!(data.len(), rows * width);
        self.values.push(Value { data: Some(data), rows, width, saved: false, needs_gradient, gradient: None });
        Tensor { index: self.values.len() - 1 }
    }

    /// Remembers an operation, if its backward pass may run.
    pub(crate) fn record(&mut self, output: &Tensor, node: impl FnOnce() -> Node) {
        if self.is_training() && self.values[output.index].needs_gradient {
            self.nodes.push(node());
        }
    }

    pub(crate) fn value(&self, index: usize) -> &Value {
        &self.values[index]
    }

    pub(crate) fn data(&self, index: usize) -> &[f32] {
        self.values[index].contents()
    }

    /// Keeps an activation for a backward pass.
    pub(crate) fn save(&mut self, tensor: &Tensor) {
        if self.is_training() {
            self.values[tensor.index].saved = true;
        }
    }

    /// The contents of an activation whose last reader this is: its own buffer, or a copy where it is saved.
    #[allow(clippy::needless_pass_by_value, reason = "taking the tensor away is the point")]
    pub(crate) fn take(&mut self, tensor: Tensor) -> Buffer {
        let value = &mut self.values[tensor.index];
        if !value.saved {
            return value.data.take().expect("an activation is taken once");
        }
        let source = value.data.as_deref().expect("a saved activation stays");
        let mut copy = self.pool.take(source.len());
        copy.copy_from_slice(source);
        copy
    }

    pub(crate) fn trainable(&self, id: ParameterId) -> bool {
        self.parameters.get(id).trainable
    }

    pub(crate) fn take_gradient(&mut self, index: usize) -> Option<Buffer> {
        self.values[index].gradient.take()
    }

    pub(crate) fn put_gradient(&mut self, index: usize, gradient: Buffer) {
        let value = &mut self.values[index];
        debug_assert!(value.gradient.is_none());
        value.gradient = Some(gradient);
    }

    /// Adds to the gradient of an activation; the buffer is used up.
    pub(crate) fn add_gradient(&mut self, index: usize, gradient: Buffer) {
        match &mut self.values[index].gradient {
            Some(sum) => {
                crate::kernels::accumulate(self.isa, sum, &gradient);
                self.pool.give(gradient);
            }
            empty => *empty = Some(gradient),
        }
    }

    /// Gives an activation back that a backward pass was the last to read.
    pub(crate) fn discard(&mut self, index: usize) {
        if let Some(data) = self.values[index].data.take() {
            self.pool.give(data);
        }
    }
}

impl Drop for Tape<'_> {
    fn drop(&mut self) {
        for value in self.values.drain(..) {
            for buffer in [value.data, value.gradient].into_iter().flatten() {
                self.pool.give(buffer);
            }
        }
        for node in self.nodes.drain(..) {
            node.give_back(self.pool);
        }
    }
}
