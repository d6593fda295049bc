//! How parts of a document stand in the database: offsets as code points, beside the text that they cover.

use std::borrow::Cow;

use schema::{
    Entity, Label, Span,
    offset::{Offsets, Unit},
};
use serde::{Deserialize, Serialize};

use crate::StoreError;

#[derive(Serialize, Deserialize)]
struct Mention<'m> {
    start: usize,
    end: usize,
    label: Label,
    text: Cow<'m, str>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    score: Option<f32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    source: Option<String>,
}

/// The entities of a text as a JSON list.
pub(crate) fn entities_to_json(text: &str, entities: &[Entity]) -> String {
    let offsets = Offsets::new(text, Unit::CodePoints);
    let mention = |entity: &Entity| {
        let (start, end) = offsets.of(entity.span);
        let Entity { span, label, score, source } = entity.clone();
        Mention { start, end, label, text: span.quote(text).into(), score, source }
    };
    to_json(&entities.iter().map(mention).collect::<Vec<_>>())
}

/// The entities that a JSON list says, proven to cover what it quotes.
pub(crate) fn entities_of_json(text: &str, json: &str, place: impl Fn() -> String) -> Result<Vec<Entity>, StoreError> {
    if json == "[]" {
        return Ok(Vec::new());
    }
    let mentions: Vec<Mention<'_>> = of_json(json, &place)?;
    let offsets = Offsets::new(text, Unit::CodePoints);
    let entity = |mention: Mention<'_>| {
        let Mention { start, end, label, text: quote, score, source } = mention;
        let span = proven(text, &offsets, start, end, &quote, &place)?;
        Ok(Entity { span, label, score, source })
    };
    mentions.into_iter().map(entity).collect()
}

/// The span between two code points, if it covers the quote.
pub(crate) fn proven(
    text: &str,
    offsets: &Offsets<'_>,
    start: usize,
    end: usize,
    quote: &str,
    place: impl Fn() -> String,
) -> Result<Span, StoreError> {
    let span = offsets.span(start, end).map_err(|error| StoreError::damaged(place(), error))?;
    if span.quote(text) != quote {
        return Err(StoreError::damaged(place(), format!("{start}..{end} does not cover {quote:?}")));
    }
    Ok(span)
}

/// Token boundaries as a JSON list of pairs.
pub(crate) fn tokens_to_json(text: &str, tokens: &[Span]) -> String {
    let offsets = Offsets::new(text, Unit::CodePoints);
    to_json(&tokens.iter().map(|token| offsets.of(*token)).collect::<Vec<_>>())
}

/// The token boundaries that a JSON list says.
pub(crate) fn tokens_of_json(text: &str, json: &str, place: impl Fn() -> String) -> Result<Vec<Span>, StoreError> {
    let pairs: Vec<(usize, usize)> = of_json(json, &place)?;
    let offsets = Offsets::new(text, Unit::CodePoints);
    let span = |(start, end)| offsets.span(start, end).map_err(|error| StoreError::damaged(place(), error));
    pairs.into_iter().map(span).collect()
}

pub(crate) fn to_json<T: Serialize + ?Sized>(value: &T) -> String {
    // What is written here has strings for keys and no numbers that JSON lacks, so it cannot fail.
    serde_json::to_string(value).unwrap_or_default()
}

pub(crate) fn of_json<'j, T: Deserialize<'j>>(json: &'j str, place: impl Fn() -> String) -> Result<T, StoreError> {
    serde_json::from_str(json).map_err(|error| StoreError::damaged(place(), error))
}

/// An offset as a column; texts are shorter than 4 GiB.
pub(crate) fn column(offset: usize) -> i64 {
    i64::try_from(offset).unwrap_or(i64::MAX)
}

/// Lower case, for comparing surfaces.
pub(crate) fn folded(surface: &str) -> String {
    surface.to_lowercase()
}

/// A closed set of words as they stand in the database.
macro_rules! words {
    ($type:ty { $($variant:ident = $word:literal),+ $(,)? }) => {
        impl $type {
            /// Every one, in order.
            pub const ALL: &[Self] = &[$(Self::$variant),+];

            /// Its word, as in the database and in JSON.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }
        }

        impl std::fmt::Display for $type {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl std::str::FromStr for $type {
            type Err = $crate::StoreError;

            fn from_str(word: &str) -> Result<Self, $crate::StoreError> {
                match word {
                    $($word => Ok(Self::$variant),)+
                    _ => Err($crate::StoreError::Invalid(format!(
                        "{word:?} is none of {}", [$($word),+].join(", ")
                    ))),
                }
            }
        }
    };
}
pub(crate) use words;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn entities_survive_the_way_into_the_database_and_back(
            pieces in prop::collection::vec(prop::sample::select(vec!["a", "é", "e\u{301}", "👩‍🔬", "漢", "\r\n", "שלום", "\0"]), 1..12),
            score in prop::option::of(0f32..=1.0),
        ) {
            let text = pieces.concat();
            let mut start = 0;
            let mut entities = Vec::new();
            for piece in &pieces {
                let span = Span::of(&text, start..start + piece.len()).unwrap();
                start = span.end();
                entities.push(Entity { span, label: Label::new("ÄB-c").unwrap(), score, source: Some("s".into()) });
            }
            let json = entities_to_json(&text, &entities);
            prop_assert_eq!(entities_of_json(&text, &json, || "here".into()).unwrap(), entities);
        }
    }

    #[test]
    fn offsets_that_do_not_cover_their_quote_are_damage() {
        let json = r#"[{"start":0,"end":1,"label":"X","text":"b"}]"#;
        assert!(matches!(entities_of_json("ab", json, || "here".into()), Err(StoreError::Damaged { .. })));
        let json = r#"[{"start":1,"end":2,"label":"X","text":"b"}]"#;
        assert_eq!(entities_of_json("ab", json, || "here".into()).unwrap()[0].span, Span::new(1, 2).unwrap());
    }
}
