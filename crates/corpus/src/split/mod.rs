//! Train, dev and test out of annotated documents, so that no text of one part tells what stands in another.
//!
//! Documents that belong together ([`Grouping`]) go to one part as a whole; exact duplicates always do. Groups are
//! given to the parts so that each gets its share of every label (iterative stratification: Sechidis, Tsoumakas and
//! Vlahavas, 2011, *On the stratification of multi-label data*, here with whole groups and exchanges behind it), or from the oldest to the
//! newest. The same documents, plan and seed give the same split.

mod date;
mod error;
mod groups;
mod manifest;
mod oldest;
mod plan;
mod refine;
mod sizes;
mod stratify;

use std::path::Path;

use schema::Document;

pub use error::SplitError;
pub use manifest::{MANIFEST_FILE, Manifest, PartEntry, SourceEntry};
pub use plan::{Grouping, NotAGrouping, NotAKey, Plan, meta_key};
pub use sizes::{NotASize, PartName, Sizes};

use self::{groups::Groups, stratify::Weight};

/// Documents and the file that they were read from, which errors name.
#[derive(Debug, Clone, Copy)]
pub struct Source<'d> {
    /// The file.
    pub path: &'d Path,
    /// Its documents.
    pub documents: &'d [Document],
}

/// A part of a split.
#[derive(Debug, Clone, PartialEq)]
pub struct Part {
    /// Its name.
    pub name: PartName,
    /// Positions of its documents, ascending, counted over all sources one after the other.
    pub documents: Vec<usize>,
    /// How many groups these are.
    pub groups: usize,
    /// The oldest and the newest date in it, as they were written, where the split was by date.
    pub dates: Option<(String, String)>,
}

/// Documents in parts.
#[derive(Debug, Clone, PartialEq)]
pub struct Split {
    /// The parts, in order; none is empty.
    pub parts: Vec<Part>,
    /// Positions of the documents that no part may have, because they repeat or belong to a protected text.
    pub left_out: Vec<usize>,
    /// Groupings by metadata, with the number of documents that do not have it and so stand alone.
    pub ungrouped: Vec<(Grouping, usize)>,
}

/// Splits the documents of these sources. `protected` is a test set that stays one: what equals, nearly equals or
/// belongs to one of its texts is left out, and the parts are train and dev.
///
/// # Errors
/// The sizes do not fit the number of documents or of parts, a part would be empty, no document has the metadata
/// that the plan groups by, or a document has no date where the plan goes by date.
pub fn split(sources: &[Source<'_>], protected: Option<Source<'_>>, plan: &Plan) -> Result<Split, SplitError> {
    let documents: Vec<&Document> = sources.iter().flat_map(|source| source.documents).collect();
    let Groups { free: groups, left_out, ungrouped } = Groups::of(sources, protected, plan)?;
    let free = documents.len() - left_out.len();
    let targets = plan.sizes.targets(free, protected.is_some())?;
    let dates = plan.by_date.as_deref().map(|key| oldest::dates(sources, key)).transpose()?;

    let sizes: Vec<usize> = targets.iter().map(|(_, size)| *size).collect();
    let parts = if let Some(dates) = &dates {
        if matches!(plan.sizes, Sizes::Folds(_)) {
            return Err(SplitError::FoldsByDate);
        }
        oldest::assign(&groups, dates, &sizes)
    } else {
        let weights: Vec<Weight> = stratify::weights(&groups, &documents);
        stratify::assign(&weights, &sizes, plan.seed)
    };

    let mut split: Vec<Part> =
        targets.into_iter().map(|(name, _)| Part { name, documents: Vec::new(), groups: 0, dates: None }).collect();
    for (group, part) in groups.iter().zip(parts) {
        split[part].documents.extend(group);
        split[part].groups += 1;
    }
    for part in &mut split {
        if part.documents.is_empty() {
            return Err(SplitError::EmptyPart { part: part.name, documents: free, groups: groups.len() });
        }
        part.documents.sort_unstable();
        part.dates = dates.as_ref().and_then(|dates| oldest::range(dates, &part.documents));
    }
    Ok(Split { parts: split, left_out, ungrouped })
}
