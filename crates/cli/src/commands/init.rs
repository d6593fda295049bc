//! `nomen init`: a folder for a project, with the labels that existing data has.

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::{Context as _, bail};
use clap::Args;
use corpus::Format;
use schema::{Document, Label};
use serde::Serialize;

use crate::{
    input, output,
    project::{self, Config},
};

/// Begin a project: a folder with nomen.toml, schema.toml and places for data and runs
#[derive(Args)]
#[command(after_help = HELP)]
pub struct Arguments {
    /// Folder of the project; made if it is not there
    #[arg(value_name = "DIR")]
    folder: PathBuf,
    /// Annotated text whose labels the project gets, with counts and examples
    #[arg(long, value_name = "FILE")]
    from: Vec<PathBuf>,
    /// Format of the files; detected if not given
    #[arg(long, value_parser = input::format_parser(), requires = "from")]
    format: Option<Format>,
    /// Print what was made as JSON
    #[arg(long)]
    json: bool,
}

const HELP: &str = "\
Commands that are called without files inside a project take those that its nomen.toml names.
Write in schema.toml what each label means: annotators, prompts and reports show it.

Examples:
  nomen init contracts
  nomen init contracts --from export.json --from older.conll";

/// Folders of a project, and what belongs there.
const FOLDERS: [(&str, &str); 3] =
    [("data", "annotated text: train, dev and test"), ("raw", "text to annotate"), ("runs", "training runs")];

/// Colours that people with red-green blindness can tell apart (Okabe and Ito, 2008), then lighter ones.
const COLOURS: [&str; 10] =
    ["#0072b2", "#e69f00", "#009e73", "#d55e00", "#56b4e9", "#cc79a7", "#f0e442", "#7a7a7a", "#8dd3c7", "#bebada"];

/// How many of a label's surfaces stand in the schema as examples.
const EXAMPLES: usize = 5;

/// What the data shows of a label.
#[derive(Default)]
struct Seen {
    entities: usize,
    surfaces: BTreeMap<String, usize>,
}

#[derive(Serialize)]
struct Answer {
    folder: String,
    labels: BTreeMap<String, usize>,
}

pub fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let folder = &arguments.folder;
    let config = Config::default();
    let (project, schema) = (folder.join(project::FILE), folder.join(&config.schema));
    for file in [&project, &schema] {
        if file.exists() {
            bail!("{} is there already; the folder is a project, edit its files", file.display());
        }
    }
    let mut seen = BTreeMap::new();
    for file in &arguments.from {
        look(&input::annotated(file, arguments.format)?.0, &mut seen);
    }

    for (name, _) in FOLDERS {
        let path = folder.join(name);
        fs::create_dir_all(&path).with_context(|| format!("{} cannot be made", path.display()))?;
    }
    write(&schema, &schema_text(&seen))?;
    write(&project, &project_text(&config)?)?;
    // What stands there is read back as every command will read it.
    project::schema(&schema)?;

    let labels = seen.iter().map(|(label, seen)| (label.to_string(), seen.entities)).collect();
    let answer = Answer { folder: folder.display().to_string(), labels };
    if arguments.json {
        output::print_json(&answer)?;
    } else {
        output::print(&told(&answer, &schema))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn look(documents: &[Document], seen: &mut BTreeMap<Label, Seen>) {
    for document in documents {
        for entity in document.entities() {
            let seen = seen.entry(entity.label.clone()).or_default();
            seen.entities += 1;
            *seen.surfaces.entry(entity.span.quote(document.text()).to_owned()).or_insert(0) += 1;
        }
    }
}

fn write(path: &Path, text: &str) -> anyhow::Result<()> {
    fs::write(path, text).with_context(|| format!("{} cannot be written", path.display()))
}

fn project_text(config: &Config) -> anyhow::Result<String> {
    Ok(format!("# Where the project keeps its files; paths count from this folder.\n\n{}", toml::to_string(config)?))
}

const SCHEMA_HEAD: &str = "\
# The labels of the project. For each:
#   definition   one or two sentences: what counts, and where it ends
#   examples     surfaces that carry the label
#   near_misses  surfaces that look as if they did, and do not
#   colour       how it is shown
#   parent       the more general label that it is a kind of, if there is one
";

const SCHEMA_TEMPLATE: &str = "
# [[labels]]
# name = \"PERSON\"
# definition = \"The name of a human being, without titles.\"
# examples = [\"Ada Lovelace\"]
# near_misses = [\"the doctor\"]
# colour = \"#0072b2\"
";

fn schema_text(seen: &BTreeMap<Label, Seen>) -> String {
    let mut text = SCHEMA_HEAD.to_owned();
    if seen.is_empty() {
        text.push_str(SCHEMA_TEMPLATE);
    }
    for ((label, seen), colour) in seen.iter().zip(COLOURS.into_iter().cycle()) {
        let quoted = |text: &str| toml::Value::from(text).to_string();
        let examples: Vec<String> = frequent(seen).into_iter().map(quoted).collect();
        let _ = write!(
            text,
            "\n# {} entities, {} different surfaces in the data\n[[labels]]\nname = {}\ndefinition = \"\"\nexamples = [{}]\nnear_misses = []\ncolour = \"{colour}\"\n",
            seen.entities,
            seen.surfaces.len(),
            quoted(label.as_str()),
            examples.join(", "),
        );
    }
    text
}

/// The most frequent surfaces, those that come first in the alphabet before others as frequent.
fn frequent(seen: &Seen) -> Vec<&str> {
    let mut surfaces: Vec<(&String, &usize)> = seen.surfaces.iter().collect();
    surfaces.sort_by(|a, b| b.1.cmp(a.1).then(a.0.cmp(b.0)));
    surfaces.into_iter().take(EXAMPLES).map(|(surface, _)| surface.as_str()).collect()
}

fn told(answer: &Answer, schema: &Path) -> String {
    let mut text = format!("{} is a project now.\n", answer.folder);
    for (name, holds) in FOLDERS {
        let _ = writeln!(text, "  {name}/  {holds}");
    }
    if answer.labels.is_empty() {
        let _ = writeln!(text, "Next: name the labels in {}.", schema.display());
    } else {
        let _ = writeln!(text, "Next: write in {} what the labels mean:", schema.display());
    }
    for (label, entities) in &answer.labels {
        let _ = writeln!(text, "  {label}  {entities} entities");
    }
    text
}
