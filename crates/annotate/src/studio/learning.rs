//! Learning in the background while people annotate.

use std::{num::NonZeroU32, sync::Arc, time::Duration};

use store::{ProjectId, Run};
use tokio::sync::watch;

use super::{
    Refusal, Studio,
    runs::{self, Wanted},
};
use crate::queue::Order;

/// Between two looks at how much is accepted.
const TICK: Duration = Duration::from_secs(2);

/// How a studio learns in the background.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Learning {
    /// The project.
    pub project: ProjectId,
    /// So many newly accepted documents start a run.
    pub every: NonZeroU32,
    /// How its model orders the queue.
    pub order: Order,
    /// The base model's spec; the default where it is empty.
    pub base: String,
    /// Settings as `key=value`.
    pub settings: Vec<String>,
}

/// Starts a training run whenever so many more documents are accepted than the last one that ordered the queue has learned from, until
/// it is stopped. What is accepted is asked of the database, so imports, reviews and other studios count too.
pub async fn learn(studio: Arc<Studio>, learning: Learning, mut stop: watch::Receiver<bool>) {
    // What the last try had, also where it came to nothing: it would come to nothing again.
    let mut tried = 0;
    loop {
        if let Err(refusal) = look(&studio, &learning, &mut tried).await {
            studio.failed(&format!("learning in the background: {refusal}"));
        }
        tokio::select! {
            () = tokio::time::sleep(TICK) => {}
            _ = stop.wait_for(|stop| *stop) => return,
        }
    }
}

async fn look(studio: &Studio, learning: &Learning, tried: &mut u64) -> Result<(), Refusal> {
    let accepted = studio.store.accepted(learning.project).await?;
    let all = studio.store.runs(learning.project).await?;
    let learned = all.iter().map(learned_from).find(|learned| *learned > 0).unwrap_or(0);
    let due = learned.max(*tried) + u64::from(learning.every.get());
    if accepted < due || !studio.runs.is_free() {
        return Ok(());
    }
    *tried = accepted;
    let project = studio.store.project(learning.project).await?;
    let Learning { base, settings, order, .. } = learning.clone();
    studio.runs.start(&project, Wanted { base, settings, order: Some(order) }).await?;
    Ok(())
}

/// Number of documents that a run which ordered the queue has learned from or was judged by; 0 of another.
fn learned_from(run: &Run) -> u64 {
    runs::learned_from(std::path::Path::new(&run.started.folder))
}
