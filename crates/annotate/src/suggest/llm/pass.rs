//! One text from the question to its suggestions.

use schema::{Schema, Span};
use serde_json::{Map, Value};

use super::{
    Broken, Desk, Estimate, Finish, Message, Outcome, Prompt, Quotes, Reply, Request, Shots, State, Unanswered,
    answer::answer_schema, pieces::pieces, request::tokens, verify, votes,
};
use crate::suggest::{Grounding, Origin, OriginKind, Suggestion, ground::Ground};

/// How often an answer that is cut off or broken is asked for.
const TRIES: u32 = 3;
/// Of the tokens of a text, the share that an answer about it has, as far as one can guess.
const ANSWER_SHARE: f64 = 0.35;

/// How texts are asked about.
#[derive(Debug, Clone, PartialEq)]
pub struct PassOptions {
    /// Name of the model, as the server knows it.
    pub model: String,
    /// How many examples are shown.
    pub shots: usize,
    /// How many answers to each question are asked for.
    pub samples: u32,
    /// Ask in a second question which of the answers hold.
    pub verify: bool,
    /// How freely words are drawn.
    pub temperature: f64,
    /// Most tokens of an answer; one that is cut off is asked for again with twice as many.
    pub max_tokens: u32,
    /// Most bytes of text in one question.
    pub longest_piece: usize,
    /// Further fields of the requests.
    pub extra: Map<String, Value>,
}

/// What a model is asked about texts, and how.
pub struct Pass<'p> {
    desk: &'p Desk<'p>,
    schema: &'p Schema,
    guidelines: &'p str,
    prompt: Prompt,
    shots: Option<&'p Shots>,
    options: PassOptions,
}

/// A question that no answer came of.
struct Failed(State, Option<String>);

impl From<Unanswered> for Failed {
    fn from(unanswered: Unanswered) -> Self {
        match unanswered {
            Unanswered::NotAsked => Self(State::NotAsked, None),
            Unanswered::Budget => Self(State::Budget, None),
            Unanswered::NoAnswer(said) => Self(State::NoAnswer, Some(said)),
            Unanswered::Refused(said) => Self(State::Refused, Some(said)),
        }
    }
}

impl<'p> Pass<'p> {
    /// A pass; `shots` are the labelled texts of which examples are taken.
    pub fn new(
        desk: &'p Desk<'p>,
        schema: &'p Schema,
        guidelines: &'p str,
        shots: Option<&'p Shots>,
        options: PassOptions,
    ) -> Self {
        Self { desk, schema, guidelines, prompt: Prompt::new(schema, guidelines), shots, options }
    }

    /// The origin of its suggestions.
    pub fn origin(&self) -> Origin {
        Origin { prompt: self.prompt.hash(), ..Origin::new(OriginKind::Llm, self.options.model.clone()) }
    }

    /// What the model suggests for a text.
    pub fn of(&self, text: &str) -> Outcome {
        let mut outcome = Outcome::new();
        for (start, piece) in pieces(text, self.options.longest_piece) {
            if piece.trim().is_empty() {
                continue;
            }
            for suggestion in self.of_piece(piece, &mut outcome) {
                let moved = |span: Span| Span::of(text, start + span.start()..start + span.end()).ok();
                let span = suggestion.span.and_then(moved);
                outcome.suggestions.push(Suggestion { span, ..suggestion });
            }
        }
        outcome
    }

    /// What asking about a text is likely to cost.
    pub fn estimate(&self, text: &str) -> Estimate {
        let mut estimate = Estimate::default();
        for (_, piece) in pieces(text, self.options.longest_piece) {
            if piece.trim().is_empty() {
                continue;
            }
            let messages = self.messages(piece);
            let answer = (tokens(piece) as f64 * ANSWER_SHARE) as u64 + 10;
            let mut count = |request: &Request| {
                let known = self.desk.knows(request);
                estimate.from_cache += u64::from(known);
                estimate.requests += u64::from(!known);
                estimate.prompt_tokens += if known { 0 } else { request.prompt_tokens() };
                estimate.completion_tokens += if known { 0 } else { answer };
            };
            for sample in 0..self.options.samples.max(1) {
                count(&self.request(messages.clone(), sample, ("entities", answer_schema(self.schema))));
            }
            if self.options.verify {
                // What will be listed is not known; it is about as long as the answer.
                let mut messages = verify::messages(self.schema, self.guidelines, piece, &[]);
                messages.push(Message::user("x".repeat(answer as usize * 4)));
                count(&self.request(messages, 0, ("verdicts", verify::schema())));
            }
        }
        estimate
    }

