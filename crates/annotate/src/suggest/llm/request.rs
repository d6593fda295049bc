//! What a server is asked.

use std::fmt::Write as _;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};

/// A part of a conversation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    /// `system`, `user` or `assistant`.
    pub role: &'static str,
    /// What is said.
    pub content: String,
}

impl Message {
    /// What holds for the whole conversation.
    pub fn system(content: impl Into<String>) -> Self {
        Self { role: "system", content: content.into() }
    }

    /// What is asked.
    pub fn user(content: impl Into<String>) -> Self {
        Self { role: "user", content: content.into() }
    }

    /// What was answered.
    pub fn assistant(content: impl Into<String>) -> Self {
        Self { role: "assistant", content: content.into() }
    }
}

/// A request for a chat completion.
#[derive(Debug, Clone, PartialEq)]
pub struct Request {
    /// Name of the model, as the server knows it.
    pub model: String,
    /// The conversation.
    pub messages: Vec<Message>,
    /// How freely words are drawn, 0 for the likeliest.
    pub temperature: f64,
    /// Most tokens of the answer.
    pub max_tokens: u32,
    /// Which of several answers to the same question this is, from 0.
    pub sample: u32,
    /// Name and JSON schema of the answer.
    pub schema: (&'static str, Value),
    /// Further fields of the body; `null` takes a field out.
    pub extra: Map<String, Value>,
}

/// How the form of the answer is asked for, beside the prompt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// By its JSON schema.
    Schema,
    /// As some JSON object.
    Object,
    /// By the prompt alone.
    Prompt,
}

impl Request {
    /// The body that is sent.
    pub(super) fn body(&self, form: Form) -> Value {
        let mut body = json!({
            "model": self.model,
            "messages": self.messages,
            "temperature": self.temperature,
            "max_tokens": self.max_tokens,
        });
        let (name, schema) = &self.schema;
        match form {
            Form::Schema => {
                let schema = json!({"name": name, "strict": true, "schema": schema});
                body["response_format"] = json!({"type": "json_schema", "json_schema": schema});
            }
            Form::Object => body["response_format"] = json!({"type": "json_object"}),
            Form::Prompt => {}
        }
        if self.sample > 0 {
            body["seed"] = json!(self.sample);
        }
        if let Value::Object(body) = &mut body {
            for (field, value) in &self.extra {
                if value.is_null() {
                    body.shift_remove(field);
                } else {
                    body.insert(field.clone(), value.clone());
                }
            }
        }
        body
    }

    /// The SHA-256, in hexadecimal, of what the answer depends on: the server, the question, which of several answers it is.
    /// How the form of the answer is asked for is no part of it.
    pub fn hash(&self, server: &str) -> String {
        let asked = json!([server, self.sample, self.body(Form::Prompt), self.schema.1]);
        hexadecimal(asked.to_string().as_bytes())
    }

    /// About how many tokens the prompt has.
    pub fn prompt_tokens(&self) -> u64 {
        // A message's role and marks take about four.
        self.messages.iter().map(|message| 4 + tokens(&message.content)).sum()
    }
}

/// About how many tokens a text has: one for four ASCII letters, one for each other character. Exact counts differ by model.
pub(super) fn tokens(text: &str) -> u64 {
    let ascii = text.bytes().filter(u8::is_ascii).count() as u64;
    let others = text.chars().filter(|letter| !letter.is_ascii()).count() as u64;
    ascii.div_ceil(4) + others
}

/// The SHA-256 of bytes in hexadecimal.
pub(super) fn hexadecimal(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().fold(String::with_capacity(64), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_part_of_a_question_is_part_of_its_name_and_the_form_of_the_answer_is_not() {
        let request = Request {
            model: "m".into(),
            messages: vec![Message::user("x")],
            temperature: 0.0,
            max_tokens: 10,
            sample: 0,
            schema: ("entities", json!({})),
            extra: Map::new(),
        };
        let name = request.hash("http://a");
        assert_eq!(name.len(), 64);
        assert_ne!(name, request.hash("http://b"));
        assert_ne!(name, Request { sample: 1, ..request.clone() }.hash("http://a"));
        assert_ne!(name, Request { messages: vec![Message::user("y")], ..request.clone() }.hash("http://a"));
        assert_ne!(request.body(Form::Schema), request.body(Form::Object));
        let mut extra = Map::new();
        extra.insert("max_tokens".into(), Value::Null);
        extra.insert("max_completion_tokens".into(), json!(5));
        let body = Request { extra, ..request }.body(Form::Prompt);
        assert_eq!((body.get("max_tokens"), &body["max_completion_tokens"]), (None, &json!(5)));
    }
}
