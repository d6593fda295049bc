//! What is written is read again unchanged, whatever characters the text holds.

use nomen_corpus::{Format, Loss, ReadOptions, WriteOptions, Writer, fingerprint, read_with};
use proptest::{collection::vec, option, prelude::*, sample::select};
use schema::{Document, Entity, Label, Span, offset::Unit, tags::Scheme};
use serde_json::json;

use crate::{read_bytes, write_bytes};

/// Pieces that bytes, code points and UTF-16 units count differently, and those that formats are sensitive to.
const PIECES: [&str; 22] = [
    "a",
    "word",
    "é",
    "e\u{301}",
    "ñ\u{303}\u{323}",
    "👩‍🔬",
    "🇩🇰",
    "👍🏽",
    "漢字",
    "שלום",
    "\r\n",
    "\n",
    "\t",
    " ",
    "\u{a0}",
    "\"",
    "\\",
    "#",
    "-DOCSTART",
    ",",
    "[",
    "\u{feff}",
];

fn labels() -> impl Strategy<Value = Label> {
    select(vec!["PER", "creative-work", "B-X", "ægte"]).prop_map(|name| Label::new(name).unwrap())
}

/// Documents with 0 to 4 entities between any two characters, without tokens.
pub(crate) fn documents() -> impl Strategy<Value = Document> {
    let entity = (0usize..60, labels(), option::of(0u8..=100), option::of(Just("rule".to_owned())));
    (vec(select(PIECES.to_vec()), 1..14), vec((entity, 0usize..60), 0..4)).prop_map(|(pieces, drawn)| {
        let text = pieces.concat();
        let bounds: Vec<usize> = text.char_indices().map(|(at, _)| at).chain([text.len()]).collect();
        let mut edges: Vec<usize> =
            drawn.iter().flat_map(|((a, ..), b)| [a % bounds.len(), b % bounds.len()]).collect();
        edges.sort_unstable();
        // Neighbouring edges make entities that never overlap but often touch.
        let entities = edges.chunks(2).zip(drawn).filter_map(|(pair, ((_, label, score, source), _))| {
            let span = Span::new(bounds[pair[0]], bounds[pair[1]]).ok()?;
            Some(Entity { span, label, score: score.map(|score| f32::from(score) / 100.0), source })
        });
        let entities = entities.collect();
        Document::new(text).with_entities(entities).unwrap()
    })
}

/// Documents with everything that a document can have.
pub(crate) fn full_documents() -> impl Strategy<Value = Document> {
    let number =
        any::<f64>().prop_filter("whole numbers past 64 bits are refused", |n| n.is_finite() && n.abs() < 1e18);
    (
        documents(),
        option::of(select(PIECES.to_vec())),
        any::<bool>(),
        option::of(vec(labels(), 0..3)),
        number,
        any::<bool>(),
    )
        .prop_map(|(mut document, id, partial, looked_for, number, tokens)| {
            if tokens {
                let bounds: Vec<usize> = document.text().char_indices().map(|(at, _)| at).collect();
                let pairs = bounds.windows(2).step_by(2);
                let spans = pairs.map(|pair| Span::new(pair[0], pair[1]).unwrap()).collect();
                document = document.with_tokens(spans).unwrap();
            }
            document.id = id.map(str::to_owned);
            document.partial = partial;
            document.looked_for = looked_for;
            if id.is_some() {
                document.meta.insert("né".into(), json!({"a": [number, null, -3], "b": document.text()}));
            }
            document
        })
}

