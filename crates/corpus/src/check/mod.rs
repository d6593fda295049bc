//! Checks: numbered findings on annotated data.
//!
//! A [`Check`] is one file of this folder with its [`Rule`] (what, why, fix), and has a fixture and a snapshot in
//! `tests/fixtures/check`. [`check`] runs them over [`Data`], which is made of [`File`]s as the readers gave them.
//! `docs/checks.md` is written from the rules.
//!
//! Checks that compare (one word with several labels, a word labelled here and missed there) go by rates: a word that
//! is labelled in nearly all of its places is suspect where it is not, one that is labelled now and then is not.

mod across_sentences;
mod contradiction;
mod convention;
mod converted_offsets;
mod cut_word;
mod data;
mod duplicate;
mod empty_text;
mod few_examples;
mod finding;
mod huge_text;
mod invisible_token;
mod label_error;
mod label_in_one_part;
mod label_spellings;
mod leak;
mod mend;
mod missed_mention;
mod mojibake;
mod near;
mod near_duplicate;
mod near_leak;
mod other_language;
mod punctuation_at_edge;
mod repaired_tags;
mod rule;
mod several_labels;
mod space_at_edge;
mod stops;
mod surfaces;
mod suspect;
mod unknown_label;
mod unreachable;
mod unreadable;
mod without_entities;

use std::{fmt, str::FromStr};

use thiserror::Error;

pub use self::{
    data::{Data, File, Role, Unreachable},
    finding::{Excerpt, Finding, Place},
    mend::{Mending, mend},
    rule::{Rule, Severity},
    suspect::{Suggestion, Suspect, SuspectKind},
};

/// A check. The set is closed; a code that was given once is never given to another check.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Check {
    /// A place that cannot be read.
    Unreadable,
    /// Tags that their scheme does not write.
    RepairedTags,
    /// Offsets in another unit.
    ConvertedOffsets,
    /// White space at the edge of an entity.
    SpaceAtEdge,
    /// Punctuation at the edge of an entity.
    PunctuationAtEdge,
    /// An entity that ends inside a word.
    CutWord,
    /// An entity that goes over the end of a sentence.
    AcrossSentences,
    /// One surface with several labels.
    SeveralLabels,
    /// A surface labelled elsewhere and missed here.
    MissedMention,
    /// One text annotated in two ways.
    Contradiction,
    /// A label that the schema does not have.
    UnknownLabel,
    /// Labels that differ only in their spelling.
    LabelSpellings,
    /// A label with few examples.
    FewExamples,
    /// A label that only one of the parts has.
    LabelInOnePart,
    /// The same text again in one file.
    Duplicate,
    /// Nearly the same text again in one file.
    NearDuplicate,
    /// The same text in two files.
    Leak,
    /// Nearly the same text in two files.
    NearLeak,
    /// A text without anything to see.
    EmptyText,
    /// A text far longer than the others.
    HugeText,
    /// Texts without entities.
    WithoutEntities,
    /// Text that was decoded wrongly.
    Mojibake,
    /// A text in another language.
    OtherLanguage,
    /// A token without anything to see.
    InvisibleToken,
    /// An entity that the tokens of a model cannot express.
    Unreachable,
    /// A place where a model contradicts the annotation.
    LabelError,
}

/// Not the code or name of a check.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("there is no check `{0}`; `nomen check --list` shows all")]
pub struct UnknownCheck(String);

impl Check {
    /// Every check, by code.
    pub const ALL: [Self; 26] = [
        Self::Unreadable,
        Self::RepairedTags,
        Self::ConvertedOffsets,
        Self::SpaceAtEdge,
        Self::PunctuationAtEdge,
        Self::CutWord,
        Self::AcrossSentences,
        Self::SeveralLabels,
        Self::MissedMention,
        Self::Contradiction,
        Self::UnknownLabel,
        Self::LabelSpellings,
        Self::FewExamples,
        Self::LabelInOnePart,
        Self::Duplicate,
        Self::NearDuplicate,
        Self::Leak,
        Self::NearLeak,
        Self::EmptyText,
        Self::HugeText,
        Self::WithoutEntities,
        Self::Mojibake,
        Self::OtherLanguage,
        Self::InvisibleToken,
        Self::Unreachable,
        Self::LabelError,
    ];

