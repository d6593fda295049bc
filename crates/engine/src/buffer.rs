//! Host memory for activations, parameters and gradients, and the pool that keeps it across steps.

use std::{
    ops::{Deref, DerefMut},
    sync::Arc,
};

use bytemuck::{Pod, Zeroable};

/// Sixteen floats on a cache line of their own: the widest vector that a kernel loads.
#[derive(Clone, Copy, Zeroable, Pod)]
#[repr(C, align(64))]
struct Line([f32; LINE]);

/// Floats in a cache line.
const LINE: usize = 16;

/// Floats that a [`Buffer`] reads where they are: in a mapped file, say.
pub type SharedFloats = Arc<dyn AsRef<[f32]> + Send + Sync>;

/// A slice of `f32` that starts on a cache line, or one that somebody else owns until it is written to.
#[derive(Clone)]
pub struct Buffer {
    memory: Memory,
    len: usize,
}

#[derive(Clone)]
enum Memory {
    Own(Vec<Line>),
    Shared(SharedFloats),
}

impl Default for Buffer {
    fn default() -> Self {
        Self::zeros(0)
    }
}

impl Buffer {
    /// `len` zeros.
    pub fn zeros(len: usize) -> Self {
        Self { memory: Memory::Own(vec![Line::zeroed(); len.div_ceil(LINE)]), len }
    }

    /// Floats that stay where they are. They are copied when the buffer is first borrowed to be changed.
    pub fn shared(floats: SharedFloats) -> Self {
        let len = (*floats).as_ref().len();
        Self { memory: Memory::Shared(floats), len }
    }

    /// A copy of `values`.
    pub fn from_slice(values: &[f32]) -> Self {
        let mut buffer = Self::zeros(values.len());
        buffer.copy_from_slice(values);
        buffer
    }

    fn capacity(&self) -> usize {
        match &self.memory {
            Memory::Own(lines) => lines.len() * LINE,
            Memory::Shared(_) => 0,
        }
    }
}

impl Deref for Buffer {
    type Target = [f32];

    fn deref(&self) -> &[f32] {
        match &self.memory {
            Memory::Own(lines) => &bytemuck::cast_slice(lines)[..self.len],
            Memory::Shared(floats) => (**floats).as_ref(),
        }
    }
}

impl DerefMut for Buffer {
    fn deref_mut(&mut self) -> &mut [f32] {
        if matches!(self.memory, Memory::Shared(_)) {
            *self = Self::from_slice(self);
        }
        match &mut self.memory {
            Memory::Own(lines) => &mut bytemuck::cast_slice_mut(lines)[..self.len],
            Memory::Shared(_) => unreachable!("copied above"),
        }
    }
}

/// Buffers that are out of use, kept for the next step.
///
/// A training step asks for the same few hundred buffers every time, but never of quite the same length. Sizes
/// are rounded up so that a warm step finds all of them here and the system's allocator is not asked.
#[derive(Default)]
pub struct Pool {
    /// Sorted by capacity.
    free: Vec<Buffer>,
    /// What single operations copy to, one after the other.
    scratch: Buffer,
}

impl Pool {
    /// A buffer of `len` floats with unspecified contents.
    pub fn take(&mut self, len: usize) -> Buffer {
        let fit = self.free.partition_point(|buffer| buffer.capacity() < len);
        // A much larger buffer is better kept for a request of its size.
        if self.free.get(fit).is_some_and(|buffer| buffer.capacity() <= 2 * len + 64 * LINE) {
            let mut buffer = self.free.remove(fit);
            buffer.len = len;
            return buffer;
        }
        let mut buffer = Buffer::zeros(rounded(len));
        buffer.len = len;
        buffer
    }

    /// A buffer of `len` zeros.
    pub fn zeros(&mut self, len: usize) -> Buffer {
        let mut buffer = self.take(len);
        buffer.fill(0.0);
        buffer
    }

    /// A buffer of `len` floats with unspecified contents for a single operation, which gives it back by
    /// [`give_scratch`](Self::give_scratch): the same memory every time, so that it takes none that a longer-lived buffer would get.
    pub(crate) fn take_scratch(&mut self, len: usize) -> Buffer {
        let mut scratch = std::mem::take(&mut self.scratch);
        if scratch.capacity() < len {
            scratch = Buffer::zeros(rounded(len));
        }
        scratch.len = len;
        scratch
    }

    /// Takes back what an operation needed.
    pub(crate) fn give_scratch(&mut self, buffer: Buffer) {
        self.scratch = buffer;
    }

    /// Bytes of the buffers that lie here, out of use: after a step all that the step needed.
    pub fn held(&self) -> usize {
        let free: usize = self.free.iter().map(Buffer::capacity).sum();
        (free + self.scratch.capacity()) * size_of::<f32>()
    }

    /// Takes a buffer back.
    pub fn give(&mut self, buffer: Buffer) {
        if buffer.capacity() > 0 {
            let at = self.free.partition_point(|other| other.capacity() < buffer.capacity());
            self.free.insert(at, buffer);
        }
    }
}

/// The next size of a series with eight steps between powers of two: at most an eighth is wasted.
fn rounded(len: usize) -> usize {
    let step = (len.next_power_of_two() / 16).max(LINE);
    len.div_ceil(step) * step
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_buffer_starts_on_a_cache_line_and_has_the_asked_length() {
        for len in [0, 1, 15, 16, 17, 1000] {
            let buffer = Buffer::zeros(len);
            assert_eq!(buffer.len(), len);
            assert_eq!(buffer.as_ptr().align_offset(64), 0);
        }
    }

    #[test]
    fn shared_floats_are_read_in_place_and_copied_before_they_change() {
        let floats: SharedFloats = Arc::new(vec![1.0, 2.0, 3.0]);
        let mut buffer = Buffer::shared(floats.clone());
        assert_eq!(buffer.as_ptr(), (*floats).as_ref().as_ptr());
        buffer[1] = 5.0;
        assert_eq!(*buffer, [1.0, 5.0, 3.0]);
        assert_eq!((*floats).as_ref(), [1.0, 2.0, 3.0]);
    }

    #[test]
    fn a_warm_pool_serves_slightly_different_lengths_from_the_same_memory() {
        let mut pool = Pool::default();
        let first = pool.take(10_000);
        let address = first.as_ptr();
        pool.give(first);
        let second = pool.take(10_100);
        assert_eq!(second.as_ptr(), address);
        assert_eq!(second.len(), 10_100);
    }
}
