//! Numbers and settings in the portions that `runs/log-batch` takes: at most 1,000 numbers, 100 settings and 1 MB.

use serde_json::{Value, json};

use crate::tracking::{Moment, Record};

const MOST_METRICS: usize = 1000;
const MOST_PARAMS: usize = 100;
/// Bytes of a portion's entries; the rest of the megabyte is for what is around them.
const MOST_BYTES: usize = 900_000;

/// The portions for some records.
pub fn portions<'r>(records: impl IntoIterator<Item = &'r Record>) -> Vec<Value> {
    let mut portions = vec![Portion::default()];
    for record in records {
        match &record.moment {
            Moment::Begun(fields) | Moment::About(fields) => {
                for (key, value) in fields {
                    room(&mut portions, MOST_PARAMS, |portion| portion.params.len())
                        .push_param(&json!({"key": key, "value": value}));
                }
            }
            Moment::Step(step, values) | Moment::Evaluation(step, values) | Moment::Judged(step, values) => {
                for (key, value) in values {
                    let metric = json!({"key": key, "value": number(*value), "timestamp": record.time, "step": step});
                    room(&mut portions, MOST_METRICS, |portion| portion.metrics.len()).push_metric(&metric);
                }
            }
            Moment::Resumed | Moment::Ended(_) => {}
        }
    }
    portions
        .into_iter()
        .filter(|portion| portion.bytes > 0)
        .map(|portion| json!({"metrics": portion.metrics, "params": portion.params}))
        .collect()
}

#[derive(Default)]
struct Portion {
    metrics: Vec<Value>,
    params: Vec<Value>,
    bytes: usize,
}

impl Portion {
    fn push_metric(&mut self, metric: &Value) {
        self.bytes += metric.to_string().len() + 1;
        self.metrics.push(metric.clone());
    }

    fn push_param(&mut self, param: &Value) {
        self.bytes += param.to_string().len() + 1;
        self.params.push(param.clone());
    }
}

/// The last portion, or a new one where it is full.
fn room(portions: &mut Vec<Portion>, most: usize, count: impl Fn(&Portion) -> usize) -> &mut Portion {
    let is_full = portions.last().is_none_or(|portion| count(portion) >= most || portion.bytes >= MOST_BYTES);
    if is_full {
        portions.push(Portion::default());
    }
    let last = portions.len() - 1;
    &mut portions[last]
}

/// A number in protocol buffers' JSON, which spells out what JSON has no number for.
fn number(value: f64) -> Value {
    if value.is_finite() {
        json!(value)
    } else if value.is_nan() {
        json!("NaN")
    } else {
        json!(if value > 0.0 { "Infinity" } else { "-Infinity" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_portion_is_larger_than_the_server_takes_and_none_is_lost() {
        let values = (0..2500).map(|label| (format!("dev/ents_f/{label}"), f64::from(label))).collect();
        let fields = (0..150).map(|key| (key.to_string(), "x".to_owned())).collect();
        let records = [
            Record { time: 5, moment: Moment::Begun(fields) },
            Record { time: 7, moment: Moment::Evaluation(3, values) },
        ];
        let portions = portions(&records);
        let lengths = |of: &str| portions.iter().map(|p| p[of].as_array().unwrap().len()).collect::<Vec<_>>();
        assert_eq!((lengths("params"), lengths("metrics")), (vec![100, 50, 0, 0], vec![0, 1000, 1000, 500]));
        assert_eq!(portions[1]["metrics"][0], json!({"key": "dev/ents_f/0", "value": 0.0, "timestamp": 7, "step": 3}));

        let long: Vec<_> = (0..900).map(|label| (format!("{label}{}", "x".repeat(2000)), f64::NAN)).collect();
        let portions = super::portions(&[Record { time: 0, moment: Moment::Step(1, long) }]);
        assert_eq!(portions.len(), 3);
        assert!(portions.iter().all(|portion| portion.to_string().len() < 1_000_000));
        assert_eq!(portions[0]["metrics"][0]["value"], "NaN");
        assert!(super::portions(&[]).is_empty());
    }
}
