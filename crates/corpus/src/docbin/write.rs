//! Documents into a DocBin that spaCy 3 opens and trains from.

use std::{
    collections::{HashMap, HashSet},
    io::{self, Write},
};

use schema::{Document, Span};
use serde_json::{Map, Value};

use super::{
    CATS, ID, VERSION, attribute, iob,
    messagepack::{Head, put, put_json, put_text},
    strings,
    zlib::{self, Part},
};
use crate::{Loss, tokens};

/// The columns of a row, in spaCy's order: words first, then by number.
const ATTRIBUTES: [u64; 3] = [attribute::ORTH, attribute::ENT_IOB, attribute::ENT_TYPE];
/// Most bytes that MessagePack can hold in one piece.
const MOST: u64 = u32::MAX as u64;

/// Collects documents, compressed; the file is written at the end, because its beginning tells of all.
pub(crate) struct Writer {
    documents: usize,
    tokens: Part,
    spaces: Part,
    lengths: Part,
    strings: Strings,
    cats: Part,
    user_data: Part,
    has_user_data: bool,
}

/// One row and the space behind it.
struct Row {
    word: u64,
    iob: u64,
    label: u64,
    space: bool,
}

impl Writer {
    pub(crate) fn new() -> Self {
        Self {
            documents: 0,
            tokens: Part::new(),
            spaces: Part::new(),
            lengths: Part::new(),
            strings: Strings::new(),
            cats: Part::new(),
            user_data: Part::new(),
            has_user_data: false,
        }
    }

    /// Takes a document; what a DocBin cannot hold of it is added to `losses`.
    ///
    /// # Errors
    /// In words: what keeps the document from being written; then nothing of it is.
    pub(crate) fn write(&mut self, document: &Document, losses: &mut Vec<Loss>) -> Result<(), String> {
        let rows = self.rows(document, losses)?;
        let packed = rows.len() as u64 * 8 * ATTRIBUTES.len() as u64;
        let length = i32::try_from(rows.len()).ok();
        let room = self.tokens.len() + packed <= MOST && self.lengths.len() + 4 <= MOST;
        let Some(length) = length.filter(|_| room) else {
            return Err("a DocBin holds no more than 4 GiB of tokens; write the rest into another file".to_owned());
        };
        let mut bytes = Vec::with_capacity(packed as usize);
        for row in &rows {
            for value in [row.word, row.iob, row.label] {
                bytes.extend_from_slice(&value.to_le_bytes());
            }
        }
        self.tokens.push(&bytes);
        bytes.clear();
        bytes.extend(rows.iter().map(|row| u8::from(row.space)));
        self.spaces.push(&bytes);
        self.lengths.push(&length.to_le_bytes());

        let (cats, data) = metadata(document, losses);
        bytes.clear();
        put_json(&mut bytes, &Value::Object(cats));
        self.cats.push(&bytes);
        bytes.clear();
        if data.is_empty() {
            put(&mut bytes, Head::Nil);
        } else {
            self.has_user_data = true;
            let data = user_data(&data);
            put(&mut bytes, Head::Bin(data.len()));
            bytes.extend_from_slice(&data);
        }
        self.user_data.push(&bytes);
        self.documents += 1;
        Ok(())
    }

    fn rows(&mut self, document: &Document, losses: &mut Vec<Loss>) -> Result<Vec<Row>, String> {
        let text = document.text();
        let tokens = tokens::tokens(document, losses);
        let chunks = tokens::chunks(document, &tokens, losses)?;
        let blank = |span: &Span| span.quote(text).chars().all(tokens::is_space);
        if document.tokens().unwrap_or_default().iter().any(blank) {
            losses.push(Loss::Tokens);
        }
        let mut rows = Vec::with_capacity(tokens.len() + 4);
        let outside = if document.partial { iob::MISSING } else { iob::OUTSIDE };
        // The state of what lies in front of a token: a chunk goes on through white space inside of it.
        let (mut chunk, mut place, mut says_missing) = (0, 0, false);
        for (at, token) in tokens.iter().enumerate() {
            let current = chunks.get(chunk).filter(|current| current.tokens.contains(&at));
            let begins = current.is_some_and(|current| current.tokens.start == at);
            let (state, label) = match current {
                None => (outside, 0),
                Some(current) => {
                    let state = if begins { iob::BEGIN } else { iob::INSIDE };
                    (state, self.strings.id(current.label.as_str())?)
                }
            };
            let goes_on = state == iob::INSIDE;
            let gap = (if goes_on { iob::INSIDE } else { outside }, if goes_on { label } else { 0 });
            self.space(&text[place..token.start()], gap, &mut rows)?;
            let word = self.strings.id(token.quote(text))?;
            rows.push(Row { word, iob: state, label, space: false });
            says_missing |= state == iob::MISSING && !blank(token);
            place = token.end();
            chunk += usize::from(current.is_some_and(|current| current.tokens.end == at + 1));
        }
        self.space(&text[place..], (outside, 0), &mut rows)?;
        if document.partial && !says_missing {
            losses.push(Loss::Partial);
        }
        Ok(rows)
    }

