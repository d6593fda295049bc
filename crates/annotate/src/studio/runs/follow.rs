//! A run's events while they come.

use std::{
    collections::VecDeque,
    convert::Infallible,
    fs::File,
    io::{Read as _, Seek as _, SeekFrom},
    path::{Path, PathBuf},
    time::Duration,
};

use axum::response::sse::Event;
use futures_util::{Stream, stream};
use store::{RunId, RunState, Store};
use tokio::sync::watch;

/// Between two looks at the file.
const TICK: Duration = Duration::from_millis(400);
/// Bytes that are read at once.
const CHUNK: u64 = 1 << 20;

/// What is followed, and how far it was read.
struct Followed {
    store: Store,
    run: RunId,
    lines: Lines,
    ready: VecDeque<String>,
    stop: watch::Receiver<bool>,
    is_over: bool,
}

/// The lines of a file that grows.
struct Lines {
    path: PathBuf,
    offset: u64,
    rest: Vec<u8>,
}

/// Every event of a run so far, then those that come, each as a message of its own; an event `over` when the run has ended.
pub fn follow(
    store: Store,
    run: RunId,
    folder: &Path,
    stop: watch::Receiver<bool>,
) -> impl Stream<Item = Result<Event, Infallible>> + use<> {
    let lines = Lines { path: folder.join("run/events.jsonl"), offset: 0, rest: Vec::new() };
    let followed = Followed { store, run, lines, ready: VecDeque::new(), stop, is_over: false };
    stream::unfold(followed, |mut followed| async move {
        let event = followed.next().await?;
        Some((Ok(event), followed))
    })
}

impl Followed {
    async fn next(&mut self) -> Option<Event> {
        loop {
            if let Some(line) = self.ready.pop_front() {
                return Some(Event::default().data(line));
            }
            if self.is_over || *self.stop.borrow() {
                return None;
            }
            // Asked before the file is read: what a run that has ended left is all there then.
            let state = self.store.run(self.run).await.map(|run| run.state);
            self.ready.extend(self.lines.more());
            if !self.ready.is_empty() {
                continue;
            }
            match state {
                Ok(RunState::Running) => tokio::select! {
                    () = tokio::time::sleep(TICK) => {}
                    _ = self.stop.wait_for(|stop| *stop) => {}
                },
                Ok(state) => {
                    self.is_over = true;
                    return Some(Event::default().event("over").data(state.as_str()));
                }
                Err(_) => return None,
            }
        }
    }
}

impl Lines {
    /// The whole lines that have come since the last look.
    fn more(&mut self) -> Vec<String> {
        let mut read = || -> std::io::Result<()> {
            let mut file = File::open(&self.path)?;
            if file.metadata()?.len() < self.offset {
                // The run was gone on with from an earlier step.
                (self.offset, self.rest) = (0, Vec::new());
            }
            file.seek(SeekFrom::Start(self.offset))?;
            self.offset += file.take(CHUNK).read_to_end(&mut self.rest)? as u64;
            Ok(())
        };
        // A run that has not begun yet has no file.
        let _ = read();
        let Some(end) = self.rest.iter().rposition(|byte| *byte == b'\n') else { return Vec::new() };
        let whole: Vec<u8> = self.rest.drain(..=end).collect();
        let lines = whole.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
        lines.map(|line| String::from_utf8_lossy(line).replace('\r', "")).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, io::Write as _};

    use super::*;

    #[test]
    fn lines_come_whole_and_once() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("events.jsonl");
        let mut lines = Lines { path: path.clone(), offset: 0, rest: Vec::new() };
        assert!(lines.more().is_empty());
        fs::write(&path, "{\"a\":1}\n{\"b\"").unwrap();
        assert_eq!(lines.more(), ["{\"a\":1}"]);
        assert!(lines.more().is_empty());
        File::options().append(true).open(&path).unwrap().write_all(b":2}\n{\"c\":3}\n").unwrap();
        assert_eq!(lines.more(), ["{\"b\":2}", "{\"c\":3}"]);
        fs::write(&path, "{\"d\":4}\n").unwrap();
        assert_eq!(lines.more(), ["{\"d\":4}"]);
    }
}
