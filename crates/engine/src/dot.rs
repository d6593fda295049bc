//! Registers of 32-bit sums of products of bytes.

use crate::vector::{Portable, Vector};

/// A register of 32-bit integers, and of four bytes in each of its lanes.
pub(crate) trait Dot: Copy {
    /// As many floats.
    type Floats: Vector;
    /// Zero in every lane.
    fn zero() -> Self;
    /// The same four bytes in every lane.
    fn splat(bytes: [u8; 4]) -> Self;
    /// The first bytes of a slice, four a lane; the slice must have them.
    fn load(bytes: &[i8]) -> Self;
    /// In every lane: the sum and the four products of unsigned and signed bytes, exactly.
    fn add_products(self, unsigned: Self, signed: Self) -> Self;
    /// The integers as floats.
    fn to_floats(self) -> Self::Floats;
}

/// Four lanes of plain integers.
#[derive(Clone, Copy)]
pub(crate) struct PortableDot([i32; 4]);

impl Dot for PortableDot {
    type Floats = Portable;

    #[inline(always)]
    fn zero() -> Self {
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
    fn add_products(self, unsigned: Self, signed: Self) -> Self {
        let mut sums = self;
        for lane in 0..4 {
            let (a, b) = (unsigned.0[lane].to_le_bytes(), signed.0[lane].to_le_bytes());
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
        __m256i, __m512i, _mm256_add_epi32, _mm256_castsi256_si128, _mm256_cvtepi8_epi16, _mm256_cvtepi32_ps,
        _mm256_cvtepu8_epi16, _mm256_extracti128_si256, _mm256_hadd_epi32, _mm256_loadu_si256, _mm256_madd_epi16,
        _mm256_permute4x64_epi64, _mm256_set1_epi32, _mm256_setzero_si256, _mm512_cvtepi32_ps, _mm512_dpbusd_epi32,
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

        #[inline(always)]
        fn zero() -> Self {
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
        fn add_products(self, unsigned: Self, signed: Self) -> Self {
            Self(unsafe { _mm512_dpbusd_epi32(self.0, unsigned.0, signed.0) })
        }

        #[inline(always)]
        fn to_floats(self) -> Avx512 {
            Avx512::from_register(unsafe { _mm512_cvtepi32_ps(self.0) })
        }
    }

    /// Eight lanes with the products of AVX2: bytes are widened, since its product of bytes saturates.
    #[derive(Clone, Copy)]
    pub(crate) struct Avx2Dot(__m256i);

    impl Dot for Avx2Dot {
        type Floats = Avx2;

        #[inline(always)]
        fn zero() -> Self {
            Self(unsafe { _mm256_setzero_si256() })
        }

        #[inline(always)]
        fn splat(bytes: [u8; 4]) -> Self {
            Self(unsafe { _mm256_set1_epi32(i32::from_le_bytes(bytes)) })
        }

        #[inline(always)]
        fn load(bytes: &[i8]) -> Self {
            let bytes: &[i8; 32] = bytes.first_chunk().expect("a register's bytes");
            Self(unsafe { _mm256_loadu_si256(bytes.as_ptr().cast()) })
        }

        #[inline(always)]
        fn add_products(self, unsigned: Self, signed: Self) -> Self {
            // Each half of the lanes becomes pairs of sums, which are added and put back into order.
            unsafe {
                let low = _mm256_madd_epi16(
                    _mm256_cvtepu8_epi16(_mm256_castsi256_si128(unsigned.0)),
                    _mm256_cvtepi8_epi16(_mm256_castsi256_si128(signed.0)),
                );
                let high = _mm256_madd_epi16(
                    _mm256_cvtepu8_epi16(_mm256_extracti128_si256::<1>(unsigned.0)),
                    _mm256_cvtepi8_epi16(_mm256_extracti128_si256::<1>(signed.0)),
                );
                let sums = _mm256_permute4x64_epi64::<0b11_01_10_00>(_mm256_hadd_epi32(low, high));
                Self(_mm256_add_epi32(self.0, sums))
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
