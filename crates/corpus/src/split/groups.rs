//! Which documents must go to one part.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use schema::Document;

use super::{Grouping, Plan, Source, SplitError};
use crate::{
    conll::DOCUMENT_START,
    duplicates::{self, Union},
};

/// Documents that stay together, by their positions over all sources.
pub(super) struct Groups {
    /// Every group that may go to a part, by its first document; documents ascending.
    pub(super) free: Vec<Vec<usize>>,
    /// Documents of the groups that hold a protected text.
    pub(super) left_out: Vec<usize>,
    /// Groupings by metadata, with the number of documents that lack it.
    pub(super) ungrouped: Vec<(Grouping, usize)>,
}

impl Groups {
    pub(super) fn of(sources: &[Source<'_>], protected: Option<Source<'_>>, plan: &Plan) -> Result<Self, SplitError> {
        // The protected texts stand behind all others.
        let numbered = sources.iter().chain(&protected).enumerate();
        let documents: Vec<(usize, &Document)> =
            numbered.flat_map(|(source, of)| of.documents.iter().map(move |document| (source, document))).collect();
        let free: usize = sources.iter().map(|source| source.documents.len()).sum();
        let texts: Vec<&str> = documents.iter().map(|(_, document)| document.text()).collect();

        let mut union = Union::new(documents.len());
        let near = plan.group_by.contains(&Grouping::Near) || protected.is_some();
        let clusters = if near { duplicates::clusters(&texts, plan.similarity) } else { duplicates::exact(&texts) };
        for (text, head) in clusters.heads().iter().enumerate() {
            union.join(*head, text);
        }
        let mut ungrouped = Vec::new();
        for grouping in &plan.group_by {
            let by_file = *grouping == Grouping::Document;
            let key = match grouping {
                Grouping::Text | Grouping::Near => continue,
                Grouping::Document => DOCUMENT_START,
                Grouping::Meta(key) => key,
            };
            let missing = join_by(key, by_file, &documents, free, &mut union)?;
            if missing > 0 {
                ungrouped.push((grouping.clone(), missing));
            }
        }

        let protected: BTreeSet<usize> = (free..documents.len()).map(|text| union.head(text)).collect();
        let mut groups: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        let mut left_out = Vec::new();
        for text in 0..free {
            let head = union.head(text);
            if protected.contains(&head) {
                left_out.push(text);
            } else {
                groups.entry(head).or_default().push(text);
            }
        }
        Ok(Self { free: groups.into_values().collect(), left_out, ungrouped })
    }
}

/// Joins documents with one value of a metadata field; gives the number of the first `free` that do not have it.
fn join_by(
    key: &str,
    by_file: bool,
    documents: &[(usize, &Document)],
    free: usize,
    union: &mut Union,
) -> Result<usize, SplitError> {
    let mut firsts: HashMap<(usize, String), usize> = HashMap::new();
    let mut missing = 0;
    for (text, (source, document)) in documents.iter().enumerate() {
        match document.meta.get(key).filter(|value| !value.is_null()) {
            Some(value) => {
                let source = if by_file { *source } else { 0 };
                union.join(*firsts.entry((source, value.to_string())).or_insert(text), text);
            }
            None => missing += usize::from(text < free),
        }
    }
    if missing == free && free > 0 {
        let keys: BTreeSet<&String> = documents.iter().flat_map(|(_, document)| document.meta.keys()).collect();
        return Err(SplitError::NoKey { key: key.to_owned(), keys: keys.into_iter().cloned().collect() });
    }
    Ok(missing)
}
