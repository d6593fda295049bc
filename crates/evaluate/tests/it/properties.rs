//! What holds for every text.

use nomen_evaluate::{Average, Confusion, Counts, ErrorKind, Errors, Interval, Judged, Rule, Scores, matches};
use proptest::prelude::*;
use schema::{Document, Entity, Label, Span};

/// Entities as a document or a recognizer has them: sorted, without overlaps, sometimes touching.
fn entities() -> impl Strategy<Value = Vec<Entity>> {
    let part = (0usize..3, 1usize..5, prop::sample::select(vec!["A", "B", "C"]));
    prop::collection::vec(part, 0..6).prop_map(|parts| {
        let mut at = 0;
        parts
            .into_iter()
            .map(|(gap, len, label)| {
                let start = at + gap;
                at = start + len;
                Entity::new(Span::new(start, at).unwrap(), Label::new(label).unwrap())
            })
            .collect()
    })
}

fn texts() -> impl Strategy<Value = Vec<(Vec<Entity>, Vec<Entity>)>> {
    prop::collection::vec((entities(), entities()), 1..8)
}

fn judged(texts: &[(Vec<Entity>, Vec<Entity>)]) -> Vec<Judged<'_>> {
    texts
        .iter()
        .map(|(gold, predicted)| Judged { gold: gold.into(), predicted: predicted.into(), unjudged: 0 })
        .collect()
}

fn micro(texts: &[(Vec<Entity>, Vec<Entity>)], rule: Rule) -> Counts {
    texts.iter().map(|(gold, predicted)| Counts::of(rule, gold, predicted)).sum()
}

