//! A bundle as the server asks for it.

use std::sync::Arc;

use model::{Input, JudgedPiece, RecognitionError, Recognizer, text::EncodedText};
use schema::{Entity, RecognizeError};
use serve::{Encoded, Piece, Tagger};

/// A bundle behind the server.
pub struct ModelTagger {
    recognizer: Arc<Recognizer>,
    tags: Vec<String>,
}

/// What is kept of a text that was encoded.
struct OfModel {
    /// Who encoded it: another model's vocabulary is another one.
    recognizer: Arc<Recognizer>,
    text: String,
    encoded: EncodedText,
}

impl ModelTagger {
    /// Gives a recognizer to the server.
    pub fn new(recognizer: Recognizer) -> Self {
        let tags = recognizer.bundle().codec.tag_set().names().to_vec();
        Self { recognizer: Arc::new(recognizer), tags }
    }

    /// What this model kept of texts.
    fn own<'e>(&self, texts: &[&'e Encoded]) -> Result<Vec<&'e OfModel>, RecognizeError> {
        let own =
            |text: &&'e Encoded| text.of_model::<OfModel>().filter(|of| Arc::ptr_eq(&of.recognizer, &self.recognizer));
        let all: Option<Vec<&OfModel>> = texts.iter().map(own).collect();
        all.ok_or_else(|| RecognizeError::new("a text was encoded by another model; encode it anew", "another model"))
    }
}

impl Tagger for ModelTagger {
    fn encode(&self, text: &str) -> Result<Encoded, RecognizeError> {
        let encoded = self
            .recognizer
            .bundle()
            .codec
            .encode(Input::from(text))
            .map_err(|error| RecognizeError::new(error.to_string(), error))?;
        let pieces = encoded.windows.iter().map(|window| window.ids.len()).sum();
        let windows = encoded.windows.len();
        let of_model = OfModel { recognizer: Arc::clone(&self.recognizer), text: text.to_owned(), encoded };
        Ok(Encoded::new(pieces, windows, of_model))
    }

    fn entities(&self, texts: &[&Encoded]) -> Result<Vec<Vec<Entity>>, RecognizeError> {
        let encoded: Vec<&EncodedText> = self.own(texts)?.into_iter().map(|of| &of.encoded).collect();
        self.recognizer.encoded(&encoded).map_err(failed)
    }

    fn pieces(&self, texts: &[&Encoded]) -> Result<Vec<Vec<Piece>>, RecognizeError> {
        // Cut once more: entities, what most ask for, need no list of pieces, and cutting takes a hundredth of judging.
        let texts: Vec<&str> = self.own(texts)?.into_iter().map(|of| of.text.as_str()).collect();
        let judged = self.recognizer.pieces(&texts).map_err(failed)?;
        Ok(judged.into_iter().map(|pieces| pieces.into_iter().map(piece).collect()).collect())
    }

    fn tags(&self) -> &[String] {
        &self.tags
    }

    fn words(&self, tokens: &[&str]) -> String {
        self.recognizer.bundle().codec.tokenizer().words(tokens)
    }
}

fn piece(judged: JudgedPiece) -> Piece {
    let JudgedPiece { piece, probabilities } = judged;
    let model::text::ListedPiece { range, token, index, continues } = piece;
    Piece { range, token, index, continues, probabilities }
}

fn failed(error: RecognitionError) -> RecognizeError {
    RecognizeError::new(error.to_string(), error)
}

#[cfg(test)]
mod tests {
    use std::path::{Path, PathBuf};

    use model::{Bundle, Workers};
    use schema::{
        Recognize,
        offset::{Offsets, Unit},
    };
    use serde::Deserialize;
    use serve::aggregation::{Group, Strategy, aggregate};

    use super::*;

