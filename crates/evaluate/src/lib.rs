//! Judges predicted entities against gold: [`Scores`] by strict, boundary and overlap matching, a bootstrap
//! [`Interval`], the [`Confusion`] of labels, the worst [`Errors`] in their text, and a [`Report`] that gathers
//! them; the same by the values of a metadata field ([`Slices`]), how recall changes with the names in the texts
//! ([`Counterfactual`]), and how two recognizers differ on the same texts ([`Change`], [`Exchanged`]); how far annotators agree ([`agreement`]). [`seqeval`] and [`conlleval`] score tag sequences exactly as the programs of these names do. No I/O.
//!
//! Figures are fractions, not percent. A ratio without a denominator (precision without a prediction, recall
//! without gold, F1 without either) is 0, as in seqeval.
//!
//! ```
//! use nomen_evaluate::{Counts, Rule};
//! use schema::{Entity, Label, Span};
//!
//! let text = "Anna Smith lives in Rome";
//! let entity = |range, label| Ok::<_, Box<dyn std::error::Error>>(Entity::new(Span::of(text, range)?, Label::new(label)?));
//! let gold = [entity(0..10, "PER")?, entity(20..24, "LOC")?];
//! let predicted = [entity(0..4, "PER")?, entity(20..24, "LOC")?];
//! assert_eq!(Counts::of(Rule::Strict, &gold, &predicted).f1(), 0.5);
//! assert_eq!(Counts::of(Rule::Overlap, &gold, &predicted).f1(), 1.0);
//! # Ok::<_, Box<dyn std::error::Error>>(())
//! ```

pub mod agreement;
mod change;
mod confusion;
mod conlleval;
mod counterfactual;
mod errors;
mod exchanged;
mod interval;
mod matching;
mod mention;
mod report;
mod scope;
mod scores;
pub mod seqeval;
mod slices;
mod tag_scores;

pub use change::{Change, Draws, Twice};
pub use confusion::{Confused, Confusion};
pub use conlleval::conlleval;
pub use counterfactual::{Counterfactual, GroupRecall, Groups, GroupsError};
pub use errors::{ErrorCase, ErrorKind, Errors};
pub use exchanged::{Exchanged, OneSided};
pub use interval::Interval;
pub use matching::{Rule, matches};
pub use mention::{GoldMention, Mention};
pub use report::{Report, Settings};
pub use scope::{Judged, Pair};
pub use scores::{Average, Counts, Scores, SeqevalKeys};
pub use slices::{Slice, SliceOf, Slices};
pub use tag_scores::{LengthError, TagScores};
