//! Two models judged on the same texts.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::Context as _;
use corpus::fingerprint;
use model::{Recognizer, bundle::TrainedOn};
use operate::{
    gate::{self, GateReport, Policy, TestSet},
    registry::{Contents, MANIFEST_FILE, VersionId},
};
use schema::{Document, Entity, Label};
use serde::Serialize;

use crate::{gating, judgement, progress::note, seen};

/// Errors of each label that are listed a side.
const LISTED: usize = 20;
/// Characters around them.
const CONTEXT: usize = 60;

/// A test file that was read.
pub struct Test {
    /// What it is called in the report.
    pub name: String,
    /// Where it lies.
    pub path: PathBuf,
    /// What it holds.
    pub documents: Vec<Document>,
}

/// A model that takes part, with what it found in every test.
pub struct Contender {
    model: Model,
    found: Vec<Vec<Vec<Entity>>>,
}

/// A gate's report, and what was judged on what.
#[derive(Serialize)]
pub struct Judged {
    /// The report.
    #[serde(flatten)]
    pub report: GateReport,
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

impl Contender {
    /// Lets a model judge every test, none of which it may have learned from. `named` is what the user calls the model, `who` what
    /// it is to the gate.
    pub fn answer(
        recognizer: &Recognizer,
        folder: &Path,
        named: &Path,
        who: &str,
        tests: &[Test],
    ) -> anyhow::Result<Self> {
        let is_bundle = folder.join(MANIFEST_FILE).exists();
        let version = if is_bundle { Some(Contents::verify(folder, None)?.id) } else { None };
        refuse_seen(&recognizer.bundle().trained_on, who, tests)?;
        let found = tests.iter().map(|test| judgement::recognize(recognizer, &test.documents));
        Ok(Self {
            model: Model { model: named.display().to_string(), version },
            found: found.collect::<Result<_, _>>()?,
        })
    }

    /// Gives labels other names, those of the tests; entities of a label that has none are left out.
    pub fn name(&mut self, named: impl Fn(&Label) -> Option<Label>) {
        for entities in self.found.iter_mut().flatten() {
            let renamed = |entity: Entity| Some(Entity { label: named(&entity.label)?, ..entity });
            *entities = std::mem::take(entities).into_iter().filter_map(renamed).collect();
        }
    }
}

/// Refuses tests that a model has learned from, and warns where it does not say what it has.
pub fn refuse_seen(trained_on: &TrainedOn, who: &str, tests: &[Test]) -> anyhow::Result<()> {
    if trained_on.is_empty() {
        note(&format!(
            "warning: {who} does not say which texts it was trained on; make sure that none is in the tests"
        ));
    }
    tests.iter().try_for_each(|test| seen::refuse(trained_on, &test.documents, &test.path, who, ""))
}

impl Judged {
    /// Judges what both have found.
    pub fn new(candidate: Contender, live: Contender, tests: &[Test], policy: &Policy) -> anyhow::Result<Self> {
        let answers = tests.iter().zip(live.found.iter().zip(&candidate.found));
        let sets: Vec<TestSet<'_>> = answers
            .map(|(test, (live, candidate))| TestSet { name: &test.name, documents: &test.documents, live, candidate })
            .collect();
        let data = |test: &Test| Data {
            name: test.name.clone(),
            file: test.path.display().to_string(),
            fingerprint: fingerprint(&test.documents),
        };
        Ok(Self {
            report: gate::judge(&sets, policy, LISTED, CONTEXT)?,
            candidate: candidate.model,
            live: live.model,
            data: tests.iter().map(data).collect(),
        })
    }

    /// Writes the page with the entities lost and won in their texts.
    pub fn write_page(&self, path: &Path) -> anyhow::Result<()> {
        let page = gating::page(&self.report, &self.candidate.shown(), &self.live.shown());
        if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            fs::create_dir_all(folder).with_context(|| format!("{} cannot be made", folder.display()))?;
        }
        fs::write(path, page).with_context(|| format!("{} cannot be written", path.display()))
    }
}

impl Model {
    fn shown(&self) -> String {
        match &self.version {
            Some(version) => format!("{} ({})", self.model, version.short()),
            None => self.model.clone(),
        }
    }
}
