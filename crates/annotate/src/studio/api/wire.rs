//! How annotations travel: offsets are Unicode code points, with the text that they cover beside them.

use std::collections::HashMap;

use schema::{
    Entity, Label, Origin, Suggestion,
    offset::{Offsets, Unit},
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use store::{Lost, Millis, Refused, Revision, Store, StoreError, UserId};
use utoipa::ToSchema;

use crate::studio::Refusal;

/// A labelled part of a text.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Mention {
    /// First code point.
    pub start: usize,
    /// One past the last code point.
    pub end: usize,
    /// Its label.
    pub label: String,
    /// What it covers. Where it is given, it must be what the text has there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// How sure whoever found it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub score: Option<f32>,
    /// Who found it, such as `llm:qwen3-8b`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// The suggestion that it was accepted from: its number, or its origin.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub suggestion: Option<Value>,
}

/// A version of a document's annotation.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Version {
    /// The document.
    pub document: u32,
    /// `first`, `second` or `review`.
    pub layer: String,
    /// Its number in its layer, from 1; 0 for a version that came too late to be one.
    pub number: u32,
    /// The version that its writer had seen.
    pub parent: u32,
    /// Who wrote it; nobody for what came with the document.
    pub user: Option<String>,
    /// When, in milliseconds since 1970.
    pub at: i64,
    /// `accepted`, `skipped` or `flagged`.
    pub verdict: String,
    /// The entities.
    pub entities: Vec<Mention>,
    /// A remark.
    pub note: String,
    /// What it was made from.
    pub origin: Value,
    /// The name of the save.
    pub key: String,
}

/// What a source suggests for a text.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Suggested {
    /// Its number, from 1.
    pub number: usize,
    /// First code point; none where its quote is not in the text.
    pub start: Option<usize>,
    /// One past the last code point.
    pub end: Option<usize>,
    /// The label.
    pub label: String,
    /// How sure the source is.
    pub score: Option<f32>,
    /// How the quote was found: `exact`, `folded`, `fuzzy`, `ambiguous` or `ungrounded`.
    pub status: String,
    /// What the source wrote.
    pub quote: String,
    /// Where it comes from, such as `llm:qwen3-8b`.
    pub origin: String,
    /// The version of the source; may be empty.
    pub version: String,
    /// The hash of what an LLM was told.
    pub prompt: Option<String>,
    /// Letters that differ between the quote and the text.
    edits: u32,
    /// What its source said when it was asked again; none where it was not.
    verified: Option<bool>,
}

/// The names of users.
pub struct People(HashMap<UserId, String>);

impl People {
    /// All of them.
    pub async fn of(store: &Store) -> Result<Self, StoreError> {
        Ok(Self(store.users().await?.into_iter().map(|user| (user.id, user.name)).collect()))
    }

    /// The name of a user.
    pub fn name(&self, user: Option<UserId>) -> Option<&str> {
        self.0.get(&user?).map(String::as_str)
    }
}

/// A suggestion that was looked at and not taken.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Rejected {
    /// Its first code point; none where its quote is nowhere.
    start: Option<usize>,
    /// The code point behind it.
    end: Option<usize>,
    /// What it was said to be.
    label: String,
    /// What its source quoted.
    #[serde(default)]
    quote: String,
    /// Its source as `KIND:NAME`.
    origin: String,
    /// The version of its source.
    #[serde(default)]
    version: String,
}

/// Entities as they travel.
pub fn mentions(text: &str, entities: &[Entity]) -> Vec<Mention> {
    let offsets = Offsets::new(text, Unit::CodePoints);
    let mention = |entity: &Entity| {
        let (start, end) = offsets.of(entity.span);
        let (label, text) = (entity.label.to_string(), Some(entity.span.quote(text).to_owned()));
        Mention { start, end, label, text, score: entity.score, source: entity.source.clone(), suggestion: None }
    };
    entities.iter().map(mention).collect()
}

/// Entities as they came, proven to cover what they quote.
///
/// # Errors
/// Offsets or a label are none, or the text has something else there than was quoted.
pub fn entities(text: &str, mentions: Vec<Mention>, suggestions: &[Suggestion]) -> Result<Vec<Entity>, Refusal> {
    let offsets = Offsets::new(text, Unit::CodePoints);
    let entity = |(index, mention): (usize, Mention)| {
        let wrong = |problem: String| Refusal::Invalid(format!("entity {}: {problem}", index + 1));
        let Mention { start, end, label, text: quote, score, mut source, suggestion } = mention;
        let span = offsets.span(start, end).map_err(|error| wrong(error.to_string()))?;
        let label = Label::new(&label).map_err(|error| wrong(error.to_string()))?;
        if let Some(quote) = quote
            && quote != span.quote(text)
        {
            let found = span.quote(text);
            return Err(wrong(format!("{start}..{end} covers {found:?} and not {quote:?}; offsets are code points")));
        }
        if score.is_some_and(|score| !(0.0..=1.0).contains(&score)) {
            return Err(wrong("the score is not between 0 and 1".to_owned()));
        }
        match suggestion {
            None | Some(Value::Null) => {}
            Some(Value::String(origin)) => source = Some(origin),
            Some(position) => {
                let known = position.as_u64().and_then(|number| numbered(suggestions, number as usize));
                let known = known.ok_or_else(|| wrong(format!("there is no suggestion {position}")))?;
                source = Some(known.origin.to_string());
            }
        }
        Ok(Entity { span, label, score, source })
    };
    mentions.into_iter().enumerate().map(entity).collect()
}