    /// White space between tokens: the first blank is the space behind the token before, the rest a token of its
    /// own, as spaCy's own tokenizer does it.
    fn space(&mut self, gap: &str, (iob, label): (u64, u64), rows: &mut Vec<Row>) -> Result<(), String> {
        let rest = match (gap.strip_prefix(' '), rows.last_mut()) {
            (Some(rest), Some(before)) => {
                before.space = true;
                rest
            }
            _ => gap,
        };
        if !rest.is_empty() {
            let word = self.strings.id(rest)?;
            rows.push(Row { word, iob, label, space: false });
        }
        Ok(())
    }

    /// Writes the file.
    pub(crate) fn finish(self, out: &mut impl Write) -> io::Result<()> {
        let mut parts = Vec::new();
        let mut bytes = Vec::new();
        put(&mut bytes, Head::Map(if self.has_user_data { 8 } else { 7 }));
        put_text(&mut bytes, "version");
        put_text(&mut bytes, VERSION);
        put_text(&mut bytes, "attrs");
        put(&mut bytes, Head::Array(ATTRIBUTES.len()));
        for attribute in ATTRIBUTES {
            put(&mut bytes, Head::Unsigned(attribute));
        }
        let binary = |part: &Part| Head::Bin(part.len() as usize);
        let list = |len: usize| Head::Array(len);
        let fields = [
            ("tokens", binary(&self.tokens), self.tokens),
            ("spaces", binary(&self.spaces), self.spaces),
            ("lengths", binary(&self.lengths), self.lengths),
            ("strings", list(self.strings.known.len()), self.strings.texts),
            ("cats", list(self.documents), self.cats),
            ("user_data", list(self.documents), self.user_data),
        ];
        for (name, head, part) in fields {
            if name == "user_data" && !self.has_user_data {
                continue;
            }
            put_text(&mut bytes, name);
            put(&mut bytes, head);
            parts.extend([Part::of(&bytes), part]);
            bytes.clear();
        }
        zlib::write(out, parts)
    }
}

/// The metadata as text categories and as user data.
fn metadata(document: &Document, losses: &mut Vec<Loss>) -> (Map<String, Value>, Map<String, Value>) {
    let (mut cats, mut data) = (Map::new(), Map::new());
    if let Some(id) = &document.id {
        data.insert(ID.to_owned(), id.as_str().into());
    }
    for (field, value) in &document.meta {
        match value {
            Value::Object(values) if field == CATS && values.values().all(Value::is_number) => cats.clone_from(values),
            _ if field == ID && document.id.is_some() => losses.push(Loss::Meta),
            value => drop(data.insert(field.clone(), value.clone())),
        }
    }
    (cats, data)
}

/// The message of one document's user data; `_.NAME` is the extension attribute `doc._.NAME`.
fn user_data(data: &Map<String, Value>) -> Vec<u8> {
    let mut bytes = Vec::new();
    put(&mut bytes, Head::Map(data.len()));
    for (name, value) in data {
        match name.strip_prefix("_.") {
            Some(attribute) => {
                put(&mut bytes, Head::Array(4));
                put_text(&mut bytes, "._.");
                put_text(&mut bytes, attribute);
                put(&mut bytes, Head::Nil);
                put(&mut bytes, Head::Nil);
            }
            None => put_text(&mut bytes, name),
        }
        put_json(&mut bytes, value);
    }
    bytes
}

/// The strings so far and their numbers.
struct Strings {
    known: HashMap<Box<str>, u64>,
    numbers: HashSet<u64>,
    texts: Part,
}

impl Strings {
    fn new() -> Self {
        Self { known: HashMap::new(), numbers: HashSet::new(), texts: Part::new() }
    }

    /// The number of a string, which is noted when it is new.
    fn id(&mut self, string: &str) -> Result<u64, String> {
        if let Some(id) = self.known.get(string) {
            return Ok(*id);
        }
        let id = strings::id(string);
        if !self.numbers.insert(id) {
            let string = string.escape_debug();
            return Err(format!("spaCy gives its `{string}` the number of another string; write `jsonl`"));
        }
        let mut bytes = Vec::new();
        put_text(&mut bytes, string);
        self.texts.push(&bytes);
        self.known.insert(string.into(), id);
        Ok(id)
    }
}
