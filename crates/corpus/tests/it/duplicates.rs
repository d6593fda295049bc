//! Exact and near duplicates: what is found, and what is never reported.

use nomen_corpus::duplicates::{Cluster, Similarity, clusters, exact, fold, jaccard};
use proptest::{collection::vec, prelude::*, sample::select};

fn members(clusters: &[Cluster]) -> Vec<&[usize]> {
    clusters.iter().map(|cluster| cluster.members.as_slice()).collect()
}

/// So many words that no two of these runs share.
fn words(from: usize, count: usize) -> Vec<String> {
    (from..from + count).map(|word| format!("word{word}")).collect()
}

#[test]
fn one_changed_word_of_twenty_is_a_near_duplicate_and_five_are_not() {
    let original = words(0, 20);
    let changed = |places: &[usize]| {
        let mut words = original.clone();
        for place in places {
            words[*place] = format!("other{place}");
        }
        words.join(" ")
    };
    let texts = [original.join(" "), changed(&[10]), changed(&[0, 5, 10, 15, 19]), words(100, 20).join(" ")];
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let found = clusters(&texts, Similarity::default());
    assert_eq!(members(found.clusters()), [[0, 1]]);
    assert!(!found.clusters()[0].exact);
    // 15 shingles of 21 are shared.
    assert!((found.clusters()[0].similarity - 15.0 / 21.0).abs() < 1e-12);
    assert_eq!((found.heads(), found.repeats()), (&[0, 0, 2, 3][..], 1));
}

#[test]
fn exact_duplicates_are_equal_but_for_case_and_white_space() {
    let texts = ["Anna  in Rome", "anna in\trome\n", "Anna in Rome.", "", " ", "👍", "👍", "👎"];
    assert_eq!(members(exact(&texts).clusters()), [[0, 1], [3, 4], [5, 6]]);
    let near = clusters(&texts, Similarity::default());
    assert_eq!(members(near.clusters()), [&[0, 1, 2][..], &[3, 4], &[5, 6]]);
    assert_eq!(near.clusters().iter().map(|cluster| cluster.exact).collect::<Vec<_>>(), [false, true, true]);
}

#[test]
fn no_texts_have_no_clusters() {
    assert!(clusters(&[], Similarity::default()).clusters().is_empty());
    assert!(exact(&[]).heads().is_empty());
}

#[test]
fn thousands_of_texts_of_one_template_take_no_time_that_grows_with_their_square() {
    let texts: Vec<String> = (0..20_000).map(|at| format!("play the song {at} by the band {} now", at / 7)).collect();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let clock = std::time::Instant::now();
    let found = clusters(&texts, Similarity::new(0.9).unwrap());
    assert!(found.clusters().is_empty());
    assert!(clock.elapsed().as_secs() < 20, "{:?}", clock.elapsed());
}

/// Texts of few words, so that many repeat each other in every way.
fn texts() -> impl Strategy<Value = Vec<String>> {
    let word = select(vec!["a", "b", "c", "d", "É", "e\u{301}", "漢字", "👍", ".", "\n"]);
    vec(vec(word, 0..12).prop_map(|words| words.join(" ")), 0..60)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn every_cluster_is_tied_together_by_pairs_at_or_above_the_threshold(
        texts in texts(), similarity in 0.05f64..=1.0,
    ) {
        let borrowed: Vec<&str> = texts.iter().map(String::as_str).collect();
        let found = clusters(&borrowed, Similarity::new(similarity).unwrap());
        for cluster in found.clusters() {
            prop_assert!(cluster.members.len() > 1 && cluster.members.is_sorted());
            prop_assert!(cluster.similarity >= similarity && cluster.similarity <= 1.0);
            let folded: Vec<String> = cluster.members.iter().map(|member| fold(&texts[*member])).collect();
            prop_assert_eq!(cluster.exact, folded.iter().all(|text| *text == folded[0]));
            // Whoever is alike is reached from the first member, step by step.
            let mut reached = vec![cluster.members[0]];
            let mut next = 0;
            while next < reached.len() {
                let from = reached[next];
                let near = |to: &&usize| {
                    !reached.contains(to)
                        && (fold(&texts[from]) == fold(&texts[**to]) || jaccard(&texts[from], &texts[**to]) >= similarity)
                };
                let more: Vec<usize> = cluster.members.iter().filter(near).copied().collect();
                reached.extend(more);
                next += 1;
            }
            reached.sort_unstable();
            prop_assert_eq!(&reached, &cluster.members);
        }
        for (text, head) in found.heads().iter().enumerate() {
            let inside = found.clusters().iter().find(|cluster| cluster.members.contains(&text));
            prop_assert_eq!(*head, inside.map_or(text, |cluster| cluster.members[0]));
        }
    }

    #[test]
    fn exact_duplicates_are_never_apart(texts in texts()) {
        let borrowed: Vec<&str> = texts.iter().map(String::as_str).collect();
        for found in [exact(&borrowed), clusters(&borrowed, Similarity::default())] {
            for (one, text) in texts.iter().enumerate() {
                for (other, repeat) in texts.iter().enumerate() {
                    if fold(text) == fold(repeat) {
                        prop_assert_eq!(found.heads()[one], found.heads()[other]);
                    }
                }
            }
        }
    }

    #[test]
    fn the_same_texts_give_the_same_clusters(texts in texts()) {
        let borrowed: Vec<&str> = texts.iter().map(String::as_str).collect();
        let once = clusters(&borrowed, Similarity::default());
        prop_assert_eq!(once, clusters(&borrowed, Similarity::default()));
    }
}
