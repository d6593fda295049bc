//! Row D4 of the fault list: configuration, weights, tokenizer and manifest that disagree are refused, and the error
//! lists what was expected and what was found.

use std::{fs, path::Path};

use nomen_model::{
    Bundle, CodecSettings, TokenClassifier,
    bundle::{MANIFEST_FILE, NewModel},
    encoder::EncoderConfig,
    text::Alignment,
};
use schema::Schema;
use serde_json::{Value, json};

use crate::fixture::{ARCHITECTURES, Folder, Tensor, testdata};

#[track_caller]
fn assert_says(message: &str, folder: &Path, parts: &[&str]) {
    assert!(message.contains(&folder.display().to_string()), "no folder in: {message}");
    for part in parts {
        assert!(message.contains(part), "{part:?} is not in: {message}");
    }
}

/// The refusal of a model with one field of `config.json` changed.
#[track_caller]
fn assert_refused(architecture: &str, field: &str, value: Value, parts: &[&str]) {
    let folder = Folder::of(architecture);
    folder.config(field, value);
    assert_says(&folder.refusal(), folder.path(), &[&[field], parts].concat());
}

/// What `architecture` calls a field of BERT's.
fn called(architecture: &str, field: &'static str) -> &'static str {
    match (architecture, field) {
        ("distilbert", "hidden_size") => "dim",
        ("distilbert", "num_hidden_layers") => "n_layers",
        ("distilbert", "num_attention_heads") => "n_heads",
        ("distilbert", "intermediate_size") => "hidden_dim",
        ("distilbert", "hidden_act") => "activation",
        ("distilbert", "hidden_dropout_prob") => "dropout",
        ("distilbert", "attention_probs_dropout_prob") => "attention_dropout",
        (_, field) => field,
    }
}

#[test]
fn every_size_that_the_weights_contradict_is_listed_with_both_numbers() {
    for architecture in ARCHITECTURES {
        let config: Value =
            serde_json::from_slice(&fs::read(testdata(architecture).join("config.json")).unwrap()).unwrap();
        let fields = [
            ("vocab_size", 10_000),
            ("hidden_size", 64),
            ("num_hidden_layers", 1),
            ("num_hidden_layers", 3),
            ("intermediate_size", 128),
            ("max_position_embeddings", 128),
        ];
        let mut fields: Vec<(&str, u64)> =
            fields.map(|(field, wrong)| (called(architecture, field), wrong)).into_iter().collect();
        fields.extend((architecture != "distilbert").then_some(("type_vocab_size", 7)));
        fields.extend((architecture == "electra").then_some(("embedding_size", 24)));
        for (field, wrong) in fields {
            let [expected, found] = [json!(wrong), config[field].clone()].map(|number| number.to_string());
            let parts = [&*format!("{field}: expected {expected}"), &*format!("found {found}")];
            assert_refused(architecture, field, json!(wrong), &parts);
        }
    }
}

#[test]
fn sizes_that_no_encoder_can_have_are_refused_before_any_memory_is_asked_for() {
    for architecture in ARCHITECTURES {
        let sizes = ["vocab_size", "hidden_size", "num_hidden_layers", "num_attention_heads", "intermediate_size"]
            .map(|field| called(architecture, field));
        for field in sizes.into_iter().chain(["max_position_embeddings"]) {
            for (value, part) in [
                (json!(0), "is 0, expected"),
                (json!(1_u64 << 40), "is 1099511627776, expected"),
                (json!(u64::MAX), "is 18446744073709551615, expected"),
                (json!(-1), "invalid value: integer `-1`"),
                (json!("many"), "invalid type: string \"many\""),
                (json!(1.5), "invalid type: floating point"),
                (Value::Null, "invalid type: null"),
            ] {
                assert_refused(architecture, field, value, &[part]);
            }
        }
        // In range, each, and more memory than there is.
        let folder = Folder::of(architecture);
        folder.config("vocab_size", 1 << 24).config(called(architecture, "hidden_size"), 1 << 24);
        assert_says(&folder.refusal(), folder.path(), &["vocab_size: expected 16777216"]);
    }
    for (field, value) in [("type_vocab_size", u64::MAX), ("pad_token_id", u64::MAX)] {
        let folder = Folder::of("roberta");
        folder.config(field, value);
        assert_says(&folder.refusal(), folder.path(), &["expected"]);
    }
}

#[test]
fn everything_that_disagrees_is_listed_at_once() {
    let folder = Folder::of("bert");
    folder.config("hidden_dropout_prob", 1.0).config("num_attention_heads", 5).config("intermediate_size", 0);
    let parts = ["hidden_dropout_prob is 1,", "not a multiple of num_attention_heads, 5", "intermediate_size is 0"];
    assert_says(&folder.refusal(), folder.path(), &parts);

    let folder = Folder::of("bert");
    folder.config("vocab_size", 300).config("intermediate_size", 65).config("type_vocab_size", 3);
    folder.weights(|tensors| tensors.retain(|tensor| tensor.name != "bert.encoder.layer.1.output.dense.bias"));
    let parts = [
        "vocab_size: expected 300 as in config.json, found 223 in the weights",
        "intermediate_size: expected 65 as in config.json, found 64",
        "type_vocab_size: expected 3 as in config.json, found 2",
        "bert.embeddings.word_embeddings.weight: expected [300, 32], found [223, 32]",
        "bert.encoder.layer.1.output.dense.bias: expected [32], found no such tensor",
    ];
    assert_says(&folder.refusal(), folder.path(), &parts);
}

#[test]
fn probabilities_activations_and_kinds_that_cannot_be_computed_are_named() {
    for architecture in ARCHITECTURES {
        let of = |field| called(architecture, field);
        for probability in [-0.1, 1.0, 1e30] {
            assert_refused(architecture, of("hidden_dropout_prob"), json!(probability), &["at least 0 and below 1"]);
            let field = of("attention_probs_dropout_prob");
            assert_refused(architecture, field, json!(probability), &["at least 0 and below 1"]);
        }
        assert_refused(architecture, of("num_attention_heads"), json!(5), &["is 32, which is not a multiple of"]);
        assert_refused(architecture, of("hidden_act"), json!("swish"), &["\"swish\"", "gelu_new"]);
        assert_refused(
            architecture,
            "position_embedding_type",
            json!("relative_key"),
            &["\"relative_key\"", "absolute"],
        );
        assert_refused(architecture, "is_decoder", json!(true), &["true"]);
        assert_refused(architecture, "auto_map", json!({ "AutoModel": "code.Model" }), &["code"]);
        for kind in [json!("gpt2"), json!("BERT"), json!(""), Value::Null, json!(3), json!(["bert"])] {
            assert_refused(architecture, "model_type", kind, &["camembert"]);
        }
    }
    for field in ["layer_norm_eps", "classifier_dropout"] {
        assert_refused("bert", field, json!(-1), &["is -1"]);
    }
}

#[test]
fn labels_that_the_head_or_the_format_contradict_are_listed() {
    for architecture in ARCHITECTURES {
        let three = json!({ "0": "O", "1": "B-PER", "2": "I-PER" });
        let parts = ["id2label: expected 3", "found 5", "classifier.weight: expected [3, 32], found [5, 32]"];
        assert_refused(architecture, "id2label", three, &parts);
    }
    let cases: [(Value, &[&str]); 9] = [
        (Value::Null, &["no token classifier"]),
        (json!([]), &["no token classifier"]),
        (json!({}), &["`O`"]),
        (json!({ "0": "O", "1": "B-A", "2": "I-A", "3": "B-B", "5": "I-B" }), &["\"5\"", "below 5", "the number 4"]),
        (json!({ "0": "O", "1": "B-A", "2": "I-A", "3": "B-B", "x": "I-B" }), &["\"x\"", "the number 4"]),
        (json!({ "0": "O", "1": "B-A", "2": "I-A", "3": "B-B", "4": 7 }), &["\"4\"", "7"]),
        (json!({ "0": "X", "1": "B-A", "2": "I-A", "3": "B-B", "4": "I-B" }), &["`O`"]),
        (json!({ "0": "O", "1": "B-A", "2": "I-A", "3": "B-A", "4": "I-B" }), &["`B-A`", "twice"]),
        (json!({ "0": "O", "1": "B-A", "2": "L-A", "3": "S-B", "4": "I-B" }), &["BILOU"]),
    ];
    for (id2label, parts) in cases {
        assert_refused("bert", "id2label", id2label, parts);
    }
    let folder = Folder::of("bert");
    folder.json("config.json", |config| config["label2id"]["B-PER"] = json!(2));
    assert_says(&folder.refusal(), folder.path(), &["label2id: expected \"B-PER\" to be 1 as in id2label, found 2"]);
    // transformers leaves these names where a model got new ones.
    let folder = Folder::of("bert");
    folder.config("label2id", json!({ "LABEL_0": 0, "LABEL_1": 1 }));
    assert!(Bundle::open(folder.path()).is_ok());
}

#[test]
fn tensors_of_another_encoder_are_refused_and_those_of_other_heads_are_not() {
    for (architecture, prefix, stack) in [
        ("bert", "bert.", "encoder"),
        ("roberta", "roberta.", "encoder"),
        ("distilbert", "distilbert.", "transformer"),
        ("electra", "electra.", "encoder"),
    ] {
        for name in [
            format!("{prefix}{stack}.layer.2.attention.self.query.weight"),
            format!("{prefix}{stack}.layer.0.attention.self.distance_embedding.weight"),
            format!("{prefix}{stack}.layer.1.adapter.down.weight"),
            format!("{prefix}{stack}.relative_attention_bias.weight"),
            format!("{prefix}embeddings.more_embeddings.weight"),
        ] {
            let folder = Folder::of(architecture);
            folder.weights(|tensors| tensors.push(Tensor::zeros(&name, &[4, 4])));
            assert_says(&folder.refusal(), folder.path(), &[&name, "expected no such tensor", "found [4, 4]"]);
        }
        let folder = Folder::of(architecture);
        folder.weights(|tensors| {
            for name in
                [&*format!("{prefix}pooler.dense.weight"), "cls.seq_relationship.bias", "other.encoder.layer.9.x"]
            {
                tensors.push(Tensor::zeros(name, &[4, 4]));
            }
        });
        assert!(Bundle::open(folder.path()).is_ok(), "{architecture}");
    }
    let folder = Folder::of("bert");
    folder.weights(|tensors| {
        tensors.retain(|tensor| !tensor.name.starts_with("classifier"));
    });
    assert_says(&folder.refusal(), folder.path(), &["classifier.weight: expected [5, 32]", "classifier.bias"]);
    let folder = Folder::of("bert");
    folder.weights(|tensors| {
        let bias = tensors.iter_mut().find(|tensor| tensor.name == "classifier.bias").unwrap();
        *bias = Tensor { dtype: safetensors::Dtype::I32, ..bias.clone() };
    });
    assert_says(&folder.refusal(), folder.path(), &["classifier.bias", "I32", "F32"]);
}

#[test]
fn a_tokenizer_of_another_model_is_refused() {
    let folder = Folder::of("bert");
    fs::copy(testdata("roberta").join("tokenizer.json"), folder.path().join("tokenizer.json")).unwrap();
    assert_says(&folder.refusal(), folder.path(), &["tokenizer.json", "vocab_size", "223"]);
    fs::remove_file(folder.path().join("tokenizer.json")).unwrap();
    assert_says(&folder.refusal(), folder.path(), &["no tokenizer.json", "save_pretrained"]);
}

/// A small bundle of Nomen's.
fn bundle() -> Folder {
    let schema: Schema = serde_json::from_value(json!([{ "name": "PER" }, { "name": "LOC" }])).unwrap();
    let settings = CodecSettings { alignment: Alignment::Word, max_length: 32, stride: 8 };
    let bundle = Bundle::from_base(&testdata("bert"), &NewModel { schema: &schema, settings, seed: 1 }).unwrap();
    let folder = Folder::of("bert");
    bundle.save(folder.path()).unwrap();
    folder
}

#[test]
fn a_manifest_that_the_rest_contradicts_is_refused() {
    let cases: [(&str, Value, &[&str]); 12] = [
        ("/format", json!(2), &["newer nomen", "at most 1", "found 2"]),
        ("/format", json!("one"), &["format", "found \"one\""]),
        ("/format", Value::Null, &["format", "found null"]),
        ("/schema", json!([{ "name": "PER" }]), &["labels", "{\"PER\"}", "{\"LOC\", \"PER\"}"]),
        ("/schema", json!([{ "name": "PER" }, { "name": "PER" }]), &["PER", "twice"]),
        ("/schema", json!("PER"), &["invalid type"]),
        ("/codec/max_length", json!(65), &["max_length", "65", "64"]),
        ("/codec/max_length", json!(2), &["raise max_length"]),
        ("/codec/stride", json!(30), &["stride", "30"]),
        ("/codec/alignment", json!("letter"), &["letter", "word"]),
        ("/files/model.safetensors/size", json!(7), &["model.safetensors: expected 7 bytes, found"]),
        ("/files/tokenizer.json/size", json!(-7), &["-7"]),
    ];
    for (field, value, parts) in cases {
        let folder = bundle();
        folder.json(MANIFEST_FILE, |manifest| *manifest.pointer_mut(field).unwrap() = value);
        assert_says(&folder.refusal(), folder.path(), parts);
    }
    let folder = bundle();
    folder.json(MANIFEST_FILE, |manifest| {
        manifest["codec"]["max_length"] = json!(100);
        manifest["schema"] = json!([]);
        let sum = manifest["files"]["config.json"].clone();
        for name in ["../config.json", "/etc/hosts", "sub/config.json", "..", ".", ""] {
            manifest["files"][name] = sum.clone();
        }
        manifest["files"]["gone"] = sum;
    });
    let parts = ["max_length", "labels", "\"../config.json\"", "\"/etc/hosts\"", "\"..\"", "\"\"", "gone: expected"];
    assert_says(&folder.refusal(), folder.path(), &parts);
}

#[test]
fn files_that_are_something_else_are_errors_that_name_them() {
    let nested = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    for name in ["config.json", "tokenizer.json", MANIFEST_FILE, "model.safetensors"] {
        for contents in [&b""[..], b"{", b"[]", b"null", b"\"text\"", b"\xff\xfe{}", nested.as_bytes()] {
            let folder = bundle();
            fs::write(folder.path().join(name), contents).unwrap();
            assert_says(&folder.refusal(), folder.path(), &[if name == "config.json" { "" } else { name }]);
        }
        let folder = bundle();
        fs::remove_file(folder.path().join(name)).unwrap();
        fs::create_dir(folder.path().join(name)).unwrap();
        assert_says(&folder.refusal(), folder.path(), &[name]);
    }
    let huge = bundle();
    fs::File::create(huge.path().join("config.json")).unwrap().set_len(1 << 40).unwrap();
    assert_says(&huge.refusal(), huge.path(), &["config.json", "1099511627776 bytes, expected at most"]);
    let nowhere = Path::new("no/such/folder");
    assert_says(&Bundle::open(nowhere).err().unwrap().to_string(), nowhere, &["no such folder"]);
}

#[test]
fn a_base_is_held_to_the_same_agreement() {
    let schema = Schema::default();
    let settings = CodecSettings { alignment: Alignment::Word, max_length: 32, stride: 8 };
    let new = NewModel { schema: &schema, settings, seed: 1 };
    for (field, wrong) in [("num_hidden_layers", 1), ("vocab_size", 100), ("hidden_size", 1 << 24)] {
        let folder = Folder::of("bert");
        folder.config(field, wrong);
        let message = Bundle::from_base(folder.path(), &new).err().unwrap().to_string();
        assert_says(&message, folder.path(), &[&format!("{field}: expected {wrong}")]);
    }
}

/// Whatever stands in a field, opening answers.
#[test]
fn no_value_of_any_field_breaks_opening() {
    let values = || {
        [
            Value::Null,
            json!(-1),
            json!(0),
            json!(1),
            json!(7),
            json!(u64::MAX),
            json!(1e300),
            json!("x"),
            json!([1]),
            json!({}),
        ]
    };
    for architecture in ["bert", "roberta", "distilbert", "electra"] {
        let path = testdata(architecture);
        let config: Value = serde_json::from_slice(&fs::read(path.join("config.json")).unwrap()).unwrap();
        for field in config.as_object().unwrap().keys() {
            for value in values() {
                let mut config = config.clone();
                config[field] = value;
                if let Ok((_, shape)) = EncoderConfig::read(&config, &path) {
                    assert!(shape.width % shape.heads == 0 && shape.max_length() > 2);
                }
                let head = nomen_model::Head::Stored { tags: 5 };
                if let Ok(model) = TokenClassifier::open(&path, &config, head) {
                    assert_eq!(
                        model.parameters().iter().map(|p| p.values.len()).sum::<usize>(),
                        model.parameters().count()
                    );
                }
            }
        }
    }
}
