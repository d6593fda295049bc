//! How far texts are from each other.

use std::collections::HashMap;

use evaluate::agreement::words;

/// Texts as vectors: their words (case folded) and pairs of neighbouring words, weighted by how rare they are among these
/// texts (TF-IDF), of length 1. Distances are 1 minus the cosine, between 0 and 1.
#[derive(Debug, Clone)]
pub struct Vectors {
    /// By text: feature and weight, sorted by feature.
    rows: Vec<Vec<(u32, f32)>>,
    features: usize,
}

impl Vectors {
    /// The vectors of these texts.
    pub fn of<'t>(texts: impl IntoIterator<Item = &'t str>) -> Self {
        let mut known: HashMap<String, u32> = HashMap::new();
        let mut found_in: Vec<u32> = Vec::new();
        let mut rows: Vec<Vec<(u32, f32)>> = Vec::new();
        for text in texts {
            let mut counts: HashMap<u32, f32> = HashMap::new();
            for feature in features(text) {
                let next = known.len() as u32;
                *counts.entry(*known.entry(feature).or_insert(next)).or_default() += 1.0;
            }
            found_in.resize(known.len(), 0);
            for feature in counts.keys() {
                found_in[*feature as usize] += 1;
            }
            let mut row: Vec<(u32, f32)> = counts.into_iter().collect();
            row.sort_unstable_by_key(|(feature, _)| *feature);
            rows.push(row);
        }
        let texts = rows.len() as f32;
        for row in &mut rows {
            for (feature, weight) in row.iter_mut() {
                let rarity = ((1.0 + texts) / (1.0 + found_in[*feature as usize] as f32)).ln() + 1.0;
                *weight = (1.0 + weight.ln()) * rarity;
            }
            let length = row.iter().map(|(_, weight)| weight * weight).sum::<f32>().sqrt();
            for (_, weight) in row.iter_mut() {
                *weight /= length;
            }
        }
        Self { rows, features: known.len() }
    }

    /// Number of texts.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there is no text.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Lowers `distances`, one a text, to the distance to text `to` where that is nearer.
    ///
    /// # Panics
    /// There is no text `to`, or `distances` has another length.
    pub fn approach(&self, distances: &mut [f32], to: usize) {
        assert_eq!(distances.len(), self.rows.len(), "a distance a text");
        let mut dense = vec![0.0f32; self.features];
        for (feature, weight) in &self.rows[to] {
            dense[*feature as usize] = *weight;
        }
        for (distance, row) in distances.iter_mut().zip(&self.rows) {
            let cosine: f32 = row.iter().map(|(feature, weight)| weight * dense[*feature as usize]).sum();
            *distance = distance.min((1.0 - cosine).clamp(0.0, 1.0));
        }
        // A text without words is near to nothing but itself.
        distances[to] = 0.0;
    }
}

fn features(text: &str) -> Vec<String> {
    let folded: Vec<String> = words(text).into_iter().map(|span| span.quote(text).to_lowercase()).collect();
    let pairs = folded.windows(2).map(|pair| pair.join(" "));
    let pairs: Vec<String> = pairs.collect();
    folded.into_iter().chain(pairs).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_texts_are_near_and_texts_without_a_common_word_are_far() {
        let vectors = Vectors::of(["Ada met Zoë", "ada MET zoë", "rain in Spain", "", "Ada left"]);
        let mut distances = vec![1.0; vectors.len()];
        vectors.approach(&mut distances, 0);
        assert!(distances[0] < 1e-6 && distances[1] < 1e-6);
        assert!((distances[2] - 1.0).abs() < 1e-6 && (distances[3] - 1.0).abs() < 1e-6);
        assert!(distances[4] > 0.1 && distances[4] < 0.99);
        vectors.approach(&mut distances, 3);
        assert!(distances[3].abs() < 1e-6 && distances[4] < 0.99);
    }
}
