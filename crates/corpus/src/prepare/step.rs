//! The closed set of steps.

use std::{fmt, sync::Arc};

use super::{Boilerplate, Form, LineEnds, Mapped, Masked, collapse, lower, mask, normalize, remove_invisible, trim};

/// One change to texts.
#[derive(Debug, Clone)]
pub enum Step {
    /// Lines that many documents share are removed.
    Boilerplate(Arc<Boilerplate>),
    /// Unicode normalization.
    Normalize(Form),
    /// Control characters and characters of no width are removed.
    Invisible,
    /// Addresses are masked.
    Mask(Masked),
    /// Runs of white space are collapsed.
    WhiteSpace(LineEnds),
    /// White space at the ends of the text is removed.
    Trim,
    /// Lower case.
    Lower,
}

impl Step {
    /// What the step makes of a text.
    pub fn apply(&self, text: &str) -> Mapped {
        match self {
            Self::Boilerplate(lines) => lines.remove(text),
            Self::Normalize(form) => normalize(text, *form),
            Self::Invisible => remove_invisible(text),
            Self::Mask(masked) => mask(text, *masked),
            Self::WhiteSpace(line_ends) => collapse(text, *line_ends),
            Self::Trim => trim(text),
            Self::Lower => lower(text),
        }
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match self {
            Self::Boilerplate(_) => "boilerplate lines",
            Self::Normalize(form) => return write!(f, "normalization ({form})"),
            Self::Invisible => "invisible characters",
            Self::Mask(Masked::Urls) => "web addresses",
            Self::Mask(Masked::Emails) => "e-mail addresses",
            Self::WhiteSpace(_) => "white space",
            Self::Trim => "white space at the ends",
            Self::Lower => "lower case",
        };
        f.pad(name)
    }
}
