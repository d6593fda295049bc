//! Whether entities are found as well under other names.

use std::collections::{BTreeMap, HashMap};

use schema::{Document, Label};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::{Counts, Interval, Settings, interval};

/// For labels, named groups of surfaces (names of different origin, say) that should be found equally well.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "Raw")]
pub struct Groups(BTreeMap<Label, BTreeMap<String, Vec<String>>>);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw {
    groups: BTreeMap<Label, BTreeMap<String, Vec<String>>>,
}

/// Why groups cannot be compared.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum GroupsError {
    /// There are no groups at all.
    #[error("no groups: name some, such as `[groups.PERSON]` and below it `danish = [\"Søren\", \"Mette\"]`")]
    None,
    /// A label without groups, or a group without surfaces.
    #[error("`{0}` is empty; list surfaces in it or delete it")]
    Empty(String),
    /// A surface that no entity could have.
    #[error("`{group}`: {surface:?} is empty or has white space at an end")]
    Surface {
        /// Label and name of the group.
        group: String,
        /// The surface.
        surface: String,
    },
}

impl TryFrom<Raw> for Groups {
    type Error = GroupsError;

    fn try_from(Raw { groups }: Raw) -> Result<Self, GroupsError> {
        if groups.is_empty() {
            return Err(GroupsError::None);
        }
        for (label, groups) in &groups {
            if groups.is_empty() {
                return Err(GroupsError::Empty(format!("groups.{label}")));
            }
            for (name, surfaces) in groups {
                let group = format!("groups.{label}.{name}");
                if surfaces.is_empty() {
                    return Err(GroupsError::Empty(group));
                }
                if let Some(surface) = surfaces.iter().find(|surface| surface.is_empty() || surface.trim() != *surface)
                {
                    return Err(GroupsError::Surface { group, surface: surface.clone() });
                }
            }
        }
        Ok(Self(groups))
    }
}

impl Groups {
    /// The labels, and of each the groups with their surfaces.
    pub fn labels(&self) -> impl Iterator<Item = (&Label, &BTreeMap<String, Vec<String>>)> {
        self.0.iter()
    }
}

/// The recall of one label with the surfaces as written and with those of each group.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Counterfactual {
    /// The label.
    pub label: Label,
    /// Number of texts with an entity of the label.
    pub texts: usize,
    /// Number of these entities; every group replaces all of them.
    pub entities: usize,
    /// Recall as the texts are written.
    pub recall: f64,
    /// The groups, the one with the lowest recall first.
    pub groups: Vec<GroupRecall>,
}

/// The recall with the surfaces of one group.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct GroupRecall {
    /// Name of the group.
    pub name: String,
    /// Number of its surfaces.
    pub surfaces: usize,
    /// Recall with them.
    pub recall: f64,
    /// That less the recall as written.
    pub change: f64,
    /// 95 % paired bootstrap interval of the change.
    pub change_interval: Option<Interval>,
}

impl Counterfactual {
    /// Compares the counts of the texts as written with those under each group (name, number of surfaces, counts). Each
    /// list has the same texts in the same order, and the counts are of this label only.
    ///
    /// # Panics
    /// A group has another number of texts.
    pub fn of(
        label: Label,
        written: &[Counts],
        groups: Vec<(String, usize, Vec<Counts>)>,
        settings: &Settings,
    ) -> Self {
        let group = |(name, surfaces, counts): (String, usize, Vec<Counts>)| {
            assert_eq!(counts.len(), written.len(), "{name} was judged on other texts");
            let pairs: Vec<(Counts, Counts)> = written.iter().copied().zip(counts.iter().copied()).collect();
            GroupRecall {
                name,
                surfaces,
                recall: counts.iter().copied().sum::<Counts>().recall(),
                change: interval::recall_change(pairs.iter().copied()),
                change_interval: Interval::of_recall_change(&pairs, settings.resamples, settings.seed),
            }
        };
        let mut groups: Vec<GroupRecall> = groups.into_iter().map(group).collect();
        groups.sort_by(|a, b| a.recall.total_cmp(&b.recall));
        let all: Counts = written.iter().copied().sum();
        Self { label, texts: written.len(), entities: all.gold, recall: all.recall(), groups }
    }

