//! Numbers that look random and are the same in every build.

/// The last step of SplitMix64 (Steele et al., 2014): every bit of the result depends on every bit of the argument.
pub(crate) const fn mix(number: u64) -> u64 {
    let number = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ (number >> 31)
}

/// The numbers below `count` in an order that the seed decides (Fisher and Yates).
pub(crate) fn shuffled(count: usize, seed: u64) -> Vec<usize> {
    let mut order: Vec<usize> = (0..count).collect();
    for at in (1..count).rev() {
        let drawn = u128::from(mix(mix(seed) ^ at as u64)) * (at as u128 + 1);
        order.swap(at, (drawn >> 64) as usize);
    }
    order
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_number_is_there_once_and_every_seed_has_its_own_order() {
        let order = shuffled(1000, 42);
        let mut sorted = order.clone();
        sorted.sort_unstable();
        assert!(sorted.into_iter().eq(0..1000));
        assert_eq!(order, shuffled(1000, 42));
        assert_ne!(order, shuffled(1000, 43));
    }

    #[test]
    fn every_place_is_as_likely_as_the_others() {
        let mut counts = [[0; 5]; 5];
        for seed in 0..10_000 {
            shuffled(5, seed).into_iter().enumerate().for_each(|(place, number)| counts[place][number] += 1);
        }
        // 2,000 expected, with a standard deviation of 40.
        assert!(counts.iter().flatten().all(|count| (1_800..2_200).contains(count)), "{counts:?}");
    }
}
