//! The loss of token classification.

use crate::{Tape, Tensor, kernels};

/// What is known of a token's label.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Target<'t> {
    /// Nothing: the token has no part in the loss.
    Unknown,
    /// It is this one: cross-entropy.
    Label(u32),
    /// It is one of these, and nobody knows which: minus the logarithm of the sum of their probabilities (marginal likelihood;
    /// Greenberg et al., 2018).
    Among(&'t [u32]),
    /// What another model says: its probabilities, one a label, which add up to 1. The loss is the Kullback-Leibler divergence of
    /// both models' probabilities at a temperature, times its square (Hinton et al., 2015).
    Like {
        /// The other model's probabilities at this temperature.
        probabilities: &'t [f32],
        /// What both models' logits are divided by.
        temperature: f32,
    },
}

impl From<Option<u32>> for Target<'_> {
    fn from(label: Option<u32>) -> Self {
        label.map_or(Self::Unknown, Self::Label)
    }
}

impl Tape<'_> {
    /// Sum of the losses of the tokens divided by `denominator`, in nats.
    ///
    /// `logits [rows, labels]`, `targets [rows]`. The denominator is the number of tokens of the whole batch of which anything is
    /// known, so that the losses (and gradients) of its micro-batches add up to the batch's mean. While training, the gradient
    /// is put on the logits for [`Tape::backward`].
    ///
    /// # Panics
    /// The lengths differ or a target is not a label.
    pub fn cross_entropy(&mut self, logits: &Tensor, targets: &[Target<'_>], denominator: f64) -> f64 {
        let (rows, labels) = self.shape(logits);
        assert_eq!(rows, targets.len(), "one target a row");
        let (mut maxima, mut log_sums) = (self.pool.take(rows), self.pool.take(rows));
        kernels::log_sum_exp_rows(self.isa, self.data(logits.index), labels, &mut maxima, &mut log_sums);
        let judged = Row::all(self.data(logits.index), labels, &maxima, &log_sums);
        let loss: f64 = judged.zip(targets).map(|(row, target)| f64::from(row.loss(*target))).sum();
        if self.is_training() && self.value(logits.index).needs_gradient {
            let scale = (1.0 / denominator) as f32;
            let mut gradient = self.pool.take(rows * labels);
            let judged = Row::all(self.data(logits.index), labels, &maxima, &log_sums);
            for ((row, target), gradient) in judged.zip(targets).zip(gradient.chunks_exact_mut(labels)) {
                row.gradient(*target, scale, gradient);
            }
            self.add_gradient(logits.index, gradient);
        }
        self.pool.give(maxima);
        self.pool.give(log_sums);
        loss / denominator
    }
}

/// The logits of one token, their maximum, and the logarithm of the sum of the exponentials of what they are below it.
#[derive(Clone, Copy)]
struct Row<'r> {
    logits: &'r [f32],
    max: f32,
    log_sum: f32,
}

impl<'r> Row<'r> {
    fn all(logits: &'r [f32], labels: usize, maxima: &'r [f32], log_sums: &'r [f32]) -> impl Iterator<Item = Self> {
        let sums = maxima.iter().zip(log_sums);
        logits.chunks_exact(labels).zip(sums).map(|(logits, (max, log_sum))| Self {
            logits,
            max: *max,
            log_sum: *log_sum,
        })
    }

    /// Minus the logarithm of a label's probability.
    fn surprise(&self, label: u32) -> f32 {
        self.log_sum - (self.logits[label as usize] - self.max)
    }

    /// The logarithm of the sum of the exponentials of the logits at a temperature, their maximum taken off.
    fn tempered_log_sum(&self, temperature: f32) -> f32 {
        self.logits.iter().map(|logit| ((logit - self.max) / temperature).exp()).sum::<f32>().ln()
    }

    fn loss(&self, target: Target<'_>) -> f32 {
        match target {
            Target::Unknown => 0.0,
            Target::Label(label) => self.surprise(label),
            Target::Among(labels) => {
                let least = labels.iter().map(|label| self.surprise(*label)).fold(f32::INFINITY, f32::min);
                least - labels.iter().map(|label| (least - self.surprise(*label)).exp()).sum::<f32>().ln()
            }
            Target::Like { probabilities, temperature } => {
                assert_eq!(probabilities.len(), self.logits.len(), "one probability a label");
                let log_sum = self.tempered_log_sum(temperature);
                let wanted = probabilities.iter().zip(self.logits).filter(|(probability, _)| **probability > 0.0);
                let divergence: f32 = wanted
                    .map(|(wanted, logit)| wanted * (wanted.ln() + log_sum - (logit - self.max) / temperature))
                    .sum();
                temperature * temperature * divergence
            }
        }
    }

    /// The loss's slope by each logit, times `scale`.
    fn gradient(&self, target: Target<'_>, scale: f32, gradient: &mut [f32]) {
        if let Target::Like { probabilities, temperature } = target {
            let log_sum = self.tempered_log_sum(temperature);
            for ((d, logit), wanted) in gradient.iter_mut().zip(self.logits).zip(probabilities) {
                let probability = ((logit - self.max) / temperature - log_sum).exp();
                *d = (probability - wanted) * temperature * scale;
            }
            return;
        }
        if target == Target::Unknown {
            gradient.fill(0.0);
            return;
        }
        for (d, logit) in gradient.iter_mut().zip(self.logits) {
            *d = ((logit - self.max) - self.log_sum).exp() * scale;
        }
        match target {
            Target::Label(label) => gradient[label as usize] -= scale,
            Target::Among(labels) => {
                // Their probabilities among themselves; `e^loss` times each, which stays finite where all are tiny.
                let loss = self.loss(target);
                for label in labels {
                    gradient[*label as usize] -= (loss - self.surprise(*label)).exp() * scale;
                }
            }
            Target::Unknown | Target::Like { .. } => {}
        }
    }
}
