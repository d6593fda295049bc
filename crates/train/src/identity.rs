//! What a checkpoint must share with the run that goes on from it.

use std::{collections::BTreeMap, fmt};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::Settings;

/// Everything that decides a run's outcome. Two runs of equal identity, on one build and machine, give the same bits.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Identity {
    /// The settings.
    pub settings: Settings,
    /// SHA-256 sums of the base's files, by name.
    pub base: BTreeMap<String, String>,
    /// Fingerprints of the data sets (`train`, `dev`), and of the copies of the training texts where there are any
    /// (`augmented`).
    pub data: BTreeMap<String, String>,
    /// The labels in order.
    pub labels: Vec<String>,
}

/// One thing that differs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// What differs, such as `settings.learning_rate` or `data.train`.
    pub field: String,
    /// What the run was begun with.
    pub saved: String,
    /// What there is now.
    pub now: String,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: it was {}, it is {}", self.field, self.saved, self.now)
    }
}

impl Identity {
    /// Everything that differs from the identity of a run, field by field. How often checkpoints are written and
    /// whether the run is compared with another do not change an outcome and are left out.
    pub fn differences(&self, now: &Self) -> Vec<Difference> {
        let flat = |identity: &Self| {
            let mut fields = BTreeMap::new();
            let value = serde_json::to_value(identity).unwrap_or_default();
            flatten("", &value, &mut fields);
            for field in ["settings.checkpoint_every", "settings.augment.compare"] {
                fields.remove(field);
            }
            fields
        };
        let (saved, now) = (flat(self), flat(now));
        let fields: std::collections::BTreeSet<&String> = saved.keys().chain(now.keys()).collect();
        let show = |value: Option<&String>| value.cloned().unwrap_or_else(|| "nothing".to_owned());
        fields
            .into_iter()
            .filter(|field| saved.get(*field) != now.get(*field))
            .map(|field| Difference { field: field.clone(), saved: show(saved.get(field)), now: show(now.get(field)) })
            .collect()
    }
}

/// The leaves of an object as JSON, by their path.
pub(crate) fn flatten(path: &str, value: &Value, fields: &mut BTreeMap<String, String>) {
    let below = |key: &str| if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") };
    match value {
        Value::Object(object) => object.iter().for_each(|(key, value)| flatten(&below(key), value, fields)),
        other => {
            fields.insert(path.to_owned(), other.to_string());
        }
    }
}
