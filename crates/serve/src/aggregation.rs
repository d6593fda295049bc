//! From what a model says of pieces to what `TokenClassificationPipeline` of transformers answers.
//!
//! The five strategies of its `aggregation_strategy`, as transformers 5 has them. What the pipeline does is kept also where it
//! is odd: `I-` tags that continue nothing make groups, and the words of word strategies are decoded twice.

use std::{fmt, ops::Range, str::FromStr};

use crate::Piece;

/// How pieces become groups: transformers' `aggregation_strategy`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Strategy {
    /// Every piece for itself, with its tag.
    #[default]
    None,
    /// Neighbouring pieces of one label, as their tags begin and continue it.
    Simple,
    /// As [`Strategy::Simple`] over words; the first piece of a word decides.
    First,
    /// As [`Strategy::Simple`] over words; the mean of a word's pieces decides.
    Average,
    /// As [`Strategy::Simple`] over words; the most certain piece of a word decides.
    Max,
}

/// A name that no strategy has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownStrategy(pub String);

/// What a strategy makes of one or more pieces.
#[derive(Debug, Clone, PartialEq)]
pub struct Group {
    /// The label (`entity_group`), or with [`Strategy::None`] the tag (`entity`).
    pub name: String,
    /// Mean probability of the tags of its pieces or words.
    pub score: f32,
    /// Its pieces as the tokenizer writes them as text, or with [`Strategy::None`] as the vocabulary writes the piece.
    pub word: String,
    /// From the start of its first piece to the end of its last, in bytes of the text. Empty where a piece covers nothing.
    pub range: Range<usize>,
    /// Position of the piece in its window, with [`Strategy::None`] alone.
    pub index: Option<usize>,
}

impl Strategy {
    /// Every strategy.
    pub const ALL: [Self; 5] = [Self::None, Self::Simple, Self::First, Self::Average, Self::Max];

    /// Its name in a request.
    pub fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Simple => "simple",
            Self::First => "first",
            Self::Average => "average",
            Self::Max => "max",
        }
    }
}

impl FromStr for Strategy {
    type Err = UnknownStrategy;

    /// The strategy of a name, large or small letters, as in transformers.
    fn from_str(name: &str) -> Result<Self, UnknownStrategy> {
        let known = Self::ALL.into_iter().find(|strategy| strategy.name().eq_ignore_ascii_case(name));
        known.ok_or_else(|| UnknownStrategy(name.to_owned()))
    }
}

impl fmt::Display for UnknownStrategy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let known = Strategy::ALL.map(Strategy::name).join(", ");
        write!(f, "aggregation_strategy: `{}` is none of {known}", self.0)
    }
}

impl std::error::Error for UnknownStrategy {}

/// The groups of one text, in reading order.
///
/// `tags` are those of the pieces' probabilities, in their order. A group whose name is in `ignore` is left out (transformers
/// leaves out `O` where nobody says otherwise). `words` writes pieces as text, as [`crate::Tagger::words`] does.
///
/// # Panics
/// A piece has not one probability a tag.
pub fn aggregate(
    strategy: Strategy,
    pieces: &[Piece],
    tags: &[String],
    ignore: &[String],
    words: impl Fn(&[&str]) -> String,
) -> Vec<Group> {
    assert!(pieces.iter().all(|piece| !tags.is_empty() && piece.probabilities.len() == tags.len()), "one a tag");
    let units = units(strategy, pieces, tags);
    if strategy == Strategy::None {
        let kept = units.into_iter().filter(|unit| !ignore.iter().any(|name| name == unit.tag));
        return kept.map(Unit::alone).collect();
    }
    let whole_words = strategy != Strategy::Simple;
    units
        .chunk_by(|last, next| continues(last.tag, next.tag))
        .filter(|group| !ignore.iter().any(|name| name == label(group[0].tag)))
        .map(|group| grouped(group, whole_words, &words))
        .collect()
}

/// What gets one tag: a piece, or the pieces of a word.
struct Unit<'a> {
    tag: &'a str,
    score: f32,
    pieces: &'a [Piece],
}

impl Unit<'_> {
    /// A piece as it is.
    fn alone(self) -> Group {
        let Piece { range, token, index, .. } = &self.pieces[0];
        let (name, word) = (self.tag.to_owned(), token.clone());
        Group { name, score: self.score, word, range: range.clone(), index: Some(*index) }
    }

    fn tokens(&self) -> impl Iterator<Item = &str> {
        self.pieces.iter().map(|piece| piece.token.as_str())
    }
}

