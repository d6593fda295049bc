//! Sources are believed as far as they deserve, and gold helps.

use evaluate::Scores;
use nomen_annotate::suggest::{
    Origin, OriginKind, Suggestion,
    record::chosen,
    weigh::{Opinions, majority, weigh},
};
use schema::{Document, Entity};

use crate::{label, planted::Planted};

/// Texts with entities of three labels, with no words but numbers.
fn made_up() -> Vec<Document> {
    let names = ["A", "B", "C"].map(label);
    let document = |number: usize| {
        let words: Vec<String> = (0..12).map(|word| format!("w{}", (number * 31 + word * 17) % 997)).collect();
        let text = words.join(" ");
        let mut at = 0;
        let mut entities = Vec::new();
        for (word, letters) in words.iter().enumerate() {
            let kind = (number * 7 + word * 5) % 11;
            if kind < 3 {
                let span = schema::Span::of(&text, at..at + letters.len()).unwrap();
                entities.push(Entity::new(span, names[kind].clone()));
            }
            at += letters.len() + 1;
        }
        Document::new(text).with_entities(entities).unwrap()
    };
    (0..600).map(document).collect()
}

/// F1 of what is chosen.
fn f1(documents: &[Document], suggestions: &[Vec<Suggestion>]) -> f64 {
    let mut scores = Scores::default();
    for (document, suggestions) in documents.iter().zip(suggestions) {
        scores.add(document.entities(), &chosen(suggestions, 0.5));
    }
    scores.micro().f1()
}

/// F1 of the label model and of the majority.
fn compared(documents: &[Document], sources: &[Planted], gold: usize) -> (f64, f64) {
    let by_source: Vec<Vec<Vec<Suggestion>>> = sources.iter().map(|source| source.suggestions(documents)).collect();
    let opinions: Vec<Opinions<'_>> = documents
        .iter()
        .enumerate()
        .map(|(at, document)| Opinions {
            text: document.text(),
            by_source: by_source.iter().map(|source| Some(source[at].as_slice())).collect(),
            gold: (at < gold).then_some(document.entities()),
        })
        .collect();
    let weighed = weigh(&opinions, sources.len(), 0.5);
    let majority = majority(&opinions, sources.len(), 0.5);
    (f1(&documents[gold..], &weighed.suggestions[gold..]), f1(&documents[gold..], &majority[gold..]))
}

#[test]
fn a_good_source_is_believed_against_two_bad_ones() {
    let documents = made_up();
    let sources = [Planted::new(1, 0.95, 0.02), Planted::new(2, 0.55, 0.1), Planted::new(3, 0.5, 0.1)];
    let (weighed, majority) = compared(&documents, &sources, 0);
    assert!(weighed > 0.9 && weighed > majority + 0.1, "{weighed} {majority}");
    let (helped, _) = compared(&documents, &sources, 100);
    assert!(helped >= weighed - 0.01, "{helped} {weighed}");
}

#[test]
fn equal_sources_are_judged_at_least_as_well_as_by_the_majority() {
    let documents = made_up();
    let sources = [1, 2, 3].map(|seed| Planted::new(seed, 0.75, 0.03));
    let (weighed, majority) = compared(&documents, &sources, 0);
    assert!(weighed >= majority - 0.005, "{weighed} {majority}");
}

#[test]
fn specialists_are_believed_where_they_are_good() {
    let documents = made_up();
    let good_at = |seed, name: &str| Planted { good: vec![(label(name), 0.95)], ..Planted::new(seed, 0.4, 0.03) };
    let (weighed, majority) = compared(&documents, &[good_at(1, "A"), good_at(2, "B"), good_at(3, "C")], 0);
    assert!(weighed > majority + 0.1, "{weighed} {majority}");
}

