//! Cross-validation: every document is judged once, by a model that was trained without it and without whatever is
//! nearly equal to it.

use std::{
    num::NonZeroUsize,
    path::{Path, PathBuf},
};

use corpus::{
    augment::LexiconError,
    duplicates::Similarity,
    split::{self, Grouping, Plan, Sizes, SplitError},
};
use model::{
    Bundle, Workers,
    bundle::{BundleError, NewModel},
};
use schema::{Document, Label, Schema};
use thiserror::Error;

use crate::{
    Dataset, DatasetError, End, Fit, Settings, Source,
    verdict::{Verdict, VerdictError, verdicts},
};

/// Documents dealt into folds, and how a model of the others is trained for each of them.
///
/// The caller takes [`CrossValidation::fit`] of one fold after the other through its steps and hands it to
/// [`CrossValidation::judge`]. The same documents, settings and base give the same verdicts.
pub struct CrossValidation<'d> {
    documents: &'d [Document],
    base: &'d Path,
    settings: Settings,
    schema: Schema,
    folds: Vec<Vec<usize>>,
}

/// Why a cross-validation cannot be made, or not go on.
#[derive(Debug, Error)]
pub enum CrossValidationError {
    /// The documents cannot be dealt into so many folds.
    #[error("{}: {folds} folds cannot be made; give another number, or more texts: {error}", path.display())]
    Folds {
        /// The file of the documents.
        path: PathBuf,
        /// Folds that were asked for.
        folds: usize,
        /// Why.
        error: SplitError,
    },
    /// The base cannot be read.
    #[error(transparent)]
    Base(#[from] BundleError),
    /// A document cannot be tokenized.
    #[error(transparent)]
    Tokenize(#[from] DatasetError),
    /// The documents cannot be augmented.
    #[error(transparent)]
    Augment(#[from] LexiconError),
    /// Training ruined the model of a fold.
    #[error(
        "fold {fold}: training diverged: the loss is higher than guessing would give; lower the rate (--set learning_rate=...)"
    )]
    Diverged {
        /// The fold, from 1.
        fold: usize,
    },
    /// The model of a fold cannot judge one of its documents.
    #[error("fold {fold}: {error}")]
    Judge {
        /// The fold, from 1.
        fold: usize,
        /// What went wrong.
        error: VerdictError,
    },
}

impl<'d> CrossValidation<'d> {
    /// Deals documents into `folds` folds, by groups of near duplicates and with its share of every label in each. Every
    /// model learns the labels of all documents. The settings' seed decides the folds, too.
    ///
    /// # Errors
    /// There are fewer than two folds, or fewer groups of documents than folds.
    pub fn new(
        source: Source<'d>,
        base: &'d Path,
        settings: Settings,
        folds: usize,
    ) -> Result<Self, CrossValidationError> {
        let Source { path, documents } = source;
        let plan = Plan {
            sizes: Sizes::Folds(folds),
            group_by: vec![Grouping::Near],
            by_date: None,
            similarity: Similarity::default(),
            seed: settings.seed,
        };
        let dealt = split::split(&[split::Source { path, documents }], None, &plan)
            .map_err(|error| CrossValidationError::Folds { path: path.to_owned(), folds, error })?;
        let mut labels: Vec<Label> =
            documents.iter().flat_map(Document::entities).map(|entity| entity.label.clone()).collect();
        labels.sort_unstable();
        let folds = dealt.parts.into_iter().map(|part| part.documents).collect();
        Ok(Self { documents, base, settings, schema: Schema::of_labels(labels), folds })
    }

    /// The positions of the documents of each fold, ascending.
    pub fn folds(&self) -> &[Vec<usize>] {
        &self.folds
    }

    /// The run that learns from all folds but this one, from 0. Nothing chooses a best step: the last model is the one
    /// that judges, so that the held-out documents have no part in it.
    ///
    /// # Errors
    /// The base cannot be read, or a document cannot be tokenized or augmented.
    ///
    /// # Panics
    /// There is no such fold.
    pub fn fit(&self, fold: usize) -> Result<Fit, CrossValidationError> {
        let new = NewModel { schema: &self.schema, settings: self.settings.codec(), seed: self.settings.seed };
        let bundle = Bundle::from_base(self.base, &new)?;
        let mut is_learnt = vec![true; self.documents.len()];
        self.folds[fold].iter().for_each(|document| is_learnt[*document] = false);
        let learnt = self.documents.iter().zip(is_learnt).filter(|(_, learnt)| *learnt);
        let learnt: Vec<Document> = learnt.map(|(document, _)| document.clone()).collect();
        let copies = self.settings.augment.copies_of(&learnt, &self.schema, self.settings.seed)?;
        let dataset = Dataset::new(&bundle.codec, &learnt, None)?.with_copies(&bundle.codec, &copies)?;
        Ok(Fit::new(bundle, self.settings.clone(), dataset, Vec::new()))
    }

    /// What the trained model of a fold says of the fold's documents, in the order of [`CrossValidation::folds`].
    ///
    /// # Errors
    /// Training diverged, or the model cannot judge a document.
    ///
    /// # Panics
    /// There is no such fold.
    pub fn judge(&self, fold: usize, fit: &mut Fit) -> Result<Vec<Verdict>, CrossValidationError> {
        if fit.state().ended == Some(End::Diverged) {
            return Err(CrossValidationError::Diverged { fold: fold + 1 });
        }
        let documents: Vec<&Document> = self.folds[fold].iter().map(|document| &self.documents[*document]).collect();
        let workers = Workers::new(NonZeroUsize::new(self.settings.threads).unwrap_or(NonZeroUsize::MIN));
        let judged = verdicts(&workers, fit.bundle(), &documents);
        judged.map_err(|error| CrossValidationError::Judge { fold: fold + 1, error })
    }
}
