//! Answers that were given before, so that nothing is asked twice.
//!
//! A line an answer: `{"request":HASH,"reply":{...}}`. It is written and made durable before the answer counts, so that
//! whoever is killed at any moment repeats at most what was under way.

use std::{
    collections::{HashMap, HashSet},
    fs::{File, OpenOptions, TryLockError},
    io::{self, BufRead as _, BufReader, Read as _, Seek as _, SeekFrom, Write as _},
    path::{Path, PathBuf},
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
};

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::Reply;

/// No answer is longer, however its letters are escaped.
const LONGEST_LINE: u64 = 128 << 20;

/// Answers by the hash of their questions, in a file or in memory alone.
#[derive(Debug)]
pub struct Cache {
    inner: Mutex<Inner>,
    /// An answer has come, or will not.
    changed: Condvar,
    path: Option<PathBuf>,
}

#[derive(Debug)]
struct Inner {
    replies: HashMap<String, Reply>,
    under_way: HashSet<String>,
    file: Option<File>,
}

/// Why the file of a cache cannot be used.
#[derive(Debug, Error)]
pub enum CacheError {
    /// The operating system refused.
    #[error("the cache {}: {error}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        error: io::Error,
    },
    /// Another process works with it.
    #[error("the cache {} is in use by another run; wait for it, or name another with --cache", path.display())]
    InUse {
        /// The file.
        path: PathBuf,
    },
    /// A line is no answer.
    #[error("the cache {}:{line}: {problem}; it is no cache, or was changed: name another with --cache", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// What is wrong.
        problem: String,
    },
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    request: String,
    reply: Reply,
}

/// What stands in the cache for a question.
pub(super) enum Place<'c> {
    /// The answer.
    Known(Reply),
    /// Nothing; whoever holds this asks, and all others wait for it.
    Free(Claim<'c>),
}

/// The right to ask a question.
pub(super) struct Claim<'c> {
    cache: &'c Cache,
    request: String,
}

impl Cache {
    /// A cache that ends with the process.
    pub fn in_memory() -> Self {
        let inner = Inner { replies: HashMap::new(), under_way: HashSet::new(), file: None };
        Self { inner: Mutex::new(inner), changed: Condvar::new(), path: None }
    }

