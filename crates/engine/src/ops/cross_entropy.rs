//! The loss of token classification.

use crate::{Tape, Tensor, kernels};

impl Tape<'_> {
    /// Sum of the cross-entropy of the labelled tokens divided by `denominator`, in nats.
    ///
    /// `logits [rows, labels]`, `targets [rows]`, `None` where a token has no label. The denominator is the number
    /// of labelled tokens of the whole batch, so that the losses (and gradients) of its micro-batches add up to
    /// the batch's mean. While training, the gradient is put on the logits for [`Tape::backward`].
    ///
    /// # Panics
    /// The lengths differ or a target is not a label.
    pub fn cross_entropy(&mut self, logits: &Tensor, targets: &[Option<u32>], denominator: f64) -> f64 {
        let (rows, labels) = self.shape(logits);
        assert_eq!(rows, targets.len(), "one target a row");
        let (mut maxima, mut log_sums) = (self.pool.take(rows), self.pool.take(rows));
        kernels::log_sum_exp_rows(self.isa, self.data(logits.index), labels, &mut maxima, &mut log_sums);
        let mut loss = 0.0;
        let source = self.data(logits.index).chunks_exact(labels);
        for (((logits, target), max), log_sum) in source.zip(targets).zip(maxima.iter()).zip(log_sums.iter()) {
            if let Some(target) = target {
                loss += f64::from(log_sum - (logits[*target as usize] - max));
            }
        }
        if self.is_training() && self.value(logits.index).needs_gradient {
            let scale = (1.0 / denominator) as f32;
            let mut gradient = self.pool.take(rows * labels);
            let source = self.data(logits.index).chunks_exact(labels);
            let rows = gradient.chunks_exact_mut(labels).zip(source).zip(targets);
            for (((d, logits), target), (max, log_sum)) in rows.zip(maxima.iter().zip(log_sums.iter())) {
                let Some(target) = target else {
                    d.fill(0.0);
                    continue;
                };
                for (d, logit) in d.iter_mut().zip(logits) {
                    *d = ((logit - max) - log_sum).exp() * scale;
                }
                d[*target as usize] -= scale;
            }
            self.add_gradient(logits.index, gradient);
        }
        self.pool.give(maxima);
        self.pool.give(log_sums);
        loss / denominator
    }
}
