//! Weights by number, and their gradients.

use std::sync::{
    OnceLock,
    atomic::{AtomicBool, Ordering},
};

use crate::{
    Buffer, Isa, kernels,
    product::{Panels, QuantizedPanels, View, panel_width, quantized_width},
};

/// Number of a parameter in its [`Parameters`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ParameterId(pub(crate) usize);

/// One weight matrix or vector.
#[derive(Clone)]
pub struct Parameter {
    /// Name for messages, such as `layer.0.attention.qkv.weight`.
    pub name: String,
    /// Rows; 1 for a vector.
    pub rows: usize,
    /// Floats in a row.
    pub width: usize,
    /// The weights, row-major.
    pub values: Buffer,
    /// Whether weight decay applies (not to biases and layer norms).
    pub decays: bool,
    /// Whether training changes it.
    pub trainable: bool,
    /// Whether a batch touches few of its rows, as with a word embedding: then gradients are kept by row.
    pub sparse: bool,
}

/// The weights of a model. Shared by all workers during a step, changed by the optimizer between steps.
#[derive(Default)]
pub struct Parameters {
    all: Vec<Parameter>,
    /// The weights of affine maps laid out for inference; dropped when a weight changes.
    panels: Vec<Kept<Panels>>,
    /// The same in 8 bits.
    quantized: Vec<OnceLock<QuantizedPanels>>,
}

/// Something made of a weight that is kept from its second use on: a program that answers one text is done sooner without.
struct Kept<T> {
    used: AtomicBool,
    kept: OnceLock<T>,
}

impl<T> Default for Kept<T> {
    fn default() -> Self {
        Self { used: AtomicBool::new(false), kept: OnceLock::new() }
    }
}

impl<T> Kept<T> {
    fn get(&self, make: impl FnOnce() -> T) -> Option<&T> {
        let again = self.used.swap(true, Ordering::Relaxed);
        again.then(|| self.kept.get_or_init(make))
    }
}

impl Clone for Parameters {
    fn clone(&self) -> Self {
        let mut copy = Self::default();
        for parameter in &self.all {
            copy.add(parameter.clone());
        }
        copy
    }
}

impl Parameters {
    /// Adds a parameter and gives its number.
    pub fn add(&mut self, parameter: Parameter) -> ParameterId {
        debug_assert_eq!(parameter.rows * parameter.width, parameter.values.len(), "{}", parameter.name);
        self.all.push(parameter);
        self.panels.push(Kept::default());
        self.quantized.push(OnceLock::new());
        ParameterId(self.all.len() - 1)
    }

    /// A parameter.
    pub fn get(&self, id: ParameterId) -> &Parameter {
        &self.all[id.0]
    }

    /// A parameter, to change it.
    pub fn get_mut(&mut self, id: ParameterId) -> &mut Parameter {
        (self.panels[id.0], self.quantized[id.0]) = (Kept::default(), OnceLock::new());
        &mut self.all[id.0]
    }

    /// All of them in order of addition.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &Parameter> {
        self.all.iter()
    }

    /// All of them in order of addition, to change them.
    pub fn iter_mut(&mut self) -> impl ExactSizeIterator<Item = &mut Parameter> {
        for (panels, quantized) in self.panels.iter_mut().zip(&mut self.quantized) {
            (*panels, *quantized) = (Kept::default(), OnceLock::new());
        }
        self.all.iter_mut()
    }

    /// A weight `[out, in]` as the right side of `x · weightᵀ`, laid out when it is asked for again; `None` before that, or
    /// where it is laid out for another instruction set.
    pub(crate) fn panels(&self, id: ParameterId, isa: Isa) -> Option<&Panels> {
        let panels = self.panels[id.0].get(|| {
            let Parameter { rows, width, values, .. } = self.get(id);
            Panels::new(isa, View::rows(values, *width).transposed(), [*width, *rows])
        });
        panels.filter(|panels| panels.width() == panel_width(isa))
    }

    /// A weight in 8 bits, laid out when it is asked for first; `None` where that is for another instruction set.
    pub(crate) fn quantized(&self, id: ParameterId, isa: Isa) -> Option<&QuantizedPanels> {
        let panels = self.quantized[id.0].get_or_init(|| {
            let Parameter { rows, width, values, .. } = self.get(id);
            QuantizedPanels::new(isa, values, [*rows, *width])
        });
        Some(panels).filter(|panels| panels.width() == quantized_width(isa))
    }

    /// Number of weights.
    pub fn count(&self) -> usize {
        self.all.iter().map(|parameter| parameter.values.len()).sum()
    }
}

/// The gradient of one parameter.
#[derive(Clone)]
pub enum Gradient {
    /// Nothing has been added in this step.
    Zero,
    /// A value for every weight.
    Dense(Buffer),
    /// Values for some rows; all others are zero.
    Rows {
        /// The rows, ascending, each once.
        ids: Vec<u32>,
        /// `[ids, width]`.
        values: Buffer,
    },
}

