//! A text with its entities, to read.

use std::iter;

use maud::{Markup, PreEscaped, html};
use schema::{Entity, Schema};

use super::colours;

/// `text` with `entities` marked in it, which are sorted by start and do not overlap, as a `schema::Document` has them.
pub fn marked(text: &str, entities: &[Entity], schema: &Schema) -> Markup {
    marked_with(text, entities, schema, |_| None)
}

/// The same, with a further class for some of the entities, by their position.
pub fn marked_with(
    text: &str,
    entities: &[Entity],
    schema: &Schema,
    class: impl Fn(usize) -> Option<&'static str>,
) -> Markup {
    let ends = || entities.iter().map(|entity| entity.span.end());
    let rest = ends().next_back().unwrap_or(0);
    html! {
        @for (index, (entity, before)) in entities.iter().zip(iter::once(0).chain(ends())).enumerate() {
            (exact(&text[before..entity.span.start()]))
            mark class={ (colours::class(schema, entity.label.as_str())) @if let Some(class) = class(index) { " " (class) } } data-label=(entity.label) {
                (exact(entity.span.quote(text)))
            }
        }
        (exact(&text[rest..]))
    }
}

/// A text to the character: HTML makes line feeds of carriage returns that are not written as references.
pub fn exact(text: &str) -> Markup {
    html! {
        @for (index, part) in text.split('\r').enumerate() {
            @if index > 0 { (PreEscaped("&#13;")) }
            (part)
        }
    }
}

#[cfg(test)]
mod tests {
    use schema::{Label, Span};

    use super::*;

    #[test]
    fn markup_in_texts_and_labels_is_text() {
        let label = Label::new("<b onclick=\"x\">").unwrap();
        let text = "<script>alert(1)</script> & more";
        let entity = Entity::new(Span::new(0, 8).unwrap(), label.clone());
        let shown = marked(text, &[entity], &Schema::of_labels([label])).into_string();
        assert_eq!(
            shown,
            "<mark class=\"label-0\" data-label=\"&lt;b onclick=&quot;x&quot;&gt;\">&lt;script&gt;</mark>\
             alert(1)&lt;/script&gt; &amp; more"
        );
    }

    #[test]
    fn carriage_returns_stay() {
        assert_eq!(exact("a\r\nb\r").into_string(), "a&#13;\nb&#13;");
    }
}
