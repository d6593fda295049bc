//! Q023: texts in another language than the corpus.

use std::collections::{BTreeMap, HashMap, HashSet};

use whatlang::{Detector, Info, Lang, Script};

use super::{Check, Data, Finding, Rule, Severity, data::Located, surfaces};

/// A text needs so many letters; shorter ones are guesses.
const LETTERS: usize = 60;
/// Share of the texts that the corpus's language needs.
const MOST: f64 = 0.8;
/// Texts that are needed to say what the corpus's language is.
const LEAST: usize = 10;
/// So many words count as common.
const COMMON: usize = 100;
/// Share of its words that a text in another language may have in common with the corpus.
const SHARED: f64 = 0.25;
/// A text with fewer words that are no names is a list, not a text.
const ENOUGH: usize = 6;

pub(super) const RULE: Rule = Rule {
    code: "Q023",
    name: "other-language",
    severity: Severity::Warning,
    what: "A text of at least 60 letters whose language differs from that of the corpus (four fifths of the texts \
           that can be told), where the detector is sure and the text has few of the 100 most common words of the \
           others. Languages that are near each other (Danish and Norwegian) count as one.",
    why: "A base model of one language learns little from another, and guidelines mostly do not cover it.",
    fix: "Drop the text, or mean it and say so in the guidelines.",
    command: None,
};

pub(super) fn find(data: &Data<'_>) -> Vec<Finding> {
    let mut told: Vec<(Located<'_>, Lang, Script)> = Vec::new();
    let mut sure: BTreeMap<&str, (usize, Lang, Script)> = BTreeMap::new();
    for located in data.documents() {
        if let Some(info) = detect(located.document.text()) {
            let (language, script) = (info.lang(), info.script());
            if info.is_reliable() {
                sure.entry(family(language)).or_insert((0, language, script)).0 += 1;
            }
            told.push((located, language, script));
        }
    }
    let all: usize = sure.values().map(|(count, ..)| count).sum();
    let usual = sure.into_iter().max_by_key(|(_, (count, ..))| *count);
    let Some((family_of_usual, (count, usual, usual_script))) = usual else { return Vec::new() };
    if all < LEAST || (count as f64) < MOST * all as f64 {
        return Vec::new();
    }
    let of_usual = told.iter().filter(|(_, language, _)| family(*language) == family_of_usual);
    let common = common_words(of_usual.map(|(located, ..)| *located));
    let others = told.iter().filter(|(located, language, script)| {
        let text = located.document.text();
        family(*language) != family_of_usual
            && (*script != usual_script || is_foreign(text, &common))
            && beats(text, *language, usual)
    });
    let finding = |(located, language, _): &(Located<'_>, Lang, Script)| {
        let message = format!("the text is {}, the others are {}", language.eng_name(), usual.eng_name());
        Finding::new(Check::OtherLanguage, message, vec![data.place(*located)])
    };
    others.map(finding).collect()
}

/// The words that these texts use most, which are those that belong to the language and not to the subject.
fn common_words<'d>(texts: impl Iterator<Item = Located<'d>>) -> HashSet<&'d str> {
    let mut counts: HashMap<&str, usize> = HashMap::new();
    for text in texts.map(|located| located.document.text()) {
        for word in small_words(text) {
            *counts.entry(word).or_default() += 1;
        }
    }
    let mut ranked: Vec<(&str, usize)> = counts.into_iter().collect();
    ranked.sort_unstable_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(b.0)));
    ranked.into_iter().take(COMMON).map(|(word, _)| word).collect()
}

/// Whether a text has few of the common words: a list of foreign names is still written in the usual language.
fn is_foreign(text: &str, common: &HashSet<&str>) -> bool {
    let (mut all, mut usual) = (0usize, 0usize);
    for word in small_words(text) {
        all += 1;
        usual += usize::from(common.contains(word));
    }
    all >= ENOUGH && usual as f64 <= SHARED * all as f64
}

/// Words that are no names, as far as their case tells.
fn small_words(text: &str) -> impl Iterator<Item = &str> {
    let words = surfaces::words(text).map(|word| word.quote(text));
    words.filter(|word| word.chars().all(|character| character.is_alphabetic() && !character.is_uppercase()))
}

/// What the detector makes of a text that is long enough.
fn detect(text: &str) -> Option<Info> {
    text.chars().filter(|character| character.is_alphabetic()).nth(LETTERS - 1)?;
    // Nobody writes Latin but the names of species.
    whatlang::detect(text).filter(|info| info.lang() != Lang::Lat)
}

/// Whether the detector is sure once only these two languages are possible: near relatives of the one that was found
/// do not make it unsure that it is not the usual one.
fn beats(text: &str, found: Lang, usual: Lang) -> bool {
    let two = Detector::with_allowlist(vec![found, usual]);
    two.detect(text).is_some_and(|info| info.lang() == found && info.is_reliable())
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
