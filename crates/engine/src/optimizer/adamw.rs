//! `AdamW` (Loshchilov and Hutter, 2019), step for step equal to `torch.optim.AdamW` behind
//! `torch.nn.utils.clip_grad_norm_`.

use thiserror::Error;

use super::{
    parallel::in_parallel,
    rows::{Rows, Table},
};
use crate::{Buffer, Gradient, Gradients, Isa, ParameterId, Parameters, kernels, kernels::AdamwStep};

/// The constants of a run.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AdamwConfig {
    /// Decay of the mean of gradients.
    pub beta1: f64,
    /// Decay of the mean of squared gradients.
    pub beta2: f64,
    /// Added to the root of the second moment.
    pub eps: f64,
    /// Share of a weight that a rate of 1 would take away, for parameters that decay.
    pub weight_decay: f64,
    /// Gradients are scaled down to this Euclidean norm; 0 for no limit.
    pub max_norm: f64,
}

impl Default for AdamwConfig {
    fn default() -> Self {
        Self { beta1: 0.9, beta2: 0.999, eps: 1e-8, weight_decay: 0.01, max_norm: 1.0 }
    }
}

/// Moments of every weight, and the number of steps taken.
///
/// Rows of a sparse parameter take their steps late: [`Adamw::catch_up`] comes before a pass that reads some of them,
/// [`Adamw::settle`] before anything else looks at weights or moments.
#[derive(Clone)]
pub struct Adamw {
    config: AdamwConfig,
    /// First and second moment of each parameter; empty for those that are not trained.
    moments: Vec<[Buffer; 2]>,
    /// How far the rows of each sparse parameter have come.
    rows: Vec<Option<Rows>>,
    /// What each parameter's rate is multiplied by.
    rates: Vec<f64>,
    steps: u64,
}

/// What a step did.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Stepped {
    /// Norm of all gradients together, before clipping.
    pub gradient_norm: f64,
}

/// A gradient is not a number; no weight was changed.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("the gradient of `{parameter}` is not finite")]
pub struct NotFinite {
    /// The first such parameter.
    pub parameter: String,
}

/// Weights that one job of the two passes below takes: small enough for a core's second-level cache.
const CHUNK: usize = 16 * 1024;

impl Adamw {
    /// A fresh optimizer.
    pub fn new(config: AdamwConfig, parameters: &Parameters) -> Self {
        let moments: Vec<[Buffer; 2]> = parameters
            .iter()
            .map(|parameter| {
                let len = if parameter.trainable { parameter.values.len() } else { 0 };
                [Buffer::zeros(len), Buffer::zeros(len)]
            })
            .collect();
        let rows = parameters.iter().zip(&moments).map(|(parameter, [first, second])| {
            (parameter.sparse && parameter.trainable).then(|| Rows::level(first, second, parameter.width))
        });
        Self { config, rows: rows.collect(), rates: vec![1.0; moments.len()], moments, steps: 0 }
    }

    /// The same with a rate of its own for every parameter, as a factor of the rate of a step: discriminative fine-tuning
    /// (Howard and Ruder, 2018).
    #[must_use]
    pub fn with_rates(self, parameters: &Parameters, factor: impl Fn(ParameterId) -> f64) -> Self {
        Self { rates: (0..parameters.iter().len()).map(|index| factor(ParameterId(index))).collect(), ..self }
    }

    /// Steps taken so far.
    pub fn steps(&self) -> u64 {
        self.steps
    }

    /// First and second moments of every parameter, in the order of [`Parameters`], for a checkpoint; those of sparse
    /// parameters as they were when [`Self::settle`] was last called.
    pub fn moments(&self) -> impl ExactSizeIterator<Item = &[Buffer; 2]> {
        self.moments.iter()
    }

    /// Goes on from a checkpoint: the moments are filled in by `fill(parameter, moment, target)`.
    ///
    /// # Errors
    /// Whatever `fill` reports.
    pub fn restore<E>(
        &mut self,
        parameters: &Parameters,
        steps: u64,
        mut fill: impl FnMut(usize, usize, &mut [f32]) -> Result<(), E>,
    ) -> Result<(), E> {
        for (index, moments) in self.moments.iter_mut().enumerate() {
            for (which, buffer) in moments.iter_mut().enumerate() {
                fill(index, which, buffer)?;
            }
        }
        for ((rows, [first, second]), parameter) in self.rows.iter_mut().zip(&self.moments).zip(parameters.iter()) {
            if let Some(rows) = rows {
                *rows = Rows::level(first, second, parameter.width);
            }
        }
        self.steps = steps;
        Ok(())
    }

    /// Brings rows of a sparse parameter up to date, before a pass reads them. `ids` ascend, each once.
    pub fn catch_up(&mut self, parameters: &mut Parameters, id: ParameterId, ids: &[u32], isa: Isa, threads: usize) {
        if let Some(rows) = &mut self.rows[id.0] {
            let [first, second] = &mut self.moments[id.0];
            let parameter = parameters.get_mut(id);
            let table = Table { values: &mut parameter.values, first, second, width: parameter.width };
            rows.catch_up(table, ids, isa, threads);
        }
    }

    /// Brings all rows up to date, before weights or moments are read, saved or changed by anybody else.
    pub fn settle(&mut self, parameters: &mut Parameters, isa: Isa, threads: usize) {
        let all = parameters.iter_mut().zip(&mut self.moments).zip(&mut self.rows);
        for ((parameter, [first, second]), rows) in all {
            if let Some(rows) = rows {
                let table = Table { values: &mut parameter.values, first, second, width: parameter.width };
                rows.settle(table, isa, threads);
            }
        }
    }

