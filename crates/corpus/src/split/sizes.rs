//! How large the parts of a split are.

use std::fmt;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::SplitError;

/// How large the parts are. Train, dev and test stand in this order, without test where one is protected; a part of
/// size 0 is not made.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Sizes {
    /// In proportion to these numbers.
    Ratio(Vec<f64>),
    /// So many documents each; `None` takes what the others leave.
    Count(Vec<Option<usize>>),
    /// So many equal parts, each of which is tested on once.
    Folds(usize),
}

/// The name of a part.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum PartName {
    /// What is learned from.
    Train,
    /// What the best model is chosen by.
    Dev,
    /// What the best model is judged on.
    Test,
    /// One of several equal parts, counted from 1.
    Fold(usize),
}

/// Not a list of sizes.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("expected {expected}, found `{found}`")]
pub struct NotASize {
    expected: &'static str,
    found: String,
}

impl fmt::Display for PartName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Train => f.pad("train"),
            Self::Dev => f.pad("dev"),
            Self::Test => f.pad("test"),
            Self::Fold(number) => write!(f, "fold-{number}"),
        }
    }
}

impl Sizes {
    /// Shares as they are written: `80,10,10`.
    ///
    /// # Errors
    /// A part of the list is no number of 0 or more.
    pub fn ratio(text: &str) -> Result<Self, NotASize> {
        let share = |share: &str| share.trim().parse().ok().filter(|share: &f64| share.is_finite() && *share >= 0.0);
        list(text, "shares of 0 and more, such as 80,10,10", share).map(Self::Ratio)
    }

    /// Counts as they are written: `rest,200,200`.
    ///
    /// # Errors
    /// A part of the list is neither a whole number nor `rest`.
    pub fn count(text: &str) -> Result<Self, NotASize> {
        let count = |count: &str| match count.trim() {
            "rest" => Some(None),
            count => count.parse().ok().map(Some),
        };
        list(text, "whole numbers or `rest`, such as rest,200,200", count).map(Self::Count)
    }

    /// The parts with the number of documents that each should have, together `documents`. Parts without any are
    /// left out.
    ///
    /// # Errors
    /// They cannot be had.
    pub(super) fn targets(&self, documents: usize, protected: bool) -> Result<Vec<(PartName, usize)>, SplitError> {
        let sizes = match self {
            Self::Folds(_) if protected => return Err(SplitError::FoldsProtected),
            Self::Folds(folds @ (0 | 1)) => return Err(SplitError::Folds { folds: *folds }),
            // More folds than texts cannot all have one; without this a mistyped number would fill the memory.
            Self::Folds(folds) if *folds > documents => {
                return Err(SplitError::EmptyPart { part: PartName::Fold(*folds), documents, groups: documents });
            }
            Self::Folds(folds) => {
                let shares = vec![1.0; *folds];
                let names = (1..=*folds).map(PartName::Fold);
                return Ok(names.zip(shared(documents, &shares)).collect());
            }
            Self::Ratio(shares) => {
                fits(shares.len(), protected)?;
                let is_share = |share: &f64| share.is_finite() && *share >= 0.0;
                if !shares.iter().all(is_share) || !shares.iter().any(|share| *share > 0.0) {
                    return Err(SplitError::Shares { shares: shares.clone() });
                }
                shared(documents, shares)
            }
            Self::Count(counts) => {
                fits(counts.len(), protected)?;
                let counted = counts.iter().flatten().fold(0_usize, |sum, count| sum.saturating_add(*count));
                let rests = counts.iter().filter(|count| count.is_none()).count();
                match rests {
                    0 if counted == documents => {}
                    1 if counted <= documents => {}
                    0 | 1 => return Err(SplitError::Counts { counted, documents }),
                    rests => return Err(SplitError::Rests { rests }),
                }
                counts.iter().map(|count| count.unwrap_or(documents - counted)).collect()
            }
        };
        // A share above 0 is a part that must not come out empty, whatever it is rounded to.
        let is_wanted = |part: usize| match self {
            Self::Ratio(shares) => shares[part] > 0.0,
            _ => sizes[part] > 0,
        };
        let parts = [PartName::Train, PartName::Dev, PartName::Test].into_iter().zip(&sizes).enumerate();
        Ok(parts.filter(|(part, _)| is_wanted(*part)).map(|(_, (name, size))| (name, *size)).collect())
    }
}

