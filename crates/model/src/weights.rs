//! Weights of a model folder: `model.safetensors`, or the shards that `model.safetensors.index.json` names.
//!
//! A file of weights is untrusted input. The [safetensors format](https://github.com/huggingface/safetensors#format)
//! holds nothing but numbers, and its header is checked completely before any tensor is given out: every tensor lies
//! inside the file, has the length that its shape and type ask for, and neither overlaps a neighbour nor leaves a gap.
//! Formats that can run code when opened (pickle: `.bin`, `.pt`, `.pkl`) are refused with the way out.

mod convert;
mod error;
mod header;
mod map;
mod quantized;
mod refuse;
mod save;
mod shards;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use engine::SharedFloats;
use memmap2::Mmap;
pub use safetensors::Dtype;

pub use error::{Fault, WeightsError};
pub use header::{MAX_HEADER_BYTES, MAX_TENSORS};
pub use quantized::save_quantized;
pub use refuse::{HOW_TO_CONVERT, is_pickle, refuse_remote_code};
pub use save::save;
pub(crate) use shards::Index;

/// Name of the weights file in a model folder.
pub const WEIGHTS_FILE: &str = "model.safetensors";
/// Name of the weights file where matrices are stored in 8 bits.
pub const QUANTIZED_FILE: &str = "nomen-int8.safetensors";
/// Name of the file that tells which shard holds which tensor.
pub const INDEX_FILE: &str = "model.safetensors.index.json";

/// The tensors of a model, read from memory-mapped files.
pub struct Weights {
    shards: Vec<Shard>,
    tensors: BTreeMap<String, Entry>,
}

struct Shard {
    path: PathBuf,
    bytes: Arc<Mmap>,
}

struct Entry {
    shard: usize,
    dtype: Dtype,
    shape: Vec<usize>,
    /// Bytes of the shard's file.
    range: Range<usize>,
    /// Bytes of the shard's file where a matrix in 8 bits has its scales.
    scales: Option<Range<usize>>,
}

/// Name, element type and shape of one tensor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TensorInfo<'a> {
    /// Name, for example `encoder.layer.0.attention.self.query.weight`.
    pub name: &'a str,
    /// Type of the elements in the file.
    pub dtype: Dtype,
    /// Length of each dimension, outermost first; empty for a scalar.
    pub shape: &'a [usize],
}

impl Weights {
    /// Opens the weights of a model folder, or one `.safetensors` file.
    ///
    /// # Errors
    /// No safetensors weights are there (a folder that has pickled weights only is told how to convert them),
    /// `config.json` asks for code of its own (`auto_map`), a file cannot be read, or a header is not sound.
    pub fn open(path: &Path) -> Result<Self, WeightsError> {
        if !path.is_dir() {
            if is_pickle(path) {
                return Err(WeightsError::Pickle { path: path.to_owned() });
            }
            return Self::open_files(&[path.to_owned()]);
        }
        refuse_remote_code(&path.join("config.json"))?;
        let single = path.join(WEIGHTS_FILE);
        if single.exists() {
            return Self::open_files(&[single]);
        }
        let index_path = path.join(INDEX_FILE);
        if index_path.exists() {
            let index = Index::read(&index_path)?;
            let weights = Self::open_files(&index.files(path))?;
            index.check(&index_path, |name| {
                weights.tensors.get(name).and_then(|entry| weights.shards[entry.shard].path.file_name()?.to_str())
            })?;
            return Ok(weights);
        }
        let quantized = path.join(QUANTIZED_FILE);
        if quantized.exists() {
            return Self::open_files(&[quantized]);
        }
        Err(refuse::without_safetensors(path))
    }

    fn open_files(paths: &[PathBuf]) -> Result<Self, WeightsError> {
        let mut shards = Vec::with_capacity(paths.len());
        let mut tensors = BTreeMap::new();
        for (shard, path) in paths.iter().enumerate() {
            let bytes = map::map(path)?;
            let malformed = |fault| WeightsError::Malformed { path: path.clone(), fault };
            let header = header::parse(&bytes).map_err(malformed)?;
            for (name, info) in header.tensors {
                let (start, end) = info.data_offsets;
                let range = header.data_start + start..header.data_start + end;
                let entry = Entry { shard, dtype: info.dtype, shape: info.shape, range, scales: None };
                if tensors.contains_key(&name) {
                    return Err(malformed(Fault::InTwoShards { name: header::short(&name) }));
                }
                tensors.insert(name, entry);
            }
            shards.push(Shard { path: path.clone(), bytes: Arc::new(bytes) });
        }
        quantized::join_scales(&mut tensors).map_err(|(shard, fault)| {
            let path: &PathBuf = &paths[shard];
            WeightsError::Malformed { path: path.clone(), fault }
        })?;
        Ok(Self { shards, tensors })
    }