    /// What it looks for, why, and what to do.
    pub fn rule(self) -> &'static Rule {
        match self {
            Self::Unreadable => &unreadable::RULE,
            Self::RepairedTags => &repaired_tags::RULE,
            Self::ConvertedOffsets => &converted_offsets::RULE,
            Self::SpaceAtEdge => &space_at_edge::RULE,
            Self::PunctuationAtEdge => &punctuation_at_edge::RULE,
            Self::CutWord => &cut_word::RULE,
            Self::AcrossSentences => &across_sentences::RULE,
            Self::SeveralLabels => &several_labels::RULE,
            Self::MissedMention => &missed_mention::RULE,
            Self::Contradiction => &contradiction::RULE,
            Self::UnknownLabel => &unknown_label::RULE,
            Self::LabelSpellings => &label_spellings::RULE,
            Self::FewExamples => &few_examples::RULE,
            Self::LabelInOnePart => &label_in_one_part::RULE,
            Self::Duplicate => &duplicate::RULE,
            Self::NearDuplicate => &near_duplicate::RULE,
            Self::Leak => &leak::RULE,
            Self::NearLeak => &near_leak::RULE,
            Self::EmptyText => &empty_text::RULE,
            Self::HugeText => &huge_text::RULE,
            Self::WithoutEntities => &without_entities::RULE,
            Self::Mojibake => &mojibake::RULE,
            Self::OtherLanguage => &other_language::RULE,
            Self::InvisibleToken => &invisible_token::RULE,
            Self::Unreachable => &unreachable::RULE,
            Self::LabelError => &label_error::RULE,
        }
    }

    /// What it finds, in the order of the files; [`Check::LabelError`] by confidence, highest first.
    pub fn run(self, data: &Data<'_>) -> Vec<Finding> {
        match self {
            Self::Unreadable => unreadable::find(data),
            Self::RepairedTags => repaired_tags::find(data),
            Self::ConvertedOffsets => converted_offsets::find(data),
            Self::SpaceAtEdge => space_at_edge::find(data),
            Self::PunctuationAtEdge => punctuation_at_edge::find(data),
            Self::CutWord => cut_word::find(data),
            Self::AcrossSentences => across_sentences::find(data),
            Self::SeveralLabels => several_labels::find(data),
            Self::MissedMention => missed_mention::find(data),
            Self::Contradiction => contradiction::find(data),
            Self::UnknownLabel => unknown_label::find(data),
            Self::LabelSpellings => label_spellings::find(data),
            Self::FewExamples => few_examples::find(data),
            Self::LabelInOnePart => label_in_one_part::find(data),
            Self::Duplicate => duplicate::find(data),
            Self::NearDuplicate => near_duplicate::find(data),
            Self::Leak => leak::find(data),
            Self::NearLeak => near_leak::find(data),
            Self::EmptyText => empty_text::find(data),
            Self::HugeText => huge_text::find(data),
            Self::WithoutEntities => without_entities::find(data),
            Self::Mojibake => mojibake::find(data),
            Self::OtherLanguage => other_language::find(data),
            Self::InvisibleToken => invisible_token::find(data),
            Self::Unreachable => unreachable::find(data),
            Self::LabelError => label_error::find(data),
        }
    }
}

impl fmt::Display for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.rule().code)
    }
}

impl FromStr for Check {
    type Err = UnknownCheck;

    /// Takes a code in either case, or a name.
    fn from_str(text: &str) -> Result<Self, UnknownCheck> {
        let is = |check: &Self| check.rule().code.eq_ignore_ascii_case(text) || check.rule().name == text;
        Self::ALL.into_iter().find(is).ok_or_else(|| UnknownCheck(text.escape_debug().to_string()))
    }
}

/// What these checks find, by check.
pub fn check(data: &Data<'_>, checks: &[Check]) -> Vec<Finding> {
    checks.iter().flat_map(|check| check.run(data)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_count_up_and_codes_and_names_find_their_check() {
        for (position, check) in Check::ALL.into_iter().enumerate() {
            let rule = check.rule();
            assert_eq!(rule.code, format!("Q{:03}", position + 1));
            assert_eq!(rule.code.to_lowercase().parse(), Ok(check));
            assert_eq!(rule.name.parse(), Ok(check));
        }
        assert!("Q999".parse::<Check>().is_err());
    }
}
