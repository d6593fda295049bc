//! Which entities the tokens of a model can express.

use std::path::PathBuf;

use anyhow::Context as _;
use corpus::check::{self, File};
use model::{
    Bundle, CodecSettings,
    base::BaseSpec,
    bundle::NewModel,
    text::{Alignment, Unreachable},
};
use schema::Schema;

use super::Judge;
use crate::fetching;

/// The tokens of a base or a model.
pub enum Boundaries<'m> {
    /// Of a base that is to learn the labels of the data.
    Base(PathBuf),
    /// Of a model with labels of its own.
    Model(&'m Bundle),
}

impl<'m> Boundaries<'m> {
    /// Fetches the base.
    pub fn of_base(spec: &BaseSpec) -> anyhow::Result<Self> {
        Ok(Self::Base(fetching::fetch(spec)?.path))
    }

    /// Those of a model that judges, too.
    pub fn of_judge(judge: &'m Judge) -> Self {
        match judge {
            Judge::Base(base) => Self::Base(base.path.clone()),
            Judge::Trained(_, bundle) => Self::Model(bundle),
        }
    }

    /// Notes the entities of a file that the tokens cannot express.
    pub fn apply(&self, file: &mut File) -> anyhow::Result<()> {
        let fresh;
        let bundle = match self {
            Self::Model(bundle) => bundle,
            Self::Base(path) => {
                let schema = Schema::of_labels(file.report.entities.keys().cloned());
                if schema.is_empty() {
                    return Ok(());
                }
                let settings = CodecSettings { alignment: Alignment::Word, max_length: 512, stride: 128 };
                fresh = Bundle::from_base(path, &NewModel { schema: &schema, settings, seed: 0 })?;
                &fresh
            }
        };
        let mut found = Vec::new();
        for (position, document) in file.documents.iter().enumerate() {
            let failed = || format!("{}: document {} cannot be tokenized", file.path.display(), position + 1);
            let encoded = bundle.codec.encode(document.into()).with_context(failed)?;
            for missed in bundle.codec.targets(document, &encoded).unreachable {
                let Unreachable { entity, reason } = missed;
                found.push(check::Unreachable { document: position, entity, reason: reason.to_string() });
            }
        }
        file.unreachable = found;
        Ok(())
    }
}