/// The gradients of one worker's micro-batch, or of a whole batch. Memory is kept from step to step.
pub struct Gradients {
    all: Vec<Gradient>,
    /// Buffers of gradients that are `Zero` at the moment.
    spare: Vec<Option<Buffer>>,
}

impl Gradients {
    /// Zero gradients for these parameters.
    pub fn new(parameters: &Parameters) -> Self {
        let count = parameters.all.len();
        Self { all: vec![Gradient::Zero; count], spare: vec![None; count] }
    }

    /// Forgets everything, at the start of a step.
    pub fn clear(&mut self) {
        for (gradient, spare) in self.all.iter_mut().zip(&mut self.spare) {
            if let Gradient::Dense(buffer) = std::mem::replace(gradient, Gradient::Zero) {
                *spare = Some(buffer);
            }
        }
    }

    /// The gradient of a parameter.
    pub fn get(&self, id: ParameterId) -> &Gradient {
        &self.all[id.0]
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Gradient> {
        self.all.iter()
    }

    pub(crate) fn iter_mut(&mut self) -> impl Iterator<Item = &mut Gradient> {
        self.all.iter_mut()
    }

    /// The dense gradient of a parameter of `len` weights, and whether it has to be overwritten rather than
    /// added to.
    pub(crate) fn dense(&mut self, id: ParameterId, len: usize) -> (&mut [f32], bool) {
        let gradient = &mut self.all[id.0];
        let fresh = matches!(gradient, Gradient::Zero);
        if fresh {
            *gradient = Gradient::Dense(self.spare[id.0].take().unwrap_or_else(|| Buffer::zeros(len)));
        }
        match gradient {
            Gradient::Dense(buffer) => (buffer, fresh),
            Gradient::Zero | Gradient::Rows { .. } => unreachable!("a parameter is sparse or it is not"),
        }
    }

    /// The dense gradient of a parameter, zeros where nothing was added yet.
    pub(crate) fn dense_sum(&mut self, id: ParameterId, len: usize) -> &mut [f32] {
        let (buffer, fresh) = self.dense(id, len);
        if fresh {
            buffer.fill(0.0);
        }
        buffer
    }

    /// Adds rows of `dy [ids, width]` to the rows `ids` of a sparse parameter, in order.
    pub(crate) fn add_rows(&mut self, isa: Isa, id: ParameterId, ids: &[u32], width: usize, dy: &[f32]) {
        let mut order: Vec<u32> = (0..ids.len() as u32).collect();
        order.sort_by_key(|&row| ids[row as usize]); // stable: equal ids are added in the order of the batch
        let mut unique: Vec<u32> = order.iter().map(|&row| ids[row as usize]).collect();
        unique.dedup();
        let mut values = Buffer::zeros(unique.len() * width);
        let mut slot = 0;
        for row in order {
            while unique[slot] != ids[row as usize] {
                slot += 1;
            }
            let dy = &dy[row as usize * width..][..width];
            kernels::accumulate(isa, &mut values[slot * width..][..width], dy);
        }
        let new = Gradient::Rows { ids: unique, values };
        self.all[id.0] = match std::mem::replace(&mut self.all[id.0], Gradient::Zero) {
            Gradient::Zero => new,
            old => merged_rows(isa, &old, &new, width),
        };
    }

    /// Adds the sparse gradients of another worker, and makes room for its dense ones: zeros where only the other
    /// worker has any.
    pub(crate) fn widen(&mut self, isa: Isa, other: &Self, parameters: &Parameters) {
        for (index, (theirs, parameter)) in other.all.iter().zip(parameters.iter()).enumerate() {
            match theirs {
                Gradient::Zero => {}
                Gradient::Dense(theirs) => {
                    self.dense_sum(ParameterId(index), theirs.len());
                }
                Gradient::Rows { .. } => {
                    let mine = &mut self.all[index];
                    *mine = match std::mem::replace(mine, Gradient::Zero) {
                        Gradient::Zero => theirs.clone(),
                        old => merged_rows(isa, &old, theirs, parameter.width),
                    };
                }
            }
        }
    }
}

/// The sum of two sparse gradients.
fn merged_rows(isa: Isa, a: &Gradient, b: &Gradient, width: usize) -> Gradient {
    let (Gradient::Rows { ids: a_ids, values: a }, Gradient::Rows { ids: b_ids, values: b }) = (a, b) else {
        unreachable!("a parameter is sparse or it is not")
    };
    let mut ids: Vec<u32> = a_ids.iter().chain(b_ids).copied().collect();
    ids.sort_unstable();
    ids.dedup();
    let mut values = Buffer::zeros(ids.len() * width);
    for (part_ids, part) in [(a_ids, a), (b_ids, b)] {
        let mut slot = 0;
        for (id, row) in part_ids.iter().zip(part.chunks_exact(width)) {
            while ids[slot] != *id {
                slot += 1;
            }
            kernels::accumulate(isa, &mut values[slot * width..][..width], row);
        }
    }
    Gradient::Rows { ids, values }
}
