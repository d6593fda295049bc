//! Copies are changed, their entities are right, and nothing is claimed that is not known.

use std::{collections::BTreeSet, fs, path::Path};

use nomen_corpus::augment::{Augmentation, Augmented, Lexicon, META, Method, Rates, Summary, Thesaurus, augment};
use proptest::{collection::vec, prelude::*, sample::select};
use schema::{Document, Entity, Label, Schema, Span};

use crate::{document, entity};

/// Everything that happens wherever it can.
const ALL: Rates =
    Rates { join: 1.0, mentions: 1.0, context: 1.0, synonyms: 1.0, shuffle: 1.0, typos: 1.0, casing: 1.0 };

fn copies(documents: &[Document], rates: Rates) -> Vec<Augmented> {
    augment(documents, &Augmentation { copies: 3, rates, seed: 5, ..Augmentation::default() })
}

/// Texts about people and places, in which the same is said of several.
fn news() -> Vec<Document> {
    let rows: [(&str, &[&str], &[&str]); 6] = [
        ("Ada Lovelace quickly wrote about Rome and others", &["Ada Lovelace"], &["Rome"]),
        ("Grace Hopper slowly wrote about Oslo and others", &["Grace Hopper"], &["Oslo"]),
        ("yesterday Kurt G\u{f6}del silently left Vienna and others", &["Kurt G\u{f6}del"], &["Vienna"]),
        ("today Alan Turing gladly left Paris and others", &["Alan Turing"], &["Paris"]),
        ("the weather and others stayed", &[], &[]),
        ("Emmy Noether calmly wrote about Erlangen and others", &["Emmy Noether"], &["Erlangen"]),
    ];
    let entities = |text: &str, names: &[&str], label| {
        names
            .iter()
            .map(|name| text.find(name).map(|at| entity(at, at + name.len(), label)).unwrap())
            .collect::<Vec<_>>()
    };
    rows.iter()
        .map(|(text, people, places)| {
            document(text, [entities(text, people, "PER"), entities(text, places, "LOC")].concat())
        })
        .collect()
}

fn quotes<'d>(document: &'d Document, label: &str) -> Vec<&'d str> {
    let of = document.entities().iter().filter(|entity| entity.label.as_str() == label);
    of.map(|entity| entity.span.quote(document.text())).collect()
}

/// The text without its entities.
fn outside(document: &Document) -> Vec<&str> {
    let mut at = 0;
    let mut parts = Vec::new();
    for entity in document.entities() {
        parts.push(&document.text()[at..entity.span.start()]);
        at = entity.span.end();
    }
    parts.push(&document.text()[at..]);
    parts
}

#[test]
fn mentions_become_others_of_their_label_and_the_rest_stays() {
    let news = news();
    let known: BTreeSet<&str> = news.iter().flat_map(|document| quotes(document, "PER")).collect();
    let copies = copies(&news, Rates { mentions: 1.0, ..Rates::default() });
    assert_eq!(copies.len(), 18);
    for copy in &copies {
        let source = &news[copy.source];
        assert_eq!(outside(&copy.document), outside(source));
        assert!(quotes(&copy.document, "PER").iter().all(|name| known.contains(name)), "{:?}", copy.document);
        assert_eq!(copy.changes.is_empty(), copy.document.text() == source.text());
    }
    let changed = copies.iter().filter(|copy| quotes(&copy.document, "PER") != quotes(&news[copy.source], "PER"));
    assert!(changed.count() >= 13, "a mention becomes itself only where it is drawn again and again");
}

#[test]
fn words_in_the_same_context_stand_in_for_each_other_and_names_never_do() {
    let news = news();
    let copies = copies(&news, Rates { context: 1.0, ..Rates::default() });
    let names = ["ada", "lovelace", "rome", "grace", "hopper", "oslo", "kurt", "vienna", "alan", "turing", "paris"];
    let mut manners = BTreeSet::new();
    for copy in &copies {
        assert_eq!(copy.document.entities().len(), news[copy.source].entities().len());
        for (label, source) in [("PER", &news[copy.source]), ("LOC", &news[copy.source])] {
            assert_eq!(quotes(&copy.document, label), quotes(source, label));
        }
        for part in outside(&copy.document) {
            let words = part.split_whitespace().map(str::to_lowercase);
            words.for_each(|word| assert!(!names.contains(&word.as_str()), "{word}"));
        }
        manners.extend(copy.document.text().split(' ').filter(|word| word.ends_with("ly")).map(ToOwned::to_owned));
        assert!(copy.document.text().ends_with("and others") || copy.source == 4, "frequent words stay");
    }
    assert_eq!(manners.len(), 5);
    assert!(copies.iter().any(|copy| copy.changes.contains_key(&Method::Context)));
}

