//! The settings of a run, all of them decided.

use engine::{Factors, optimizer::Decay};
use model::{CodecSettings, text::Alignment};
use serde::{Deserialize, Serialize};

use crate::Augment;

/// Everything that the outcome of a run depends on beside the data and the base. Names are those of `run.toml`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Highest learning rate.
    pub learning_rate: f64,
    /// How the rate falls after the warm-up.
    pub lr_scheduler: Scheduler,
    /// Share of the steps over which the rate rises from 0.
    pub warmup_ratio: f64,
    /// Passes over the training data; `max_steps` ends a run earlier.
    pub num_train_epochs: u32,
    /// Steps after which the run ends, whatever the epochs; 0 for no limit.
    pub max_steps: u64,
    /// Texts in a batch.
    pub train_batch_size: usize,
    /// Word pieces in a batch, instead of a number of texts; 0 for `train_batch_size` texts.
    pub train_batch_pieces: usize,
    /// Share of a weight that a rate of 1 would take away in one step.
    pub weight_decay: f64,
    /// Limit of the gradient's norm; 0 for none.
    pub max_grad_norm: f64,
    /// Dropout probability everywhere; `None` for the base's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dropout: Option<f32>,
    /// Which pieces carry a tag.
    pub alignment: Alignment,
    /// Longest window in pieces.
    pub max_length: usize,
    /// Pieces that neighbouring windows of a long text share.
    pub stride: usize,
    /// Seed of everything random.
    pub seed: u64,
    /// Worker threads; part of the outcome's last bits.
    pub threads: usize,
    /// Steps between two evaluations on the dev set; 0 for once an epoch.
    pub eval_every: u64,
    /// Evaluations without a better score after which the run ends; 0 to never end early.
    pub patience: u32,
    /// Steps between two checkpoints; 0 for about one a minute. Does not change the outcome.
    pub checkpoint_every: u64,
    /// Round the factors of matrix products to 16 bits; sums, weights and the optimizer keep 32.
    #[serde(default)]
    pub bf16: bool,
    /// Factor of the learning rate from one layer to the one below it; 1 for one rate everywhere.
    #[serde(default = "one")]
    pub layer_decay: f64,
    /// How strongly weights are drawn back to where they started (L2-SP); 0 for not at all.
    #[serde(default)]
    pub l2_sp: f64,
    /// Training texts that the model carries with it, so that an update can learn them again; 0 for none.
    #[serde(default)]
    pub keep_texts: usize,
    /// Keep the embeddings as they are.
    pub freeze_embeddings: bool,
    /// Keep so many layers, from the input, as they are.
    pub freeze_layers: usize,
    /// Changed copies of the training texts.
    #[serde(default)]
    pub augment: Augment,
}

/// The factor that changes nothing, in settings that were written before there was one.
fn one() -> f64 {
    1.0
}

/// How the learning rate falls after the warm-up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Scheduler {
    /// Not at all.
    Constant,
    /// Along a line to 0.
    Linear,
    /// Along half a cosine to 0.
    Cosine,
}

impl From<Scheduler> for Decay {
    fn from(scheduler: Scheduler) -> Self {
        match scheduler {
            Scheduler::Constant => Self::Constant,
            Scheduler::Linear => Self::Linear,
            Scheduler::Cosine => Self::Cosine,
        }
    }
}

impl Settings {
    /// Number format of the factors of matrix products.
    pub fn factors(&self) -> Factors {
        if self.bf16 { Factors::Bf16 } else { Factors::F32 }
    }

    /// How texts are cut.
    pub fn codec(&self) -> CodecSettings {
        CodecSettings { alignment: self.alignment, max_length: self.max_length, stride: self.stride }
    }
}
