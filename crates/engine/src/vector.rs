//! Registers of floats, for the loops that the compiler does not reliably keep in registers by itself.

use bytemuck::Pod;

use crate::isa::{FUSED, fma};

/// A register of `LANES` floats.
pub(crate) trait Vector: Copy {
    /// As many floats in memory.
    type Floats: Pod + AsRef<[f32]>;
    /// Floats in a register.
    const LANES: usize;
    /// The same value in every lane.
    fn splat(value: f32) -> Self;
    /// The first `LANES` floats of a slice, which must have them.
    fn load(source: &[f32]) -> Self;
    /// Writes the first `LANES` floats of a slice, which must have them.
    fn store(self, target: &mut [f32]);
    /// Lane by lane.
    fn add(self, other: Self) -> Self;
    /// Lane by lane.
    fn mul(self, other: Self) -> Self;
    /// Lane by lane; `other` where `self` is NaN.
    fn min(self, other: Self) -> Self;
    /// Lane by lane; `other` where `self` is NaN.
    fn max(self, other: Self) -> Self;
    /// `self * factor + term`, rounded once where the instruction set can.
    fn mul_add(self, factor: Self, term: Self) -> Self;
}

/// Asks for the cache line of an address: a hint, which changes nothing and never fails.
#[inline(always)]
#[allow(unsafe_code)]
pub(crate) fn prefetch(address: *const u8) {
    #[cfg(target_arch = "x86_64")]
    {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        // SAFETY: SSE belongs to x86-64, and the instruction reads nothing where there is nothing.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(address.cast()) };
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = address;
}

/// The least and the greatest of some numbers, NaN left out: `(inf, -inf)` where there are none.
#[inline(always)]
pub(crate) fn extremes<V: Vector>(values: &[f32]) -> (f32, f32) {
    let (mut low, mut high) = (V::splat(f32::INFINITY), V::splat(f32::NEG_INFINITY));
    let mut at = 0;
    while at + V::LANES <= values.len() {
        let lanes = V::load(&values[at..]);
        low = lanes.min(low);
        high = lanes.max(high);
        at += V::LANES;
    }
    let (mut lows, mut highs) = ([f32::INFINITY; 16], [f32::NEG_INFINITY; 16]);
    low.store(&mut lows);
    high.store(&mut highs);
    let (mut least, mut most) = (f32::INFINITY, f32::NEG_INFINITY);
    for lane in 0..16 {
        least = least.min(lows[lane]);
        most = most.max(highs[lane]);
    }
    for value in &values[at..] {
        least = least.min(*value);
        most = most.max(*value);
    }
    (least, most)
}

/// Lanes of an array, in whatever registers the build's target has; alone, one float.
#[derive(Clone, Copy)]
pub(crate) struct Array<const FMA: bool, const N: usize>([f32; N]);

/// Four floats, in whatever registers the build's target has.
pub(crate) type Portable = Array<{ FUSED }, 4>;

impl<const FMA: bool, const N: usize> Vector for Array<FMA, N> {
    type Floats = [f32; N];
    const LANES: usize = N;

    #[inline(always)]
    fn splat(value: f32) -> Self {
        Self([value; N])
    }

    #[inline(always)]
    fn load(source: &[f32]) -> Self {
        Self(*source.first_chunk().expect("a register's floats"))
    }

    #[inline(always)]
    fn store(self, target: &mut [f32]) {
        *target.first_chunk_mut().expect("a register's floats") = self.0;
    }

    #[inline(always)]
    fn add(self, other: Self) -> Self {
        let mut sum = self;
        for lane in 0..N {
            sum.0[lane] += other.0[lane];
        }
        sum
    }

    #[inline(always)]
    fn mul(self, other: Self) -> Self {
        let mut product = self;
        for lane in 0..N {
            product.0[lane] *= other.0[lane];
        }
        product
    }

    #[inline(always)]
    fn min(self, other: Self) -> Self {
        let mut least = other;
        for lane in 0..N {
            least.0[lane] = if self.0[lane] < other.0[lane] { self.0[lane] } else { other.0[lane] };
        }
        least
    }

    #[inline(always)]
    fn max(self, other: Self) -> Self {
        let mut most = other;
        for lane in 0..N {
            most.0[lane] = if self.0[lane] > other.0[lane] { self.0[lane] } else { other.0[lane] };
        }
        most
    }

    #[inline(always)]
    fn mul_add(self, factor: Self, term: Self) -> Self {
        let mut sum = term;
        for lane in 0..N {
            sum.0[lane] = fma::<FMA>(self.0[lane], factor.0[lane], term.0[lane]);
        }
        sum
    }
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    #![allow(unsafe_code)]

    use std::arch::x86_64::{
        __m256, __m512, _mm256_add_ps, _mm256_fmadd_ps, _mm256_loadu_ps, _mm256_max_ps, _mm256_min_ps, _mm256_mul_ps,
        _mm256_set1_ps, _mm256_storeu_ps, _mm512_add_ps, _mm512_fmadd_ps, _mm512_loadu_ps, _mm512_max_ps,
        _mm512_min_ps, _mm512_mul_ps, _mm512_set1_ps, _mm512_storeu_ps,
    };

    use super::Vector;

    macro_rules! vector {
        ($(#[$meta:meta])* $name:ident, $register:ty, $lanes:literal, $splat:ident, $load:ident, $store:ident, $add:ident, $mul:ident, $min:ident, $max:ident, $fma:ident) => {
            $(#[$meta])*
            #[derive(Clone, Copy)]
            pub(crate) struct $name($register);

            impl $name {
                #[inline(always)]
                pub(crate) fn from_register(register: $register) -> Self {
                    Self(register)
                }
            }

            // SAFETY (all blocks): a kernel names this type only in the copy that is compiled for its instruction set, and
            // runs that copy only with an `Isa`, which exists only where the processor reported it. Loads and stores take
            // references to arrays of the register's length.
            impl Vector for $name {
                type Floats = [f32; $lanes];
                const LANES: usize = $lanes;

                #[inline(always)]
                fn splat(value: f32) -> Self {
                    Self(unsafe { $splat(value) })
                }

                #[inline(always)]
                fn load(source: &[f32]) -> Self {
                    let source: &[f32; $lanes] = source.first_chunk().expect("a register's floats");
                    Self(unsafe { $load(source.as_ptr()) })
                }

                #[inline(always)]
                fn store(self, target: &mut [f32]) {
                    let target: &mut [f32; $lanes] = target.first_chunk_mut().expect("a register's floats");
                    unsafe { $store(target.as_mut_ptr(), self.0) }
                }

                #[inline(always)]
                fn add(self, other: Self) -> Self {
                    Self(unsafe { $add(self.0, other.0) })
                }

                #[inline(always)]
                fn mul(self, other: Self) -> Self {
                    Self(unsafe { $mul(self.0, other.0) })
                }

                #[inline(always)]
                fn min(self, other: Self) -> Self {
                    Self(unsafe { $min(self.0, other.0) })
                }

                #[inline(always)]
                fn max(self, other: Self) -> Self {
                    Self(unsafe { $max(self.0, other.0) })
                }

                #[inline(always)]
                fn mul_add(self, factor: Self, term: Self) -> Self {
                    Self(unsafe { $fma(self.0, factor.0, term.0) })
                }
            }
        };
    }

    vector! {
        /// Sixteen floats.
        Avx512, __m512, 16, _mm512_set1_ps, _mm512_loadu_ps, _mm512_storeu_ps, _mm512_add_ps, _mm512_mul_ps, _mm512_min_ps, _mm512_max_ps, _mm512_fmadd_ps
    }

    impl Avx512 {
        #[inline(always)]
        pub(crate) fn register(self) -> __m512 {
            self.0
        }
    }
    vector! {
        /// Eight floats.
        Avx2, __m256, 8, _mm256_set1_ps, _mm256_loadu_ps, _mm256_storeu_ps, _mm256_add_ps, _mm256_mul_ps, _mm256_min_ps, _mm256_max_ps, _mm256_fmadd_ps
    }
}

#[cfg(target_arch = "x86_64")]
pub(crate) use x86::{Avx2, Avx512};
