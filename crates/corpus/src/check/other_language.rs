//! Q023: texts in another language than the corpus.

use std::collections::BTreeMap;

use whatlang::{Lang, Script};

use super::{Check, Data, Finding, Rule, Severity};

/// A text needs so many letters; shorter ones are guesses.
const LETTERS: usize = 60;
/// Share of the texts that the corpus's language needs.
const MOST: f64 = 0.8;
/// Texts that are needed to say what the corpus's language is.
const LEAST: usize = 10;

pub(super) const RULE: Rule = Rule {
    code: "Q023",
    name: "other-language",
    severity: Severity::Warning,
    what: "A text of at least 60 letters whose language differs from that of the corpus (four fifths of the texts that can \
           be told), where the detector is sure. Languages that are near each other (Danish and Norwegian) count as one.",
    why: "A base model of one language learns little from another, and guidelines mostly do not cover it.",
    fix: "Drop the text, or mean it and say so in the guidelines.",
    command: None,
};

pub(super) fn find(data: &Data<'_>) -> Vec<Finding> {
    let mut told = Vec::new();
    let mut languages: BTreeMap<&str, usize> = BTreeMap::new();
    for located in data.documents() {
        if let Some(language) = language(located.document.text()) {
            *languages.entry(family(language)).or_default() += 1;
            told.push((located, language));
        }
    }
    let Some((usual, count)) = languages.iter().max_by_key(|(_, count)| **count) else { return Vec::new() };
    if told.len() < LEAST || (*count as f64) < MOST * told.len() as f64 {
        return Vec::new();
    }
    let others = told.iter().filter(|(_, language)| family(*language) != *usual);
    let usual = told.iter().find(|(_, language)| family(*language) == *usual).map_or("", |(_, l)| l.eng_name());
    let finding = |(located, language): &(super::data::Located<'_>, Lang)| {
        let message = format!("the text is {}, the others are {usual}", language.eng_name());
        Finding::new(Check::OtherLanguage, message, vec![data.place(*located)])
    };
    others.map(finding).collect()
}

/// The language of a text, where it is long enough and the detector sure.
fn language(text: &str) -> Option<Lang> {
    if text.chars().filter(|character| character.is_alphabetic()).nth(LETTERS - 1).is_none() {
        return None;
    }
    let info = whatlang::detect(text)?;
    // A script tells more than a few letters of a shared alphabet.
    (info.is_reliable() || info.script() != Script::Latin && info.confidence() > 0.9).then(|| info.lang())
}

/// Languages that the detector confuses in sound text.
fn family(language: Lang) -> &'static str {
    match language {
        Lang::Dan | Lang::Nob | Lang::Swe => "scandinavian",
        Lang::Spa | Lang::Por | Lang::Cat => "iberian",
        Lang::Rus | Lang::Ukr | Lang::Bel | Lang::Bul | Lang::Mkd | Lang::Srp => "cyrillic",
        Lang::Ces | Lang::Slk => "czechoslovak",
        Lang::Hrv | Lang::Slv => "south slavic",
        Lang::Nld | Lang::Afr => "dutch",
        Lang::Hin | Lang::Mar | Lang::Nep => "devanagari",
        other => other.code(),
    }
}
