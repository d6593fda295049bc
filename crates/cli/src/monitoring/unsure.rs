//! Texts that the model is unsure of, to be annotated.

use std::{collections::BTreeSet, path::Path};

use anyhow::{Context as _, bail};
use corpus::{Format, WriteOptions, Writer};
use operate::predictions::Row;
use schema::{
    Document, Entity,
    offset::{Offsets, Unit},
};
use serde_json::json;

/// Writes each text with an entity whose score lies below this one as Nomen JSONL, the least sure first, and returns how many
/// there are. What the model found stands in them as suggestions: the texts count as not annotated to their end.
pub fn write(rows: &[Row], below: f64, path: &Path) -> anyhow::Result<usize> {
    if rows.iter().all(|row| row.text.is_none()) {
        bail!("--low-confidence: the log keeps no texts; write it with --log-texts keep");
    }
    if path.exists() {
        bail!("{} exists, and may have been annotated since it was written; name another file", path.display());
    }
    let mut unsure: Vec<(f64, &Row, &str)> = rows
        .iter()
        .filter_map(|row| Some((row.lowest_score()?, row, row.text.as_deref()?)))
        .filter(|(score, ..)| *score < below)
        .collect();
    unsure.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut seen = BTreeSet::new();
    unsure.retain(|(_, _, text)| seen.insert(*text));

    let mut writer = Writer::create(path, Format::Jsonl, WriteOptions::default())?;
    for (score, row, text) in &unsure {
        writer.write(&suggested(row, text, *score)?)?;
    }
    writer.save()?;
    Ok(unsure.len())
}

fn suggested(row: &Row, text: &str, score: f64) -> anyhow::Result<Document> {
    let offsets = Offsets::new(text, Unit::CodePoints);
    let mut entities = Vec::with_capacity(row.entities.len());
    for found in &row.entities {
        let [start, end] = [found.start, found.end].map(|place| usize::try_from(place).unwrap_or(usize::MAX));
        let span = offsets
            .span(start, end)
            .with_context(|| format!("the row of {} at {}: an entity lies outside its text", row.model, row.at))?;
        let score = found.score.map(|score| score as f32);
        entities.push(Entity { score, source: Some(row.model.clone()), ..Entity::new(span, found.label.clone()) });
    }
    let mut document = Document::new(text).with_entities(entities)?;
    document.partial = true;
    document.id.clone_from(&row.hash);
    document.meta.insert("lowest_score".to_owned(), json!(score));
    Ok(document)
}
