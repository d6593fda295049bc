//! Registers of 32-bit sums of products of bytes.

use crate::vector::{Portable, Vector};

/// A register of 32-bit integers, and of four bytes in each of its lanes.
pub(crate) trait Dot: Copy {
    /// As many floats.
    type Floats: Vector;
    /// What the sums of products with columns begin with whose bytes add up to `totals`, one a lane; the slice must have them.
    fn start(totals: &[i32]) -> Self;
    /// The left side of a product: the same four bytes in every lane.
    fn splat(bytes: [u8; 4]) -> Self;
    /// The right side: the first bytes of a slice, four a lane and none of them -128; the slice must have them.
    fn load(bytes: &[i8]) -> Self;
    /// In every lane: the sum and the four products, exactly. Behind all products of a column a sum that began with
    /// [`start`](Self::start) is that of the products.
    fn add_products(self, left: Self, right: Self) -> Self;
    /// The integers as floats.
    fn to_floats(self) -> Self::Floats;
}

/// Four lanes of plain integers.
#[derive(Clone, Copy)]
pub(crate) struct PortableDot([i32; 4]);

impl Dot for PortableDot {
    type Floats = Portable;

    #[inline(always)]
    fn start(_: &[i32]) -> Self {
        Self([0; 4])
    }

    #[inline(always)]
    fn splat(bytes: [u8; 4]) -> Self {
        Self([i32::from_le_bytes(bytes); 4])
    }

    #[inline(always)]
    fn load(bytes: &[i8]) -> Self {
        let bytes: &[i8; 16] = bytes.first_chunk().expect("a register's bytes");
        Self(bytemuck::cast(*bytes))
    }

    #[inline(always)]
    fn add_products(self, left: Self, right: Self) -> Self {
        let mut sums = self;
        for lane in 0..4 {
            let (a, b) = (left.0[lane].to_le_bytes(), right.0[lane].to_le_bytes());
            for byte in 0..4 {
                sums.0[lane] += i32::from(a[byte]) * i32::from(b[byte].cast_signed());
            }
        }
        sums
    }

    #[inline(always)]
    fn to_floats(self) -> Portable {
        let mut floats = [0.0; 4];
        for lane in 0..4 {
            floats[lane] = self.0[lane] as f32;
        }
        Portable::load(&floats)
    }
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    #![allow(unsafe_code)]

    use std::arch::x86_64::{
        __m256i, __m512i, _mm256_abs_epi8, _mm256_add_epi32, _mm256_cvtepi32_ps, _mm256_loadu_si256, _mm256_madd_epi16,
        _mm256_maddubs_epi16, _mm256_set1_epi16, _mm256_set1_epi32, _mm256_sign_epi8, _mm256_slli_epi32,
        _mm512_cvtepi32_ps, _mm512_dpbusd_epi32, _mm512_loadu_si512, _mm512_set1_epi32, _mm512_setzero_si512,
    };

    use super::Dot;
    use crate::vector::{Avx2, Avx512};

    /// Sixteen lanes with the dot product of VNNI.
    #[derive(Clone, Copy)]
    pub(crate) struct Vnni(__m512i);

    // SAFETY (all blocks below): a kernel names these types only in the copy that is compiled for their instruction set, and
    // runs that copy only with an `Isa`, which exists only where the processor reported it. Loads take references to arrays
    // of the register's length.
    impl Dot for Vnni {
        type Floats = Avx512;

        #[inline(always)]
        fn start(_: &[i32]) -> Self {
            Self(unsafe { _mm512_setzero_si512() })
        }

        #[inline(always)]
        fn splat(bytes: [u8; 4]) -> Self {
            Self(unsafe { _mm512_set1_epi32(i32::from_le_bytes(bytes)) })
        }

        #[inline(always)]
        fn load(bytes: &[i8]) -> Self {
            let bytes: &[i8; 64] = bytes.first_chunk().expect("a register's bytes");
            Self(unsafe { _mm512_loadu_si512(bytes.as_ptr().cast()) })
        }

        #[inline(always)]
        fn add_products(self, left: Self, right: Self) -> Self {
            Self(unsafe { _mm512_dpbusd_epi32(self.0, left.0, right.0) })
        }

        #[inline(always)]
        fn to_floats(self) -> Avx512 {
            Avx512::from_register(unsafe { _mm512_cvtepi32_ps(self.0) })
        }
    }

    /// What is taken from unsigned bytes to make signed ones of them, as a power of two.
    const SHIFT: i32 = 7;

    /// Eight lanes with the products of AVX2, whose sum of two products of bytes saturates at 32,767. So the left side's bytes are
    /// taken as signed ones, 128 less, and two products are never above 2 · 128 · 127; sums begin with 128 times the column's
    /// total, which gives back what was taken.
    #[derive(Clone, Copy)]
    pub(crate) struct Avx2Dot(__m256i);

    impl Dot for Avx2Dot {
        type Floats = Avx2;

        #[inline(always)]
        fn start(totals: &[i32]) -> Self {
            let totals: &[i32; 8] = totals.first_chunk().expect("a register's totals");
            Self(unsafe { _mm256_slli_epi32::<SHIFT>(_mm256_loadu_si256(totals.as_ptr().cast())) })
        }

        #[inline(always)]
        fn splat(bytes: [u8; 4]) -> Self {
            let signed = bytes.map(|byte| byte ^ (1 << SHIFT));
            Self(unsafe { _mm256_set1_epi32(i32::from_le_bytes(signed)) })
        }

        #[inline(always)]
        fn load(bytes: &[i8]) -> Self {
            let bytes: &[i8; 32] = bytes.first_chunk().expect("a register's bytes");
            Self(unsafe { _mm256_loadu_si256(bytes.as_ptr().cast()) })
        }

        #[inline(always)]
        fn add_products(self, left: Self, right: Self) -> Self {
            // The instruction takes unsigned bytes on its left, so the sign goes to the right.
            unsafe {
                let pairs = _mm256_maddubs_epi16(_mm256_abs_epi8(left.0), _mm256_sign_epi8(right.0, left.0));
                Self(_mm256_add_epi32(self.0, _mm256_madd_epi16(pairs, _mm256_set1_epi16(1))))
            }
        }

        #[inline(always)]
        fn to_floats(self) -> Avx2 {
            Avx2::from_register(unsafe { _mm256_cvtepi32_ps(self.0) })
        }
    }
}

#[cfg(target_arch = "x86_64")]
pub(crate) use x86::{Avx2Dot, Vnni};
