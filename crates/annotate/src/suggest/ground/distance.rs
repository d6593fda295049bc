//! How many letters differ.

/// The number of letters to insert, delete or replace to make one list of the other (Levenshtein, 1966), where it is at
/// most `bound`; time grows with length times bound.
pub(crate) fn within(a: &[char], b: &[char], bound: usize) -> Option<usize> {
    if a.len().abs_diff(b.len()) > bound {
        return None;
    }
    let far = bound + 1;
    let mut row: Vec<usize> = (0..=b.len()).map(|at| at.min(far)).collect();
    for (i, letter) in a.iter().enumerate() {
        // Only cells near the diagonal can hold a distance within the bound.
        let (from, to) = ((i + 1).saturating_sub(bound).max(1), (i + 1 + bound).min(b.len()));
        let mut diagonal = row[from - 1];
        row[from - 1] = if from == 1 { (i + 1).min(far) } else { far };
        let mut least = row[from - 1];
        for j in from..=to {
            let above = if j == i + 1 + bound { far } else { row[j] };
            let cell = (diagonal + usize::from(*letter != b[j - 1])).min(above + 1).min(row[j - 1] + 1).min(far);
            diagonal = row[j];
            row[j] = cell;
            least = least.min(cell);
        }
        if least > bound {
            return None;
        }
    }
    Some(row[b.len()]).filter(|distance| *distance <= bound)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The textbook's table, without a bound.
    fn plain(a: &[char], b: &[char]) -> usize {
        let mut table = vec![vec![0; b.len() + 1]; a.len() + 1];
        for i in 0..=a.len() {
            for j in 0..=b.len() {
                table[i][j] = match (i, j) {
                    (0, j) => j,
                    (i, 0) => i,
                    (i, j) => (table[i - 1][j - 1] + usize::from(a[i - 1] != b[j - 1]))
                        .min(table[i - 1][j] + 1)
                        .min(table[i][j - 1] + 1),
                };
            }
        }
        table[a.len()][b.len()]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(3000))]
        #[test]
        fn the_bounded_distance_is_the_plain_one_where_it_is_within_the_bound(
            a in "[abc]{0,12}", b in "[abc]{0,12}", bound in 0usize..7,
        ) {
            let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
            let distance = plain(&a, &b);
            prop_assert_eq!(within(&a, &b, bound), (distance <= bound).then_some(distance));
        }
    }
}
