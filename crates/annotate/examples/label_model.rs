//! The label model against the majority, on annotated texts whose annotation three sources of known accuracy pretend to
//! see: `cargo run --release -p nomen-annotate --example label_model -- FILE`.

#![allow(clippy::unwrap_used)]

#[path = "../tests/it/planted.rs"]
mod planted;

use std::env;

use evaluate::Scores;
use nomen_annotate::suggest::{
    Suggestion,
    record::chosen,
    weigh::{Opinions, majority, weigh},
};
use planted::Planted;
use schema::{Document, Label};

/// Texts whose annotation the label model is given, where it is given any.
const GOLD: usize = 200;
/// Sources that are planted for each line.
const SEEDS: u64 = 3;

fn scores(documents: &[Document], suggestions: &[Vec<Suggestion>]) -> Scores {
    let mut scores = Scores::default();
    for (document, suggestions) in documents.iter().zip(suggestions) {
        scores.add(document.entities(), &chosen(suggestions, 0.5));
    }
    scores
}

fn main() {
    let path = env::args().nth(1).expect("name an annotated file");
    let (documents, _) = corpus::read_all(path, None).unwrap();
    let mut labels: Vec<Label> =
        documents.iter().flat_map(Document::entities).map(|entity| entity.label.clone()).collect();
    labels.sort();
    labels.dedup();
    let specialist = |seed: u64, good: usize| {
        let good = labels.iter().skip(good).step_by(3).map(|label| (label.clone(), 0.95)).collect();
        Planted { good, ..Planted::new(seed, 0.4, 0.005) }
    };
    let confused = |seed, found, made_up| Planted { confused: 0.15, ..Planted::new(seed, found, made_up) };
    let scenarios = [
        ("three equal: 75 % found", [1, 2, 3].map(|seed| Planted::new(seed, 0.75, 0.005))),
        (
            "one good, two weak: 95, 55, 50 %",
            [Planted::new(1, 0.95, 0.002), Planted::new(2, 0.55, 0.01), Planted::new(3, 0.5, 0.01)],
        ),
        (
            "two good, one noisy: 85, 80, 60 %",
            [Planted::new(1, 0.85, 0.002), Planted::new(2, 0.8, 0.002), Planted::new(3, 0.6, 0.03)],
        ),
        ("specialists: 95 % of two labels, 40 % of the others", [specialist(1, 0), specialist(2, 1), specialist(3, 2)]),
        (
            "confused: 90, 70, 60 % found, 15 % of it with another label",
            [confused(1, 0.9, 0.003), confused(2, 0.7, 0.005), confused(3, 0.6, 0.005)],
        ),
    ];
    println!("{} texts, {} labels; F1 on the texts without gold, seeds averaged", documents.len(), labels.len());
    println!("{:<62} {:>9} {:>9} {:>12} {:>10}", "sources", "majority", "weighed", "with gold", "best one");
    for (name, sources) in scenarios {
        let mut sums = [0.0; 4];
        for seed in 0..SEEDS {
            let by_source: Vec<Vec<Vec<Suggestion>>> = sources
                .iter()
                .map(|source| {
                    let planted = Planted {
                        seed: source.seed + 100 * seed,
                        good: source.good.clone(),
                        only: source.only.clone(),
                        ..*source
                    };
                    planted.suggestions(&documents)
                })
                .collect();
            let opinions = |gold: usize| -> Vec<Opinions<'_>> {
                documents
                    .iter()
                    .enumerate()
                    .map(|(at, document)| Opinions {
                        text: document.text(),
                        by_source: by_source.iter().map(|source| Some(source[at].as_slice())).collect(),
                        gold: (at < gold).then_some(document.entities()),
                    })
                    .collect()
            };
            let rest = &documents[GOLD..];
            let f1 = |suggestions: &[Vec<Suggestion>]| scores(rest, &suggestions[GOLD..]).micro().f1();
            sums[0] += f1(&majority(&opinions(0), 3, 0.5));
            sums[1] += f1(&weigh(&opinions(0), 3, 0.5).suggestions);
            sums[2] += f1(&weigh(&opinions(GOLD), 3, 0.5).suggestions);
            sums[3] += by_source.iter().map(|source| f1(source)).fold(0.0, f64::max);
        }
        let [majority, weighed, helped, best] = sums.map(|sum| sum / SEEDS as f64);
        println!("{name:<62} {majority:>9.4} {weighed:>9.4} {helped:>12.4} {best:>10.4}");
    }
}
