//! What all routes share: a request's texts through the queue, and what is watched on the way.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use schema::Entity;
use tokio::sync::Semaphore;

use crate::{
    Encoded, Live, Metrics, Models, Observe, Piece, Refusal, Tagged, Work,
    access::Access,
    cache::Cache,
    config::{Config, Timeouts},
    queue::{Answer, Found, Queue, Reply, Want, Watch},
};

/// Bytes of texts that are cut into pieces where requests are received; more of them go to a thread that may take long.
const SHORT: usize = 4 << 10;

/// A server's parts.
pub struct App {
    /// What it was told.
    pub config: Config,
    /// The models that answer.
    pub models: Arc<Models>,
    pub(crate) queue: Arc<Queue>,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) access: Access,
    pub(crate) observer: Arc<dyn Observe>,
    pub(crate) labelling: crate::routes::Labelling,
    /// Bytes that bodies may have together.
    pub(crate) bodies: Arc<Semaphore>,
    cache: Option<Cache>,
    is_stopping: AtomicBool,
}

/// A text's answer.
#[derive(Debug, Clone)]
pub(crate) struct Judged<T> {
    pub found: T,
    /// Windows in which the text was read.
    pub windows: usize,
}

/// What is computed for a request, while it is being computed.
#[derive(Debug, Clone, Default)]
pub(crate) struct Worked(Arc<Mutex<Work>>);

