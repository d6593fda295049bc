//! Elements of the four floating-point types as `f32`.

use safetensors::Dtype;

pub(super) fn is_float(dtype: Dtype) -> bool {
    matches!(dtype, Dtype::F32 | Dtype::F16 | Dtype::BF16 | Dtype::F64)
}

/// The bytes seen as `f32` without a copy, where type, alignment and the machine's byte order allow it.
pub(super) fn borrowed(dtype: Dtype, bytes: &[u8]) -> Option<&[f32]> {
    if dtype != Dtype::F32 || cfg!(target_endian = "big") {
        return None;
    }
    bytemuck::try_cast_slice(bytes).ok()
}

/// `bytes` hold as many elements as `out`, which the caller has checked; `dtype` is one of the four.
pub(super) fn fill(dtype: Dtype, bytes: &[u8], out: &mut [f32]) {
    match dtype {
        Dtype::F32 => each(bytes, out, f32::from_le_bytes),
        Dtype::F16 => each(bytes, out, |pair| f16_to_f32(u16::from_le_bytes(pair))),
        Dtype::BF16 => each(bytes, out, |pair| f32::from_bits(u32::from(u16::from_le_bytes(pair)) << 16)),
        Dtype::F64 => each(bytes, out, |eight| f64::from_le_bytes(eight) as f32),
        other => unreachable!("is_float refuses {other:?}"),
    }
}

fn each<const N: usize>(bytes: &[u8], out: &mut [f32], convert: impl Fn([u8; N]) -> f32) {
    let (elements, rest) = bytes.as_chunks::<N>();
    debug_assert!(elements.len() == out.len() && rest.is_empty());
    for (value, &element) in out.iter_mut().zip(elements) {
        *value = convert(element);
    }
}

/// IEEE 754 binary16, widened exactly, also where the processor is set to take subnormal numbers for zero.
fn f16_to_f32(half: u16) -> f32 {
    const SMALLEST_NORMAL: u32 = 0x0400;
    const INFINITY: u32 = 0x7c00;
    let sign = u32::from(half & 0x8000) << 16;
    let magnitude = u32::from(half & 0x7fff);
    let bits = match magnitude {
        // A multiple of 2^-24, the smallest half.
        0..SMALLEST_NORMAL => (magnitude as f32 * f32::from_bits((127 - 24) << 23)).to_bits(),
        // The fraction grows from 10 to 23 bits, the exponent's bias from 15 to 127.
        SMALLEST_NORMAL..INFINITY => (magnitude << 13) + ((127 - 15) << 23),
        _ => 0x7f80_0000 | (magnitude - INFINITY) << 13,
    };
    f32::from_bits(sign | bits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_half_is_widened_to_the_number_it_stands_for() {
        for half in 0..=u16::MAX {
            let sign = if half >> 15 == 1 { -1.0 } else { 1.0 };
            let exponent = i32::from(half >> 10 & 31);
            let fraction = f64::from(half & 1023) / 1024.0;
            let expected = sign
                * match (exponent, fraction) {
                    (31, 0.0) => f64::INFINITY,
                    (31, _) => f64::NAN,
                    (0, _) => fraction * 2_f64.powi(-14),
                    _ => (1.0 + fraction) * 2_f64.powi(exponent - 15),
                };
            let found = f64::from(f16_to_f32(half));
            if expected.is_nan() {
                assert!(found.is_nan(), "{half:#06x}");
            } else {
                assert_eq!(found.to_bits(), expected.to_bits(), "{half:#06x}");
            }
        }
    }

    #[test]
    #[allow(clippy::float_cmp)] // conversions of these are exact
    fn each_type_gives_its_numbers() {
        let mut out = [0.0_f32; 2];
        fill(Dtype::F32, &[0, 0, 128, 63, 0, 0, 0, 192], &mut out);
        assert_eq!(out, [1.0, -2.0]);
        fill(Dtype::F16, &[0, 0x3c, 0, 0xc0], &mut out);
        assert_eq!(out, [1.0, -2.0]);
        fill(Dtype::BF16, &[0x80, 0x3f, 0, 0xc0], &mut out);
        assert_eq!(out, [1.0, -2.0]);
        let doubles: Vec<u8> = [1.0_f64, -2.0].iter().flat_map(|double| double.to_le_bytes()).collect();
        fill(Dtype::F64, &doubles, &mut out);
        assert_eq!(out, [1.0, -2.0]);
    }

    #[test]
    fn bytes_off_alignment_are_not_borrowed() {
        let aligned = [1.0_f32, 2.0];
        let bytes: &[u8] = bytemuck::cast_slice(&aligned);
        assert!(borrowed(Dtype::F32, bytes).is_some());
        assert!(borrowed(Dtype::F32, &bytes[1..5]).is_none());
        assert!(borrowed(Dtype::F16, bytes).is_none());
    }
}
