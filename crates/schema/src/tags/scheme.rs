//! The schemes, their prefixes, and which tag may follow which.

use std::{fmt, str::FromStr};

use thiserror::Error;

use crate::Label;

/// How chunks of tokens are written as tags.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Scheme {
    /// `I` everywhere; `B` only where a chunk follows one of its own label (Ramshaw and Marcus, 1995).
    Iob1,
    /// `B` at every start (also called BIO).
    Iob2,
    /// `I` everywhere; `E` only where a chunk of its own label follows.
    Ioe1,
    /// `E` at every end.
    Ioe2,
    /// `B`, `I`, `E` for begin, inside, end; `S` for a single token.
    Iobes,
    /// The same with `L` (last) and `U` (unit).
    Bilou,
}

impl Scheme {
    /// Every scheme; where tags fit several, the earlier one is taken.
    pub const ALL: [Self; 6] = [Self::Iob2, Self::Iob1, Self::Iobes, Self::Bilou, Self::Ioe2, Self::Ioe1];

    /// The scheme's usual name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Iob1 => "IOB1",
            Self::Iob2 => "IOB2",
            Self::Ioe1 => "IOE1",
            Self::Ioe2 => "IOE2",
            Self::Iobes => "IOBES",
            Self::Bilou => "BILOU",
        }
    }

    /// The prefixes that a tag of this scheme may carry, in the usual order.
    pub fn prefixes(self) -> &'static [Prefix] {
        use Prefix::{B, E, I, L, S, U};
        match self {
            Self::Iob1 | Self::Iob2 => &[B, I],
            Self::Ioe1 | Self::Ioe2 => &[I, E],
            Self::Iobes => &[B, I, E, S],
            Self::Bilou => &[B, I, L, U],
        }
    }

    /// Whether a correct writer of this scheme can put `next` right after `previous`; `None` is `O` or the
    /// edge of the sequence, for which every scheme has the same rules.
    pub fn allows<L: PartialEq>(self, previous: Option<(Prefix, L)>, next: Option<(Prefix, L)>) -> bool {
        use Prefix::{B, E, I, L, S, U};
        let same_label = matches!((&previous, &next), (Some((_, a)), Some((_, b))) if a == b);
        let (before, after) = (previous.map(|(prefix, _)| prefix), next.map(|(prefix, _)| prefix));
        if [before, after].into_iter().flatten().any(|prefix| !self.prefixes().contains(&prefix)) {
            return false;
        }
        match self {
            Self::Iob1 => after != Some(B) || same_label,
            Self::Iob2 => after != Some(I) || same_label,
            Self::Ioe1 => before != Some(E) || same_label,
            Self::Ioe2 => before != Some(I) || same_label,
            Self::Iobes | Self::Bilou => {
                let open = matches!(before, Some(B | I));
                let goes_on = matches!(after, Some(I | E | L));
                debug_assert!(goes_on || matches!(after, None | Some(B | S | U)));
                if open { goes_on && same_label } else { !goes_on }
            }
        }
    }
}

impl fmt::Display for Scheme {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Scheme {
    type Err = TagError;

    fn from_str(name: &str) -> Result<Self, TagError> {
        Self::ALL
            .into_iter()
            .find(|scheme| scheme.name().eq_ignore_ascii_case(name))
            .ok_or_else(|| TagError::UnknownScheme(name.to_owned()))
    }
}

/// What stands before the hyphen of a tag.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Prefix {
    /// Begin.
    B,
    /// Inside.
    I,
    /// End.
    E,
    /// Single.
    S,
    /// Last (BILOU's end).
    L,
    /// Unit (BILOU's single).
    U,
}

impl Prefix {
    fn letter(self) -> char {
        match self {
            Self::B => 'B',
            Self::I => 'I',
            Self::E => 'E',
            Self::S => 'S',
            Self::L => 'L',
            Self::U => 'U',
        }
    }

    fn of(letter: &str) -> Option<Self> {
        Some(match letter {
            "B" => Self::B,
            "I" => Self::I,
            "E" => Self::E,
            "S" => Self::S,
            "L" => Self::L,
            "U" => Self::U,
            _ => return None,
        })
    }
}

/// One token's tag.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Tag {
    /// Outside every entity: `O`.
    Outside,
    /// Part of an entity.
    Part(Prefix, Label),
}

/// Why a text is not a tag.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum TagError {
    /// Neither `O` nor a known prefix, a hyphen and a label.
    #[error("`{0}` is not a tag: expected `O` or a prefix (B, I, E, S, L, U), a hyphen and a label, as in `B-PER`")]
    Malformed(String),
    /// Not the name of a scheme.
    #[error("unknown tag scheme `{0}`: expected IOB1, IOB2, IOE1, IOE2, IOBES or BILOU")]
    UnknownScheme(String),
}

impl Tag {
    /// Prefix and label, `None` for `O`; the form that [`Scheme::allows`] takes.
    pub fn part(&self) -> Option<(Prefix, &Label)> {
        match self {
            Self::Outside => None,
            Self::Part(prefix, label) => Some((*prefix, label)),
        }
    }
}

impl FromStr for Tag {
    type Err = TagError;

    fn from_str(text: &str) -> Result<Self, TagError> {
        if text == "O" {
            return Ok(Self::Outside);
        }
        let malformed = || TagError::Malformed(text.escape_debug().to_string());
        let (prefix, label) = text.split_once('-').ok_or_else(malformed)?;
        let prefix = Prefix::of(prefix).ok_or_else(malformed)?;
        Ok(Self::Part(prefix, Label::new(label).map_err(|_| malformed())?))
    }
}

impl fmt::Display for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Outside => f.write_str("O"),
            Self::Part(prefix, label) => write!(f, "{}-{label}", prefix.letter()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_first_hyphen_separates() {
        let tag: Tag = "B-creative-work".parse().unwrap();
        assert_eq!(tag, Tag::Part(Prefix::B, Label::new("creative-work").unwrap()));
        assert_eq!(tag.to_string(), "B-creative-work");
        for bad in ["", "B", "B-", "X-PER", "PER", "b-PER", "o"] {
            assert!(bad.parse::<Tag>().is_err(), "{bad:?} was accepted");
        }
    }

    #[test]
    fn iobes_must_close_what_it_opens() {
        use Prefix::{B, E, I, S};
        let allows = |a, b| Scheme::Iobes.allows(a, b);
        assert!(allows(Some((B, "X")), Some((E, "X"))));
        assert!(!allows(Some((B, "X")), Some((E, "Y"))));
        assert!(!allows(Some((B, "X")), None));
        assert!(!allows(None, Some((I, "X"))));
        assert!(allows(Some((S, "X")), Some((B, "X"))));
    }
}