#[test]
fn the_planted_accuracy_is_found_without_gold() {
    let documents = made_up();
    let rates = [0.9, 0.7, 0.5];
    let sources: Vec<Planted> = rates.iter().zip(1..).map(|(rate, seed)| Planted::new(seed, *rate, 0.03)).collect();
    let by_source: Vec<Vec<Vec<Suggestion>>> = sources.iter().map(|source| source.suggestions(&documents)).collect();
    let opinions: Vec<Opinions<'_>> = documents
        .iter()
        .enumerate()
        .map(|(at, document)| Opinions {
            text: document.text(),
            by_source: by_source.iter().map(|source| Some(source[at].as_slice())).collect(),
            gold: None,
        })
        .collect();
    let weighed = weigh(&opinions, 3, 0.5);
    for (source, rate) in weighed.accuracy.iter().zip(rates) {
        assert_eq!(source.len(), 3);
        for accuracy in source {
            assert!((accuracy.recall - rate).abs() < 0.1, "{accuracy:?} {rate}");
        }
    }
}

#[test]
fn a_source_that_did_not_look_or_does_not_know_a_label_says_nothing_against_it() {
    let documents = made_up();
    let expert = Planted { only: Some(label("A")), ..Planted::new(1, 0.95, 0.01) };
    let sources = [expert, Planted::new(2, 0.8, 0.02), Planted::new(3, 0.8, 0.02)];
    let found: Vec<Vec<Vec<Suggestion>>> = sources.iter().map(|source| source.suggestions(&documents)).collect();
    let opinions: Vec<Opinions<'_>> = documents
        .iter()
        .enumerate()
        .map(|(at, document)| Opinions {
            text: document.text(),
            // The third looked at every second text alone.
            by_source: (0..3).map(|source| (source < 2 || at % 2 == 0).then(|| found[source][at].as_slice())).collect(),
            gold: None,
        })
        .collect();
    let weighed = weigh(&opinions, 3, 0.5);
    let recall = |name: &str| {
        let name = label(name);
        let of = |entities: &[Entity]| entities.iter().filter(|entity| entity.label == name).count();
        let found = documents.iter().zip(&weighed.suggestions).map(|(document, suggestions)| {
            let chosen = chosen(suggestions, 0.5);
            document
                .entities()
                .iter()
                .filter(|gold| gold.label == name && chosen.iter().any(|one| one.same_mention(gold)))
                .count()
        });
        found.sum::<usize>() as f64 / documents.iter().map(|document| of(document.entities())).sum::<usize>() as f64
    };
    assert!(
        recall("B") > 0.8 && recall("C") > 0.8 && recall("A") > 0.9,
        "{} {} {}",
        recall("A"),
        recall("B"),
        recall("C")
    );
}

#[test]
fn a_label_that_nobody_gave_a_span_is_never_suggested_for_it() {
    let documents = made_up();
    let found =
        [1, 2].map(|seed| Planted { only: Some(label("A")), ..Planted::new(seed, 0.6, 0.2) }.suggestions(&documents));
    let opinions: Vec<Opinions<'_>> = documents
        .iter()
        .enumerate()
        .map(|(at, document)| Opinions {
            text: document.text(),
            by_source: found.iter().map(|source| Some(source[at].as_slice())).collect(),
            // What is known has other labels, too.
            gold: (at < 3).then_some(document.entities()),
        })
        .collect();
    for (at, suggestions) in weigh(&opinions, 2, 0.5).suggestions.iter().enumerate() {
        for suggestion in suggestions {
            assert_eq!(suggestion.label, label("A"));
            let given = found.iter().flat_map(|source| &source[at]).any(|one| one.span == suggestion.span);
            assert!(given, "{suggestion:?}");
        }
    }
}

#[test]
fn nothing_to_judge_is_no_fault() {
    assert!(weigh(&[], 3, 0.5).suggestions.is_empty());
    let empty = Opinions { text: "x", by_source: vec![Some(&[]), None], gold: Some(&[]) };
    assert_eq!(weigh(&[empty], 2, 0.5).suggestions, [vec![]]);
    let one = Suggestion::exact(
        "x",
        schema::Span::new(0, 1).unwrap(),
        label("A"),
        None,
        Origin::new(OriginKind::Lexicon, "l"),
    );
    let all = [one];
    let alone = Opinions { text: "x", by_source: vec![Some(&all)], gold: None };
    assert_eq!(weigh(&[alone], 1, 0.5).suggestions[0].len(), 1);
}
