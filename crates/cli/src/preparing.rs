//! What a preparation did.

use std::{collections::HashMap, path::Path};

use corpus::prepare::{Lost, Prepared, Segmentation, Step};
use schema::{
    Document,
    offset::{Offsets, Unit},
};
use serde::Serialize;

use crate::{input::LISTED, table::Table};

/// How many lost entities and removed lines are kept for `--json`.
const KEPT: usize = 1000;

/// What the steps changed in the texts so far.
pub struct Tally {
    /// The steps.
    pub steps: Vec<Step>,
    /// Ends that lie inside an entity and were not taken.
    pub joined: usize,
    changed: Vec<Changed>,
    documents: usize,
    emptied: usize,
    tokens_given_up: usize,
    written: usize,
    entities: usize,
    lost: Vec<Dropped>,
    lost_count: usize,
    lines: HashMap<String, Line>,
}

#[derive(Serialize)]
struct Changed {
    step: String,
    texts: usize,
    places: usize,
}

/// An entity without a place, as it stood in the text that was read.
#[derive(Serialize)]
struct Dropped {
    document: String,
    start: usize,
    end: usize,
    label: String,
    text: String,
    step: String,
    removed: bool,
}

/// A line that was removed.
#[derive(Serialize)]
struct Line {
    text: String,
    documents: usize,
    removed: usize,
}

/// What `--json` prints.
#[derive(Serialize)]
pub struct Answer<'t> {
    source: String,
    target: String,
    documents: usize,
    written: usize,
    entities: usize,
    steps: &'t [Changed],
    emptied: usize,
    tokens_given_up: usize,
    joined_over_entities: usize,
    dropped: usize,
    dropped_entities: &'t [Dropped],
    boilerplate: Vec<&'t Line>,
}

impl Tally {
    /// Nothing was changed yet.
    pub fn new(steps: Vec<Step>) -> Self {
        let changed = steps.iter().map(|step| Changed { step: step.to_string(), texts: 0, places: 0 }).collect();
        Self {
            steps,
            joined: 0,
            changed,
            documents: 0,
            emptied: 0,
            tokens_given_up: 0,
            written: 0,
            entities: 0,
            lost: Vec::new(),
            lost_count: 0,
            lines: HashMap::new(),
        }
    }

    /// Takes one more text into account.
    pub fn add(&mut self, name: &str, document: &Document, prepared: &Prepared) {
        self.documents += 1;
        for (changed, places) in self.changed.iter_mut().zip(&prepared.changes) {
            changed.texts += usize::from(*places > 0);
            changed.places += places;
        }
        self.emptied += usize::from(prepared.document.text().is_empty() && !document.text().is_empty());
        self.tokens_given_up += usize::from(prepared.tokens_lost);
        self.lost_count += prepared.lost.len();
        if self.lost.len() < KEPT && !prepared.lost.is_empty() {
            let offsets = Offsets::new(document.text(), Unit::CodePoints);
            let dropped = |lost: &Lost| {
                let (start, end) = offsets.of(lost.entity.span);
                Dropped {
                    document: name.to_owned(),
                    start,
                    end,
                    label: lost.entity.label.to_string(),
                    text: lost.quote.clone(),
                    step: self.steps[lost.step].to_string(),
                    removed: lost.removed,
                }
            };
            self.lost.extend(prepared.lost.iter().map(dropped));
        }
        if let Some(Step::Boilerplate(shared)) = self.steps.first() {
            for line in document.text().lines() {
                let Some(documents) = shared.documents(line) else { continue };
                let (line, room) = (line.trim(), self.lines.len() < KEPT);
                match self.lines.get_mut(line) {
                    Some(line) => line.removed += 1,
                    None if room => {
                        let first = Line { text: line.to_owned(), documents, removed: 1 };
                        self.lines.insert(line.to_owned(), first);
                    }
                    None => {}
                }
            }
        }
    }

    /// Writes a text and counts it.
    pub fn write(
        &mut self,
        document: &Document,
        write: impl FnOnce(&Document) -> anyhow::Result<()>,
    ) -> anyhow::Result<()> {
        write(document)?;
        self.written += 1;
        self.entities += document.entities().len();
        Ok(())
    }

    /// Whether an entity had no place in a new text.
    pub fn has_lost(&self) -> bool {
        self.lost_count > 0
    }

    /// The entities that had no place, the first of them listed.
    pub fn lost(&self) -> String {
        let count = self.lost_count;
        let (entities, have) = if count == 1 { ("entity", "has") } else { ("entities", "have") };
        let mut lines = vec![format!("{count} {entities} {have} no place in the new text:")];
        for Dropped { document, start, end, label, text, step, removed } in self.lost.iter().take(LISTED) {
            let why = if *removed { "all of it is removed by" } else { "starts or ends inside a change of" };
            lines.push(format!("  {document}: {text:?} {label} at {start}..{end}: {why} {step}"));
        }
        if count > LISTED {
            lines.push(format!("  and {} more", count - LISTED));
        }
        lines.join("\n")
    }

    /// For a person to read.
    pub fn render(&self, segmentation: Option<Segmentation>) -> String {
        let mut lines = Vec::new();
        if !self.changed.is_empty() {
            let mut table = Table::default();
            table.row(["changed", "texts", "places"].map(str::to_owned));
            for Changed { step, texts, places } in &self.changed {
                table.row([step.clone(), texts.to_string(), places.to_string()]);
            }
            lines.push(table.render() + "\n");
        }
        let removed = self.removed_lines();
        lines.extend(
            removed.iter().take(LISTED).map(|line| format!("  removed {} times: {:?}\n", line.removed, line.text)),
        );
        let pieces = match segmentation {
            None => "texts",
            Some(Segmentation::Sentences) => "sentences",
            Some(Segmentation::Paragraphs) => "paragraphs",
        };
        let Self { documents, written, entities, .. } = self;
        lines.push(format!("{documents} texts read, {written} {pieces} with {entities} entities written\n"));
        let counts = [
            (self.emptied, "texts have nothing left"),
            (self.tokens_given_up, "texts lost their known words, because a change cuts one"),
            (self.joined, "ends inside an entity were not taken"),
        ];
        lines.extend(counts.iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!("{count} {what}\n")));
        if self.has_lost() {
            lines.push(format!("left out: {}\n", self.lost()));
        }
        lines.concat()
    }

    /// For a program to read.
    pub fn answer(&self, source: &Path, target: &Path) -> Answer<'_> {
        Answer {
            source: source.display().to_string(),
            target: target.display().to_string(),
            documents: self.documents,
            written: self.written,
            entities: self.entities,
            steps: &self.changed,
            emptied: self.emptied,
            tokens_given_up: self.tokens_given_up,
            joined_over_entities: self.joined,
            dropped: self.lost_count,
            dropped_entities: &self.lost,
            boilerplate: self.removed_lines(),
        }
    }

    /// The most frequent first.
    fn removed_lines(&self) -> Vec<&Line> {
        let mut lines: Vec<&Line> = self.lines.values().collect();
        lines.sort_by(|a, b| (b.removed, &a.text).cmp(&(a.removed, &b.text)));
        lines
    }
}
