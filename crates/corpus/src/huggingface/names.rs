//! The names that numbers of tags stand for.

use std::{collections::BTreeSet, fs, io, path::Path};

use schema::{
    Label,
    tags::{Scheme, Tag},
};
use serde_json::{Value, json};

use super::{ID, TAGS, TOKENS};
use crate::ReadErrorKind;

/// What `datasets` calls its description of the columns, as a file beside the data.
const BESIDE: &str = "dataset_info.json";
/// Most bytes of it that are read.
const BESIDE_BYTES: u64 = 16 << 20;

/// Tags in the order of their numbers.
pub(super) struct Names(Vec<Tag>);

impl Names {
    /// Names in the order of their numbers.
    pub(super) fn new(names: &[String]) -> Result<Self, ReadErrorKind> {
        let tag = |(number, name): (usize, &String)| {
            name.parse().map_err(|error| ReadErrorKind::Field {
                field: format!("the names of the tags, number {number}"),
                problem: format!("{error}"),
            })
        };
        names.iter().enumerate().map(tag).collect::<Result<_, _>>().map(Self)
    }

    /// The names that the file `dataset_info.json` in the same folder tells, where there is one that tells them.
    pub(super) fn beside(path: &Path) -> Result<Option<Self>, ReadErrorKind> {
        let file = match fs::File::open(path.with_file_name(BESIDE)) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        let mut text = String::new();
        io::Read::read_to_string(&mut io::Read::take(file, BESIDE_BYTES), &mut text)?;
        let info: Value = serde_json::from_str(&text).map_err(|error| ReadErrorKind::Field {
            field: BESIDE.to_owned(),
            problem: format!("the file beside the data, which may name its tags, is no JSON: {error}"),
        })?;
        Self::of(&info["features"])
    }

    /// The names in a description of the columns as `datasets` writes it, where it names the tags.
    pub(super) fn of(features: &Value) -> Result<Option<Self>, ReadErrorKind> {
        let Some(column) = TAGS.into_iter().find_map(|field| features.get(field)) else { return Ok(None) };
        // A list of a feature, as releases from 1 on have written it.
        let feature = column.get("feature").or_else(|| column.get(0)).unwrap_or(column);
        let Some(names) = feature.get("names").and_then(Value::as_array) else { return Ok(None) };
        let names: Option<Vec<String>> = names.iter().map(|name| name.as_str().map(str::to_owned)).collect();
        names.map(|names| Self::new(&names)).transpose()
    }

    /// The tag with this number.
    pub(super) fn tag(&self, number: i64) -> Result<&Tag, String> {
        let found = usize::try_from(number).ok().and_then(|number| self.0.get(number));
        found.ok_or_else(|| format!("{number} has no name: the list names 0 to {}", self.0.len().saturating_sub(1)))
    }
}

/// The tags that a file of these labels can need, in the order of their numbers: `O`, then label by label. Files
/// with the same labels number them alike.
pub(super) fn numbered(labels: &BTreeSet<Label>, scheme: Scheme) -> Vec<Tag> {
    let of =
        |label: &Label| scheme.prefixes().iter().map(|prefix| Tag::Part(*prefix, label.clone())).collect::<Vec<_>>();
    std::iter::once(Tag::Outside).chain(labels.iter().flat_map(of)).collect()
}

/// The description of the columns that `datasets` understands.
pub(super) fn description(tags: &[Tag], with_id: bool) -> String {
    let names: Vec<String> = tags.iter().map(ToString::to_string).collect();
    // The name that every release knows for a list of a feature.
    let list = |feature: Value| json!({"feature": feature, "_type": "Sequence"});
    let text = json!({"dtype": "string", "_type": "Value"});
    let mut features = serde_json::Map::new();
    if with_id {
        features.insert(ID.to_owned(), text.clone());
    }
    features.insert(TOKENS.to_owned(), list(text));
    features.insert(TAGS[0].to_owned(), list(json!({"names": names, "_type": "ClassLabel"})));
    json!({"info": {"features": features}}).to_string()
}
