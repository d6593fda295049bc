//! How unsure a recognizer is of a text.

use evaluate::{Counts, Rule};
use schema::Entity;

/// What uncertainty is made of; each is between 0 (sure) and 1.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Measure {
    /// 1 minus the distance of the two most probable answers.
    #[default]
    Margin,
    /// The entropy of the answers, over that of answers which are all as probable.
    Entropy,
    /// 1 minus the probability of the most probable answer.
    LeastConfident,
}

impl Measure {
    /// The uncertainty of one decision, whose answers have these probabilities.
    pub fn of(self, probabilities: &[f32]) -> f64 {
        if probabilities.len() < 2 {
            return 0.0;
        }
        let (mut first, mut second) = (0.0f64, 0.0f64);
        for probability in probabilities.iter().map(|probability| f64::from(*probability)) {
            if probability > first {
                (first, second) = (probability, first);
            } else if probability > second {
                second = probability;
            }
        }
        let unsure = match self {
            Self::Margin => 1.0 - (first - second),
            Self::LeastConfident => 1.0 - first,
            Self::Entropy => {
                let terms = probabilities.iter().map(|probability| f64::from(*probability));
                let entropy: f64 = terms.filter(|term| *term > 0.0).map(|term| -term * term.ln()).sum();
                entropy / (probabilities.len() as f64).ln()
            }
        };
        unsure.clamp(0.0, 1.0)
    }
}

/// The uncertainty of a text by the scores of the entities that were found: that of the most doubtful one, each taken as
/// a decision between the entity and anything else. 0 where nothing was found or nothing has a score.
pub fn of_entities(measure: Measure, entities: &[Entity]) -> f64 {
    let unsure = |score: f32| measure.of(&[score, 1.0 - score]);
    entities.iter().filter_map(|entity| entity.score).map(unsure).fold(0.0, f64::max)
}

/// How far sources disagree on a text: 1 minus the mean span F1 of every two of them. Two that both found nothing agree.
/// 0 with fewer than two sources.
pub fn disagreement(sources: &[&[Entity]]) -> f64 {
    let (mut sum, mut pairs) = (0.0, 0);
    for (number, one) in sources.iter().enumerate() {
        for other in &sources[number + 1..] {
            let silent = one.is_empty() && other.is_empty();
            sum += if silent { 1.0 } else { Counts::of(Rule::Strict, one, other).f1() };
            pairs += 1;
        }
    }
    if pairs == 0 { 0.0 } else { 1.0 - sum / f64::from(pairs) }
}

/// The uncertainty of a text by what sources suggested for it, a list a source: that of the most doubtful entity with a score, or
/// how far the sources disagree, whichever is more.
pub fn of_sources(measure: Measure, sources: &[Vec<Entity>]) -> f64 {
    let doubt = sources.iter().map(|entities| of_entities(measure, entities)).fold(0.0, f64::max);
    let sources: Vec<&[Entity]> = sources.iter().map(Vec::as_slice).collect();
    doubt.max(disagreement(&sources))
}

#[cfg(test)]
mod tests {
    use schema::{Label, Span};

    use super::*;

    fn entity(start: usize, score: f32) -> Entity {
        let mut entity = Entity::new(Span::new(start, start + 2).unwrap(), Label::new("A").unwrap());
        entity.score = Some(score);
        entity
    }

    fn close(one: f64, other: f64) -> bool {
        (one - other).abs() < 1e-6
    }

    #[test]
    fn a_coin_is_most_uncertain_and_a_certainty_not_at_all() {
        for measure in [Measure::Margin, Measure::Entropy] {
            assert!(close(measure.of(&[0.5, 0.5]), 1.0) && close(measure.of(&[1.0, 0.0]), 0.0));
        }
        assert!(close(Measure::LeastConfident.of(&[0.5, 0.3, 0.2]), 0.5));
        assert!(close(Measure::Margin.of(&[0.2, 0.5, 0.3]), 0.8));
        assert!(close(Measure::Entropy.of(&[0.25; 4]), 1.0));
        assert!(close(Measure::Margin.of(&[1.0]), 0.0) && close(Measure::Margin.of(&[f32::NAN, f32::NAN]), 1.0));
    }

    #[test]
    fn the_most_doubtful_entity_speaks_for_its_text() {
        let entities = [entity(0, 0.99), entity(3, 0.6)];
        assert!(close(of_entities(Measure::Margin, &entities), 0.8));
        assert!(close(of_entities(Measure::Margin, &[]), 0.0));
    }

    #[test]
    fn sources_that_find_the_same_do_not_disagree() {
        let (one, two) = ([entity(0, 0.9)], [entity(3, 0.9)]);
        assert!(close(disagreement(&[&one, &one, &one]), 0.0));
        assert!(close(disagreement(&[&one, &two]), 1.0));
        assert!(close(disagreement(&[&one, &one, &two]), 2.0 / 3.0));
        assert!(close(disagreement(&[&[], &[]]), 0.0) && close(disagreement(&[&one]), 0.0));
        let of = |sources: &[Vec<Entity>]| of_sources(Measure::Margin, sources);
        assert!(
            close(of(&[one.to_vec()]), 0.2) && close(of(&[one.to_vec(), two.to_vec()]), 1.0) && close(of(&[]), 0.0)
        );
    }
}
