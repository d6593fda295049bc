//! How often a surface is labelled, with what, and how often it is not.

use std::collections::{BTreeMap, HashMap};

use schema::{Label, Span};

use super::{Data, Place};

/// A surface that is labelled somewhere.
#[derive(Default)]
pub(super) struct Surface<'d> {
    /// Entities a label, in the order of the files.
    pub(super) labels: BTreeMap<&'d Label, Vec<Place>>,
    /// Places where it stands as whole words and no entity has any of it.
    pub(super) bare: Vec<Place>,
}

impl Surface<'_> {
    /// How often it is labelled.
    pub(super) fn labelled(&self) -> usize {
        self.labels.values().map(Vec::len).sum()
    }
}

/// The surfaces that are labelled, compared letter for letter.
pub(super) fn labelled<'d>(data: &Data<'d>) -> BTreeMap<&'d str, Surface<'d>> {
    let mut surfaces: BTreeMap<&str, Surface<'_>> = BTreeMap::new();
    for (located, entity) in data.entities() {
        let surface = surfaces.entry(entity.span.quote(located.document.text())).or_default();
        surface.labels.entry(&entity.label).or_default().push(data.mention(located, entity));
    }
    surfaces
}

/// The same, with the places where they are not labelled. Documents that do not claim to be complete are passed over.
pub(super) fn with_bare<'d>(data: &Data<'d>) -> BTreeMap<&'d str, Surface<'d>> {
    let mut surfaces = labelled(data);
    // The first word of a surface leads to the lengths of the surfaces that start with it, longest first.
    let mut lengths: HashMap<&str, Vec<usize>> = HashMap::new();
    for surface in surfaces.keys() {
        if let Some(word) = words(surface).next().filter(|word| word.start() == 0) {
            lengths.entry(word.quote(surface)).or_default().push(surface.len());
        }
    }
    for of_word in lengths.values_mut() {
        of_word.sort_unstable_by(|a, b| b.cmp(a));
        of_word.dedup();
    }
    for located in data.documents().filter(|located| located.document.is_complete()) {
        let text = located.document.text();
        let mut entities = located.document.entities().iter().map(|entity| entity.span).peekable();
        let mut end = 0;
        for word in words(text) {
            while entities.next_if(|span| span.end() <= word.start()).is_some() {}
            let free = entities.peek().map_or(text.len(), |span| span.start());
            if word.start() < end || word.end() > free {
                continue;
            }
            let of_word = lengths.get(word.quote(text)).map_or(&[][..], Vec::as_slice);
            let found = of_word.iter().find_map(|length| {
                let until = word.start() + length;
                let surface = text.get(word.start()..until).filter(|_| until <= free && ends_word(text, until))?;
                surfaces.contains_key(surface).then_some(surface)
            });
            if let Some(surface) = found {
                end = word.start() + surface.len();
                let span = Span::new(word.start(), end).unwrap_or(word);
                if is_compound(text, span) {
                    continue;
                }
                if let Some(surface) = surfaces.get_mut(surface) {
                    surface.bare.push(data.part(located, span));
                }
            }
        }
    }
    surfaces
}

/// Runs of letters and digits.
pub(super) fn words(text: &str) -> impl Iterator<Item = Span> + '_ {
    let mut from = 0;
    std::iter::from_fn(move || {
        let start = from + text[from..].find(char::is_alphanumeric)?;
        let end = text[start..].find(|c: char| !c.is_alphanumeric()).map_or(text.len(), |at| start + at);
        from = end;
        Span::new(start, end).ok()
    })
}

/// Whether the span is a part of something longer: `Ruby.framework`, `lib_java`, `non-FAP`, and where tokens stand
/// apart `DM - kinase`.
fn is_compound(text: &str, span: Span) -> bool {
    let (before, after) = (&text[..span.start()], &text[span.end()..]);
    let ties =
        |character: char| matches!(character, '-' | '_' | '.' | '/' | '\\' | '@' | '#' | '\u{2010}' | '\u{2011}' | '–');
    let word = |character: Option<char>| character.is_some_and(char::is_alphanumeric);
    let hyphen = |side: Option<char>| side.is_some_and(|character| matches!(character, '-' | '\u{2010}' | '–'));
    before.ends_with(ties)
        || after.starts_with(ties) && word(after.chars().nth(1))
        || hyphen(before.trim_end().chars().next_back())
        || hyphen(after.trim_start().chars().next())
}

/// Whether the surface names something: a number does not.
pub(super) fn is_name(surface: &str) -> bool {
    surface.chars().any(char::is_alphabetic)
}

/// Whether it is an everyday word: in lower case, which says little where a script has no case.
pub(super) fn is_everyday(surface: &str) -> bool {
    surface.chars().all(|character| !character.is_uppercase() && !character.is_numeric())
        && surface.chars().any(char::is_lowercase)
}

/// Whether no word goes on behind this byte.
fn ends_word(text: &str, at: usize) -> bool {
    let (before, after) = (text[..at].chars().next_back(), text[at..].chars().next());
    !(before.is_some_and(char::is_alphanumeric) && after.is_some_and(char::is_alphanumeric))
}
