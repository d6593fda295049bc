//! `README.md` of a pushed version: the card that a hub shows, written from what the bundle knows.

use std::fmt::Write as _;

use serde_json::Value;

use super::{Contents, Version};

/// Name of the card in a model's folder.
pub const CARD_FILE: &str = "README.md";

/// Training texts that a bundle carries.
const CARRIED_FILE: &str = "nomen-texts.jsonl";

/// Gold entities below which a label's score is called uncertain.
const FEW: u64 = 50;

/// What a card is written from. Whatever is not known is left out or said to be unknown; nothing is invented.
#[derive(Debug, Clone, Copy)]
pub struct Card<'a> {
    /// What the model is called.
    pub name: &'a str,
    /// The bundle.
    pub contents: &'a Contents,
    /// Its place in the registry.
    pub version: &'a Version,
    /// The licence of the model, as the hub abbreviates it.
    pub licence: Option<&'a str>,
    /// Languages of the texts that it was trained on, as codes.
    pub languages: &'a [String],
    /// What `nomen evaluate --json` printed, for intervals and slices.
    pub evaluation: Option<&'a Value>,
}

impl Card<'_> {
    /// The card: metadata in YAML, then Markdown.
    pub fn render(&self) -> String {
        let parts = [self.metadata(), self.introduction(), self.labels(), self.loading(), self.scores(), self.slices()];
        parts.concat() + &self.data() + &self.limits() + &self.origin()
    }

    fn manifest(&self, key: &str) -> &Value {
        self.contents.manifest.get(key).unwrap_or(&Value::Null)
    }

    fn opens_in_transformers(&self) -> bool {
        self.contents.files.contains_key("model.safetensors")
    }

    /// Scores on a set, and what the set is called: those that were handed over, else those on test, else on dev.
    fn judged(&self) -> Option<(&Value, String)> {
        if let Some(evaluation) = self.evaluation {
            let file = evaluation.get("data").and_then(Value::as_str).unwrap_or("test");
            let name = file.rsplit(['/', '\\']).next().unwrap_or(file);
            return Some((evaluation, name.to_owned()));
        }
        let scores = self.manifest("scores");
        let of = |set: &str| {
            let file = self.manifest("data").get(set).and_then(|set| set.get("file")).and_then(Value::as_str);
            Some((scores.get(set)?, file.unwrap_or(set).to_owned()))
        };
        of("test").or_else(|| of("dev"))
    }

    fn metadata(&self) -> String {
        let mut yaml = String::from("---\n");
        let mut line = |text: &str| yaml.extend([text, "\n"]);
        if let Some(licence) = self.licence {
            line(&format!("license: {}", quoted(licence)));
        }
        if !self.languages.is_empty() {
            line("language:");
            self.languages.iter().for_each(|language| line(&format!("- {}", quoted(language))));
        }
        line(if self.opens_in_transformers() { "library_name: transformers" } else { "library_name: nomen" });
        line("pipeline_tag: token-classification");
        line("tags:\n- token-classification\n- named-entity-recognition\n- nomen");
        let source = self.manifest("base").get("source").and_then(Value::as_str);
        if let Some(base) = source.and_then(|source| source.strip_prefix("hf:")) {
            line(&format!("base_model: {}", quoted(base.split('@').next().unwrap_or(base))));
        }
        if let Some((scores, set)) = self.judged() {
            line(&format!("model-index:\n- name: {}\n  results:\n  - task:", quoted(self.name)));
            line("      type: token-classification\n      name: Named entity recognition");
            line(&format!("    dataset:\n      type: custom\n      name: {}\n    metrics:", quoted(&set)));
            for (key, metric) in [("ents_f", "f1"), ("ents_p", "precision"), ("ents_r", "recall")] {
                if let Some(value) = scores.get(key).and_then(Value::as_f64) {
                    line(&format!(
                        "    - type: {metric}\n      value: {value:.6}\n      name: {metric}, strict span and label"
                    ));
                }
            }
        }
        yaml + "---\n\n"
    }

    fn introduction(&self) -> String {
        format!(
            "# {}\n\nA model that finds entities of {} labels in text, trained with Nomen. Version `{}`.\n\n",
            text(self.name),
            self.manifest("schema").as_array().map_or(0, Vec::len),
            self.contents.id
        )
    }

    fn labels(&self) -> String {
        let mut table = String::from("## Labels\n\n| label | meaning |\n|---|---|\n");
        for label in self.manifest("schema").as_array().into_iter().flatten() {
            let field = |key: &str| label.get(key).and_then(Value::as_str).filter(|text| !text.is_empty());
            let meaning = field("definition").map_or("not written down".to_owned(), text);
            let _ = writeln!(table, "| {} | {meaning} |", text(field("name").unwrap_or_default()));
        }
        table + "\n"
    }

    fn loading(&self) -> String {
        let mut part = String::from("## How to load it\n\n```sh\nnomen tag --model FOLDER letters.txt\n```\n\n");
        if self.opens_in_transformers() {
            part += "```python\nfrom transformers import pipeline\n\n";
            let name = quoted(self.name);
            let _ = writeln!(
                part,
                "tag = pipeline(\"token-classification\", model={name}, aggregation_strategy=\"first\")\n```\n"
            );
            part += "Name the revision that you tested (`revision=...`). transformers cuts or refuses long texts, and may \
                     merge neighbouring entities; Nomen reads texts of any length in overlapping windows.\n\n";
        } else {
            part += "Its weights are stored in 8 bits, which only Nomen opens.\n\n";
        }
        part
    }

    fn scores(&self) -> String {
        let Some((scores, set)) = self.judged() else {
            return "## Scores\n\nThis version was not scored.\n\n".to_owned();
        };
        let mut part = format!(
            "## Scores\n\nOn `{}`. An entity is right when its span and its label are.\n\n",
            text(&set).replace('`', "")
        );
        part += "| label | precision | recall | F1 | 95 % interval of F1 | entities |\n|---|---|---|---|---|---|\n";
        let intervals = scores.get("ents_per_type_interval");
        for (label, counts) in scores.get("ents_per_type").and_then(Value::as_object).into_iter().flatten() {
            let row = row(counts, ["p", "r", "f"], intervals.and_then(|intervals| intervals.get(label)));
            let support = counts.get("support").and_then(Value::as_u64).unwrap_or(0);
            let _ = writeln!(part, "| {} | {row} | {support} |", text(label));
        }
        let all = row(scores, ["ents_p", "ents_r", "ents_f"], scores.get("ents_f_interval"));
        let _ = writeln!(part, "| all (micro) | {all} | {} |\n", support(scores));
        if self.evaluation.is_none() {
            part += "Intervals were not measured for this card.\n\n";
        }
        part
    }

    fn slices(&self) -> String {
        let mut part = String::new();
        let slices = self.evaluation.and_then(|evaluation| evaluation.get("slices")).and_then(Value::as_array);
        for of_key in slices.into_iter().flatten() {
            let key = of_key.get("key").and_then(Value::as_str).unwrap_or_default();
            let _ = writeln!(part, "### By {}\n", text(key));
            part += "| value | precision | recall | F1 | 95 % interval of F1 | entities |\n|---|---|---|---|---|---|\n";
            for slice in of_key.get("slices").and_then(Value::as_array).into_iter().flatten() {
                let value = match (slice.get("value").and_then(Value::as_str), slice.get("other")) {
                    (Some(value), _) => text(value),
                    (None, Some(values)) => format!("({values} other values)"),
                    (None, None) => "(missing)".to_owned(),
                };
                let row = row(slice, ["p", "r", "f"], slice.get("f_interval"));
                let support = slice.get("support").and_then(Value::as_u64).unwrap_or(0);
                let _ = writeln!(part, "| {value} | {row} | {support} |");
            }
            part.push('\n');
        }
        part
    }

    fn data(&self) -> String {
        let mut part = String::from("## Data\n\n");
        let sets = self.manifest("data").as_object().filter(|sets| !sets.is_empty());
        let Some(sets) = sets else {
            return part + "What it was trained on is not recorded.\n\n";
        };
        part += "| set | file | texts | entities | fingerprint |\n|---|---|---|---|---|\n";
        for (name, set) in sets {
            let field = |key: &str| match set.get(key) {
                Some(Value::String(field)) => text(field),
                Some(Value::Null) | None => String::new(),
                Some(other) => text(&other.to_string()),
            };
            let cells = ["file", "texts", "entities", "fingerprint"].map(field).join(" | ");
            let _ = writeln!(part, "| {} | {cells} |", text(name));
        }
        if self.contents.files.contains_key(CARRIED_FILE) {
            let _ = writeln!(part, "\nSome of these texts lie beside this file as they are (`{CARRIED_FILE}`).");
        }
        part + "\n"
    }

    fn limits(&self) -> String {
        let mut limits = vec![
            "It knows the labels above and no others; whatever resembles them in other kinds of text is untested."
                .to_owned(),
        ];
        if self.languages.is_empty() {
            limits
                .push("The languages of its training texts are not recorded; assume it fails in any other.".to_owned());
        }
        let codec = self.manifest("codec");
        if let Some(length) = codec.get("max_length").and_then(Value::as_u64) {
            limits.push(format!(
                "It sees at most {length} word pieces at once; what lies further apart is not put together."
            ));
        }
        if codec.get("alignment").and_then(Value::as_str) == Some("word") {
            limits.push("Entities begin and end with a word; parts of words are not found.".to_owned());
        }
        if let Some((scores, _)) = self.judged() {
            let labels = scores.get("ents_per_type").and_then(Value::as_object).into_iter().flatten();
            let few: Vec<String> = labels
                .filter(|(_, counts)| counts.get("support").and_then(Value::as_u64).unwrap_or(0) < FEW)
                .map(|(label, _)| text(label))
                .collect();
            if !few.is_empty() {
                let labels = few.join(", ");
                limits.push(format!(
                    "Fewer than {FEW} entities stand behind the scores of {labels}: take them with care."
                ));
            }
        }
        limits.iter().fold("## Limits\n\n".to_owned(), |part, limit| part + "- " + limit + "\n") + "\n"
    }

    fn origin(&self) -> String {
        let mut part = String::from("## Origin\n\n");
        let base = self.manifest("base");
        let source = base.get("source").or_else(|| base.get("spec")).and_then(Value::as_str);
        // A folder on somebody's machine says nothing to anybody else.
        let source = source.filter(|source| !source.starts_with("path:")).map_or("a local folder".to_owned(), text);
        let licence = base.get("licence").and_then(Value::as_str).map(|licence| format!(", licence {}", text(licence)));
        let _ = writeln!(part, "- base: {source}{}", licence.unwrap_or_default());
        if let Some(parent) = &self.version.parent {
            let _ = writeln!(part, "- made from version `{parent}`");
        }
        if let Some(nomen) = self.manifest("nomen").as_str() {
            let _ = writeln!(part, "- written by Nomen {}", text(nomen));
        }
        for (name, file) in &self.contents.files {
            let _ = writeln!(part, "- `{}`: SHA-256 `{}`", text(name).replace('`', ""), file.sha256);
        }
        part
    }
}

