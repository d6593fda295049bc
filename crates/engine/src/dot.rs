//! Registers of 32-bit sums of products of bytes.

use bytemuck::Pod;

use crate::vector::{Portable, Vector};

/// A register of 32-bit integers, and in each of its lanes the numbers of a group of the inner dimension.
pub(crate) trait Dot: Copy {
    /// As many floats.
    type Floats: Vector;
    /// The right side's bytes of a register.
    type Bytes: Pod;
    /// Numbers of the inner dimension that a lane takes at once: four unsigned bytes of the left side, or two of 16 bits.
    const GROUP: usize;
    /// Sums of nothing.
    fn zero() -> Self;
    /// The left side of a product: the same group in every lane.
    fn splat(group: [u8; 4]) -> Self;
    /// The right side, a group a lane.
    fn load(bytes: &Self::Bytes) -> Self;
    /// In every lane: the sum and the group's products, exactly.
    fn add_products(self, left: Self, right: Self) -> Self;
    /// The integers as floats.
    fn to_floats(self) -> Self::Floats;
}

/// Four lanes of plain integers.
#[derive(Clone, Copy)]
pub(crate) struct PortableDot([i32; 4]);

impl Dot for PortableDot {
    type Floats = Portable;
    type Bytes = [i8; 16];
    const GROUP: usize = 4;

    #[inline(always)]
    fn zero() -> Self {
        Self([0; 4])
    }

    #[inline(always)]
    fn splat(group: [u8; 4]) -> Self {
        Self([i32::from_le_bytes(group); 4])
    }

    #[inline(always)]
    fn load(bytes: &[i8; 16]) -> Self {
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
        __m256i, __m512i, _mm_loadu_si128, _mm256_add_epi32, _mm256_cvtepi8_epi16, _mm256_cvtepi32_ps,
        _mm256_madd_epi16, _mm256_set1_epi32, _mm256_setzero_si256, _mm512_cvtepi32_ps, _mm512_dpbusd_epi32,
        _mm512_loadu_si512, _mm512_set1_epi32, _mm512_setzero_si512,
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
        type Bytes = [i8; 64];
        const GROUP: usize = 4;

        #[inline(always)]
        fn zero() -> Self {
            Self(unsafe { _mm512_setzero_si512() })
        }

        #[inline(always)]
        fn splat(group: [u8; 4]) -> Self {
            Self(unsafe { _mm512_set1_epi32(i32::from_le_bytes(group)) })
        }

        #[inline(always)]
        fn load(bytes: &[i8; 64]) -> Self {
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

    /// Eight lanes with AVX2, whose products of bytes saturate at 32,767 in the sum of two. Those of 16 bits do not, and take
    /// fewer instructions than getting around that: the left side is made of 16 bits once, the right side as it is loaded.
    #[derive(Clone, Copy)]
    pub(crate) struct Avx2Dot(__m256i);

    impl Dot for Avx2Dot {
        type Floats = Avx2;
        type Bytes = [i8; 16];
        const GROUP: usize = 2;

        #[inline(always)]
        fn zero() -> Self {
            Self(unsafe { _mm256_setzero_si256() })
        }

        #[inline(always)]
        fn splat(group: [u8; 4]) -> Self {
            Self(unsafe { _mm256_set1_epi32(i32::from_le_bytes(group)) })
        }

        #[inline(always)]
        fn load(bytes: &[i8; 16]) -> Self {
            Self(unsafe { _mm256_cvtepi8_epi16(_mm_loadu_si128(bytes.as_ptr().cast())) })
        }

        #[inline(always)]
        fn add_products(self, left: Self, right: Self) -> Self {
            Self(unsafe { _mm256_add_epi32(self.0, _mm256_madd_epi16(left.0, right.0)) })
        }

        #[inline(always)]
        fn to_floats(self) -> Avx2 {
            Avx2::from_register(unsafe { _mm256_cvtepi32_ps(self.0) })
        }
    }
}

#[cfg(target_arch = "x86_64")]
pub(crate) use x86::{Avx2Dot, Vnni};
