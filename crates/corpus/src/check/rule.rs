//! What a check says of itself, for the command line, the report and `docs/checks.md`.

use std::fmt;

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Worth knowing; may well be meant.
    Note,
    /// Probably wrong, and it costs scores or makes them lie.
    Warning,
    /// Certainly wrong.
    Error,
}

impl Severity {
    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Note => "note",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// The documentation of a check.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rule {
    /// Its code, such as `Q004`; never given to another check.
    pub code: &'static str,
    /// Its name, which says what is found.
    pub name: &'static str,
    /// How bad its findings are at most.
    pub severity: Severity,
    /// What is looked for, with the limits that decide.
    pub what: &'static str,
    /// What it costs.
    pub why: &'static str,
    /// What to do.
    pub fix: &'static str,
    /// The command that mends it, where there is one.
    pub command: Option<&'static str>,
}

/// The command that mends what can be mended without a person.
pub(super) const FIX: Option<&str> = Some("nomen check FILE --fix --out FIXED");
/// The command that makes new parts without leaks.
pub(super) const SPLIT: Option<&str> = Some("nomen split FILE... --out DIR");
