//! `nomen monitor`: whether what a model is asked, and what it says, has moved from what it was made for.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::{Context as _, bail};
use clap::Args;
use operate::{
    drift::{Policy, Window, compare},
    predictions::{Row, Rows},
    profile::{PROFILE_FILE, Profile},
    registry::Contents,
};

use crate::{
    monitoring::{self, Monitored},
    output,
    progress::note,
    versions,
};

/// Look for drift in a log of predictions
#[derive(Args)]
#[command(after_help = HELP)]
pub struct Arguments {
    /// Logs that `--log` wrote: folders, or single files
    #[arg(value_name = "LOG", required = true)]
    logs: Vec<PathBuf>,
    /// The model that was asked: its profile is compared with, and only its own version's rows are
    #[arg(long, value_name = "DIR", required_unless_present = "against")]
    model: Option<PathBuf>,
    /// Compare with this log of a time that you trust instead of with the model's profile
    #[arg(long, value_name = "LOG")]
    against: Vec<PathBuf>,
    /// Texts or time of a window: 250, 30m, 1h, 1d
    #[arg(long, value_name = "N|TIME", default_value = "250")]
    window: Window,
    /// Look only at the last so many texts, or at those of the last hours or days
    #[arg(long, value_name = "N|TIME")]
    last: Option<Window>,
    /// Population stability index that is too much
    #[arg(long, value_name = "PSI", default_value_t = Policy::default().threshold)]
    threshold: f64,
    /// How sure the alarm is to be, over all comparisons together
    #[arg(long, value_name = "SHARE", default_value_t = Policy::default().confidence)]
    confidence: f64,
    /// Write a page with plots
    #[arg(long, value_name = "FILE.html")]
    html: Option<PathBuf>,
    /// Write texts with an entity that the model is unsure of, as suggestions to annotate; the log must keep texts
    #[arg(long, value_name = "FILE.jsonl")]
    low_confidence: Option<PathBuf>,
    /// Score below which the model is unsure
    #[arg(long, value_name = "SCORE", default_value_t = 0.5, requires = "low_confidence")]
    below: f64,
    /// Print the report as JSON
    #[arg(long)]
    json: bool,
}

const HELP: &str = "\
Exit code 1 when something has drifted: in a window, or over the whole log, the population
stability index (PSI) of a feature is shown to lie above the threshold. Below 0.1 is little,
above 0.25 is much. The index is corrected for the number of texts, and its intervals hold
together over all features and windows, so that small windows raise no alarm by chance.
Watched are text length, language, words unseen in training, entities a text and for each label,
the model's confidence overall and for each label, and entities unseen in training.
The profile is that of the dev and test texts; `nomen train` and `nomen update` store it in the model.

Examples:
  nomen monitor logs/news --model runs/news/model-best
  nomen monitor logs/news --model registry --window 1d --last 14d --html drift.html
  nomen monitor logs/news --model runs/news/model-best --low-confidence unsure.jsonl --below 0.6
  nomen monitor logs/november --against logs/october --json";

pub fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let policy = arguments.policy()?;
    let model = arguments.model.as_deref().map(Watched::open).transpose()?;
    let profile = match (&model, arguments.against.as_slice()) {
        (Some(model), []) => model.profile()?,
        (_, against) => {
            let rows = read(against, false)?;
            let names: Vec<String> = against.iter().map(|path| path.display().to_string()).collect();
            Profile::of_log(&names.join(", "), &rows)
        }
    };
    let mut rows = read(&arguments.logs, arguments.low_confidence.is_some())?;
    let others = model.as_ref().map_or(Ok(0), |model| model.keep_own(&mut rows))?;
    rows.sort_by_key(|row| row.at);
    keep_last(&mut rows, arguments.last);
    if rows.is_empty() {
        bail!("there is no row to look at; name another log or a longer --last");
    }
    if let Some(path) = &arguments.low_confidence {
        let written = monitoring::write_unsure(&rows, arguments.below, path)?;
        note(&format!("{}: {written} texts with an entity below {}", path.display(), arguments.below));
    }
    let windows = arguments.window.cut(&rows);
    let report = compare(&profile, &rows, &windows, &policy);
    let monitored = Monitored {
        model: model.map(|model| model.named),
        others,
        profile: &profile,
        window: arguments.window,
        report,
    };
    if let Some(path) = &arguments.html {
        fs::write(path, monitored.page()).with_context(|| format!("{} cannot be written", path.display()))?;
        note(&format!("page: {}", path.display()));
    }
    if arguments.json {
        output::print_json(&monitored.json())?;
    } else {
        output::print(&monitored.render())?;
    }
    Ok(if monitored.report.drifted { ExitCode::from(1) } else { ExitCode::SUCCESS })
}

