//! `nomen split`: train, dev and test that do not tell each other anything.

use std::{collections::BTreeSet, path::PathBuf, process::ExitCode};

use anyhow::{Context as _, bail};
use clap::Args;
use corpus::{
    Format,
    duplicates::Similarity,
    split::{Grouping, MANIFEST_FILE, Manifest, Plan, Sizes, Source, Split, meta_key, split},
};
use serde::Serialize;

use super::train::program;
use crate::{
    input, output,
    parts::{LEFT_OUT, Parts, Read},
    progress::note,
    table::Table,
};

/// Split annotated text into train, dev and test without leaks
#[derive(Args)]
#[command(after_help = HELP)]
pub struct Arguments {
    /// Annotated text: jsonl, conll, spacy-list
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,
    /// Folder for the parts and split.json
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Shares of train, dev and test [default: 80,10,10; with --protect 90,10]
    #[arg(long, value_name = "N,N,N", value_parser = Sizes::ratio, group = "sizes")]
    ratio: Option<Sizes>,
    /// Numbers of texts instead of shares; one may be `rest`
    #[arg(long, value_name = "N,N,N", value_parser = Sizes::count, group = "sizes")]
    count: Option<Sizes>,
    /// So many folds for cross-validation, each with its train and test
    #[arg(long, value_name = "K", group = "sizes", conflicts_with_all = ["by_date", "protect"])]
    folds: Option<usize>,
    /// What stays together beside equal texts: text (nothing else), near (near duplicates), document (behind one -DOCSTART-), meta.KEY
    #[arg(long, value_name = "WHAT", value_delimiter = ',', default_value = "near")]
    group_by: Vec<Grouping>,
    /// Share of word triples that near duplicates have in common (Jaccard), up to 1
    #[arg(long, value_name = "S", default_value_t)]
    similarity: Similarity,
    /// Oldest texts into train, newest into test, by the ISO 8601 date in this metadata
    #[arg(long, value_name = "meta.KEY", value_parser = meta_key)]
    by_date: Option<String>,
    /// Test set that stays one: what repeats its texts goes neither to train nor to dev
    #[arg(long, value_name = "FILE")]
    protect: Option<PathBuf>,
    /// Decides between what is otherwise equal; the same seed gives the same split
    #[arg(long, value_name = "N", default_value_t = 42)]
    seed: u64,
    /// Format of the files; detected if not given
    #[arg(long, value_parser = input::format_parser())]
    format: Option<Format>,
    /// Replace the split that is in the folder
    #[arg(long)]
    force: bool,
    /// Print the parts as JSON
    #[arg(long)]
    json: bool,
}

const HELP: &str = "\
Equal texts never fall into two parts, and neither do near duplicates unless --group-by says
otherwise. Every part gets its share of every label; groups are never cut for it. Parts are
written in the format of the files where it can hold all that they say, else as JSONL, beside
split.json: the plan, and for each part its counts and the hash of every text.

Examples:
  nomen split annotated.jsonl --out data
  nomen split news.conll --out data --count rest,500,500 --group-by document,near
  nomen split *.jsonl --out data --by-date meta.date
  nomen split old.jsonl new.jsonl --out data2 --protect data/test.jsonl
  nomen split annotated.jsonl --out folds --folds 5";

#[derive(Serialize)]
struct Answer<'a> {
    manifest: String,
    parts: &'a [corpus::split::PartEntry],
}

