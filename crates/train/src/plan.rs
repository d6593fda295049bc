//! What Nomen chooses where a user did not: a pure function of configuration, data and base.
//!
//! Data is measured in sentences: a text counts as one, or as one for every [`SENTENCE`] pieces where texts are
//! longer. The rules were fitted on NER sets of 100 to 13,000 sentences with `MiniLM`; `docs/benchmarks.md` has the
//! figures. The model that is best on the dev set is kept, so a rule that asks for too many steps costs time only.

use model::text::Alignment;

use crate::{Augment, BaseFacts, ConfigError, DataFacts, Facts, RunConfig, Scheduler, Settings};

/// Pieces of a long sentence.
const SENTENCE: usize = 64;
/// Sentences up to which texts are augmented, copies of each, and the rate of other mentions in them.
const AUGMENTED: usize = 200;
const COPIES: u32 = 3;
const MENTIONS: f64 = 0.5;
/// Epochs for one sentence if the rule went that far; they fall with the square root of the number of sentences.
const EPOCHS: f64 = 300.0;
/// Fewest and most epochs.
const EPOCH_RANGE: (f64, f64) = (2.0, 40.0);
/// Sentences in a batch, for data below so many sentences.
const BATCHES: [(usize, usize); 3] = [(1_000, 8), (4_000, 16), (usize::MAX, 32)];
/// Fewest windows in a batch, so that a gradient is no single text's and every worker thread has something to do.
const SMALLEST_BATCH: usize = 4;
/// Learning rate of a base of [`WIDTH`].
const RATE: f64 = 2e-4;
/// Width that [`RATE`] belongs to.
const WIDTH: f64 = 384.0;
/// An update moves the weights by what is still to be learned, of all, and by at least so much.
const LEAST_UNKNOWN: f64 = 0.25;
/// Lowest and highest rate.
const RATE_RANGE: (f64, f64) = (1e-5, 5e-4);
/// Shortest and longest window that is chosen.
const LENGTH_RANGE: (usize, usize) = (128, 512);
/// Special tokens around a text: every supported encoder has one before and one behind it.
const SPECIAL: usize = 2;
/// Evaluations on the dev set in a run, fewest and most.
const EVALUATIONS: (f64, f64) = (4.0, 20.0);
/// Time of all evaluations as a share of the time of training, at most.
const EVALUATION_TIME: f64 = 0.5;
/// Time of a piece in training over that in evaluation: forward and backward over forward.
const TRAINING_COST: f64 = 3.0;

/// A decided run.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// What the run uses.
    pub settings: Settings,
    /// What of that Nomen chose, in the order of the default file.
    pub choices: Vec<Choice>,
    /// Steps of the run, about.
    pub steps: u64,
}

/// One setting that Nomen chose.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    /// Its name.
    pub key: &'static str,
    /// Its value, as in `run.toml`.
    pub value: String,
    /// Why, in a few words.
    pub why: String,
}

/// Decides every setting that the configuration leaves open.
///
/// # Errors
/// Settings do not go together, or not with the base: windows longer than its positions, a stride that does not fit
/// them, more frozen layers than there are.
pub fn plan(config: &RunConfig, facts: &Facts) -> Result<Plan, ConfigError> {
    let Facts { train, dev, base, cores, known } = facts;
    let mut choices = Choices::default();

    let learning_rate = choices.take("learning_rate", config.learning_rate, || rate(base, *known));
    let alignment = choices.take("alignment", config.alignment, || alignment(train));
    let max_length = choices.take("max_length", config.max_length, || max_length(train, base));
    let stride = choices.take("stride", config.stride, || {
        (max_length / 4, format!("a quarter of max_length {max_length}; matters for longer texts only"))
    });
    check(config, base, max_length, stride)?;

    let windows = train.lengths.windows(max_length.saturating_sub(SPECIAL), stride).max(1);
    let sentences = sentences(train);
    let augment = augment(&mut choices, &config.augment, sentences);
    // Every copy of a text is about as long as the text.
    let times = augment.copies.unwrap_or(0) as usize + 1;
    let train_batch_pieces = config.train_batch_pieces.unwrap_or(0);
    let train_batch_size =
        choices.take("train_batch_size", config.train_batch_size, || batch_size(train, windows, sentences));
    // With a budget of pieces the number of texts has no effect.
    if train_batch_pieces > 0 {
        choices.0.retain(|choice| choice.key != "train_batch_size");
    }
    let steps_an_epoch = match train_batch_pieces {
        0 => (times * windows).div_ceil(train_batch_size),
        budget => (times * (train.lengths.total() + SPECIAL * windows)).div_ceil(budget),
    }
    .max(1) as u64;
    let max_steps = config.max_steps.unwrap_or(0);
    let num_train_epochs = choices.take("num_train_epochs", config.num_train_epochs, || {
        epochs(max_steps, steps_an_epoch, sentences, times, *known)
    });
    let all = u64::from(num_train_epochs).saturating_mul(steps_an_epoch);
    let steps = if max_steps == 0 { all } else { all.min(max_steps) };

    let seen = (times * train.lengths.total()) as f64 * steps as f64 / steps_an_epoch as f64;
    let dev = dev.as_ref().filter(|dev| dev.texts > 0);
    let eval_every = choices.take("eval_every", config.eval_every, || eval_every(steps, seen, dev));
    let patience = choices.take("patience", config.patience, || {
        let evaluations = match eval_every {
            0 => u64::from(num_train_epochs),
            every => steps.div_ceil(every),
        };
        patience(evaluations, dev)
    });
    let threads =
        choices.take("threads", config.threads, || ((*cores).max(1), "as many as the machine runs at once".to_owned()));

    let settings = Settings {
        learning_rate,
        lr_scheduler: config.lr_scheduler.unwrap_or(Scheduler::Linear),
        warmup_ratio: config.warmup_ratio.unwrap_or(0.0),
        num_train_epochs,
        max_steps,
        train_batch_size,
        train_batch_pieces,
        weight_decay: config.weight_decay.unwrap_or(0.0),
        max_grad_norm: config.max_grad_norm.unwrap_or(0.0),
        dropout: config.dropout,
        alignment,
        max_length,
        stride,
        seed: config.seed.unwrap_or(0),
        threads,
        eval_every,
        patience,
        checkpoint_every: config.checkpoint_every.unwrap_or(0),
        bf16: config.bf16.unwrap_or(false),
        layer_decay: config.layer_decay.unwrap_or(1.0),
        l2_sp: config.l2_sp.unwrap_or(0.0),
        keep_texts: config.keep_texts.unwrap_or(0),
        freeze_embeddings: config.freeze_embeddings.unwrap_or(false),
        freeze_layers: config.freeze_layers.unwrap_or(0),
        augment,
    };
    Ok(Plan { settings, choices: choices.0, steps })
}

