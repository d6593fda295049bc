//! The log of predictions that the server writes where its settings ask for one.

use std::{
    collections::BTreeMap,
    path::Path,
    sync::{Arc, Mutex, PoisonError},
    time::SystemTime,
};

use model::Recognizer;
use operate::predictions::{LogOptions, LoggedModel, Prediction, PredictionLog, TextKeeping, WhenFull};
use serve::{Tagged, config};

use crate::logging::{self, told};

/// Versions that may still answer a request that is under way.
const VERSIONS: usize = 16;

/// A log that a server writes, and what it says of the server's models.
pub struct Predictions {
    log: PredictionLog,
    models: Mutex<BTreeMap<String, (u64, Arc<LoggedModel>)>>,
}

impl Predictions {
    /// Begins the log, where the settings name a folder.
    pub fn start(settings: &config::Predictions) -> anyhow::Result<Option<Arc<Self>>> {
        let Some(folder) = &settings.folder else { return Ok(None) };
        let options = LogOptions {
            share: settings.share,
            seed: 0,
            texts: if settings.keep_texts { TextKeeping::Whole } else { TextKeeping::Hash },
            most_bytes: settings.bytes,
            // Nobody waits for the log: what it has no room for is counted and left out.
            when_full: WhenFull::Drop,
        };
        let log = PredictionLog::open(folder, &options)?;
        Ok(Some(Arc::new(Self { log, models: Mutex::default() })))
    }

    /// A version of a model was opened.
    pub fn opened(&self, name: &str, version: &str, recognizer: &Recognizer, folder: &Path) -> anyhow::Result<()> {
        let model = Arc::new(LoggedModel { name: name.to_owned(), ..logging::logged(recognizer, folder)? });
        let mut models = self.models.lock().unwrap_or_else(PoisonError::into_inner);
        let number = models.values().map(|(number, _)| number + 1).max().unwrap_or(0);
        models.insert(version.to_owned(), (number, model));
        if models.len() > VERSIONS {
            let oldest = models.iter().min_by_key(|(_, (number, _))| *number).map(|(version, _)| version.clone());
            oldest.and_then(|oldest| models.remove(&oldest));
        }
        Ok(())
    }

    /// Hands a text and its entities to the log.
    pub fn record(&self, tagged: &Tagged<'_>) {
        let models = self.models.lock().unwrap_or_else(PoisonError::into_inner);
        let model = models.get(tagged.version).map(|(_, model)| Arc::clone(model));
        drop(models);
        if let Some(model) = model {
            let Tagged { text, entities, .. } = *tagged;
            self.log.record(&Prediction { model: &model, text, entities, at: SystemTime::now() });
        }
    }

    /// Waits until everything is written, and notes what was not.
    pub fn finish(self) {
        told(self.log);
    }
}