/// Sentences as CoNLL gives them: tokens joined by single spaces, entities that cover whole tokens.
pub(crate) fn sentences() -> impl Strategy<Value = Document> {
    let tokens = vec(select(vec!["a", "#", "👩‍🔬", "e\u{301}", "漢字", "word", ",", "O", "B-PER", "# "]), 1..9);
    (tokens, vec((0usize..3, 1usize..4, labels()), 0..4)).prop_map(|(words, chunks)| {
        let (mut text, mut tokens) = (String::new(), Vec::new());
        for word in words.iter().map(|word| word.trim()) {
            if !text.is_empty() {
                text.push(' ');
            }
            tokens.push(Span::new(text.len(), text.len() + word.len()).unwrap());
            text.push_str(word);
        }
        let mut at = 0;
        let mut entities = Vec::new();
        for (gap, len, label) in chunks {
            let end = at + gap + len;
            if end <= tokens.len() {
                entities.push(Entity::new(tokens[at + gap].join(tokens[end - 1]), label));
                at = end;
            }
        }
        Document::new(text).with_entities(entities).and_then(|document| document.with_tokens(tokens)).unwrap()
    })
}

/// A document whose text is the tokens of a CoNLL row each, without the white space between them.
fn bare(text: &str) -> String {
    text.chars().filter(|character| !character.is_whitespace()).collect()
}

/// Formats that hold any text and any spans of it.
const TEXT_AND_SPANS: [Format; 8] = [
    Format::Jsonl,
    Format::SpacyList,
    Format::Prodigy,
    Format::Doccano,
    Format::LabelStudio,
    Format::Argilla,
    Format::Csv,
    Format::Tsv,
];

fn mentions(document: &Document) -> Vec<(Span, Label)> {
    document.entities().iter().map(|entity| (entity.span, entity.label.clone())).collect()
}

/// What the entities cover, without white space.
fn quotes(document: &Document) -> Vec<(String, Label)> {
    document.entities().iter().map(|e| (bare(e.span.quote(document.text())), e.label.clone())).collect()
}

/// What stands in a file of ours. doccano's format has no place to say that offsets count code points, so the caller does.
fn read_back(bytes: &[u8], format: Format) -> Vec<Document> {
    let unit = (format == Format::Doccano).then_some(Unit::CodePoints);
    let options = ReadOptions { format: Some(format), unit, ..ReadOptions::default() };
    read_with(bytes, "data", &options).unwrap().collect::<Result<_, _>>().unwrap()
}

