//! One source of settings: a file or one `key=value`. What comes out is checked: known keys, values in range.

use std::path::Path;

use toml::{Table, Value, de::DeTable};

use super::{
    error::{ConfigError, Problem},
    foreign, keys,
};

/// The settings in a file.
pub(super) fn of_file(text: &str, path: &Path) -> Result<Table, ConfigError> {
    let place = |at: usize| {
        let line = text[..at.min(text.len())].bytes().filter(|byte| *byte == b'\n').count() + 1;
        format!("{}:{line}", path.display())
    };
    let fail = |at: usize, problem: Problem| ConfigError::Setting { place: place(at), problem };
    let syntax = |error: toml::de::Error| {
        fail(error.span().map_or(0, |span| span.start), Problem::Syntax(error.message().to_owned()))
    };
    let spans = DeTable::parse(text).map_err(syntax)?;
    let table: Table = toml::from_str(text).map_err(syntax)?;
    for (key, value) in &table {
        let at = spans.get_ref().keys().find(|spanned| spanned.get_ref() == key).map_or(0, |key| key.span().start);
        if key == "training" && value.is_table() {
            let problem = "keys stand without a section; remove the line [training]";
            return Err(fail(at, Problem::Syntax(problem.to_owned())));
        }
        check(key, value).map_err(|problem| fail(at, problem))?;
    }
    Ok(table)
}

/// The setting in `key=value`.
pub(super) fn of_override(given: &str) -> Result<Table, ConfigError> {
    let fail = |problem| ConfigError::Setting { place: format!("--set {given}"), problem };
    let Some((key, value)) = given.split_once('=') else {
        return Err(fail(Problem::Syntax("give it as key=value".to_owned())));
    };
    let key = key.trim();
    let key = key.strip_prefix("training.").unwrap_or(key);
    let value = value.trim().parse().unwrap_or_else(|_| Value::String(value.trim().to_owned()));
    check(key, &value).map_err(fail)?;
    Ok(Table::from_iter([(key.to_owned(), value)]))
}

fn check(key: &str, value: &Value) -> Result<(), Problem> {
    if let Some(known) = keys::find(key) {
        return known.check(value);
    }
    let given = key.to_owned();
    Err(match foreign::advice(key) {
        Some(advice) => Problem::OtherTool { key: given, advice },
        None => Problem::UnknownKey { nearest: keys::nearest(key), key: given },
    })
}
