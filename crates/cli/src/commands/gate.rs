//! `nomen gate`: whether a candidate may take the live model's place.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::bail;
use clap::Args;
use corpus::Format;
use operate::gate::Policy;

use crate::{
    gating::{self, Contender, Judged, Test},
    input, output,
    progress::note,
    project::given_or,
    recognizer::ModelArguments,
    versions,
};

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

pub fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let policy = arguments.policy.as_deref().map(Policy::read).transpose()?.unwrap_or_default();
    let against = given_or(arguments.against.clone(), "--against", |project| Ok(versions::in_project(&project)))?;
    let tests = tests(arguments)?;
    let contender = |named: &Path, who: &str| -> anyhow::Result<Contender> {
        let folder = versions::folder(named)?;
        let recognizer = arguments.candidate.run.open(&folder)?;
        Contender::answer(&recognizer, &folder, named, who, &tests)
    };
    let candidate = contender(&arguments.candidate.model, "the candidate")?;
    let live = contender(&against, "the live model")?;
    let judged = Judged::new(candidate, live, &tests, &policy)?;

    if let Some(out) = &arguments.out {
        judged.write_page(out)?;
        note(&format!("page: {}", out.display()));
    }
    if arguments.json {
        output::print_json(&judged)?;
    } else {
        output::print(&gating::render(&judged.report))?;
    }
    Ok(if judged.report.passed { ExitCode::SUCCESS } else { ExitCode::from(1) })
}

fn tests(arguments: &Arguments) -> anyhow::Result<Vec<Test>> {
    let mut files: Vec<(Option<&str>, PathBuf)> = arguments.test.iter().map(|given| named(given)).collect();
    if files.is_empty() {
        files.push((None, given_or(None, "--test", |project| Ok(project.set(|data| &data.test)))?));
    }
    let mut tests: Vec<Test> = Vec::with_capacity(files.len());
    let mut names = BTreeSet::new();
    for (name, path) in files {
        let stem = || path.file_stem().unwrap_or(path.as_os_str()).to_string_lossy().into_owned();
        let name = name.map_or_else(stem, str::to_owned);
        if !names.insert(name.clone()) {
            bail!("two test sets are called {name:?}; give each a name: --test old=FILE --test new=FILE");
        }
        let (documents, _) = input::annotated(&path, arguments.format)?;
        tests.push(Test { name, path, documents });
    }
    Ok(tests)
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