/// Most pairs that any one-to-one matching has, by trying them all.
fn most_overlapping(gold: &[Entity], predicted: &[Entity], used: &mut Vec<bool>) -> usize {
    let Some((first, rest)) = gold.split_first() else { return 0 };
    let mut best = most_overlapping(rest, predicted, used);
    for position in 0..predicted.len() {
        let other = &predicted[position];
        if !used[position] && other.label == first.label && other.span.overlaps(first.span) {
            used[position] = true;
            best = best.max(1 + most_overlapping(rest, predicted, used));
            used[position] = false;
        }
    }
    best
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn micro_counts_are_the_sums_over_texts_and_over_labels(texts in texts()) {
        let scores = Scores::of(&judged(&texts));
        prop_assert_eq!(scores.by_label().values().copied().sum::<Counts>(), scores.micro());
        prop_assert_eq!(scores.micro(), micro(&texts, Rule::Strict));
    }

    #[test]
    fn swapping_gold_and_predictions_swaps_precision_and_recall(texts in texts()) {
        let swapped: Vec<_> = texts.iter().cloned().map(|(gold, predicted)| (predicted, gold)).collect();
        for rule in [Rule::Strict, Rule::Boundary, Rule::Overlap] {
            let (one, other) = (micro(&texts, rule), micro(&swapped, rule));
            prop_assert_eq!((one.correct, one.gold, one.predicted), (other.correct, other.predicted, other.gold));
        }
        let (one, other) = (Scores::of(&judged(&texts)), Scores::of(&judged(&swapped)));
        prop_assert_eq!(one.macro_average().p.to_bits(), other.macro_average().r.to_bits());
        prop_assert_eq!(one.macro_average().f.to_bits(), other.macro_average().f.to_bits());
    }

    #[test]
    fn a_perfect_prediction_has_score_one_under_every_rule(gold in entities()) {
        prop_assume!(!gold.is_empty());
        for rule in [Rule::Strict, Rule::Boundary, Rule::Overlap] {
            let score = Counts::of(rule, &gold, &gold).average();
            prop_assert_eq!(score, Average { p: 1.0, r: 1.0, f: 1.0 });
        }
        let scores = Scores::of(&judged(&[(gold.clone(), gold)]));
        prop_assert!((scores.macro_average().f - 1.0).abs() < 1e-12);
        prop_assert!((scores.weighted_average().f - 1.0).abs() < 1e-12);
    }

    #[test]
    fn looser_rules_never_score_less_and_no_entity_is_paired_twice(gold in entities(), predicted in entities()) {
        let strict = matches(Rule::Strict, &gold, &predicted).len();
        for rule in [Rule::Boundary, Rule::Overlap] {
            let pairs = matches(rule, &gold, &predicted);
            prop_assert!(strict <= pairs.len());
            for side in [|pair: &(usize, usize)| pair.0, |pair: &(usize, usize)| pair.1] {
                let mut positions: Vec<usize> = pairs.iter().map(side).collect();
                positions.sort_unstable();
                positions.dedup();
                prop_assert_eq!(positions.len(), pairs.len());
            }
        }
    }

    #[test]
    fn no_overlap_matching_has_more_pairs(gold in entities(), predicted in entities()) {
        let best = most_overlapping(&gold, &predicted, &mut vec![false; predicted.len()]);
        prop_assert_eq!(matches(Rule::Overlap, &gold, &predicted).len(), best);
    }

    #[test]
    fn confusion_has_gold_in_its_rows_predictions_in_its_columns_and_matches_on_its_diagonal(texts in texts()) {
        let (confusion, scores) = (Confusion::of(&judged(&texts)), Scores::of(&judged(&texts)));
        for (place, label) in confusion.labels.iter().enumerate() {
            let counts = scores.by_label()[label];
            prop_assert_eq!(confusion.counts[place].iter().sum::<usize>(), counts.gold);
            prop_assert_eq!(confusion.counts.iter().map(|row| row[place]).sum::<usize>(), counts.predicted);
            prop_assert_eq!(confusion.counts[place][place], counts.correct);
        }
        prop_assert_eq!(confusion.labels.len(), scores.by_label().len());
        prop_assert!(confusion.errors.windows(2).all(|pair| pair[0].count >= pair[1].count));
    }

    #[test]
    fn every_entity_without_a_strict_match_stands_in_exactly_one_error(texts in texts()) {
        let document = Document::new("x".repeat(64));
        let documents = vec![&document; texts.len()];
        let errors = Errors::of(&documents, &judged(&texts), usize::MAX, 5);
        let counts = micro(&texts, Rule::Strict);
        let gold = errors.worst.iter().filter(|case| case.gold.is_some()).count();
        let predicted = errors.worst.iter().filter(|case| case.predicted.is_some()).count();
        prop_assert_eq!((gold, predicted), (counts.gold - counts.correct, counts.predicted - counts.correct));
        prop_assert_eq!(errors.counts.values().sum::<usize>(), errors.worst.len());
        for case in &errors.worst {
            let equal = |what: fn(&nomen_evaluate::Mention) -> String| case.gold.as_ref().map(what) == case.predicted.as_ref().map(what);
            let same_label = equal(|mention| mention.label.to_string());
            let same_span = equal(|mention| format!("{:?}", mention.span));
            prop_assert_eq!(case.kind, match (&case.gold, &case.predicted) {
                (Some(_), None) => ErrorKind::Missed,
                (None, _) => ErrorKind::Spurious,
                _ if same_span => ErrorKind::WrongLabel,
                _ if same_label => ErrorKind::WrongBoundary,
                _ => ErrorKind::WrongLabelAndBoundary,
            });
        }
    }

    #[test]
    fn the_interval_holds_the_score_and_repeats_itself(texts in texts(), seed in any::<u64>()) {
        let counts: Vec<Counts> = texts.iter().map(|(gold, predicted)| Counts::of(Rule::Overlap, gold, predicted)).collect();
        let interval = Interval::of(&counts, 300, seed).unwrap();
        prop_assert_eq!(Interval::of(&counts, 300, seed).unwrap(), interval);
        prop_assert!(0.0 <= interval.low && interval.low <= interval.high && interval.high <= 1.0);
        // A resample lies above the score of all texts as easily as below, so neither side is as rare as 2.5 %.
        let score = counts.iter().copied().sum::<Counts>().f1();
        prop_assert!(interval.low <= score + 1e-12 && score <= interval.high + 1e-12, "{} {:?}", score, interval);
    }
}
