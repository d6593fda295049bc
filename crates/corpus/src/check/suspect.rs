//! Where a model contradicts the annotation, as whoever has the model says.

use schema::Entity;

/// A place where a model that has not learned from it contradicts the annotation.
#[derive(Debug, Clone, PartialEq)]
pub struct Suspect {
    /// Position of the document, from 0.
    pub document: usize,
    /// Positions of the entities that may be wrong; none where one may be missed.
    pub given: Vec<usize>,
    /// What the model would write in their place; none where there may be no entity at all.
    pub suggested: Vec<Entity>,
    /// How much the model believes its own rather than what is given, from 0 to 1; 1/2 is as much as what is given.
    pub confidence: f64,
    /// Whether it is sure enough for a warning.
    pub is_likely: bool,
}

/// What may be wrong at a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SuspectKind {
    /// The entity is one, of another label.
    WrongLabel,
    /// The entity starts or ends elsewhere; its label may be another, too.
    WrongBoundary,
    /// An entity was not labelled.
    Missed,
    /// What is labelled is no entity.
    Spurious,
}

impl SuspectKind {
    /// What it is to replace the given entities with the suggested ones.
    pub fn of(given: &[&Entity], suggested: &[Entity]) -> Self {
        let is_same_span = || {
            given.len() == suggested.len()
                && given.iter().zip(suggested).all(|(given, suggested)| given.span == suggested.span)
        };
        match (given, suggested) {
            ([], _) => Self::Missed,
            (_, []) => Self::Spurious,
            _ if is_same_span() => Self::WrongLabel,
            _ => Self::WrongBoundary,
        }
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::WrongLabel => "wrong-label",
            Self::WrongBoundary => "wrong-boundary",
            Self::Missed => "missed-entity",
            Self::Spurious => "spurious-entity",
        }
    }
}

/// What a finding would have in the place of what is given.
#[derive(Debug, Clone, PartialEq)]
pub struct Suggestion {
    /// What may be wrong.
    pub kind: SuspectKind,
    /// See [`Suspect::confidence`].
    pub confidence: f64,
    /// The entities to write instead; none to remove what is given.
    pub entities: Vec<Entity>,
}