#[test]
fn synonyms_keep_the_case_and_never_make_a_name() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("synonyms.tsv");
    fs::write(&path, "# verbs\nwrote\tpenned\nabout\tin Rome\nweather\tclimate\n").unwrap();
    let thesaurus = Thesaurus::read(&path).unwrap();
    let rates = Rates { synonyms: 1.0, ..Rates::default() };
    let copies = augment(&news(), &Augmentation { copies: 1, rates, thesaurus, ..Augmentation::default() });
    assert_eq!(copies[0].document.text(), "Ada Lovelace quickly penned about Rome and others");
    assert_eq!(copies[4].document.text(), "the climate and others stayed");
}

#[test]
fn a_shuffle_keeps_the_words_of_every_segment() {
    let news = news();
    let sorted = |part: &str| {
        let mut words: Vec<String> = part.split_whitespace().map(ToOwned::to_owned).collect();
        words.sort_unstable();
        words
    };
    for copy in copies(&news, Rates { shuffle: 1.0, ..Rates::default() }) {
        let source = &news[copy.source];
        let parts = |document: &Document| outside(document).into_iter().map(sorted).collect::<Vec<_>>();
        assert_eq!(parts(&copy.document), parts(source));
        for label in ["PER", "LOC"] {
            let names = |document: &Document| quotes(document, label).into_iter().map(sorted).collect::<Vec<_>>();
            assert_eq!(names(&copy.document), names(source));
        }
    }
}

#[test]
fn only_texts_that_were_searched_for_the_same_are_joined() {
    let label = || Some(vec![Label::new("PER").unwrap()]);
    let mut documents = news();
    documents[0].partial = true;
    documents[1].partial = true;
    documents[2].looked_for = label();
    let copies = copies(&documents, Rates { join: 1.0, ..Rates::default() });
    let mut joined = 0;
    for copy in &copies {
        let source = &documents[copy.source];
        assert_eq!((copy.document.partial, &copy.document.looked_for), (source.partial, &source.looked_for));
        let about = &copy.document.meta[META];
        assert_eq!(about["source"], copy.source as u64 + 1);
        let Some(other) = about.get("joined") else { continue };
        joined += 1;
        let other = &documents[other.as_u64().unwrap() as usize - 1];
        assert_eq!(copy.document.text(), format!("{} {}", source.text(), other.text()));
        assert_eq!(quotes(&copy.document, "PER"), [quotes(source, "PER"), quotes(other, "PER")].concat());
        assert_eq!((other.partial, &other.looked_for), (source.partial, &source.looked_for));
    }
    assert!(joined >= 9, "{joined}");
    assert!(copies.iter().filter(|copy| copy.source == 2).all(|copy| copy.changes.is_empty()));
}

#[test]
fn the_copies_are_a_function_of_seed_and_settings_and_a_rate_moves_no_other_method() {
    let news = news();
    let make = |seed, rates| augment(&news, &Augmentation { copies: 2, rates, seed, ..Augmentation::default() });
    assert_eq!(make(1, ALL), make(1, ALL));
    assert_ne!(make(1, ALL), make(2, ALL));
    let typos = |casing| {
        let rates = Rates { typos: 0.3, casing, ..Rates::default() };
        make(1, rates).into_iter().map(|copy| copy.document.text().to_lowercase()).collect::<Vec<_>>()
    };
    assert_eq!(typos(0.0), typos(1.0));
}

#[test]
fn a_summary_counts_texts_and_places() {
    let news = news();
    let copies = copies(&news, Rates { mentions: 1.0, ..Rates::default() });
    let summary = Summary::of(&copies);
    let places: usize = copies.iter().flat_map(|copy| copy.changes.values()).sum();
    assert_eq!((summary.copies, summary.methods["mentions"].places), (18, places));
    assert_eq!(summary.unchanged, 18 - summary.methods["mentions"].texts);
    assert!(summary.unchanged >= 3, "the text without entities");
}

#[test]
fn names_of_a_lexicon_are_used_and_its_faults_are_told_with_their_line() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("names.tsv");
    let read = |text: &str| {
        fs::write(&path, text).unwrap();
        Lexicon::read(&path)
    };
    let lexicon = read("\u{feff}# places\n\nLOC\tUlan Bator\tQuito\nPER\tMary Anning\n").unwrap();
    let rates = Rates { mentions: 1.0, ..Rates::default() };
    let settings = Augmentation { copies: 20, rates, lexicon: lexicon.clone(), ..Augmentation::default() };
    let copies = augment(&news(), &settings);
    let places: BTreeSet<&str> = copies.iter().flat_map(|copy| quotes(&copy.document, "LOC")).collect();
    assert!(places.contains("Quito") && places.contains("Ulan Bator"), "{places:?}");
    let schema = |labels: &[&str]| Schema::of_labels(labels.iter().map(|label| Label::new(label).unwrap()));
    assert!(lexicon.check(&schema(&["LOC", "PER", "ORG"])).is_ok());
    let unknown = lexicon.check(&schema(&["LOC", "ORG"])).unwrap_err().to_string();
    assert!(
        unknown.contains("names.tsv:4: ") && unknown.contains("`PER`") && unknown.contains("LOC, ORG"),
        "{unknown}"
    );
    for (text, told) in [
        ("LOC\tRome\nLOC Oslo\n", "names.tsv:2: expected a label and its mentions, separated by tabs"),
        ("LOC\tRome\t\tOslo\n", "names.tsv:1: field 3 is empty"),
        ("a\u{7}b\tRome\n", "names.tsv:1: "),
        ("# nothing\n", "names.tsv: there is no entry in this file"),
    ] {
        let error = read(text).unwrap_err().to_string();
        assert!(error.contains(told), "{error}");
    }
    let missing = Lexicon::read(Path::new("no/such/names.tsv")).unwrap_err().to_string();
    assert!(missing.starts_with("no/such/names.tsv: cannot be read"), "{missing}");
}

