//! What a model wrote, held to the form and the labels that it was asked for.

use std::collections::BTreeMap;

use schema::{Label, Schema};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Value, json};
use thiserror::Error;

use super::Reply;
use crate::suggest::ground::Quote;

/// An answer that is not in the form that was asked for.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{0}")]
pub struct Broken(pub String);

/// The quotes of an answer.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Quotes {
    /// Those with a label of the schema, in their order.
    pub quotes: Vec<Quote>,
    /// How many had another label.
    pub foreign: BTreeMap<String, usize>,
}

#[derive(Deserialize)]
struct Answer {
    entities: Vec<Row>,
}

/// A quote as a model writes it; whatever else it writes, such as offsets, is not looked at.
#[derive(Deserialize)]
pub(crate) struct Row {
    quote: String,
    label: String,
    #[serde(default)]
    before: Option<String>,
}

/// The object that an answer is.
///
/// The whole answer has to be one JSON object, or one block of code that holds nothing else. An object amid prose is not
/// taken: what stands around it may take it back.
pub(crate) fn object<T: DeserializeOwned>(reply: &Reply) -> Result<T, Broken> {
    let text = reply.content.trim();
    if text.is_empty() {
        return Err(Broken("it is empty".into()));
    }
    let fenced = text.strip_prefix("```").and_then(|text| text.strip_suffix("```"));
    let inside = fenced.and_then(|text| text.split_once('\n')).filter(|(language, _)| language.trim().len() <= 10);
    let text = inside.map_or(text, |(_, inside)| inside);
    serde_json::from_str(text).map_err(|error| Broken(format!("it is not the JSON that was asked for: {error}")))
}

impl Quotes {
    /// The quotes of an answer.
    ///
    /// # Errors
    /// It is not in the form that was asked for.
    pub fn of(reply: &Reply, schema: &Schema) -> Result<Self, Broken> {
        let Answer { entities } = object(reply)?;
        Ok(Self::of_rows(entities, schema))
    }

    pub(crate) fn of_rows(rows: Vec<Row>, schema: &Schema) -> Self {
        let mut found = Self::default();
        for Row { quote, label: name, before } in rows {
            match known(schema, &name) {
                Some(label) => found.quotes.push(Quote { text: quote, label, before: before.unwrap_or_default() }),
                None => *found.foreign.entry(name.chars().take(100).collect()).or_insert(0) += 1,
            }
        }
        found
    }
}

/// The label of a name, where it is that of one label alone but for its case.
fn known(schema: &Schema, name: &str) -> Option<Label> {
    let name = name.trim();
    if let Some(label) = schema.labels().find(|label| label.as_str() == name) {
        return Some(label.clone());
    }
    let mut alike = schema.labels().filter(|label| label.as_str().to_lowercase() == name.to_lowercase());
    let label = alike.next()?;
    alike.next().is_none().then(|| label.clone())
}

/// The JSON schema of a list of entities.
pub(crate) fn entities_schema(schema: &Schema) -> Value {
    let labels: Vec<&str> = schema.labels().map(Label::as_str).collect();
    json!({
        "type": "array",
        "items": {
            "type": "object",
            "properties": {
                "quote": {"type": "string"},
                "label": {"type": "string", "enum": labels},
                "before": {"type": "string"},
            },
            "required": ["quote", "label", "before"],
            "additionalProperties": false,
        },
    })
}

/// The JSON schema of the answer about a text.
pub(super) fn answer_schema(schema: &Schema) -> Value {
    json!({
        "type": "object",
        "properties": {"entities": entities_schema(schema)},
        "required": ["entities"],
        "additionalProperties": false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::suggest::llm::Finish;

    fn quotes(content: &str) -> Result<Quotes, Broken> {
        let schema = Schema::of_labels(["PERSON", "Place", "place"].map(|name| Label::new(name).unwrap()));
        Quotes::of(&Reply { content: content.into(), finish: Finish::Stop, usage: None }, &schema)
    }

    #[test]
    fn one_object_is_taken_and_an_object_amid_prose_is_not() {
        let object = r#"{"entities":[{"quote":"Anna","label":"person","before":"","start":3}]}"#;
        let fenced = format!("```json\n{object}\n```\n");
        for text in [object, &fenced, &format!("  {object}\n")] {
            let found = quotes(text).unwrap();
            assert_eq!((found.quotes[0].text.as_str(), found.quotes[0].label.as_str()), ("Anna", "PERSON"));
        }
        let broken = [
            "",
            "I cannot do that.",
            &format!("Here it is: {object}"),
            &format!("{object} I hope this helps!"),
            &object[..object.len() - 3],
            r#"{"entities":[{"quote":"Anna"}]}"#,
            r#"{"entities":null}"#,
            r#"[{"quote":"Anna","label":"PERSON"}]"#,
            &format!("```json\n{object}\n``` or ```\n{object}\n```"),
        ];
        for text in broken {
            assert!(quotes(text).is_err(), "{text}");
        }
        assert!(quotes(&"[".repeat(100_000)).is_err());
    }

    #[test]
    fn labels_that_the_schema_does_not_have_are_counted_and_none_is_guessed() {
        let row = |label: &str| format!(r#"{{"quote":"x","label":"{label}"}}"#);
        let rows = ["ADMIN", "ADMIN", "PLACE", "Place"].map(row).join(",");
        let found = quotes(&format!(r#"{{"entities":[{rows}]}}"#)).unwrap();
        assert_eq!(found.quotes.len(), 1);
        assert_eq!(found.foreign, BTreeMap::from([("ADMIN".into(), 2), ("PLACE".into(), 1)]));
    }
}
