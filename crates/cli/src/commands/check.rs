//! `nomen check`: numbered findings on annotated text.

use std::{
    fs,
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::{Context as _, bail};
use clap::Args;
use corpus::{
    Format,
    check::{self, Check, Data, File, Role, Severity},
};
use model::base::BaseSpec;
use schema::Schema;
use train::RunConfig;

use crate::{
    checking::{self, Boundaries, Judge, ModelSpec},
    input, output,
    progress::note,
    project::{self, given_or},
};

/// Look for mistakes in annotated text
#[derive(Args)]
#[command(after_help = HELP)]
pub struct Arguments {
    /// Annotated text; train, dev or test in a name says what the file is for [default: the project's]
    #[arg(value_name = "FILE")]
    files: Vec<PathBuf>,
    /// A file to learn from, whatever its name
    #[arg(long, value_name = "FILE")]
    train: Vec<PathBuf>,
    /// A file to choose by
    #[arg(long, value_name = "FILE")]
    dev: Vec<PathBuf>,
    /// A file to judge on
    #[arg(long, value_name = "FILE")]
    test: Vec<PathBuf>,
    /// The labels that there should be
    #[arg(long, value_name = "schema.toml")]
    schema: Option<PathBuf>,
    /// Base model whose tokens entities must fit
    #[arg(long, value_name = "SPEC", conflicts_with = "model")]
    base: Option<BaseSpec>,
    /// Model that judges the annotation, and whose tokens entities must fit: a base, or the folder of a trained model
    #[arg(long, value_name = "SPEC")]
    model: Option<ModelSpec>,
    /// Models of a base that are trained, each on all texts but those that it judges [default: 5]
    #[arg(long, value_name = "K", requires = "model")]
    folds: Option<usize>,
    /// One setting of their training; may be repeated
    #[arg(long, value_name = "KEY=VALUE", requires = "model")]
    set: Vec<String>,
    /// Format of the files; detected if not given
    #[arg(long, value_parser = input::format_parser())]
    format: Option<Format>,
    /// Run these checks only, by code or name
    #[arg(long, value_name = "Q001,Q004", value_delimiter = ',')]
    select: Vec<Check>,
    /// Leave these checks out
    #[arg(long, value_name = "Q001,Q004", value_delimiter = ',')]
    ignore: Vec<Check>,
    /// Mend what is safe to mend in the one FILE that is given, and write it to --out
    #[arg(long, requires = "out")]
    fix: bool,
    /// File for the mended data
    #[arg(long, value_name = "FILE", requires = "fix")]
    out: Option<PathBuf>,
    /// List so many findings of each check; the others are counted
    #[arg(long, value_name = "N", default_value_t = 5)]
    limit: usize,
    /// Write the findings as a web page too
    #[arg(long, value_name = "FILE.html")]
    report: Option<PathBuf>,
    /// Print all findings as JSON
    #[arg(long)]
    json: bool,
    /// List the checks
    #[arg(long, exclusive = true)]
    list: bool,
}

/// Folds where nobody says how many.
const FOLDS: usize = 5;

const HELP: &str = "\
Errors are certain, warnings probable, notes worth knowing. --list shows the checks, and
docs/checks.md says for each what it looks for, why, and what to do. --json prints every
finding with file, line, document, offsets (code points) and text.
--model looks for label errors (Q026): places where a model contradicts the annotation, the surest
first. Of a base, models are trained on all folds but the one that they judge, which takes minutes;
a trained model judges the texts that it was not trained on.
--fix trims white space at the edges of entities, drops repeated and empty texts, writes tags
and offsets as they were understood, and says what it did.
Exit codes: 0 nothing but notes, 1 warnings or errors, 2 wrong usage or input.

Examples:
  nomen check train.jsonl dev.jsonl test.jsonl
  nomen check train.conll --base minilm --select unreachable
  nomen check train.jsonl --model minilm --select label-error --limit 50
  nomen check new.jsonl --model runs/news/model-best --report check.html
  nomen check --train all.jsonl --test gold.jsonl --schema schema.toml --report check.html
  nomen check train.jsonl --fix --out train.fixed.jsonl";

pub fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    if arguments.list {
        output::print(&checking::list())?;
        return Ok(ExitCode::SUCCESS);
    }
    let mut inputs = arguments.inputs();
    let mut schema = arguments.schema.as_deref().map(named_schema).transpose()?;
    if inputs.is_empty() {
        let project = given_or(None, "FILE", Ok)?;
        inputs = project.all_present().into_iter().map(|path| (path.clone(), Role::of_name(&path))).collect();
        if schema.is_none() {
            schema = project.schema()?;
        }
        if inputs.is_empty() {
            bail!("the project has no data yet; name a FILE, or put its train, dev and test where nomen.toml says");
        }
    }
    if arguments.fix && inputs.len() != 1 {
        bail!("--fix mends one file at a time, and {} are given; name one FILE and its --out", inputs.len());
    }
    let mut files = Vec::with_capacity(inputs.len());
    for (path, role) in inputs {
        let file = File::read(corpus::open(&path, arguments.format)?, role);
        if let Some(detected) = file.report.to_string().lines().next() {
            note(&format!("{}: {detected}", path.display()));
        }
        files.push(file);
    }
    let chosen = |check: &Check| {
        (arguments.select.is_empty() || arguments.select.contains(check)) && !arguments.ignore.contains(check)
    };
    let checks: Vec<Check> = Check::ALL.into_iter().filter(chosen).collect();
    arguments.ask_models(&mut files, &checks)?;
    let data = Data { files: &files, schema: schema.as_ref() };
    let findings = check::check(&data, &checks);

    if let Some(path) = &arguments.report {
        let page = checking::page(&data, &findings);
        fs::write(path, page).with_context(|| format!("{} cannot be written", path.display()))?;
    }
    if arguments.json {
        output::print_json(&checking::answer(&data, &findings))?;
    } else {
        output::print(&checking::render(&data, &findings, arguments.limit))?;
    }
    if let Some(path) = &arguments.report {
        note(&format!("report: {}", path.display()));
    }
    let serious = findings.iter().any(|finding| finding.severity >= Severity::Warning);
    if let (Some(out), Some(file)) = (&arguments.out, files.pop()) {
        for line in checking::mend(file, out)? {
            note(&line);
        }
    }
    Ok(if serious { ExitCode::from(1) } else { ExitCode::SUCCESS })
}

