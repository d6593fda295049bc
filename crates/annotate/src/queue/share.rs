//! Which documents go to two people.

/// Whether a document is annotated by a second person, for a share between 0 and 1 of all documents. Each document is drawn
/// by its number alone, so that documents which come later change nothing for those before, and a larger share has all of a
/// smaller one.
pub fn goes_twice(number: u32, share: f64, seed: u64) -> bool {
    // 53 bits are a number between 0 and 1 that is exact.
    let drawn = (mixed_bits(seed ^ mixed_bits(u64::from(number))) >> 11) as f64 / (1u64 << 53) as f64;
    drawn < share
}

/// The finalizer of `SplitMix64` (Steele, Lea and Flood 2014): every bit of the input changes half of the output's.
pub(crate) fn mixed_bits(bits: u64) -> u64 {
    let bits = bits.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_share_is_met_and_a_larger_one_has_all_of_a_smaller() {
        let of = |share| (1..=20_000).filter(|number| goes_twice(*number, share, 3)).collect::<Vec<u32>>();
        let (tenth, third) = (of(0.1), of(0.3));
        assert!((1_850..2_150).contains(&tenth.len()) && (5_800..6_200).contains(&third.len()));
        assert!(tenth.iter().all(|number| third.contains(number)));
        assert_eq!((of(0.0).len(), of(1.0).len()), (0, 20_000));
        assert_ne!(tenth, (1..=20_000).filter(|number| goes_twice(*number, 0.1, 4)).collect::<Vec<u32>>());
    }
}
