//! Labelled texts in other words.

use std::collections::BTreeMap;

use schema::{Document, Entity, Label, Schema};
use serde::Deserialize;
use serde_json::json;

use super::{AuthorOptions, Fault, Known, META, Refused, prompt};
use crate::suggest::{
    Grounding, Origin, OriginKind,
    ground::{Ground, Quote},
    llm::{Desk, Finish, Reply, Request, Unanswered, in_parallel, object},
};

/// What came of paraphrasing.
#[derive(Debug, Clone, Default)]
pub struct Paraphrased {
    /// The paraphrases that count.
    pub documents: Vec<Document>,
    /// The others, by their fault.
    pub refused: Refused,
    /// Answers that were cut off.
    pub truncated: usize,
    /// Answers that could not be read.
    pub broken: usize,
    /// Texts that were not asked about or not answered, and why the first of them was not.
    pub unanswered: usize,
    /// See `unanswered`.
    pub problem: Option<String>,
}

#[derive(Deserialize)]
struct Answer {
    texts: Vec<String>,
}

/// Has a model write each text `count` times in other words. Entities have to survive letter for letter and as often as
/// they stood; a paraphrase that loses one, or is nearly a text that is known, does not count. `told` hears how many
/// texts are done.
pub fn paraphrase(
    desk: &Desk<'_>,
    documents: &[Document],
    count: usize,
    schema: &Schema,
    known: &mut Known,
    options: &AuthorOptions,
    told: impl Fn(usize) + Sync,
) -> Paraphrased {
    let request = |document: &Document| Request {
        model: options.model.clone(),
        messages: prompt::paraphrases(document, count),
        temperature: options.temperature,
        max_tokens: options.max_tokens,
        sample: 0,
        schema: ("texts", prompt::paraphrases_schema()),
        extra: options.extra.clone(),
    };
    let answer = |document: &Document| match surfaces(document) {
        Ok(surfaces) => desk.ask(&request(document)).map(|reply| Some((reply, surfaces))),
        Err(_) => Ok(None),
    };
    let answers = in_parallel(documents, options.threads, answer, told);
    let mut done = Paraphrased::default();
    for (at, (document, answer)) in documents.iter().zip(answers).enumerate() {
        match answer {
            Ok(None) => done.refused.count(Fault::TwoLabels),
            Ok(Some((reply, surfaces))) => {
                let name = document.id.clone().unwrap_or_else(|| (at + 1).to_string());
                done.take(&reply, &surfaces, &name, document, &options.model);
            }
            Err(unanswered) => {
                done.unanswered += 1;
                let why = match unanswered {
                    Unanswered::Budget => "the budget is spent".to_owned(),
                    Unanswered::NotAsked => "it was stopped".to_owned(),
                    Unanswered::NoAnswer(said) | Unanswered::Refused(said) => said,
                };
                done.problem.get_or_insert(why);
            }
        }
    }
    let written = std::mem::take(&mut done.documents);
    for admitted in known.admit(written, schema) {
        match admitted {
            Ok(document) => done.documents.push(document),
            Err(fault) => done.refused.count(fault),
        }
    }
    done
}

/// The label and the number of each surface.
type Surfaces = BTreeMap<String, (Label, usize)>;

fn surfaces(document: &Document) -> Result<Surfaces, Fault> {
    let mut surfaces = Surfaces::new();
    for entity in document.entities() {
        let surface = entity.span.quote(document.text()).to_owned();
        let known = surfaces.entry(surface).or_insert_with(|| (entity.label.clone(), 0));
        if known.0 != entity.label {
            return Err(Fault::TwoLabels);
        }
        known.1 += 1;
    }
    Ok(surfaces)
}

impl Paraphrased {
    fn take(&mut self, reply: &Reply, surfaces: &Surfaces, name: &str, source: &Document, model: &str) {
        if reply.finish == Finish::Length {
            self.truncated += 1;
            return;
        }
        let Ok(Answer { texts }) = object(reply) else {
            self.broken += 1;
            return;
        };
        for (at, text) in texts.iter().enumerate() {
            match carried(text.trim(), surfaces) {
                Ok(mut document) => {
                    let by = Origin::new(OriginKind::Llm, model);
                    document.id = Some(format!("{name}~{}", at + 1));
                    document.partial = source.partial;
                    document.looked_for.clone_from(&source.looked_for);
                    document.meta.insert(META.to_owned(), json!({"by": by.to_string(), "source": name}));
                    self.documents.push(document);
                }
                Err(fault) => self.refused.count(fault),
            }
        }
    }
}

/// The paraphrase with the entities of its source, where each stands in it as often as it should.
fn carried(text: &str, surfaces: &Surfaces) -> Result<Document, Fault> {
    let ground = Ground::new(text);
    let mut entities: Vec<Entity> = Vec::new();
    // Longer surfaces first: one that stands within another is not a place of its own.
    let mut order: Vec<(&String, &(Label, usize))> = surfaces.iter().collect();
    order.sort_by(|a, b| b.0.len().cmp(&a.0.len()).then(a.0.cmp(b.0)));
    for (surface, (label, count)) in order {
        let quote = Quote { text: surface.clone(), label: label.clone(), before: String::new() };
        // As many as there can be, so that one too many is seen.
        let quotes = vec![quote; text.matches(surface.as_str()).count() + 1];
        let found = ground.align(&quotes);
        let places = found.iter().filter(|found| found.status == Grounding::Exact).filter_map(|found| found.span);
        let free: Vec<_> = places.filter(|span| entities.iter().all(|entity| !entity.span.overlaps(*span))).collect();
        if free.len() != *count {
            return Err(Fault::LostEntity);
        }
        entities.extend(free.into_iter().map(|span| Entity::new(span, label.clone())));
    }
    Document::new(text).with_entities(entities).map_err(|_| Fault::Overlap)
}
