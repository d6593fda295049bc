//! Krippendorff's alpha.

use std::collections::BTreeMap;

/// Krippendorff's alpha for nominal values: 1 minus the observed disagreement over that expected by chance (Krippendorff,
/// "Computing Krippendorff's alpha-reliability", 2011). `units [items][annotators]`, `None` where an annotator gave none;
/// an item with fewer than two values cannot be compared and does not count.
///
/// `None` where no item can be compared, or only one value occurs in those that can, so that there is nothing to
/// disagree on.
pub fn krippendorff_alpha<V: Ord>(units: &[Vec<Option<V>>]) -> Option<f64> {
    let mut totals: BTreeMap<&V, usize> = BTreeMap::new();
    let mut disagreeing = 0.0;
    for unit in units {
        let mut counts: BTreeMap<&V, usize> = BTreeMap::new();
        for value in unit.iter().flatten() {
            *counts.entry(value).or_default() += 1;
        }
        let values: usize = counts.values().sum();
        if values < 2 {
            continue;
        }
        let agreeing: usize = counts.values().map(|count| count * (count - 1)).sum();
        disagreeing += (values * (values - 1) - agreeing) as f64 / (values - 1) as f64;
        for (value, count) in counts {
            *totals.entry(value).or_default() += count;
        }
    }
    if totals.len() < 2 {
        return None;
    }
    let all = totals.values().sum::<usize>() as f64;
    let same: f64 = totals.values().map(|count| *count as f64 * (*count as f64 - 1.0)).sum();
    let expected = all * (all - 1.0) - same;
    Some(1.0 - (all - 1.0) * disagreeing / expected)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_of_krippendorffs_paper() {
        // Section C of the paper: four observers, twelve units, some values missing; nominal alpha 0.743.
        let rows = [
            "1 2 3 3 2 1 4 1 2 . . .",
            "1 2 3 3 2 2 4 1 2 5 . 3",
            ". 3 3 3 2 3 4 2 2 5 1 .",
            "1 2 3 3 2 4 4 1 2 5 1 .",
        ];
        let units: Vec<Vec<Option<u8>>> = (0..12)
            .map(|unit| rows.iter().map(|row| row.split(' ').nth(unit).unwrap().parse().ok()).collect())
            .collect();
        let alpha = krippendorff_alpha(&units).unwrap();
        assert!((alpha - 0.743).abs() < 5e-4, "{alpha}");
    }

    #[test]
    fn there_is_none_where_there_is_nothing_to_disagree_on() {
        assert_eq!(krippendorff_alpha::<u8>(&[]), None);
        assert_eq!(krippendorff_alpha(&[vec![Some(1), None], vec![None, Some(2)]]), None);
        assert_eq!(krippendorff_alpha(&[vec![Some(1), Some(1)]]), None);
    }
}
