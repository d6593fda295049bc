//! The settings' names, and values that come as plain text.

use toml::{Table, Value};

use super::ConfigError;

/// All settings by their dotted names; `models.NAME` stands for a model of any name.
pub const NAMES: &[&str] = &[
    "addr",
    "models",
    "default",
    "precision",
    "threads",
    "reload_every_s",
    "cache_texts",
    "insecure",
    "hosts",
    "origins",
    "keys",
    "annotations",
    "limits.body_bytes",
    "limits.bodies_bytes",
    "limits.texts",
    "limits.text_bytes",
    "limits.pieces",
    "limits.queue_pieces",
    "limits.batch_pieces",
    "limits.connections",
    "timeouts.header_s",
    "timeouts.body_s",
    "timeouts.write_s",
    "timeouts.idle_s",
    "timeouts.answer_s",
    "timeouts.drain_s",
    "tls.certificate",
    "tls.key",
    "log.requests",
    "predictions.folder",
    "predictions.share",
    "predictions.keep_texts",
    "predictions.bytes",
    "traces.endpoint",
    "traces.share",
];
/// The settings of `[[keys]]`.
const OF_A_KEY: &[&str] = &["name", "sha256", "requests_per_second", "admin"];
/// A name is taken for a slip of another one from here on.
const ALIKE: f64 = 0.7;

/// Looks whether every key of a file is a setting.
pub(super) fn check(table: &Table, place: &str) -> Result<(), ConfigError> {
    for (name, value) in table {
        match (name.as_str(), value) {
            ("models", Value::Table(_)) => {}
            ("keys", Value::Array(keys)) => {
                for key in keys.iter().filter_map(Value::as_table).flat_map(Table::keys) {
                    if !OF_A_KEY.contains(&key.as_str()) {
                        return Err(unknown(place, &format!("keys.{key}"), OF_A_KEY));
                    }
                }
            }
            (_, Value::Table(section)) => {
                for key in section.keys() {
                    known(&format!("{name}.{key}"), place)?;
                }
            }
            _ => known(name, place)?,
        }
    }
    Ok(())
}

/// Sets a dotted key to a value that comes as text: TOML where it is, a string where it is not.
pub(super) fn set(table: &mut Table, key: &str, text: &str, place: &str) -> Result<(), ConfigError> {
    if !key.starts_with("models.") {
        known(key, place)?;
    }
    let parsed = toml::from_str::<Table>(&format!("value = {text}")).ok().and_then(|mut table| table.remove("value"));
    let value = parsed.unwrap_or_else(|| Value::String(text.to_owned()));
    let (section, name) = key.split_once('.').map_or((None, key), |(section, name)| (Some(section), name));
    let target = match section {
        None => table,
        Some(section) => {
            let entry = table.entry(section).or_insert_with(|| Value::Table(Table::new()));
            entry.as_table_mut().ok_or_else(|| ConfigError::Syntax {
                place: place.to_owned(),
                problem: format!("`{section}` is no section"),
            })?
        }
    };
    target.insert(name.to_owned(), value);
    Ok(())
}

fn known(key: &str, place: &str) -> Result<(), ConfigError> {
    if NAMES.contains(&key) { Ok(()) } else { Err(unknown(place, key, NAMES)) }
}

fn unknown(place: &str, key: &str, names: &'static [&'static str]) -> ConfigError {
    let last = |name: &str| name.rsplit('.').next().unwrap_or(name).to_owned();
    let likeness = |name: &&str| strsim::jaro_winkler(name, key).max(strsim::jaro_winkler(&last(name), &last(key)));
    let nearest = names.iter().copied().max_by(|a, b| likeness(a).total_cmp(&likeness(b)));
    let nearest = nearest.filter(|name| likeness(name) >= ALIKE);
    ConfigError::UnknownKey { place: place.to_owned(), key: key.to_owned(), nearest }
}
