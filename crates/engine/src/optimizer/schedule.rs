//! The learning rate as a pure function of the step, so that resuming is free.

/// How the rate falls after the warm-up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decay {
    /// Not at all.
    Constant,
    /// Along a line to 0 at the last step.
    Linear,
    /// Along half a cosine to 0 at the last step (Loshchilov and Hutter, 2017, without restarts).
    Cosine,
}

/// Learning rate over a run: up along a line during the warm-up, then down. Equal to transformers' schedules of
/// the same names.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Schedule {
    /// The highest rate.
    pub peak: f64,
    /// Steps of warm-up.
    pub warmup: u64,
    /// Steps of the whole run.
    pub total: u64,
    /// What follows the warm-up.
    pub decay: Decay,
}

impl Schedule {
    /// The rate of a step, counted from 0.
    pub fn rate(&self, step: u64) -> f64 {
        if step < self.warmup {
            return self.peak * step as f64 / self.warmup.max(1) as f64;
        }
        let progress = (step - self.warmup) as f64 / self.total.saturating_sub(self.warmup).max(1) as f64;
        match self.decay {
            Decay::Constant => self.peak,
            Decay::Linear => self.peak * (1.0 - progress).max(0.0),
            Decay::Cosine => self.peak * (0.5 * (1.0 + (std::f64::consts::PI * progress.min(1.0)).cos())),
        }
    }
}
