//! What will be read next, brought into the cache meanwhile.
//!
//! One short text reads every weight once, and there are more weights than caches hold. The processor's own prefetching ends
//! at every page, so the first rows of each panel would wait for memory.

use crate::vector::prefetch;

/// What is asked for where nothing is ahead. An empty slice points where nothing is mapped, and the processor looks an address
/// that it cannot translate up in the page tables at every step, while the multiply-adds wait: two thirds of all time on AMD Zen 1.
static NOTHING: u8 = 0;

/// Floats that the next strip reads; may be empty.
#[derive(Clone, Copy)]
pub(crate) struct Ahead<'a>(pub &'a [f32]);

/// A tile's share of them.
#[derive(Clone, Copy)]
pub(super) struct Fetch {
    from: *const u8,
    /// Bytes from one step of the inner dimension to the next.
    stride: usize,
}

impl Ahead<'_> {
    /// The share of the tile of rows `row..row + rows` of `m` over an inner dimension of `k`.
    #[inline(always)]
    pub(super) fn share(self, row: usize, rows: usize, [m, k]: [usize; 2]) -> Fetch {
        let bytes = size_of_val(self.0);
        if bytes == 0 {
            return Fetch { from: (&raw const NOTHING).cast(), stride: 0 };
        }
        let (m, k) = (m.max(1), k.max(1));
        Fetch { from: self.0.as_ptr().cast::<u8>().wrapping_add(bytes * row / m), stride: bytes * rows / (m * k) }
    }
}

impl Fetch {
    /// Asks for the line of a step.
    #[inline(always)]
    pub fn step(self, step: usize) {
        prefetch(self.from.wrapping_add(step * self.stride));
    }
}