/// What was refused, as it is kept with the version of whoever refused it. The client tells all of it, because the list of
/// suggestions may be another by now.
///
/// # Errors
/// Label or origin are none.
pub fn refused(rejected: Rejected) -> Result<Refused, Refusal> {
    let Rejected { start, end, label, quote, origin, version } = rejected;
    let none = || Refusal::Invalid(format!("`rejected`: the origin `{origin}` is not KIND:NAME"));
    let origin = Origin { version, ..Origin::of_source(&origin).ok_or_else(none)? };
    let label = Label::new(&label).map_err(|error| Refusal::Invalid(format!("`rejected`: {error}")))?;
    Ok(Refused { start, end, label, quote, origin })
}

/// Suggestions are numbered from 1.
fn numbered(suggestions: &[Suggestion], number: usize) -> Option<&Suggestion> {
    suggestions.get(number.checked_sub(1)?)
}

/// A revision as it travels.
pub fn revision(text: &str, people: &People, revision: &Revision) -> Version {
    Version {
        document: revision.document,
        layer: revision.layer.to_string(),
        number: revision.number,
        parent: revision.parent,
        user: people.name(revision.user).map(str::to_owned),
        at: revision.at,
        verdict: revision.verdict.to_string(),
        entities: mentions(text, &revision.entities),
        note: revision.note.clone(),
        origin: serde_json::to_value(&revision.origin).unwrap_or_default(),
        key: revision.key.clone(),
    }
}

/// A version that came too late as it travels.
pub fn lost(text: &str, people: &People, lost: &Lost) -> Version {
    Version {
        document: lost.document,
        layer: lost.layer.to_string(),
        number: 0,
        parent: lost.parent,
        user: people.name(lost.user).map(str::to_owned),
        at: lost.at,
        verdict: lost.verdict.to_string(),
        entities: mentions(text, &lost.entities),
        note: lost.note.clone(),
        origin: serde_json::to_value(&lost.origin).unwrap_or_default(),
        key: lost.key.clone(),
    }
}

/// Suggestions as they travel.
pub fn suggested(text: &str, suggestions: &[Suggestion]) -> Vec<Suggested> {
    let offsets = Offsets::new(text, Unit::CodePoints);
    let each = |(position, suggestion): (usize, &Suggestion)| {
        let place = suggestion.span.map(|span| offsets.of(span));
        Suggested {
            number: position + 1,
            start: place.map(|(start, _)| start),
            end: place.map(|(_, end)| end),
            label: suggestion.label.to_string(),
            score: suggestion.score,
            status: suggestion.status.to_string(),
            quote: suggestion.quote.clone(),
            origin: suggestion.origin.to_string(),
            version: suggestion.origin.version.clone(),
            prompt: Some(suggestion.origin.prompt.clone()).filter(|prompt| !prompt.is_empty()),
            edits: suggestion.edits,
            verified: suggestion.verified,
        }
    };
    suggestions.iter().enumerate().map(each).collect()
}

/// The moment in the words of ISO 8601 (UTC), to the minute.
pub fn moment(at: Millis) -> String {
    let (days, minutes) = (at.div_euclid(86_400_000), at.rem_euclid(86_400_000) / 60_000);
    // Howard Hinnant, *chrono-Compatible Low-Level Date Algorithms*: days since 1970 to year, month and day.
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let of_era = shifted.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02} {:02}:{:02}", minutes / 60, minutes % 60)
}

#[cfg(test)]
mod tests {
    use schema::Span;

    use super::*;

    #[test]
    fn offsets_travel_as_code_points_and_come_back_as_bytes() {
        let text = "👩‍🔬 Ærø";
        let entity = Entity::new(Span::of(text, 12..17).unwrap(), Label::new("LOC").unwrap());
        let out = mentions(text, std::slice::from_ref(&entity));
        assert_eq!((out[0].start, out[0].end, out[0].text.as_deref()), (4, 7, Some("Ærø")));
        assert_eq!(entities(text, out, &[]).unwrap(), [entity]);
    }

    #[test]
    fn a_quote_that_is_not_there_is_refused() {
        let mention = |start, end, label: &str, text: &str| Mention {
            start,
            end,
            label: label.to_owned(),
            text: Some(text.to_owned()),
            score: None,
            source: None,
            suggestion: None,
        };
        for (wrong, why) in [
            (mention(0, 2, "A", "bc"), "covers"),
            (mention(2, 2, "A", ""), "empty"),
            (mention(3, 1, "A", "b"), "reversed"),
            (mention(0, usize::MAX, "A", "b"), "past the end"),
            (mention(0, 1, "O", "a"), "label"),
        ] {
            let refused = entities("abc", vec![wrong], &[]).unwrap_err().to_string();
            assert!(refused.contains("entity 1") && refused.contains(why), "{refused}");
        }
    }

    #[test]
    fn moments_are_those_of_the_calendar() {
        assert_eq!(moment(0), "1970-01-01 00:00");
        assert_eq!(moment(951_827_640_000), "2000-02-29 12:34");
        assert_eq!(moment(-1), "1969-12-31 23:59");
    }
}
