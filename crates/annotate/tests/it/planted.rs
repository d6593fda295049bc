//! Sources whose accuracy is known because it was planted.

use nomen_annotate::suggest::{Origin, OriginKind, Suggestion};
use schema::{Document, Label, Span};

/// A source that finds each entity with a probability, and makes up others.
pub struct Planted {
    pub seed: u64,
    /// The probability that an entity is found.
    pub found: f64,
    /// The same for some labels.
    pub good: Vec<(Label, f64)>,
    /// Of what is found, the share that gets another label.
    pub confused: f64,
    /// For each word that is no entity, the probability that it is taken for one.
    pub made_up: f64,
    /// The one label that it knows.
    pub only: Option<Label>,
}

impl Planted {
    pub fn new(seed: u64, found: f64, made_up: f64) -> Self {
        Self { seed, found, good: Vec::new(), confused: 0.0, made_up, only: None }
    }

    /// What it says of each document.
    pub fn suggestions(&self, documents: &[Document]) -> Vec<Vec<Suggestion>> {
        let mut labels: Vec<Label> =
            documents.iter().flat_map(Document::entities).map(|entity| entity.label.clone()).collect();
        labels.sort();
        labels.dedup();
        let mut state = self.seed.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        // SplitMix64 (Steele, Lea and Flood, 2014).
        let mut draw = move || {
            state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mut bits = state;
            bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            ((bits ^ (bits >> 31)) >> 11) as f64 / (1u64 << 53) as f64
        };
        let origin = Origin::new(OriginKind::Bundle, format!("planted-{}", self.seed));
        let mut of = |document: &Document| {
            let text = document.text();
            let mut suggestions = Vec::new();
            for entity in document.entities() {
                let rate =
                    self.good.iter().find(|(label, _)| *label == entity.label).map_or(self.found, |(_, rate)| *rate);
                let (found, other, which) = (draw() < rate, draw() < self.confused, draw());
                if found && self.only.as_ref().is_none_or(|only| *only == entity.label) {
                    let label = if other { &labels[(which * labels.len() as f64) as usize] } else { &entity.label };
                    suggestions.push(Suggestion::exact(text, entity.span, label.clone(), None, origin.clone()));
                }
            }
            let mut start = 0;
            for word in text.split(' ') {
                let end = start + word.len();
                let (made_up, which) = (draw() < self.made_up, draw());
                if let (true, Ok(span)) = (made_up, Span::of(text, start..end))
                    && document.entities().iter().all(|entity| !entity.span.overlaps(span))
                {
                    let label =
                        self.only.clone().unwrap_or_else(|| labels[(which * labels.len() as f64) as usize].clone());
                    suggestions.push(Suggestion::exact(text, span, label, None, origin.clone()));
                }
                start = end + 1;
            }
            suggestions
        };
        documents.iter().map(&mut of).collect()
    }
}
