//! What an update learns, and what of the old texts it learns again.

use std::{collections::BTreeMap, path::Path};

use anyhow::{Context as _, bail};
use clap::ValueEnum as _;
use corpus::rehearsal;
use evaluate::{Pair, Scores};
use model::{Bundle, Workers};
use schema::{Document, Label};

use super::Arguments;
use crate::{
    input,
    progress::note,
    training::{self, Data, Knowledge, Method, Set},
};

/// Old texts are this many times as many as new ones, and at least so many.
const REPLAY: (usize, usize) = (2, 300);
/// Of the old texts every so many-th is kept for the dev set.
const OLD_DEV: usize = 10;

/// Reads all files that the options name; `model` is the folder of the old model.
pub fn data(arguments: &Arguments, model: &Path) -> anyhow::Result<Data> {
    let annotated = |path: &Path| -> anyhow::Result<Set> {
        let (documents, _) = input::annotated(path, arguments.format)?;
        Ok(Set { path: path.to_owned(), documents })
    };
    let mut known = Knowledge {
        methods: arguments.methods(model),
        renamed: BTreeMap::new(),
        retired: arguments.retire.iter().map(|name| Label::new(name.as_str())).collect::<Result<_, _>>()?,
        old: Vec::new(),
        replay: None,
        dev: None,
        enough: 1.0,
        reached: 0.0,
        unlabelled: None,
        temperature: arguments.temperature,
        confidence: arguments.confidence,
    };
    if arguments.with.is_empty() {
        note(&format!("what is known is kept by {} (--with says otherwise)", names(&known.methods)));
    }
    for rename in &arguments.rename {
        let (old, new) = rename.split_once('=').with_context(|| format!("--rename {rename}: expected OLD=NEW"))?;
        known.renamed.insert(Label::new(new)?, Label::new(old)?);
    }
    let old = Bundle::open(model)?;

    let mut train = annotated(&arguments.train)?;
    let mut dev = arguments.dev.as_deref().map(annotated).transpose()?;
    let mut test = arguments.test.as_deref().map(annotated).transpose()?;
    let searched = searched(arguments, &train.documents)?;
    for set in [Some(&mut train), dev.as_mut(), test.as_mut()].into_iter().flatten() {
        say_what_was_searched(&mut set.documents, searched.as_deref());
    }

    if let Some(path) = &arguments.old_dev {
        let set = old_texts(annotated(path)?, &known, &old)?;
        // To know the old better than the old model is not what an update is for.
        known.enough = reached(&old, &set.documents, &known)?;
        note(&format!("F1 on {} old texts counts up to the {:.3} of the old model", set.documents.len(), known.enough));
        known.dev = Some(set);
    }
    let replay = match &arguments.replay {
        Some(path) => Some(annotated(path)?),
        None => training::carried(&old, model)?,
    };
    if let Some(replay) = replay {
        let Set { path, documents } = old_texts(replay, &known, &old)?;
        let (kept, learned) = part(&documents, known.dev.is_none());
        if known.dev.is_none() {
            // The old model learned these by heart, and to know them less well is not to have forgotten anything.
            if let Some(reached) = unseen(&old) {
                known.enough = reached;
                note(&format!(
                    "F1 on {} old texts counts up to {reached:.3}, which the old model reached on its own dev set \
                     (--old-dev takes texts that it has not learned)",
                    kept.len()
                ));
            }
            known.dev = Some(Set { path: path.clone(), documents: kept });
        }
        let size = arguments.replay_size.unwrap_or((REPLAY.0 * train.documents.len()).max(REPLAY.1));
        let chosen = rehearsal(&learned, if known.uses(Method::Rehearsal) { size } else { 0 });
        note(&format!("{} of {} old texts are learned again", chosen.len(), learned.len()));
        let chosen: Vec<Document> = chosen.into_iter().map(|position| learned[position].clone()).collect();
        known.replay = (!chosen.is_empty()).then_some(Set { path, documents: chosen });
        known.old = documents;
    }
    if let Some(path) = &arguments.unlabelled {
        let (mut documents, _) = input::documents(path, arguments.format)?;
        for document in &mut documents {
            document.partial = true;
        }
        known.unlabelled = Some(Set { path: path.clone(), documents });
    }
    if known.dev.is_none() {
        // What the old model finds in the new texts is no measure of what is forgotten: new labels rightly take its places.
        note("no old texts are given: the new ones alone tell which model is best");
    }
    known.reached = reached(&old, &dev.as_ref().unwrap_or(&train).documents, &known)?;
    Ok(Data { train, dev, test, known: Some(known) })
}

