//! Values and derivatives of the operations against `PyTorch` in double precision.

use nomen_engine::{
    Activation, Attention, Isa, Lookup, Mode, Norm, Packed, Parameters, Pool, Precision, Tape, Target, Tensor,
};
use serde_json::Value;

use crate::fixture::{Weights, assert_close, dense, largest, training};

fn functions() -> Value {
    serde_json::from_str(include_str!("../../testdata/functions.json")).unwrap()
}

/// A list of numbers, or a list of such lists end to end.
fn numbers(value: &Value) -> Vec<f64> {
    match value {
        Value::Array(items) => items.iter().flat_map(numbers).collect(),
        Value::String(text) => vec![text.parse().unwrap()],
        number => vec![number.as_f64().unwrap()],
    }
}

fn singles(value: &Value) -> Vec<f32> {
    numbers(value).into_iter().map(|value| value as f32).collect()
}

/// Output of an operation, and the gradients of all parameters for the gradient `dy` of the output.
fn run(
    weights: &Weights,
    lengths: &[usize],
    isa: Isa,
    dy: &[f32],
    operation: impl Fn(&mut Tape<'_>) -> Tensor,
) -> (Vec<f32>, Vec<Vec<f32>>) {
    let packed = Packed::new(lengths.iter().copied());
    let (parameters, mut pool): (&Parameters, _) = (&weights.parameters, Pool::default());
    let mut gradients = nomen_engine::Gradients::new(parameters);
    let mut tape = Tape::new(parameters, &mut pool, &packed, isa, training());
    let y = operation(&mut tape);
    let output = tape.read(&y).to_vec();
    tape.put_loss_gradient(&y, dy);
    tape.backward(&mut gradients);
    (output, weights.ids.iter().map(|&id| dense(parameters, &gradients, id)).collect())
}

#[test]
fn gelu_and_its_approximation_are_those_of_pytorch_from_subnormal_to_huge() {
    for (name, function) in [("gelu", Activation::Gelu), ("gelu_tanh", Activation::GeluTanh)] {
        let gold = &functions()[name];
        let x = singles(&gold["x"]);
        let mut weights = Weights::new(0);
        let table = weights.given("x", x.len(), &x);
        for isa in Isa::available() {
            let (y, slopes) = run(&weights, &[1], isa, &vec![1.0; x.len()], |tape| {
                let x = tape.embedding(vec![Lookup { table, ids: vec![0] }]);
                tape.activation(x, function)
            });
            for (index, x) in x.iter().enumerate() {
                let (value, slope) = (numbers(&gold["y"])[index], numbers(&gold["dy_dx"])[index]);
                let what = format!("{name}({x}) on {}", isa.name());
                assert_close(&what, &y[index..=index], &[value], 3e-7 * f64::from(x.abs().max(1.0)));
                assert_close(&format!("slope of {what}"), &slopes[0][index..=index], &[slope], 1e-6);
            }
        }
    }
}

/// One sequence of attention a row: the first query, four times the row, meets keys that are unit vectors, so that
/// its scores, scaled by `1 / sqrt(16)`, are the row itself; values that are unit vectors hand out the probabilities.
#[test]
fn the_softmax_inside_attention_is_that_of_pytorch_from_tiny_to_huge_scores() {
    const ROWS: usize = 10;
    const COLUMNS: usize = 5;
    const WIDTH: usize = 16;
    let gold = &functions()["softmax"];
    let (x, dy) = (singles(&gold["x"]), singles(&gold["dy"]));
    let mut qkv = vec![0.0; ROWS * COLUMNS * 3 * WIDTH];
    let mut upstream = vec![0.0; ROWS * COLUMNS * WIDTH];
    for row in 0..ROWS {
        let first = row * COLUMNS;
        for column in 0..COLUMNS {
            qkv[first * 3 * WIDTH + column] = 4.0 * x[first + column];
            upstream[first * WIDTH + column] = dy[first + column];
            for part in [1, 2] {
                qkv[((first + column) * 3 + part) * WIDTH + column] = 1.0;
            }
        }
    }
    let mut weights = Weights::new(0);
    let table = weights.given("qkv", 3 * WIDTH, &qkv);
    let ids: Vec<u32> = (0..(ROWS * COLUMNS) as u32).collect();
    for isa in Isa::available() {
        let (y, gradients) = run(&weights, &[COLUMNS; ROWS], isa, &upstream, |tape| {
            let qkv = tape.embedding(vec![Lookup { table, ids: ids.clone() }]);
            tape.attention(qkv, Attention { heads: 1, dropout: 0.0 })
        });
        for row in 0..ROWS {
            let here = row * COLUMNS..(row + 1) * COLUMNS;
            let what = format!("softmax of {:?} on {}", &x[here.clone()], isa.name());
            let got = &y[row * COLUMNS * WIDTH..][..COLUMNS];
            assert_close(&what, got, &numbers(&gold["y"])[here.clone()], 5e-7);
            // The backward pass knows the probabilities by the logarithm of their sum, which `f32` rounds by its
            // own size.
            let rounding = 2.0 * f64::from(f32::EPSILON * largest(&x[here.clone()]).min(1000.0));
            let dx: Vec<f32> =
                gradients[0][row * COLUMNS * 3 * WIDTH..][..COLUMNS].iter().map(|gradient| 4.0 * gradient).collect();
            assert_close(&format!("gradient of {what}"), &dx, &numbers(&gold["dx"])[here], 1e-6 + rounding);
        }
    }
}

#[test]
fn layer_norm_is_that_of_pytorch_with_all_its_gradients() {
    for gold in functions()["layer_norm"].as_array().unwrap() {
        let [x, gain, bias, dy] = ["x", "gain", "bias", "dy"].map(|key| singles(&gold[key]));
        let width = gain.len();
        let mut weights = Weights::new(0);
        let table = weights.given("x", width, &x);
        let (gamma, beta) = (weights.given("gamma", width, &gain), weights.given("beta", width, &bias));
        let norm = Norm { gamma, beta, eps: gold["eps"].as_f64().unwrap() as f32 };
        let rows = x.len() / width;
        for isa in Isa::available() {
            let (y, gradients) = run(&weights, &[rows], isa, &dy, |tape| {
                let x = tape.embedding(vec![Lookup { table, ids: (0..rows as u32).collect() }]);
                tape.norm(x, norm)
            });
            for row in 0..rows {
                let here = row * width..(row + 1) * width;
                let values = &x[here.clone()];
                let mean = values.iter().map(|&v| f64::from(v)).sum::<f64>() / width as f64;
                let deviation =
                    (values.iter().map(|&v| (f64::from(v) - mean).powi(2)).sum::<f64>() / width as f64).sqrt();
                // The mean is rounded by the size of the values, and what is left is divided by their deviation.
                let allowed = 3e-6 + 2.0 * f64::from(f32::EPSILON) * f64::from(largest(values)) / deviation;
                let what = format!("layer norm of {values:?} on {}", isa.name());
                assert_close(&what, &y[here.clone()], &numbers(&gold["y"])[here.clone()], allowed);
                let dx = &gradients[0][here.clone()];
                let expected = &numbers(&gold["dx"])[here];
                assert_close(&format!("gradient of {what}"), dx, expected, allowed * (2.0 / deviation).max(1e-3));
            }
            assert_close("dgain", &gradients[1], &numbers(&gold["dgain"]), 3e-4);
            assert_close("dbias", &gradients[2], &numbers(&gold["dbias"]), 3e-6);
        }
    }
}

#[test]
fn cross_entropy_is_that_of_pytorch_row_by_row_with_its_gradient() {
    let gold = &functions()["cross_entropy"];
    let logits = singles(&gold["logits"]);
    let targets: Vec<Option<u32>> =
        gold["gold"].as_array().unwrap().iter().map(|target| target.as_u64().map(|target| target as u32)).collect();
    let rows = targets.len();
    let labelled = targets.iter().flatten().count() as f64;
    let mut weights = Weights::new(0);
    let table = weights.given("logits", logits.len() / rows, &logits);
    let lookup = Lookup { table, ids: (0..rows as u32).collect() };
    let packed = Packed::new([rows]);
    for isa in Isa::available() {
        let mut pool = Pool::default();
        for (row, expected) in numbers(&gold["row_losses"]).into_iter().enumerate() {
            let only: Vec<Target<'_>> = (0..rows).map(|other| targets[other].filter(|_| other == row).into()).collect();
            let mut tape = Tape::new(&weights.parameters, &mut pool, &packed, isa, Mode::Inference(Precision::F32));
            let logits = tape.embedding(vec![lookup.clone()]);
            let loss = tape.cross_entropy(&logits, &only, 1.0);
            assert_close(&format!("loss of row {row}"), &[loss as f32], &[expected], 1e-6 * expected.max(1.0));
        }
        let mut gradients = nomen_engine::Gradients::new(&weights.parameters);
        let mut tape = Tape::new(&weights.parameters, &mut pool, &packed, isa, training());
        let logits = tape.embedding(vec![lookup.clone()]);
        let targets: Vec<Target<'_>> = targets.iter().map(|target| Target::from(*target)).collect();
        let loss = tape.cross_entropy(&logits, &targets, labelled);
        tape.backward(&mut gradients);
        assert_close("loss", &[loss as f32], &numbers(&gold["loss"]), 1e-6);
        let dlogits = dense(&weights.parameters, &gradients, table);
        assert_close("gradient of the logits", &dlogits, &numbers(&gold["dlogits"]), 2e-7);
    }
}

#[test]
fn nan_goes_through_every_operation() {
    for function in [Activation::Gelu, Activation::GeluTanh, Activation::Relu] {
        let mut weights = Weights::new(0);
        let table = weights.given("x", 3, &[1.0, f32::NAN, 2.0]);
        let (y, _) = run(&weights, &[1], Isa::detect(), &[1.0; 3], |tape| {
            let x = tape.embedding(vec![Lookup { table, ids: vec![0] }]);
            tape.activation(x, function)
        });
        assert_eq!(y.map_nan(), [false, true, false], "{function:?}");
    }
    let mut weights = Weights::new(1);
    let qkv = weights.input("qkv", 5, 24);
    let norm = weights.norm("norm", 8);
    weights.parameters.get_mut(qkv.table).values[2] = f32::NAN;
    let (y, _) = run(&weights, &[3, 2], Isa::detect(), &[0.0; 40], |tape| {
        let qkv = tape.embedding(vec![qkv.clone()]);
        let attended = tape.attention(qkv, Attention { heads: 1, dropout: 0.0 });
        tape.norm(attended, norm)
    });
    let spoiled: Vec<bool> = (0..40).map(|index| index < 8).collect();
    assert_eq!(y.map_nan(), spoiled, "the first token's query reaches its own row alone");
}

/// Where a slice is NaN.
trait MapNan {
    fn map_nan(&self) -> Vec<bool>;
}

impl MapNan for Vec<f32> {
    fn map_nan(&self) -> Vec<bool> {
        self.iter().map(|value| value.is_nan()).collect()
    }
}
