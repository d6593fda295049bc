//! Learning rates against transformers' schedules, step by step.

use nomen_engine::optimizer::{Decay, Schedule};
use serde_json::Value;

#[test]
fn every_rate_is_that_of_transformers() {
    let cases: Vec<Value> = serde_json::from_str(include_str!("../../testdata/schedules.json")).unwrap();
    assert!(!cases.is_empty());
    for case in cases {
        let decay = match case["kind"].as_str().unwrap() {
            "constant" => Decay::Constant,
            "linear" => Decay::Linear,
            "cosine" => Decay::Cosine,
            other => panic!("no schedule {other}"),
        };
        let [warmup, total] = ["warmup", "total"].map(|key| case[key].as_u64().unwrap());
        let schedule = Schedule { peak: case["peak"].as_f64().unwrap(), warmup, total, decay };
        for (step, expected) in case["rates"].as_array().unwrap().iter().enumerate() {
            let (rate, expected) = (schedule.rate(step as u64), expected.as_f64().unwrap());
            let allowed = 1e-12 * schedule.peak;
            assert!((rate - expected).abs() <= allowed, "{schedule:?}, step {step}: {rate} for {expected}");
        }
    }
}

#[test]
fn a_falling_rate_stays_at_zero_after_the_last_step() {
    for decay in [Decay::Linear, Decay::Cosine] {
        let schedule = Schedule { peak: 1e-3, warmup: 2, total: 10, decay };
        for step in [10, 11, 1000] {
            assert!(schedule.rate(step).abs() < 1e-18, "{decay:?}, step {step}");
        }
    }
}