fn units<'a>(strategy: Strategy, pieces: &'a [Piece], tags: &'a [String]) -> Vec<Unit<'a>> {
    let unit = |pieces: &'a [Piece]| {
        let (tag, score) = decide(strategy, pieces);
        Unit { tag: tags[tag].as_str(), score, pieces }
    };
    match strategy {
        Strategy::None | Strategy::Simple => pieces.chunks(1).map(unit).collect(),
        // The first piece of a text begins a word, whatever it says of itself.
        Strategy::First | Strategy::Average | Strategy::Max => {
            pieces.chunk_by(|_, next| next.continues).map(unit).collect()
        }
    }
}

/// The tag of a unit and its probability.
fn decide(strategy: Strategy, pieces: &[Piece]) -> (usize, f32) {
    let best = |piece: &Piece| largest(&piece.probabilities);
    match strategy {
        Strategy::None | Strategy::Simple | Strategy::First => best(&pieces[0]),
        Strategy::Average => {
            let mean = |tag| mean(pieces.iter().map(|piece| piece.probabilities[tag]));
            largest(&(0..pieces[0].probabilities.len()).map(mean).collect::<Vec<_>>())
        }
        Strategy::Max => {
            let certain = |most: (usize, f32), next: (usize, f32)| if next.1 > most.1 { next } else { most };
            pieces.iter().map(best).reduce(certain).unwrap_or_default()
        }
    }
}