/// Gold entities of all labels.
fn support(scores: &Value) -> u64 {
    let labels = scores.get("ents_per_type").and_then(Value::as_object);
    labels.into_iter().flatten().filter_map(|(_, counts)| counts.get("support")?.as_u64()).sum()
}

/// Precision, recall, F1 and its interval as cells.
fn row(scores: &Value, keys: [&str; 3], interval: Option<&Value>) -> String {
    let fraction = |value: Option<&Value>| {
        value.and_then(Value::as_f64).map_or("–".to_owned(), |fraction| format!("{fraction:.3}"))
    };
    let [p, r, f] = keys.map(|key| fraction(scores.get(key)));
    let ends = interval.map(|interval| [interval.get("low"), interval.get("high")].map(fraction));
    let interval = ends.map_or("–".to_owned(), |[low, high]| format!("{low} to {high}"));
    format!("{p} | {r} | {f} | {interval}")
}

/// A text as one YAML scalar: JSON's strings are YAML's.
fn quoted(text: &str) -> String {
    let printable: String = text.chars().filter(|character| !character.is_control()).collect();
    Value::String(printable).to_string()
}

/// A text from data inside Markdown: one line, nothing in it is markup.
fn text(from: &str) -> String {
    let mut shown = String::with_capacity(from.len());
    for character in from.chars() {
        match character {
            '|' | '\\' | '`' | '*' | '[' | ']' | '#' => shown.extend(['\\', character]),
            '<' => shown.push_str("&lt;"),
            '>' => shown.push_str("&gt;"),
            '&' => shown.push_str("&amp;"),
            control if control.is_control() => shown.push(' '),
            other => shown.push(other),
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_from_data_is_markup() {
        assert_eq!(text("a|b\n<script>*"), "a\\|b &lt;script&gt;\\*");
        assert_eq!(quoted("no: \"yes\"\n# x"), "\"no: \\\"yes\\\"# x\"");
    }
}
