//! Cohen's kappa.

use std::collections::BTreeMap;

/// Cohen's kappa of two annotators who judged the same items (Cohen 1960): `(observed - expected) / (1 - expected)`, where
/// the expected agreement is that of two who give each value as often as they do, by chance.
///
/// `None` where the two lists differ in length or are empty, and where both give one and the same value throughout, so
/// that chance alone would agree fully.
pub fn cohen_kappa<V: Ord>(one: &[V], other: &[V]) -> Option<f64> {
    if one.len() != other.len() || one.is_empty() {
        return None;
    }
    let mut counts: BTreeMap<&V, [usize; 2]> = BTreeMap::new();
    for (side, values) in [one, other].into_iter().enumerate() {
        for value in values {
            counts.entry(value).or_default()[side] += 1;
        }
    }
    let agreed = one.iter().zip(other).filter(|(one, other)| one == other).count();
    let items = one.len() as f64;
    if counts.len() == 1 {
        return None;
    }
    let observed = agreed as f64 / items;
    let expected: f64 = counts.values().map(|[one, other]| *one as f64 * *other as f64).sum::<f64>() / (items * items);
    Some((observed - expected) / (1.0 - expected))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_figures_of_a_textbook_table() {
        // 20 times both yes, 15 times both no, 5 and 10 times apart: observed 0.7, expected 0.5.
        let table = [(20, 1, 1), (5, 1, 0), (10, 0, 1), (15, 0, 0)];
        let side = |pick: fn(&(usize, u8, u8)) -> u8| -> Vec<u8> {
            table.iter().flat_map(|row| std::iter::repeat_n(pick(row), row.0)).collect()
        };
        let kappa = cohen_kappa(&side(|row| row.1), &side(|row| row.2)).unwrap();
        assert!((kappa - 0.4).abs() < 1e-12);
    }

    #[test]
    fn there_is_none_where_chance_would_agree_fully() {
        assert_eq!(cohen_kappa(&[1, 1], &[1, 1]), None);
        assert_eq!(cohen_kappa::<u8>(&[], &[]), None);
        assert_eq!(cohen_kappa(&[1], &[1, 2]), None);
        assert_eq!(cohen_kappa(&[1, 1], &[2, 2]), Some(0.0));
    }
}