/// Neighbouring units of one label as one.
fn grouped(units: &[Unit<'_>], whole_words: bool, words: impl Fn(&[&str]) -> String) -> Group {
    let text = |tokens: &[&str]| words(tokens);
    let word = if whole_words {
        let written: Vec<String> = units.iter().map(|unit| text(&unit.tokens().collect::<Vec<_>>())).collect();
        text(&written.iter().map(String::as_str).collect::<Vec<_>>())
    } else {
        text(&units.iter().flat_map(Unit::tokens).collect::<Vec<_>>())
    };
    let (first, last) = (units[0].pieces, units[units.len() - 1].pieces);
    Group {
        name: label(units[0].tag).to_owned(),
        score: mean(units.iter().map(|unit| unit.score)),
        word,
        range: first[0].range.start..last[last.len() - 1].range.end,
        index: None,
    }
}

/// Whether a unit goes on with the group of the one before it: the same label, and no `B-`.
fn continues(last: &str, next: &str) -> bool {
    let unprefixed = |tag| str::strip_prefix(tag, "I-").or_else(|| tag.strip_prefix("B-")).unwrap_or(tag);
    !next.starts_with("B-") && unprefixed(last) == unprefixed(next)
}

/// What a group of a tag is called: what stands behind the first hyphen, whatever stands before it.
fn label(tag: &str) -> &str {
    tag.split_once('-').map_or(tag, |(_, label)| label)
}

/// Position and value of the first of the largest values.
fn largest(values: &[f32]) -> (usize, f32) {
    let first = values.iter().copied().enumerate();
    first.reduce(|most, next| if next.1 > most.1 { next } else { most }).unwrap_or_default()
}

fn mean(values: impl ExactSizeIterator<Item = f32>) -> f32 {
    let count = values.len() as f64;
    (values.map(f64::from).sum::<f64>() / count) as f32
}

#[cfg(test)]
mod tests {
    use super::*;

    const TAGS: [&str; 5] = ["O", "B-PER", "I-PER", "B-ORG", "I-ORG"];

    fn tags() -> Vec<String> {
        TAGS.map(str::to_owned).to_vec()
    }

    /// Pieces that follow each other without space, each with the tag that it is most certain of and how certain it is.
    fn pieces(pieces: &[(&str, bool, &str, f32)]) -> Vec<Piece> {
        let mut end = 0;
        let piece = |(index, (token, continues, tag, certain)): (usize, &(&str, bool, &str, f32))| {
            let start = end;
            end += token.trim_start_matches('#').len();
            let rest = (1.0 - certain) / 4.0;
            let probabilities = TAGS.map(|other| if other == *tag { *certain } else { rest }).to_vec();
            let token = (*token).to_owned();
            Piece { range: start..end, token, index: index + 1, continues: *continues, probabilities }
        };
        pieces.iter().enumerate().map(piece).collect()
    }

    fn answer(strategy: Strategy, of: &[(&str, bool, &str, f32)], ignore: &[&str]) -> Vec<(String, String, f32)> {
        let ignore: Vec<String> = ignore.iter().map(|name| (*name).to_owned()).collect();
        let groups = aggregate(strategy, &pieces(of), &tags(), &ignore, |tokens| tokens.join("+"));
        groups.into_iter().map(|group| (group.name, group.word, (group.score * 100.0).round() / 100.0)).collect()
    }

    fn row(name: &str, word: &str, score: f32) -> (String, String, f32) {
        (name.to_owned(), word.to_owned(), score)
    }

    #[test]
    fn tags_of_another_label_and_every_b_begin_a_group() {
        let of = [
            ("a", false, "I-PER", 0.6),
            ("b", false, "I-PER", 0.8),
            ("c", false, "B-PER", 0.5),
            ("d", false, "I-ORG", 0.7),
            ("e", false, "O", 0.9),
        ];
        let groups = [row("PER", "a+b", 0.7), row("PER", "c", 0.5), row("ORG", "d", 0.7)];
        assert_eq!(answer(Strategy::Simple, &of, &["O"]), groups);
        assert_eq!(answer(Strategy::Simple, &of, &[])[3], row("O", "e", 0.9));
        assert_eq!(answer(Strategy::Simple, &of, &["PER", "B-ORG"]), [groups[2].clone(), row("O", "e", 0.9)]);
        assert_eq!(
            answer(Strategy::None, &of, &["O", "PER", "I-PER"]),
            [row("B-PER", "c", 0.5), row("I-ORG", "d", 0.7)]
        );
    }

    #[test]
    fn a_word_gets_one_tag_from_its_first_its_mean_or_its_most_certain_piece() {
        let of = [
            ("a", true, "O", 0.4),
            ("##b", true, "B-PER", 0.6),
            ("##c", true, "I-ORG", 0.9),
            ("d", false, "I-ORG", 0.5),
            ("##e", true, "I-PER", 0.7),
        ];
        assert_eq!(answer(Strategy::First, &of, &["O"]), [row("ORG", "d+##e", 0.5)]);
        assert_eq!(answer(Strategy::Max, &of, &["O"]), [row("ORG", "a+##b+##c", 0.9), row("PER", "d+##e", 0.7)]);
        // (0.15 + 0.1 + 0.9) / 3, and (0.125 + 0.7) / 2.
        assert_eq!(answer(Strategy::Average, &of, &["O"]), [row("ORG", "a+##b+##c", 0.38), row("PER", "d+##e", 0.41)]);
    }

    #[test]
    fn a_group_reaches_from_its_first_piece_to_its_last() {
        let of = pieces(&[
            ("An", false, "B-PER", 0.6),
            ("##na", true, "I-PER", 0.8),
            (" ", false, "O", 0.9),
            ("x", false, "B-ORG", 0.5),
        ]);
        let ranges = |strategy| {
            let groups = aggregate(strategy, &of, &tags(), &["O".to_owned()], |tokens| tokens.concat());
            groups.into_iter().map(|group| (group.range, group.index)).collect::<Vec<_>>()
        };
        assert_eq!(ranges(Strategy::None), [(0..2, Some(1)), (2..4, Some(2)), (5..6, Some(4))]);
        for strategy in [Strategy::Simple, Strategy::First, Strategy::Average, Strategy::Max] {
            assert_eq!(ranges(strategy), [(0..4, None), (5..6, None)]);
        }
        assert!(aggregate(Strategy::Max, &[], &tags(), &[], |tokens| tokens.concat()).is_empty());
    }

    #[test]
    fn labels_are_named_as_transformers_names_them() {
        assert_eq!(
            ["B-PER", "PER", "S-creative-work", "creative-work"].map(label),
            ["PER", "PER", "creative-work", "work"]
        );
        assert!(continues("B-PER", "I-PER") && continues("PER", "PER") && continues("PER", "I-PER"));
        assert!(!continues("B-PER", "B-PER") && !continues("I-PER", "I-ORG") && !continues("B-PER", "E-PER"));
    }

    #[test]
    fn a_strategy_is_found_by_its_name_and_no_other() {
        for strategy in Strategy::ALL {
            assert_eq!(strategy.name().to_uppercase().parse(), Ok(strategy));
        }
        let error = "medium".parse::<Strategy>().unwrap_err();
        assert_eq!(error.to_string(), "aggregation_strategy: `medium` is none of none, simple, first, average, max");
    }
}
