//! What a run came to: the best model judged, in a table, as JSON and as a page.

use std::{
    collections::BTreeMap,
    fs,
    num::NonZeroUsize,
    path::{Path, PathBuf},
    time::SystemTime,
};

use anyhow::Context as _;
use corpus::augment::Summary;
use engine::{Isa, Precision};
use evaluate::{Report, Scores};
use model::{Bundle, Recognizer, Workers, base::BaseFolder};
use serde::Serialize;
use serde_json::{Value, json};
use train::{
    Augmentations, Base, BaseFacts, Choice, Curve, End, Events, RunFolder, RunReport, Settings, score,
    tracking::Leaving,
};

use super::{Data, Set, Tracked, augmenting, profiling};
use crate::{judgement::Judgement, progress::note, scores};

/// A run that is over.
pub struct Finished {
    /// Its folder, still held.
    pub folder: RunFolder,
    /// Why it is over.
    pub end: End,
    /// What it used.
    pub settings: Settings,
    /// What of that was chosen.
    pub choices: Vec<Choice>,
    /// Steps that it was to have.
    pub steps: u64,
    /// The base.
    pub base: BaseFolder,
    /// Size of the base.
    pub facts: BaseFacts,
    /// What was said of the data.
    pub warnings: Vec<String>,
    /// What augmenting made, where there are copies.
    pub augmented: Option<Summary>,
    /// Where it is shown.
    pub(super) tracked: Tracked,
}

/// The best model of a run with its scores.
#[derive(Serialize)]
pub struct Judged {
    /// The model; nothing where the run diverged before there was one.
    pub model: Option<PathBuf>,
    /// The step after which it was the best.
    pub step: Option<u64>,
    /// Why the run is over.
    pub ended: End,
    /// Its scores on dev.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dev: Option<Report>,
    /// Its scores on test.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub test: Option<Report>,
    /// Its scores with products in 8 bits, by the name of the set.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub int8: BTreeMap<&'static str, Scores>,
    /// What augmenting made and brought.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub augmentation: Option<Augmentations>,
}

/// The best model of the run in a folder.
pub fn best(out: &Path) -> PathBuf {
    out.join("model-best")
}

impl Finished {
    /// Judges the best model on dev and test, notes the scores in it and in the events, and writes `report.html`. The run's
    /// trackers then have all there is.
    pub fn judge(&self, data: &Data) -> anyhow::Result<Judged> {
        let path = self.folder.model_best();
        match self.end {
            End::Finished => {}
            End::NoProgress => {
                note("ended early: the score on dev has not risen for a while (--set patience=0 takes all steps)");
            }
            End::Diverged => note(
                "the run diverged: the loss is higher than guessing would give; \
                 lower the rate (--set learning_rate=...) and train into another --out",
            ),
        }
        let mut judged = Judged {
            model: None,
            step: None,
            ended: self.end,
            dev: None,
            test: None,
            int8: BTreeMap::new(),
            augmentation: None,
        };
        if path.is_dir() {
            let bundle = Bundle::open(&path)?;
            judged.step = bundle.manifest.scores["step"].as_u64();
            let threads = NonZeroUsize::new(self.settings.threads).unwrap_or(NonZeroUsize::MIN);
            let recognizer = bundle.into_recognizer(Workers::new(threads));
            let (dev, test) = (judgement(&recognizer, data.dev.as_ref())?, judgement(&recognizer, data.test.as_ref())?);
            let report = |judgement: &Judgement<'_>| judgement.report(&evaluate::Settings::default());
            (judged.dev, judged.test) = (dev.as_ref().map(report), test.as_ref().map(report));
            let profile = profiling::profile(&recognizer, data, &self.base.path, [dev, test])?;
            let augmented = self.augmented.as_ref();
            let measured = augmented.map(|made| augmenting::judge(made, &self.folder, &recognizer, data, threads));
            judged.augmentation = measured.transpose()?;
            judged.int8 = in_8_bits(&path, data, threads)?;
            complete(&path, judged.test.as_ref(), profile)?;
            judged.model = Some(path);
        }
        self.note_scores(&judged)?;
        self.write_report(data, &judged)?;
        self.tracked.finish(Leaving::Over(self.end));
        Ok(judged)
    }

    /// Writes the scores of the best model into the events.
    fn note_scores(&self, judged: &Judged) -> anyhow::Result<()> {
        let sets = [("dev", &judged.dev), ("test", &judged.test)];
        let scores = |report: &Report| serde_json::to_value(&report.scores);
        let sets: serde_json::Map<String, Value> = sets
            .into_iter()
            .filter_map(|(name, report)| Some((name.to_owned(), scores(report.as_ref()?))))
            .map(|(name, scores)| Ok((name, scores?)))
            .collect::<anyhow::Result<_>>()?;
        if sets.is_empty() {
            return Ok(());
        }
        let path = self.folder.events();
        Events::reopen(&path)
            .and_then(|mut events| events.judged(judged.step, sets.into()))
            .with_context(|| format!("{} cannot be written", path.display()))
    }

