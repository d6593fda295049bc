//! The spans that anyone suggested, and who votes for what.

use std::collections::{BTreeMap, BTreeSet};

use schema::{Label, Span};

use super::Opinions;
use crate::suggest::Grounding;

/// All that is voted on.
pub(super) struct Candidates {
    /// The labels, in the order of the alphabet.
    pub(super) labels: Vec<Label>,
    pub(super) items: Vec<Item>,
    /// For each source and label whether the source ever gave it.
    pub(super) knows: Vec<Vec<bool>>,
}

/// A span that somebody suggested.
pub(super) struct Item {
    /// Position of its text.
    pub(super) text: usize,
    pub(super) span: Span,
    /// How it was found, by the source that found it best.
    pub(super) status: Grounding,
    /// For each source the position of the label that it votes for, that behind the last where it saw nothing there;
    /// `None` where it did not look.
    pub(super) votes: Vec<Option<usize>>,
    /// What is there, as in `votes`, where that is known.
    pub(super) gold: Option<usize>,
}

impl Candidates {
    pub(super) fn of(opinions: &[Opinions<'_>], sources: usize, threshold: f32) -> Self {
        let mut names: BTreeSet<Label> = BTreeSet::new();
        for opinion in opinions {
            let suggested = opinion.by_source.iter().flatten().flat_map(|suggestions| suggestions.iter());
            names.extend(suggested.filter(|one| one.is_entity(threshold)).map(|one| one.label.clone()));
            names.extend(opinion.gold.iter().flat_map(|gold| gold.iter()).map(|entity| entity.label.clone()));
        }
        let labels: Vec<Label> = names.into_iter().collect();
        let nothing = labels.len();
        let mut knows = vec![vec![false; nothing]; sources];
        let mut items = Vec::new();
        for (text, opinion) in opinions.iter().enumerate() {
            let looked: Vec<Option<usize>> =
                (0..sources).map(|source| opinion.by_source.get(source)?.map(|_| nothing)).collect();
            let gold_default = opinion.gold.map(|_| nothing);
            let mut here: BTreeMap<Span, Item> = BTreeMap::new();
            let fresh = |span| Item { text, span, status: Grounding::Fuzzy, votes: looked.clone(), gold: gold_default };
            for (source, suggestions) in opinion.by_source.iter().take(sources).enumerate() {
                let mut sure: Vec<_> = suggestions.iter().flat_map(|all| all.iter()).collect();
                sure.retain(|one| one.is_entity(threshold));
                // Of several labels for one span the surest is the vote.
                sure.sort_by(|a, b| a.score.unwrap_or(1.0).total_cmp(&b.score.unwrap_or(1.0)));
                for suggestion in sure {
                    let (Some(span), Ok(label)) = (suggestion.span, labels.binary_search(&suggestion.label)) else {
                        continue;
                    };
                    knows[source][label] = true;
                    let item = here.entry(span).or_insert_with(|| fresh(span));
                    item.votes[source] = Some(label);
                    item.status = item.status.min(suggestion.status);
                }
            }
            for entity in opinion.gold.iter().flat_map(|gold| gold.iter()) {
                if let Ok(label) = labels.binary_search(&entity.label) {
                    here.entry(entity.span).or_insert_with(|| fresh(entity.span)).gold = Some(label);
                }
            }
            items.extend(here.into_values());
        }
        Self { labels, items, knows }
    }
}