impl Worked {
    pub fn change(&self, change: impl FnOnce(&mut Work)) {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner));
    }

    pub fn get(&self) -> Work {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Tells metrics and observer of batches.
struct Batches {
    metrics: Arc<Metrics>,
    observer: Arc<dyn Observe>,
}

impl Watch for Batches {
    fn batch(&self, pieces: usize, took: Duration) {
        self.metrics.batch(pieces, took);
    }

    fn failed(&self, problem: &str) {
        self.metrics.failed();
        self.observer.failed(problem);
    }
}

impl App {
    /// A server's parts.
    pub fn new(config: Config, models: Models, observer: Arc<dyn Observe>) -> Self {
        let metrics = Arc::new(Metrics::default());
        let batches = Batches { metrics: Arc::clone(&metrics), observer: Arc::clone(&observer) };
        let queue = Queue::new(config.limits.queue_pieces, config.limits.batch_pieces, Box::new(batches));
        Self {
            models: Arc::new(models),
            queue: Arc::new(queue),
            metrics,
            access: Access::new(&config),
            observer,
            labelling: crate::routes::Labelling::default(),
            bodies: crate::routes::bytes_of_bodies(config.limits.bodies_bytes),
            cache: (config.cache_texts > 0).then(|| Cache::new(config.cache_texts)),
            is_stopping: AtomicBool::new(false),
            config,
        }
    }

    /// Loads a model, as [`Models::load`] does, and tells of it.
    ///
    /// # Errors
    /// It cannot be loaded; then the old one goes on answering.
    pub fn load(&self, name: &str) -> Result<crate::Loaded, String> {
        let outcome = self.models.load(name);
        self.told(outcome)
    }

    /// Loads the models whose folders have changed.
    pub fn refresh(&self) {
        for outcome in self.models.refresh() {
            let _ = self.told(outcome);
        }
    }

    fn told(&self, outcome: Result<crate::Loaded, String>) -> Result<crate::Loaded, String> {
        self.metrics.loaded(outcome.is_ok());
        self.observer.loaded(&outcome);
        outcome
    }

    /// The model of a name, or the default one.
    pub(crate) fn model(&self, name: Option<&str>) -> Result<Arc<Live>, Refusal> {
        if let Some(name) = name.filter(|name| !self.models.names().iter().any(|known| known == name)) {
            let known = self.models.names().join(", ");
            let name: String = name.chars().take(64).collect();
            return Err(Refusal::NotFound(format!("there is no model `{name}`; there are {known}")));
        }
        self.models.get(name).ok_or_else(|| Refusal::Unavailable("the model is being loaded".to_owned()))
    }

    /// Whether requests are answered.
    pub(crate) fn is_ready(&self) -> bool {
        self.models.are_ready() && !self.is_stopping.load(Ordering::Relaxed)
    }

    /// From here on the server says that it is not ready, and goes on answering.
    pub(crate) fn stop(&self) {
        self.is_stopping.store(true, Ordering::Relaxed);
    }

    /// The entities of texts.
    pub(crate) async fn entities(
        &self,
        model: &Arc<Live>,
        texts: &Arc<Vec<String>>,
        worked: &Worked,
    ) -> Result<Vec<Judged<Vec<Entity>>>, Refusal> {
        self.check_texts(texts)?;
        let mut judged: Vec<Option<Judged<Vec<Entity>>>> = vec![None; texts.len()];
        if let Some(cache) = &self.cache {
            for (judged, text) in judged.iter_mut().zip(texts.iter()) {
                *judged = cache.get(model.number, text);
            }
        }
        let open: Vec<usize> = (0..texts.len()).filter(|index| judged[*index].is_none()).collect();
        let encoded = self.encode(model, texts, &open, worked).await?;
        let windows: Vec<(usize, usize)> = encoded.iter().map(|encoded| (encoded.windows, encoded.pieces)).collect();
        let found = self.ask(model, encoded, Want::Entities, worked).await?;
        for ((index, found), (windows, pieces)) in open.into_iter().zip(found).zip(windows) {
            let Found::Entities(found) = found else { return Err(Refusal::Failed) };
            self.tell(model, &texts[index], &found, pieces);
            let answer = Judged { found, windows };
            if let Some(cache) = &self.cache {
                cache.put(model.number, &texts[index], answer.clone());
            }
            judged[index] = Some(answer);
        }
        let judged: Vec<_> = judged.into_iter().flatten().collect();
        worked.change(|work| {
            work.model = Some(model.name.clone());
            work.texts += texts.len();
            work.entities += judged.iter().map(|judged| judged.found.len()).sum::<usize>();
        });
        Ok(judged)
    }

    /// What the model says of every piece of texts.
    pub(crate) async fn pieces(
        &self,
        model: &Arc<Live>,
        texts: &Arc<Vec<String>>,
        worked: &Worked,
    ) -> Result<Vec<Vec<Piece>>, Refusal> {
        self.check_texts(texts)?;
        let all: Vec<usize> = (0..texts.len()).collect();
        let encoded = self.encode(model, texts, &all, worked).await?;
        let found = self.ask(model, encoded, Want::Pieces, worked).await?;
        worked.change(|work| {
            work.model = Some(model.name.clone());
            work.texts += texts.len();
        });
        let pieces = |found| if let Found::Pieces(pieces) = found { Ok(pieces) } else { Err(Refusal::Failed) };
        found.into_iter().map(pieces).collect()
    }

    /// Tells metrics and observer what was found in a text.
    pub(crate) fn tell(&self, model: &Live, text: &str, entities: &[Entity], pieces: usize) {
        for entity in entities {
            self.metrics.entity(entity.label.as_str(), entity.score);
        }
        self.observer.tagged(&Tagged { text, entities, model: &model.name, version: &model.version, pieces });
    }

    fn check_texts(&self, texts: &[String]) -> Result<(), Refusal> {
        let limits = &self.config.limits;
        if texts.len() > limits.texts {
            return Err(Refusal::TooLarge(format!(
                "{} texts are asked for; {} are let through at once (POST /v1/tag/stream takes any number)",
                texts.len(),
                limits.texts
            )));
        }
        match texts.iter().position(|text| text.len() > limits.text_bytes) {
            Some(index) => Err(too_long(index, texts[index].len(), limits.text_bytes)),
            None => Ok(()),
        }
    }

    pub(crate) async fn encode(
        &self,
        model: &Arc<Live>,
        texts: &Arc<Vec<String>>,
        which: &[usize],
        worked: &Worked,
    ) -> Result<Vec<Encoded>, Refusal> {
        let begun = Instant::now();
        let bytes: usize = which.iter().map(|index| texts[*index].len()).sum();
        let encoded = if bytes <= SHORT {
            encode(model, texts, which)
        } else {
            let (model, texts, which) = (Arc::clone(model), Arc::clone(texts), which.to_vec());
            let task = tokio::task::spawn_blocking(move || encode(&model, &texts, &which));
            task.await.unwrap_or_else(|panic| Err(panic.to_string()))
        };
        let encoded = encoded.map_err(|problem| {
            self.metrics.failed();
            self.observer.failed(&problem);
            Refusal::Failed
        })?;
        let pieces: usize = encoded.iter().map(|encoded| encoded.pieces).sum();
        let took = begun.elapsed();
        self.metrics.tokenized(took, encoded.iter().filter(|encoded| encoded.windows > 1).count());
        worked.change(|work| {
            work.tokenized += took;
            work.pieces += pieces;
        });
        let most = self.config.limits.pieces;
        if pieces > most {
            return Err(Refusal::TooLarge(format!(
                "the texts have {pieces} word pieces; {most} are let through at once"
            )));
        }
        Ok(encoded)
    }

    async fn ask(
        &self,
        model: &Arc<Live>,
        encoded: Vec<Encoded>,
        want: Want,
        worked: &Worked,
    ) -> Result<Vec<Found>, Refusal> {
        let answer = Timeouts::of(self.config.timeouts.answer_s);
        let until = Instant::now() + answer;
        // All or nothing: a request that gets half of its room would hold it from others.
        let mut rooms = self.rooms(&encoded)?;
        let replies: Vec<Reply> =
            encoded.into_iter().map(|encoded| self.queue.push(model, encoded, want, until, rooms.take())).collect();
        let all = async {
            let mut found = Vec::with_capacity(replies.len());
            for reply in replies {
                let Answer { found: of_text, queued, computed } = reply.await.unwrap_or(Err(Refusal::Failed))?;
                self.metrics.queued(queued);
                worked.change(|work| {
                    work.queued = work.queued.max(queued);
                    work.computed = work.computed.max(computed);
                });
                found.push(of_text);
            }
            Ok(found)
        };
        tokio::time::timeout(answer, all).await.unwrap_or(Err(Refusal::Late(self.config.timeouts.answer_s)))
    }

    fn rooms(&self, encoded: &[Encoded]) -> Result<Rooms, Refusal> {
        let pieces: Vec<usize> = encoded.iter().map(|encoded| encoded.pieces.max(1)).collect();
        Ok(Rooms { room: Some(self.queue.room(pieces.iter().sum::<usize>().max(1))?), pieces: pieces.into() })
    }
}

/// Room for the texts of a request, from which each takes its own.
struct Rooms {
    room: Option<crate::queue::Room>,
    pieces: std::collections::VecDeque<usize>,
}

impl Rooms {
    fn take(&mut self) -> crate::queue::Room {
        let pieces = self.pieces.pop_front().unwrap_or(1);
        let last = self.pieces.is_empty();
        crate::queue::Room::part(&mut self.room, pieces, last)
    }
}

/// That a text is longer than is let through.
pub(crate) fn too_long(index: usize, bytes: usize, most: usize) -> Refusal {
    Refusal::TooLarge(format!("text {index} has {bytes} bytes; {most} are let through"))
}

fn encode(model: &Live, texts: &[String], which: &[usize]) -> Result<Vec<Encoded>, String> {
    which.iter().map(|index| model.tagger.encode(&texts[*index]).map_err(|error| error.to_string())).collect()
}
