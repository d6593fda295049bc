//! Answers that are kept, so that a text that comes again costs nothing.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use schema::Entity;
use sha2::{Digest as _, Sha256};

use crate::app::Judged;

/// The answers to the texts that were asked for last, up to a number of them. It is two halves: when the young one is full it becomes the old
/// one, whose rest is forgotten; what is asked for again is young again. Texts themselves are not kept.
pub(crate) struct Cache {
    half: usize,
    halves: Mutex<Halves>,
}

#[derive(Default)]
struct Halves {
    young: HashMap<Key, Judged<Vec<Entity>>>,
    old: HashMap<Key, Judged<Vec<Entity>>>,
}

/// The model's number and the text's hash.
type Key = (u64, [u8; 32]);

impl Cache {
    pub fn new(texts: usize) -> Self {
        Self { half: texts.div_ceil(2), halves: Mutex::default() }
    }

    /// The answer to a text.
    pub fn get(&self, model: u64, text: &str) -> Option<Judged<Vec<Entity>>> {
        let key = key(model, text);
        let mut halves = self.halves.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(answer) = halves.young.get(&key) {
            return Some(answer.clone());
        }
        let answer = halves.old.remove(&key)?;
        self.insert(&mut halves, key, answer.clone());
        Some(answer)
    }

    /// Keeps the answer to a text.
    pub fn put(&self, model: u64, text: &str, answer: Judged<Vec<Entity>>) {
        let mut halves = self.halves.lock().unwrap_or_else(PoisonError::into_inner);
        self.insert(&mut halves, key(model, text), answer);
    }

    fn insert(&self, halves: &mut Halves, key: Key, answer: Judged<Vec<Entity>>) {
        if halves.young.len() >= self.half {
            halves.old = std::mem::take(&mut halves.young);
        }
        halves.young.insert(key, answer);
    }
}

fn key(model: u64, text: &str) -> Key {
    (model, Sha256::digest(text.as_bytes()).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_keeps_what_was_asked_for_last_and_no_more_than_its_size() {
        let cache = Cache::new(4);
        let answer = |windows| Judged { found: Vec::new(), windows };
        for text in 0..20 {
            cache.put(1, &text.to_string(), answer(text));
            assert!(cache.get(1, "0").is_some_and(|kept| kept.windows == 0), "what is asked for again stays");
        }
        assert_eq!(cache.get(1, "19").map(|kept| kept.windows), Some(19));
        assert!(cache.get(2, "19").is_none(), "another model has other answers");
        let kept = (0..20).filter(|text: &i32| cache.get(1, &text.to_string()).is_some()).count();
        assert!(kept <= 4, "{kept}");
    }
}
