//! Writing `model.safetensors`.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use safetensors::Dtype;
use safetensors::tensor::TensorInfo;
use serde::{Serialize, Serializer, ser::SerializeMap};

use super::error::WeightsError;

/// Writes `(name, shape, elements)` as `f32` into `path`, sorted by name, with the metadata that transformers asks for.
///
/// The same tensors give the same bytes, in whatever order they come. The file is written beside, synced and renamed,
/// so that `path` holds the old or the new weights and nothing between, and a mapping of the old ones stays valid.
///
/// # Errors
/// A name comes twice, a shape does not fit the elements, or the file cannot be written.
pub fn save<'a>(
    path: &Path,
    tensors: impl IntoIterator<Item = (&'a str, &'a [usize], &'a [f32])>,
) -> Result<(), WeightsError> {
    let borrowed = |(name, shape, elements): (&'a str, &'a [usize], &'a [f32])| {
        (Cow::Borrowed(name), shape.to_vec(), Elements::F32(Cow::Borrowed(elements)))
    };
    write_file(path, tensors.into_iter().map(borrowed))
}

/// What a tensor of a written file holds.
pub(super) enum Elements<'a> {
    F32(Cow<'a, [f32]>),
    I8(Vec<i8>),
}

impl Elements<'_> {
    fn dtype(&self) -> Dtype {
        match self {
            Self::F32(_) => Dtype::F32,
            Self::I8(_) => Dtype::I8,
        }
    }

    fn count(&self) -> usize {
        match self {
            Self::F32(floats) => floats.len(),
            Self::I8(integers) => integers.len(),
        }
    }

    fn bytes(&self) -> usize {
        self.count() * self.dtype().bitsize() / 8
    }
}

/// Writes tensors of any type; otherwise as [`save`].
pub(super) fn write_file<'a>(
    path: &Path,
    tensors: impl IntoIterator<Item = (Cow<'a, str>, Vec<usize>, Elements<'a>)>,
) -> Result<(), WeightsError> {
    let tensors = sorted(tensors)?;
    let beside = Beside::new(path);
    let io = |source| WeightsError::Io { path: beside.0.clone(), source };
    let mut out = BufWriter::with_capacity(1 << 20, File::create(&beside.0).map_err(io)?);
    write(&mut out, &tensors).map_err(io)?;
    out.into_inner().map_err(|error| io(error.into_error()))?.sync_all().map_err(io)?;
    std::fs::rename(&beside.0, path).map_err(|source| WeightsError::Io { path: path.to_owned(), source })?;
    #[cfg(unix)]
    {
        let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        File::open(parent).and_then(|folder| folder.sync_all()).map_err(io)?;
    }
    Ok(())
}

type Sorted<'a> = BTreeMap<Cow<'a, str>, (Vec<usize>, Elements<'a>)>;

fn sorted<'a>(
    tensors: impl IntoIterator<Item = (Cow<'a, str>, Vec<usize>, Elements<'a>)>,
) -> Result<Sorted<'a>, WeightsError> {
    let mut sorted = BTreeMap::new();
    for (name, shape, elements) in tensors {
        let expected =
            shape.iter().try_fold(1, |product: usize, &side| product.checked_mul(side)).unwrap_or(usize::MAX);
        let found = elements.count();
        if found != expected {
            return Err(WeightsError::BufferLength { name: name.into_owned(), expected, found });
        }
        if name == "__metadata__" {
            return Err(WeightsError::Name {
                name: name.into_owned(),
                reason: "the format keeps this name for itself",
            });
        }
        if sorted.insert(name.clone(), (shape, elements)).is_some() {
            return Err(WeightsError::Name { name: name.into_owned(), reason: "it comes twice" });
        }
    }
    Ok(sorted)
}

fn write(out: &mut impl Write, tensors: &Sorted) -> std::io::Result<()> {
    let mut json = serde_json::to_vec(&Header(tensors))?;
    // The format pads the header with spaces, so that the floats behind it are aligned when mapped.
    json.resize(json.len().next_multiple_of(8), b' ');
    out.write_all(&(json.len() as u64).to_le_bytes())?;
    out.write_all(&json)?;
    for (_, elements) in tensors.values() {
        match elements {
            Elements::F32(floats) if cfg!(target_endian = "little") => out.write_all(bytemuck::cast_slice(floats))?,
            Elements::F32(floats) => {
                for float in floats.iter() {
                    out.write_all(&float.to_le_bytes())?;
                }
            }
            Elements::I8(integers) => out.write_all(bytemuck::cast_slice(integers))?,
        }
    }
    Ok(())
}

struct Header<'a>(&'a Sorted<'a>);

impl Serialize for Header<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len() + 1))?;
        map.serialize_entry("__metadata__", &BTreeMap::from([("format", "pt")]))?;
        let mut start = 0;
        for (name, (shape, elements)) in self.0 {
            let end = start + elements.bytes();
            let info = TensorInfo { dtype: elements.dtype(), shape: shape.clone(), data_offsets: (start, end) };
            map.serialize_entry(name, &info)?;
            start = end;
        }
        map.end()
    }
}

/// The file written to; gone if the writing fails.
struct Beside(PathBuf);

impl Beside {
    fn new(path: &Path) -> Self {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        Self(path.with_file_name(format!(".{name}.partial-{}", std::process::id())))
    }
}

impl Drop for Beside {
    fn drop(&mut self) {
        // After the rename there is nothing left to remove.
        let _ = std::fs::remove_file(&self.0);
    }
}
