//! A line of `events.jsonl` as trackers take it: named numbers at a step, or named texts.

use std::fmt::Write as _;

use serde_json::Value;

use crate::{End, identity};

/// What one line says.
#[derive(Debug, Clone, PartialEq)]
pub struct Record {
    /// When it was written, in milliseconds since 1970 (UTC); 0 where the line does not say.
    pub time: u64,
    /// What it says.
    pub moment: Moment,
}

/// What can happen in a run.
#[derive(Debug, Clone, PartialEq)]
pub enum Moment {
    /// It was begun with these settings.
    Begun(Vec<(String, String)>),
    /// It was gone on with.
    Resumed,
    /// Base, data and steps.
    About(Vec<(String, String)>),
    /// A step was taken.
    Step(u64, Vec<(String, f64)>),
    /// The model was judged on the dev set after a step.
    Evaluation(u64, Vec<(String, f64)>),
    /// It is over.
    Ended(End),
    /// The best model, of this step, was judged.
    Judged(u64, Vec<(String, f64)>),
}

/// Numbers of a step line: key in the file, name at a tracker. What the file has as `null` was not finite.
const STEP: [(&str, &str); 4] = [
    ("loss", "train/loss"),
    ("learning_rate", "train/learning_rate"),
    ("gradient_norm", "train/gradient_norm"),
    ("pieces_per_s", "train/pieces_per_s"),
];

impl Record {
    /// What a line says; `None` for one of a kind that trackers do not know.
    pub fn of(line: &Value) -> Option<Self> {
        let step = || line["step"].as_u64();
        let moment = match line["event"].as_str()? {
            "start" if line["resumed"] == true => Moment::Resumed,
            "start" => Moment::Begun(settings(&line["identity"])),
            "about" => Moment::About(about(line)),
            "step" => {
                let numbers = STEP.iter().filter_map(|(key, name)| Some(((*name).to_owned(), number(line.get(key)?))));
                Moment::Step(step()?, numbers.collect())
            }
            "evaluation" => {
                let old = line.get("old").map(|old| scores("old_dev", old));
                Moment::Evaluation(step()?, [scores("dev", line), old.unwrap_or_default()].concat())
            }
            "end" => Moment::Ended(serde_json::from_value(line["reason"].clone()).ok()?),
            "scores" => {
                let of = |set: &str| line.get(set).map(|of_set| scores(&format!("best/{set}"), of_set));
                Moment::Judged(
                    line["best"].as_u64().unwrap_or(0),
                    ["dev", "test"].iter().filter_map(|set| of(set)).flatten().collect(),
                )
            }
            _ => return None,
        };
        Some(Self { time: line["time"].as_u64().unwrap_or(0), moment })
    }
}

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or(f64::NAN)
}

/// Overall scores of a set, and F1 by label.
fn scores(set: &str, line: &Value) -> Vec<(String, f64)> {
    let overall = ["ents_p", "ents_r", "ents_f"];
    let overall = overall.iter().filter_map(|key| Some((format!("{set}/{key}"), number(line.get(key)?))));
    let labels = line["ents_per_type"].as_object().into_iter().flatten();
    let labels = labels.map(|(label, scores)| (format!("{set}/ents_f/{}", plain(label)), number(&scores["f"])));
    overall.chain(labels).collect()
}

/// A label as part of a name: trackers take letters, digits, `_`, `-`, `.` and spaces, and give `/` a meaning. Any other
/// character is written as `_uHEX_`.
fn plain(label: &str) -> String {
    let only_dots = label.chars().all(|character| character == '.');
    let mut name = String::with_capacity(label.len());
    for character in label.chars() {
        match character {
            '.' if !only_dots => name.push('.'),
            '_' | '-' | ' ' => name.push(character),
            _ if character.is_alphanumeric() => name.push(character),
            _ => {
                // Writing to a string cannot fail.
                let _ = write!(name, "_u{:04x}_", u32::from(character));
            }
        }
    }
    name
}

fn settings(identity: &Value) -> Vec<(String, String)> {
    let mut fields = leaves(&identity["settings"]);
    if let Some(labels) = identity["labels"].as_array() {
        fields.push(("labels".to_owned(), labels.len().to_string()));
    }
    fields
}

fn about(line: &Value) -> Vec<(String, String)> {
    let mut line = line.clone();
    if let Some(line) = line.as_object_mut() {
        line.remove("event");
        line.remove("time");
    }
    leaves(&line)
}

/// The leaves of an object by their path, strings without quotes.
fn leaves(value: &Value) -> Vec<(String, String)> {
    let mut fields = std::collections::BTreeMap::new();
    if value.is_object() {
        identity::flatten("", value, &mut fields);
    }
    let plain = |text: String| serde_json::from_str::<String>(&text).unwrap_or(text);
    fields.into_iter().map(|(key, text)| (key, plain(text))).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_line_becomes_named_numbers_and_a_lost_number_stays_one() {
        let step = json!({"event": "step", "step": 3, "epoch": 0, "loss": 0.5, "learning_rate": 1e-4,
                          "gradient_norm": null, "pieces": 10, "pieces_per_s": 9.5, "time": 17});
        let Some(Record { time: 17, moment: Moment::Step(3, values) }) = Record::of(&step) else { panic!() };
        assert_eq!(values[0], ("train/loss".to_owned(), 0.5));
        assert!(values[2].1.is_nan() && values.len() == 4);
        let evaluation = json!({"event": "evaluation", "step": 3, "ents_p": 1.0, "ents_r": 0.5, "ents_f": 0.6,
                                "ents_per_type": {"A/B": {"f": 0.25}}});
        let Some(Record { moment: Moment::Evaluation(3, values), .. }) = Record::of(&evaluation) else { panic!() };
        assert_eq!(values.last().unwrap(), &("dev/ents_f/A_u002f_B".to_owned(), 0.25));
        let update =
            json!({"event": "evaluation", "step": 4, "ents_f": 0.6, "old": {"ents_f": 0.5, "ents_per_type": {}}});
        let Some(Record { moment: Moment::Evaluation(4, values), .. }) = Record::of(&update) else { panic!() };
        assert_eq!(values, [("dev/ents_f".to_owned(), 0.6), ("old_dev/ents_f".to_owned(), 0.5)]);
        assert_eq!(Record::of(&json!({"event": "something new"})), None);
        assert_eq!(Record::of(&json!(["no object"])), None);
    }

    #[test]
    fn labels_of_any_script_make_names_that_a_server_takes() {
        assert_eq!(plain("creative-work"), "creative-work");
        assert_eq!(plain("Ærø 2.0"), "Ærø 2.0");
        assert_eq!(plain(".."), "_u002e__u002e_");
        assert_eq!(plain("a:b&c"), "a_u003a_b_u0026_c");
    }

    #[test]
    fn settings_are_texts_without_quotes() {
        let start = json!({"event": "start", "resumed": false, "time": 5, "identity": {
            "settings": {"lr_scheduler": "linear", "seed": 42}, "labels": ["A", "B"], "base": {"x": "y"}, "data": {}}});
        let Some(Record { moment: Moment::Begun(fields), .. }) = Record::of(&start) else { panic!() };
        let expected = [("lr_scheduler", "linear"), ("seed", "42"), ("labels", "2")];
        assert_eq!(fields, expected.map(|(key, value)| (key.to_owned(), value.to_owned())));
    }
}
