//! Forward and backward over a batch, shared out to threads.

use engine::{DropoutKey, Factors, Gradients, Isa, Mode, Packed, Parameters, Pool, Tape};
use model::TokenClassifier;

use crate::Example;

/// Threads and the memory that each keeps from step to step.
pub(crate) struct Passes {
    workers: Vec<Worker>,
    isa: Isa,
}

struct Worker {
    pool: Pool,
    gradients: Gradients,
}

impl Passes {
    /// So many threads.
    pub fn new(threads: usize, isa: Isa, parameters: &Parameters) -> Self {
        let worker = || Worker { pool: Pool::default(), gradients: Gradients::new(parameters) };
        Self { workers: std::iter::repeat_with(worker).take(threads).collect(), isa }
    }

    /// Threads.
    pub fn count(&self) -> usize {
        self.workers.len()
    }

    /// The gradients of the last [`Self::run`], one a thread, which add up to the batch's.
    pub fn gradients(&mut self) -> Vec<&mut Gradients> {
        self.workers.iter_mut().map(|worker| &mut worker.gradients).collect()
    }

    /// Mean loss in nats of the labelled rows of a batch, `shares[thread]` being what each thread takes.
    /// Which example lies in which share decides the dropout, so the shares are part of the outcome.
    pub fn run(
        &mut self,
        classifier: &TokenClassifier,
        shares: &[Vec<&Example>],
        key: DropoutKey,
        factors: Factors,
    ) -> f64 {
        let labelled: usize = shares.iter().flatten().map(|example| example.labelled).sum();
        let isa = self.isa;
        let losses: Vec<f64> = std::thread::scope(|scope| {
            let jobs = self.workers.iter_mut().zip(shares).enumerate();
            let handles: Vec<_> = jobs
                .map(|(index, (worker, share))| {
                    let mode = Mode::Training { dropout: key.part(index as u64), factors };
                    scope.spawn(move || worker.run(classifier, share, labelled as f64, mode, isa))
                })
                .collect();
            handles
                .into_iter()
                .map(|handle| handle.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
                .collect()
        });
        losses.iter().sum()
    }
}

impl Worker {
    /// Leaves the gradients of a share, and gives its part of the loss.
    fn run(&mut self, classifier: &TokenClassifier, share: &[&Example], labelled: f64, mode: Mode, isa: Isa) -> f64 {
        self.gradients.clear();
        if share.is_empty() {
            return 0.0;
        }
        let packed = Packed::new(share.iter().map(|example| example.ids.len()));
        let ids: Vec<u32> = share.iter().flat_map(|example| example.ids.iter().copied()).collect();
        // Rows without a target have no part in the loss.
        let targets = (0..).zip(share.iter().flat_map(|example| &example.targets));
        let known = targets.filter(|(_, target)| target.is_known()).map(|(row, target)| (row, target.as_target()));
        let (rows, targets): (Vec<u32>, Vec<_>) = known.unzip();
        let mut tape = Tape::new(classifier.parameters(), &mut self.pool, &packed, isa, mode);
        let logits = classifier.forward(&mut tape, &ids, packed.positions(), Some(&rows));
        let loss = tape.cross_entropy(&logits, &targets, labelled);
        tape.backward(&mut self.gradients);
        loss
    }
}