    /// The surfaces for all entities of a label in a document, by their position: drawn from `surfaces` by the seed and by
    /// `number`, the document's. What stands twice in the document is replaced by the same surface.
    pub fn draw(
        document: &Document,
        number: usize,
        label: &Label,
        surfaces: &[String],
        seed: u64,
    ) -> BTreeMap<usize, String> {
        let stream = interval::stream(seed, number as u64);
        let mut first: HashMap<&str, usize> = HashMap::new();
        let of_label = document.entities().iter().enumerate().filter(|(_, entity)| entity.label == *label);
        let draw = of_label.filter_map(|(index, entity)| {
            let place = *first.entry(entity.span.quote(document.text())).or_insert(index);
            let surface = surfaces.get(interval::drawn(stream, place as u64, surfaces.len()))?;
            Some((index, surface.clone()))
        });
        draw.collect()
    }
}

#[cfg(test)]
mod tests {
    use schema::{Entity, Span};
    use serde_json::json;

    use super::*;

    #[test]
    fn groups_that_could_replace_nothing_are_refused() {
        let parse = |value| serde_json::from_value::<Groups>(value).map_err(|error| error.to_string());
        assert!(parse(json!({"groups": {"PER": {"danish": ["Søren"]}}})).is_ok());
        for (value, expected) in [
            (json!({"groups": {}}), "[groups.PERSON]"),
            (json!({"groups": {"PER": {}}}), "`groups.PER` is empty"),
            (json!({"groups": {"PER": {"x": []}}}), "`groups.PER.x` is empty"),
            (json!({"groups": {"PER": {"x": [" a"]}}}), "groups.PER.x"),
            (json!({"groups": {"O": {"x": ["a"]}}}), "cannot be a label"),
            (json!({"groups": {"PER": {"x": ["a"]}}, "labels": 1}), "unknown field `labels`"),
        ] {
            let refused = parse(value).unwrap_err();
            assert!(refused.contains(expected), "{refused}");
        }
    }

    #[test]
    fn one_name_stays_one_name_and_the_seed_decides_which() {
        let label = Label::new("PER").unwrap();
        let entity = |start, end| Entity::new(Span::new(start, end).unwrap(), label.clone());
        let document =
            Document::new("Bo, Al, Bo").with_entities(vec![entity(0, 2), entity(4, 6), entity(8, 10)]).unwrap();
        let surfaces: Vec<String> = (0..50).map(|number| format!("N{number}")).collect();
        let drawn = Counterfactual::draw(&document, 1, &label, &surfaces, 7);
        assert_eq!((drawn.len(), &drawn[&0]), (3, &drawn[&2]));
        assert_eq!(drawn, Counterfactual::draw(&document, 1, &label, &surfaces, 7));
        assert_ne!(drawn, Counterfactual::draw(&document, 1, &label, &surfaces, 8));
        assert_ne!(drawn, Counterfactual::draw(&document, 2, &label, &surfaces, 7));
    }

    #[test]
    fn a_group_that_is_found_less_often_shows_with_an_interval_below_zero() {
        let found = |correct| Counts { correct, gold: 2, predicted: 2 };
        let written = vec![found(2); 40];
        let worse = (0..40).map(|text| found(text % 3)).collect();
        let groups = vec![("same".to_owned(), 3, written.clone()), ("worse".to_owned(), 2, worse)];
        let outcome = Counterfactual::of(Label::new("PER").unwrap(), &written, groups, &Settings::default());
        assert_eq!((outcome.entities, outcome.recall), (80, 1.0));
        let [worse, same] = &outcome.groups[..] else { panic!("two groups") };
        assert!(worse.name == "worse" && worse.change < -0.4 && worse.change_interval.unwrap().high < 0.0);
        assert!(same.change == 0.0 && same.change_interval.unwrap().low == 0.0);
    }
}
