//! The page on which a reviewer makes one version of what two people made of a text.

use maud::{Markup, html};
use schema::{Entity, Schema};
use serde_json::json;

use super::{
    assets, colours,
    editor::{Suggested, Task, data, description, desk, dialogs, side},
    marked,
};

/// What one of the two made of the text.
#[derive(Debug, Clone, Copy)]
pub struct Version<'a> {
    /// Who.
    pub user: &'a str,
    /// What that person decided: `accepted`, `skipped` or `flagged`.
    pub verdict: &'a str,
    /// The entities, sorted by start, without overlaps.
    pub entities: &'a [Entity],
    /// The note.
    pub note: &'a str,
}

/// How two versions differ at one place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The same span with another label.
    Label,
    /// Overlapping spans with one label.
    Boundary,
    /// Overlapping spans with different labels.
    Both,
    /// Only one of the two marked anything here.
    OneSided,
}

/// One place at which two versions differ; positions in their lists of entities.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Difference {
    /// How.
    pub kind: Kind,
    /// The left one's entity.
    pub left: Option<usize>,
    /// The right one's.
    pub right: Option<usize>,
}

/// Where two versions differ, in order of the text, and how many entities are the same in both.
///
/// Each entity has a part in at most one difference: equal spans are paired first, then those that overlap, from the left.
pub fn differences(left: &[Entity], right: &[Entity]) -> (Vec<Difference>, usize) {
    let mut paired = vec![None; left.len()];
    let mut taken = vec![false; right.len()];
    for pairs in [
        (|one, other| one.span == other.span) as fn(&Entity, &Entity) -> bool,
        |one, other| one.span.overlaps(other.span) && one.label == other.label,
        |one, other| one.span.overlaps(other.span),
    ] {
        for (index, one) in left.iter().enumerate().filter(|(index, _)| paired[*index].is_none()).collect::<Vec<_>>() {
            let from = right.partition_point(|other| other.span.end() <= one.span.start());
            let found = (from..right.len())
                .take_while(|other| right[*other].span.start() < one.span.end())
                .find(|other| !taken[*other] && pairs(one, &right[*other]));
            if let Some(found) = found {
                paired[index] = Some(found);
                taken[found] = true;
            }
        }
    }
    let mut same = 0;
    let mut found = Vec::new();
    for (index, other) in paired.iter().enumerate() {
        let kind = match other.map(|other| (&left[index], &right[other])) {
            None => Kind::OneSided,
            Some((one, other)) if one.same_mention(other) => {
                same += 1;
                continue;
            }
            Some((one, other)) if one.span == other.span => Kind::Label,
            Some((one, other)) if one.label == other.label => Kind::Boundary,
            Some(_) => Kind::Both,
        };
        found.push(Difference { kind, left: Some(index), right: *other });
    }
    let only = |right| Difference { kind: Kind::OneSided, left: None, right: Some(right) };
    found.extend((0..right.len()).filter(|index| !taken[*index]).map(only));
    found.sort_by_key(|difference| {
        difference.left.map(|index| left[index].span).or(difference.right.map(|index| right[index].span))
    });
    (found, same)
}

/// The body of the page Review. The task's entities and suggestions are not used where the review has no revision yet (its parent is 0):
/// then it begins with what both have in common.
pub fn review(task: &Task<'_>, left: &Version<'_>, right: &Version<'_>) -> Markup {
    let (found, same) = differences(left.entities, right.entities);
    let [left_suggests, right_suggests] =
        [(left, 1), (right, right_base(left))].map(|(version, base)| suggested(version, base));
    let used = |side: fn(&Difference) -> Option<usize>| found.iter().filter_map(side).collect::<Vec<_>>();
    let suggestions: Vec<Suggested<'_>> = used(|difference| difference.left)
        .into_iter()
        .map(|index| left_suggests[index])
        .chain(used(|difference| difference.right).into_iter().map(|index| right_suggests[index]))
        .collect();
    let agreed: Vec<Entity> = left
        .entities
        .iter()
        .enumerate()
        .filter(|(index, _)| !found.iter().any(|difference| difference.left == Some(*index)))
        .map(|(_, entity)| Entity::new(entity.span, entity.label.clone()))
        .collect();
    let entities = if task.parent == 0 { &agreed } else { task.entities };
    let task = Task { entities, suggestions: &suggestions, ..*task };
    let mut description = description(&task, "review");
    description["differences"] = found
        .iter()
        .map(|difference| {
            let id = |suggests: &[Suggested<'_>], index: Option<usize>| index.map(|index| suggests[index].id);
            json!({
                "kind": words(difference.kind), "left": id(&left_suggests, difference.left), "right": id(&right_suggests, difference.right),
            })
        })
        .collect();
    html! {
        div.work {
            div {
                section.versions aria-label="Two versions" {
                    (column(&task, left, &found, |difference| difference.left))
                    (column(&task, right, &found, |difference| difference.right))
                }
                (table(&task, left, right, &found, same))
                h2.result { "The version that counts" }
                (desk(&task, "review"))
            }
            (side(&task))
        }
        (dialogs())
        (data(&description))
        script type="module" src=(assets::path("review.js")) {}
    }
}

/// Number of the right one's first suggestion; those of the left one begin with 1.
fn right_base(left: &Version<'_>) -> u64 {
    1 + left.entities.len() as u64
}

fn suggested<'a>(version: &Version<'a>, base: u64) -> Vec<Suggested<'a>> {
    let suggest = |(index, entity): (usize, &'a Entity)| Suggested {
        id: base + index as u64,
        span: Some(entity.span),
        label: entity.label.as_str(),
        score: None,
        status: "exact",
        quote: "",
        kind: "person",
        name: version.user,
        version: "",
    };
    version.entities.iter().enumerate().map(suggest).collect()
}

