//! Equal to transformers and `PyTorch`: see `testdata/make_golden.py` for what the files hold.

use std::collections::BTreeMap;

use engine::{
    DropoutKey, Factors, Gradient, Gradients, Isa, Mode, Packed, Pool, Precision, Tape, Target,
    optimizer::{Adamw, AdamwConfig, Decay, Schedule},
};
use nomen_model::{TokenClassifier, encoder::Binding};

use crate::fixture::{ARCHITECTURES, Tensor, classifier, read_tensors, testdata};

/// What the logits may differ by, absolutely; the issue asks for 1e-4.
const FORWARD: f32 = 1e-5;
/// What a gradient may differ by, relative to the largest of its tensor.
const GRADIENT: f32 = 2e-5;

struct Golden(BTreeMap<String, Tensor>);

impl Golden {
    fn read(architecture: &str) -> Self {
        let tensors = read_tensors(&testdata(architecture).join("golden.safetensors"));
        Self(tensors.into_iter().map(|tensor| (tensor.name.clone(), tensor)).collect())
    }

    fn floats(&self, name: &str) -> Vec<f32> {
        self.0[name].floats()
    }

    fn ids(&self) -> Vec<u32> {
        self.0["input_ids"].integers().into_iter().map(|id| u32::try_from(id).unwrap()).collect()
    }

    fn targets(&self) -> Vec<Option<u32>> {
        self.0["labels"].integers().into_iter().map(|label| u32::try_from(label).ok()).collect()
    }

    fn packed(&self) -> Packed {
        Packed::new(self.0["lengths"].integers().into_iter().map(|length| usize::try_from(length).unwrap()))
    }

    /// The tensors whose names begin with `kind`, without it.
    fn named(&self, kind: &str) -> BTreeMap<&str, Vec<f32>> {
        self.0.iter().filter_map(|(name, tensor)| Some((name.strip_prefix(kind)?, tensor.floats()))).collect()
    }
}

fn training() -> Mode {
    training_with(Factors::F32)
}

fn training_with(factors: Factors) -> Mode {
    Mode::Training { dropout: DropoutKey::new(1, 1), factors }
}

/// Loss and gradients of the batch, of its labelled rows alone as in training.
fn pass(model: &TokenClassifier, golden: &Golden, isa: Isa, factors: Factors, gradients: &mut Gradients) -> f64 {
    let packed = golden.packed();
    let targets = (0..).zip(golden.targets()).filter(|(_, target)| target.is_some());
    let (rows, targets): (Vec<u32>, Vec<_>) = targets.map(|(row, target)| (row, Target::from(target))).unzip();
    let mut pool = Pool::default();
    let mut tape = Tape::new(model.parameters(), &mut pool, &packed, isa, training_with(factors));
    let logits = model.forward(&mut tape, &golden.ids(), packed.positions(), Some(&rows));
    let loss = tape.cross_entropy(&logits, &targets, targets.len() as f64);
    gradients.clear();
    tape.backward(gradients);
    loss
}