fn list<T>(text: &str, expected: &'static str, item: impl Fn(&str) -> Option<T>) -> Result<Vec<T>, NotASize> {
    let items = text.split(',').map(item).collect::<Option<Vec<T>>>();
    items.ok_or_else(|| NotASize { expected, found: text.escape_debug().to_string() })
}

fn fits(found: usize, protected: bool) -> Result<(), SplitError> {
    let names: &[PartName] =
        if protected { &[PartName::Train, PartName::Dev] } else { &[PartName::Train, PartName::Dev, PartName::Test] };
    if found == names.len() {
        return Ok(());
    }
    let expected = names.len();
    Err(SplitError::Sizes { found, expected, names: names.iter().map(ToString::to_string).collect() })
}

/// Whole numbers in proportion to the shares that come to `total`; what rounding down leaves goes to the largest
/// remainders.
fn shared(total: usize, shares: &[f64]) -> Vec<usize> {
    let sum: f64 = shares.iter().sum();
    let exact: Vec<f64> = shares.iter().map(|share| share / sum * total as f64).collect();
    let mut sizes: Vec<usize> = exact.iter().map(|size| size.floor() as usize).collect();
    let mut order: Vec<usize> = (0..shares.len()).filter(|part| shares[*part] > 0.0).collect();
    let remainder = |part: &usize| exact[*part] - exact[*part].floor();
    order.sort_by(|a, b| remainder(b).total_cmp(&remainder(a)));
    let left = total.saturating_sub(sizes.iter().sum());
    order.into_iter().cycle().take(left).for_each(|part| sizes[part] += 1);
    sizes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn targets(sizes: &Sizes, documents: usize) -> Result<Vec<usize>, SplitError> {
        Ok(sizes.targets(documents, false)?.into_iter().map(|(_, size)| size).collect())
    }

    #[test]
    fn sizes_come_to_the_number_of_documents() {
        for documents in [3, 10, 99, 1001] {
            for text in ["80,10,10", "1,1,1", "0.7,0.2,0.1", "1e-9,1,1e9"] {
                let sizes = targets(&Sizes::ratio(text).unwrap(), documents).unwrap();
                assert_eq!(sizes.iter().sum::<usize>(), documents, "{text}");
            }
            assert_eq!(targets(&Sizes::Folds(3), documents).unwrap().iter().sum::<usize>(), documents);
        }
        assert_eq!(targets(&Sizes::ratio("80,20,0").unwrap(), 10).unwrap(), [8, 2]);
        assert_eq!(targets(&Sizes::count("rest,2,3").unwrap(), 10).unwrap(), [5, 2, 3]);
    }

    #[test]
    fn sizes_that_cannot_be_had_are_refused() {
        for text in ["", "80,10,", "-1,2,3", "NaN,1,1", "inf,1,1", "a,b,c"] {
            assert!(Sizes::ratio(text).is_err(), "{text:?} was accepted");
        }
        for text in ["1.5,2,3", "rest", "1,2,3", "rest,rest,1", "rest,11,0", "1,2", "18446744073709551615,rest,1"] {
            let refused = Sizes::count(text).is_err_and(|_| true) || targets(&Sizes::count(text).unwrap(), 10).is_err();
            assert!(refused, "{text:?} was accepted");
        }
        assert!(targets(&Sizes::Ratio(vec![0.0; 3]), 10).is_err());
        assert!(targets(&Sizes::Folds(1), 10).is_err());
        assert!(targets(&Sizes::Folds(usize::MAX), 10).is_err());
    }
}