/// Methods as `--with` takes them.
fn names(methods: &[Method]) -> String {
    let values = methods.iter().filter_map(Method::to_possible_value);
    values.map(|value| value.get_name().to_owned()).collect::<Vec<_>>().join(",")
}

/// F1 of a model on texts that it was not trained on, as its bundle says it.
fn unseen(model: &Bundle) -> Option<f64> {
    model.manifest.scores["dev"]["ents_f"].as_f64()
}

/// F1 of the old model, by the labels' new names.
fn reached(old: &Bundle, documents: &[Document], known: &Knowledge) -> anyhow::Result<f64> {
    let workers = Workers::all();
    let inputs: Vec<model::Input<'_>> = documents.iter().map(model::Input::from).collect();
    let found = workers.recognize(&old.classifier, &old.codec, &inputs)?;
    let named = |entity: schema::Entity| Some(schema::Entity { label: known.named(&entity.label)?, ..entity });
    let found: Vec<Vec<schema::Entity>> =
        found.into_iter().map(|found| found.into_iter().filter_map(named).collect()).collect();
    let pairs = documents.iter().zip(&found);
    let judged: Vec<_> = pairs.map(|(document, predicted)| Pair { document, predicted }.judge(None)).collect();
    Ok(Scores::of(&judged).micro().f1())
}

/// The labels that the new texts were searched for, where they do not say so themselves; `None` for all.
fn searched(arguments: &Arguments, documents: &[Document]) -> anyhow::Result<Option<Vec<Label>>> {
    if arguments.complete {
        return Ok(None);
    }
    if let Some(names) = &arguments.labels {
        return Ok(Some(names.iter().map(|name| Label::new(name.as_str())).collect::<Result<_, _>>()?));
    }
    let mut labels: Vec<Label> =
        documents.iter().flat_map(Document::entities).map(|entity| entity.label.clone()).collect();
    labels.sort_unstable();
    labels.dedup();
    if labels.is_empty() {
        bail!(
            "{}: no entity is in it, so nothing new is learned; name what it was searched for with --labels",
            arguments.train.display()
        );
    }
    let names: Vec<&str> = labels.iter().map(Label::as_str).collect();
    note(&format!("the new texts count as searched for {} (--labels and --complete say otherwise)", names.join(", ")));
    Ok(Some(labels))
}

fn say_what_was_searched(documents: &mut [Document], labels: Option<&[Label]>) {
    for document in documents.iter_mut().filter(|document| document.looked_for.is_none()) {
        document.looked_for = labels.map(<[Label]>::to_vec);
    }
}

/// Every so many-th document, if a part is wanted, and the rest.
fn part(documents: &[Document], is_wanted: bool) -> (Vec<Document>, Vec<Document>) {
    let (mut part, mut rest) = (Vec::new(), Vec::new());
    for (index, document) in documents.iter().enumerate() {
        let into = if is_wanted && index % OLD_DEV == 0 { &mut part } else { &mut rest };
        into.push(document.clone());
    }
    (part, rest)
}

/// Old texts by the labels' new names; they were searched for the old labels only.
pub fn old_texts(mut set: Set, known: &Knowledge, old: &Bundle) -> anyhow::Result<Set> {
    let labels: Vec<Label> = old.manifest.schema.labels().filter_map(|label| known.named(label)).collect();
    training::rename(&mut set.documents, known)?;
    say_what_was_searched(&mut set.documents, Some(&labels));
    Ok(set)
}