    fn messages(&self, piece: &str) -> Vec<Message> {
        let shots = self.shots.map(|shots| shots.like(piece, self.options.shots)).unwrap_or_default();
        self.prompt.messages(&shots, piece)
    }

    fn of_piece(&self, piece: &str, outcome: &mut Outcome) -> Vec<Suggestion> {
        let messages = self.messages(piece);
        let ground = Ground::new(piece);
        let mut answers = Vec::new();
        for sample in 0..self.options.samples.max(1) {
            let request = self.request(messages.clone(), sample, ("entities", answer_schema(self.schema)));
            match self.answered(request, outcome, |reply| Quotes::of(reply, self.schema)) {
                Ok(quotes) => {
                    for (label, count) in &quotes.foreign {
                        *outcome.foreign.entry(label.clone()).or_insert(0) += count;
                    }
                    answers.push(self.grounded(&ground, quotes));
                }
                Err(Failed(state, problem)) => outcome.fail(state, problem),
            }
        }
        let count = answers.len();
        let suggestions = votes::joined(answers);
        let placed = suggestions.iter().filter(|one| one.status != Grounding::Ungrounded).count();
        if !self.options.verify || placed == 0 {
            return suggestions;
        }
        let messages = verify::messages(self.schema, self.guidelines, piece, &suggestions);
        let request = self.request(messages, 0, ("verdicts", verify::schema()));
        match self.answered(request, outcome, |reply| verify::verdicts(reply, placed)) {
            Ok(verdicts) => votes::judged(suggestions, &verdicts, count),
            Err(Failed(state, problem)) => {
                outcome.fail(state, problem);
                suggestions
            }
        }
    }

    fn grounded(&self, ground: &Ground<'_>, quotes: Quotes) -> Vec<Suggestion> {
        let origin = self.origin();
        let found = ground.align(&quotes.quotes);
        let suggestion =
            |(quote, found): (crate::suggest::ground::Quote, crate::suggest::ground::Grounded)| Suggestion {
                span: found.span,
                label: quote.label,
                score: None,
                status: found.status,
                quote: quote.text,
                edits: found.edits,
                verified: None,
                origin: origin.clone(),
            };
        quotes.quotes.into_iter().zip(found).map(suggestion).collect()
    }

    fn request(&self, messages: Vec<Message>, sample: u32, schema: (&'static str, Value)) -> Request {
        let PassOptions { model, temperature, max_tokens, extra, .. } = &self.options;
        Request {
            model: model.clone(),
            messages,
            temperature: *temperature,
            max_tokens: *max_tokens,
            sample,
            schema,
            extra: extra.clone(),
        }
    }

    /// What `read` makes of the answer to a question. One that was cut off is asked for again with more room, one that
    /// cannot be read with a word on why.
    fn answered<T>(
        &self,
        mut request: Request,
        outcome: &mut Outcome,
        read: impl Fn(&Reply) -> Result<T, Broken>,
    ) -> Result<T, Failed> {
        let mut failed = Failed(State::Broken, None);
        for _ in 0..TRIES {
            let reply = self.desk.ask(&request)?;
            if reply.finish == Finish::Length {
                outcome.truncated += 1;
                failed = Failed(State::Truncated, Some(format!("cut off at {} tokens", request.max_tokens)));
                request.max_tokens = request.max_tokens.saturating_mul(2);
                continue;
            }
            let read = match &reply.finish {
                Finish::Other(why) => Err(Broken(format!("the model ended it: {why}"))),
                _ => read(&reply),
            };
            match read {
                Ok(answer) => return Ok(answer),
                Err(Broken(why)) => {
                    outcome.broken += 1;
                    request.messages.push(Message::assistant(reply.content));
                    request.messages.push(Message::user(format!(
                        "This answer cannot be used: {why}. Answer again, with the JSON object that was asked for and nothing else."
                    )));
                    failed = Failed(State::Broken, Some(why));
                }
            }
        }
        Err(failed)
    }
}
