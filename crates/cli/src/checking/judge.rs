//! The model that judges an annotation: a base of which models are trained on folds, or a model that was trained.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    str::FromStr,
};

use anyhow::Context as _;
use corpus::{
    check::{File, Suspect},
    duplicates::TextHash,
};
use evaluate::{Pair, Scores};
use model::{
    Bundle, Workers,
    base::{BaseFolder, BaseSpec, BaseSpecError},
    decode::TagSet,
};
use schema::Document;
use train::{RunConfig, Verdict, label_errors, verdicts};

use crate::{
    fetching,
    progress::{Progress, note},
    training::{Folded, Pace, Set, cross_validate},
};

/// Texts between two moves of the progress bar.
const SHARE: usize = 256;

/// What a user names as model.
#[derive(Debug, Clone)]
pub enum ModelSpec {
    /// A base, or a folder that is none of a trained model.
    Base(BaseSpec),
    /// The folder of a trained model.
    Trained(PathBuf),
}

/// A model that judges annotated texts.
pub enum Judge {
    /// Models of this base, trained on all folds but the one that they judge.
    Base(BaseFolder),
    /// A trained model.
    Trained(PathBuf, Box<Bundle>),
}

/// What a judge said of texts: verdicts for those that it had not seen.
struct Judged {
    tag_set: TagSet,
    verdicts: Vec<Option<Verdict>>,
}

impl FromStr for ModelSpec {
    type Err = BaseSpecError;

    fn from_str(text: &str) -> Result<Self, BaseSpecError> {
        match text.parse()? {
            // A folder without `path:` is a trained model, as it is for other commands.
            BaseSpec::Path(folder) if !text.starts_with("path:") => Ok(Self::Trained(folder)),
            spec => Ok(Self::Base(spec)),
        }
    }
}

impl Judge {
    /// Fetches the base, or opens the model.
    pub fn of(spec: &ModelSpec) -> anyhow::Result<Self> {
        match spec {
            ModelSpec::Base(spec) => Ok(Self::Base(fetching::fetch(spec)?)),
            ModelSpec::Trained(folder) => {
                let bundle = Bundle::open(folder).with_context(|| {
                    let folder = folder.display();
                    format!("{folder} is no trained model; if it is a base to train from, write --model path:{folder}")
                })?;
                Ok(Self::Trained(folder.clone(), Box::new(bundle)))
            }
        }
    }

    /// Notes in each file where the model contradicts what is annotated; gives the number of texts that it judged. Files
    /// that nobody annotated are passed over, and nothing is judged where no text has an entity.
    pub fn apply(&self, files: &mut [File], config: &RunConfig, folds: usize) -> anyhow::Result<usize> {
        let is_annotated = |file: &&File| file.report.unannotated < file.documents.len();
        let documents: Vec<Document> =
            files.iter().filter(is_annotated).flat_map(|file| &file.documents).cloned().collect();
        if documents.iter().all(|document| document.entities().is_empty()) {
            return Ok(0);
        }
        let path = files.iter().find(is_annotated).map(|file| file.path.clone()).unwrap_or_default();
        let set = Set { path, documents };
        let (set, judged) = match self {
            Self::Base(base) => of_folds(base, config, set, folds)?,
            Self::Trained(folder, bundle) => {
                let judged = of_model(folder, bundle, &set.documents)?;
                (set, judged)
            }
        };
        let seen: Vec<(usize, (&Document, &Verdict))> = set
            .documents
            .iter()
            .zip(&judged.verdicts)
            .enumerate()
            .filter_map(|(position, (document, verdict))| Some((position, (document, verdict.as_ref()?))))
            .collect();
        let pairs: Vec<(&Document, &Verdict)> = seen.iter().map(|(_, pair)| *pair).collect();
        let agreement =
            pairs.iter().map(|(document, verdict)| Pair { document, predicted: &verdict.entities }.judge(None));
        let agreement = Scores::of(&agreement.collect::<Vec<_>>()).micro().f1();
        note(&format!(
            "on these texts the model and the annotation agree with F1 {agreement:.3}: the less, the less its doubts mean"
        ));
        let mut places = Vec::with_capacity(set.documents.len());
        for (index, file) in files.iter().enumerate().filter(|(_, file)| is_annotated(file)) {
            places.extend((0..file.documents.len()).map(|document| (index, document)));
        }
        for error in label_errors(&judged.tag_set, &pairs)? {
            let (file, document) = places[seen[error.document].0];
            let (given, suggested, confidence) = (error.given, error.suggested, error.confidence);
            let is_likely = error.is_likely;
            files[file].suspects.push(Suspect { document, given, suggested, confidence, is_likely });
        }
        Ok(pairs.len())
    }
}

/// Every text judged by a model of the base that was trained without it.
fn of_folds(base: &BaseFolder, config: &RunConfig, set: Set, folds: usize) -> anyhow::Result<(Set, Judged)> {
    let (set, Folded { verdicts, tag_set, .. }) = cross_validate(base, config, set, folds, Pace::Short)?;
    Ok((set, Judged { tag_set, verdicts: verdicts.into_iter().map(Some).collect() }))
}

/// Every text judged that the model was not trained on.
fn of_model(folder: &Path, bundle: &Bundle, documents: &[Document]) -> anyhow::Result<Judged> {
    let name = folder.display();
    if bundle.trained_on.is_empty() {
        note(&format!("{name} does not say which texts it was trained on; errors that it has learned are not found"));
    }
    let is_new = |document: &&Document| !bundle.trained_on.contains(TextHash::of(document.text()).get());
    let new: Vec<&Document> = documents.iter().filter(is_new).collect();
    let seen = documents.len() - new.len();
    if seen > 0 {
        note(&format!(
            "label errors are not looked for in {seen} of {} texts, which {name} was trained on; --model minilm trains \
             models on folds and judges all",
            documents.len()
        ));
    }
    let unknown: BTreeSet<&str> = new
        .iter()
        .flat_map(|document| document.entities())
        .filter(|entity| bundle.codec.tag_set().label_index(&entity.label).is_none())
        .map(|entity| entity.label.as_str())
        .collect();
    if !unknown.is_empty() {
        let labels: Vec<&str> = unknown.into_iter().collect();
        note(&format!("{name} does not know {}; entities of other labels only are judged", labels.join(", ")));
    }
    let workers = Workers::all().with_precision(bundle.classifier.stored());
    let mut progress = Progress::new("judging", new.len() as u64, "texts");
    let mut said = Vec::with_capacity(new.len());
    for share in new.chunks(SHARE) {
        let first = said.len() + 1;
        said.extend(verdicts(&workers, bundle, share).with_context(|| format!("texts from {first} on"))?);
        let done = said.len();
        progress.set(done as u64, || format!("judged {done} of {} texts", new.len()));
    }
    let mut said = said.into_iter();
    let verdicts = documents.iter().map(|document| is_new(&document).then(|| said.next()).flatten()).collect();
    Ok(Judged { tag_set: bundle.codec.tag_set().clone(), verdicts })
}
