//! The process of a run: one that this studio started, or one that a studio before it left behind.

use std::{
    fs::{self, File},
    io,
    path::Path,
    process::{Child, Command, Stdio},
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use serde::{Deserialize, Serialize};
use store::RunState;

use super::events;
use crate::queue::Order;

/// Between two looks whether a process has ended.
pub const TICK: Duration = Duration::from_millis(200);
/// Characters of a failed process's last words that are kept.
const SAID: usize = 2_000;
/// Where a run's folder says which process it is.
const FILE: &str = "process.json";

/// A process that goes on.
pub struct Going {
    process: Mutex<Process>,
    is_asked_to_leave: AtomicBool,
}

enum Process {
    Child(Child),
    /// Another studio's, which is gone.
    Found(Known),
}

/// What became of a process.
enum Look {
    GoesOn,
    Done,
    Failed(String),
}

/// A process by what tells it from all others: its number is given to another one after its end, but not at the same moment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Known {
    process: u32,
    /// When it began, in ticks since the system was started.
    begun: u64,
    /// The order that is wanted of the queue.
    order: Option<String>,
}

impl Known {
    /// What tells this process; `None` where the system does not say.
    pub fn of(child: &Child, order: Option<Order>) -> Option<Self> {
        let process = child.id();
        Some(Self { process, begun: begun(process)?, order: order.map(|order| order.as_str().to_owned()) })
    }

    /// Leaves it in a run's folder.
    pub fn write(&self, folder: &Path) -> io::Result<()> {
        fs::write(folder.join(FILE), serde_json::to_vec(self)?)
    }

    /// What a run's folder says.
    pub fn read(folder: &Path) -> Option<Self> {
        serde_json::from_slice(&fs::read(folder.join(FILE)).ok()?).ok()
    }

    /// Whether this very process goes on.
    pub fn is_alive(&self) -> bool {
        begun(self.process) == Some(self.begun)
    }

    /// The order that is wanted of the queue.
    pub fn order(&self) -> Option<Order> {
        self.order.as_ref()?.parse().ok()
    }
}

/// When a process began that is neither gone nor waiting to be noticed: field 22 of `/proc/N/stat` (proc(5)). The name before it
/// may have blanks and brackets.
fn begun(process: u32) -> Option<u64> {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace();
    let state = fields.next()?;
    if matches!(state, "Z" | "X") { None } else { fields.nth(18)?.parse().ok() }
}

impl Going {
    /// One that this studio started.
    pub fn of(child: Child) -> Self {
        Self { process: Mutex::new(Process::Child(child)), is_asked_to_leave: AtomicBool::new(false) }
    }

    /// One that another studio started.
    pub fn found(known: Known) -> Self {
        Self { process: Mutex::new(Process::Found(known)), is_asked_to_leave: AtomicBool::new(false) }
    }

    /// The next process of the same run.
    pub fn goes_on_as(&self, child: Child) {
        *self.process.lock().unwrap_or_else(PoisonError::into_inner) = Process::Child(child);
        // Somebody may have asked when one process was gone and the next was not there yet.
        if self.is_asked_to_leave.load(Ordering::Relaxed) {
            self.leave();
        }
    }

    /// Waits for its end; what became of it, and what it said.
    pub async fn ended(&self, folder: &Path) -> (RunState, String) {
        loop {
            match self.look(folder) {
                Look::GoesOn => tokio::time::sleep(TICK).await,
                _ if self.is_asked_to_leave.load(Ordering::Relaxed) => return (RunState::Stopped, String::new()),
                Look::Done => return (RunState::Finished, String::new()),
                Look::Failed(problem) => return (RunState::Failed, format!("{problem}\n{}", said(folder))),
            }
        }
    }

    fn look(&self, folder: &Path) -> Look {
        match &mut *self.process.lock().unwrap_or_else(PoisonError::into_inner) {
            Process::Child(child) => match child.try_wait() {
                Ok(None) => Look::GoesOn,
                Ok(Some(status)) if status.success() => Look::Done,
                Ok(Some(status)) => Look::Failed(status.to_string()),
                Err(error) => Look::Failed(error.to_string()),
            },
            Process::Found(known) if known.is_alive() => Look::GoesOn,
            // Its status went to the studio that is gone.
            Process::Found(_) if has_ended(folder) => Look::Done,
            Process::Found(_) => Look::Failed("it ended before its work was done".to_owned()),
        }
    }

    /// Asks the process to leave as a service manager does; `nomen train` saves a checkpoint then.
    pub fn leave(&self) {
        self.is_asked_to_leave.store(true, Ordering::Relaxed);
        let mut process = self.process.lock().unwrap_or_else(PoisonError::into_inner);
        let number = match &mut *process {
            Process::Child(child) => matches!(child.try_wait(), Ok(None)).then(|| child.id()),
            Process::Found(known) => known.is_alive().then_some(known.process),
        };
        #[cfg(unix)]
        if let Some(number) = number.and_then(|number| rustix::process::Pid::from_raw(number.cast_signed())) {
            let _ = rustix::process::kill_process(number, rustix::process::Signal::TERM);
        }
        #[cfg(not(unix))]
        if let (Some(_), Process::Child(child)) = (number, &mut *process) {
            let _ = child.kill();
        }
    }

    /// Ends it without asking. One that another studio started goes on.
    pub fn kill(&self) {
        if let Process::Child(child) = &mut *self.process.lock().unwrap_or_else(PoisonError::into_inner) {
            let _ = child.kill();
        }
    }
}

/// Whether a run's events say that it came to its end.
pub fn has_ended(folder: &Path) -> bool {
    events(folder).iter().any(|event| event["event"] == "end")
}

/// The last words of a run's processes.
fn said(folder: &Path) -> String {
    let said = fs::read(folder.join("log.txt")).unwrap_or_default();
    let said = String::from_utf8_lossy(&said);
    let from = said.char_indices().rev().nth(SAID - 1).map_or(0, |(at, _)| at);
    said[from..].to_owned()
}

/// Starts a process; what it says goes to `log.txt`.
pub fn spawn(command: &[String], folder: &Path, out: Stdio) -> io::Result<Child> {
    let [program, words @ ..] = command else { return Err(io::ErrorKind::InvalidInput.into()) };
    let log = File::options().create(true).append(true).open(folder.join("log.txt"))?;
    Command::new(program).args(words).stdin(Stdio::null()).stdout(out).stderr(log).spawn()
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn a_process_is_known_again_until_it_ends_and_another_is_not_taken_for_it() {
        let folder = tempfile::tempdir().unwrap();
        let mut child = Command::new("sleep").arg("60").spawn().unwrap();
        let known = Known::of(&child, Some(Order::Mixed)).unwrap();
        known.write(folder.path()).unwrap();
        let read = Known::read(folder.path()).unwrap();
        assert_eq!((&read, read.order()), (&known, Some(Order::Mixed)));
        assert!(read.is_alive());
        assert!(!Known { begun: read.begun + 1, ..read.clone() }.is_alive(), "its number at another moment");
        child.kill().unwrap();
        // Gone, but not waited for yet.
        while begun(child.id()).is_some() {
            std::thread::sleep(Duration::from_millis(5));
        }
        assert!(!read.is_alive());
        child.wait().unwrap();
        assert!(!read.is_alive());
    }
}