    fn write_report(&self, data: &Data, judged: &Judged) -> anyhow::Result<()> {
        let (out, events, path) = (self.folder.path(), self.folder.events(), self.folder.join("report.html"));
        let events = Events::read(&events).with_context(|| format!("{} cannot be read", events.display()))?;
        let name = out.canonicalize().ok().and_then(|out| Some(out.file_name()?.to_string_lossy().into_owned()));
        let page = train::render(&RunReport {
            name: name.as_deref().unwrap_or("run"),
            written: SystemTime::now(),
            base: Base { spec: &self.base.spec.to_string(), licence: self.base.licence.as_deref(), facts: self.facts },
            data: data.counts(),
            machine: &machine(),
            settings: &self.settings,
            choices: &self.choices,
            steps: self.steps,
            curve: Curve::of(&events),
            warnings: &self.warnings,
            dev: judged.dev.as_ref(),
            test: judged.test.as_ref(),
            int8: &judged.int8,
            augmentation: judged.augmentation.as_ref(),
        });
        fs::write(&path, page).with_context(|| format!("{} cannot be written", path.display()))?;
        note(&format!("report: {}", path.display()));
        Ok(())
    }
}

/// What the model finds in a set, where there is one.
fn judgement<'d>(recognizer: &Recognizer, set: Option<&'d Set>) -> anyhow::Result<Option<Judgement<'d>>> {
    set.map(|set| Judgement::of(recognizer, &set.documents)).transpose()
}

/// What the model scores with products in 8 bits, set by set.
fn in_8_bits(path: &Path, data: &Data, threads: NonZeroUsize) -> anyhow::Result<BTreeMap<&'static str, Scores>> {
    let bundle = Bundle::open(path)?;
    let workers = Workers::new(threads).with_precision(Precision::Int8);
    let sets =
        [("dev", &data.dev), ("test", &data.test)].into_iter().filter_map(|(name, set)| Some((name, set.as_ref()?)));
    sets.map(|(name, set)| Ok((name, score(&workers, &bundle, &set.documents)?))).collect()
}

/// Writes into the model what is known of it only now: the scores on the test set, beside those on dev, and its profile.
fn complete(path: &Path, test: Option<&Report>, profile: Option<Vec<u8>>) -> anyhow::Result<()> {
    let mut bundle = Bundle::open(path)?;
    let scores = test.map(|test| serde_json::to_value(&test.scores)).transpose()?;
    let is_noted = scores.is_none() || bundle.manifest.scores.get("test") == scores.as_ref();
    if is_noted && bundle.profile == profile {
        return Ok(());
    }
    bundle.profile = profile;
    if let Some(scores) = scores {
        match &mut bundle.manifest.scores {
            Value::Object(known) => drop(known.insert("test".to_owned(), scores)),
            other => *other = json!({"test": scores}),
        }
    }
    Ok(bundle.save(path)?)
}

/// The processor by its own name, where the system tells it, and the instructions that are used.
fn machine() -> String {
    let told = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let name = told.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    let name = name.map_or(std::env::consts::ARCH, |(_, name)| name.trim());
    format!("{name}, {}", Isa::detect().name())
}

impl Judged {
    /// A table of the scores, and where the model is.
    pub fn render(&self) -> String {
        let sets = [("dev", &self.dev), ("test", &self.test)];
        let reports: Vec<(&str, &Report)> =
            sets.into_iter().filter_map(|(name, report)| Some((name, report.as_ref()?))).collect();
        let table = if reports.is_empty() { String::new() } else { scores::side_by_side(&reports) + "\n" };
        let step = self.step.map(|step| format!(" (after step {step})")).unwrap_or_default();
        let model = self.model.as_ref().map(|model| format!("model: {}{step}\n", model.display()));
        let in_8_bits: Vec<String> = reports
            .iter()
            .filter_map(|(name, report)| {
                let (int8, f32) = (self.int8.get(name)?.micro().f1(), report.scores.micro().f1());
                Some(format!("{name} F1 {int8:.4} ({:+.4})", int8 - f32))
            })
            .collect();
        let in_8_bits = match in_8_bits.as_slice() {
            [] => String::new(),
            scores => format!("in 8 bits (--precision int8): {}\n", scores.join(", ")),
        };
        let augmentation = self.augmentation.as_ref().map(augmenting::render).unwrap_or_default();
        table + &in_8_bits + &augmentation + &model.unwrap_or_default()
    }
}
