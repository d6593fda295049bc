//! The order in which texts are annotated.

use std::str::FromStr;

use super::{Vectors, share::mixed_bits};

/// By what texts are ordered.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum Order {
    /// By chance.
    Random,
    /// The most doubtful first.
    Uncertainty,
    /// The one farthest from all that is annotated or chosen first (farthest-first traversal, a greedy k-centre: Gonzalez 1985;
    /// for active learning Sener and Savarese 2018).
    Diversity,
    /// By the product of both, so that no two doubtful texts are chosen that say the same.
    #[default]
    Mixed,
}

impl Order {
    /// Every one.
    pub const ALL: [Self; 4] = [Self::Random, Self::Uncertainty, Self::Diversity, Self::Mixed];

    /// Its name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Random => "random",
            Self::Uncertainty => "uncertainty",
            Self::Diversity => "diversity",
            Self::Mixed => "mixed",
        }
    }
}

impl FromStr for Order {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        let known = Self::ALL.into_iter().find(|order| order.as_str() == name);
        known.ok_or_else(|| format!("`{name}` is no order; there are random, uncertainty, diversity and mixed"))
    }
}

/// A text that may be annotated next.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Candidate<'a> {
    /// The text.
    pub text: &'a str,
    /// How unsure a recognizer is of it, between 0 and 1; 0 where nobody asked one.
    pub uncertainty: f64,
}

/// A text with its place in the order.
#[derive(Debug, Clone, PartialEq)]
pub struct Ranked {
    /// Its position among the candidates.
    pub position: usize,
    /// The highest comes first; no two are equal.
    pub priority: f64,
    /// Why, in words.
    pub reason: String,
}

/// What doubt counts at least in a mixed order: a recognizer that has seen little finds nothing and doubts nothing, and
/// texts without an entity must not wait for ever.
const LEAST_DOUBT: f64 = 0.05;

