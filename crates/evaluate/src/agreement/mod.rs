//! Agreement between annotators: do several people who read the same text find the same?
//!
//! [`Agreement::of`] compares every two annotators by spans ([`Between`]: F1, and which disagreements are of the boundary
//! and which of the label) and by tokens ([`cohen_kappa`]), and all of them together ([`krippendorff_alpha`]). Span F1
//! needs no chance correction, because there is no count of spans that nobody marked (Hripcsak and Rothschild 2005); kappa
//! and alpha correct for chance, over tokens, of which most lie outside of entities.

mod alpha;
mod between;
mod kappa;
mod words;

use std::collections::{BTreeMap, BTreeSet};

use schema::{Entity, Span};
use serde::Serialize;

pub use alpha::krippendorff_alpha;
pub use between::{Between, Disagreements};
pub use kappa::cohen_kappa;
pub use words::words;

/// A text and what its annotators found in it.
#[derive(Debug, Clone, PartialEq)]
pub struct Annotated<'a> {
    /// The text.
    pub text: &'a str,
    /// Its tokens, sorted; `None` for [`words`].
    pub tokens: Option<&'a [Span]>,
    /// Each annotator once, with the entities, sorted and without overlap.
    pub by: Vec<(&'a str, &'a [Entity])>,
}

/// How far annotators agree on the texts that at least two of them annotated.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Agreement {
    /// Number of these texts.
    pub texts: usize,
    /// Number of their tokens.
    pub tokens: usize,
    /// Krippendorff's alpha over tokens, all annotators together; `None` where only one label (or none) was ever given.
    pub alpha: Option<f64>,
    /// Every two annotators who have a text in common, by name.
    pub pairs: Vec<Between>,
}

impl Agreement {
    /// The agreement on these texts. Those with fewer than two annotators say nothing and are left out.
    pub fn of<'t, 'a: 't>(texts: impl IntoIterator<Item = &'t Annotated<'a>>) -> Self {
        let mut agreement = Self::default();
        let mut units: Vec<Vec<Option<&str>>> = Vec::new();
        let mut pairs: BTreeMap<(&str, &str), between::Pair<'_>> = BTreeMap::new();
        for text in texts {
            let names: BTreeSet<&str> = text.by.iter().map(|(name, _)| *name).collect();
            if names.len() < 2 {
                continue;
            }
            let own;
            let tokens = if let Some(tokens) = text.tokens {
                tokens
            } else {
                own = words(text.text);
                &own
            };
            agreement.texts += 1;
            agreement.tokens += tokens.len();
            let labels: Vec<Vec<Option<&str>>> =
                text.by.iter().map(|(_, entities)| token_labels(tokens, entities)).collect();
            // Outside of entities is a value as any label is; `O` is never a label.
            let value = |label: Option<&'a str>| Some(label.unwrap_or("O"));
            for token in 0..tokens.len() {
                units.push(labels.iter().map(|labels| value(labels[token])).collect());
            }
            for (first, one) in text.by.iter().enumerate() {
                for (second, other) in text.by.iter().enumerate().skip(first + 1) {
                    let (a, b) = if one.0 <= other.0 { (first, second) } else { (second, first) };
                    if one.0 != other.0 {
                        let pair = pairs.entry((text.by[a].0, text.by[b].0)).or_default();
                        pair.add(text.by[a].1, text.by[b].1, &labels[a], &labels[b]);
                    }
                }
            }
        }
        agreement.alpha = krippendorff_alpha(&units);
        agreement.pairs = pairs.into_iter().map(|((one, other), pair)| pair.between(one, other)).collect();
        agreement
    }
}

/// The label that each token has: that of the first entity that shares a byte with it.
fn token_labels<'a>(tokens: &[Span], entities: &'a [Entity]) -> Vec<Option<&'a str>> {
    let mut next = 0;
    let label = |token: &Span| {
        while entities.get(next).is_some_and(|entity| entity.span.end() <= token.start()) {
            next += 1;
        }
        entities.get(next).filter(|entity| entity.span.overlaps(*token)).map(|entity| entity.label.as_str())
    };
    tokens.iter().map(label).collect()
}

#[cfg(test)]
mod tests {
    use schema::Label;

    use super::*;

    const TEXT: &str = "Anna Smith met Bob in Rome";

    fn entity(quote: &str, label: &str) -> Entity {
        let start = TEXT.find(quote).unwrap();
        Entity::new(Span::of(TEXT, start..start + quote.len()).unwrap(), Label::new(label).unwrap())
    }

    #[test]
    fn boundaries_and_labels_are_told_apart() {
        let one = [entity("Anna Smith", "PER"), entity("Bob", "PER"), entity("Rome", "LOC")];
        let other = [entity("Anna", "PER"), entity("Bob", "ORG"), entity("in", "LOC")];
        let text = Annotated { text: TEXT, tokens: None, by: vec![("zoe", &other), ("ann", &one)] };
        let agreement = Agreement::of([&text]);
        assert_eq!((agreement.texts, agreement.tokens, agreement.pairs.len()), (1, 6, 1));
        let between = &agreement.pairs[0];
        assert_eq!((between.one.as_str(), between.other.as_str()), ("ann", "zoe"));
        assert_eq!((between.spans.correct, between.spans.f1()), (0, 0.0));
        let expected = Disagreements { boundary: 1, label: 1, both: 0, only_one: 1, only_other: 1 };
        assert_eq!(between.disagreements, expected);
        assert!((between.boundaries.f1() - 1.0 / 3.0).abs() < 1e-12);
        assert_eq!(between.confusion.errors.len(), 5);
    }

    #[test]
    fn those_who_agree_agree_in_every_figure_and_one_alone_says_nothing() {
        let entities = [entity("Anna Smith", "PER"), entity("Rome", "LOC")];
        let by = vec![("a", entities.as_slice()), ("b", &entities), ("c", &entities)];
        let texts = [
            Annotated { text: TEXT, tokens: None, by },
            Annotated { text: TEXT, tokens: None, by: vec![("a", &entities)] },
        ];
        let agreement = Agreement::of(&texts);
        assert_eq!((agreement.texts, agreement.alpha, agreement.pairs.len()), (1, Some(1.0), 3));
        assert!(agreement.pairs.iter().all(|pair| (pair.spans.f1() - 1.0).abs() < 1e-12 && pair.kappa == Some(1.0)));
        let alone = Agreement::of(&texts[1..]);
        assert_eq!(alone, Agreement::default());
        let silent = Annotated { text: TEXT, tokens: None, by: vec![("a", &[]), ("b", &[])] };
        let nothing = Agreement::of([&silent]);
        assert_eq!((nothing.alpha, nothing.pairs[0].kappa), (None, None));
    }

    #[test]
    fn a_token_has_the_label_of_the_entity_that_it_shares_text_with() {
        let text = "Baltic-sea fish";
        let part = Entity::new(Span::new(3, 8).unwrap(), Label::new("X").unwrap());
        assert_eq!(token_labels(&words(text), &[part]), [Some("X"), Some("X"), Some("X"), None]);
    }
}