/// What `read` makes of a pass.
fn forward<R>(
    model: &TokenClassifier,
    golden: &Golden,
    isa: Isa,
    mode: Mode,
    read: impl FnOnce(&TokenClassifier, &mut Tape<'_>, &[u32], Vec<u32>) -> R,
) -> R {
    let packed = golden.packed();
    let mut pool = Pool::default();
    let mut tape = Tape::new(model.parameters(), &mut pool, &packed, isa, mode);
    read(model, &mut tape, &golden.ids(), packed.positions())
}

fn logits(model: &TokenClassifier, golden: &Golden, isa: Isa, mode: Mode) -> Vec<f32> {
    forward(model, golden, isa, mode, |model, tape, ids, positions| {
        let logits = model.forward(tape, ids, positions, None);
        tape.read(&logits).to_vec()
    })
}

/// The gradient of one tensor of the checkpoint.
fn gradient(model: &TokenClassifier, gradients: &Gradients, binding: &Binding) -> Vec<f32> {
    let parameter = model.parameters().get(binding.parameter);
    let mut all = vec![0.0; parameter.values.len()];
    match gradients.get(binding.parameter) {
        Gradient::Zero => {}
        Gradient::Dense(values) => all.copy_from_slice(values),
        Gradient::Rows { ids, values } => {
            for (id, row) in ids.iter().zip(values.chunks_exact(parameter.width)) {
                all[*id as usize * parameter.width..][..parameter.width].copy_from_slice(row);
            }
        }
    }
    all[binding.range.clone()].to_vec()
}

fn largest(values: &[f32]) -> f32 {
    values.iter().fold(0.0, |largest, value| value.abs().max(largest))
}

#[track_caller]
fn assert_close(what: &str, found: &[f32], expected: &[f32], bound: f32) {
    assert_eq!(found.len(), expected.len(), "{what}");
    let differences = found.iter().zip(expected).map(|(found, expected)| (found - expected).abs());
    let worst = differences.fold(0.0, |worst: f32, difference| if difference <= worst { worst } else { difference });
    assert!(worst <= bound, "{what}: differs by {worst}, {bound} is allowed");
}

/// Every architecture with every instruction set.
fn each(test: impl Fn(&str, &mut TokenClassifier, &Golden, Isa)) {
    for architecture in ARCHITECTURES {
        let golden = Golden::read(architecture);
        for isa in Isa::available() {
            let mut model = classifier(&testdata(architecture));
            model.set_dropout(0.0);
            test(&format!("{architecture}, {}", isa.name()), &mut model, &golden, isa);
        }
    }
}

#[test]
fn hidden_states_and_logits_are_those_of_transformers() {
    each(|case, model, golden, isa| {
        let hidden = forward(model, golden, isa, Mode::Inference(Precision::F32), |model, tape, ids, positions| {
            let hidden = model.hidden(tape, ids, positions);
            tape.read(&hidden).to_vec()
        });
        assert_close(&format!("{case}: hidden"), &hidden, &golden.floats("hidden"), FORWARD);
        let logits = logits(model, golden, isa, Mode::Inference(Precision::F32));
        assert_close(&format!("{case}: logits"), &logits, &golden.floats("logits"), FORWARD);
    });
}

/// Random models of 32 wide layers are a hard case: a trained one loses far less (`docs/benchmarks.md`).
#[test]
fn in_8_bits_logits_are_near_those_in_32() {
    each(|case, model, golden, isa| {
        let exact = logits(model, golden, isa, Mode::Inference(Precision::F32));
        let near = logits(model, golden, isa, Mode::Inference(Precision::Int8));
        assert_ne!(exact, near, "{case}");
        assert_close(&format!("{case}: logits in 8 bits"), &near, &exact, 0.05 * largest(&exact));
    });
}

#[test]
fn without_dropout_training_computes_what_inference_computes() {
    each(|case, model, golden, isa| {
        assert_eq!(
            logits(model, golden, isa, training()),
            logits(model, golden, isa, Mode::Inference(Precision::F32)),
            "{case}"
        );
    });
}

#[test]
fn wanted_rows_have_the_bits_that_they_have_among_all() {
    each(|case, model, golden, isa| {
        for mode in [training(), Mode::Inference(Precision::F32), Mode::Inference(Precision::Int8)] {
            let all = logits(model, golden, isa, mode);
            let tags = all.len() / golden.ids().len();
            let wanted: Vec<u32> = (0..golden.ids().len() as u32).filter(|row| row % 3 == 1).collect();
            let some = forward(model, golden, isa, mode, |model, tape, ids, positions| {
                let logits = model.forward(tape, ids, positions, Some(&wanted));
                tape.read(&logits).to_vec()
            });
            let expected: Vec<f32> =
                wanted.iter().flat_map(|row| &all[*row as usize * tags..][..tags]).copied().collect();
            assert_eq!(some, expected, "{case}, {mode:?}");
        }
    });
}

#[test]
fn the_loss_and_every_gradient_are_those_of_transformers() {
    each(|case, model, golden, isa| {
        let mut gradients = Gradients::new(model.parameters());
        let loss = pass(model, golden, isa, Factors::F32, &mut gradients) as f32;
        assert_close(&format!("{case}: loss"), &[loss], &golden.floats("loss"), 1e-6);
        let mut expected = golden.named("grad.");
        let scale = expected.values().map(|values| largest(values)).fold(0.0, f32::max);
        for binding in model.bindings() {
            let expected = expected.remove(binding.name.as_str()).unwrap_or_else(|| panic!("{case}: {}", binding.name));
            let found = gradient(model, &gradients, binding);
            // A key's bias adds the same to all scores of a query, which softmax takes away again: noise around 0.
            let is_noise = binding.name.ends_with("key.bias") || binding.name.ends_with("k_lin.bias");
            let bound = GRADIENT * if is_noise { scale } else { largest(&expected) };
            assert_close(&format!("{case}: {}", binding.name), &found, &expected, bound);
        }
        assert!(expected.is_empty(), "{case}: no parameter is made of {:?}", expected.keys());
    });
}

/// A factor of 16 bits is off by up to 1/256 of itself; what is added up over layers and rows stays within a few of these.
#[test]
fn with_factors_of_16_bits_loss_and_gradients_are_near_those_of_transformers() {
    each(|case, model, golden, isa| {
        let mut gradients = Gradients::new(model.parameters());
        let loss = pass(model, golden, isa, Factors::Bf16, &mut gradients) as f32;
        let exact = golden.floats("loss");
        assert_ne!([loss], exact[..], "{case}");
        assert_close(&format!("{case}: loss"), &[loss], &exact, 1e-2 * exact[0]);
        let expected = golden.named("grad.");
        for binding in model.bindings().iter().filter(|binding| binding.name.ends_with("weight")) {
            let expected = &expected[binding.name.as_str()];
            let found = gradient(model, &gradients, binding);
            assert_close(&format!("{case}: {}", binding.name), &found, expected, 0.05 * largest(expected));
        }
    });
}

#[test]
fn ten_steps_of_adamw_are_those_of_pytorch() {
    each(|case, model, golden, isa| {
        let schedule = Schedule { peak: 1e-3, warmup: 3, total: 10, decay: Decay::Linear };
        let config = AdamwConfig { weight_decay: 0.01, max_norm: 1.0, ..AdamwConfig::default() };
        let mut optimizer = Adamw::new(config, model.parameters());
        let mut gradients = Gradients::new(model.parameters());
        let [mut losses, mut rates, mut norms] = [const { Vec::new() }; 3];
        for step in 0..10 {
            let rate = schedule.rate(step);
            losses.push(pass(model, golden, isa, Factors::F32, &mut gradients) as f32);
            let stepped = optimizer.step(model.parameters_mut(), &mut [&mut gradients], rate, isa).unwrap();
            rates.push(rate as f32);
            norms.push(stepped.gradient_norm as f32);
        }
        assert_close(&format!("{case}: losses"), &losses, &golden.floats("losses"), 1e-5);
        assert_close(&format!("{case}: rates"), &rates, &golden.floats("rates"), 1e-9);
        let expected = golden.floats("norms");
        assert_close(&format!("{case}: norms"), &norms, &expected, 1e-5 * largest(&expected));
        let mut after = golden.named("after.");
        for (name, _, values) in model.tensors() {
            if let Some(expected) = after.remove(name) {
                assert_close(&format!("{case}: {name} after ten steps"), values, &expected, 2e-5);
            }
        }
        assert!(after.is_empty(), "{case}: no parameter is made of {:?}", after.keys());
    });
}

#[test]
fn dropout_is_set_wherever_the_architecture_has_it() {
    for architecture in ARCHITECTURES {
        let golden = Golden::read(architecture);
        let mut model = classifier(&testdata(architecture));
        // From 0 up again, as for a base whose config.json switches dropout off.
        model.set_dropout(0.0);
        model.set_dropout(0.3);
        let shape = model.shape();
        let places = [shape.dropout, shape.attention_dropout, shape.head_dropout];
        assert!(places.iter().all(|probability| (probability - 0.3).abs() < f32::EPSILON), "{architecture}");
        let behind_attention = if architecture == "distilbert" { None } else { Some(0.3) };
        assert_eq!(shape.attention_output_dropout, behind_attention, "{architecture}");
        let isa = Isa::detect();
        let [dropped, whole] =
            [training(), Mode::Inference(Precision::F32)].map(|mode| logits(&model, &golden, isa, mode));
        assert!(dropped.iter().zip(&whole).any(|(a, b)| (a - b).abs() > 0.1), "{architecture}");
    }
}
