//! Which entities of a text are judged at all.

use std::borrow::Cow;

use schema::{Document, Entity, Label};

/// A document with its gold entities, and what a recognizer found in its text.
#[derive(Debug, Clone, Copy)]
pub struct Pair<'a> {
    /// The text and its gold entities.
    pub document: &'a Document,
    /// The entities that were found; spans index the document's text.
    pub predicted: &'a [Entity],
}

/// The entities of one text that can be compared.
#[derive(Debug, Clone, PartialEq)]
pub struct Judged<'a> {
    /// Gold entities.
    pub gold: Cow<'a, [Entity]>,
    /// Predicted entities.
    pub predicted: Cow<'a, [Entity]>,
    /// Predictions that were left out because the gold says nothing about them.
    pub unjudged: usize,
}

impl<'a> Pair<'a> {
    /// The entities that can be compared, of `labels` only where they are given.
    ///
    /// Entities of other labels are taken out of gold and predictions before anything is matched: a set that
    /// never annotated a label says nothing about it. For the same reason a prediction is left out, and
    /// counted in [`Judged::unjudged`], where the document was not searched for its label, or where the
    /// document is only partly annotated and no gold entity overlaps the prediction.
    pub fn judge(self, labels: Option<&[Label]>) -> Judged<'a> {
        let Self { document, predicted } = self;
        let asked = |entity: &Entity| labels.is_none_or(|labels| labels.contains(&entity.label));
        let gold = keep(document.entities(), asked);
        let known = |entity: &Entity| {
            document.was_looked_for(&entity.label)
                && (!document.partial || document.entities().iter().any(|gold| gold.span.overlaps(entity.span)))
        };
        let unjudged = predicted.iter().filter(|entity| asked(entity) && !known(entity)).count();
        Judged { gold, predicted: keep(predicted, |entity| asked(entity) && known(entity)), unjudged }
    }
}

fn keep(entities: &[Entity], keeps: impl Fn(&Entity) -> bool) -> Cow<'_, [Entity]> {
    if entities.iter().all(&keeps) {
        Cow::Borrowed(entities)
    } else {
        Cow::Owned(entities.iter().filter(|entity| keeps(entity)).cloned().collect())
    }
}

#[cfg(test)]
mod tests {
    use schema::Span;

    use super::*;

    fn entity(start: usize, end: usize, label: &str) -> Entity {
        Entity::new(Span::new(start, end).unwrap(), Label::new(label).unwrap())
    }

    fn label(name: &str) -> Label {
        Label::new(name).unwrap()
    }

    #[test]
    fn only_the_asked_labels_are_judged() {
        let document = Document::new("Anna in Rome").with_entities(vec![entity(0, 4, "PER"), entity(8, 12, "LOC")]);
        let (document, predicted) = (document.unwrap(), [entity(0, 4, "LOC"), entity(8, 12, "MISC")]);
        let judged = Pair { document: &document, predicted: &predicted }.judge(Some(&[label("LOC")]));
        assert_eq!(judged.gold.as_ref(), [entity(8, 12, "LOC")]);
        assert_eq!(judged.predicted.as_ref(), [entity(0, 4, "LOC")]);
        assert_eq!(judged.unjudged, 0);
    }

    #[test]
    fn what_nobody_looked_for_is_no_error() {
        let mut document = Document::new("Anna in Rome").with_entities(vec![entity(0, 4, "PER")]).unwrap();
        document.looked_for = Some(vec![label("PER")]);
        let predicted = [entity(0, 4, "PER"), entity(8, 12, "LOC")];
        let judged = Pair { document: &document, predicted: &predicted }.judge(None);
        assert_eq!((judged.predicted.len(), judged.unjudged), (1, 1));
    }

    #[test]
    fn in_a_partly_annotated_text_only_predictions_that_touch_gold_are_judged() {
        let mut document = Document::new("Anna in Rome").with_entities(vec![entity(0, 4, "PER")]).unwrap();
        document.partial = true;
        let predicted = [entity(0, 7, "PER"), entity(8, 12, "LOC")];
        let judged = Pair { document: &document, predicted: &predicted }.judge(None);
        assert_eq!(judged.predicted.as_ref(), [entity(0, 7, "PER")]);
        assert_eq!(judged.unjudged, 1);
    }
}
