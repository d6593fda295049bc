//! The tokens of a document, for formats that are made of tokens.

use schema::{Document, Span, tags::Chunk};

use crate::Loss;

/// The tokens of a document, in order; what cutting costs is added to `losses`.
///
/// Known tokens are kept; text outside them is split into words and marks. Where an entity starts or ends
/// inside a token, the token is cut there, so that no entity shifts. Between the tokens is white space only.
pub(crate) fn tokens(document: &Document, losses: &mut Vec<Loss>) -> Vec<Span> {
    let text = document.text();
    let entities = document.entities();
    let mut edges: Vec<usize> = Vec::with_capacity(entities.len() * 2);
    for entity in entities {
        edges.extend([entity.span.start(), entity.span.end()]);
    }
    edges.dedup();
    let mut tokens = Vec::new();
    let mut place = 0;
    for token in document.tokens().unwrap_or_default() {
        words(text, place, token.start(), &edges, &mut tokens);
        let before = tokens.len();
        cut(*token, &edges, &mut tokens);
        if tokens.len() > before + 1 {
            losses.push(Loss::TokenCut);
        }
        place = token.end();
    }
    words(text, place, text.len(), &edges, &mut tokens);
    tokens
}

/// The entities of a document as chunks of its [`tokens`]; what they cannot hold is added to `losses`.
///
/// # Errors
/// In words: an entity without a token in it.
pub(crate) fn chunks(document: &Document, tokens: &[Span], losses: &mut Vec<Loss>) -> Result<Vec<Chunk>, String> {
    let mut chunks = Vec::with_capacity(document.entities().len());
    let mut next = 0;
    for entity in document.entities() {
        let inside = |token: &Span| entity.span.contains(*token);
        let start = next + tokens[next..].iter().take_while(|token| !inside(token)).count();
        let end = start + tokens[start..].iter().take_while(|token| inside(token)).count();
        if start == end {
            let label = &entity.label;
            return Err(format!("its entity {label} covers white space only; correct it, or write `jsonl`"));
        }
        if tokens[start].join(tokens[end - 1]) != entity.span {
            losses.push(Loss::EntityEdges);
        }
        chunks.push(Chunk { tokens: start..end, label: entity.label.clone() });
        next = end;
    }
    Ok(chunks)
}

/// Whether the tokens, joined by single spaces, are the text.
pub(crate) fn joined_by_spaces(text: &str, tokens: &[Span]) -> bool {
    let ends = tokens.first().is_none_or(|first| first.start() == 0)
        && tokens.last().is_none_or(|last| last.end() == text.len());
    ends && tokens.windows(2).all(|pair| &text[pair[0].end()..pair[1].start()] == " ")
}

/// White space in the widest sense, so that no reader sees a column, a line or a token that is not there.
pub(crate) fn is_space(character: char) -> bool {
    character.is_whitespace() || ('\u{1c}'..='\u{1f}').contains(&character)
}

/// The words and marks of `text[from..to]`, cut at the edges of entities.
///
/// A word is a run of characters that are neither white space nor punctuation; each punctuation character stands
/// alone. Emoji and combining marks are word characters, so joined ones stay whole.
fn words(text: &str, from: usize, to: usize, edges: &[usize], tokens: &mut Vec<Span>) {
    let mut start = None;
    let mut close = |start: &mut Option<usize>, end: usize| {
        if let Some(span) = start.take().and_then(|start| Span::new(start, end).ok()) {
            cut(span, edges, tokens);
        }
    };
    for (at, character) in text[from..to].char_indices() {
        let at = from + at;
        if is_space(character) {
            close(&mut start, at);
        } else if is_punctuation(character) {
            close(&mut start, at);
            start = Some(at);
            close(&mut start, at + character.len_utf8());
        } else if start.is_none() {
            start = Some(at);
        }
    }
    close(&mut start, to);
}

fn is_punctuation(character: char) -> bool {
    (character.is_ascii_punctuation() && character != '_')
        || matches!(character, '\u{a1}' | '\u{ab}' | '\u{b7}' | '\u{bb}' | '\u{bf}' | '\u{2010}'..='\u{2027}')
        || matches!(character, '\u{2030}'..='\u{205e}' | '\u{3001}'..='\u{3003}' | '\u{3008}'..='\u{3011}')
        || matches!(character, '\u{ff01}'..='\u{ff0f}' | '\u{ff1a}'..='\u{ff20}')
}

/// A token in the pieces that the edges inside it make.
fn cut(token: Span, edges: &[usize], tokens: &mut Vec<Span>) {
    let mut start = token.start();
    let first = edges.partition_point(|edge| *edge <= token.start());
    for edge in edges[first..].iter().take_while(|edge| **edge < token.end()).chain([&token.end()]) {
        tokens.extend(Span::new(start, *edge));
        start = *edge;
    }
}
