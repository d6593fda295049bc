//! Whether a candidate may take the place of the live model: both are judged on the same texts, old tests and new, over all
//! labels and by label, against a [`Policy`].
//!
//! # When a row fails
//!
//! A row is one label of one test set, or all labels of the set. Two questions are asked of it, and each has the method that
//! answers it:
//!
//! - *Has it become worse?* It fails as [`Verdict::Dropped`] when its F1 is lower by more than the policy's `max_drop`, and the
//!   drop is not chance: the one-sided randomization test of `evaluate::Change`, corrected over all rows by Holm (1979), is
//!   at most 1 less the policy's `confidence`. So a candidate that is as good as the live model in every row fails *any* row
//!   by chance in at most that share of gates, however many labels there are.
//! - *Is it shown to be no worse?* Where the whole paired bootstrap interval of the change lies above `-max_drop`, it is
//!   [`Verdict::Holds`]. Between the two it is [`Verdict::Undecided`]: the test set is too small to tell. The policy says
//!   whether that passes.
//!
//! A gain that the policy requires is there when the change reaches it and the interval lies above 0. Rows with fewer
//! entities than the policy's `min_support` are [`Verdict::TooFew`]: not judged by label; a whole set with so few fails,
//! because nothing was shown. What this rule finds and how often it is wrong is measured in `docs/benchmarks.md`.

mod error;
mod family;
mod policy;
mod report;
mod row;
mod set;

pub use error::{GateError, PolicyError, Problem};
pub use policy::{Bound, Policy, Undecided};
pub use report::{GateReport, SetReport, judge};
pub use row::{Row, Verdict};
pub use set::TestSet;
