//! One model under all the names and types that checkpoints have for its tensors.

use std::{collections::BTreeMap, fs, path::Path};

use engine::{Isa, Mode, Packed, Pool, Precision, Tape};
use safetensors::Dtype;
use serde_json::json;

use crate::fixture::{ARCHITECTURES, Folder, Tensor, classifier, testdata, write_tensors};

fn logits(folder: &Path) -> Vec<f32> {
    let model = classifier(folder);
    let packed = Packed::new([5, 1, 9]);
    let ids: Vec<u32> = (0..packed.rows() as u32).map(|row| 5 + row * 11).collect();
    let mut pool = Pool::default();
    let mut tape = Tape::new(model.parameters(), &mut pool, &packed, Isa::detect(), Mode::Inference(Precision::F32));
    let logits = model.forward(&mut tape, &ids, packed.positions(), None);
    tape.read(&logits).to_vec()
}

/// The same logits whatever `change` does to the weights of every architecture.
fn same_logits(change: impl Fn(&mut Vec<Tensor>)) {
    for architecture in ARCHITECTURES {
        let folder = Folder::of(architecture);
        folder.weights(|tensors| {
            let names = |tensors: &[Tensor]| tensors.iter().map(|tensor| tensor.name.clone()).collect::<Vec<_>>();
            let before = names(tensors);
            change(tensors);
            assert_ne!(names(tensors), before, "{architecture}: nothing was changed");
        });
        assert_eq!(logits(folder.path()), logits(&testdata(architecture)), "{architecture}");
    }
}

fn rename(tensors: &mut [Tensor], new: impl Fn(&str) -> String) {
    for tensor in tensors {
        tensor.name = new(&tensor.name);
    }
}

fn without_prefix(name: &str) -> String {
    let prefixes = ["bert.", "roberta.", "distilbert.", "electra."];
    prefixes.iter().find_map(|prefix| name.strip_prefix(prefix)).unwrap_or(name).to_owned()
}

fn with_old_norms(name: &str) -> String {
    name.replace("LayerNorm.weight", "LayerNorm.gamma").replace("LayerNorm.bias", "LayerNorm.beta")
}

#[test]
fn the_prefix_may_be_missing() {
    same_logits(|tensors| rename(tensors, without_prefix));
}

#[test]
fn layer_norms_may_have_gamma_and_beta() {
    same_logits(|tensors| rename(tensors, with_old_norms));
    same_logits(|tensors| rename(tensors, |name| with_old_norms(&without_prefix(name))));
}

#[test]
fn stored_positions_and_the_heads_of_other_tasks_are_ignored() {
    same_logits(|tensors| {
        let prefix = tensors.iter().find_map(|tensor| tensor.name.strip_suffix("embeddings.word_embeddings.weight"));
        let positions = format!("{}embeddings.position_ids", prefix.unwrap());
        let bytes = (0..64_i64).flat_map(i64::to_le_bytes).collect();
        tensors.push(Tensor { name: positions, dtype: Dtype::I64, shape: vec![1, 64], bytes });
        for other in ["pooler.dense.weight", "cls.predictions.bias", "lm_head.dense.weight", "qa_outputs.weight"] {
            tensors.push(Tensor::zeros(other, &[3, 3]));
        }
    });
}

#[test]
fn weights_may_lie_in_shards() {
    for architecture in ARCHITECTURES {
        let folder = Folder::of(architecture);
        folder.weights(|tensors| {
            let mut map = BTreeMap::new();
            let size = tensors.len().div_ceil(3);
            for (number, shard) in tensors.chunks(size).enumerate() {
                let name = format!("model-{:05}-of-00003.safetensors", number + 1);
                write_tensors(&folder.path().join(&name), shard);
                map.extend(shard.iter().map(|tensor| (tensor.name.clone(), name.clone())));
            }
            let index = json!({ "metadata": { "total_size": 1 }, "weight_map": map });
            fs::write(folder.path().join("model.safetensors.index.json"), index.to_string()).unwrap();
        });
        fs::remove_file(folder.path().join("model.safetensors")).unwrap();
        assert_eq!(logits(folder.path()), logits(&testdata(architecture)), "{architecture}");
    }
}

/// Each number cut to a type of 16 bits: its bits in that type, and the number that they stand for.
fn cut(dtype: Dtype, value: f32) -> (u16, f32) {
    let bits = value.to_bits();
    if dtype == Dtype::BF16 {
        return ((bits >> 16) as u16, f32::from_bits(bits & 0xffff_0000));
    }
    let sign = (bits >> 16) as u16 & 0x8000;
    let exponent = (bits >> 23 & 0xff) as u16;
    // The least normal number of F16 is 2^-14; exponents are stored with 127 and 15 added.
    if exponent < 127 - 14 {
        return (sign, if sign == 0 { 0.0 } else { -0.0 });
    }
    let half = sign | (exponent + 15 - 127) << 10 | (bits >> 13 & 0x3ff) as u16;
    (half, f32::from_bits(bits & 0xffff_e000))
}

#[test]
fn weights_may_be_half_as_wide() {
    for architecture in ARCHITECTURES {
        for dtype in [Dtype::F16, Dtype::BF16] {
            let [narrow, wide] = [true, false].map(|is_narrow| {
                let folder = Folder::of(architecture);
                folder.weights(|tensors| {
                    for tensor in tensors {
                        let cut: Vec<(u16, f32)> = tensor.floats().iter().map(|value| cut(dtype, *value)).collect();
                        if is_narrow {
                            tensor.dtype = dtype;
                            tensor.bytes = cut.iter().flat_map(|(bits, _)| bits.to_le_bytes()).collect();
                        } else {
                            let values: Vec<f32> = cut.iter().map(|(_, value)| *value).collect();
                            *tensor = Tensor::f32(&tensor.name, &tensor.shape, &values);
                        }
                    }
                });
                logits(folder.path())
            });
            assert_eq!(narrow, wide, "{architecture}, {dtype:?}");
            let whole = logits(&testdata(architecture));
            assert!(narrow.iter().zip(&whole).all(|(a, b)| (a - b).abs() < 0.3), "{architecture}, {dtype:?}");
        }
    }
}
