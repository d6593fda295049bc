//! `gate.toml`: known keys, values in range, errors with their line.

use std::path::Path;

use schema::Label;
use toml::{Spanned, de::DeTable, de::DeValue};

use super::{Bounds, Policy, SetBounds, Undecided, nearest};
use crate::gate::{PolicyError, Problem};

const TOP: &[&str] =
    &["max_drop", "max_drop_label", "confidence", "min_support", "undecided", "resamples", "seed", "labels", "sets"];
const OF_LABEL: &[&str] = &["max_drop", "min_gain"];
const OF_SET: &[&str] = &["max_drop", "min_gain", "labels"];

/// Fewer give intervals by chance, more than these nobody waits for.
const RESAMPLES: (u64, u64) = (100, 1_000_000);

/// What is wrong, and at which byte.
type Wrong = (usize, Problem);

impl Policy {
    /// The policy in this text; `path` is for the errors.
    ///
    /// # Errors
    /// As [`Policy::read`], but for reading.
    pub fn parse(text: &str, path: &Path) -> Result<Self, PolicyError> {
        let table = DeTable::parse(text).map_err(|error| {
            (error.span().map_or(0, |span| span.start), Problem::Syntax(error.message().trim().to_owned()))
        });
        table.and_then(|table| policy(table.get_ref())).map_err(|(at, problem)| {
            let line = text[..at.min(text.len())].bytes().filter(|byte| *byte == b'\n').count() + 1;
            PolicyError::Setting { path: path.to_owned(), line, problem }
        })
    }
}

/// One `key = value` of a table.
struct Entry<'t> {
    /// With the tables around it.
    key: String,
    name: &'t str,
    at: usize,
    value: &'t DeValue<'t>,
}

fn entries<'t>(table: &'t DeTable<'t>, above: &str) -> impl Iterator<Item = Entry<'t>> {
    let entry = move |(name, value): (&'t Spanned<_>, &'t Spanned<DeValue<'t>>)| {
        let at = name.span().start;
        let name: &'t std::borrow::Cow<'t, str> = name.get_ref();
        Entry { key: format!("{above}{name}"), name, at, value: value.get_ref() }
    };
    table.iter().map(entry)
}

fn policy(table: &DeTable<'_>) -> Result<Policy, Wrong> {
    let mut policy = Policy::default();
    for entry in entries(table, "") {
        match entry.name {
            "max_drop" => policy.max_drop = entry.fraction()?,
            "max_drop_label" => policy.max_drop_label = entry.fraction()?,
            "confidence" => policy.confidence = entry.confidence()?,
            "min_support" => policy.min_support = entry.whole(0, u64::MAX, "a whole number, at least 0")? as usize,
            "undecided" => policy.undecided = entry.undecided()?,
            "resamples" => {
                let (low, high) = RESAMPLES;
                policy.resamples = entry.whole(low, high, "a whole number from 100 to 1000000")? as usize;
            }
            "seed" => policy.seed = entry.whole(0, i64::MAX as u64, "a whole number, at least 0")?,
            "labels" => {
                for entry in entries(entry.table()?, "labels.") {
                    policy.labels.insert(entry.label()?, label_bounds(&entry)?);
                }
            }
            "sets" => {
                for entry in entries(entry.table()?, "sets.") {
                    policy.sets.insert(entry.name.to_owned(), set_bounds(&entry)?);
                }
            }
            _ => return Err(entry.unknown(TOP)),
        }
    }
    Ok(policy)
}

fn label_bounds(of: &Entry<'_>) -> Result<Bounds, Wrong> {
    let mut bounds = Bounds::default();
    for entry in entries(of.table()?, &format!("{}.", of.key)) {
        if !entry.bound(&mut bounds)? {
            return Err(entry.unknown(OF_LABEL));
        }
    }
    Ok(bounds)
}

fn set_bounds(of: &Entry<'_>) -> Result<SetBounds, Wrong> {
    let mut bounds = SetBounds::default();
    for entry in entries(of.table()?, &format!("{}.", of.key)) {
        if entry.name == "labels" {
            for label in entries(entry.table()?, &format!("{}.", entry.key)) {
                bounds.labels.insert(label.label()?, label_bounds(&label)?);
            }
        } else if !entry.bound(&mut bounds.all)? {
            return Err(entry.unknown(OF_SET));
        }
    }
    Ok(bounds)
}

