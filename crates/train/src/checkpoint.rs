//! Checkpoints: everything that a run needs to go on as if it had never stopped.
//!
//! A checkpoint is a folder with the weights and moments in one safetensors file, the rest in `checkpoint.json`, and
//! the sums of both in `SHA256SUMS`, which `sha256sum --check` reads too. It appears under its name only when it is
//! whole. The two newest are kept: one whose bytes have changed since is passed over.

use std::{
    fs,
    io::{self, Read, Write},
    path::{Path, PathBuf},
};

use engine::{Parameters, optimizer::Adamw};
use model::{bundle::replace_folder, weights, weights::Weights};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use thiserror::Error;

use crate::{Difference, Fit, Identity, State};

const TENSORS_FILE: &str = "state.safetensors";
const MANIFEST_FILE: &str = "checkpoint.json";
const SUMS_FILE: &str = "SHA256SUMS";
/// Beginnings of the names that checkpoints bear until they are whole.
pub(crate) const UNFINISHED: &str = ".writing-";
const FORMAT: u32 = 1;
/// Checkpoints that stay.
const KEPT: usize = 2;

/// The checkpoints of a run.
#[derive(Debug, Clone)]
pub struct Checkpoints {
    folder: PathBuf,
}

/// `checkpoint.json`.
#[derive(Debug, Serialize, Deserialize)]
struct Manifest {
    format: u32,
    state: State,
    identity: Identity,
}

/// Why a checkpoint could not be written or read.
#[derive(Debug, Error)]
pub enum CheckpointError {
    /// A file could not be written or read.
    #[error("{path}: {error}")]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        error: io::Error,
    },
    /// The tensors could not be written or read.
    #[error(transparent)]
    Weights(#[from] weights::WeightsError),
    /// There is none to go on from.
    #[error("{0}: there is no checkpoint to resume from; start without --resume")]
    None(PathBuf),
    /// There are some, and all are damaged.
    #[error("{folder}: no checkpoint can be used:\n  {}", damage.join("\n  "))]
    Damaged {
        /// Where they lie.
        folder: PathBuf,
        /// What is wrong with each.
        damage: Vec<String>,
    },
    /// The run has changed.
    #[error(
        "{path}: the run that was begun here is another one; put back what differs, or start anew with another --out:\n  {}",
        differences.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n  ")
    )]
    Changed {
        /// The checkpoint, or the events of a run that has none yet.
        path: PathBuf,
        /// What has changed.
        differences: Vec<Difference>,
    },
}

/// What [`Checkpoints::resume`] found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resumed {
    /// The step that the run goes on from.
    pub step: u64,
    /// Newer checkpoints that were passed over, and why.
    pub damaged: Vec<String>,
}

impl Checkpoints {
    /// The checkpoints in a folder, which need not exist yet.
    pub fn new(folder: PathBuf) -> Self {
        Self { folder }
    }

    /// Whether there is anything to resume from.
    pub fn exist(&self) -> bool {
        self.newest_first().is_ok_and(|found| !found.is_empty())
    }

    /// Writes a checkpoint and removes all but the newest.
    ///
    /// # Errors
    /// A file cannot be written. Earlier checkpoints are then untouched.
    pub fn save(&self, fit: &mut Fit, identity: &Identity) -> Result<(), CheckpointError> {
        let io = |path: &Path| {
            let path = path.to_owned();
            move |error| CheckpointError::Io { path, error }
        };
        fs::create_dir_all(&self.folder).map_err(io(&self.folder))?;
        let beside = tempfile::Builder::new().prefix(UNFINISHED).tempdir_in(&self.folder).map_err(io(&self.folder))?;
        let state = fit.state();
        let (parameters, optimizer) = fit.progress();
        let tensors = tensors(parameters, optimizer);
        let tensors = tensors.iter().map(|(name, shape, values)| (name.as_str(), &shape[..], *values));
        weights::save(&beside.path().join(TENSORS_FILE), tensors)?;
        let manifest = Manifest { format: FORMAT, state, identity: identity.clone() };
        let path = beside.path().join(MANIFEST_FILE);
        let json = serde_json::to_vec_pretty(&manifest).map_err(|error| io(&path)(error.into()))?;
        write_synced(&path, &json).map_err(io(&path))?;
        let path = beside.path().join(SUMS_FILE);
        let sums = sums(beside.path()).map_err(io(beside.path()))?;
        write_synced(&path, sums.as_bytes()).map_err(io(&path))?;
        let name = self.folder.join(format!("step-{:08}", state.step));
        replace_folder(beside.path(), &name).map_err(io(&name))?;
        self.remove_outdated(&name);
        Ok(())
    }

    /// Leaves a checkpoint and the one before it. One that cannot be removed costs room, nothing else.
    fn remove_outdated(&self, newest: &Path) {
        let mut found = self.newest_first().unwrap_or_default();
        // A run that goes on from an older checkpoint has passed the newer ones over, because they are damaged.
        let damaged = found.iter().take_while(|path| path.as_path() > newest).count();
        let kept = damaged..found.len().min(damaged + KEPT);
        found.drain(kept);
        for path in found {
            let _ = fs::remove_dir_all(path);
        }
    }

