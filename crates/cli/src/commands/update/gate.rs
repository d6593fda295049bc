//! Whether an updated model may take the old one's place.

use std::{fs, num::NonZeroUsize, path::Path};

use anyhow::Context as _;
use model::{Bundle, Recognizer, Workers};
use operate::gate::Policy;
use schema::Label;

use super::{Arguments, data::old_texts};
use crate::{
    gating::{Contender, Judged, Test, refuse_seen},
    input,
    progress::note,
    training::{Data, Finished, Knowledge, Set},
};

/// Tests and policy of an update, read before it begins.
pub struct Gate<'u> {
    /// The old model as the user named it, and its folder.
    named: &'u Path,
    old: &'u Path,
    known: Option<&'u Knowledge>,
    tests: Vec<Test>,
    policy: Policy,
}

impl<'u> Gate<'u> {
    /// Reads the tests, and refuses those that the old model or the update learns from.
    pub fn new(arguments: &'u Arguments, old: &'u Path, data: &'u Data) -> anyhow::Result<Self> {
        let policy = arguments.policy.as_deref().map(Policy::read).transpose()?.unwrap_or_default();
        let known = data.known.as_ref();
        let mut gate = Self { named: &arguments.model, old, known, tests: Vec::new(), policy };
        if arguments.old_test.is_none() && data.test.is_none() {
            note("no --old-test and no --test: nothing will tell whether the update has forgotten something");
            return Ok(gate);
        }
        let bundle = Bundle::open(old)?;
        if let (Some(path), Some(known)) = (&arguments.old_test, known) {
            let (documents, _) = input::annotated(path, arguments.format)?;
            let set = old_texts(Set { path: path.clone(), documents }, known, &bundle)?;
            gate.tests.push(Test { name: "old".to_owned(), path: set.path, documents: set.documents });
        }
        if let Some(Set { path, documents }) = &data.test {
            gate.tests.push(Test { name: "new".to_owned(), path: path.clone(), documents: documents.clone() });
        }
        let mut trained_on = bundle.trained_on;
        refuse_seen(&trained_on, "the old model", &gate.tests)?;
        trained_on.add(data.learnt_hashes());
        refuse_seen(&trained_on, "the updated model", &gate.tests)?;
        Ok(gate)
    }

    /// Judges the updated model beside the old one, and leaves the proof in the run's folder; nothing where there are no tests.
    pub fn judge(&self, updated: &Path, run: &Finished) -> anyhow::Result<Option<Judged>> {
        if self.tests.is_empty() {
            return Ok(None);
        }
        let threads = NonZeroUsize::new(run.settings.threads).unwrap_or(NonZeroUsize::MIN);
        let open = |folder: &Path| -> anyhow::Result<Recognizer> {
            Ok(Bundle::open(folder)?.into_recognizer(Workers::new(threads)))
        };
        let candidate = Contender::answer(&open(updated)?, updated, updated, "the updated model", &self.tests)?;
        let mut live = Contender::answer(&open(self.old)?, self.old, self.named, "the old model", &self.tests)?;
        if let Some(known) = self.known {
            live.name(|label: &Label| known.named(label));
        }
        let judged = Judged::new(candidate, live, &self.tests, &self.policy)?;
        judged.write_page(&run.folder.join("gate.html"))?;
        let path = run.folder.join("gate.json");
        fs::write(&path, serde_json::to_vec_pretty(&judged)?)
            .with_context(|| format!("{} cannot be written", path.display()))?;
        note(&format!("gate: {}", run.folder.join("gate.html").display()));
        Ok(Some(judged))
    }
}
