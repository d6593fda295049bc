//! The training loop, one step at a time. It reports; the caller decides what to print, record and save.

use std::{
    num::NonZeroUsize,
    time::{Duration, Instant},
};

use engine::{
    DropoutKey, Gradients, Mode, Packed, Pool, Tape,
    optimizer::{Adamw, AdamwConfig, NotFinite, Schedule},
};
use evaluate::{Pair, Scores};
use model::{Bundle, Input, RecognitionError, Workers};
use schema::Document;
use thiserror::Error;

use crate::{Batches, Dataset, Settings};

/// A run in memory: the model that is being trained and all that its next step depends on.
pub struct Fit {
    bundle: Bundle,
    settings: Settings,
    dataset: Dataset,
    dev: Vec<Document>,
    batches: Batches,
    schedule: Schedule,
    optimizer: Adamw,
    workers: Vec<Worker>,
    recognizers: Workers,
    state: State,
    /// Batches of the epoch that the next step lies in.
    epoch: Option<(u32, Vec<Vec<usize>>)>,
}

/// What a step depends on beside weights, moments and settings. Part of every checkpoint.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct State {
    /// Steps taken.
    pub step: u64,
    /// Best score on the dev set and the step after which it was reached.
    pub best: Option<(f64, u64)>,
    /// Evaluations since then.
    pub evaluations_since_best: u32,
    /// Sum of the losses since the last evaluation, and their number.
    pub losses: (f64, u32),
    /// Mean loss of the first stretch between evaluations.
    pub first_mean: Option<f64>,
    /// Why the run is over, once it is.
    pub ended: Option<End>,
}

/// Why a run is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum End {
    /// All steps are taken.
    Finished,
    /// The score has not risen for `patience` evaluations.
    NoProgress,
    /// The loss is higher than guessing would give: the learning rate is too high for this model.
    Diverged,
}

/// Memory that a worker thread keeps from step to step.
struct Worker {
    pool: Pool,
    gradients: Gradients,
}

/// What one step did.
#[derive(Debug, Clone, PartialEq)]
pub struct StepReport {
    /// Steps taken, this one included.
    pub step: u64,
    /// Steps of the whole run.
    pub steps: u64,
    /// Epoch that the step lies in, from 0.
    pub epoch: u32,
    /// Mean cross-entropy of the batch's labelled pieces, in nats.
    pub loss: f64,
    /// Learning rate.
    pub rate: f64,
    /// Norm of the gradient before clipping.
    pub gradient_norm: f64,
    /// Word pieces in the batch, special tokens included.
    pub pieces: usize,
    /// Time of the step without its evaluation.
    pub elapsed: Duration,
    /// Scores on the dev set, where they were due.
    pub evaluation: Option<Evaluation>,
    /// Why the run is over, if it is.
    pub ended: Option<End>,
}

/// Scores on the dev set.
#[derive(Debug, Clone, PartialEq)]
pub struct Evaluation {
    /// Strict scores.
    pub scores: Scores,
    /// Whether no evaluation before was as good.
    pub is_best: bool,
    /// Time that it took.
    pub elapsed: Duration,
}

/// Why a step could not be taken. The weights are as they were before it.
#[derive(Debug, Error)]
pub enum FitError {
    /// The loss is not a number.
    #[error(
        "step {step}: the loss of the batch is not finite; its documents are {documents:?} (counted from 1). \
         Lower learning_rate, or look at these documents"
    )]
    Loss {
        /// The step, from 1.
        step: u64,
        /// The documents of the batch.
        documents: Vec<usize>,
    },
    /// A gradient is not a number.
    #[error(
        "step {step}: {error}; the batch's documents are {documents:?} (counted from 1). Lower learning_rate, or look at these documents"
    )]
    Gradient {
        /// The step, from 1.
        step: u64,
        /// The documents of the batch.
        documents: Vec<usize>,
        /// The parameter.
        error: NotFinite,
    },
    /// The dev set could not be judged.
    #[error("after step {step}, on the dev set: {error}")]
    Evaluation {
        /// The step, from 1.
        step: u64,
        /// What went wrong.
        error: RecognitionError,
    },
}

