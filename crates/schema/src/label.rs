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
    /// Surfaces that look as if they carried the label, and do not.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub near_misses: Vec<String>,
    /// How the label is shown: `#` and six hexadecimal digits; empty where nobody chose.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub colour: String,
    /// The more general label that this one is a kind of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<Label>,
}

impl LabelDefinition {
    /// A label that nobody has defined yet.
    pub fn undefined(name: Label) -> Self {
        let (definition, colour) = (String::new(), String::new());
        Self { name, definition, examples: Vec::new(), near_misses: Vec::new(), colour, parent: None }
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
    /// A label's parent is no label of the schema.
    #[error("label `{label}` has the parent `{parent}`, which is not defined; define it, or leave the parent out")]
    UnknownParent {
        /// The label.
        label: Label,
        /// Its parent.
        parent: Label,
    },
    /// A label is its own parent, or that of its parent's parent.
    #[error("label `{0}` is a kind of itself; leave one of the parents out")]
    Circle(Label),
    /// A colour that no page could show.
    #[error("label `{label}` has the colour `{colour}`; write # and six hexadecimal digits, such as #2a9d8f")]
    Colour {
        /// The label.
        label: Label,
        /// What it has.
        colour: String,
    },
}

impl Schema {
    /// A schema with these definitions, in this order.
    ///
    /// # Errors
    /// A label is defined twice, a parent is not defined or goes round in a circle, or a colour is none.
    pub fn new(labels: Vec<LabelDefinition>) -> Result<Self, SchemaError> {
        let mut index = HashMap::with_capacity(labels.len());
        for (position, definition) in labels.iter().enumerate() {
            if index.insert(definition.name.clone(), position).is_some() {
                return Err(SchemaError::Twice(definition.name.clone()));
            }
        }
        let schema = Self { labels, index };
        for definition in &schema.labels {
            schema.check(definition)?;
        }
        Ok(schema)
    }

    fn check(&self, definition: &LabelDefinition) -> Result<(), SchemaError> {
        let LabelDefinition { name: label, colour, parent, .. } = definition;
        let is_colour = |digits: &str| digits.len() == 6 && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
        if !colour.is_empty() && !colour.strip_prefix('#').is_some_and(is_colour) {
            return Err(SchemaError::Colour { label: label.clone(), colour: colour.escape_debug().to_string() });
        }
        if let Some(parent) = parent
            && self.position(parent.as_str()).is_none()
        {
            return Err(SchemaError::UnknownParent { label: label.clone(), parent: parent.clone() });
        }
        // A way up that is longer than the list of labels has met one of them twice.
        if self.ancestors(label).take(self.len() + 1).count() > self.len() {
            return Err(SchemaError::Circle(label.clone()));
        }
        Ok(())
    }

    /// The parent of a label, the parent's parent and so on.
    pub fn ancestors(&self, label: &Label) -> impl Iterator<Item = &Label> {
        let parent = |label: &Label| self.labels.get(self.position(label.as_str())?)?.parent.as_ref();
        std::iter::successors(parent(label), move |label| parent(label))
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

    #[test]
    fn parents_are_labels_of_the_schema_and_never_go_round() {
        let label = |name| Label::new(name).unwrap();
        let kind = |name, parent: &str| {
            let parent = (!parent.is_empty()).then(|| Label::new(parent).unwrap());
            LabelDefinition { parent, ..LabelDefinition::undefined(label(name)) }
        };
        let schema = Schema::new(vec![kind("A", ""), kind("B", "A"), kind("C", "B")]).unwrap();
        assert_eq!(schema.ancestors(&label("C")).map(Label::as_str).collect::<Vec<_>>(), ["B", "A"]);
        assert_eq!(Schema::new(vec![kind("A", "A")]), Err(SchemaError::Circle(label("A"))));
        assert!(matches!(Schema::new(vec![kind("A", "B"), kind("B", "A")]), Err(SchemaError::Circle(_))));
        assert!(matches!(Schema::new(vec![kind("A", "X")]), Err(SchemaError::UnknownParent { .. })));
    }

    #[test]
    fn a_colour_that_is_none_is_refused() {
        for (colour, good) in [("", true), ("#2a9d8f", true), ("2a9d8f", false), ("#2a9", false), ("#gggggg", false)] {
            let definition =
                LabelDefinition { colour: colour.into(), ..LabelDefinition::undefined(Label::new("A").unwrap()) };
            assert_eq!(Schema::new(vec![definition]).is_ok(), good, "{colour}");
        }
    }
}
