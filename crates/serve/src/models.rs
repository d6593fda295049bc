//! The models that answer, by name, and how a new version takes the place of an old one.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, PoisonError, RwLock,
        atomic::{AtomicU64, Ordering},
    },
};

use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::Tagger;

/// Opens models. What is opened has passed its own test.
pub trait Open: Send + Sync {
    /// The model of this name as it is now.
    ///
    /// # Errors
    /// There is none, it cannot be opened, or it does not pass its own test; in words for an operator.
    fn open(&self, name: &str) -> Result<Opened, String>;

    /// A mark of what [`Self::open`] would open, another one for another version; without opening it.
    ///
    /// # Errors
    /// It cannot be found.
    fn mark(&self, name: &str) -> Result<String, String>;
}

/// A model that was opened.
pub struct Opened {
    /// What it is asked by.
    pub tagger: Box<dyn Tagger>,
    /// The hash of its weights, which is its version.
    pub version: String,
    /// What `/info` says of it: labels with definitions, scores, base, settings.
    pub card: Value,
    /// As [`Open::mark`] gave it before it was opened.
    pub mark: String,
}

/// A model that answers.
pub struct Live {
    /// Its name.
    pub name: String,
    /// The hash of its weights.
    pub version: String,
    /// What `/info` says of it.
    pub card: Value,
    /// What it is asked by.
    pub tagger: Box<dyn Tagger>,
    /// Its number among all that were loaded: no two have the same.
    pub number: u64,
    mark: String,
}

impl Live {
    /// The labels that it knows, in their order.
    pub fn labels(&self) -> Vec<&str> {
        let mut labels: Vec<&str> = Vec::new();
        for tag in self.tagger.tags() {
            let label = tag.split_once('-').map_or(tag.as_str(), |(_, label)| label);
            if tag != "O" && !labels.contains(&label) {
                labels.push(label);
            }
        }
        labels
    }

    /// Name and version, as NAME@VERSION with the first digits of the hash.
    pub fn described(&self) -> String {
        let digits = self.version.get(..12).unwrap_or(&self.version);
        format!("{}@{digits}", self.name)
    }
}

/// All models of a server.
pub struct Models {
    open: Box<dyn Open>,
    default: String,
    names: Vec<String>,
    live: RwLock<BTreeMap<String, Arc<Live>>>,
    /// What went wrong with the last load of a model, with the mark that it had.
    broken: Mutex<BTreeMap<String, Broken>>,
    /// One model is loaded at a time: two at once would take the memory of two.
    loading: Mutex<()>,
    count: AtomicU64,
}

struct Broken {
    mark: String,
    problem: String,
}

/// What came of loading a model.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Loaded {
    /// Its name.
    pub model: String,
    /// The version that answers now.
    pub version: String,
    /// The version that answered before, where there was one.
    pub before: Option<String>,
}

impl Models {
    /// Models of these names, none of them loaded yet; `default` is one of them.
    pub fn new(open: Box<dyn Open>, names: Vec<String>, default: String) -> Self {
        Self {
            open,
            default,
            names,
            live: RwLock::default(),
            broken: Mutex::default(),
            loading: Mutex::default(),
            count: AtomicU64::new(0),
        }
    }

    /// The names of all models.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// The name of the model that answers where none is named.
    pub fn default_name(&self) -> &str {
        &self.default
    }

    /// The model of a name, or the default one; `None` where it is not there (yet).
    pub fn get(&self, name: Option<&str>) -> Option<Arc<Live>> {
        let name = name.unwrap_or(&self.default);
        self.live.read().unwrap_or_else(PoisonError::into_inner).get(name).cloned()
    }

    /// All models that answer.
    pub fn all(&self) -> Vec<Arc<Live>> {
        self.live.read().unwrap_or_else(PoisonError::into_inner).values().cloned().collect()
    }

    /// Whether all models are there.
    pub fn are_ready(&self) -> bool {
        self.live.read().unwrap_or_else(PoisonError::into_inner).len() == self.names.len()
    }

    /// What went wrong with the last load of a model, if its old version still answers instead.
    pub fn problem(&self, name: &str) -> Option<String> {
        let broken = self.broken.lock().unwrap_or_else(PoisonError::into_inner);
        broken.get(name).map(|broken| broken.problem.clone())
    }

    /// Loads a model beside the one that answers, and lets it take over. Requests that are under way keep the old one.
    ///
    /// # Errors
    /// It cannot be loaded; then the old one goes on answering.
    pub fn load(&self, name: &str) -> Result<Loaded, String> {
        if !self.names.iter().any(|known| known == name) {
            return Err(format!("there is no model `{name}`; there are {}", self.names.join(", ")));
        }
        let _one_at_a_time = self.loading.lock().unwrap_or_else(PoisonError::into_inner);
        // Looked at first: what changes while it is opened is opened again.
        let mark = self.open.mark(name).unwrap_or_default();
        let opened = match self.open.open(name) {
            Ok(opened) => opened,
            Err(problem) => {
                let broken = Broken { mark, problem: problem.clone() };
                self.broken.lock().unwrap_or_else(PoisonError::into_inner).insert(name.to_owned(), broken);
                return Err(problem);
            }
        };
        self.broken.lock().unwrap_or_else(PoisonError::into_inner).remove(name);
        let Opened { tagger, version, card, mark } = opened;
        let number = self.count.fetch_add(1, Ordering::Relaxed);
        let live = Live { name: name.to_owned(), version: version.clone(), card, tagger, number, mark };
        let mut all = self.live.write().unwrap_or_else(PoisonError::into_inner);
        let before = all.insert(name.to_owned(), Arc::new(live)).map(|before| before.version.clone());
        Ok(Loaded { model: name.to_owned(), version, before })
    }

    /// Loads every model whose folder holds another version than the one that answers. What failed once is tried again only when
    /// it has changed.
    pub fn refresh(&self) -> Vec<Result<Loaded, String>> {
        let changed = |name: &&String| {
            let Ok(mark) = self.open.mark(name) else { return false };
            let mut broken = self.broken.lock().unwrap_or_else(PoisonError::into_inner);
            if self.get(Some(name)).is_some_and(|live| live.mark == mark) {
                // Whoever put a broken version there has taken it back.
                broken.remove(*name);
                return false;
            }
            broken.get(*name).is_none_or(|broken| broken.mark != mark)
        };
        self.names.iter().filter(changed).map(|name| self.load(name)).collect()
    }
}
