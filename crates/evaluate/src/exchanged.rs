//! What one recognizer gets right and the other does not, in the texts.

use std::collections::{BTreeMap, HashSet};

use schema::{Document, Label, Span};
use serde::Serialize;

use crate::{ErrorCase, Errors, Judged, Mention};

/// Errors that only one of two recognizers makes.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Exchanged {
    /// Right before, wrong after.
    pub lost: OneSided,
    /// Wrong before, right after.
    pub won: OneSided,
}

/// The errors of one recognizer that the other does not make.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct OneSided {
    /// All of them by label: the gold entity's, or that of a spurious prediction.
    pub counts: BTreeMap<Label, usize>,
    /// The first of each label, in the order of [`Errors::worst`].
    pub cases: Vec<ErrorCase>,
}

/// What an error is about: a gold entity that was not found, or a prediction where there is nothing.
#[derive(PartialEq, Eq, Hash)]
struct Subject<'e> {
    document: usize,
    is_gold: bool,
    span: Span,
    label: &'e Label,
}

impl Exchanged {
    /// Compares the answers of two recognizers to the same documents. At most `listed` errors of each label and side are
    /// listed, with up to `context` characters around.
    ///
    /// # Panics
    /// As [`Errors::of`].
    pub fn of(
        documents: &[&Document],
        before: &[Judged<'_>],
        after: &[Judged<'_>],
        listed: usize,
        context: usize,
    ) -> Self {
        let [before, after] = [before, after].map(|texts| Errors::of(documents, texts, usize::MAX, context).worst);
        Self { lost: OneSided::of(&after, &before, listed), won: OneSided::of(&before, &after, listed) }
    }
}

impl OneSided {
    fn of(errors: &[ErrorCase], of_other: &[ErrorCase], listed: usize) -> Self {
        let shared: HashSet<Subject<'_>> = of_other.iter().filter_map(Subject::of).collect();
        let mut one_sided = Self::default();
        for case in errors {
            let Some(subject) = Subject::of(case).filter(|subject| !shared.contains(subject)) else { continue };
            let count = one_sided.counts.entry(subject.label.clone()).or_default();
            *count += 1;
            if *count <= listed {
                one_sided.cases.push(case.clone());
            }
        }
        one_sided
    }

    /// How many there are.
    pub fn total(&self) -> usize {
        self.counts.values().sum()
    }
}

impl<'e> Subject<'e> {
    fn of(case: &'e ErrorCase) -> Option<Self> {
        let Mention { span, label, .. } = case.gold.as_ref().or(case.predicted.as_ref())?;
        Some(Self { document: case.document, is_gold: case.gold.is_some(), span: *span, label })
    }
}

#[cfg(test)]
mod tests {
    use schema::Entity;

    use super::*;
    use crate::{ErrorKind, Pair};

    #[test]
    fn each_difference_stands_on_one_side_and_shared_errors_on_none() {
        let entity = |start, end, label: &str| Entity::new(Span::new(start, end).unwrap(), Label::new(label).unwrap());
        let gold = vec![entity(0, 4, "PER"), entity(8, 12, "LOC"), entity(17, 21, "LOC")];
        let document = Document::new("Anna in Rome and Oslo, at last").with_entities(gold).unwrap();
        // Both miss Oslo; the second loses Anna's label, wins Rome and makes something of the end.
        let before = [entity(0, 4, "PER")];
        let after = [entity(0, 4, "LOC"), entity(8, 12, "LOC"), entity(26, 30, "PER")];
        let judge = |predicted| [Pair { document: &document, predicted }.judge(None)];
        let exchanged = Exchanged::of(&[&document], &judge(&before), &judge(&after), 5, 10);
        let told = |side: &OneSided| -> Vec<(ErrorKind, String)> {
            let text = |case: &ErrorCase| case.gold.as_ref().or(case.predicted.as_ref()).unwrap().text.clone();
            side.cases.iter().map(|case| (case.kind, text(case))).collect()
        };
        let mut lost = told(&exchanged.lost);
        lost.sort();
        assert_eq!(lost, [(ErrorKind::WrongLabel, "Anna".to_owned()), (ErrorKind::Spurious, "last".to_owned())]);
        assert_eq!(told(&exchanged.won), [(ErrorKind::Missed, "Rome".to_owned())]);
        assert_eq!((exchanged.lost.total(), exchanged.won.total()), (2, 1));
        let none = Exchanged::of(&[&document], &judge(&before), &judge(&after), 0, 10);
        assert_eq!((none.lost.total(), none.lost.cases.len()), (2, 0));
    }
}