impl Fit {
    /// A run from its beginning.
    pub fn new(mut bundle: Bundle, settings: Settings, dataset: Dataset, dev: Vec<Document>) -> Self {
        if let Some(dropout) = settings.dropout {
            bundle.classifier.set_dropout(dropout);
        }
        bundle.classifier.freeze(settings.freeze_embeddings, settings.freeze_layers);
        let batches = Batches::new(&dataset, &settings);
        let total = match settings.max_steps {
            0 => batches.steps(),
            limit => batches.steps().min(limit),
        };
        let schedule = Schedule {
            peak: settings.learning_rate,
            warmup: (settings.warmup_ratio * total as f64).ceil() as u64,
            total,
            decay: settings.lr_scheduler.into(),
        };
        let config = AdamwConfig {
            weight_decay: settings.weight_decay,
            max_norm: settings.max_grad_norm,
            ..AdamwConfig::default()
        };
        let parameters = bundle.classifier.parameters();
        let worker = || Worker { pool: Pool::default(), gradients: Gradients::new(parameters) };
        let threads = NonZeroUsize::new(settings.threads).unwrap_or(NonZeroUsize::MIN);
        Self {
            optimizer: Adamw::new(config, parameters),
            workers: std::iter::repeat_with(worker).take(threads.get()).collect(),
            recognizers: Workers::new(threads),
            state: State {
                step: 0,
                best: None,
                evaluations_since_best: 0,
                losses: (0.0, 0),
                first_mean: None,
                ended: (total == 0).then_some(End::Finished),
            },
            bundle,
            settings,
            dataset,
            dev,
            batches,
            schedule,
            epoch: None,
        }
    }

    /// The model as it is now.
    pub fn bundle(&self) -> &Bundle {
        &self.bundle
    }

    /// The model as it is now, to write down what is known of it.
    pub fn bundle_mut(&mut self) -> &mut Bundle {
        &mut self.bundle
    }

    /// The settings.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Where the run stands.
    pub fn state(&self) -> State {
        self.state
    }

    /// The optimizer, for a checkpoint.
    pub fn optimizer(&self) -> &Adamw {
        &self.optimizer
    }

    /// Steps of the whole run.
    pub fn steps(&self) -> u64 {
        self.schedule.total
    }

    /// Goes on from a checkpoint.
    ///
    /// `weights(parameter, target)` and `moments(parameter, moment, target)` fill in what was saved, parameters
    /// counted in their order.
    ///
    /// # Errors
    /// Whatever they report.
    pub fn restore<E>(
        &mut self,
        state: State,
        mut weights: impl FnMut(usize, &mut [f32]) -> Result<(), E>,
        moments: impl FnMut(usize, usize, &mut [f32]) -> Result<(), E>,
    ) -> Result<(), E> {
        for (index, parameter) in self.bundle.classifier.parameters_mut().iter_mut().enumerate() {
            weights(index, &mut parameter.values)?;
        }
        self.optimizer.restore(state.step, moments)?;
        self.state = state;
        Ok(())
    }

    /// Takes the next step, `None` when the run is over.
    ///
    /// # Errors
    /// A loss or gradient is not finite, or the dev set cannot be judged.
    pub fn step(&mut self) -> Result<Option<StepReport>, FitError> {
        if self.state.ended.is_some() {
            return Ok(None);
        }
        let begun = Instant::now();
        let step = self.state.step;
        let epoch = self.batches.epoch_of(step);
        let batch = self.batch(epoch, step);
        let (loss, pieces) = self.gradients(&batch, step);
        let number = step + 1;
        let documents = || batch.iter().map(|example| self.dataset.examples[*example].document + 1).collect();
        if !loss.is_finite() {
            return Err(FitError::Loss { step: number, documents: documents() });
        }
        let rate = self.schedule.rate(step);
        let mut gradients: Vec<&mut Gradients> = self.workers.iter_mut().map(|worker| &mut worker.gradients).collect();
        let parameters = self.bundle.classifier.parameters_mut();
        let stepped = self
            .optimizer
            .step(parameters, &mut gradients, rate, self.recognizers.isa())
            .map_err(|error| FitError::Gradient { step: number, documents: documents(), error })?;
        self.state.step = number;
        self.state.losses = (self.state.losses.0 + loss, self.state.losses.1 + 1);
        let elapsed = begun.elapsed();

        let last = number == self.schedule.total;
        let due = match self.settings.eval_every {
            0 => self.batches.ends_epoch(step),
            every => number.is_multiple_of(every),
        };
        let evaluation = if due || last { self.evaluate(number)? } else { None };
        if due || last {
            self.notice_divergence();
        }
        if last && self.state.ended.is_none() {
            self.state.ended = Some(End::Finished);
        }
        Ok(Some(StepReport {
            step: number,
            steps: self.schedule.total,
            epoch,
            loss,
            rate,
            gradient_norm: stepped.gradient_norm,
            pieces,
            elapsed,
            evaluation,
            ended: self.state.ended,
        }))
    }

