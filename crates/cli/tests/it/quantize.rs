//! `nomen quantize`: a model in 8 bits beside the exact one.

use std::fs;

use serde_json::Value;

use crate::{answer, nomen, refusal, run, tiny_model};

#[test]
fn a_quantized_model_is_smaller_tags_by_itself_in_int8_and_is_no_model_of_transformers() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("int8");
    let gold = folder.path().join("gold.jsonl");
    let mut tag = nomen();
    tag.args(["tag", "--to", "jsonl", "--model"]).arg(tiny_model());
    fs::write(&gold, answer(&run(&mut tag, "Anna Smith lives in Rome\nThe 😀 book of Ærø\n".as_bytes()))).unwrap();

    let mut quantize = nomen();
    quantize.args(["quantize", "--json", "--model"]).arg(tiny_model());
    quantize.arg("--out").arg(&out).arg("--data").arg(&gold);
    let printed: Value = serde_json::from_str(&answer(&run(&mut quantize, b""))).unwrap();
    let [before, after] = [0, 1].map(|at| printed["bytes"][at].as_u64().unwrap());
    assert!(after < before, "{printed}");
    assert_eq!(printed["ents_f"][0], 1.0, "the gold is the exact model's own answer");
    assert!(!out.join("model.safetensors").exists(), "transformers would take integers for weights");

    // Without --precision it runs as it is stored.
    let tagged = |precision: &[&str]| {
        let mut tag = nomen();
        tag.args(["tag", "--json", "--model"]).arg(&out).args(precision);
        answer(&run(&mut tag, b"Anna Smith lives in Rome"))
    };
    assert_eq!(tagged(&[]), tagged(&["--precision", "int8"]));
    tagged(&["--precision", "f32"]);
}

#[test]
fn the_exact_model_is_never_overwritten_by_its_quantized_self() {
    let model = tiny_model();
    let said = refusal(&run(nomen().arg("quantize").arg("--model").arg(&model).arg("--out").arg(&model), b""));
    assert!(said.contains("is the model itself"), "{said}");
    assert!(model.join("model.safetensors").exists());
}
