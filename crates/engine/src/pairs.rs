//! Registers of pairs of 16-bit floats (bfloat16: an `f32` without the lower half of its significand), and their products.

use crate::vector::Vector;

/// Two 16-bit floats in every lane of a register; in 32 bits, the first one in the low half.
pub(crate) trait Pairs: Copy {
    /// As many floats.
    type Floats: Vector;
    /// The same pair in every lane.
    fn splat(pair: u32) -> Self;
    /// The first pairs of a slice, which must have a register of them.
    fn load(source: &[u32]) -> Self;
    /// In every lane: `sum` and the products of both pairs' first and both pairs' second numbers.
    fn add_products(self, other: Self, sum: Self::Floats) -> Self::Floats;
}

/// A number rounded to 16 bits, to the nearest with ties to even. NaN stays NaN.
#[inline(always)]
pub(crate) fn rounded(value: f32) -> u32 {
    let bits = value.to_bits();
    let nearest = (bits.wrapping_add(0x7fff + (bits >> 16 & 1))) >> 16;
    if value.is_nan() { bits >> 16 | 0x40 } else { nearest }
}

/// Two numbers as a pair.
#[inline(always)]
pub(crate) fn pair(first: f32, second: f32) -> u32 {
    rounded(first) | rounded(second) << 16
}

/// Pairs in two registers of `f32`, for instruction sets without products of 16 bits: the same sums to the rounding of
/// their last bits.
#[derive(Clone, Copy)]
pub(crate) struct Widened<V> {
    first: V,
    second: V,
}

impl<V: Vector> Pairs for Widened<V> {
    type Floats = V;

    #[inline(always)]
    fn splat(pair: u32) -> Self {
        Self { first: V::splat(f32::from_bits(pair << 16)), second: V::splat(f32::from_bits(pair & 0xffff_0000)) }
    }

    #[inline(always)]
    fn load(source: &[u32]) -> Self {
        let (mut first, mut second) = ([0.0; 16], [0.0; 16]);
        let source = &source[..V::LANES];
        for lane in 0..V::LANES {
            first[lane] = f32::from_bits(source[lane] << 16);
            second[lane] = f32::from_bits(source[lane] & 0xffff_0000);
        }
        Self { first: V::load(&first), second: V::load(&second) }
    }

    #[inline(always)]
    fn add_products(self, other: Self, sum: V) -> V {
        self.first.mul_add(other.first, self.second.mul_add(other.second, sum))
    }
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    #![allow(unsafe_code)]

    use std::{
        arch::x86_64::{__m512bh, __m512i, _mm512_dpbf16_ps, _mm512_loadu_si512, _mm512_set1_epi32},
        mem::transmute,
    };

    use super::Pairs;
    use crate::vector::Avx512;

    /// Sixteen pairs with the dot product of AVX-512's BF16.
    #[derive(Clone, Copy)]
    pub(crate) struct Bf16(__m512i);

    // SAFETY (all blocks): a kernel names this type only in the copy that is compiled for its instruction set, and runs that
    // copy only with an `Isa`, which exists only where the processor reported it. The load takes a reference to an array of
    // the register's length. The two kinds of registers are 64 bytes without a meaning of their own.
    impl Pairs for Bf16 {
        type Floats = Avx512;

        #[inline(always)]
        fn splat(pair: u32) -> Self {
            Self(unsafe { _mm512_set1_epi32(pair.cast_signed()) })
        }

        #[inline(always)]
        fn load(source: &[u32]) -> Self {
            let source: &[u32; 16] = source.first_chunk().expect("a register's pairs");
            Self(unsafe { _mm512_loadu_si512(source.as_ptr().cast()) })
        }

        #[inline(always)]
        fn add_products(self, other: Self, sum: Avx512) -> Avx512 {
            let (a, b) = unsafe { (transmute::<__m512i, __m512bh>(self.0), transmute::<__m512i, __m512bh>(other.0)) };
            Avx512::from_register(unsafe { _mm512_dpbf16_ps(sum.register(), a, b) })
        }
    }
}

#[cfg(target_arch = "x86_64")]
pub(crate) use x86::Bf16;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_rounded_to_the_nearest_ties_to_even() {
        for (value, expected) in [
            (1.0, 0x3f80),
            (-2.0, 0xc000),
            (f32::from_bits(0x3f80_8000), 0x3f80),
            (f32::from_bits(0x3f80_8001), 0x3f81),
            (f32::from_bits(0x3f81_8000), 0x3f82),
            (f32::MAX, 0x7f80),
            (f32::INFINITY, 0x7f80),
            (f32::NEG_INFINITY, 0xff80),
            (0.0, 0),
        ] {
            assert_eq!(rounded(value), expected, "{value}");
        }
        for nan in [f32::NAN, f32::from_bits(0x7f80_0001), f32::from_bits(0xffff_ffff)] {
            assert!(f32::from_bits(rounded(nan) << 16).is_nan());
        }
    }
}
