//! New texts from the schema.

use std::collections::BTreeMap;

use schema::{Document, Entity, Schema};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{
    Balance, Fault, Known, META, Refused,
    balance::counted,
    prompt::{self, Wanted},
};
use crate::suggest::{
    Grounding, Origin, OriginKind,
    ground::Ground,
    llm::{Desk, Finish, Message, Quotes, Reply, Request, Row, Unanswered, in_parallel, object},
};

/// How texts are written.
#[derive(Debug, Clone, PartialEq)]
pub struct AuthorOptions {
    /// Name of the model, as the server knows it.
    pub model: String,
    /// How many texts to write.
    pub count: usize,
    /// How many of them one question asks for.
    pub per_question: usize,
    /// The share of texts without entities.
    pub without: f64,
    /// How many example texts a question shows.
    pub like: usize,
    /// How freely words are drawn.
    pub temperature: f64,
    /// Most tokens of an answer.
    pub max_tokens: u32,
    /// Questions that are under way at once.
    pub threads: usize,
    /// Further fields of the requests.
    pub extra: Map<String, Value>,
}

/// Entities that a text should have, about.
const ENTITIES: f64 = 1.5;
/// So many names that were written often are not to be written again.
const AVOIDED: usize = 30;
/// The run ends after so many rounds in which nothing was written that counts.
const BARREN: u32 = 3;

/// Asks a model for texts, round by round, until there are enough.
///
/// The questions of a round depend on what the rounds before brought alone, so that a run that was stopped asks the same
/// ones again, which the cache of the desk answers.
pub struct Author<'a> {
    desk: &'a Desk<'a>,
    schema: &'a Schema,
    guidelines: &'a str,
    balance: Balance,
    examples: &'a [Document],
    options: AuthorOptions,
}

/// What was written.
#[derive(Debug, Clone, Default)]
pub struct Written {
    /// The texts that count.
    pub documents: Vec<Document>,
    /// The others, by their fault.
    pub refused: Refused,
    /// Answers that were cut off.
    pub truncated: usize,
    /// Answers that could not be read.
    pub broken: usize,
    /// Why the run ended before there were enough, where it did.
    pub ended: Option<String>,
}

#[derive(Deserialize)]
struct Answer {
    texts: Vec<Text>,
}

#[derive(Deserialize)]
struct Text {
    text: String,
    entities: Vec<Row>,
}

impl<'a> Author<'a> {
    /// An author; `examples` are texts in whose manner to write.
    pub fn new(
        desk: &'a Desk<'a>,
        schema: &'a Schema,
        guidelines: &'a str,
        balance: Balance,
        examples: &'a [Document],
        options: AuthorOptions,
    ) -> Self {
        Self { desk, schema, guidelines, balance, examples, options }
    }

    /// Writes, and holds what comes against what is known; `told` hears how many texts there are.
    pub fn write(&self, known: &mut Known, told: impl Fn(usize)) -> Written {
        let mut written = Written::default();
        let (mut number, mut barren) = (0, 0);
        while written.documents.len() < self.options.count {
            let questions = self.questions(number, &written.documents, known);
            number += questions.len();
            let answers = in_parallel(&questions, self.options.threads, |question| self.desk.ask(question), |_| ());
            let before = written.documents.len();
            let unanswered =
                answers.into_iter().map(|answer| self.take(answer, known, &mut written)).find_map(Result::err);
            told(written.documents.len());
            if let Some(why) = unanswered {
                written.ended = Some(why);
                break;
            }
            barren = if written.documents.len() > before { 0 } else { barren + 1 };
            if barren == BARREN {
                written.ended = Some(format!("{BARREN} rounds in a row brought no text that counts"));
                break;
            }
        }
        written.documents.truncate(self.options.count);
        written
    }

