//! What a model knew before it is updated, and how it is kept.

use std::collections::BTreeMap;

use anyhow::bail;
use clap::ValueEnum;
use schema::{Document, Label, LabelDefinition, Schema};

use super::Set;

/// A way to learn something new without losing what was known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Method {
    /// None: the new texts alone, as if they were annotated for all labels
    None,
    /// Labels that nobody looked for in a text are not taught to be absent there
    Partial,
    /// Old texts are learned again beside the new ones
    Rehearsal,
    /// The old model annotates the old labels where it is sure of them
    Teacher,
    /// The old model's probabilities of the old labels are learned where nobody looked for them
    Distillation,
    /// Weights are drawn back to where they were
    L2,
    /// Old and new weights are averaged, as is best on both dev sets
    Averaging,
    /// Old labels are made as likely again as the old model finds them
    Bias,
}

/// What an update takes along.
pub struct Knowledge {
    /// How it is kept.
    pub methods: Vec<Method>,
    /// Old names of labels that have new ones.
    pub renamed: BTreeMap<Label, Label>,
    /// Labels that the new model is not to know.
    pub retired: Vec<Label>,
    /// All old texts that are at hand.
    pub old: Vec<Document>,
    /// Those of them to learn again.
    pub replay: Option<Set>,
    /// Old texts that tell what must not be forgotten.
    pub dev: Option<Set>,
    /// F1 on these from which on nothing counts as forgotten.
    pub enough: f64,
    /// F1 of the old model on the new texts.
    pub reached: f64,
    /// Texts that nobody annotated.
    pub unlabelled: Option<Set>,
    /// What the teacher's logits are divided by.
    pub temperature: f32,
    /// Score from which on the teacher's entities are taken; calibrated on the old dev set where there is none.
    pub confidence: Option<f32>,
}

impl Knowledge {
    /// Whether this way is taken.
    pub fn uses(&self, method: Method) -> bool {
        self.methods.contains(&method)
    }

    /// What decides the outcome of a run beside its settings and texts, in words: a run is not gone on with where it has changed.
    pub fn described(&self) -> String {
        let Self { methods, renamed, retired, temperature, confidence, .. } = self;
        format!(
            "{methods:?}, renamed {renamed:?}, retired {retired:?}, temperature {temperature}, confidence {confidence:?}"
        )
    }

    /// The new name of an old label, `None` for one that is retired.
    pub fn named(&self, label: &Label) -> Option<Label> {
        if self.retired.contains(label) {
            return None;
        }
        let renamed = self.renamed.iter().find(|(_, old)| *old == label).map(|(new, _)| new);
        Some(renamed.unwrap_or(label).clone())
    }

    /// The labels of the new model: those of the old one under their new names, then those of the new texts.
    pub fn schema<'d>(&self, old: &Schema, new: impl Iterator<Item = &'d Document>) -> anyhow::Result<Schema> {
        let unknown = self.renamed.values().chain(&self.retired).find(|label| old.position(label.as_str()).is_none());
        if let Some(label) = unknown {
            let known: Vec<&str> = old.labels().map(Label::as_str).collect();
            bail!("the model does not know the label `{label}`; it knows {}", known.join(", "));
        }
        let mut definitions: Vec<LabelDefinition> = Vec::new();
        for definition in old.definitions() {
            let Some(name) = self.named(&definition.name) else { continue };
            let parent = definition.parent.as_ref().and_then(|parent| self.named(parent));
            // Two labels may have become one.
            if definitions.iter().all(|known| known.name != name) {
                definitions.push(LabelDefinition { name, parent, ..definition.clone() });
            }
        }
        let mut labels: Vec<Label> = new.flat_map(Document::entities).map(|entity| entity.label.clone()).collect();
        labels.sort_unstable();
        labels.dedup();
        if let Some(retired) = labels.iter().find(|label| self.retired.contains(label)) {
            bail!("the label `{retired}` is to be retired, and the new texts have entities of it; decide for one");
        }
        labels.retain(|label| definitions.iter().all(|known| known.name != *label));
        definitions.extend(labels.into_iter().map(LabelDefinition::undefined));
        Ok(Schema::new(definitions)?)
    }
}

/// The same entities under new names, without those of retired labels. A text that was searched for an old label was searched for
/// what it is called now.
pub fn rename(documents: &mut [Document], knowledge: &Knowledge) -> anyhow::Result<()> {
    for document in documents {
        let named =
            |entity: &schema::Entity| Some(schema::Entity { label: knowledge.named(&entity.label)?, ..entity.clone() });
        let entities = document.entities().iter().filter_map(named).collect();
        document.looked_for =
            document.looked_for.take().map(|labels| labels.iter().filter_map(|label| knowledge.named(label)).collect());
        *document = std::mem::take(document).with_entities(entities)?;
    }
    Ok(())
}
