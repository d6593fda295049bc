//! Only texts that hold what they promise are taken from a model that writes.

use std::{collections::BTreeMap, time::Duration};

use corpus::duplicates::Similarity;
use nomen_annotate::{
    generate::{Author, AuthorOptions, Balance, Fault, Known, META, Paraphrased, Written, paraphrase},
    suggest::llm::{Budget, Cache, Desk, Mode, Patience, Server},
};
use schema::{Document, Entity, Schema, Span};
use serde_json::{Map, Value, json};
use url::Url;

use crate::{
    label,
    scripted::{Act, Asked, Scripted},
};

fn schema() -> Schema {
    Schema::of_labels(["DRUG", "PLACE"].map(label))
}

fn options(count: usize) -> AuthorOptions {
    AuthorOptions {
        model: "m".into(),
        count,
        per_question: 4,
        without: 0.0,
        like: 1,
        temperature: 1.0,
        max_tokens: 500,
        threads: 2,
        extra: Map::new(),
    }
}

fn text(text: &str, entities: &[(&str, &str)]) -> Value {
    let row = |(quote, label): &(&str, &str)| json!({"quote": quote, "label": label, "before": ""});
    json!({"text": text, "entities": entities.iter().map(row).collect::<Vec<_>>()})
}

fn texts(texts: &[Value]) -> Act {
    Act::Say(json!({"texts": texts}).to_string())
}

/// The number of the question.
fn number(asked: &Asked) -> usize {
    let words = asked.body["messages"][1]["content"].as_str().unwrap().to_owned();
    let from = words.find("This is question ").unwrap() + "This is question ".len();
    words[from..].split(';').next().unwrap().parse().unwrap()
}

