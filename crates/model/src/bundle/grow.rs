//! What a bundle takes over from the model that it was made from.

use std::collections::BTreeMap;

use schema::{Label, tags::Tag};

use super::Bundle;

impl Bundle {
    /// Takes over the rows of another model's head for every tag that both have; `renamed` is the other's label for one of this
    /// model's, where it has another name. The other must have an encoder of the same width, as the model has that this one
    /// was made from. Returns the labels of which a row was taken.
    pub fn keep_head(&mut self, of: &Self, renamed: &BTreeMap<Label, Label>) -> Vec<Label> {
        let rows = self.rows_of(of, renamed);
        self.classifier.take_head_rows(&of.classifier, &rows);
        let tags = self.codec.tag_set();
        let mut kept: Vec<Label> =
            (0..).zip(&rows).filter_map(|(tag, row)| row.and(tags.label(tag).cloned())).collect();
        kept.sort_unstable();
        kept.dedup();
        kept
    }

    /// Averages the weights with those of the model that this one was made from: `share` of its own, from 0 to 1, the rest of the
    /// other's (Wortsman et al., 2022, "Robust fine-tuning of zero-shot models"). Rows of the head that the other does not have
    /// stay as they are.
    pub fn average(&mut self, with: &Self, renamed: &BTreeMap<Label, Label>, share: f32) {
        let rows = self.rows_of(with, renamed);
        self.classifier.average(&with.classifier, &rows, share);
    }

    /// Raises the bias of every tag of the labels that are meant, in logits.
    pub fn raise(&mut self, is_meant: impl Fn(&Label) -> bool, by: f32) {
        let tags = self.codec.tag_set();
        let is_meant = |tag: u32| tags.label(tag).is_some_and(&is_meant);
        self.classifier.raise(is_meant, by);
    }

    /// Another model's tag for each of this one's.
    fn rows_of(&self, other: &Self, renamed: &BTreeMap<Label, Label>) -> Vec<Option<u32>> {
        self.codec.tag_set().names().iter().map(|name| other.their_tag(name, renamed)).collect()
    }

    /// This model's tag for a tag of a model that has renamed some of its labels.
    fn their_tag(&self, name: &str, renamed: &BTreeMap<Label, Label>) -> Option<u32> {
        let old = match name.parse() {
            Ok(Tag::Part(prefix, label)) => renamed.get(&label).map(|old| Tag::Part(prefix, old.clone()).to_string()),
            _ => None,
        };
        self.codec.tag_set().tag(old.as_deref().unwrap_or(name))
    }
}
