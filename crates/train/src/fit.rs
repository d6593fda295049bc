//! The training loop, one step at a time. It reports; the caller decides what to print, record and save.

use std::{
    num::NonZeroUsize,
    time::{Duration, Instant},
};

use engine::{
    DropoutKey, ParameterId, Parameters,
    optimizer::{Adamw, AdamwConfig, Anchor, NotFinite, Schedule},
};
use evaluate::{Pair, Scores};
use model::{Bundle, Input, RecognitionError, Workers, encoder::Part};
use schema::Document;
use thiserror::Error;

use crate::{Batches, Dataset, End, Example, Settings, State, passes::Passes};

/// A run in memory: the model that is being trained and all that its next step depends on.
pub struct Fit {
    bundle: Bundle,
    settings: Settings,
    dataset: Dataset,
    dev: Vec<Document>,
    /// Texts of what the model knew before, where it must not be forgotten.
    old_dev: Vec<Document>,
    /// F1 on these from which on nothing counts as forgotten.
    enough: f64,
    anchor: Option<Anchor>,
    batches: Batches,
    schedule: Schedule,
    optimizer: Adamw,
    passes: Passes,
    recognizers: Workers,
    state: State,
    /// Batches of the epoch that the next step lies in.
    epoch: Option<(u32, Vec<Vec<usize>>)>,
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
    /// Mean loss of the batch's labelled pieces, in nats.
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
    /// Strict scores on texts of what the model knew before.
    pub old: Option<Scores>,
    /// What decides which model is best: F1, or the mean of that and of F1 on what the model knew before, as far as that counts.
    pub score: f64,
    /// Whether no evaluation before was better.
    pub is_best: bool,
    /// Time that it took.
    pub elapsed: Duration,
}

/// Why a run cannot go on.
#[derive(Debug, Error)]
pub enum FitError {
    /// The loss is not a number. The weights are as they were before the step.
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
    /// A gradient is not a number. The weights are as they were before the step.
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
    /// A weight is not a number.
    #[error("after step {step}: a weight of `{parameter}` is not finite. Lower learning_rate")]
    Weights {
        /// The step, from 1.
        step: u64,
        /// The first such parameter.
        parameter: String,
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
        let total = batches.steps();
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
        let threads = NonZeroUsize::new(settings.threads).unwrap_or(NonZeroUsize::MIN);
        let recognizers = Workers::new(threads);
        let parameters = bundle.classifier.parameters();
        let encoder = |part: &Part| *part != Part::Head;
        let held = bundle.classifier.parts().filter(|(_, part)| encoder(part)).map(|(id, _)| id);
        let anchor = (settings.l2_sp > 0.0).then(|| Anchor::new(settings.l2_sp, parameters, held));
        let rates = bundle.classifier.depths();
        let rate = |id: ParameterId| rates.get(&id).map_or(1.0, |depth| settings.layer_decay.powf(*depth as f64));
        Self {
            optimizer: Adamw::new(config, parameters).with_rates(parameters, rate),
            anchor,
            old_dev: Vec::new(),
            enough: 1.0,
            passes: Passes::new(threads.get(), recognizers.isa(), parameters),
            recognizers,
            state: State { ended: (total == 0).then_some(End::Finished), ..State::default() },
            bundle,
            settings,
            dataset,
            dev,
            batches,
            schedule,
            epoch: None,
        }
    }

    /// The same with texts of what the model knew before: it is best where it is good at both. F1 on them counts up to `enough`.
    #[must_use]
    pub fn keeping(self, old_dev: Vec<Document>, enough: f64) -> Self {
        Self { old_dev, enough, ..self }
    }

    /// The model as it is now, to save it or to write down what is known of it.
    pub fn bundle(&mut self) -> &mut Bundle {
        self.settle();
        &mut self.bundle
    }

    /// Weights and the optimizer's moments as they are now, for a checkpoint.
    pub fn progress(&mut self) -> (&Parameters, &Adamw) {
        self.settle();
        (self.bundle.classifier.parameters(), &self.optimizer)
    }

    /// Embeddings of words that the last batches did not have take their missed steps.
    fn settle(&mut self) {
        let parameters = self.bundle.classifier.parameters_mut();
        self.optimizer.settle(parameters, self.recognizers.isa(), self.passes.count());
    }

