//! `nomen gate`: whether a candidate may take the live model's place.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::{Context as _, bail};
use clap::Args;
use corpus::{Format, fingerprint};
use model::Recognizer;
use operate::{
    gate::{self, GateReport, Policy, TestSet},
    registry::{Contents, MANIFEST_FILE, VersionId},
};
use schema::{Document, Entity};
use serde::Serialize;

use crate::{
    gating, input, judgement, output, progress::note, project::given_or, recognizer::ModelArguments, seen, versions,
};

/// Errors of each label that are listed a side.
const LISTED: usize = 20;
/// Characters around them.
const CONTEXT: usize = 60;

/// Judge a new model against the live one on old and new tests
#[derive(Args)]
#[command(after_help = HELP)]
pub struct Arguments {
    #[command(flatten)]
    candidate: ModelArguments,
    /// The live model: a folder, or a registry with a live version [default: the project's registry]
    #[arg(long, value_name = "DIR")]
    against: Option<PathBuf>,
    /// Annotated text; may be given several times, with a name before it: old=FILE
    /// [default: the project's test set]
    #[arg(long, value_name = "[NAME=]FILE")]
    test: Vec<String>,
    /// What may be lost and what must be gained [default: 0.005 overall, 0.01 a label]
    #[arg(long, value_name = "gate.toml")]
    policy: Option<PathBuf>,
    /// Write a page with the entities lost and won in their texts
    #[arg(long, value_name = "FILE.html")]
    out: Option<PathBuf>,
    /// Format of the test files; detected if not given
    #[arg(long, value_parser = input::format_parser())]
    format: Option<Format>,
    /// Print the report as JSON; `nomen registry promote --gate` takes it
    #[arg(long)]
    json: bool,
}

const HELP: &str = "\
Exit code 1 when the candidate fails. A label of a set, or the set as a whole, fails when its
F1 is lower by more than the policy allows and the drop is not chance: a randomization test on
the same texts, corrected for the number of labels, so that a candidate that is as good fails
in at most 5 of 100 gates. Where the texts are too few to tell, it says so (undecided).
Only labels that a set annotates are judged in it. Texts that either model was trained on are
refused.

gate.toml, all keys optional; fractions of F1, one point is 0.01:
  max_drop = 0.005          # each set may lose over all labels
  max_drop_label = 0.01     # each label may lose
  confidence = 0.95         # of a drop, all rows together; of the intervals
  min_support = 20          # entities that a label needs to be judged
  undecided = \"pass\"        # or \"fail\": pass only what is shown to be no worse
  [labels.DRUG]             # in every set
  max_drop = 0
  [sets.new]                # of --test new=FILE
  min_gain = 0.05

Examples:
  nomen gate --model runs/week-7/model-best --against registry --test old=test.jsonl --test new=week-7-test.jsonl
  nomen gate --model new --against live --test test.jsonl --policy gate.toml --out gate.html
  nomen gate --model new --against registry --test test.jsonl --json > gate.json";

#[derive(Serialize)]
struct Answer<'a> {
    #[serde(flatten)]
    report: &'a GateReport,
    candidate: Model,
    live: Model,
    data: Vec<Data>,
}

/// A model that was judged.
#[derive(Serialize)]
struct Model {
    model: String,
    /// What a registry calls it; nothing for a model without a manifest.
    version: Option<VersionId>,
}

/// A file that was judged on.
#[derive(Serialize)]
struct Data {
    name: String,
    file: String,
    fingerprint: String,
}

/// A test file that was read.
struct Set {
    name: String,
    path: PathBuf,
    documents: Vec<Document>,
}

