//! Scores by what the metadata says of the texts.

use std::{cmp::Reverse, collections::HashMap, fmt};

use schema::{Document, Meta};
use serde::{Serialize, Serializer, ser::SerializeMap};
use serde_json::Value;

use crate::{Counts, Interval, Pair, Rule, Settings};

/// Strict scores by the values of one metadata field, the worst first.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Slices {
    /// The field; a dot goes into an object, unless a field has that very name.
    pub key: String,
    /// By F1, the lowest first; those without any entity, which have no score, last.
    pub slices: Vec<Slice>,
}

/// The texts of one value.
#[derive(Debug, Clone, PartialEq)]
pub struct Slice {
    /// Which texts these are.
    pub of: SliceOf,
    /// Number of texts.
    pub texts: usize,
    /// Strict counts over their entities.
    pub counts: Counts,
    /// 95 % bootstrap interval of the F1.
    pub interval: Option<Interval>,
}

/// What the texts of a slice have in common.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum SliceOf {
    /// This value.
    Value(String),
    /// One of so many values that are in fewer texts than the [`Slices::MOST`] most frequent ones.
    Other(usize),
    /// The field is absent or null.
    Missing,
}

impl Slices {
    /// How many values have a slice of their own.
    pub const MOST: usize = 50;

    /// The scores of these pairs by the values of a field, of the labels that the settings name.
    pub fn of(key: &str, pairs: &[Pair<'_>], settings: &Settings) -> Self {
        let mut by_value: HashMap<Option<String>, Vec<Counts>> = HashMap::new();
        for pair in pairs {
            let judged = pair.judge(settings.labels.as_deref());
            let counts = Counts::of(Rule::Strict, &judged.gold, &judged.predicted);
            by_value.entry(value(pair.document, key)).or_default().push(counts);
        }
        let missing = by_value.remove(&None);
        let mut values: Vec<(String, Vec<Counts>)> =
            by_value.into_iter().filter_map(|(value, counts)| Some((value?, counts))).collect();
        values.sort_by(|a, b| (Reverse(a.1.len()), &a.0).cmp(&(Reverse(b.1.len()), &b.0)));
        let others = values.split_off(values.len().min(Self::MOST));
        let other = (!others.is_empty()).then(|| {
            let number = others.len();
            (SliceOf::Other(number), others.into_iter().flat_map(|(_, counts)| counts).collect())
        });
        let named = values.into_iter().map(|(value, counts)| (SliceOf::Value(value), counts));
        let all = named.chain(other).chain(missing.map(|counts| (SliceOf::Missing, counts)));
        let mut slices: Vec<Slice> = all.map(|(of, counts)| Slice::new(of, &counts, settings)).collect();
        slices.sort_by(|a, b| {
            let without = |slice: &Slice| slice.counts.gold + slice.counts.predicted == 0;
            without(a)
                .cmp(&without(b))
                .then(a.counts.f1().total_cmp(&b.counts.f1()))
                .then(b.counts.gold.cmp(&a.counts.gold))
        });
        Self { key: key.to_owned(), slices }
    }

    /// Whether no text has the field.
    pub fn is_unknown(&self) -> bool {
        self.slices.iter().all(|slice| slice.of == SliceOf::Missing)
    }
}

impl Slice {
    fn new(of: SliceOf, texts: &[Counts], settings: &Settings) -> Self {
        Self {
            of,
            texts: texts.len(),
            counts: texts.iter().copied().sum(),
            interval: Interval::of(texts, settings.resamples, settings.seed),
        }
    }
}

/// What a document's metadata says under a key: a text as it is, anything else as JSON.
fn value(document: &Document, key: &str) -> Option<String> {
    match find(&document.meta, key)? {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    }
}

fn find<'m>(meta: &'m Meta, key: &str) -> Option<&'m Value> {
    meta.get(key)
        .or_else(|| key.match_indices('.').find_map(|(at, _)| find(meta.get(&key[..at])?.as_object()?, &key[at + 1..])))
}

