//! Labels and the schema that defines them.

use std::{borrow::Borrow, collections::HashMap, fmt, sync::Arc};

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// The type of an entity, such as `PERSON`. Cheap to clone; compared by its text.
///
/// A label has no white space at its ends and no control characters; it is never empty and never `O`, which
/// every tag scheme keeps for tokens outside entities.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Label(Arc<str>);

/// Why a text cannot name a label.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("`{text}` cannot be a label: {reason}")]
pub struct LabelError {
    text: String,
    reason: &'static str,
}

impl Label {
    /// A label with this name.
    ///
    /// # Errors
    /// The name is empty, `O`, holds a control character, or has white space at an end.
    pub fn new(name: &str) -> Result<Self, LabelError> {
        let refuse = |reason| Err(LabelError { text: name.escape_debug().to_string(), reason });
        if name.is_empty() {
            return refuse("it is empty");
        }
        if name == "O" {
            return refuse("`O` is the tag of tokens outside every entity");
        }
        if name.trim() != name {
            return refuse("it has white space at an end");
        }
        if name.chars().any(char::is_control) {
            return refuse("it holds a control character");
        }
        Ok(Self(name.into()))
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Debug for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Borrow<str> for Label {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Label {
    type Error = LabelError;

    fn try_from(name: String) -> Result<Self, LabelError> {
        Self::new(&name)
    }
}

impl From<Label> for String {
    fn from(label: Label) -> Self {
        label.0.as_ref().to_owned()
    }
}

/// What a label means, in words that annotators, prompts and reports can show.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LabelDefinition {
    /// The label.
    pub name: Label,
    /// One or two sentences: what counts and where it ends.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub definition: String,
    /// Surfaces that carry the label.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub examples: Vec<String>,
}

impl LabelDefinition {
    /// A label that nobody has defined yet.
    pub fn undefined(name: Label) -> Self {
        Self { name, definition: String::new(), examples: Vec::new() }
    }
}

/// The labels of a project, in a fixed order, each at most once.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Vec<LabelDefinition>", into = "Vec<LabelDefinition>")]
pub struct Schema {
    labels: Vec<LabelDefinition>,
    index: HashMap<Label, usize>,
}

/// Why a list of definitions is not a schema.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum SchemaError {
    /// A label occurs twice.
    #[error("label `{0}` is defined twice; keep one definition")]
    Twice(Label),
}

impl Schema {
    /// A schema with these definitions, in this order.
    ///
    /// # Errors
    /// A label is defined twice.
    pub fn new(labels: Vec<LabelDefinition>) -> Result<Self, SchemaError> {
        let mut index = HashMap::with_capacity(labels.len());
        for (position, definition) in labels.iter().enumerate() {
            if index.insert(definition.name.clone(), position).is_some() {
                return Err(SchemaError::Twice(definition.name.clone()));
            }
        }
        Ok(Self { labels, index })
    }

    /// A schema of these labels without definitions; repeated labels are taken once, in order of first sight.
    pub fn of_labels(labels: impl IntoIterator<Item = Label>) -> Self {
        let mut schema = Self::default();
        for label in labels {
            if schema.position(label.as_str()).is_none() {
                schema.index.insert(label.clone(), schema.labels.len());
                schema.labels.push(LabelDefinition::undefined(label));
            }
        }
        schema
    }

    /// The definitions in order.
    pub fn definitions(&self) -> &[LabelDefinition] {
        &self.labels
    }

    /// The labels in order.
    pub fn labels(&self) -> impl ExactSizeIterator<Item = &Label> {
        self.labels.iter().map(|definition| &definition.name)
    }

    /// Position of a label, `None` where the schema does not have it.
    pub fn position(&self, label: &str) -> Option<usize> {
        self.index.get(label).copied()
    }

    /// Number of labels.
    pub fn len(&self) -> usize {
        self.labels.len()
    }

    /// Whether there is no label.
    pub fn is_empty(&self) -> bool {
        self.labels.is_empty()
    }
}

impl TryFrom<Vec<LabelDefinition>> for Schema {
    type Error = SchemaError;

    fn try_from(labels: Vec<LabelDefinition>) -> Result<Self, SchemaError> {
        Self::new(labels)
    }
}

impl From<Schema> for Vec<LabelDefinition> {
    fn from(schema: Schema) -> Self {
        schema.labels
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_no_tag_could_carry_are_refused() {
        for name in ["", "O", " PER", "PER ", "P\tER", "P\u{7f}"] {
            assert!(Label::new(name).is_err(), "{name:?} was accepted");
        }
        assert_eq!(Label::new("creative-work").unwrap().as_str(), "creative-work");
    }

    #[test]
    fn a_schema_keeps_order_and_refuses_repeats() {
        let label = |name| Label::new(name).unwrap();
        let schema = Schema::of_labels([label("B"), label("A"), label("B")]);
        assert_eq!(schema.labels().map(Label::as_str).collect::<Vec<_>>(), ["B", "A"]);
        assert_eq!(schema.position("A"), Some(1));
        let twice = vec![LabelDefinition::undefined(label("A")); 2];
        assert_eq!(Schema::new(twice), Err(SchemaError::Twice(label("A"))));
    }
}