impl Entry<'_> {
    /// Whether it is one of the bounds, which is then set.
    fn bound(&self, bounds: &mut Bounds) -> Result<bool, Wrong> {
        match self.name {
            "max_drop" => bounds.max_drop = Some(self.fraction()?),
            "min_gain" => bounds.min_gain = Some(self.fraction()?),
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn number(&self) -> Option<f64> {
        match self.value {
            DeValue::Float(float) => float.as_str().replace('_', "").parse().ok(),
            DeValue::Integer(integer) if integer.radix() == 10 => integer.as_str().replace('_', "").parse().ok(),
            _ => None,
        }
    }

    fn fraction(&self) -> Result<f64, Wrong> {
        let is_fraction = |number: &f64| (0.0..=1.0).contains(number);
        let expected = "a fraction of F1 from 0 to 1; one point of F1 is 0.01";
        self.number().filter(is_fraction).ok_or_else(|| self.wrong(expected))
    }

    fn confidence(&self) -> Result<f64, Wrong> {
        let is_level = |number: &f64| (0.5..=0.999).contains(number);
        self.number().filter(is_level).ok_or_else(|| self.wrong("a number from 0.5 to 0.999, such as 0.95"))
    }

    fn whole(&self, low: u64, high: u64, expected: &'static str) -> Result<u64, Wrong> {
        let whole = match self.value {
            DeValue::Integer(integer) if integer.radix() == 10 => integer.as_str().replace('_', "").parse().ok(),
            _ => None,
        };
        whole.filter(|whole| (low..=high).contains(whole)).ok_or_else(|| self.wrong(expected))
    }

    fn undecided(&self) -> Result<Undecided, Wrong> {
        match self.value {
            DeValue::String(name) if name == "pass" => Ok(Undecided::Pass),
            DeValue::String(name) if name == "fail" => Ok(Undecided::Fail),
            _ => Err(self.wrong("\"pass\" or \"fail\"")),
        }
    }

    fn table(&self) -> Result<&DeTable<'_>, Wrong> {
        match self.value {
            DeValue::Table(table) => Ok(table),
            _ => Err(self.wrong("a table")),
        }
    }

    fn label(&self) -> Result<Label, Wrong> {
        Label::new(self.name).map_err(|error| (self.at, Problem::Syntax(format!("`{}`: {error}", self.key))))
    }

    fn wrong(&self, expected: &'static str) -> Wrong {
        let found = match self.value {
            DeValue::String(text) => format!("{text:?}"),
            DeValue::Integer(integer) => integer.to_string(),
            DeValue::Float(float) => float.to_string(),
            DeValue::Boolean(flag) => flag.to_string(),
            DeValue::Datetime(time) => time.to_string(),
            DeValue::Array(_) => "a list".to_owned(),
            DeValue::Table(_) => "a table".to_owned(),
        };
        (self.at, Problem::Value { key: self.key.clone(), found, expected })
    }

    fn unknown(&self, known: &'static [&'static str]) -> Wrong {
        let nearest = nearest(self.name, known.iter().copied());
        (self.at, Problem::UnknownKey { key: self.key.clone(), nearest, known: known.join(", ") })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gate::Bound;

    fn parse(text: &str) -> Result<Policy, String> {
        Policy::parse(text, Path::new("gate.toml")).map_err(|error| error.to_string())
    }

    #[test]
    fn what_a_policy_leaves_out_is_the_default_and_the_nearest_bound_counts() {
        assert_eq!(parse("").unwrap(), Policy::default());
        let policy = parse(
            "max_drop = 0\nmax_drop_label = 0.03\nconfidence = 0.9\nundecided = \"fail\"\n\
             [labels.PER]\nmax_drop = 0.02\n[sets.new]\nmin_gain = 0.1\n[sets.new.labels.PER]\nmin_gain = 0.2\n",
        )
        .unwrap();
        let label = |name| Label::new(name).unwrap();
        let bound = |set, label: Option<&Label>| {
            let Bound { max_drop, min_gain } = policy.bound(set, label);
            (max_drop, min_gain)
        };
        assert_eq!((policy.confidence, policy.undecided), (0.9, Undecided::Fail));
        assert_eq!(bound("old", None), (0.0, None));
        assert_eq!(bound("new", None), (0.0, Some(0.1)));
        assert_eq!(bound("old", Some(&label("PER"))), (0.02, None));
        assert_eq!(bound("new", Some(&label("PER"))), (0.02, Some(0.2)));
        assert_eq!(bound("new", Some(&label("LOC"))), (0.03, None));
    }

    #[test]
    fn wrong_keys_and_values_are_refused_with_line_and_way_out() {
        for (text, expected) in [
            ("\nmax_drops = 1", "gate.toml:2: unknown key `max_drops`, did you mean `max_drop`?"),
            ("confidence = 1.0", "gate.toml:1: `confidence` is 1.0; it must be a number from 0.5 to 0.999"),
            ("max_drop = 2", "`max_drop` is 2; it must be a fraction of F1"),
            ("max_drop = nan", "`max_drop` is nan"),
            ("max_drop = -0.1", "`max_drop` is -0.1"),
            ("min_support = 0x10", "`min_support` is"),
            ("undecided = \"skip\"", "`undecided` is \"skip\"; it must be \"pass\" or \"fail\""),
            ("[labels]\nPER = 1", "gate.toml:2: `labels.PER` is 1; it must be a table"),
            ("[labels.PER]\nmin_gian = 1", "unknown key `labels.PER.min_gian`, did you mean `min_gain`?"),
            ("[sets.new.labels.PER]\nsupport = 1", "unknown key `sets.new.labels.PER.support`; known are max_drop"),
            ("[labels.\"\"]\n", "gate.toml:1: `labels.`"),
            ("resamples = 1", "`resamples` is 1"),
            ("max_drop = ", "gate.toml:1:"),
        ] {
            let refused = parse(text).unwrap_err();
            assert!(refused.contains(expected), "{text}: {refused}");
        }
    }
}
