//! Weights stored in 8 bits.
//!
//! A matrix `NAME [rows, width]` of type I8 stands for `scale[row] * NAME[row, column]`, where `NAME_scale [rows]` holds the
//! scales in F32. Vectors stay F32. The matrices are quantized as the engine quantizes affine maps for `int8`, so that these
//! come out with the same integers when they are quantized again.

use std::{borrow::Cow, collections::BTreeMap, path::Path};

use safetensors::Dtype;

use super::{
    Entry,
    error::{Fault, WeightsError},
    header,
    save::{Elements, write_file},
};

/// Behind the name of a matrix: its scales.
const SCALES: &str = "_scale";

/// Like [`super::save()`], with every matrix in 8 bits.
///
/// # Errors
/// As [`super::save()`]; also where a matrix holds numbers that are not finite.
pub fn save_quantized<'a>(
    path: &Path,
    tensors: impl IntoIterator<Item = (&'a str, &'a [usize], &'a [f32])>,
) -> Result<(), WeightsError> {
    let mut stored = Vec::new();
    for (name, shape, elements) in tensors {
        let [rows, width] = shape else {
            stored.push((Cow::Borrowed(name), shape.to_vec(), Elements::F32(Cow::Borrowed(elements))));
            continue;
        };
        let expected = rows * width;
        if elements.len() != expected {
            return Err(WeightsError::BufferLength { name: name.to_owned(), expected, found: elements.len() });
        }
        let (bytes, scales) = engine::quantize_rows(elements, *width);
        if scales.iter().any(|scale| scale.is_nan()) {
            return Err(WeightsError::NotFinite { name: name.to_owned() });
        }
        stored.push((format!("{name}{SCALES}").into(), vec![scales.len()], Elements::F32(scales.into())));
        stored.push((name.into(), shape.to_vec(), Elements::I8(bytes)));
    }
    write_file(path, stored)
}

/// Joins every matrix in 8 bits with its scales, which are then no tensor of their own.
pub(super) fn join_scales(tensors: &mut BTreeMap<String, Entry>) -> Result<(), (usize, Fault)> {
    let matrices: Vec<String> = tensors
        .iter()
        .filter(|(name, entry)| entry.dtype == Dtype::I8 && tensors.contains_key(&format!("{name}{SCALES}")))
        .map(|(name, _)| name.clone())
        .collect();
    for name in matrices {
        let Some(scales) = tensors.remove(&format!("{name}{SCALES}")) else { continue };
        let Some(matrix) = tensors.get_mut(&name) else { continue };
        let fits = matrix.shape.len() == 2 && scales.shape == matrix.shape[..1] && scales.dtype == Dtype::F32;
        if !fits || scales.shard != matrix.shard {
            let (matrix, scales) = (matrix.shape.clone(), scales.shape);
            return Err((tensors[&name].shard, Fault::Scales { name: header::short(&name), matrix, scales }));
        }
        matrix.scales = Some(scales.range);
    }
    Ok(())
}

/// `out [rows, width]`, each row its bytes times its scale; `scales` are the bytes of an `f32` a row.
pub(super) fn fill(bytes: &[u8], scales: &[u8], out: &mut [f32]) {
    let scales = scales.as_chunks().0;
    let width = (out.len() / scales.len().max(1)).max(1);
    for ((row, bytes), scale) in out.chunks_exact_mut(width).zip(bytes.chunks_exact(width)).zip(scales) {
        let scale = f32::from_le_bytes(*scale);
        for (value, byte) in row.iter_mut().zip(bytes) {
            *value = f32::from(byte.cast_signed()) * scale;
        }
    }
}