    /// Whether matrices are stored in 8 bits.
    pub fn are_quantized(&self) -> bool {
        self.tensors.values().any(|entry| entry.scales.is_some())
    }

    /// Every tensor, sorted by name.
    pub fn tensors(&self) -> impl ExactSizeIterator<Item = TensorInfo<'_>> {
        self.tensors.iter().map(|(name, entry)| TensorInfo { name, dtype: entry.dtype, shape: &entry.shape })
    }

    /// The tensor's type and shape, if there is one of that name.
    pub fn get(&self, name: &str) -> Option<TensorInfo<'_>> {
        let (name, entry) = self.tensors.get_key_value(name)?;
        Some(TensorInfo { name, dtype: entry.dtype, shape: &entry.shape })
    }

    /// The elements as `f32`, in row-major order; `shape` is the shape that the caller expects. Borrowed from the
    /// mapped file where it holds aligned `f32`; converted from F16, BF16, F64 (rounded to nearest) or 8 bits otherwise.
    ///
    /// # Errors
    /// There is no such tensor, it has another shape, or its elements are not floating-point numbers.
    pub fn f32(&self, name: &str, shape: &[usize]) -> Result<Cow<'_, [f32]>, WeightsError> {
        let (entry, bytes) = self.checked(name, shape)?;
        if let Some(floats) = convert::borrowed(entry.dtype, bytes) {
            return Ok(Cow::Borrowed(floats));
        }
        let mut out = vec![0.0; shape.iter().product()];
        self.fill(entry, &mut out);
        Ok(Cow::Owned(out))
    }

    /// Like [`Weights::f32`], into `out`, whose length is the product of `shape`.
    ///
    /// # Errors
    /// As [`Weights::f32`]; also where `out` has another length.
    pub fn read_f32(&self, name: &str, shape: &[usize], out: &mut [f32]) -> Result<(), WeightsError> {
        let (entry, _) = self.checked(name, shape)?;
        let expected = shape.iter().product();
        if out.len() != expected {
            return Err(WeightsError::BufferLength { name: name.to_owned(), expected, found: out.len() });
        }
        self.fill(entry, out);
        Ok(())
    }

    fn fill(&self, entry: &Entry, out: &mut [f32]) {
        let file = &self.shards[entry.shard].bytes;
        let bytes = &file[entry.range.clone()];
        match &entry.scales {
            Some(scales) => quantized::fill(bytes, &file[scales.clone()], out),
            None => convert::fill(entry.dtype, bytes, out),
        }
    }

    /// Like [`Weights::f32`], as floats that outlive these weights; `None` where the file does not hold aligned `f32`.
    ///
    /// # Errors
    /// As [`Weights::f32`].
    pub fn shared_f32(&self, name: &str, shape: &[usize]) -> Result<Option<SharedFloats>, WeightsError> {
        let (Entry { dtype, shard, range, .. }, bytes) = self.checked(name, shape)?;
        if convert::borrowed(*dtype, bytes).is_none() {
            return Ok(None);
        }
        Ok(Some(Arc::new(Mapped { bytes: Arc::clone(&self.shards[*shard].bytes), range: range.clone() })))
    }

    fn checked(&self, name: &str, shape: &[usize]) -> Result<(&Entry, &[u8]), WeightsError> {
        let Some(entry) = self.tensors.get(name) else {
            return Err(WeightsError::Missing {
                path: self.shards.first().map(|shard| shard.path.clone()).unwrap_or_default(),
                name: name.to_owned(),
                nearest: nearest(name, self.tensors.keys()),
            });
        };
        let shard = &self.shards[entry.shard];
        if entry.shape != shape {
            return Err(WeightsError::Shape {
                path: shard.path.clone(),
                name: name.to_owned(),
                expected: shape.to_vec(),
                found: entry.shape.clone(),
            });
        }
        if !convert::is_float(entry.dtype) && entry.scales.is_none() {
            return Err(WeightsError::NotFloat { path: shard.path.clone(), name: name.to_owned(), found: entry.dtype });
        }
        Ok((entry, &shard.bytes[entry.range.clone()]))
    }
}

/// Floats of a mapped file, which keep it mapped.
struct Mapped {
    bytes: Arc<Mmap>,
    /// Seen to be aligned floats.
    range: Range<usize>,
}

impl AsRef<[f32]> for Mapped {
    fn as_ref(&self) -> &[f32] {
        bytemuck::cast_slice(&self.bytes[self.range.clone()])
    }
}

/// The name most like `wanted`, where one is near enough to be a misspelling or another prefix.
fn nearest<'a>(wanted: &str, names: impl Iterator<Item = &'a String>) -> Option<String> {
    names
        .map(|name| (strsim::normalized_levenshtein(wanted, name), name))
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .filter(|(likeness, _)| *likeness > 0.6)
        .map(|(_, name)| name.clone())
}
