//! `report.html`: what a run did and what came of it, as one page that needs nothing else.

mod augmentation;
mod confusion;
mod curve;
mod errors;
mod facts;
mod figures;
mod page;
mod plot;
mod runs;
mod scores;
mod text;
mod training;

use std::{collections::BTreeMap, path::Path, time::SystemTime};

use evaluate::{Report, Scores};
use maud::{Markup, html};
use schema::{Document, Label};

pub use self::{
    curve::{Curve, EvaluationPoint, StepPoint},
    errors::case as error_case,
    figures::moment,
    page::{STYLE, page},
    runs::{RunCurve, render_runs},
    text::visible,
};
use crate::{Augmentations, BaseFacts, Choice, Settings};

/// What a report shows.
#[derive(Debug, Clone)]
pub struct RunReport<'r> {
    /// Name of the run.
    pub name: &'r str,
    /// When the report is written.
    pub written: SystemTime,
    /// The base model.
    pub base: Base<'r>,
    /// The data sets, in the order train, dev, test.
    pub data: Vec<DataSet>,
    /// The processor and whatever else decides the speed; may be empty.
    pub machine: &'r str,
    /// The settings.
    pub settings: &'r Settings,
    /// What of them Nomen chose.
    pub choices: &'r [Choice],
    /// Steps that the run was to have.
    pub steps: u64,
    /// Its course.
    pub curve: Curve,
    /// What was said of the data before the run.
    pub warnings: &'r [String],
    /// The best model on the dev set.
    pub dev: Option<&'r Report>,
    /// The best model on the test set.
    pub test: Option<&'r Report>,
    /// Its scores with products in 8 bits, by the name of the set.
    pub int8: &'r BTreeMap<&'static str, Scores>,
    /// What augmenting the training texts came to, where there are copies.
    pub augmentation: Option<&'r Augmentations>,
}

/// The base model of a run.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Base<'r> {
    /// As it was asked for, such as `minilm`.
    pub spec: &'r str,
    /// Licence of its weights, where it is known.
    pub licence: Option<&'r str>,
    /// Its size.
    pub facts: BaseFacts,
}

/// Counts of a data set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DataSet {
    /// What it is for: `train`, `dev` or `test`.
    pub name: &'static str,
    /// Name of its file.
    pub file: String,
    /// Texts.
    pub texts: usize,
    /// Texts without an entity.
    pub texts_without_entities: usize,
    /// Entities a label.
    pub labels: BTreeMap<Label, usize>,
}

impl DataSet {
    /// Counts the documents of a file; only the last part of its path is kept.
    pub fn new(name: &'static str, path: &Path, documents: &[Document]) -> Self {
        let mut labels = BTreeMap::new();
        for entity in documents.iter().flat_map(Document::entities) {
            *labels.entry(entity.label.clone()).or_insert(0) += 1;
        }
        Self {
            name,
            file: path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned(),
            texts: documents.len(),
            texts_without_entities: documents.iter().filter(|document| document.entities().is_empty()).count(),
            labels,
        }
    }
}

impl RunReport<'_> {
    /// The judged sets, test last.
    fn sets(&self) -> Vec<(&'static str, &Report)> {
        [("dev", self.dev), ("test", self.test)]
            .into_iter()
            .filter_map(|(name, report)| Some((name, report?)))
            .collect()
    }
}

/// The report as HTML: one file without scripts and without anything to fetch. Whatever comes from data is shown as
/// text.
pub fn render(run: &RunReport<'_>) -> String {
    let sets = run.sets();
    let body = html! {
        header {
            p.over { "Nomen training report" }
            h1 { (visible(run.name)) }
            (facts::headline(run))
            p.ending { (facts::ending(run)) }
        }
        main {
            (warnings(run.warnings))
            (training::section(&run.curve))
            @if sets.is_empty() {
                section { h2 { "Scores" } p.none { "There was no dev or test set to judge the model on." } }
            } @else {
                section { h2 { "Scores" } (scores::overall(&sets, run.int8)) }
                section { h2 { "Scores by label" } (scores::by_label(run, &sets)) }
                section {
                    h2 { "Confusion of labels" }
                    p.note {
                        "Entities of exactly the same span face each other. Missed: nothing was predicted for that span. "
                        "Spurious: the gold has no such span. The shade is the share of the row."
                    }
                    (each(&sets, |report| confusion::table(&report.confusion)))
                }
                section { h2 { "The worst errors" } (each(&sets, |report| errors::list(&report.errors))) }
                @let beyond: Vec<_> =
                    sets.iter().copied().filter(|(_, report)| !report.unreachable.is_empty()).collect();
                @if !beyond.is_empty() {
                    section {
                        h2 { "Out of reach" }
                        p.note {
                            "Entities of the gold that begin or end where no word of the model does. "
                            "No prediction can be equal to them; they count as missed."
                        }
                        (each(&beyond, |report| errors::unreachable(&report.unreachable)))
                    }
                }
            }
            @if let Some(augmentation) = run.augmentation { (augmentation::section(augmentation)) }
            section { h2 { "Run" } (facts::facts(run)) }
            section { h2 { "Settings" } (facts::settings(run)) }
        }
        footer { "Nomen " (env!("CARGO_PKG_VERSION")) ", " (moment(run.written)) }
    };
    page(&format!("{}: training report", visible(run.name)), STYLE, &body)
}

fn warnings(warnings: &[String]) -> Markup {
    html! {
        @if !warnings.is_empty() {
            section.warnings aria-label="Warnings" {
                h2 { @if warnings.len() == 1 { "A warning" } @else { (warnings.len()) " warnings" } " about the data" }
                ul { @for warning in warnings { li { (visible(warning)) } } }
            }
        }
    }
}

/// The same of every set. Where there is a dev set, the test set is folded away: who mends data and settings by the
/// test set's errors has no fair judge left.
fn each(sets: &[(&str, &Report)], show: impl Fn(&Report) -> Markup) -> Markup {
    html! {
        @for (place, (name, report)) in sets.iter().enumerate() {
            @if place == 0 {
                @if sets.len() > 1 || *name != "dev" { p.set { "On " (name) } }
                (show(report))
            } @else {
                details.set { summary { "The same on " (name) } (show(report)) }
            }
        }
    }
}