/// The known tokens that are no white space: other formats know no other tokens.
fn words(document: &Document) -> Option<Vec<Span>> {
    let is_word = |token: &&Span| !token.quote(document.text()).trim().is_empty();
    document.tokens().map(|tokens| tokens.iter().filter(is_word).copied().collect())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn entities_are_equal_after_there_and_back_between_any_two_formats(several in vec(sentences(), 1..4)) {
        let annotated: Vec<Format> = Format::ALL.into_iter().filter(|format| format.is_written() && *format != Format::Text).collect();
        for there in &annotated {
            let read = read_back(&write_bytes(&several, *there, WriteOptions::default()), *there);
            for back in &annotated {
                let read = read_back(&write_bytes(&read, *back, WriteOptions::default()), *back);
                prop_assert_eq!(read.len(), several.len());
                for (read, document) in read.iter().zip(&several) {
                    // Behind a format without tokens, one with tokens only splits the text its own way.
                    prop_assert_eq!(bare(read.text()), bare(document.text()), "{} {}", there, back);
                    prop_assert_eq!(quotes(read), quotes(document), "{} {}", there, back);
                    let same_text = read.text() == document.text();
                    prop_assert!(!same_text || mentions(read) == mentions(document), "{} {}", there, back);
                }
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(5000))]

    #[test]
    fn jsonl_gives_back_every_document_whole(document in full_documents(), quote in any::<bool>()) {
        let options = WriteOptions { quote, ..WriteOptions::default() };
        let mut writer = Writer::new(Vec::new(), "out", Format::Jsonl, options);
        writer.write(&document).unwrap();
        let (bytes, losses) = writer.finish().unwrap();
        prop_assert!(losses.is_empty());
        prop_assert_eq!(bytes.split(|byte| *byte == b'\n').count(), 2);
        let (read, _) = read_bytes(&bytes, Format::Jsonl).unwrap();
        prop_assert_eq!(fingerprint(&read), fingerprint([&document]));
        prop_assert_eq!(&read[..], &[document]);
    }

    #[test]
    fn every_format_keeps_what_it_does_not_call_lost(document in full_documents()) {
        for format in TEXT_AND_SPANS {
            let mut writer = Writer::new(Vec::new(), "out", format, WriteOptions::default());
            writer.write(&document).unwrap();
            let (bytes, losses) = writer.finish().unwrap();
            let read = read_back(&bytes, format);
            prop_assert_eq!(read.len(), 1);
            let kept = |loss| losses.documents(loss) == 0;
            let same = |loss, equal: bool| !kept(loss) || equal;
            prop_assert_eq!(read[0].text(), document.text());
            prop_assert_eq!(mentions(&read[0]), mentions(&document), "{}", format);
            let scores = |document: &Document| document.entities().iter().map(|e| e.score).collect::<Vec<_>>();
            let sources = |document: &Document| document.entities().iter().map(|e| e.source.clone()).collect::<Vec<_>>();
            prop_assert!(same(Loss::Score, scores(&read[0]) == scores(&document)), "{} scores", format);
            prop_assert!(same(Loss::Source, sources(&read[0]) == sources(&document)), "{} sources", format);
            prop_assert!(same(Loss::Id, read[0].id == document.id), "{} id", format);
            prop_assert!(same(Loss::Meta, read[0].meta == document.meta), "{} meta", format);
            prop_assert!(same(Loss::Partial, read[0].partial == document.partial), "{} partial", format);
            prop_assert!(same(Loss::LookedFor, read[0].looked_for == document.looked_for), "{} labels", format);
            prop_assert!(same(Loss::Tokens, words(&read[0]) == words(&document)), "{} tokens", format);
        }
    }

    #[test]
    fn a_spacy_list_gives_back_texts_and_entities(several in vec(documents(), 0..3)) {
        let several: Vec<Document> = several
            .into_iter()
            .map(|document| {
                let plain = document.entities().iter().map(|e| Entity::new(e.span, e.label.clone())).collect();
                document.with_entities(plain).unwrap()
            })
            .collect();
        let bytes = write_bytes(&several, Format::SpacyList, WriteOptions::default());
        prop_assert_eq!(read_bytes(&bytes, Format::SpacyList).unwrap().0, several);
    }

    #[test]
    fn conll_gives_back_known_tokens_and_entities_in_every_scheme(several in vec(sentences(), 1..4)) {
        for scheme in Scheme::ALL {
            let options = WriteOptions { scheme, ..WriteOptions::default() };
            let bytes = write_bytes(&several, Format::Conll, options);
            let (read, report) = read_bytes(&bytes, Format::Conll).unwrap();
            prop_assert_eq!(&read, &several);
            prop_assert_eq!(report.repairs.total, 0);
        }
    }

    #[test]
    fn conll_of_a_text_without_tokens_shifts_no_entity(document in documents()) {
        let mut writer = Writer::new(Vec::new(), "out", Format::Conll, WriteOptions::default());
        if let Err(error) = writer.write(&document) {
            prop_assert!(error.to_string().contains("white space only"), "{}", error);
        } else {
            let (bytes, losses) = writer.finish().unwrap();
            let (read, _) = read_bytes(&bytes, Format::Conll).unwrap();
            let text = read.first().map_or("", Document::text);
            prop_assert_eq!(bare(text), bare(document.text()));
            prop_assert_eq!(read.is_empty(), bare(document.text()).is_empty());
            prop_assert_eq!(read.first().map(quotes).unwrap_or_default(), quotes(&document));
            let kept = losses.documents(Loss::WhiteSpace) + losses.documents(Loss::EmptyText) == 0;
            prop_assert_eq!(kept, text == document.text());
        }
    }

    #[test]
    fn text_gives_back_lines(document in documents()) {
        let mut writer = Writer::new(Vec::new(), "out", Format::Text, WriteOptions::default());
        if let Err(error) = writer.write(&document) {
            prop_assert!(document.text().contains(['\r', '\n']), "{}", error);
        } else {
            let bytes = writer.finish().unwrap().0;
            let (read, _) = read_bytes(&bytes, Format::Text).unwrap();
            prop_assert_eq!(read[0].text(), document.text());
        }
    }
}