fn with_desk<T>(scripted: &Scripted, cache: &Cache, work: impl FnOnce(&Desk<'_>) -> T) -> T {
    let server = Server::new(&Url::parse(&scripted.url).unwrap(), None, Duration::from_secs(5)).unwrap();
    let patience =
        Patience { tries: 2, first_pause: Duration::from_millis(5), longest_pause: Duration::from_millis(50) };
    work(&Desk::new(&server, cache, Mode::Online, Budget::default(), patience, &|| false))
}

fn written(scripted: &Scripted, cache: &Cache, known: &[Document], most: usize, count: usize) -> Written {
    let schema = schema();
    let mut known = Known::new(known, Similarity::default(), most);
    with_desk(scripted, cache, |desk| {
        let balance = Balance::new(&schema, &[]).unwrap();
        Author::new(desk, &schema, "", balance, &[Document::new("An example.")], options(count))
            .write(&mut known, |_| ())
    })
}

#[test]
fn every_fault_of_a_written_text_is_counted_and_none_is_mended() {
    let scripted = Scripted::new(|asked, _| {
        if number(asked) > 1 {
            return texts(&[]);
        }
        texts(&[
            text("Nurses gave aspirin in Oslo.", &[("aspirin", "DRUG"), ("Oslo", "PLACE")]),
            text("Nurses gave aspirin in Oslo!", &[("aspirin", "DRUG"), ("Oslo", "PLACE")]),
            text("The known text about ibuprofen again.", &[("ibuprofen", "DRUG")]),
            text("He took Paracetamol twice.", &[("paracetamol", "DRUG")]),
            text("Rome is not Rome today.", &[("Rome", "PLACE")]),
            text("She flew to New York yesterday.", &[("New York", "PLACE"), ("York", "PLACE")]),
            text("A dog ate my morphine.", &[("dog", "ANIMAL")]),
            text("They moved to Bergen, they say.", &[("Bergen,", "PLACE")]),
            text("Nothing was named here at all.", &[]),
        ])
    });
    let known = [Document::new("The known text about ibuprofen again")];
    let found = written(&scripted, &Cache::in_memory(), &known, 5, 50);
    let kept: Vec<&str> = found.documents.iter().map(Document::text).collect();
    assert_eq!(kept, ["Nurses gave aspirin in Oslo.", "Nothing was named here at all."]);
    let expected = [
        (Fault::Ungrounded, 1),
        (Fault::Ambiguous, 1),
        (Fault::Overlap, 1),
        (Fault::ForeignLabel, 1),
        (Fault::Duplicate, 2),
        (Fault::Check, 1),
    ];
    assert_eq!(found.refused.0, BTreeMap::from(expected));
    assert!(found.ended.as_deref().unwrap().contains("3 rounds"));
    let first = &found.documents[0];
    assert_eq!(
        (first.meta[META]["by"].as_str(), first.entities()[0].source.as_deref()),
        (Some("llm:m"), Some("llm:m"))
    );
    assert!(!first.partial);
}

#[test]
fn labels_are_balanced_names_wear_out_and_the_count_is_kept() {
    // The model writes what it is asked for, but has two names for each label.
    let scripted = Scripted::new(|asked, _| {
        let words = asked.body["messages"][1]["content"].as_str().unwrap().to_owned();
        let number = number(asked);
        let of = |label: &str| words.contains(&format!(" of {label}"));
        let row = |at: usize| {
            let (name, label) = if of("DRUG") && (at.is_multiple_of(2) || !of("PLACE")) {
                (["aspirin", "heparin"][at % 4 / 2], "DRUG")
            } else {
                (["Oslo", "Rome"][at % 4 / 2], "PLACE")
            };
            let words: Vec<String> = (0..6).map(|word| format!("w{}x{}", number * 50 + at, word)).collect();
            text(&format!("{} {name}.", words.join(" ")), &[(name, label)])
        };
        texts(&(0..4).map(row).collect::<Vec<_>>())
    });
    let found = written(&scripted, &Cache::in_memory(), &[], 100, 20);
    assert_eq!(found.documents.len(), 20);
    assert_eq!(found.labels(), BTreeMap::from([(label("DRUG"), 10), (label("PLACE"), 10)]));
    let found = written(&scripted, &Cache::in_memory(), &[], 3, 20);
    assert_eq!(found.documents.len(), 12);
    assert!(found.refused.0[&Fault::Worn] > 0);
    // What was written often is asked not to be written again, and each question is another one.
    let asked = scripted.asked();
    assert!(asked.last().unwrap().body["messages"].to_string().contains("Do not use these names again"));
    assert_ne!(asked[0].body["messages"], asked[1].body["messages"]);
}

#[test]
fn a_run_that_is_repeated_asks_nothing_and_writes_the_same() {
    let scripted = Scripted::new(|asked, _| {
        let number = number(asked);
        if number == 2 {
            return Act::Cut("{\"texts\": [".into());
        }
        if number == 3 {
            return Act::Say("Sure! {\"texts\": []}".into());
        }
        let row = |at: usize| {
            text(&format!("Text {number} {at} a{number} b{at} c{number}{at} about heparin{number}x{at}."), &[])
        };
        texts(&[row(1), row(2)])
    });
    let cache = Cache::in_memory();
    let first = written(&scripted, &cache, &[], 5, 10);
    assert_eq!((first.documents.len(), first.truncated, first.broken), (10, 1, 1));
    let asked = scripted.asked().len();
    let second = written(&scripted, &cache, &[], 5, 10);
    assert_eq!(first.documents, second.documents);
    assert_eq!(scripted.asked().len(), asked);
}

fn labelled(text: &str, entities: &[(&str, &str)]) -> Document {
    let mut from = 0;
    let entity = |(surface, name): &(&str, &str)| {
        let start = from + text[from..].find(surface).unwrap();
        from = start + surface.len();
        Entity::new(Span::of(text, start..from).unwrap(), label(name))
    };
    let entities = entities.iter().map(entity).collect();
    Document::new(text).with_entities(entities).unwrap()
}

#[test]
fn paraphrases_keep_every_entity_letter_for_letter_or_do_not_count() {
    let sources = [
        labelled(
            "Aspirin helped Bob in Oslo, and Oslo was cold.",
            &[("Aspirin", "DRUG"), ("Oslo", "PLACE"), ("Oslo", "PLACE")],
        ),
        labelled("Paris met Paris.", &[("Paris", "DRUG"), ("Paris", "PLACE")]),
        labelled("New York and York are far away from us all.", &[("New York", "PLACE"), ("York", "PLACE")]),
    ];
    let scripted = Scripted::new(|asked, _| {
        let words = match asked.body["messages"][1]["content"].as_str().unwrap() {
            words if words.contains("Aspirin") => vec![
                "In Oslo, which was freezing, Bob felt better thanks to Aspirin from Oslo.",
                "In Oslo, which was freezing, Bob felt better thanks to Aspirin.",
                "In Oslo and Oslo and Oslo Bob felt better thanks to Aspirin.",
                "in oslo, which was freezing, Bob felt better thanks to aspirin from Oslo",
                "Aspirin helped Bob in Oslo, and Oslo was cold.",
            ],
            words if words.contains("York") => vec!["It is a long way for all of us to York and to New York."],
            _ => vec!["never asked"],
        };
        Act::Say(json!({"texts": words}).to_string())
    });
    let mut known = Known::new(&sources, Similarity::default(), usize::MAX);
    let found: Paraphrased = with_desk(&scripted, &Cache::in_memory(), |desk| {
        paraphrase(desk, &sources, 5, &schema(), &mut known, &options(1), |_| ())
    });
    let told = |document: &Document| {
        let entity = |entity: &Entity| format!("{}/{}", entity.span.quote(document.text()), entity.label);
        document.entities().iter().map(entity).collect::<Vec<_>>().join(" ")
    };
    let kept: Vec<String> = found.documents.iter().map(told).collect();
    assert_eq!(kept, ["Oslo/PLACE Aspirin/DRUG Oslo/PLACE", "York/PLACE New York/PLACE"]);
    let refused = BTreeMap::from([(Fault::LostEntity, 3), (Fault::Duplicate, 1), (Fault::TwoLabels, 1)]);
    assert_eq!(found.refused.0, refused);
    assert_eq!(found.documents[0].meta[META]["source"], "1");
    assert_eq!(scripted.asked().len(), 2);
}
