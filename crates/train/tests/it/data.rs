//! Documents as batches see them.

use nomen_train::{Augment, Dataset, Events, RowTarget, Settings};
use schema::{Document, Entity, Label, Span};

use crate::sample;

fn person(text: &str, word: &str) -> Document {
    let start = text.find(word).unwrap();
    let entity = Entity::new(Span::new(start, start + word.len()).unwrap(), Label::new("PER").unwrap());
    Document::new(text).with_entities(vec![entity]).unwrap()
}

fn dataset(settings: &Settings, documents: &[Document]) -> Dataset {
    Dataset::new(&sample::bundle(settings).codec, documents, None).unwrap()
}

#[test]
fn words_of_a_partial_document_are_unknown_where_no_entity_is() {
    let mut partial = person("the teacher and the boat", "teacher");
    partial.partial = true;
    let mut unknown = Document::new("the teacher and the boat");
    unknown.partial = true;
    let whole = Document::new("the teacher and the boat");
    let dataset = dataset(&sample::settings(), &[partial, unknown, whole]);
    let labelled: Vec<_> = dataset.examples.iter().map(|example| (example.document, example.labelled)).collect();
    assert_eq!(labelled, [(0, 1), (2, 5)], "a document of which nothing is known teaches nothing");
    assert_eq!(dataset.documents, 3);
}

#[test]
fn every_word_of_a_long_text_has_its_tag_in_one_window() {
    let settings = Settings { max_length: 12, stride: 4, ..sample::settings() };
    let text = "the teacher and the boat were north today ".repeat(9);
    let document = person(text.trim_end(), "teacher");
    let dataset = dataset(&settings, std::slice::from_ref(&document));
    assert!(dataset.examples.len() > 5 && dataset.examples.iter().all(|example| example.ids.len() <= 12));
    let labelled: usize = dataset.examples.iter().map(|example| example.labelled).sum();
    assert_eq!(labelled, document.text().split(' ').count());
    let inside = |target: &RowTarget| matches!(target, RowTarget::Tag(tag) if *tag != 0);
    assert_eq!(dataset.examples.iter().flat_map(|example| &example.targets).filter(|target| inside(target)).count(), 1);
}

#[test]
fn gold_that_no_tag_can_express_is_listed_with_its_document() {
    let documents = [person("the teacher", "teacher"), person("the teacher", "each")];
    let dataset = dataset(&sample::settings(), &documents);
    assert_eq!(dataset.unreachable, [(1, documents[1].entities()[0].clone())]);
}

#[test]
fn copies_teach_beside_their_sources_and_are_told_by_them() {
    let documents = [person("the teacher", "teacher"), person("north arno", "arno")];
    let settings = Augment { copies: Some(2), mentions: Some(1.0), ..Augment::default() };
    let copies = settings.copies_of(&documents, &schema::Schema::default(), 1).unwrap();
    let codec = sample::bundle(&sample::settings()).codec;
    let dataset = Dataset::new(&codec, &documents, None).unwrap().with_copies(&codec, &copies).unwrap();
    let of: Vec<usize> = dataset.examples.iter().map(|example| example.document).collect();
    assert_eq!((of, dataset.documents), (vec![0, 1, 0, 1, 0, 1], 2));
    // A mention may be drawn that stands there already, but not in every copy.
    assert!((2..6).any(|copy| dataset.examples[copy].ids != dataset.examples[copy % 2].ids));
    assert_eq!(Augment::default().copies_of(&documents, &schema::Schema::default(), 1).unwrap(), []);
}

#[test]
fn events_that_a_crash_cut_inside_of_a_character_are_gone_on_with() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("events.jsonl");
    let whole = "{\"event\":\"start\"}\n{\"event\":\"step\",\"step\":1}\n{\"event\":\"step\",\"step\":2}\n";
    let cut = "{\"event\":\"evaluation\",\"step\":2,\"ents_per_type\":{\"Straß".as_bytes();
    std::fs::write(&path, [whole.as_bytes(), &cut[..cut.len() - 1]].concat()).unwrap();
    assert_eq!(Events::read(&path).unwrap().len(), 3);
    drop(Events::resume(&path, 1).unwrap());
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "{\"event\":\"start\"}\n{\"event\":\"step\",\"step\":1}\n");
}
