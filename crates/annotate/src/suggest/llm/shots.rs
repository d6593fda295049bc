//! Labelled texts that are like the one in question.

use std::collections::{BTreeMap, HashMap};

use schema::{Document, Schema};
use unicode_segmentation::UnicodeSegmentation as _;

use corpus::duplicates::fold;

/// Labelled texts, of which the most similar are shown to a model as answered questions.
///
/// Similar are texts whose words are (cosine of tf-idf with logarithmic term frequency; Salton and Buckley, 1988). The
/// same text in question gets the same examples on every machine.
#[derive(Debug)]
pub struct Shots {
    documents: Vec<Document>,
    folded: HashMap<String, Vec<usize>>,
    /// For each word the documents that have it, with its weight in them.
    words: HashMap<String, Vec<(usize, f64)>>,
    rarity: HashMap<String, f64>,
}

impl Shots {
    /// The examples among documents: those whose annotation is complete, with the entities that have labels of the schema.
    /// A text longer than `longest` bytes would leave no room for the question.
    pub fn new(documents: &[Document], schema: &Schema, longest: usize) -> Self {
        let usable = documents.iter().filter(|document| document.is_complete() && document.text().len() <= longest);
        let known = |document: &Document| {
            let entities = document.entities().iter().filter(|entity| schema.position(entity.label.as_str()).is_some());
            let entities = entities.cloned().collect();
            document.clone().with_entities(entities).ok()
        };
        let documents: Vec<Document> = usable.filter_map(known).collect();
        let counts: Vec<BTreeMap<String, f64>> = documents.iter().map(|document| counted(document.text())).collect();
        let mut found_in: HashMap<&str, usize> = HashMap::new();
        for word in counts.iter().flat_map(BTreeMap::keys) {
            *found_in.entry(word).or_insert(0) += 1;
        }
        let all = documents.len() as f64;
        let rarity: HashMap<String, f64> =
            found_in.into_iter().map(|(word, count)| (word.to_owned(), (1.0 + all / count as f64).ln())).collect();
        let mut words: HashMap<String, Vec<(usize, f64)>> = HashMap::new();
        for (at, counts) in counts.iter().enumerate() {
            for (word, weight) in weights(counts, &rarity) {
                words.entry(word.to_owned()).or_default().push((at, weight));
            }
        }
        let mut same: HashMap<String, Vec<usize>> = HashMap::new();
        for (at, document) in documents.iter().enumerate() {
            same.entry(fold(document.text())).or_default().push(at);
        }
        Self { documents, folded: same, words, rarity }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.documents.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.documents.is_empty()
    }

    /// The `count` examples that are most like a text, the most similar last, where models look most. The text itself is
    /// none of them.
    pub fn like(&self, text: &str, count: usize) -> Vec<&Document> {
        let mut scores = vec![0.0; self.documents.len()];
        for (word, weight) in weights(&counted(text), &self.rarity) {
            for (at, other) in self.words.get(word).into_iter().flatten() {
                scores[*at] += weight * other;
            }
        }
        for same in self.folded.get(&fold(text)).into_iter().flatten() {
            scores[*same] = f64::NEG_INFINITY;
        }
        let mut order: Vec<usize> = (0..scores.len()).filter(|at| scores[*at] >= 0.0).collect();
        order.sort_by(|a, b| scores[*b].total_cmp(&scores[*a]).then(a.cmp(b)));
        order.truncate(count);
        order.into_iter().rev().map(|at| &self.documents[at]).collect()
    }
}

/// How often each word stands in a text, in an order that never changes, so that sums do not either.
fn counted(text: &str) -> BTreeMap<String, f64> {
    let mut counts = BTreeMap::new();
    for word in text.unicode_words() {
        *counts.entry(word.to_lowercase()).or_insert(0.0) += 1.0;
    }
    counts
}

/// The weights of words, of length 1 together; words that no example has count as the rarest.
fn weights<'c>(counts: &'c BTreeMap<String, f64>, rarity: &HashMap<String, f64>) -> Vec<(&'c str, f64)> {
    let rarest = rarity.values().copied().fold(1.0, f64::max);
    let weight = |(word, count): (&'c String, &f64)| {
        (word.as_str(), (1.0 + count.ln()) * rarity.get(word).copied().unwrap_or(rarest))
    };
    let mut weights: Vec<(&str, f64)> = counts.iter().map(weight).collect();
    let length = weights.iter().map(|(_, weight)| weight * weight).sum::<f64>().sqrt();
    for (_, weight) in &mut weights {
        *weight /= length;
    }
    weights
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_most_similar_come_last_and_a_text_is_never_its_own_example() {
        let texts = ["the cat sat", "the dog ran home", "a cat and a dog", "stocks fell again", "The CAT  sat"];
        let documents: Vec<Document> = texts.iter().map(|text| Document::new(*text)).collect();
        let shots = Shots::new(&documents, &Schema::default(), 1000);
        let like =
            |text: &str, count| shots.like(text, count).iter().map(|shot| shot.text().to_owned()).collect::<Vec<_>>();
        assert_eq!(like("dog home", 2), ["a cat and a dog", "the dog ran home"]);
        assert_eq!(like("stocks", 1), ["stocks fell again"]);
        assert!(
            !like("the cat sat", 5).iter().any(|text| text.to_lowercase().contains("cat sat") || text.contains("CAT"))
        );
        assert_eq!(like("", 3).len(), 3);
    }

    #[test]
    fn what_is_not_wholly_annotated_is_no_example() {
        let mut partial = Document::new("half");
        partial.partial = true;
        let shots =
            Shots::new(&[partial, Document::new("whole"), Document::new("x".repeat(50))], &Schema::default(), 40);
        assert_eq!(shots.len(), 1);
    }
}