/// Pieces of many scripts and kinds.
const PIECES: [&str; 24] = [
    "a",
    "Word",
    "words",
    "writing",
    " ",
    "  ",
    "\n",
    "\u{a0}",
    "e\u{301}",
    "stra\u{df}e",
    "\u{130}stanbul",
    "\u{149}",
    "\u{6f22}\u{5b57}",
    "\u{1f469}\u{200d}\u{1f52c}",
    "\u{915}\u{94d}\u{937}\u{93f}",
    "\u{200b}",
    ".",
    ",",
    "-",
    "'",
    "keyboard",
    "QWERTY",
    "2019",
    "\u{1f1e9}\u{1f1f0}",
];

/// Documents with 0 to 3 entities between any two characters, half of them with known tokens.
fn documents() -> impl Strategy<Value = Document> {
    (vec(select(PIECES.to_vec()), 0..16), vec(0usize..60, 0..6), any::<bool>()).prop_map(
        |(pieces, mut edges, known)| {
            let text = pieces.concat();
            let bounds: Vec<usize> = text.char_indices().map(|(at, _)| at).chain([text.len()]).collect();
            for edge in &mut edges {
                *edge = bounds[*edge % bounds.len()];
            }
            edges.sort_unstable();
            let label = |at: usize| Label::new(["X", "Y"][at % 2]).unwrap();
            let spans = edges.chunks_exact(2).filter_map(|pair| Span::new(pair[0], pair[1]).ok());
            let entities = spans.map(|span| Entity::new(span, label(span.len()))).collect();
            let document = Document::new(&*text).with_entities(entities).unwrap();
            let start = |word: &str| word.as_ptr() as usize - text.as_ptr() as usize;
            let words = text.split(' ').filter_map(|word| Span::new(start(word), start(word) + word.len()).ok());
            if known { document.clone().with_tokens(words.collect()).unwrap() } else { document }
        },
    )
}

proptest! {
    #[test]
    fn every_copy_has_the_labels_of_its_source_and_known_tokens_stay_known(
        documents in vec(documents(), 1..6),
        rates in vec(select(vec![0.0, 0.5, 1.0]), 6),
        seed in 0u64..50,
    ) {
        let rates = Rates {
            mentions: rates[0], context: rates[1], synonyms: 0.0, shuffle: rates[2], typos: rates[3], casing: rates[4], join: 0.0,
        };
        let settings = Augmentation { copies: 2, rates, seed, ..Augmentation::default() };
        for copy in augment(&documents, &settings) {
            let source = &documents[copy.source];
            let labels = |document: &Document| document.entities().iter().map(|one| one.label.clone()).collect::<Vec<_>>();
            prop_assert_eq!(labels(&copy.document), labels(source));
            prop_assert_eq!(copy.document.tokens().is_some(), source.tokens().is_some());
            if copy.changes.is_empty() {
                prop_assert_eq!(copy.document.text(), source.text());
                prop_assert_eq!(copy.document.entities(), source.entities());
                prop_assert_eq!(copy.document.tokens(), source.tokens());
            }
            let blank = |text: &str| text.chars().filter(|character| character.is_whitespace()).count();
            if rates.mentions == 0.0 {
                prop_assert_eq!(blank(copy.document.text()), blank(source.text()), "no word is split or joined");
            }
        }
    }

    #[test]
    fn a_joined_copy_is_both_texts(documents in vec(documents(), 2..6), seed in 0u64..50) {
        let rates = Rates { join: 1.0, ..Rates::default() };
        for copy in augment(&documents, &Augmentation { copies: 1, rates, seed, ..Augmentation::default() }) {
            let Some(other) = copy.document.meta[META].get("joined") else { continue };
            let (one, other) = (&documents[copy.source], &documents[other.as_u64().unwrap() as usize - 1]);
            let count = |of: fn(&Document) -> usize| (of(&copy.document), of(one) + of(other));
            let (joined, both) = count(|document| document.entities().len());
            prop_assert_eq!(joined, both);
            let (joined, both) = count(|document| document.tokens().map_or(0, <[Span]>::len));
            prop_assert_eq!(joined, both);
        }
    }
}