fn words(kind: Kind) -> &'static str {
    match kind {
        Kind::Label => "other label",
        Kind::Boundary => "other boundary",
        Kind::Both => "other label and boundary",
        Kind::OneSided => "only one",
    }
}

/// One version to read, with those entities set off in which it differs.
fn column(
    task: &Task<'_>,
    version: &Version<'_>,
    found: &[Difference],
    side: fn(&Difference) -> Option<usize>,
) -> Markup {
    let differs: Vec<usize> = found.iter().filter_map(side).collect();
    html! {
        article.card {
            h3 { bdi { (version.user) } @if version.verdict != "accepted" { " " span.state.warn { (version.verdict) } } }
            div.text.passage dir="auto" {
                (marked::marked_with(task.text, version.entities, task.schema, |index| differs.contains(&index).then_some("differs")))
            }
            @if !version.note.is_empty() { p.small { b { "Note " } bdi { (version.note) } } }
        }
    }
}

fn table(task: &Task<'_>, left: &Version<'_>, right: &Version<'_>, found: &[Difference], same: usize) -> Markup {
    let marked = left.entities.len() + right.entities.len();
    html! {
        section.differences aria-label="Differences" {
            div.row {
                span { b { (same) } " the same" }
                span { b { (found.len()) } " different" }
                @if marked > 0 {
                    span title="Twice the entities that both have, over all of both" { "Agreement " b { (format!("{:.2}", 2.0 * same as f64 / marked as f64)) } }
                }
                span.state #differences-left {}
                span.end.quiet { kbd { "D" } " next difference, " kbd { "Q" } " left, " kbd { "E" } " right, " kbd { "R" } " neither" }
            }
            @if !found.is_empty() {
                div.scroll { table {
                    thead { tr { th { "Difference" } th { bdi { (left.user) } } th { bdi { (right.user) } } th { span.unseen { "Neither" } } } }
                    tbody { @for difference in found {
                        tr data-difference {
                            td { (words(difference.kind)) }
                            td { (choice(task, difference.left.map(|index| &left.entities[index]), "left")) }
                            td { (choice(task, difference.right.map(|index| &right.entities[index]), "right")) }
                            td { button.plain type="button" data-side="neither" aria-pressed="false" { "Neither" } }
                        }
                    } }
                } }
            }
        }
    }
}

fn choice(task: &Task<'_>, entity: Option<&Entity>, side: &str) -> Markup {
    html! {
        @if let Some(entity) = entity {
            button.plain.choice type="button" data-side=(side) aria-pressed="false" {
                (chip(task.schema, entity)) bdi { (entity.span.quote(task.text)) }
            }
        } @else {
            span.quiet { "nothing" }
        }
    }
}

fn chip(schema: &Schema, entity: &Entity) -> Markup {
    html! { span class={ "chip " (colours::class(schema, entity.label.as_str())) } { (entity.label) } }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use schema::{Label, Span};

    use super::*;

    fn entity(start: usize, end: usize, label: &str) -> Entity {
        Entity::new(Span::new(start, end).unwrap(), Label::new(label).unwrap())
    }

    #[test]
    fn each_kind_of_difference_is_told_apart() {
        let left =
            [entity(0, 3, "A"), entity(4, 9, "A"), entity(10, 12, "A"), entity(20, 25, "A"), entity(30, 31, "A")];
        let right =
            [entity(0, 3, "A"), entity(4, 9, "B"), entity(10, 14, "A"), entity(22, 26, "B"), entity(40, 41, "B")];
        let (found, same) = differences(&left, &right);
        let of = |kind, left, right| Difference { kind, left, right };
        assert_eq!(same, 1);
        assert_eq!(
            found,
            [
                of(Kind::Label, Some(1), Some(1)),
                of(Kind::Boundary, Some(2), Some(2)),
                of(Kind::Both, Some(3), Some(3)),
                of(Kind::OneSided, Some(4), None),
                of(Kind::OneSided, None, Some(4)),
            ]
        );
    }

    #[test]
    fn an_equal_span_is_paired_before_one_that_only_overlaps() {
        let (found, same) =
            differences(&[entity(0, 8, "A"), entity(9, 12, "A")], &[entity(0, 4, "A"), entity(9, 12, "B")]);
        assert_eq!(same, 0);
        assert_eq!(found[0], Difference { kind: Kind::Boundary, left: Some(0), right: Some(0) });
        assert_eq!(found[1], Difference { kind: Kind::Label, left: Some(1), right: Some(1) });
    }

    fn versions() -> impl Strategy<Value = Vec<Entity>> {
        prop::collection::vec((0_usize..4, 1_usize..6, 0_usize..2), 0..12).prop_map(|parts| {
            let mut at = 0;
            let make = |(gap, length, label): (usize, usize, usize)| {
                let start = at + gap;
                at = start + length;
                entity(start, at, ["A", "B"][label])
            };
            parts.into_iter().map(make).collect()
        })
    }

    proptest! {
        #[test]
        fn every_entity_is_the_same_in_both_or_in_one_difference(left in versions(), right in versions()) {
            let (found, same) = differences(&left, &right);
            for (count, side) in [(left.len(), found.iter().filter_map(|one| one.left).collect::<Vec<_>>()),
                                  (right.len(), found.iter().filter_map(|one| one.right).collect())] {
                let mut once = side.clone();
                once.sort_unstable();
                once.dedup();
                prop_assert_eq!(once.len(), side.len());
                prop_assert_eq!(side.len() + same, count);
            }
            prop_assert_eq!(differences(&left, &left), (Vec::new(), left.len()));
        }
    }
}