/// The `count` texts to annotate next, in order. `annotated` are texts that need not be asked for again, which diversity keeps
/// away from. Equals come in an order that the seed draws. Time grows with `count` and with the number of texts.
pub fn rank(order: Order, candidates: &[Candidate<'_>], annotated: &[&str], count: usize, seed: u64) -> Vec<Ranked> {
    let count = count.min(candidates.len());
    let draw = |position: usize| mixed_bits(seed ^ mixed_bits(position as u64));
    let chosen: Vec<(usize, String)> = match order {
        Order::Random => {
            let mut drawn: Vec<usize> = (0..candidates.len()).collect();
            drawn.sort_by_key(|position| draw(*position));
            drawn.into_iter().take(count).map(|position| (position, "drawn by chance".into())).collect()
        }
        Order::Uncertainty => {
            let mut sorted: Vec<usize> = (0..candidates.len()).collect();
            let doubt = |position: usize| candidates[position].uncertainty;
            sorted.sort_by(|a, b| doubt(*b).total_cmp(&doubt(*a)).then_with(|| draw(*a).cmp(&draw(*b))));
            let reason = |position| format!("what is suggested is in doubt ({:.2})", doubt(position));
            sorted.into_iter().take(count).map(|position| (position, reason(position))).collect()
        }
        Order::Diversity => spread(candidates, annotated, count, draw, false),
        Order::Mixed => spread(candidates, annotated, count, draw, true),
    };
    let ranked = |(place, (position, reason))| Ranked { position, priority: (count - place) as f64, reason };
    chosen.into_iter().enumerate().map(ranked).collect()
}

fn spread(
    candidates: &[Candidate<'_>],
    annotated: &[&str],
    count: usize,
    draw: impl Fn(usize) -> u64,
    doubt: bool,
) -> Vec<(usize, String)> {
    let texts = candidates.iter().map(|candidate| candidate.text).chain(annotated.iter().copied());
    let vectors = Vectors::of(texts);
    let mut distances = vec![1.0f32; vectors.len()];
    for known in candidates.len()..vectors.len() {
        vectors.approach(&mut distances, known);
    }
    let mut free: Vec<usize> = (0..candidates.len()).collect();
    let mut chosen = Vec::with_capacity(count);
    while chosen.len() < count {
        let gain = |position: usize| {
            let distance = f64::from(distances[position]);
            if doubt { (LEAST_DOUBT + candidates[position].uncertainty) * distance } else { distance }
        };
        let best = free
            .iter()
            .enumerate()
            .max_by(|(_, a), (_, b)| gain(**a).total_cmp(&gain(**b)).then_with(|| draw(**b).cmp(&draw(**a))));
        let Some((place, &position)) = best else { break };
        let (distance, unsure) = (distances[position], candidates[position].uncertainty);
        let reason = if doubt && unsure > 0.0 {
            format!("what is suggested is in doubt ({unsure:.2}), and it is unlike what is annotated ({distance:.2})")
        } else {
            format!("it is unlike what is annotated ({distance:.2})")
        };
        chosen.push((position, reason));
        free.swap_remove(place);
        vectors.approach(&mut distances, position);
    }
    chosen
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn candidates() -> Vec<Candidate<'static>> {
        [
            ("the drug helped the patient", 0.9),
            ("The drug helped the patient!", 0.85),
            ("rain fell in Spain", 0.3),
            ("rain fell in Spain today", 0.1),
            ("nothing", 0.0),
        ]
        .into_iter()
        .map(|(text, uncertainty)| Candidate { text, uncertainty })
        .collect()
    }

    fn positions(order: Order, annotated: &[&str], count: usize) -> Vec<usize> {
        rank(order, &candidates(), annotated, count, 7).into_iter().map(|ranked| ranked.position).collect()
    }

    #[test]
    fn doubt_comes_first_whatever_the_texts_say() {
        assert_eq!(positions(Order::Uncertainty, &[], 9), [0, 1, 2, 3, 4]);
    }

    #[test]
    fn a_mixed_order_takes_no_doubtful_text_twice() {
        let mixed = positions(Order::Mixed, &[], 3);
        assert_eq!(mixed[..2], [0, 2], "the second text says what the first says");
        let known = positions(Order::Mixed, &["the drug helped the patient"], 1);
        assert_eq!(known, [2]);
    }

    #[test]
    fn diversity_takes_one_of_each_kind_before_a_second_of_any() {
        let mut kinds: Vec<usize> = positions(Order::Diversity, &[], 3).iter().map(|position| position / 2).collect();
        kinds.sort_unstable();
        assert_eq!(kinds, [0, 1, 2]);
        assert_eq!(positions(Order::Diversity, &["the drug helped the patient", "nothing"], 1)[0] / 2, 1);
    }

    proptest! {
        #[test]
        fn every_order_takes_each_text_once_and_the_same_for_the_same_seed(
            texts in prop::collection::vec(("[a-d ]{0,12}", 0.0f64..=1.0), 0..20), count in 0usize..25, seed: u64,
        ) {
            let candidates: Vec<Candidate> = texts.iter().map(|(text, uncertainty)| Candidate { text, uncertainty: *uncertainty }).collect();
            for order in Order::ALL {
                let ranked = rank(order, &candidates, &["a b"], count, seed);
                prop_assert_eq!(ranked.len(), count.min(candidates.len()));
                prop_assert_eq!(&ranked, &rank(order, &candidates, &["a b"], count, seed));
                prop_assert!(ranked.windows(2).all(|pair| pair[0].priority > pair[1].priority));
                let mut positions: Vec<usize> = ranked.iter().map(|ranked| ranked.position).collect();
                positions.sort_unstable();
                positions.dedup();
                prop_assert_eq!(positions.len(), ranked.len());
                // A longer list begins as a shorter one does.
                let fewer = rank(order, &candidates, &["a b"], count / 2, seed);
                prop_assert!(fewer.iter().zip(&ranked).all(|(one, other)| one.position == other.position));
            }
        }
    }
}