    fn testdata() -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../model/testdata")
    }

    fn recognizer(model: &str) -> Recognizer {
        Bundle::open(&testdata().join(model)).unwrap().into_recognizer(Workers::all())
    }

    /// A question to transformers' pipeline and what it answered, from `make_aggregation.py`.
    #[derive(Deserialize)]
    struct Case {
        text: String,
        strategy: String,
        ignore: Option<Vec<String>>,
        answer: Vec<Answer>,
    }

    /// Name, score, word, start, end, index.
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Answer {
        Piece(String, f32, String, usize, usize, usize),
        Group(String, f32, String, usize, usize),
    }

    impl Answer {
        fn group(&self) -> Group {
            let (name, score, word, range, index) = match self {
                Self::Piece(name, score, word, start, end, index) => (name, score, word, *start..*end, Some(*index)),
                Self::Group(name, score, word, start, end) => (name, score, word, *start..*end, None),
            };
            Group { name: name.clone(), score: *score, word: word.clone(), range, index }
        }
    }

    #[test]
    fn every_strategy_answers_what_transformers_pipeline_answers() {
        for model in ["bert", "distilbert", "roberta", "xlm-roberta", "camembert"] {
            let tagger = ModelTagger::new(recognizer(model));
            let file = std::fs::read(testdata().join(format!("aggregation/{model}.json"))).unwrap();
            let cases: Vec<Case> = serde_json::from_slice(&file).unwrap();
            assert!(Strategy::ALL.iter().all(|strategy| cases.iter().any(|case| case.strategy == strategy.name())));
            for Case { text, strategy, ignore, answer } in &cases {
                let pieces = tagger.pieces(&[&tagger.encode(text).unwrap()]).unwrap().remove(0);
                let ignore = ignore.clone().unwrap_or_else(|| vec!["O".to_owned()]);
                let strategy: Strategy = strategy.parse().unwrap();
                let groups = aggregate(strategy, &pieces, tagger.tags(), &ignore, |tokens| tagger.words(tokens));
                let offsets = Offsets::new(text, Unit::CodePoints);
                let shown =
                    |group: &Group| format!("{} {:?} {:?} {:?}", group.name, group.word, group.range, group.index);
                let ours = groups.iter().map(|group| {
                    let range = offsets.from_byte(group.range.start)..offsets.from_byte(group.range.end);
                    Group { range, ..group.clone() }
                });
                let ours: Vec<Group> = ours.collect();
                let theirs: Vec<Group> = answer.iter().map(Answer::group).collect();
                let context = format!("{model}, {strategy:?} of {text:?}, {ignore:?}");
                let [mine, peer] = [&ours, &theirs].map(|groups| groups.iter().map(shown).collect::<Vec<_>>());
                assert_eq!(mine, peer, "{context}");
                for (mine, peer) in ours.iter().zip(&theirs) {
                    assert!((mine.score - peer.score).abs() < 1e-5, "{context}: {} and {}", mine.score, peer.score);
                }
            }
        }
    }

    #[test]
    fn entities_are_those_that_the_recognizer_finds_alone_or_in_company() {
        let long = "Ada Lovelace wrote notes on the Analytical Engine in London. ".repeat(30);
        let texts = ["Anna Lindgren moved to Lyon.", "", &long, "caf\u{e9} \u{1f382}"];
        for model in ["bert", "roberta"] {
            let expected = recognizer(model).recognize(&texts).unwrap();
            let tagger = ModelTagger::new(recognizer(model));
            let encoded: Vec<Encoded> = texts.iter().map(|text| tagger.encode(text).unwrap()).collect();
            assert_eq!(tagger.entities(&encoded.iter().collect::<Vec<_>>()).unwrap(), expected);
            assert!(encoded[2].windows > 1 && encoded[2].pieces > encoded[2].windows);
            assert_eq!((encoded[1].windows, encoded[1].pieces), (0, 0));
        }
    }

    #[test]
    fn a_text_that_another_model_encoded_is_refused() {
        let [one, other] = ["bert", "distilbert"].map(|model| ModelTagger::new(recognizer(model)));
        let foreign = [one.encode("Anna").unwrap(), Encoded::new(1, 1, "no text of a model")];
        for text in &foreign {
            let error = other.entities(&[text]).unwrap_err();
            assert_eq!(error.to_string(), "a text was encoded by another model; encode it anew");
            assert!(other.pieces(&[text]).is_err());
        }
    }
}
