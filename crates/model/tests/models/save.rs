//! Bundles written and opened again.

use std::{collections::BTreeSet, fs, num::NonZeroUsize, path::Path};

use engine::Precision;
use nomen_model::{
    Bundle, BundleError, CodecSettings, Workers,
    bundle::{MANIFEST_FILE, NewModel},
    text::Alignment,
};
use schema::Schema;
use serde_json::{Value, json};

use crate::fixture::{ARCHITECTURES, Folder, Tensor, testdata};

const SETTINGS: CodecSettings = CodecSettings { alignment: Alignment::Piece, max_length: 32, stride: 8 };

fn schema() -> Schema {
    let labels = json!([{ "name": "PERSON", "definition": "a human being" }, { "name": "creative-work" }]);
    serde_json::from_value(labels).unwrap()
}

fn new_bundle(base: &Path, settings: CodecSettings, seed: u64) -> Bundle {
    Bundle::from_base(base, &NewModel { schema: &schema(), settings, seed }).unwrap()
}

fn logits(bundle: &Bundle) -> Vec<f32> {
    let text = "Ada Lovelace wrote notes on the Analytical Engine in London, and nobody read them for a century.";
    let encoded = bundle.codec.encode(text.into()).unwrap();
    Workers::all().logits(&bundle.classifier, &bundle.codec, &[encoded]).remove(0)
}

