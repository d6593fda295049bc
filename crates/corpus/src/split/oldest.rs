//! Groups given to parts from the oldest to the newest.

use serde_json::Value;

use super::{Source, SplitError, date::Moment};

/// When a document was written, and how that was said.
pub(super) type Dated = (Moment, String);

/// The date of every document, from a metadata field.
pub(super) fn dates(sources: &[Source<'_>], key: &str) -> Result<Vec<Dated>, SplitError> {
    let mut dates = Vec::new();
    let mut first: Option<SplitError> = None;
    let mut broken = 0;
    for source in sources {
        for (position, document) in source.documents.iter().enumerate() {
            let said = match document.meta.get(key) {
                None | Some(Value::Null) => Err("nothing".to_owned()),
                Some(Value::String(date)) => Ok(date.clone()),
                // A year.
                Some(Value::Number(date)) => Ok(date.to_string()),
                Some(other) => Err(other.to_string()),
            };
            let read = said.and_then(|said| match Moment::parse(&said) {
                Some(moment) => Ok((moment, said)),
                None => Err(format!("`{}`", said.escape_debug())),
            });
            match read {
                Ok(date) => dates.push(date),
                Err(problem) => {
                    broken += 1;
                    first.get_or_insert_with(|| SplitError::Date {
                        path: source.path.to_owned(),
                        number: position + 1,
                        key: key.to_owned(),
                        problem,
                        texts: 0,
                    });
                }
            }
        }
    }
    match first {
        None => Ok(dates),
        Some(SplitError::Date { path, number, key, problem, .. }) => {
            Err(SplitError::Date { path, number, key, problem, texts: broken })
        }
        Some(other) => Err(other),
    }
}

/// The part of every group. A group counts as old as its newest document, so that nothing in a part is newer than
/// what the parts behind it were to foresee; it goes where its middle falls.
pub(super) fn assign(groups: &[Vec<usize>], dates: &[Dated], sizes: &[usize]) -> Vec<usize> {
    let newest = |group: &usize| groups[*group].iter().map(|document| dates[*document].0).max();
    let mut order: Vec<usize> = (0..groups.len()).collect();
    // Stable: groups of one date stay in the order of the files.
    order.sort_by_key(newest);
    let ends: Vec<usize> = sizes
        .iter()
        .scan(0, |end, size| {
            *end += size;
            Some(*end)
        })
        .collect();
    let mut parts = vec![0; groups.len()];
    let mut before = 0;
    for group in order {
        let size = groups[group].len();
        let twice_middle = 2 * before + size;
        let part = ends.iter().position(|end| twice_middle <= 2 * end);
        parts[group] = part.unwrap_or(sizes.len().saturating_sub(1));
        before += size;
    }
    parts
}

/// The oldest and the newest of these documents' dates, as they were written.
pub(super) fn range(dates: &[Dated], documents: &[usize]) -> Option<(String, String)> {
    let moment = |document: &&usize| dates[**document].0;
    let [oldest, newest] = [documents.iter().min_by_key(moment)?, documents.iter().max_by_key(moment)?];
    Some((dates[*oldest].1.clone(), dates[*newest].1.clone()))
}