    /// The examples of a step.
    fn batch(&mut self, epoch: u32, step: u64) -> Vec<usize> {
        if self.epoch.as_ref().is_none_or(|(known, _)| *known != epoch) {
            self.epoch = Some((epoch, self.batches.epoch(epoch)));
        }
        let within = (step - self.batches.start_of(epoch)) as usize;
        self.epoch.as_mut().map(|(_, batches)| std::mem::take(&mut batches[within])).unwrap_or_default()
    }

    /// Forward and backward on all workers; the loss and the number of pieces.
    fn gradients(&mut self, batch: &[usize], step: u64) -> (f64, usize) {
        let examples = &self.dataset.examples;
        let labelled: usize = batch.iter().map(|example| examples[*example].labelled).sum();
        let pieces = batch.iter().map(|example| examples[*example].ids.len()).sum();
        let key = DropoutKey::new(self.settings.seed, step);
        let shares = self.batches.shares(batch, self.workers.len());
        let (classifier, isa) = (&self.bundle.classifier, self.recognizers.isa());
        let run = |(index, (worker, share)): (usize, (&mut Worker, Vec<usize>))| -> f64 {
            worker.gradients.clear();
            if share.is_empty() {
                return 0.0;
            }
            let packed = Packed::new(share.iter().map(|example| examples[*example].ids.len()));
            let ids: Vec<u32> = share.iter().flat_map(|example| examples[*example].ids.iter().copied()).collect();
            let targets: Vec<Option<u32>> =
                share.iter().flat_map(|example| examples[*example].targets.iter().copied()).collect();
            let mode = Mode::Training(key.part(index as u64));
            let mut tape = Tape::new(classifier.parameters(), &mut worker.pool, &packed, isa, mode);
            let logits = classifier.forward(&mut tape, &ids, packed.positions());
            let loss = tape.cross_entropy(&logits, &targets, labelled as f64);
            tape.backward(&mut worker.gradients);
            loss
        };
        let jobs = self.workers.iter_mut().zip(shares).enumerate();
        let losses: Vec<f64> = std::thread::scope(|scope| {
            let handles: Vec<_> = jobs.map(|job| scope.spawn(|| run(job))).collect();
            handles
                .into_iter()
                .map(|handle| handle.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
                .collect()
        });
        (losses.iter().sum(), pieces)
    }

    /// Scores the dev set as the served model would be scored.
    fn evaluate(&mut self, step: u64) -> Result<Option<Evaluation>, FitError> {
        if self.dev.is_empty() {
            return Ok(None);
        }
        let begun = Instant::now();
        let scores =
            score(&self.recognizers, &self.bundle, &self.dev).map_err(|error| FitError::Evaluation { step, error })?;
        let f1 = scores.micro().f1();
        // A later model of the same score has seen more; it is taken.
        let is_best = self.state.best.is_none_or(|(best, _)| f1 >= best);
        if is_best {
            let risen = self.state.best.is_none_or(|(best, _)| f1 > best);
            self.state.best = Some((f1, step));
            self.state.evaluations_since_best = if risen { 0 } else { self.state.evaluations_since_best + 1 };
        } else {
            self.state.evaluations_since_best += 1;
        }
        if self.settings.patience > 0 && self.state.evaluations_since_best >= self.settings.patience {
            self.state.ended = Some(End::NoProgress);
        }
        Ok(Some(Evaluation { scores, is_best, elapsed: begun.elapsed() }))
    }

    /// Ends a run whose mean loss since the last evaluation is far above what guessing would give, and not below
    /// what it began with.
    fn notice_divergence(&mut self) {
        let (sum, count) = std::mem::take(&mut self.state.losses);
        if count == 0 {
            return;
        }
        let mean = sum / f64::from(count);
        let first = *self.state.first_mean.get_or_insert(mean);
        let guessing = (self.bundle.codec.tag_set().len() as f64).ln();
        if mean > 1.5 * guessing && mean >= first {
            self.state.ended = Some(End::Diverged);
        }
    }
}

/// Strict scores of a model on documents.
///
/// # Errors
/// A document cannot be judged.
pub fn score(workers: &Workers, bundle: &Bundle, documents: &[Document]) -> Result<Scores, RecognitionError> {
    let inputs: Vec<Input<'_>> = documents.iter().map(Input::from).collect();
    let predicted = workers.recognize(&bundle.classifier, &bundle.codec, &inputs)?;
    let pairs = documents.iter().zip(&predicted).map(|(document, predicted)| Pair { document, predicted }.judge(None));
    Ok(Scores::of(&pairs.collect::<Vec<_>>()))
}