    /// The questions of the next round.
    fn questions(&self, number: usize, documents: &[Document], known: &Known) -> Vec<Request> {
        let each = self.options.per_question.max(1);
        let missing = self.options.count - documents.len();
        let mut counts = counted(documents);
        let avoid = known.frequent(AVOIDED);
        let questions = missing.div_ceil(each).min(self.options.threads.max(1));
        let question = |at: usize| {
            let texts = each.min(missing);
            let without = (texts as f64 * self.options.without).round() as usize;
            let entities = ((texts - without.min(texts)) as f64 * ENTITIES).ceil() as usize;
            let labels = self.balance.next(&counts, entities);
            for label in &labels {
                *counts.entry(label.clone()).or_insert(0) += 1;
            }
            let like = self.like(number + at);
            let wanted = Wanted { number: number + at, texts, labels: &labels, without, like: &like, avoid: &avoid };
            self.request(prompt::messages(self.schema, self.guidelines, &wanted))
        };
        (0..questions).map(question).collect()
    }

    /// The examples of a question: each gets its turn.
    fn like(&self, number: usize) -> Vec<&Document> {
        let all = self.examples.len();
        let count = self.options.like.min(all);
        (0..count).map(|at| &self.examples[(number * count + at) % all]).collect()
    }

    fn request(&self, messages: Vec<Message>) -> Request {
        let AuthorOptions { model, temperature, max_tokens, extra, .. } = &self.options;
        Request {
            model: model.clone(),
            messages,
            temperature: *temperature,
            max_tokens: *max_tokens,
            sample: 0,
            schema: ("texts", prompt::texts_schema(self.schema)),
            extra: extra.clone(),
        }
    }

    /// Takes an answer; an error says why no more can be written.
    fn take(&self, answer: Result<Reply, Unanswered>, known: &mut Known, written: &mut Written) -> Result<(), String> {
        let reply = match answer {
            Ok(reply) => reply,
            Err(Unanswered::Budget) => return Err("the budget is spent".into()),
            Err(Unanswered::NotAsked) => return Err("it was stopped".into()),
            Err(Unanswered::NoAnswer(said) | Unanswered::Refused(said)) => return Err(said),
        };
        if reply.finish == Finish::Length {
            written.truncated += 1;
            return Ok(());
        }
        let Ok(Answer { texts }) = object(&reply) else {
            written.broken += 1;
            return Ok(());
        };
        let mut documents = Vec::new();
        for text in texts {
            match self.document(text) {
                Ok(document) => documents.push(document),
                Err(fault) => written.refused.count(fault),
            }
        }
        for admitted in known.admit(documents, self.schema) {
            match admitted {
                Ok(mut document) => {
                    document.id = Some(format!("generated-{}", written.documents.len() + 1));
                    written.documents.push(document);
                }
                Err(fault) => written.refused.count(fault),
            }
        }
        Ok(())
    }

    fn document(&self, Text { text, entities }: Text) -> Result<Document, Fault> {
        let text = text.trim();
        let quotes = Quotes::of_rows(entities, self.schema);
        if !quotes.foreign.is_empty() {
            return Err(Fault::ForeignLabel);
        }
        let origin = Origin::new(OriginKind::Llm, self.options.model.clone());
        let mut entities = Vec::new();
        for (quote, found) in quotes.quotes.iter().zip(Ground::new(text).align(&quotes.quotes)) {
            match (found.status, found.span) {
                (Grounding::Exact, Some(span)) => {
                    let source = Some(origin.to_string());
                    entities.push(Entity { source, ..Entity::new(span, quote.label.clone()) });
                }
                (Grounding::Ambiguous, _) => return Err(Fault::Ambiguous),
                _ => return Err(Fault::Ungrounded),
            }
        }
        let mut document = Document::new(text).with_entities(entities).map_err(|_| Fault::Overlap)?;
        document.meta.insert(META.to_owned(), json!({"by": origin.to_string()}));
        Ok(document)
    }
}

impl Written {
    /// Entities by label.
    pub fn labels(&self) -> BTreeMap<schema::Label, usize> {
        counted(&self.documents)
    }
}