    /// The settings.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Where the run stands.
    pub fn state(&self) -> State {
        self.state
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
        self.optimizer.restore(self.bundle.classifier.parameters(), state.step, moments)?;
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
        let index = self.state.step;
        let step = index + 1;
        let epoch = self.batches.epoch_of(index);
        let batch = self.batch(epoch, index);
        let pieces = batch.iter().map(|example| self.dataset.examples[*example].ids.len()).sum();

        let loss = self.forward_and_backward(&batch, index);
        if !loss.is_finite() {
            return Err(FitError::Loss { step, documents: self.documents(&batch) });
        }
        let rate = self.schedule.rate(index);
        let stepped = self
            .optimizer
            .step(self.bundle.classifier.parameters_mut(), &mut self.passes.gradients(), rate, self.recognizers.isa())
            .map_err(|error| FitError::Gradient { step, documents: self.documents(&batch), error })?;
        if let Some(anchor) = &self.anchor {
            let (parameters, isa) = (self.bundle.classifier.parameters_mut(), self.recognizers.isa());
            anchor.pull(parameters, rate, isa, self.passes.count());
        }
        let rows = batch.iter().map(|example| self.dataset.examples[*example].labelled).sum();
        self.state.note_loss(loss, rows, (self.bundle.codec.tag_set().len() as f64).ln());
        let elapsed = begun.elapsed();

        let is_last = step == self.schedule.total;
        let is_due = match self.settings.eval_every {
            0 => self.batches.ends_epoch(index),
            every => step.is_multiple_of(every),
        };
        let evaluation = if is_due || is_last { self.evaluate()? } else { None };
        if is_last {
            self.state.ended.get_or_insert(End::Finished);
        }
        Ok(Some(StepReport {
            step,
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

    /// The examples of a step, counted from 0.
    fn batch(&mut self, epoch: u32, index: u64) -> Vec<usize> {
        if self.epoch.as_ref().is_none_or(|(known, _)| *known != epoch) {
            self.epoch = Some((epoch, self.batches.epoch(epoch)));
        }
        let within = (index - self.batches.start_of(epoch)) as usize;
        self.epoch.as_ref().map(|(_, batches)| batches[within].clone()).unwrap_or_default()
    }

    /// Loss of a batch; its gradients lie with the passes.
    fn forward_and_backward(&mut self, batch: &[usize], index: u64) -> f64 {
        let examples = &self.dataset.examples;
        let mut ids: Vec<u32> = batch.iter().flat_map(|example| &examples[*example].ids).copied().collect();
        ids.sort_unstable();
        ids.dedup();
        let (words, threads) = (self.bundle.classifier.words(), self.passes.count());
        let parameters = self.bundle.classifier.parameters_mut();
        self.optimizer.catch_up(parameters, words, &ids, self.recognizers.isa(), threads);
        let shares: Vec<Vec<&Example>> = self
            .batches
            .shares(batch, self.passes.count())
            .iter()
            .map(|share| share.iter().map(|example| &examples[*example]).collect())
            .collect();
        self.passes.run(
            &self.bundle.classifier,
            &shares,
            DropoutKey::new(self.settings.seed, index),
            self.settings.factors(),
        )
    }

    /// The documents of a batch, counted from 1, in order.
    fn documents(&self, batch: &[usize]) -> Vec<usize> {
        let mut documents: Vec<usize> =
            batch.iter().map(|example| self.dataset.examples[*example].document + 1).collect();
        documents.sort_unstable();
        documents.dedup();
        documents
    }

    /// Judges the model, unless training has ruined it: then the run is over.
    fn evaluate(&mut self) -> Result<Option<Evaluation>, FitError> {
        if self.state.is_blown_up() {
            self.state.ended = Some(End::Diverged);
            return Ok(None);
        }
        let begun = Instant::now();
        let Some(scores) = self.score_dev()? else { return Ok(None) };
        let old = if self.old_dev.is_empty() { None } else { Some(self.score(&self.old_dev)?) };
        let score = of_both(scores.micro().f1(), old.as_ref().map(|old| old.micro().f1()), self.enough);
        let is_best = self.state.note_score(score, self.settings.patience);
        Ok(Some(Evaluation { scores, old, score, is_best, elapsed: begun.elapsed() }))
    }

    /// Scores on the dev set, as the served model would reach them; `None` without a dev set.
    ///
    /// # Errors
    /// A document cannot be judged.
    pub fn score_dev(&mut self) -> Result<Option<Scores>, FitError> {
        if self.dev.is_empty() {
            return Ok(None);
        }
        self.settle();
        self.score(&self.dev).map(Some)
    }

    fn score(&self, documents: &[Document]) -> Result<Scores, FitError> {
        let failed = |error| FitError::Evaluation { step: self.state.step, error };
        score(&self.recognizers, &self.bundle, documents).map_err(failed)
    }

    /// Looks whether every weight is a number, as it must be before the model is written anywhere: a step may leave
    /// one that is not, and the next step's loss would tell too late.
    ///
    /// # Errors
    /// One is not.
    pub fn check_weights(&mut self) -> Result<(), FitError> {
        self.settle();
        let parameters = self.bundle.classifier.parameters();
        match parameters.iter().find(|parameter| !parameter.values.iter().all(|weight| weight.is_finite())) {
            Some(parameter) => Err(FitError::Weights { step: self.state.step, parameter: parameter.name.clone() }),
            None => Ok(()),
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

/// What decides which model is best: F1 on the new, or its mean with F1 on the old, which counts up to `enough`.
pub fn of_both(new: f64, old: Option<f64>, enough: f64) -> f64 {
    old.map_or(new, |old| f64::midpoint(new, old.min(enough)))
}
