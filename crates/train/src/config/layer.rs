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
        let found = spans.get_ref().iter().find(|(spanned, _)| spanned.get_ref() == key);
        let at = found.map_or(0, |(key, _)| key.span().start);
        match value {
            Value::Table(section) if keys::is_section(key) => {
                let spans = found.and_then(|(_, value)| value.get_ref().as_table());
                for (name, value) in section {
                    let spanned = spans.and_then(|spans| spans.keys().find(|spanned| spanned.get_ref() == name));
                    let at = spanned.map_or(at, |name| name.span().start);
                    check(key, name, value).map_err(|problem| fail(at, problem))?;
                }
            }
            Value::Table(_) if key == "training" => {
                let problem = "keys stand without a section; remove the line [training]";
                return Err(fail(at, Problem::Syntax(problem.to_owned())));
            }
            value => check("", key, value).map_err(|problem| fail(at, problem))?,
        }
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
    let (section, name) = key.split_once('.').filter(|(section, _)| keys::is_section(section)).unwrap_or(("", key));
    check(section, name, &value).map_err(fail)?;
    let setting = Table::from_iter([(name.to_owned(), value)]);
    Ok(if section.is_empty() { setting } else { Table::from_iter([(section.to_owned(), setting.into())]) })
}

/// Lays settings over others, section by section.
pub(super) fn lay(under: &mut Table, over: Table) {
    for (key, value) in over {
        match (under.get_mut(&key), value) {
            (Some(Value::Table(under)), Value::Table(over)) => under.extend(over),
            (_, value) => drop(under.insert(key, value)),
        }
    }
}

fn check(section: &str, name: &str, value: &Value) -> Result<(), Problem> {
    if let Some(known) = keys::find(section, name) {
        return known.check(value);
    }
    let key = if section.is_empty() { name.to_owned() } else { format!("{section}.{name}") };
    if section.is_empty() && keys::is_section(name) {
        let problem = format!("`{name}` is a section: write [{name}] with its keys below it");
        return Err(Problem::Syntax(problem));
    }
    Err(match foreign::advice(name) {
        Some(advice) => Problem::OtherTool { key, advice },
        None => Problem::UnknownKey { nearest: keys::nearest(&key), key },
    })
}