    /// The cache in a file, which is made if it is not there. A last line that was not written to its end is cut off.
    ///
    /// # Errors
    /// The file cannot be opened, is in use, or holds a line that is no answer.
    pub fn open(path: &Path) -> Result<Self, CacheError> {
        let io = |error| CacheError::Io { path: path.to_owned(), error };
        let opened = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path);
        let mut file = opened.map_err(io)?;
        if matches!(file.try_lock(), Err(TryLockError::WouldBlock)) {
            return Err(CacheError::InUse { path: path.to_owned() });
        }
        let (mut replies, mut sound, mut number) = (HashMap::new(), 0, 0);
        let mut reader = BufReader::new(&mut file);
        let mut line = Vec::new();
        loop {
            line.clear();
            number += 1;
            (&mut reader).take(LONGEST_LINE).read_until(b'\n', &mut line).map_err(io)?;
            if line.len() as u64 == LONGEST_LINE {
                let problem = format!("the line is longer than {LONGEST_LINE} bytes");
                return Err(CacheError::Damaged { path: path.to_owned(), line: number, problem });
            }
            if line.last() != Some(&b'\n') {
                break;
            }
            let Line { request, reply } = serde_json::from_slice(&line).map_err(|error| CacheError::Damaged {
                path: path.to_owned(),
                line: number,
                problem: error.to_string(),
            })?;
            replies.insert(request, reply);
            sound += line.len() as u64;
        }
        file.set_len(sound).and_then(|()| file.seek(SeekFrom::End(0))).map_err(io)?;
        let inner = Inner { replies, under_way: HashSet::new(), file: Some(file) };
        Ok(Self { inner: Mutex::new(inner), changed: Condvar::new(), path: Some(path.to_owned()) })
    }

    /// How many answers there are.
    pub fn len(&self) -> usize {
        self.inner().replies.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether a question was answered.
    pub fn holds(&self, request: &str) -> bool {
        self.inner().replies.contains_key(request)
    }

    pub(super) fn known(&self, request: &str) -> Option<Reply> {
        self.inner().replies.get(request).cloned()
    }

    /// The answer to a question, or the right to ask it; waits while somebody else is asking.
    pub(super) fn claim(&self, request: String) -> Place<'_> {
        let mut inner = self.inner();
        loop {
            if let Some(reply) = inner.replies.get(&request) {
                return Place::Known(reply.clone());
            }
            if inner.under_way.insert(request.clone()) {
                return Place::Free(Claim { cache: self, request });
            }
            inner = self.changed.wait(inner).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Keeps an answer; it is durable when this returns.
    pub(super) fn keep(&self, request: String, reply: Reply) -> Result<(), CacheError> {
        let mut inner = self.inner();
        if let (Some(file), Some(path)) = (&mut inner.file, &self.path) {
            let io = |error: io::Error| CacheError::Io { path: path.clone(), error };
            let line = Line { request: request.clone(), reply: reply.clone() };
            let mut bytes = serde_json::to_vec(&line).map_err(|error| io(error.into()))?;
            bytes.push(b'\n');
            let end = file.stream_position().map_err(io)?;
            if let Err(error) = file.write_all(&bytes).and_then(|()| file.sync_data()) {
                // What was written in part must not stand before the next line.
                let _ = file.set_len(end).and_then(|()| file.seek(SeekFrom::Start(end)));
                return Err(io(error));
            }
        }
        inner.replies.insert(request, reply);
        Ok(())
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Claim<'_> {
    /// Keeps the answer.
    pub(super) fn answered(self, reply: Reply) -> Result<(), CacheError> {
        self.cache.keep(self.request.clone(), reply)
    }
}

impl Drop for Claim<'_> {
    fn drop(&mut self) {
        self.cache.inner().under_way.remove(&self.request);
        self.cache.changed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::suggest::llm::Finish;

    fn reply(content: &str) -> Reply {
        Reply { content: content.into(), finish: Finish::Stop, usage: None }
    }

    #[test]
    fn answers_survive_and_a_torn_line_is_cut_off_wherever_it_tears() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("cache.jsonl");
        let cache = Cache::open(&path).unwrap();
        cache.keep("a".into(), reply("one\n😀")).unwrap();
        let first = fs::read(&path).unwrap();
        cache.keep("b".into(), reply("two")).unwrap();
        assert!(matches!(Cache::open(&path), Err(CacheError::InUse { .. })));
        drop(cache);
        let both = fs::read(&path).unwrap();
        for length in first.len()..both.len() {
            fs::write(&path, &both[..length]).unwrap();
            let cache = Cache::open(&path).unwrap();
            assert_eq!((cache.len(), cache.known("a")), (1, Some(reply("one\n😀"))));
            cache.keep("b".into(), reply("two")).unwrap();
            drop(cache);
            assert_eq!(fs::read(&path).unwrap(), both);
        }
    }

    #[test]
    fn a_file_that_is_no_cache_is_left_as_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("texts.jsonl");
        fs::write(&path, "{\"text\":\"mine\"}\n").unwrap();
        let error = Cache::open(&path).unwrap_err().to_string();
        assert!(error.contains("texts.jsonl:1"), "{error}");
        assert_eq!(fs::read_to_string(&path).unwrap(), "{\"text\":\"mine\"}\n");
    }

    #[test]
    fn an_answer_that_cannot_be_kept_does_not_count() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("cache.jsonl");
        let cache = Cache::open(&path).unwrap();
        cache.inner().file = Some(File::open(&path).unwrap());
        assert!(matches!(cache.keep("a".into(), reply("x")), Err(CacheError::Io { .. })));
        assert_eq!(cache.known("a"), None);
    }

    #[test]
    fn one_asks_and_the_others_wait_for_the_answer() {
        let cache = Cache::in_memory();
        let asked = Mutex::new(0);
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| match cache.claim("q".into()) {
                    Place::Known(known) => assert_eq!(known, reply("x")),
                    Place::Free(claim) => {
                        *asked.lock().unwrap() += 1;
                        std::thread::sleep(std::time::Duration::from_millis(20));
                        claim.answered(reply("x")).unwrap();
                    }
                });
            }
        });
        assert_eq!(*asked.lock().unwrap(), 1);
    }
}