    /// Adds the gradients of all workers in order, clips them and changes the weights; `workers[0]` is left with
    /// the sum.
    ///
    /// # Errors
    /// A gradient is not finite, or its square is not. Then no weight has changed.
    ///
    /// # Panics
    /// There is no worker, or a parameter is trained that was not when the optimizer was made.
    pub fn step(
        &mut self,
        parameters: &mut Parameters,
        workers: &mut [&mut Gradients],
        rate: f64,
        isa: Isa,
    ) -> Result<Stepped, NotFinite> {
        let threads = workers.len();
        let gradient_norm = sum_and_norm(parameters, workers, isa)?;
        self.steps += 1;
        let config = self.config;
        let clip = if config.max_norm > 0.0 { (config.max_norm / (gradient_norm + 1e-6)).min(1.0) } else { 1.0 };
        let correction = |beta: f64| 1.0 - beta.powf(self.steps as f64);
        let constants = |decays: bool, rate: f64| AdamwStep {
            gradient_scale: clip as f32,
            keep: if decays { (1.0 - rate * config.weight_decay) as f32 } else { 1.0 },
            rate: (rate / correction(config.beta1)) as f32,
            inverse_root: (1.0 / correction(config.beta2).sqrt()) as f32,
            beta2: config.beta2 as f32,
            rest1: (1.0 - config.beta1) as f32,
            rest2: (1.0 - config.beta2) as f32,
            eps: config.eps as f32,
        };
        let mut jobs = Vec::new();
        let sum: &Gradients = workers[0];
        let all = parameters.iter_mut().zip(&mut self.moments).zip(&mut self.rows).zip(sum.iter()).zip(&self.rates);
        for ((((parameter, [first, second]), rows), gradient), factor) in all {
            if !parameter.trainable {
                continue;
            }
            assert_eq!(first.len(), parameter.values.len(), "`{}` has moments", parameter.name);
            let constants = constants(parameter.decays, rate * factor);
            if let Some(rows) = rows {
                let (ids, gradients) = match gradient {
                    Gradient::Rows { ids, values } => (&ids[..], &values[..]),
                    Gradient::Zero => (&[][..], &[][..]),
                    Gradient::Dense(_) => unreachable!("the gradient of a sparse parameter is kept by row"),
                };
                let table = Table { values: &mut parameter.values, first, second, width: parameter.width };
                rows.step(table, ids, gradients, constants, isa, threads);
                continue;
            }
            let parts = parameter.values.chunks_mut(CHUNK).zip(first.chunks_mut(CHUNK)).zip(second.chunks_mut(CHUNK));
            for (index, ((values, first), second)) in parts.enumerate() {
                jobs.push(Update { values, first, second, gradient, constants, offset: index * CHUNK });
            }
        }
        in_parallel(threads, jobs, |update| update.run(isa));
        Ok(Stepped { gradient_norm })
    }
}

/// One chunk of one parameter.
struct Update<'a> {
    values: &'a mut [f32],
    first: &'a mut [f32],
    second: &'a mut [f32],
    gradient: &'a Gradient,
    constants: AdamwStep,
    /// Position of the chunk in its parameter.
    offset: usize,
}

impl Update<'_> {
    fn run(self, isa: Isa) {
        let Self { values, first, second, gradient, constants, offset } = self;
        match gradient {
            Gradient::Dense(gradient) => {
                kernels::adamw(isa, values, first, second, &gradient[offset..offset + values.len()], constants);
            }
            Gradient::Zero => kernels::adamw_idle(isa, values, first, second, &[constants]),
            Gradient::Rows { .. } => unreachable!("sparse parameters are moved by row"),
        }
    }
}

/// Adds all workers' gradients to the first one's, in order, and gives the norm of the sum.
fn sum_and_norm(parameters: &Parameters, workers: &mut [&mut Gradients], isa: Isa) -> Result<f64, NotFinite> {
    let threads = workers.len();
    let (sum, others) = workers.split_first_mut().expect("there is at least one worker");
    for other in others.iter() {
        sum.widen(isa, other, parameters);
    }
    let others: Vec<&Gradients> = others.iter().map(|other| &**other).collect();
    let mut jobs: Vec<(usize, usize, &mut [f32])> = Vec::new();
    for (index, gradient) in sum.iter_mut().enumerate() {
        match gradient {
            Gradient::Zero => {}
            Gradient::Rows { values, .. } | Gradient::Dense(values) => {
                jobs.extend(values.chunks_mut(CHUNK).enumerate().map(|(part, chunk)| (index, part * CHUNK, chunk)));
            }
        }
    }
    let others: Vec<Vec<&Gradient>> = others.iter().map(|other| other.iter().collect()).collect();
    let squares = in_parallel(threads, jobs, |(index, offset, chunk)| {
        for other in &others {
            if let Gradient::Dense(term) = other[index] {
                kernels::accumulate(isa, chunk, &term[offset..offset + chunk.len()]);
            }
        }
        let square: f64 = chunk.chunks(1024).map(|part| f64::from(kernels::squared_sum(isa, part))).sum();
        (index, square)
    });
    if let Some((index, _)) = squares.iter().find(|(_, square)| !square.is_finite()) {
        let parameter = parameters.iter().nth(*index).map(|parameter| parameter.name.clone()).unwrap_or_default();
        return Err(NotFinite { parameter });
    }
    Ok(squares.iter().map(|(_, square)| square).sum::<f64>().sqrt())
}
