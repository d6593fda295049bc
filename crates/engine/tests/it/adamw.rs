//! The optimizer against `torch.optim.AdamW`.

use nomen_engine::{
    Gradients, Isa,
    optimizer::{Adamw, AdamwConfig},
};
use serde_json::Value;

use crate::fixture::{Weights, add, assert_close};

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|number| number.as_f64().unwrap()).collect()
}

fn singles(value: &Value) -> Vec<f32> {
    numbers(value).into_iter().map(|value| value as f32).collect()
}

/// A recorded run, and the optimizer that repeats it for the parameters of one weight decay.
struct Recorded {
    case: Value,
    weights: Weights,
    optimizer: Adamw,
}

impl Recorded {
    fn all() -> Vec<Self> {
        let cases: Vec<Value> = serde_json::from_str(include_str!("../../testdata/adamw.json")).unwrap();
        assert!(cases.len() >= 8);
        cases.into_iter().flat_map(|case| [0, 1].map(|group| Self::new(case.clone(), group))).collect()
    }

    /// The engine has one weight decay and parameters that are spared it; a recorded run has two groups.
    fn new(case: Value, group: usize) -> Self {
        let decay = case["params"][group]["decay"].as_f64().unwrap();
        let mut weights = Weights::new(0);
        for parameter in case["params"].as_array().unwrap() {
            let start = singles(&parameter["start"]);
            let id = weights.given("parameter", start.len(), &start);
            weights.parameters.get_mut(id).decays = decay > 0.0;
        }
        let config = AdamwConfig {
            beta1: case["betas"][0].as_f64().unwrap(),
            beta2: case["betas"][1].as_f64().unwrap(),
            eps: case["eps"].as_f64().unwrap(),
            // A decay that is far too strong shows where it reaches a parameter that is spared.
            weight_decay: if decay > 0.0 { decay } else { 10.0 },
            max_norm: case["clip"].as_f64().unwrap_or(0.0),
        };
        let optimizer = Adamw::new(config, &weights.parameters);
        Self { case, weights, optimizer }
    }

    /// Takes every step; `check` sees the state after it, with the step's number and its record.
    fn replay(mut self, isa: Isa, group: usize, check: impl Fn(&str, usize, &[f32], &Adamw, &Value)) {
        let name = self.case["name"].as_str().unwrap();
        for (index, step) in self.case["steps"].as_array().unwrap().iter().enumerate() {
            let mut gradients = Gradients::new(&self.weights.parameters);
            for (&id, given) in self.weights.ids.iter().zip(step["grads"].as_array().unwrap()) {
                add(&self.weights.parameters, &mut gradients, id, &[0], &singles(given));
            }
            let rate = step["rate"].as_f64().unwrap();
            let stepped = self.optimizer.step(&mut self.weights.parameters, &mut [&mut gradients], rate, isa).unwrap();
            let (norm, expected) = (stepped.gradient_norm, step["norm"].as_f64().unwrap());
            assert!((norm / expected - 1.0).abs() < 5e-7, "{name}, step {index}: norm {norm} for {expected}");
            let values = &self.weights.parameters.get(self.weights.ids[group]).values;
            check(name, index, values, &self.optimizer, &self.case);
        }
    }
}

#[test]
fn every_step_ends_in_the_weights_of_torch() {
    for isa in Isa::available() {
        for (index, recorded) in Recorded::all().into_iter().enumerate() {
            let group = index % 2;
            recorded.replay(isa, group, |name, step, values, _, case| {
                let expected = numbers(&case["steps"][step]["after"][group]);
                for (index, (value, expected)) in values.iter().zip(expected).enumerate() {
                    let what = format!("{name}, step {step}, group {group}, weight {index}, {}", isa.name());
                    assert_close(&what, &[*value], &[expected], 1e-6 * expected.abs().max(0.1));
                }
                if step == 9 {
                    let exact = numbers(&case["f64_after"][group]);
                    assert_close(name, values, &exact, 1e-6);
                }
            });
        }
    }
}

/// Weights round away an error of the moments that a small rate hides; the moments themselves show it.
#[test]
fn the_moments_are_those_of_the_definition() {
    for (index, recorded) in Recorded::all().into_iter().enumerate() {
        let group = index % 2;
        recorded.replay(Isa::detect(), group, |name, last, _, optimizer, case| {
            let [beta1, beta2] = [0, 1].map(|which| case["betas"][which].as_f64().unwrap());
            let count = numbers(&case["params"][group]["start"]).len();
            let mut expected = [vec![0.0; count], vec![0.0; count]];
            for step in &case["steps"].as_array().unwrap()[..=last] {
                let given: Vec<Vec<f64>> = step["grads"].as_array().unwrap().iter().map(numbers).collect();
                let norm = given.iter().flatten().map(|value| value * value).sum::<f64>().sqrt();
                let clip = case["clip"].as_f64().map_or(1.0, |limit| (limit / (norm + 1e-6)).min(1.0));
                for (index, gradient) in given[group].iter().map(|value| value * clip).enumerate() {
                    expected[0][index] = beta1 * expected[0][index] + (1.0 - beta1) * gradient;
                    expected[1][index] = beta2 * expected[1][index] + (1.0 - beta2) * gradient * gradient;
                }
            }
            let moments = optimizer.moments().nth(group).unwrap();
            for (moment, expected) in moments.iter().zip(expected) {
                let scale = expected.iter().fold(0.0, |scale: f64, value| scale.max(value.abs()));
                assert_close(&format!("{name}, step {last}"), moment, &expected, 1e-6 * scale);
            }
        });
    }
}
