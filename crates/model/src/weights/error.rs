//! What can be wrong with a file of weights.

use std::path::PathBuf;

use safetensors::Dtype;
use thiserror::Error;

use super::refuse::HOW_TO_CONVERT;

/// Weights that cannot be opened, read or written.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum WeightsError {
    /// The operating system refused.
    #[error("{path}: {source}", path = path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The file is not sound safetensors.
    #[error("{path}: not a sound safetensors file: {fault}", path = path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// What is wrong, with the tensor's name.
        fault: Fault,
    },
    /// Pickled weights, which run code when they are opened.
    #[error("{path}: pickled weights are refused, because opening them can run code; {HOW_TO_CONVERT}", path = path.display())]
    Pickle {
        /// The pickled file.
        path: PathBuf,
    },
    /// `config.json` names Python code to be run.
    #[error(
        "{path}: `auto_map` asks to run code that comes with the model, which Nomen never does; if the architecture is \
         one that transformers itself has, load it there with `trust_remote_code=False` and save it anew with \
         `save_pretrained(FOLDER)`",
        path = path.display()
    )]
    RemoteCode {
        /// The configuration.
        path: PathBuf,
    },
    /// `config.json` or the index is not what it must be.
    #[error("{path}: {reason}", path = path.display())]
    Json {
        /// The file.
        path: PathBuf,
        /// What is wrong, and where.
        reason: String,
    },
    /// The folder holds no weights at all.
    #[error("{folder}: neither model.safetensors nor model.safetensors.index.json is in this folder", folder = folder.display())]
    NoWeights {
        /// The folder.
        folder: PathBuf,
    },
    /// The index says that a shard holds a tensor which is not there.
    #[error("{path}: says that {file} holds tensor {name:?}, which is {found}", path = path.display())]
    Index {
        /// The index.
        path: PathBuf,
        /// The tensor.
        name: String,
        /// The shard that should hold it.
        file: String,
        /// Where it is instead.
        found: String,
    },
    /// No tensor of this name.
    #[error("{path}: no tensor {name:?}{hint}", path = path.display(), hint = hint(nearest.as_deref()))]
    Missing {
        /// The file (the first one of several shards).
        path: PathBuf,
        /// The name that was asked for.
        name: String,
        /// A name that is there and looks alike.
        nearest: Option<String>,
    },
    /// The tensor has another shape.
    #[error("{path}: tensor {name:?} has shape {found:?}, expected {expected:?}", path = path.display())]
    Shape {
        /// The file.
        path: PathBuf,
        /// The tensor.
        name: String,
        /// Shape that was asked for.
        expected: Vec<usize>,
        /// Shape in the file.
        found: Vec<usize>,
    },
    /// The tensor's elements are no floating-point numbers that convert to `f32`.
    #[error("{path}: tensor {name:?} holds {found:?}; F32, F16, BF16 or F64 is expected", path = path.display())]
    NotFloat {
        /// The file.
        path: PathBuf,
        /// The tensor.
        name: String,
        /// Its element type.
        found: Dtype,
    },
    /// A buffer has another length than the tensor's shape asks for.
    #[error("tensor {name:?}: its shape asks for {expected} elements, the buffer holds {found}")]
    BufferLength {
        /// The tensor.
        name: String,
        /// Product of the shape.
        expected: usize,
        /// Length of the buffer.
        found: usize,
    },
    /// A matrix with such numbers has no 8 bits that stand for it.
    #[error("tensor {name:?} holds a number that is not finite; it cannot be stored in 8 bits")]
    NotFinite {
        /// The tensor.
        name: String,
    },
    /// Two tensors of one name cannot be saved, nor one with a name that the format keeps for itself.
    #[error("tensor {name:?} cannot be saved: {reason}")]
    Name {
        /// The tensor.
        name: String,
        /// Why.
        reason: &'static str,
    },
}

fn hint(nearest: Option<&str>) -> String {
    nearest.map(|name| format!("; the nearest is {name:?}")).unwrap_or_default()
}

/// Why a file is not sound safetensors. Names are shown shortened past 120 characters.
#[derive(Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// A matrix in 8 bits and its scales do not belong together.
    #[error("tensor {name:?} of shape {matrix:?} needs one F32 scale a row, its scales have shape {scales:?}")]
    Scales {
        /// The matrix.
        name: String,
        /// Its shape.
        matrix: Vec<usize>,
        /// The shape of its scales.
        scales: Vec<usize>,
    },
    /// The file is shorter than the 8 bytes that say how long the header is.
    #[error("{length} bytes are too few: 8 bytes that tell the length of the header come first")]
    TooShort {
        /// Length of the file in bytes.
        length: usize,
    },
    /// The header claims more bytes than the file has, or more than any model needs.
    #[error(
        "the header claims {claimed} bytes; the file has {available} after its length, and {limit} is the most that is read"
    )]
    HeaderLength {
        /// Length that the file claims.
        claimed: u64,
        /// Bytes that follow.
        available: usize,
        /// Greatest length accepted.
        limit: usize,
    },
    /// The header is not the JSON that the format asks for; the reason names the tensor where one was reached.
    #[error("the header: {reason}")]
    Header {
        /// What the JSON reader says.
        reason: String,
    },
    /// The number of elements or bytes does not fit in 64 bits, or is no whole number of bytes.
    #[error("tensor {name:?}: shape {shape} of {dtype:?} has no length in bytes (overflow, or a part of a byte)")]
    Length {
        /// The tensor.
        name: String,
        /// Its shape, shortened.
        shape: String,
        /// Its element type.
        dtype: Dtype,
    },
    /// The bytes given to the tensor are not as many as its shape asks for.
    #[error("tensor {name:?}: bytes {start}..{end} do not hold the {needed} bytes that its shape and type ask for")]
    Offsets {
        /// The tensor.
        name: String,
        /// First byte, counted from the end of the header.
        start: usize,
        /// Byte after the last.
        end: usize,
        /// Length that shape and type give.
        needed: usize,
    },
    /// The tensor reaches past the end of the file.
    #[error(
        "tensor {name:?}: its bytes end at {end}, the file's data at {available}; the file was cut or its header lies"
    )]
    PastEnd {
        /// The tensor.
        name: String,
        /// Byte after its last.
        end: usize,
        /// Bytes of data in the file.
        available: usize,
    },
    /// The tensor begins before its predecessor ends.
    #[error("tensor {name:?}: begins at byte {start}, inside tensor {previous:?}, which ends at {previous_end}")]
    Overlap {
        /// The tensor.
        name: String,
        /// Its first byte.
        start: usize,
        /// The tensor before it.
        previous: String,
        /// Byte after the last of that one.
        previous_end: usize,
    },
    /// Bytes before the tensor belong to no tensor.
    #[error("tensor {name:?}: begins at byte {start}, but the bytes from {expected} on belong to no tensor")]
    Gap {
        /// The tensor.
        name: String,
        /// Its first byte.
        start: usize,
        /// Where it should begin.
        expected: usize,
    },
    /// Bytes after the last tensor.
    #[error("{extra} bytes follow the last tensor {name:?}")]
    Trailing {
        /// The last tensor; empty where there is none.
        name: String,
        /// How many bytes.
        extra: usize,
    },
    /// Two shards hold a tensor of one name.
    #[error("tensor {name:?} is in another shard too")]
    InTwoShards {
        /// The tensor.
        name: String,
    },
}
