//! What came of a run of `nomen suggest`, in words and as JSON.

use std::{collections::BTreeMap, fmt::Write as _};

use annotate::suggest::{
    Grounding, Origin, Tally,
    llm::{Outcome, Spent, State},
    weigh::Accuracy,
};
use serde::Serialize;

use crate::table::Table;

/// What came of a run.
#[derive(Serialize)]
pub struct Summary {
    pub out: Option<String>,
    pub texts: usize,
    /// Texts whose annotation is complete, which keep it.
    pub annotated: usize,
    /// Entities of the texts that are not complete.
    pub entities: usize,
    /// By source; what they say together last.
    pub sources: Vec<OfSource>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub llm: Option<OfLlm>,
}

/// What one source suggested.
#[derive(Serialize)]
pub struct OfSource {
    pub source: String,
    pub suggestions: BTreeMap<&'static str, usize>,
    pub labels: BTreeMap<String, usize>,
    /// Taken back when asked again.
    pub refuted: usize,
    /// How good it is at each label, where several sources were weighed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub accuracy: Vec<Accuracy>,
}

/// What asking the language model brought.
#[derive(Serialize)]
pub struct OfLlm {
    pub texts: BTreeMap<&'static str, usize>,
    /// Answers that were cut off, also where a later one was whole.
    pub truncated: usize,
    /// Answers that could not be read, also where a later one could.
    pub broken: usize,
    /// Labels that the schema does not have.
    pub foreign_labels: BTreeMap<String, usize>,
    pub retries: u64,
    #[serde(flatten)]
    pub spent: Spent,
    /// What was said about the first texts that got no answer.
    pub problems: Vec<String>,
    #[serde(skip)]
    pub told: String,
}

/// How many problems are told.
const PROBLEMS: usize = 5;

impl OfSource {
    pub fn new(origin: &Origin, tally: &Tally, accuracy: Vec<Accuracy>) -> Self {
        let suggestions = Grounding::ALL.map(|status| (status.name(), tally.of(status))).into_iter().collect();
        let labels = tally.by_label.iter().map(|(label, count)| (label.to_string(), *count)).collect();
        Self { source: origin.to_string(), suggestions, labels, refuted: tally.refuted, accuracy }
    }
}

impl OfLlm {
    /// What came of each text; `place` names one.
    pub fn new(
        outcomes: &[Outcome],
        place: impl Fn(usize) -> String,
        spent: Spent,
        retries: u64,
        told: String,
    ) -> Self {
        let mut of = Self {
            texts: BTreeMap::new(),
            truncated: 0,
            broken: 0,
            foreign_labels: BTreeMap::new(),
            retries,
            spent,
            problems: Vec::new(),
            told,
        };
        for (at, outcome) in outcomes.iter().enumerate() {
            *of.texts.entry(outcome.state.name()).or_insert(0) += 1;
            of.truncated += outcome.truncated;
            of.broken += outcome.broken;
            for (label, count) in &outcome.foreign {
                *of.foreign_labels.entry(label.clone()).or_insert(0) += count;
            }
            if let (Some(problem), true) = (&outcome.problem, of.problems.len() < PROBLEMS) {
                of.problems.push(format!("{}: {}: {problem}", place(at), outcome.state.name()));
            }
        }
        of
    }

    /// Whether every text was answered.
    pub fn is_complete(&self) -> bool {
        self.texts.keys().all(|state| *state == State::Answered.name())
    }
}

impl Summary {
    /// In words, for standard error.
    pub fn told(&self) -> String {
        let mut text = String::new();
        let kept = if self.annotated > 0 {
            format!(", {} of them annotated already; these keep their entities", self.annotated)
        } else {
            String::new()
        };
        let _ = writeln!(text, "{} texts{kept}; {} entities suggested", self.texts, self.entities);
        if let Some(llm) = &self.llm {
            let states: Vec<String> = llm.texts.iter().map(|(state, count)| format!("{count} {state}")).collect();
            let _ = writeln!(text, "texts asked about: {}", states.join(", "));
            let _ = writeln!(text, "{}", llm.told);
            if llm.truncated + llm.broken > 0 {
                let _ = writeln!(
                    text,
                    "answers that were asked for again: {} cut off, {} not readable",
                    llm.truncated, llm.broken
                );
            }
            for (label, count) in &llm.foreign_labels {
                let _ = writeln!(
                    text,
                    "not taken: {count} with the label {}, which the schema does not have",
                    label.escape_debug()
                );
            }
            for problem in &llm.problems {
                let _ = writeln!(text, "  {problem}");
            }
        }
        text.push('\n');
        text += &self.table().render();
        if self.sources.iter().any(|source| !source.accuracy.is_empty()) {
            text.push('\n');
            text += &self.accuracy().render();
        }
        text
    }

    fn table(&self) -> Table {
        let mut table = Table::default();
        let statuses = Grounding::ALL.map(|status| status.name().to_owned());
        table.row(["source".to_owned()].into_iter().chain(statuses).chain(["refuted".to_owned()]));
        for source in &self.sources {
            let counts =
                Grounding::ALL.map(|status| source.suggestions.get(status.name()).copied().unwrap_or(0).to_string());
            table.row([source.source.clone()].into_iter().chain(counts).chain([source.refuted.to_string()]));
        }
        table
    }

    fn accuracy(&self) -> Table {
        let mut table = Table::default();
        table.row(["estimated of", "label", "recall", "precision", "suggested"].map(str::to_owned));
        for source in &self.sources {
            for Accuracy { label, recall, precision, suggested } in &source.accuracy {
                table.row([
                    source.source.clone(),
                    label.to_string(),
                    format!("{recall:.2}"),
                    format!("{precision:.2}"),
                    suggested.to_string(),
                ]);
            }
        }
        table
    }
}
