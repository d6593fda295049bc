//! A name for data that changes when the data changes.

use std::fmt::Write as _;

use schema::{Document, Span};
use sha2::{Digest, Sha256};

/// SHA-256 over what training sees of a sequence of documents: texts, token boundaries, entities (span and
/// label), `partial` and `looked_for`, in the documents' order. Ids, metadata, scores and sources do not count,
/// nor does the file format.
///
/// Every variable part is preceded by its length, so no two sequences feed the same bytes.
#[derive(Debug, Clone)]
pub struct Fingerprint {
    hash: Sha256,
}

impl Default for Fingerprint {
    fn default() -> Self {
        Self { hash: Sha256::new_with_prefix(b"nomen documents 1\n") }
    }
}

impl Fingerprint {
    /// Adds one document.
    pub fn add(&mut self, document: &Document) {
        self.text(document.text());
        self.number(document.tokens().map_or(0, |tokens| tokens.len() + 1));
        for token in document.tokens().unwrap_or_default() {
            self.span(*token);
        }
        self.number(document.entities().len());
        for entity in document.entities() {
            self.span(entity.span);
            self.text(entity.label.as_str());
        }
        self.number(usize::from(document.partial));
        let mut labels: Vec<&str> = document.looked_for.iter().flatten().map(schema::Label::as_str).collect();
        labels.sort_unstable();
        labels.dedup();
        self.number(document.looked_for.as_ref().map_or(0, |_| labels.len() + 1));
        for label in labels {
            self.text(label);
        }
    }

    /// The fingerprint of the documents added so far, 64 hexadecimal digits.
    pub fn hex(&self) -> String {
        let mut digits = String::with_capacity(64);
        for byte in self.hash.clone().finalize() {
            // Writing to a string cannot fail.
            let _ = write!(digits, "{byte:02x}");
        }
        digits
    }

    fn number(&mut self, number: usize) {
        self.hash.update((number as u64).to_le_bytes());
    }

    fn text(&mut self, text: &str) {
        self.number(text.len());
        self.hash.update(text);
    }

    fn span(&mut self, span: Span) {
        self.number(span.start());
        self.number(span.end());
    }
}

/// The [`Fingerprint`] of these documents.
pub fn fingerprint<'d>(documents: impl IntoIterator<Item = &'d Document>) -> String {
    let mut fingerprint = Fingerprint::default();
    for document in documents {
        fingerprint.add(document);
    }
    fingerprint.hex()
}

#[cfg(test)]
mod tests {
    use schema::{Entity, Label};

    use super::*;

    #[test]
    fn it_stays_the_same_from_release_to_release() {
        let label = Label::new("CITY").unwrap();
        let document = Document::new("Paris")
            .with_entities(vec![Entity::new(Span::new(0, 5).unwrap(), label.clone())])
            .and_then(|document| document.with_tokens(vec![Span::new(0, 5).unwrap()]))
            .unwrap();
        assert_eq!(fingerprint([&document]), "0e162d062fb4654aa9551234d7094945720901149e33210ff3d73c0b67559b8b");
    }

    #[test]
    fn every_part_that_training_sees_changes_it_and_no_other_does() {
        let label = |name| Label::new(name).unwrap();
        let entity = |name| Entity::new(Span::new(0, 1).unwrap(), label(name));
        let plain = || Document::new("a b");
        let with = |change: fn(&mut Document)| {
            let mut document = plain();
            change(&mut document);
            document
        };
        let token = Span::new(0, 1).unwrap();
        let documents = [
            plain(),
            Document::new("a c"),
            plain().with_entities(vec![entity("X")]).unwrap(),
            plain().with_entities(vec![entity("Y")]).unwrap(),
            plain().with_tokens(Vec::new()).unwrap(),
            plain().with_tokens(vec![token]).unwrap(),
            with(|document| document.partial = true),
            with(|document| document.looked_for = Some(Vec::new())),
            with(|document| document.looked_for = Some(vec![Label::new("X").unwrap()])),
        ];
        let mut prints: Vec<String> = documents.iter().map(|document| fingerprint([document])).collect();
        prints.push(fingerprint(&documents));
        prints.push(fingerprint(documents.iter().rev()));
        let count = prints.len();
        prints.sort();
        prints.dedup();
        assert_eq!(prints.len(), count);
        let named = with(|document| document.id = Some("1".into()));
        assert_eq!(fingerprint([&named]), fingerprint([&plain()]));
    }
}