    /// Puts a run where its newest whole checkpoint was.
    ///
    /// # Errors
    /// There is none, all are damaged, or the run is another one.
    pub fn resume(&self, fit: &mut Fit, identity: &Identity) -> Result<Resumed, CheckpointError> {
        let found = self.newest_first().map_err(|error| CheckpointError::Io { path: self.folder.clone(), error })?;
        if found.is_empty() {
            return Err(CheckpointError::None(self.folder.clone()));
        }
        let mut damaged = Vec::new();
        for path in found {
            match read(&path) {
                Ok((manifest, tensors)) => {
                    let differences = manifest.identity.differences(identity);
                    if !differences.is_empty() {
                        return Err(CheckpointError::Changed { path, differences });
                    }
                    restore(fit, manifest.state, &tensors)?;
                    return Ok(Resumed { step: manifest.state.step, damaged });
                }
                Err(problem) => damaged.push(format!("{}: {problem}", path.display())),
            }
        }
        Err(CheckpointError::Damaged { folder: self.folder.clone(), damage: damaged })
    }

    fn newest_first(&self) -> io::Result<Vec<PathBuf>> {
        let entries = match fs::read_dir(&self.folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(error),
        };
        let paths: io::Result<Vec<PathBuf>> = entries.map(|entry| Ok(entry?.path())).collect();
        let is_checkpoint =
            |path: &PathBuf| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("step-"));
        let mut found: Vec<PathBuf> = paths?.into_iter().filter(is_checkpoint).collect();
        found.sort_unstable_by(|a, b| b.cmp(a));
        Ok(found)
    }
}

/// Weights and moments by name. Names carry the parameter's number: the order of parameters is part of the format.
fn tensors<'f>(parameters: &'f Parameters, optimizer: &'f Adamw) -> Vec<(String, [usize; 1], &'f [f32])> {
    let mut tensors = Vec::new();
    for (index, parameter) in parameters.iter().enumerate() {
        tensors.push((format!("weights.{index}"), [parameter.values.len()], &parameter.values[..]));
    }
    for (index, moments) in optimizer.moments().enumerate() {
        for (name, moment) in ["first", "second"].iter().zip(moments) {
            tensors.push((format!("{name}.{index}"), [moment.len()], &moment[..]));
        }
    }
    tensors
}

fn restore(fit: &mut Fit, state: State, tensors: &Weights) -> Result<(), weights::WeightsError> {
    let fill = |name: String, target: &mut [f32]| tensors.read_f32(&name, &[target.len()], target);
    fit.restore(
        state,
        |index, target| fill(format!("weights.{index}"), target),
        |index, moment, target| fill(format!("{}.{index}", ["first", "second"][moment]), target),
    )
}

/// A checkpoint's manifest and tensors, if both are as they were written.
fn read(path: &Path) -> Result<(Manifest, Weights), String> {
    let noted = fs::read(path.join(SUMS_FILE)).map_err(|error| format!("{SUMS_FILE}: {error}"))?;
    let found = sums(path).map_err(|error| error.to_string())?;
    if noted != found.as_bytes() {
        let noted = String::from_utf8_lossy(&noted);
        return Err(format!(
            "{SUMS_FILE} does not fit the files: it has {:?}, they have {:?}",
            noted.trim_end(),
            found.trim_end()
        ));
    }
    let manifest = fs::read(path.join(MANIFEST_FILE)).map_err(|error| format!("{MANIFEST_FILE}: {error}"))?;
    let manifest: Manifest = serde_json::from_slice(&manifest).map_err(|error| format!("{MANIFEST_FILE}: {error}"))?;
    if manifest.format != FORMAT {
        return Err(format!("format {} is not one that this version reads ({FORMAT})", manifest.format));
    }
    let tensors = Weights::open(&path.join(TENSORS_FILE)).map_err(|error| error.to_string())?;
    Ok((manifest, tensors))
}

/// The text of [`SUMS_FILE`].
fn sums(folder: &Path) -> io::Result<String> {
    let line = |name| Ok(format!("{}  {name}\n", sum(&folder.join(name))?));
    [MANIFEST_FILE, TENSORS_FILE].into_iter().map(line).collect()
}

fn sum(path: &Path) -> io::Result<String> {
    let mut hasher = Sha256::new();
    let mut file = fs::File::open(path)?;
    let mut block = vec![0; 1 << 20];
    loop {
        match file.read(&mut block)? {
            0 => break,
            read => hasher.update(&block[..read]),
        }
    }
    Ok(hasher.finalize().iter().fold(String::with_capacity(64), |digits, byte| digits + &format!("{byte:02x}")))
}

fn write_synced(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = fs::File::create(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}
