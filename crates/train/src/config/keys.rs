//! The settings' names and the range of each.

use std::fmt;

use model::base::BaseSpec;
use toml::Value;

use super::error::Problem;

/// A setting.
pub(super) struct Key {
    /// As it is given to `--set`: with its section before a dot, if it has one.
    pub name: &'static str,
    pub range: Range,
}

/// Values that a setting can have.
#[derive(Debug, Clone, Copy)]
pub(super) enum Range {
    /// Whole numbers, both ends included.
    Whole(i64, i64),
    /// Numbers above 0.
    Positive,
    /// Numbers from 0.
    NotNegative,
    /// Numbers from 0 to 1.
    Ratio,
    /// Numbers from 0, below 1.
    Probability,
    /// True or false.
    Flag,
    /// One of these names.
    Name(&'static [&'static str]),
    /// The name of a base.
    Base,
    /// The path of a file.
    File,
}

use Range::{Base, File, Flag, Name, NotNegative, Positive, Probability, Ratio, Whole};

const U32: i64 = u32::MAX as i64;

/// Every setting.
pub(super) const KEYS: &[Key] = &[
    key("base", Base),
    key("learning_rate", Positive),
    key("lr_scheduler", Name(&["linear", "cosine", "constant"])),
    key("warmup_ratio", Ratio),
    key("num_train_epochs", Whole(1, 100_000)),
    key("max_steps", Whole(0, i64::MAX)),
    key("train_batch_size", Whole(1, U32)),
    key("train_batch_pieces", Whole(0, U32)),
    key("weight_decay", NotNegative),
    key("max_grad_norm", NotNegative),
    key("dropout", Probability),
    key("bf16", Flag),
    key("layer_decay", Ratio),
    key("l2_sp", NotNegative),
    key("keep_texts", Whole(0, U32)),
    key("freeze_embeddings", Flag),
    key("freeze_layers", Whole(0, U32)),
    key("alignment", Name(&["word", "piece"])),
    key("max_length", Whole(3, U32)),
    key("stride", Whole(0, U32)),
    key("eval_every", Whole(0, i64::MAX)),
    key("patience", Whole(0, U32)),
    key("checkpoint_every", Whole(0, i64::MAX)),
    key("seed", Whole(0, i64::MAX)),
    key("threads", Whole(1, 4096)),
    key("augment.copies", Whole(0, 1_000)),
    key("augment.mentions", Ratio),
    key("augment.mentions_file", File),
    key("augment.context", Ratio),
    key("augment.synonyms", Ratio),
    key("augment.synonyms_file", File),
    key("augment.shuffle", Ratio),
    key("augment.typos", Ratio),
    key("augment.casing", Ratio),
    key("augment.join", Ratio),
    key("augment.compare", Flag),
];

const fn key(name: &'static str, range: Range) -> Key {
    Key { name, range }
}

/// The setting of this name in a section; `""` is no section.
pub(super) fn find(section: &str, name: &str) -> Option<&'static Key> {
    KEYS.iter().find(|key| match key.name.split_once('.') {
        Some(parts) => parts == (section, name),
        None => section.is_empty() && key.name == name,
    })
}

/// Whether settings stand in a section of this name.
pub(super) fn is_section(name: &str) -> bool {
    KEYS.iter().any(|key| key.name.split_once('.').is_some_and(|(section, _)| section == name))
}

/// The setting whose name is most like the one that was given, if one is.
pub(super) fn nearest(given: &str) -> Option<&'static str> {
    let given = given.to_lowercase().replace('-', "_");
    // Whoever leaves the section out means the same key.
    let likeness = |name: &str| {
        let alone = name.rsplit('.').next().unwrap_or(name);
        strsim::jaro_winkler(&given, name).max(strsim::jaro_winkler(&given, alone))
    };
    KEYS.iter()
        .map(|key| (likeness(key.name), key.name))
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .filter(|(likeness, _)| *likeness > 0.8)
        .map(|(_, name)| name)
}

impl Key {
    /// Whether the setting can have this value.
    pub fn check(&self, value: &Value) -> Result<(), Problem> {
        let number = match value {
            Value::Integer(integer) => Some(*integer as f64),
            // What a weight cannot hold is out of range too.
            Value::Float(float) if (*float as f32).is_finite() => Some(*float),
            _ => None,
        };
        let fits = match self.range {
            Whole(low, high) => value.as_integer().is_some_and(|integer| (low..=high).contains(&integer)),
            Positive => number.is_some_and(|number| number > 0.0),
            NotNegative => number.is_some_and(|number| number >= 0.0),
            Ratio => number.is_some_and(|number| (0.0..=1.0).contains(&number)),
            Probability => number.is_some_and(|number| (0.0..1.0).contains(&(number as f32))),
            Flag => value.is_bool(),
            Name(names) => value.as_str().is_some_and(|name| names.contains(&name)),
            File => value.as_str().is_some_and(|path| !path.is_empty()),
            Base => match value.as_str().map(str::parse::<BaseSpec>) {
                Some(Err(error)) => return Err(Problem::Syntax(error.to_string())),
                Some(Ok(_)) => true,
                None => false,
            },
        };
        if fits {
            return Ok(());
        }
        Err(Problem::Value { key: self.name, found: value.to_string(), expected: self.range.to_string() })
    }
}

impl fmt::Display for Range {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Whole(low, i64::MAX | U32) => write!(f, "a whole number, at least {low}"),
            Whole(low, high) => write!(f, "a whole number from {low} to {high}"),
            Positive => f.write_str("a number above 0"),
            NotNegative => f.write_str("a number, at least 0"),
            Ratio => f.write_str("a number from 0 to 1"),
            Probability => f.write_str("a number of at least 0 and below 1"),
            Flag => f.write_str("true or false"),
            Name(names) => write!(f, "one of \"{}\"", names.join("\", \"")),
            File => f.write_str("the path of a file"),
            Base => f.write_str("the name of a base, such as \"minilm\""),
        }
    }
}