impl Arguments {
    fn policy(&self) -> anyhow::Result<Policy> {
        let Self { threshold, confidence, below, .. } = *self;
        if !(threshold > 0.0 && threshold.is_finite()) {
            bail!("--threshold {threshold}: expected a number above 0, such as 0.25");
        }
        if !(confidence > 0.0 && confidence < 1.0) {
            bail!("--confidence {confidence}: expected a share between 0 and 1, such as 0.95");
        }
        if !(below > 0.0 && below <= 1.0) {
            bail!("--below {below}: expected a score above 0 and up to 1");
        }
        Ok(Policy { threshold, confidence })
    }
}

/// The model whose log it is.
struct Watched {
    /// As it was named.
    named: String,
    folder: PathBuf,
    /// The first digits of its version, empty for a model without a manifest; such a one is logged so.
    version: String,
}

impl Watched {
    fn open(named: &Path) -> anyhow::Result<Self> {
        let folder = versions::folder(named)?;
        if !folder.join("config.json").is_file() {
            let best = folder.join("model-best");
            if best.is_dir() {
                bail!(
                    "{} is the folder of a training run; name its model: --model {}",
                    folder.display(),
                    best.display()
                );
            }
            bail!("{}: there is no model in it", folder.display());
        }
        let version = Contents::read(&folder).map_or_else(|_| String::new(), |contents| contents.id.short().to_owned());
        Ok(Self { named: named.display().to_string(), folder, version })
    }

    fn profile(&self) -> anyhow::Result<Profile> {
        let path = self.folder.join(PROFILE_FILE);
        if !path.exists() {
            bail!(
                "{}: the model has no {PROFILE_FILE}, so nothing says what its own domain looks like; train or update it with this \
                 nomen and a --dev set, or compare with the log of a time that you trust: --against LOG",
                self.folder.display()
            );
        }
        let bytes = fs::read(&path).with_context(|| path.display().to_string())?;
        Profile::parse(&bytes).with_context(|| self.folder.display().to_string())
    }

    /// Leaves the rows of this version alone, and returns how many others there were.
    fn keep_own(&self, rows: &mut Vec<Row>) -> anyhow::Result<usize> {
        let all = rows.len();
        let mut versions: BTreeMap<String, usize> = BTreeMap::new();
        rows.retain(|row| {
            let is_own = row.version == self.version;
            if !is_own {
                *versions.entry(row.version.clone()).or_default() += 1;
            }
            is_own
        });
        if rows.is_empty() && all > 0 {
            let found: Vec<String> =
                versions.iter().map(|(version, rows)| format!("{rows} of version {version:?}")).collect();
            bail!(
                "none of the {all} rows is of the version {:?} of {}; found {}. Name the model that wrote the log",
                self.version,
                self.named,
                found.join(", ")
            );
        }
        Ok(all - rows.len())
    }
}

/// All rows of logs, with their texts where these are asked for; a last line that was cut is noted and left out.
fn read(logs: &[PathBuf], with_texts: bool) -> anyhow::Result<Vec<Row>> {
    let mut rows = Rows::open(logs)?;
    let mut read = Vec::new();
    for row in rows.by_ref() {
        let row = row?;
        // A log that keeps texts may be larger than memory is.
        read.push(if with_texts { row } else { Row { text: None, ..row } });
    }
    for path in &rows.cut {
        note(&format!("{}: its last line is cut and left out", path.display()));
    }
    Ok(read)
}

/// Of rows that are sorted by time, the last ones.
fn keep_last(rows: &mut Vec<Row>, last: Option<Window>) {
    let left_out = match last {
        None => 0,
        Some(Window::Texts(texts)) => rows.len().saturating_sub(usize::try_from(texts).unwrap_or(usize::MAX)),
        Some(Window::Time(time)) => {
            let now = versions::now().saturating_mul(1_000);
            rows.partition_point(|row| row.at < now.saturating_sub(time))
        }
    };
    rows.drain(..left_out);
}
