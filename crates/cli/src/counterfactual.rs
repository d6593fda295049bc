//! A model judged on the same texts with other names in them.

use std::{fs, path::Path};

use anyhow::{Context as _, bail};
use evaluate::{Counterfactual, Counts, Groups, Pair, Rule, Settings};
use model::Recognizer;
use schema::{Document, Entity, Label};

use crate::{judgement, progress::note, table::Table};

/// The groups of surfaces that a file lists.
pub fn read(path: &Path) -> anyhow::Result<Groups> {
    let text = fs::read_to_string(path).with_context(|| format!("{} cannot be read", path.display()))?;
    toml::from_str(&text).with_context(|| format!("{} does not list groups of surfaces", path.display()))
}

/// The recall of each label with the surfaces of each of its groups; `written` is what was found in the texts as they are.
pub fn judge(
    recognizer: &Recognizer,
    written: &[Pair<'_>],
    groups: &Groups,
    settings: &Settings,
) -> anyhow::Result<Vec<Counterfactual>> {
    let mut outcomes = Vec::new();
    for (label, groups) in groups.labels() {
        let texts: Vec<&Pair<'_>> = written
            .iter()
            .filter(|pair| pair.document.entities().iter().any(|entity| entity.label == *label))
            .collect();
        if texts.is_empty() {
            bail!(
                "groups.{label}: the data has no entity of this label to replace; correct the label or delete its groups"
            );
        }
        let as_written = texts.iter().map(|pair| counts(pair.document, pair.predicted, label)).collect::<Vec<_>>();
        let mut judged = Vec::with_capacity(groups.len());
        for (name, surfaces) in groups {
            note(&format!("{label}: the {} names of {name} in {} texts", surfaces.len(), texts.len()));
            let replace = |(number, pair): (usize, &&Pair<'_>)| {
                let drawn = Counterfactual::draw(pair.document, number, label, surfaces, settings.seed);
                corpus::replace(pair.document, &drawn).with_context(|| format!("groups.{label}.{name}"))
            };
            let replaced = texts.iter().enumerate().map(replace).collect::<anyhow::Result<Vec<Document>>>()?;
            let found = judgement::recognize(recognizer, &replaced)?;
            let counts = replaced.iter().zip(&found).map(|(document, found)| counts(document, found, label)).collect();
            judged.push((name.clone(), surfaces.len(), counts));
        }
        outcomes.push(Counterfactual::of(label.clone(), &as_written, judged, settings));
    }
    Ok(outcomes)
}

/// The strict counts of one label in one text.
fn counts(document: &Document, predicted: &[Entity], label: &Label) -> Counts {
    let judged = Pair { document, predicted }.judge(Some(std::slice::from_ref(label)));
    Counts::of(Rule::Strict, &judged.gold, &judged.predicted)
}

/// The outcomes for a person to read.
pub fn render(outcomes: &[Counterfactual]) -> String {
    outcomes.iter().map(table).collect()
}

fn table(outcome: &Counterfactual) -> String {
    let mut table = Table::default();
    table.row(["", "names", "recall", "change", "95 % interval"].map(str::to_owned));
    table.row(["as written".to_owned(), "-".to_owned(), format!("{:.3}", outcome.recall)]);
    for group in &outcome.groups {
        let interval = group.change_interval.map(|interval| format!("{:+.3} to {:+.3}", interval.low, interval.high));
        table.row([
            group.name.clone(),
            group.surfaces.to_string(),
            format!("{:.3}", group.recall),
            format!("{:+.3}", group.change),
            interval.unwrap_or_default(),
        ]);
    }
    let Counterfactual { label, texts, entities, .. } = outcome;
    let table = table.render();
    format!("\nrecall of {label} with other names in the place of its {entities} entities in {texts} texts\n{table}")
}
