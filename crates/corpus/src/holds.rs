//! What a format has a place for, and what a document would lose in it.

use schema::{Document, Entity};

use crate::{Format, Loss};

/// What a format has a place for, beside the text.
// One row of a table of yes and no.
#[allow(clippy::struct_excessive_bools)]
struct Holds {
    entities: bool,
    /// That unlabelled words are unknown.
    partial: bool,
    looked_for: bool,
    tokens: bool,
    id: bool,
    meta: bool,
    /// Scores and sources of entities.
    origin: Origin,
}

/// Where scores and sources of entities can stand.
#[derive(PartialEq)]
enum Origin {
    Nowhere,
    /// With suggestions only, all of one text from the same source.
    Suggestions,
    Everywhere,
}

const NOTHING: Holds = Holds {
    entities: false,
    partial: false,
    looked_for: false,
    tokens: false,
    id: false,
    meta: false,
    origin: Origin::Nowhere,
};

impl Format {
    const fn holds(self) -> Holds {
        match self {
            Self::Jsonl => Holds {
                entities: true,
                partial: true,
                looked_for: true,
                tokens: true,
                id: true,
                meta: true,
                origin: Origin::Everywhere,
            },
            Self::Conll | Self::Gliner => Holds { entities: true, tokens: true, ..NOTHING },
            Self::SpacyList => Holds { entities: true, ..NOTHING },
            // What else it cannot hold depends on the tokens, and its writer tells.
            Self::SpacyDocbin => Holds { entities: true, partial: true, tokens: true, id: true, meta: true, ..NOTHING },
            Self::Huggingface => Holds { entities: true, tokens: true, id: true, ..NOTHING },
            Self::Prodigy => {
                Holds { entities: true, tokens: true, id: true, meta: true, origin: Origin::Everywhere, ..NOTHING }
            }
            Self::Doccano => Holds { entities: true, id: true, meta: true, ..NOTHING },
            Self::LabelStudio | Self::Argilla => {
                Holds { entities: true, partial: true, id: true, meta: true, origin: Origin::Suggestions, ..NOTHING }
            }
            // A text without entities says nothing either way once it stands in a file of plain text.
            Self::Text | Self::Markdown | Self::Html => Holds { partial: true, ..NOTHING },
            Self::Csv | Self::Tsv => Holds {
                entities: true,
                partial: true,
                looked_for: true,
                id: true,
                meta: true,
                origin: Origin::Everywhere,
                ..NOTHING
            },
        }
    }

    /// What the document says and the format has no field for.
    pub(crate) fn losses(self, document: &Document) -> Vec<Loss> {
        let holds = self.holds();
        let entities = document.entities();
        // Of an untouched text every format can leave the annotations out.
        let untouched = document.partial && entities.is_empty() && self.tells_unannotated();
        let meta = match self {
            Self::Conll => document.meta.keys().any(|field| field != "docstart"),
            _ => !document.meta.is_empty(),
        };
        let suggested = holds.origin == Origin::Everywhere || (holds.origin == Origin::Suggestions && document.partial);
        let one_source = holds.origin == Origin::Everywhere || same_source(entities);
        let scores = entities.iter().filter(|entity| entity.score.is_some()).count();
        let scores_kept = suggested && (self != Self::Argilla || scores == entities.len());
        let lost = [
            (Loss::Entities, !holds.entities && !entities.is_empty()),
            (Loss::Partial, !holds.partial && document.partial && !untouched),
            (Loss::LookedFor, !holds.looked_for && document.looked_for.is_some()),
            (Loss::Tokens, !holds.tokens && document.tokens().is_some()),
            (Loss::Id, !holds.id && document.id.is_some()),
            (Loss::Meta, !holds.meta && meta),
            (Loss::Score, holds.entities && scores > 0 && !scores_kept),
            (Loss::Source, holds.entities && entities.iter().any(|e| e.source.is_some()) && !(suggested && one_source)),
        ];
        lost.into_iter().filter(|(_, is_lost)| *is_lost).map(|(loss, _)| loss).collect()
    }

    /// Whether a text that nobody annotated can be told from one without entities.
    const fn tells_unannotated(self) -> bool {
        !matches!(self, Self::Conll | Self::SpacyList | Self::Gliner | Self::SpacyDocbin | Self::Huggingface)
    }
}

fn same_source(entities: &[Entity]) -> bool {
    entities.windows(2).all(|pair| pair[0].source == pair[1].source)
}