pub fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let policy = arguments.policy.as_deref().map(Policy::read).transpose()?.unwrap_or_default();
    let against = given_or(arguments.against.clone(), "--against", |project| Ok(versions::in_project(&project)))?;
    let sets = sets(arguments)?;
    let (candidate, found_by_candidate) = answers(arguments, &arguments.candidate.model, "the candidate", &sets)?;
    let (live, found_by_live) = answers(arguments, &against, "the live model", &sets)?;
    let answers = sets.iter().zip(found_by_live.iter().zip(&found_by_candidate));
    let tests: Vec<TestSet<'_>> = answers
        .map(|(set, (live, candidate))| TestSet { name: &set.name, documents: &set.documents, live, candidate })
        .collect();
    let report = gate::judge(&tests, &policy, LISTED, CONTEXT)?;

    if let Some(out) = &arguments.out {
        let page = gating::page(&report, &candidate.shown(), &live.shown());
        if let Some(folder) = out.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            fs::create_dir_all(folder).with_context(|| format!("{} cannot be made", folder.display()))?;
        }
        fs::write(out, page).with_context(|| format!("{} cannot be written", out.display()))?;
        note(&format!("page: {}", out.display()));
    }
    if arguments.json {
        let data = |set: &Set| Data {
            name: set.name.clone(),
            file: set.path.display().to_string(),
            fingerprint: fingerprint(&set.documents),
        };
        output::print_json(&Answer { report: &report, candidate, live, data: sets.iter().map(data).collect() })?;
    } else {
        output::print(&gating::render(&report))?;
    }
    Ok(if report.passed { ExitCode::SUCCESS } else { ExitCode::from(1) })
}

fn sets(arguments: &Arguments) -> anyhow::Result<Vec<Set>> {
    let mut files: Vec<(Option<&str>, PathBuf)> = arguments.test.iter().map(|given| named(given)).collect();
    if files.is_empty() {
        files.push((None, given_or(None, "--test", |project| Ok(project.set(|data| &data.test)))?));
    }
    let mut sets: Vec<Set> = Vec::with_capacity(files.len());
    let mut names = BTreeSet::new();
    for (name, path) in files {
        let stem = || path.file_stem().unwrap_or(path.as_os_str()).to_string_lossy().into_owned();
        let name = name.map_or_else(stem, str::to_owned);
        if !names.insert(name.clone()) {
            bail!("two test sets are called {name:?}; give each a name: --test old=FILE --test new=FILE");
        }
        let (documents, _) = input::annotated(&path, arguments.format)?;
        sets.push(Set { name, path, documents });
    }
    Ok(sets)
}

/// Name and file of a test set.
fn named(given: &str) -> (Option<&str>, PathBuf) {
    match given.split_once('=') {
        // A file whose own name has the sign.
        Some((name, file)) if !name.is_empty() && !name.contains(['/', '\\']) && !Path::new(given).exists() => {
            (Some(name), PathBuf::from(file))
        }
        _ => (None, PathBuf::from(given)),
    }
}

/// What a model finds in every set, none of which it may have learned from.
fn answers(
    arguments: &Arguments,
    model: &Path,
    who: &str,
    sets: &[Set],
) -> anyhow::Result<(Model, Vec<Vec<Vec<Entity>>>)> {
    let folder = versions::folder(model)?;
    let recognizer: Recognizer = arguments.candidate.run.open(&folder)?;
    let is_bundle = folder.join(MANIFEST_FILE).exists();
    let version = if is_bundle { Some(Contents::verify(&folder, None)?.id) } else { None };
    let trained_on = &recognizer.bundle().trained_on;
    if trained_on.is_empty() {
        note(&format!(
            "warning: {who} does not say which texts it was trained on; make sure that none is in the tests"
        ));
    }
    let mut answers = Vec::with_capacity(sets.len());
    for set in sets {
        seen::refuse(trained_on, &set.documents, &set.path, who, "")?;
        answers.push(judgement::recognize(&recognizer, &set.documents)?);
    }
    Ok((Model { model: model.display().to_string(), version }, answers))
}

impl Model {
    fn shown(&self) -> String {
        match &self.version {
            Some(version) => format!("{} ({})", self.model, version.short()),
            None => self.model.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_test_set_may_have_a_name_before_its_file() {
        assert_eq!(named("old=data/test.jsonl"), (Some("old"), PathBuf::from("data/test.jsonl")));
        for file in ["data/test.jsonl", "data/a=b.jsonl", "=x"] {
            assert_eq!(named(file), (None, PathBuf::from(file)));
        }
    }
}
