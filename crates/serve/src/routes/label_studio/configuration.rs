//! A labelling configuration: which control labels which text.

use quick_xml::{Reader, XmlVersion, events::BytesStart, events::Event};
use schema::{Entity, offset::Offsets};
use serde_json::{Value, json};

use crate::Refusal;

/// What a labelling configuration says of spans of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Configuration {
    /// Name of the `Labels` control.
    pub from_name: String,
    /// Name of the text that it labels.
    pub to_name: String,
    /// The field of a task's data that holds the text.
    pub field: String,
    /// The labels that annotators have; empty where none are listed.
    pub labels: Vec<String>,
}

/// What the templates of Label Studio have.
impl Default for Configuration {
    fn default() -> Self {
        let [from_name, to_name, field] = ["label", "text", "text"].map(str::to_owned);
        Self { from_name, to_name, field, labels: Vec::new() }
    }
}

/// A control or an object of a configuration.
struct Tag {
    name: String,
    to_name: String,
    value: String,
}

impl Configuration {
    /// Reads the XML of a labelling configuration: the first `Labels` control that labels a `Text`.
    pub fn read(xml: &str) -> Result<Self, Refusal> {
        let wrong = |problem: String| Refusal::Invalid(format!("the labelling configuration: {problem}"));
        let mut reader = Reader::from_str(xml);
        let (mut controls, mut texts): (Vec<(Tag, Vec<String>)>, Vec<Tag>) = (Vec::new(), Vec::new());
        let mut is_inside = false;
        loop {
            match reader.read_event().map_err(|error| wrong(error.to_string()))? {
                Event::Eof => break,
                Event::Start(element) => match element.name().as_ref() {
                    "Labels" => {
                        controls.push((tag(&element), Vec::new()));
                        is_inside = true;
                    }
                    "Text" => texts.push(tag(&element)),
                    "Label" if is_inside => label(&element, &mut controls),
                    _ => {}
                },
                Event::Empty(element) => match element.name().as_ref() {
                    "Labels" => controls.push((tag(&element), Vec::new())),
                    "Text" => texts.push(tag(&element)),
                    "Label" if is_inside => label(&element, &mut controls),
                    _ => {}
                },
                Event::End(element) if element.name().as_ref() == "Labels" => is_inside = false,
                _ => {}
            }
        }
        let pair = controls.into_iter().find_map(|(control, labels)| {
            let text = texts.iter().find(|text| text.name == control.to_name)?;
            Some((control, labels, text))
        });
        let (control, labels, text) =
            pair.ok_or_else(|| wrong("it has no <Labels> control whose toName is a <Text>".to_owned()))?;
        let field = text.value.strip_prefix('$').unwrap_or(&text.value);
        if field.is_empty() {
            return Err(wrong(format!("<Text name=\"{}\"> has no value=\"$FIELD\"", text.name)));
        }
        Ok(Self { from_name: control.name, to_name: control.to_name, field: field.to_owned(), labels })
    }

    /// What annotators call a label of the model, whatever its case; `None` where they have no such label.
    pub fn label(&self, label: &str) -> Option<String> {
        if self.labels.is_empty() {
            return Some(label.to_owned());
        }
        let exact = self.labels.iter().find(|known| *known == label);
        exact.or_else(|| self.labels.iter().find(|known| known.eq_ignore_ascii_case(label))).cloned()
    }

    /// A region of a prediction.
    pub fn region(&self, index: usize, text: &str, offsets: &Offsets<'_>, entity: &Entity, label: &str) -> Value {
        let (start, end) = offsets.of(entity.span);
        let mut region = json!({
            "id": format!("nomen-{index}"),
            "from_name": self.from_name,
            "to_name": self.to_name,
            "type": "labels",
            "value": {"start": start, "end": end, "text": entity.span.quote(text), "labels": [label]},
        });
        if let Some(score) = entity.score {
            region["score"] = score.into();
        }
        region
    }
}

fn label(element: &BytesStart<'_>, controls: &mut [(Tag, Vec<String>)]) {
    let Tag { value, .. } = tag(element);
    if let Some((_, labels)) = controls.last_mut() {
        labels.push(value);
    }
}

fn tag(element: &BytesStart<'_>) -> Tag {
    let attribute = |name: &str| {
        let attribute = element.try_get_attribute(name).ok().flatten();
        let value = attribute
            .and_then(|attribute| Some(attribute.normalized_value(XmlVersion::Explicit1_0).ok()?.into_owned()));
        value.unwrap_or_default()
    };
    Tag { name: attribute("name"), to_name: attribute("toName"), value: attribute("value") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_field_and_labels_are_read_from_the_configuration() {
        let xml = r#"<View><Header value="Mark &amp; go"/>
            <Choices name="kind" toName="body"><Choice value="x"/></Choices>
            <Labels name="ner" toName="body"><Label value="Person" background="red"/><Label value="R&amp;D"></Label></Labels>
            <Text name="body" value="$content"/></View>"#;
        let configuration = Configuration::read(xml).unwrap();
        assert_eq!(
            configuration,
            Configuration {
                from_name: "ner".to_owned(),
                to_name: "body".to_owned(),
                field: "content".to_owned(),
                labels: vec!["Person".to_owned(), "R&D".to_owned()],
            }
        );
        assert_eq!(configuration.label("PERSON").as_deref(), Some("Person"));
        assert_eq!(configuration.label("place"), None);
        assert_eq!(Configuration::default().label("place").as_deref(), Some("place"));
    }

    #[test]
    fn a_configuration_without_labels_of_a_text_is_refused() {
        for xml in [
            "",
            "<View>",
            "<View><Text name='t' value='$t'/></View>",
            "<<",
            "<Labels name='l' toName='x'/><Text name='t'/>",
        ] {
            assert!(Configuration::read(xml).is_err(), "{xml}");
        }
    }
}
