//! Judges predicted entities against gold: [`Scores`] by strict, boundary and overlap matching, a bootstrap
//! [`Interval`], the [`Confusion`] of labels, the worst [`Errors`] in their text, and a [`Report`] that gathers
//! them. [`seqeval`] and [`conlleval`] score tag sequences exactly as the programs of these names do. No I/O.
//!
//! Figures are fractions, not percent. A ratio without a denominator (precision without a prediction, recall
//! without gold, F1 without either) is 0, as in seqeval.

mod confusion;
mod conlleval;
mod errors;
mod interval;
mod matching;
mod mention;
mod report;
mod scope;
mod scores;
pub mod seqeval;
mod tag_scores;

pub use confusion::{Confused, Confusion};
pub use conlleval::conlleval;
pub use errors::{ErrorCase, ErrorKind, Errors};
pub use interval::Interval;
pub use matching::{Rule, matches};
pub use mention::{GoldMention, Mention};
pub use report::{Report, Settings};
pub use scope::{Judged, Pair};
pub use scores::{Average, Counts, Scores, SeqevalKeys};
pub use tag_scores::{LengthError, TagScores};