/// Small sets have few names, and other names in their places teach more than the same ones again.
fn augment(choices: &mut Choices, config: &Augment, sentences: usize) -> Augment {
    let is_asked_for = config.mentions.is_some_and(|rate| rate > 0.0) || config.has_other_methods();
    let chosen = match (config.mentions, sentences) {
        _ if is_asked_for => Some("a method is set"),
        (None, ..=AUGMENTED) => Some("small sets have few names; other ones in their places teach more"),
        _ => None,
    };
    let copies = match (config.copies, chosen) {
        (None, Some(why)) => choices.take("augment.copies", None, || (COPIES, why.to_owned())),
        (copies, _) => copies.unwrap_or(0),
    };
    let mentions = match config.mentions {
        None if copies > 0 && !config.has_other_methods() => {
            choices.take("augment.mentions", None, || (MENTIONS, "half of all mentions".to_owned()))
        }
        rate => rate.unwrap_or(0.0),
    };
    let compare = config.compare.unwrap_or(config.copies.is_some() || is_asked_for);
    Augment { copies: Some(copies), mentions: Some(mentions), compare: Some(compare), ..config.clone() }
}

#[derive(Default)]
struct Choices(Vec<Choice>);

impl Choices {
    /// What was set, or what is chosen, which is noted.
    fn take<T: serde::Serialize>(
        &mut self,
        key: &'static str,
        set: Option<T>,
        choose: impl FnOnce() -> (T, String),
    ) -> T {
        set.unwrap_or_else(|| {
            let (value, why) = choose();
            let shown = toml::Value::try_from(&value).map(|value| value.to_string()).unwrap_or_default();
            self.0.push(Choice { key, value: shown, why });
            value
        })
    }
}

fn check(config: &RunConfig, base: &BaseFacts, max_length: usize, stride: usize) -> Result<(), ConfigError> {
    let fail = |problem| Err(ConfigError::Together(problem));
    if let Some(problem) = config.augment.problem() {
        return fail(problem.to_owned());
    }
    if max_length > base.positions {
        let positions = base.positions;
        return fail(format!(
            "`max_length` is {max_length}, but the base has {positions} positions; set it to {positions} or less \
             (longer texts are read in windows)"
        ));
    }
    if stride + SPECIAL >= max_length {
        return fail(format!(
            "`stride` is {stride}, but windows of `max_length` {max_length} hold {} pieces of a text and must advance; \
             lower stride or raise max_length",
            max_length.saturating_sub(SPECIAL)
        ));
    }
    match config.freeze_layers {
        Some(frozen) if frozen > base.layers => {
            fail(format!("`freeze_layers` is {frozen}, but the base has {} layers; lower it", base.layers))
        }
        _ => Ok(()),
    }
}

/// Sentences that a data set is worth.
fn sentences(train: &DataFacts) -> usize {
    train.texts.max(train.lengths.total().div_ceil(SENTENCE)).max(1)
}

