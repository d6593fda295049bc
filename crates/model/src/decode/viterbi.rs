//! The most probable sequence of tags that the scheme can write.

use thiserror::Error;

use super::TagSet;

/// One tag a slot, and how probable each is.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Path {
    /// Tag ids.
    pub tags: Vec<u32>,
    /// Softmax probability of each tag at its slot.
    pub probabilities: Vec<f32>,
}

/// Why logits are not decoded.
#[derive(Debug, Clone, Copy, PartialEq, Error)]
pub enum DecodeError {
    /// The logits are not a whole number of rows.
    #[error("{logits} logits for {slots} slots and {tags} tags: expected {slots} x {tags}")]
    Shape {
        /// How many logits there are.
        logits: usize,
        /// How many slots there are.
        slots: usize,
        /// How many tags there are.
        tags: usize,
    },
    /// A logit is infinite or not a number.
    #[error("the logit of tag {tag} at slot {slot} is {value}; the weights are damaged or training has diverged")]
    NotFinite {
        /// Row.
        slot: usize,
        /// Column.
        tag: usize,
        /// What stands there.
        value: f32,
    },
}

/// The most probable legal path through `logits [slots, tags]`, the edges of the text included (Viterbi, 1967).
/// Of equals the lower id is taken.
///
/// Where the best tag of every slot happens to form a legal path, no other can be more probable, and it is
/// returned without a search.
///
/// # Errors
/// The logits do not fit `slots` and the tag set, or one is not finite.
pub fn best_path(tag_set: &TagSet, slots: usize, logits: &[f32]) -> Result<Path, DecodeError> {
    let width = tag_set.len();
    if logits.len() != slots * width {
        return Err(DecodeError::Shape { logits: logits.len(), slots, tags: width });
    }
    if let Some(at) = logits.iter().position(|logit| !logit.is_finite()) {
        return Err(DecodeError::NotFinite { slot: at / width, tag: at % width, value: logits[at] });
    }
    let mut tags: Vec<u32> = logits.chunks_exact(width).map(best).collect();
    if !is_legal(tag_set, &tags) {
        tags = search(tag_set, logits);
    }
    let probabilities = tags.iter().zip(logits.chunks_exact(width)).map(|(tag, row)| softmax(row, *tag)).collect();
    Ok(Path { tags, probabilities })
}

fn best(row: &[f32]) -> u32 {
    let mut best = 0;
    for (tag, logit) in row.iter().enumerate() {
        if *logit > row[best] {
            best = tag;
        }
    }
    best as u32
}

fn is_legal(tag_set: &TagSet, tags: &[u32]) -> bool {
    let edge = |tag: Option<&u32>| tag.copied();
    tag_set.allows(None, edge(tags.first()))
        && tags.windows(2).all(|pair| tag_set.allows(Some(pair[0]), Some(pair[1])))
        && tag_set.allows(edge(tags.last()), None)
}

/// Probability of one tag; differences are taken in `f64`, where those of extreme `f32` logits do not overflow.
fn softmax(row: &[f32], tag: u32) -> f32 {
    let chosen = f64::from(row[tag as usize]);
    let sum: f64 = row.iter().map(|logit| (f64::from(*logit) - chosen).exp()).sum();
    (1.0 / sum) as f32
}

/// Viterbi over logits: the normalizer of a slot is the same for all of its tags, so it cannot change the path.
/// Tags with the same predecessors share one maximum, which makes a step linear in the tags of IOB2.
fn search(tag_set: &TagSet, logits: &[f32]) -> Vec<u32> {
    let width = tag_set.len();
    let (predecessors, class) = tag_set.predecessors();
    let mut rows = logits.chunks_exact(width);
    let first = rows.next().unwrap_or_default();
    let mut scores: Vec<f64> = (0..width as u32)
        .zip(first)
        .map(|(tag, logit)| if tag_set.allows(None, Some(tag)) { f64::from(*logit) } else { f64::NEG_INFINITY })
        .collect();
    let mut came_from = Vec::with_capacity(logits.len());
    let mut next = vec![0.0; width];
    let mut maxima = vec![None; predecessors.len()];
    for row in rows {
        for (maximum, list) in maxima.iter_mut().zip(predecessors) {
            *maximum = highest(list.iter().copied(), &scores);
        }
        for tag in 0..width {
            let previous = maxima[class[tag] as usize];
            next[tag] = previous.map_or(f64::NEG_INFINITY, |tag: u32| scores[tag as usize]) + f64::from(row[tag]);
            came_from.push(previous.unwrap_or_default());
        }
        std::mem::swap(&mut scores, &mut next);
    }
    let last = (0..width as u32).filter(|tag| tag_set.allows(Some(*tag), None));
    let mut tag = highest(last, &scores).expect("`O` may end every text");
    let mut tags = vec![tag];
    for step in came_from.chunks_exact(width).rev() {
        tag = step[tag as usize];
        tags.push(tag);
    }
    tags.reverse();
    tags
}

/// The candidate with the highest score, the first of equals. A set that lacks tags of its scheme may have none; a
/// path of `O` always exists, so what no path leads to never wins.
fn highest(candidates: impl Iterator<Item = u32>, scores: &[f64]) -> Option<u32> {
    candidates.reduce(|best, tag| if scores[tag as usize] > scores[best as usize] { tag } else { best })
}
