//! The order in which annotators get what is open, by what sources suggested and by what is annotated.

use schema::{Entity, OriginKind, Suggestion};
use store::{Number, Project, Select, Store};

use super::Refusal;
use crate::queue::{Candidate, Measure, Order, Ranked, mixed_bits, of_sources, rank};

/// Open documents that are looked at: drawn from more, because a model tags so many in seconds, and the best of so many are as good.
const POOL: usize = 5_000;
/// Places that are given: days of work for one person, long before which the order is made anew.
const PLACES: usize = 500;
/// Accepted documents that diversity keeps away from.
const KNOWN: usize = 2_000;
/// Documents that are read at once.
const CHUNK: u32 = 500;

/// An open document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Open {
    /// Its number.
    pub number: Number,
    /// Its text.
    pub text: String,
}

/// Documents that nobody has annotated, by number; a part that the seed draws where there are many.
///
/// # Errors
/// The database fails.
pub async fn pool(store: &Store, project: &Project, seed: u64) -> Result<Vec<Open>, Refusal> {
    let mut numbers = store.open_documents(project.id).await?;
    if numbers.len() > POOL {
        numbers.sort_by_key(|number| mixed_bits(seed ^ mixed_bits(u64::from(*number))));
        numbers.truncate(POOL);
        numbers.sort_unstable();
    }
    let mut pool = Vec::with_capacity(numbers.len());
    for number in numbers {
        let text = store.document(project.id, number).await?.document.text().to_owned();
        pool.push(Open { number, text });
    }
    Ok(pool)
}

/// Ranks open documents anew, and gives how many have a place now.
///
/// # Errors
/// The database fails.
pub async fn order(
    store: &Store,
    project: &Project,
    pool: Vec<Open>,
    order: Order,
    seed: u64,
) -> Result<usize, Refusal> {
    let mut unsure = Vec::with_capacity(pool.len());
    for open in &pool {
        unsure.push(doubt(&store.suggestions(project.id, open.number).await?));
    }
    let known = known(store, project).await?;
    // Distances of thousands of texts take a second, in which others want answers.
    let ranked = tokio::task::spawn_blocking(move || {
        let texts = pool.iter().zip(unsure);
        let candidates: Vec<Candidate<'_>> =
            texts.map(|(open, uncertainty)| Candidate { text: &open.text, uncertainty }).collect();
        let known: Vec<&str> = known.iter().map(String::as_str).collect();
        let place = |ranked: Ranked| (pool[ranked.position].number, ranked.reason);
        rank(order, &candidates, &known, PLACES, seed).into_iter().map(place).collect::<Vec<_>>()
    });
    let ranked = ranked.await.map_err(|panic| Refusal::Failed(panic.to_string()))?;
    store.rank(project.id, &ranked).await?;
    Ok(ranked.len())
}

/// How unsure the sources are of a text. What several said together is no source of its own.
fn doubt(suggestions: &[Suggestion]) -> f64 {
    let mut by_source: Vec<(&str, OriginKind, Vec<Entity>)> = Vec::new();
    for suggestion in suggestions {
        let (kind, name) = (suggestion.origin.kind, suggestion.origin.name.as_str());
        let counts = kind != OriginKind::Combined && suggestion.verified != Some(false);
        let Some(span) = suggestion.span.filter(|_| counts) else { continue };
        let mut entity = Entity::new(span, suggestion.label.clone());
        entity.score = suggestion.score;
        match by_source.iter_mut().find(|(known, of, _)| (*known, *of) == (name, kind)) {
            Some((.., entities)) => entities.push(entity),
            None => by_source.push((name, kind, vec![entity])),
        }
    }
    let sources: Vec<Vec<Entity>> = by_source.into_iter().map(|(.., entities)| entities).collect();
    of_sources(Measure::default(), &sources)
}

/// Texts that are accepted, the first of them.
async fn known(store: &Store, project: &Project) -> Result<Vec<String>, Refusal> {
    let (mut known, mut after) = (Vec::new(), 0);
    while known.len() < KNOWN {
        let chunk = store.export(project.id, Select { accepted: true, history: false }, after, CHUNK).await?;
        let Some(last) = chunk.last() else { break };
        after = last.number;
        known.extend(chunk.into_iter().map(|exported| exported.document.text().to_owned()));
    }
    Ok(known)
}