/// Wide models have more weights to move and need smaller steps: what is best in practice falls about with the square
/// of the width (BERT's authors: 2e-5 to 5e-5 at 768).
fn rate(base: &BaseFacts, known: Option<f64>) -> (f64, String) {
    let rate = (RATE * (WIDTH / base.width as f64).powi(2) * unknown(known)).clamp(RATE_RANGE.0, RATE_RANGE.1);
    // Two digits are enough, and readable.
    let rate = format!("{rate:.1e}").parse().unwrap_or(rate);
    let why = match known {
        Some(known) => format!("the model has F1 {known:.2} on the new texts; the less is new, the smaller the steps"),
        None => format!("the base is {} wide; wider models take smaller steps", base.width),
    };
    (rate, why)
}

/// Share of what is to be learned that a model does not know yet. One that is right about nearly all new texts loses by long
/// training on few of them.
fn unknown(known: Option<f64>) -> f64 {
    known.map_or(1.0, |known| (1.0 - known).max(LEAST_UNKNOWN))
}

fn alignment(train: &DataFacts) -> (Alignment, String) {
    let why = if train.texts_with_words == train.texts {
        "the words of the training data are known"
    } else {
        "words are what the base's tokenizer separates"
    };
    (Alignment::Word, why.to_owned())
}

/// Packed texts take the room that they need, so long windows cost nothing where texts are short; short windows would
/// take context from long texts when the model is used.
fn max_length(train: &DataFacts, base: &BaseFacts) -> (usize, String) {
    let longest = train.lengths.longest();
    let needed = (longest + SPECIAL).next_multiple_of(SENTENCE);
    let length = needed.clamp(LENGTH_RANGE.0, LENGTH_RANGE.1).min(base.positions);
    let windowed = train.lengths.above(length.saturating_sub(SPECIAL));
    let why = match windowed {
        0 => format!("the longest training text has {longest} pieces"),
        _ => format!("{windowed} of {} texts are longer (up to {longest} pieces) and read in windows", train.texts),
    };
    (length, why)
}

/// Small sets need small batches to get enough steps out of few texts.
fn batch_size(train: &DataFacts, windows: usize, sentences: usize) -> (usize, String) {
    let (_, size) = BATCHES.into_iter().find(|(below, _)| sentences < *below).unwrap_or(BATCHES[2]);
    let length = train.lengths.total().div_ceil(windows);
    let weight = length.div_ceil(SENTENCE).max(1);
    match weight {
        1 => (size, format!("{sentences} texts")),
        _ => (
            (size / weight).max(SMALLEST_BATCH),
            format!("{} texts in {windows} windows of about {length} pieces", train.texts),
        ),
    }
}

/// The steps that help grow more slowly than the data: with epochs that fall with the square root of its size, ten times
/// the data gets about three times the steps.
///
/// Where every text is there several `times`, in copies, an epoch is so much longer and fewer make the same steps: then
/// what the copies bring is not what more steps would bring.
fn epochs(max_steps: u64, steps_an_epoch: u64, sentences: usize, times: usize, known: Option<f64>) -> (u32, String) {
    if max_steps > 0 {
        let epochs = max_steps.div_ceil(steps_an_epoch).min(100_000);
        return (epochs as u32, format!("{max_steps} steps are asked for and an epoch has {steps_an_epoch}"));
    }
    let passes = (unknown(known) * EPOCHS / (sentences as f64).sqrt()).round().clamp(EPOCH_RANGE.0, EPOCH_RANGE.1);
    let epochs = (passes / times as f64).round().max(1.0) as u32;
    let steps = u64::from(epochs) * steps_an_epoch;
    let size = match sentences {
        _ if known.is_some() => "what the model knows already needs no more",
        0..1_000 => "small sets need many passes",
        1_000..20_000 => "sets of this size need a few passes",
        _ => "large sets need few passes",
    };
    let each = if steps_an_epoch == 1 { "1 step" } else { &format!("{steps_an_epoch} steps") };
    let copies = if times == 1 { "" } else { "; copies make it longer, so there are fewer" };
    (epochs, format!("an epoch has {each}, {steps} in all; {size}{copies}"))
}

/// Often enough to find the best model, seldom enough not to cost more than the training.
fn eval_every(steps: u64, seen: f64, dev: Option<&DataFacts>) -> (u64, String) {
    let Some(dev) = dev else {
        return (0, "there is no dev set".to_owned());
    };
    let affordable = seen * TRAINING_COST * EVALUATION_TIME / dev.lengths.total().max(1) as f64;
    let evaluations = affordable.clamp(EVALUATIONS.0, EVALUATIONS.1);
    let every = (steps as f64 / evaluations).ceil().max(1.0) as u64;
    let why = format!("{} evaluations of {} dev texts in {steps} steps", steps.div_ceil(every), dev.texts);
    (every, why)
}

/// The rate falls until the last step and the score often rises until then, so only a run that is clearly past its best
/// is ended.
fn patience(evaluations: u64, dev: Option<&DataFacts>) -> (u32, String) {
    if dev.is_none() {
        return (0, "there is no dev set".to_owned());
    }
    let patience = (evaluations / 2).clamp(3, u64::from(u32::MAX)) as u32;
    (patience, format!("half of the {evaluations} evaluations, at least 3; the best model is kept"))
}
