//! `nomen collect`: files, folders, web pages, sitemaps and feeds into one file of texts to annotate.

use std::{num::NonZeroUsize, path::PathBuf, process::ExitCode, time::Duration};

use anyhow::bail;
use clap::Args;
use corpus::collect::{CollectOptions, Collector, Outcome, Reason, Skips, Source, Summary};
use serde::Serialize;

use crate::{
    output,
    progress::{Progress, note},
    signals::Signals,
};

/// Gather text from files, folders, web pages, sitemaps and feeds
#[derive(Args)]
#[command(after_help = HELP)]
#[allow(clippy::struct_excessive_bools)] // each is a flag of its own
pub struct Arguments {
    /// Files, folders, and addresses of pages, sitemaps or feeds
    #[arg(required = true, value_name = "SOURCE")]
    sources: Vec<String>,
    /// File for the texts: Nomen JSONL, not annotated
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// Stop after so many texts
    #[arg(long, value_name = "N")]
    limit: Option<NonZeroUsize>,
    /// Least pause between two requests to one host
    #[arg(long, value_name = "SECONDS", default_value_t = 1.0)]
    rate: f64,
    /// Of what folders, sitemaps and feeds hold take only this; * stands for any characters
    #[arg(long, value_name = "PATTERN")]
    include: Vec<String>,
    /// Keep all text of web pages, with menus and footers
    #[arg(long)]
    all_text: bool,
    /// Take pages that a sitemap or feed lists of other hosts than its own
    #[arg(long)]
    other_hosts: bool,
    /// Ask private addresses too, for an intranet
    #[arg(long)]
    allow_private: bool,
    /// Print what was collected and skipped as JSON
    #[arg(long)]
    json: bool,
}

const HELP: &str = "\
Reads .txt, .md, .html and .htm files, each as one text, folders in the order of their names,
and web pages, of which it keeps the main text. Texts that occur twice are kept once.
Keeps to robots.txt, asks a host one thing at a time, and follows no links.
A run that was stopped goes on when the same command is given again: until it is done, its
texts stand in FILE.part and its journal in FILE.state. Exits with 1 if there was no text.

Examples:
  nomen collect reports/ --out corpus.jsonl
  nomen collect https://example.org/sitemap.xml --include '*/news/*' --limit 500 --out news.jsonl";

/// How many of those that were skipped for one reason are named.
const NAMED: usize = 3;

#[derive(Serialize)]
struct Answer<'a> {
    out: Option<String>,
    records: usize,
    malformed: usize,
    left: usize,
    skipped: Vec<SkippedFor<'a>>,
}

#[derive(Serialize)]
struct SkippedFor<'a> {
    reason: &'static str,
    #[serde(flatten)]
    skips: &'a Skips,
}

pub fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let rate = match Duration::try_from_secs_f64(arguments.rate) {
        Ok(rate) if rate <= Duration::from_secs(3600) => rate,
        _ => bail!("--rate {}: give a pause of 0 to 3600 seconds", arguments.rate),
    };
    let sources = arguments.sources.iter().map(|name| Source::named(name)).collect::<Result<Vec<_>, _>>()?;
    let options = CollectOptions {
        limit: arguments.limit.map(NonZeroUsize::get),
        rate,
        all_text: arguments.all_text,
        allow_private: arguments.allow_private,
        other_hosts: arguments.other_hosts,
        include: arguments.include.clone(),
        ..CollectOptions::default()
    };
    let mut collector = Collector::open(&sources, &arguments.out, options)?;
    if collector.resumed() > 0 {
        let texts = collector.summary().records;
        note(&format!("going on with an unfinished run: {texts} texts are there already"));
    }
    let signals = Signals::listen()?;
    let mut progress = Progress::with_template("", None, "{spinner} {pos} texts, {elapsed}: {wide_msg}");
    while let Some(source) = collector.next_source() {
        progress.message(source.to_owned());
        let Some(step) = collector.step()? else { break };
        if let Outcome::Skipped(skipped) = &step.outcome
            && is_worth_telling(skipped.reason)
        {
            progress.note(&format!("skipped {}: {}", step.source, skipped.detail));
        }
        let (texts, left) = (collector.summary().records, collector.left());
        progress.set(texts as u64, || format!("{texts} texts, {left} sources to look at"));
        if let Some(code) = signals.leave() {
            drop(progress);
            note(&format!("stopped with {texts} texts; the same command goes on from here"));
            return Ok(ExitCode::from(code));
        }
    }
    drop(progress);
    let summary = collector.finish()?;
    answer(arguments, &summary)?;
    Ok(if summary.records == 0 { ExitCode::from(1) } else { ExitCode::SUCCESS })
}

/// What the user may want to mend while the rest is being collected.
fn is_worth_telling(reason: Reason) -> bool {
    !matches!(
        reason,
        Reason::NotIncluded | Reason::Duplicate | Reason::Hidden | Reason::OtherHost | Reason::NotText | Reason::Empty
    )
}

fn answer(arguments: &Arguments, summary: &Summary) -> anyhow::Result<()> {
    let out = arguments.out.display();
    if arguments.json {
        let skipped = summary.skipped.iter();
        let answer = Answer {
            out: (summary.records > 0).then(|| out.to_string()),
            records: summary.records,
            malformed: summary.malformed,
            left: summary.left,
            skipped: skipped.map(|(reason, skips)| SkippedFor { reason: reason.name(), skips }).collect(),
        };
        return output::print_json(&answer);
    }
    let mut lines = vec![match summary.records {
        0 => "no text was collected, so nothing was written".to_owned(),
        1 => format!("{out}: 1 text"),
        records => format!("{out}: {records} texts"),
    }];
    if summary.malformed > 0 {
        lines.push(format!(
            "bytes that could not be decoded are U+FFFD in {}; their metadata says `malformed`",
            summary.malformed
        ));
    }
    if summary.left > 0 {
        lines.push(format!("not looked at, because --limit was reached: {}", summary.left));
    }
    if !summary.skipped.is_empty() {
        lines.push(format!("skipped {}:", summary.skipped_count()));
    }
    for (reason, skips) in &summary.skipped {
        lines.push(format!("  {} {reason}", skips.count));
        let named = skips.first.iter().take(NAMED);
        lines.extend(named.map(|named| format!("    {}: {}", named.source, named.detail)));
        if skips.count > NAMED {
            lines.push(format!("    and {} more", skips.count - NAMED));
        }
    }
    output::print(&(lines.join("\n") + "\n"))?;
    Ok(())
}