pub fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let parts = Parts::into(&arguments.out, arguments.force)?;
    let sources = read(arguments)?;
    let protected = arguments.protect.as_ref().map(|path| Read::file(path, arguments.format)).transpose()?;
    let plan = plan(arguments);
    let all: Vec<Source<'_>> = sources.iter().map(Read::source).collect();
    let kept = protected.as_ref().map(Read::source);
    let found = split(&all, kept, &plan)?;
    tell(&found, arguments);
    let manifest = Manifest::new(plan, &all, kept);
    let manifest = parts.write(manifest, &found, &sources, protected.as_ref())?;
    if arguments.json {
        let path = arguments.out.join(MANIFEST_FILE).display().to_string();
        output::print_json(&Answer { manifest: path, parts: &manifest.parts })?;
    } else {
        output::print(&(table(&manifest) + &next_steps(arguments, &manifest)))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// The files, each once.
fn read(arguments: &Arguments) -> anyhow::Result<Vec<Read>> {
    let mut seen = BTreeSet::new();
    for path in &arguments.files {
        let real = path.canonicalize().with_context(|| format!("{} cannot be read", path.display()))?;
        if !seen.insert(real) {
            bail!("{} is named twice, which would make every text of it a duplicate; name it once", path.display());
        }
    }
    let mut sources =
        arguments.files.iter().map(|path| Read::file(path, arguments.format)).collect::<Result<Vec<_>, _>>()?;
    Read::number_documents(&mut sources);
    Ok(sources)
}

fn plan(arguments: &Arguments) -> Plan {
    let default = || Sizes::Ratio(if arguments.protect.is_some() { vec![90.0, 10.0] } else { vec![80.0, 10.0, 10.0] });
    let asked = arguments.ratio.clone().or_else(|| arguments.count.clone());
    Plan {
        sizes: asked.or(arguments.folds.map(Sizes::Folds)).unwrap_or_else(default),
        group_by: arguments.group_by.clone(),
        by_date: arguments.by_date.clone(),
        similarity: arguments.similarity,
        seed: arguments.seed,
    }
}

fn tell(found: &Split, arguments: &Arguments) {
    for (grouping, texts) in &found.ungrouped {
        note(&format!("{texts} texts have nothing under {grouping} and stand alone"));
    }
    if let (Some(protected), true) = (&arguments.protect, !found.left_out.is_empty()) {
        note(&format!(
            "{} texts repeat or belong to a text of {} and are left out of train and dev",
            found.left_out.len(),
            protected.display()
        ));
    }
}

/// Parts as columns; texts, groups and entities by label as rows.
fn table(manifest: &Manifest) -> String {
    let parts = &manifest.parts;
    let mut table = Table::default();
    let mut row = |name: &str, cells: Vec<String>| table.row([name.to_owned()].into_iter().chain(cells));
    row("", parts.iter().map(|part| part.name.clone()).collect());
    row("texts", parts.iter().map(|part| part.texts.to_string()).collect());
    let groups = |groups: Option<usize>| groups.map_or_else(|| "-".to_owned(), |groups| groups.to_string());
    row("groups", parts.iter().map(|part| groups(part.groups)).collect());
    if parts.iter().any(|part| part.dates.is_some()) {
        let dates = |end: fn(&(String, String)) -> &String| {
            parts
                .iter()
                .map(|part| part.dates.as_ref().map_or_else(|| "-".to_owned(), |dates| end(dates).clone()))
                .collect()
        };
        row("oldest", dates(|dates| &dates.0));
        row("newest", dates(|dates| &dates.1));
    }
    row("entities", parts.iter().map(|part| part.entities.values().sum::<usize>().to_string()).collect());
    let labels: BTreeSet<&String> = parts.iter().flat_map(|part| part.entities.keys()).collect();
    for label in labels {
        let total: usize = parts.iter().filter_map(|part| part.entities.get(label)).sum();
        let cell = |part: &corpus::split::PartEntry| {
            let count = part.entities.get(label).copied().unwrap_or(0);
            format!("{count} ({:.1}%)", 100.0 * count as f64 / total as f64)
        };
        row(&format!("  {label}"), parts.iter().map(cell).collect());
    }
    table.render()
}

fn next_steps(arguments: &Arguments, manifest: &Manifest) -> String {
    let file =
        |name: &str| manifest.parts.iter().find(|part| part.name == name).map(|part| arguments.out.join(&part.file));
    let manifest_file = arguments.out.join(MANIFEST_FILE);
    let left_out = file(LEFT_OUT).map(|path| format!("left out: {}\n", path.display())).unwrap_or_default();
    let is_annotated = manifest.parts.iter().any(|part| !part.entities.is_empty());
    let next = if file("train").is_some() && is_annotated {
        let option = |name| file(name).map(|path| format!(" --{name} {}", path.display())).unwrap_or_default();
        format!("next:\n  {} train{} --out my-model\n", program(), ["train", "dev", "test"].map(option).concat())
    } else {
        String::new()
    };
    format!("\nmanifest: {}\n{left_out}{next}", manifest_file.display())
}