/// The labels of a schema file, of which there must be some.
fn named_schema(path: &Path) -> anyhow::Result<Schema> {
    let schema = project::schema(path)?;
    if schema.is_empty() {
        bail!("{}: there is no label in it; write one as [[labels]] name = \"PERSON\"", path.display());
    }
    Ok(schema)
}

impl Arguments {
    /// The files with what they are for, each once, in the order in which a person would name them.
    fn inputs(&self) -> Vec<(PathBuf, Option<Role>)> {
        let mut inputs: Vec<(PathBuf, Option<Role>)> = Vec::new();
        let named = [(&self.train, Role::Train), (&self.dev, Role::Dev), (&self.test, Role::Test)];
        let named = named.into_iter().flat_map(|(paths, role)| paths.iter().map(move |path| (path, Some(role))));
        let by_name = self.files.iter().map(|path| (path, Role::of_name(path)));
        for (path, role) in named.chain(by_name) {
            if !inputs.iter().any(|(known, _)| known == path) {
                inputs.push((path.clone(), role));
            }
        }
        inputs
    }

    /// Notes in the files what the base or model says of them, as far as these checks want to know it.
    fn ask_models(&self, files: &mut [File], checks: &[Check]) -> anyhow::Result<()> {
        let judge = self.model.as_ref().map(Judge::of).transpose()?;
        let boundaries = match (&self.base, &judge) {
            (Some(base), _) => Some(Boundaries::of_base(base)?),
            (None, judge) => judge.as_ref().map(Boundaries::of_judge),
        };
        if let Some(boundaries) = boundaries.filter(|_| checks.contains(&Check::Unreachable)) {
            for file in files.iter_mut() {
                boundaries.apply(file)?;
            }
        }
        let Some(judge) = judge.filter(|_| checks.contains(&Check::LabelError)) else { return Ok(()) };
        if matches!(judge, Judge::Trained(..)) && (self.folds.is_some() || !self.set.is_empty()) {
            bail!("--folds and --set are for a base of which models are trained; --model names a trained one");
        }
        let config = RunConfig::load(None, &self.set)?;
        let judged = judge.apply(files, &config, self.folds.unwrap_or(FOLDS))?;
        if judged == 0 && self.select.contains(&Check::LabelError) {
            bail!(
                "label errors (Q026) can be looked for in none of the texts: none has an entity, or the model was trained on all"
            );
        }
        Ok(())
    }
}