impl fmt::Display for SliceOf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Value(value) => f.pad(value),
            Self::Other(values) => write!(f, "(other: {values} values)"),
            Self::Missing => f.pad("(missing)"),
        }
    }
}

/// Serialized as `{"value", "texts", "p", "r", "f", "support", "predicted", "correct", "f_interval"}`; instead of `value`
/// there is `other`, the number of values, or `missing`, true.
impl Serialize for Slice {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        match &self.of {
            SliceOf::Value(value) => map.serialize_entry("value", value)?,
            SliceOf::Other(values) => map.serialize_entry("other", values)?,
            SliceOf::Missing => map.serialize_entry("missing", &true)?,
        }
        map.serialize_entry("texts", &self.texts)?;
        let average = self.counts.average();
        map.serialize_entry("p", &average.p)?;
        map.serialize_entry("r", &average.r)?;
        map.serialize_entry("f", &average.f)?;
        map.serialize_entry("support", &self.counts.gold)?;
        map.serialize_entry("predicted", &self.counts.predicted)?;
        map.serialize_entry("correct", &self.counts.correct)?;
        map.serialize_entry("f_interval", &self.interval)?;
        map.end()
    }
}

#[cfg(test)]
mod tests {
    use schema::{Entity, Label, Span};
    use serde_json::json;

    use super::*;

    fn text(meta: &Value) -> Document {
        let entity = Entity::new(Span::new(0, 4).unwrap(), Label::new("PER").unwrap());
        let mut document = Document::new("Anna").with_entities(vec![entity]).unwrap();
        document.meta = meta.as_object().unwrap().clone();
        document
    }

    fn slices(documents: &[Document], found: impl Fn(usize) -> bool, key: &str) -> Slices {
        let predicted = |at| if found(at) { documents[at].entities() } else { &[] };
        let pair = |(at, document)| Pair { document, predicted: predicted(at) };
        let pairs: Vec<Pair<'_>> = documents.iter().enumerate().map(pair).collect();
        Slices::of(key, &pairs, &Settings { resamples: 50, ..Settings::default() })
    }

    #[test]
    fn the_worst_value_comes_first_and_texts_without_the_key_are_a_slice() {
        let metas = [json!({"a": "x"}), json!({"a": 1}), json!({"a": null}), json!({"a": "x"}), json!({})];
        let documents = metas.map(|meta| text(&meta));
        let slices = slices(&documents, |at| at != 1 && at != 3, "a");
        let shown: Vec<_> =
            slices.slices.iter().map(|slice| (slice.of.to_string(), slice.texts, slice.counts.f1())).collect();
        assert_eq!(shown[0], ("1".to_owned(), 1, 0.0));
        assert_eq!((shown[1].0.as_str(), shown[1].1), ("x", 2));
        assert_eq!(shown[2], ("(missing)".to_owned(), 2, 1.0));
        assert!(slices.slices.iter().all(|slice| slice.interval.is_some()) && !slices.is_unknown());
    }

    #[test]
    fn rare_values_are_folded_and_the_counts_add_up() {
        let documents: Vec<Document> =
            (0..70).chain(0..10).map(|value| text(&json!({"source": {"site.name": value}}))).collect();
        let slices = slices(&documents, |at| at % 2 == 0, "source.site.name");
        assert_eq!(slices.slices.len(), Slices::MOST + 1);
        let other = slices.slices.iter().find(|slice| slice.of == SliceOf::Other(20)).unwrap();
        assert_eq!(other.texts, 20);
        assert_eq!(slices.slices.iter().map(|slice| slice.texts).sum::<usize>(), 80);
        assert_eq!(slices.slices.iter().map(|slice| slice.counts.correct).sum::<usize>(), 40);
        assert!(Slices::of("site", &[], &Settings::default()).is_unknown());
    }
}
