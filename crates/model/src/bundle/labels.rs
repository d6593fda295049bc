//! `id2label` of a `config.json`.

use std::path::Path;

use serde_json::Value;

use super::BundleError;
use crate::decode::TagSet;

/// The tags of a `config.json`, in the order of their numbers.
pub(super) fn tag_set(config: &Value, path: &Path) -> Result<TagSet, BundleError> {
    let disagree = |problem: String| BundleError::Disagree { path: path.to_owned(), problem };
    let Some(id2label) = config.get("id2label").and_then(Value::as_object) else {
        let problem = "there is no id2label, so this is no token classifier; name a fine-tuned model, or train one \
                       with `nomen train --base`";
        return Err(disagree(problem.to_owned()));
    };
    let count = id2label.len();
    let mut names: Vec<Option<String>> = vec![None; count];
    let mut problems = Vec::new();
    for (id, name) in id2label {
        let slot = id.parse::<usize>().ok().and_then(|id| names.get_mut(id));
        match (slot, name.as_str()) {
            (Some(slot), Some(name)) => *slot = Some(name.to_owned()),
            _ => problems.push(format!("id2label: expected a number below {count} and a name, found {id:?}: {name}")),
        }
    }
    let missing = names.iter().enumerate().filter(|(_, name)| name.is_none());
    problems.extend(missing.map(|(id, _)| format!("id2label: {count} tags, expected one with the number {id}")));
    let label2id = config.get("label2id").and_then(Value::as_object);
    for (id, name) in names.iter().enumerate().filter_map(|(id, name)| Some((id, name.as_ref()?))) {
        // Names that only one of the two has are what transformers leaves behind when a model gets other labels.
        if let Some(other) = label2id.and_then(|label2id| label2id.get(name)).filter(|other| **other != id) {
            problems.push(format!("label2id: expected {name:?} to be {id} as in id2label, found {other}"));
        }
    }
    if !problems.is_empty() {
        return Err(disagree(problems.join("\n  ")));
    }
    TagSet::from_names(names.into_iter().flatten()).map_err(|error| BundleError::Tags { path: path.to_owned(), error })
}
