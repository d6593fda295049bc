//! Old texts that stand for all of them.
//!
//! Whoever teaches a model something new shows it some of the old texts again (Robins, 1995, "Catastrophic forgetting, rehearsal and
//! pseudorehearsal"). Few do, where they hold every label and many of its mentions.

use std::collections::{HashMap, HashSet};

use schema::{Document, Label};

/// What the first mention of a surface counts for, against a mention of a surface that is there already.
const NEW_SURFACE: f64 = 1.0;
const KNOWN_SURFACE: f64 = 0.25;

/// The positions of `size` documents, ascending, or of all where they are no more.
///
/// As large a share of them as of all documents has no entity; those are taken evenly over the order. Of the others the one comes
/// next whose mentions bring most: one of a label that few mentions of were taken counts for more, and a surface for more the
/// first time. Equal ones are taken in order, so the choice depends on the documents only.
pub fn rehearsal(documents: &[Document], size: usize) -> Vec<usize> {
    if documents.len() <= size {
        return (0..documents.len()).collect();
    }
    let (empty, annotated): (Vec<usize>, Vec<usize>) =
        (0..documents.len()).partition(|position| documents[*position].entities().is_empty());
    let quota =
        (size * empty.len()).div_ceil(documents.len()).max(size.saturating_sub(annotated.len())).min(empty.len());
    let mut taken: Vec<usize> = (0..quota).map(|index| empty[index * empty.len() / quota]).collect();
    taken.extend(most_telling(documents, annotated, size - quota));
    taken.sort_unstable();
    taken
}

/// What was taken of a label.
#[derive(Default)]
struct Taken<'d> {
    mentions: HashMap<&'d Label, usize>,
    surfaces: HashSet<(&'d Label, &'d str)>,
}

impl<'d> Taken<'d> {
    /// What a document would bring, for each of its words once more than it has: long texts are not taken for their length.
    fn gain(&self, document: &Document) -> f64 {
        let gain = |entity: &schema::Entity| {
            let mentions = self.mentions.get(&entity.label).copied().unwrap_or(0);
            let surface = &document.text()[entity.span.range()];
            let is_known = self.surfaces.contains(&(&entity.label, surface));
            (if is_known { KNOWN_SURFACE } else { NEW_SURFACE }) / (1.0 + mentions as f64)
        };
        let words = document.text().split_whitespace().count();
        document.entities().iter().map(gain).sum::<f64>() / (1.0 + words as f64).sqrt()
    }

    fn add(&mut self, document: &'d Document) {
        for entity in document.entities() {
            *self.mentions.entry(&entity.label).or_default() += 1;
            self.surfaces.insert((&entity.label, &document.text()[entity.span.range()]));
        }
    }
}

/// Greedy, and lazy: what a document brings only falls while others are taken, so the first whose gain is still up to date is best
/// (Minoux, 1978).
fn most_telling(documents: &[Document], positions: Vec<usize>, size: usize) -> Vec<usize> {
    let mut taken = Taken::default();
    let mut waiting: std::collections::BinaryHeap<Candidate> = positions
        .into_iter()
        .map(|position| Candidate { gain: taken.gain(&documents[position]), position, seen: 0 })
        .collect();
    let mut chosen = Vec::with_capacity(size);
    while chosen.len() < size
        && let Some(candidate) = waiting.pop()
    {
        if candidate.seen < chosen.len() {
            let gain = taken.gain(&documents[candidate.position]);
            waiting.push(Candidate { gain, seen: chosen.len(), ..candidate });
            continue;
        }
        taken.add(&documents[candidate.position]);
        chosen.push(candidate.position);
    }
    chosen
}

#[derive(Clone, Copy)]
struct Candidate {
    gain: f64,
    position: usize,
    /// How many documents were taken when its gain was counted.
    seen: usize,
}

impl Ord for Candidate {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.gain.total_cmp(&other.gain).then_with(|| other.position.cmp(&self.position))
    }
}

impl PartialOrd for Candidate {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Candidate {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Candidate {}

#[cfg(test)]
mod tests {
    use schema::{Entity, Span};

    use super::*;

    fn document(text: &str, label: &str) -> Document {
        let entity = || Entity::new(Span::new(0, 4).unwrap(), Label::new(label).unwrap());
        let entities = if label.is_empty() { vec![] } else { vec![entity()] };
        Document::new(text).with_entities(entities).unwrap()
    }

    #[test]
    fn rare_labels_and_new_surfaces_come_first_and_empty_texts_keep_their_share() {
        let mut documents: Vec<Document> = (0..80).map(|_| document("Rome is old", "PLACE")).collect();
        documents.extend((0..20).map(|index| document(&format!("nothing {index}"), "")));
        documents.push(document("Anna is old", "PERSON"));
        documents.push(document("Oslo is old", "PLACE"));
        let chosen = rehearsal(&documents, 10);
        assert_eq!(chosen.len(), 10);
        assert!(chosen.contains(&100) && chosen.contains(&101), "{chosen:?}");
        assert_eq!(chosen.iter().filter(|position| documents[**position].entities().is_empty()).count(), 2);
        assert!(chosen.is_sorted());
    }

    #[test]
    fn all_are_taken_where_they_are_few_and_never_more_than_there_are() {
        let documents = vec![document("Rome", "PLACE"), document("nothing", ""), document("none", "")];
        assert_eq!(rehearsal(&documents, 3), [0, 1, 2]);
        assert_eq!(rehearsal(&documents, 2).len(), 2);
        assert_eq!(rehearsal(&documents, 0), Vec::<usize>::new());
        assert_eq!(rehearsal(&[], 5), Vec::<usize>::new());
    }
}
