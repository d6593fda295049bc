//! The scores of `seqeval`, version 1.2.2, which the Hugging Face `evaluate` library reports for NER.

use schema::{
    Label,
    tags::{Chunk, Prefix, Scheme, Tag},
};
use thiserror::Error;

use crate::{LengthError, TagScores};

/// Why tag sequences have no strict scores.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum StrictError {
    /// Gold and predicted tags do not belong to the same tokens.
    #[error(transparent)]
    Length(#[from] LengthError),
    /// A tag of another scheme.
    #[error("sequence {sequence}, token {token}: {scheme} has no tag `{tag}`; name the scheme that the tags follow")]
    ForeignTag {
        /// Position of the sequence.
        sequence: usize,
        /// Position of the token in it.
        token: usize,
        /// The tag that stands there.
        tag: Tag,
        /// The scheme that was asked for.
        scheme: Scheme,
    },
}

/// Scores by seqeval's default mode: conlleval's chunk rules, so that a broken sequence still has chunks.
///
/// It differs from [`conlleval`](crate::conlleval) in `L` and `U`, for which it has no rules: they go on with a
/// chunk of their label, and a `B` behind them makes it forget that chunk. Score BILOU tags with [`strict`].
///
/// # Errors
/// Gold and predicted tags differ in number.
pub fn default_mode(gold: &[Vec<Tag>], predicted: &[Vec<Tag>]) -> Result<TagScores, LengthError> {
    TagScores::of(gold, predicted, |_, tags| Ok(default_chunks(tags)))
}

/// The chunks of the default mode. Starts and ends are found independently: an end closes the latest start.
fn default_chunks(tags: &[Tag]) -> Vec<Chunk> {
    use Prefix::{B, E, I, S};
    let (mut chunks, mut start, mut previous) = (Vec::new(), 0, None);
    for (token, next) in tags.iter().map(Tag::part).chain([None]).enumerate() {
        let (before, after, same_label) = letters(previous, next);
        let closed = match before {
            Some(E | S) => true,
            Some(B | I) => !same_label || matches!(after, Some(B | S)),
            _ => !same_label,
        };
        if closed && let Some((_, label)) = previous {
            chunks.push(Chunk { tokens: start..token, label: Label::clone(label) });
        }
        let opened = match after {
            Some(B | S) => true,
            Some(I | E) => !same_label || matches!(before, Some(E | S)),
            _ => !same_label,
        };
        if opened {
            start = token;
        }
        previous = next;
    }
    chunks
}

/// Scores by seqeval's strict mode: only chunks written as `scheme` writes them count, on either side; others
/// are dropped, as if their tokens were outside.
///
/// seqeval's patterns are followed also where they are narrower than the scheme: with IOB1 and IOE1 it drops
/// some chunks that touch one of another label.
///
/// # Errors
/// Gold and predicted tags differ in number, or a tag has a prefix that the scheme does not have.
pub fn strict(gold: &[Vec<Tag>], predicted: &[Vec<Tag>], scheme: Scheme) -> Result<TagScores, StrictError> {
    TagScores::of(gold, predicted, |sequence, tags| {
        let foreign = |tag: &Tag| matches!(tag, Tag::Part(prefix, _) if !scheme.prefixes().contains(prefix));
        match tags.iter().position(foreign) {
            Some(token) => Err(StrictError::ForeignTag { sequence, token, tag: tags[token].clone(), scheme }),
            None => Ok(strict_chunks(scheme, tags)),
        }
    })
}

/// Prefix and label of a tag, `None` outside.
type Part<'t> = Option<(Prefix, &'t Label)>;

/// The chunks whose start, inside and end all follow seqeval's patterns for the scheme.
fn strict_chunks(scheme: Scheme, tags: &[Tag]) -> Vec<Chunk> {
    let part = |token: usize| tags.get(token).and_then(Tag::part);
    let mut chunks = Vec::new();
    let (mut token, mut previous) = (0, None);
    while let Some(tag) = tags.get(token) {
        let start = token;
        token += 1;
        if let Tag::Part(_, label) = tag
            && starts(scheme, previous, tag.part())
        {
            while goes_on(scheme, part(token - 1), part(token)) {
                token += 1;
            }
            if ends(scheme, part(token - 1), part(token)) {
                chunks.push(Chunk { tokens: start..token, label: label.clone() });
            }
        }
        previous = part(token - 1);
    }
    chunks
}

fn letters<'t>(previous: Part<'t>, next: Part<'t>) -> (Option<Prefix>, Option<Prefix>, bool) {
    let same_label = matches!((previous, next), (Some((_, a)), Some((_, b))) if a == b);
    (previous.map(|(prefix, _)| prefix), next.map(|(prefix, _)| prefix), same_label)
}

/// Whether a chunk may start at `next`.
fn starts(scheme: Scheme, previous: Part<'_>, next: Part<'_>) -> bool {
    use Prefix::{B, E, I, S, U};
    let (before, after, same) = letters(previous, next);
    match scheme {
        Scheme::Iob1 => match after {
            Some(I) => before != Some(I) || !same,
            Some(B) => before.is_some() && same,
            _ => false,
        },
        Scheme::Iob2 => after == Some(B),
        Scheme::Ioe1 => match after {
            Some(I) => before != Some(I) || !same,
            Some(E) => before == Some(E) && same,
            _ => false,
        },
        Scheme::Ioe2 => matches!(after, Some(I | E)) && (before != Some(I) || !same),
        Scheme::Iobes => matches!(after, Some(B | S)),
        Scheme::Bilou => matches!(after, Some(B | U)),
    }
}

/// Whether a chunk whose last token is `previous` goes on with `next`.
fn goes_on(scheme: Scheme, previous: Part<'_>, next: Part<'_>) -> bool {
    use Prefix::{B, E, I, L};
    let (before, after, same) = letters(previous, next);
    same && match scheme {
        Scheme::Iob1 | Scheme::Iob2 => after == Some(I),
        Scheme::Ioe1 | Scheme::Ioe2 => before == Some(I),
        Scheme::Iobes => matches!(before, Some(B | I)) && matches!(after, Some(I | E)),
        Scheme::Bilou => matches!(before, Some(B | I)) && matches!(after, Some(I | L)),
    }
}

/// Whether a chunk whose last token is `previous` is complete before `next`, given that it does not go on.
fn ends(scheme: Scheme, previous: Part<'_>, next: Part<'_>) -> bool {
    use Prefix::{B, E, I, L, S, U};
    let (before, after, same) = letters(previous, next);
    match scheme {
        Scheme::Iob1 => before == Some(I) || after != Some(B) || same,
        Scheme::Iob2 => true,
        Scheme::Ioe1 => match before {
            Some(I) => true,
            _ => after.is_some() && same,
        },
        Scheme::Ioe2 => before == Some(E),
        Scheme::Iobes => matches!(before, Some(E | S)),
        Scheme::Bilou => matches!(before, Some(L | U)),
    }
}