fn names(folder: &Path) -> BTreeSet<String> {
    fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

fn json_of(path: &Path) -> Value {
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

#[test]
fn a_bundle_comes_back_bit_for_bit() {
    for architecture in ARCHITECTURES {
        let top = tempfile::tempdir().unwrap();
        let [first, second] = ["not/yet/there", "second"].map(|name| top.path().join(name));
        let mut bundle = new_bundle(&testdata(architecture), SETTINGS, 7);
        bundle.manifest.scores = json!({ "ents_f": 0.5 });
        bundle.save(&first).unwrap();
        let opened = Bundle::open(&first).unwrap();
        assert_eq!(logits(&opened), logits(&bundle), "{architecture}");
        assert!(logits(&opened).iter().any(|logit| *logit != 0.0), "{architecture}");
        assert_eq!(opened.codec.settings(), SETTINGS);
        assert_eq!(opened.manifest.schema, schema());
        assert_eq!(opened.manifest.scores, bundle.manifest.scores);
        opened.save(&second).unwrap();
        for name in names(&first) {
            assert_eq!(fs::read(first.join(&name)).unwrap(), fs::read(second.join(&name)).unwrap(), "{name}");
        }
        assert_eq!(names(&first), names(&second));
    }
}

#[test]
fn a_new_head_follows_from_the_seed_and_the_encoder_from_the_base() {
    let heads = [7, 7, 8].map(|seed| logits(&new_bundle(&testdata("bert"), SETTINGS, seed)));
    assert_eq!(heads[0], heads[1]);
    assert_ne!(heads[0], heads[2]);
    let bundle = new_bundle(&testdata("bert"), SETTINGS, 7);
    let base = Bundle::open(&testdata("bert")).unwrap();
    for (ours, theirs) in bundle.classifier.tensors().zip(base.classifier.tensors()) {
        assert_eq!(ours.0, theirs.0);
        assert!(ours == theirs || ours.0.starts_with("classifier."), "{}", ours.0);
    }
    let head: Vec<f32> =
        bundle.classifier.tensors().filter(|t| t.0 == "classifier.weight").flat_map(|t| t.2).copied().collect();
    let deviation = (head.iter().map(|weight| weight * weight).sum::<f32>() / head.len() as f32).sqrt();
    assert!((0.015..0.025).contains(&deviation), "initializer_range of config.json is 0.02: {deviation}");
}

#[test]
fn the_files_say_what_transformers_and_people_look_for() {
    for (architecture, class) in [
        ("bert", "BertForTokenClassification"),
        ("roberta", "RobertaForTokenClassification"),
        ("xlm-roberta", "XLMRobertaForTokenClassification"),
        ("camembert", "CamembertForTokenClassification"),
        ("distilbert", "DistilBertForTokenClassification"),
        ("electra", "ElectraForTokenClassification"),
    ] {
        let base = Folder::of(architecture);
        base.config("architectures", json!(["SomethingForMaskedLM"])).config("torch_dtype", "float16");
        let cut = json!({ "direction": "Right", "max_length": 128, "strategy": "LongestFirst", "stride": 0 });
        base.json("tokenizer.json", |tokenizer| {
            tokenizer["truncation"] = cut;
            tokenizer["padding"] = json!({
                "strategy": { "Fixed": 128 }, "direction": "Right", "pad_to_multiple_of": null,
                "pad_id": 0, "pad_type_id": 0, "pad_token": "[PAD]",
            });
        });
        let top = tempfile::tempdir().unwrap();
        let folder = top.path().join("model");
        new_bundle(base.path(), SETTINGS, 7).save(&folder).unwrap();

        let config = json_of(&folder.join("config.json"));
        assert_eq!(config["architectures"], json!([class]));
        assert_eq!(
            config["id2label"],
            json!({ "0": "O", "1": "B-PERSON", "2": "I-PERSON", "3": "B-creative-work", "4": "I-creative-work" })
        );
        assert_eq!(
            config["label2id"],
            json!({ "O": 0, "B-PERSON": 1, "I-PERSON": 2, "B-creative-work": 3, "I-creative-work": 4 })
        );
        assert_eq!((config.get("torch_dtype"), &config["dtype"]), (None, &json!("float32")));
        let (old, new) = (json_of(&base.path().join("tokenizer.json")), json_of(&folder.join("tokenizer.json")));
        for (key, value) in old.as_object().unwrap() {
            let expected = if ["truncation", "padding"].contains(&key.as_str()) { &Value::Null } else { value };
            assert_eq!(&new[key], expected, "{key}");
        }

        let manifest = json_of(&folder.join(MANIFEST_FILE));
        assert_eq!(manifest["format"], 1);
        assert_eq!(manifest["schema"][0]["definition"], "a human being");
        let summed: BTreeSet<String> = manifest["files"].as_object().unwrap().keys().cloned().collect();
        let mut there = names(&folder);
        assert!(there.remove(MANIFEST_FILE));
        assert_eq!(summed, there);
        assert!(
            ["config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json"]
                .iter()
                .all(|name| there.contains(*name))
        );
        for (name, sum) in manifest["files"].as_object().unwrap() {
            let bytes = fs::read(folder.join(name)).unwrap();
            assert_eq!(sum["size"], bytes.len());
            assert_eq!(sum["sha256"].as_str().unwrap(), sha256(&bytes), "{name}");
        }
        let modified = |name: &str| fs::metadata(folder.join(name)).unwrap().modified().unwrap();
        assert!(there.iter().all(|name| modified(name) <= modified(MANIFEST_FILE)));
        assert_eq!(names(top.path()).len(), 1, "nothing is left beside");
    }
}

fn sha256(bytes: &[u8]) -> String {
    use sha2::{Digest, Sha256};
    Sha256::digest(bytes).iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}

#[test]
fn a_model_of_half_width_is_saved_as_what_it_then_is() {
    let folder = Folder::of("bert");
    folder.config("dtype", "bfloat16");
    folder.weights(|tensors| {
        for tensor in tensors {
            let bytes =
                tensor.floats().iter().flat_map(|value| ((value.to_bits() >> 16) as u16).to_le_bytes()).collect();
            *tensor = Tensor { dtype: safetensors::Dtype::BF16, bytes, ..tensor.clone() };
        }
    });
    let before = logits(&Bundle::open(folder.path()).unwrap());
    Bundle::open(folder.path()).unwrap().save(folder.path()).unwrap();
    assert_eq!(json_of(&folder.path().join("config.json"))["dtype"], "float32");
    assert_eq!(logits(&Bundle::open(folder.path()).unwrap()), before);
}

#[test]
fn a_model_of_transformers_is_opened_with_defaults() {
    for architecture in ARCHITECTURES {
        let bundle = Bundle::open(&testdata(architecture)).unwrap();
        let settings = bundle.codec.settings();
        assert_eq!(
            (settings.alignment, settings.max_length, settings.stride),
            (Alignment::Word, 64, 16),
            "{architecture}"
        );
        let labels: Vec<&str> = bundle.manifest.schema.labels().map(schema::Label::as_str).collect();
        assert_eq!(labels, ["PER", "creative-work"]);
    }
}

#[test]
fn windows_are_cut_to_the_positions_of_the_base() {
    for architecture in ARCHITECTURES {
        let settings = CodecSettings { alignment: Alignment::Word, max_length: 512, stride: 128 };
        let settings = new_bundle(&testdata(architecture), settings, 1).codec.settings();
        assert_eq!((settings.max_length, settings.stride), (64, 32), "{architecture}");
    }
}

#[test]
fn an_earlier_model_is_replaced_whole() {
    let top = tempfile::tempdir().unwrap();
    let folder = top.path().join("model");
    new_bundle(&testdata("roberta"), SETTINGS, 1).save(&folder).unwrap();
    fs::write(folder.join("stale"), "x").unwrap();
    let bundle = new_bundle(&testdata("bert"), SETTINGS, 2);
    bundle.save(&folder).unwrap();
    assert!(!folder.join("stale").exists());
    assert_eq!(logits(&Bundle::open(&folder).unwrap()), logits(&bundle));
    let empty = top.path().join("empty");
    fs::create_dir(&empty).unwrap();
    bundle.save(&empty).unwrap();
    assert_eq!(names(top.path()), BTreeSet::from(["model".to_owned(), "empty".to_owned()]));
}

#[test]
fn what_is_no_model_is_never_replaced() {
    let top = tempfile::tempdir().unwrap();
    let [documents, file] = ["documents", "file"].map(|name| top.path().join(name));
    fs::create_dir(&documents).unwrap();
    fs::write(documents.join("thesis"), "years of work").unwrap();
    fs::write(&file, "more").unwrap();
    let bundle = new_bundle(&testdata("bert"), SETTINGS, 2);
    for target in [&documents, &file] {
        let error = bundle.save(target).unwrap_err();
        assert!(
            matches!(&error, BundleError::Disagree { path, .. } if path.ends_with(target.file_name().unwrap())),
            "{error}"
        );
    }
    assert!(bundle.save(&file.join("inside")).is_err());
    assert_eq!(fs::read_to_string(documents.join("thesis")).unwrap(), "years of work");
    assert_eq!(fs::read_to_string(&file).unwrap(), "more");
    assert_eq!(names(top.path()).len(), 2, "nothing is left beside");
}

#[cfg(unix)]
#[test]
fn links_stay_and_the_folder_is_as_open_as_any_other() {
    use std::os::unix::fs::PermissionsExt;
    let top = tempfile::tempdir().unwrap();
    let [folder, link, plain] = ["model", "link", "plain"].map(|name| top.path().join(name));
    fs::create_dir(&plain).unwrap();
    let bundle = new_bundle(&testdata("bert"), SETTINGS, 2);
    bundle.save(&folder).unwrap();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode();
    assert_eq!(mode(&folder), mode(&plain));
    std::os::unix::fs::symlink(&folder, &link).unwrap();
    fs::write(folder.join("stale"), "x").unwrap();
    bundle.save(&link).unwrap();
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    assert!(!folder.join("stale").exists() && folder.join(MANIFEST_FILE).exists());
}

#[test]
fn a_bundle_outlives_the_folder_that_it_was_opened_from() {
    let folder = Folder::of("electra");
    let bundle = Bundle::open(folder.path()).unwrap();
    let before = logits(&bundle);
    for name in names(folder.path()) {
        fs::remove_file(folder.path().join(name)).unwrap();
    }
    let top = tempfile::tempdir().unwrap();
    bundle.save(&top.path().join("model")).unwrap();
    assert_eq!(logits(&Bundle::open(&top.path().join("model")).unwrap()), before);
}

#[test]
fn a_saved_bundle_knows_whether_it_still_says_what_it_said() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model");
    Bundle::open(&testdata("bert")).unwrap().save(&path).unwrap();
    let open = |precision| {
        let workers = Workers::new(NonZeroUsize::MIN).with_precision(precision);
        Bundle::open(&path).unwrap().into_recognizer(workers)
    };
    assert!(open(Precision::F32).bundle().manifest.self_test.is_some());
    open(Precision::F32).check_itself().unwrap();
    open(Precision::Int8).check_itself().unwrap();

    // Other weights of the same shapes.
    let weights = path.join("model.safetensors");
    let mut bytes = fs::read(&weights).unwrap();
    let header = u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize + 8;
    for number in bytes[header..].as_chunks_mut::<4>().0 {
        *number = (-f32::from_le_bytes(*number)).to_le_bytes();
    }
    fs::write(&weights, bytes).unwrap();
    let problem = open(Precision::F32).check_itself().unwrap_err();
    assert!(problem.contains("not those that were saved"), "{problem}");
}
