//! The optimizer's step, however the gradients reach it.

use nomen_engine::{
    Gradients, Isa, ParameterId, Random,
    optimizer::{Adamw, AdamwConfig},
};

use crate::fixture::{Weights, add, bits, dense};

const RATE: f64 = 1e-3;

/// A table that takes several of the optimizer's chunks, and a vector.
struct Embedding {
    weights: Weights,
    words: ParameterId,
    bias: ParameterId,
}

const ROWS: usize = 2000;
const WIDTH: usize = 24;

impl Embedding {
    fn new(sparse: bool) -> Self {
        let mut weights = Weights::new(3);
        let words = weights.drawn("words", [ROWS, WIDTH], 0.0, 1.0);
        let bias = weights.drawn("bias", [1, 7], 0.0, 1.0);
        weights.parameters.get_mut(words).sparse = sparse;
        Self { weights, words, bias }
    }

    /// Weights after four steps, and the norms; `workers` says who gets a step's share: rows, their gradients, and
    /// the gradient of the vector.
    fn train(mut self, max_norm: f64, workers: impl Fn(&Self, u64) -> Vec<Gradients>) -> (Vec<Vec<u32>>, Vec<f64>) {
        let mut optimizer = Adamw::new(AdamwConfig { max_norm, ..AdamwConfig::default() }, &self.weights.parameters);
        let norms = (0..4)
            .map(|step| {
                let mut gradients = workers(&self, step);
                let mut workers: Vec<&mut Gradients> = gradients.iter_mut().collect();
                optimizer.step(&mut self.weights.parameters, &mut workers, RATE, Isa::detect()).unwrap().gradient_norm
            })
            .collect();
        optimizer.settle(&mut self.weights.parameters, Isa::detect(), 2);
        (self.weights.parameters.iter().map(|parameter| bits(&parameter.values)).collect(), norms)
    }

    /// The gradients of a step: rows of the table, some of them twice, and the vector.
    fn drawn(step: u64) -> (Vec<u32>, Vec<f32>, Vec<f32>) {
        let mut random = Random::new(step);
        let mut rows: Vec<u32> = (0..60).map(|_| random.below(ROWS) as u32).collect();
        rows.extend_from_within(..9);
        rows.extend([0, ROWS as u32 - 1]);
        let mut normal = |count: usize| -> Vec<f32> { (0..count).map(|_| random.normal() as f32).collect() };
        let (values, bias) = (normal(71 * WIDTH), normal(7));
        (rows, values, bias)
    }

    /// Gradients of rows `from..to` of a step, those of the vector times `share`.
    fn part(&self, step: u64, range: std::ops::Range<usize>, share: Option<f32>) -> Gradients {
        let (rows, values, bias) = Self::drawn(step);
        let mut gradients = Gradients::new(&self.weights.parameters);
        if !range.is_empty() {
            let values = &values[range.start * WIDTH..range.end * WIDTH];
            add(&self.weights.parameters, &mut gradients, self.words, &rows[range], values);
        }
        if let Some(share) = share {
            let bias: Vec<f32> = bias.iter().map(|value| value * share).collect();
            add(&self.weights.parameters, &mut gradients, self.bias, &[0], &bias);
        }
        gradients
    }
}

#[test]
fn a_sparse_table_ends_in_the_bits_of_a_dense_one() {
    let whole = |table: &Embedding, step| vec![table.part(step, 0..71, Some(1.0))];
    let (sparse, sparse_norms) = Embedding::new(true).train(0.0, whole);
    let (dense, dense_norms) = Embedding::new(false).train(0.0, whole);
    assert_eq!(sparse, dense);
    for (sparse, dense) in sparse_norms.iter().zip(&dense_norms) {
        assert!((sparse / dense - 1.0).abs() < 1e-6, "{sparse} for {dense}");
    }
}

#[test]
fn gradients_split_over_workers_end_in_the_bits_of_one_worker() {
    for sparse in [false, true] {
        let (expected, norms) =
            Embedding::new(sparse).train(1.0, |table, step| vec![table.part(step, 0..71, Some(1.0))]);
        // Rows that come twice lie on both sides, in the order of one worker; halves add up exactly.
        let (halves, halves_norms) = Embedding::new(sparse)
            .train(1.0, |table, step| vec![table.part(step, 0..60, Some(0.5)), table.part(step, 60..71, Some(0.5))]);
        assert_eq!(halves, expected);
        assert_eq!(halves_norms, norms);
        let (three, three_norms) = Embedding::new(sparse).train(1.0, |table, step| {
            vec![table.part(step, 0..0, None), table.part(step, 0..71, None), table.part(step, 0..0, Some(1.0))]
        });
        assert_eq!(three, expected, "a worker that has nothing comes first");
        assert_eq!(three_norms, norms);
    }
}

#[test]
fn a_parameter_without_a_gradient_moves_as_with_zeros() {
    let none = |table: &Embedding, step| vec![table.part(step, if step < 2 { 0..71 } else { 0..0 }, Some(1.0))];
    let zeros = |table: &Embedding, step| {
        let mut gradients = table.part(step, if step < 2 { 0..71 } else { 0..0 }, Some(1.0));
        if step >= 2 {
            add(&table.weights.parameters, &mut gradients, table.words, &[5], &[0.0; WIDTH]);
        }
        vec![gradients]
    };
    for sparse in [false, true] {
        assert_eq!(Embedding::new(sparse).train(1.0, none).0, Embedding::new(sparse).train(1.0, zeros).0);
    }
}

#[test]
fn gradients_that_were_cleared_leave_nothing_behind() {
    let table = Embedding::new(false);
    let mut gradients = table.part(1, 0..71, Some(1.0));
    gradients.clear();
    let (rows, values, _) = Embedding::drawn(2);
    add(&table.weights.parameters, &mut gradients, table.words, &rows, &values);
    let fresh = table.part(2, 0..71, None);
    let [cleared, fresh] = [gradients, fresh].map(|g| dense(&table.weights.parameters, &g, table.words));
    assert_eq!(bits(&cleared), bits(&fresh));
}

#[test]
fn a_step_with_a_gradient_that_is_not_finite_names_the_parameter_and_changes_nothing() {
    for (spoilt, sparse) in [(f32::NAN, false), (f32::NAN, true), (f32::INFINITY, false)] {
        for worker in 0..2 {
            let Embedding { mut weights, words, bias } = Embedding::new(sparse);
            let start = weights.parameters.clone();
            let mut optimizer = Adamw::new(AdamwConfig::default(), &weights.parameters);
            let mut gradients = [Gradients::new(&weights.parameters), Gradients::new(&weights.parameters)];
            add(&weights.parameters, &mut gradients[1 - worker], bias, &[0], &[1.0; 7]);
            let mut row = [1.0; WIDTH];
            row[WIDTH - 1] = spoilt;
            add(&weights.parameters, &mut gradients[worker], words, &[1999], &row);
            let [first, second] = &mut gradients;
            let error = optimizer.step(&mut weights.parameters, &mut [first, second], RATE, Isa::detect()).unwrap_err();
            assert_eq!(error.parameter, "words");
            assert!(error.to_string().contains("`words`"));
            assert_eq!(optimizer.steps(), 0);
            for (after, before) in weights.parameters.iter().zip(start.iter()) {
                assert_eq!(bits(&after.values), bits(&before.values));
            }
            assert!(optimizer.moments().flatten().all(|moment| moment.iter().all(|value| value.to_bits() == 0)));
        }
    }
}

#[test]
fn a_restored_optimizer_goes_on_with_the_same_bits() {
    let mut table = Embedding::new(true);
    let config = AdamwConfig::default();
    let mut optimizer = Adamw::new(config, &table.weights.parameters);
    for step in 0..3 {
        let mut gradients = table.part(step, 0..71, Some(1.0));
        optimizer.step(&mut table.weights.parameters, &mut [&mut gradients], RATE, Isa::detect()).unwrap();
    }
    optimizer.settle(&mut table.weights.parameters, Isa::detect(), 1);
    let saved: Vec<[Vec<f32>; 2]> =
        optimizer.moments().map(|moments| [moments[0].to_vec(), moments[1].to_vec()]).collect();
    let mut restored = Adamw::new(config, &table.weights.parameters);
    let filled: Result<(), std::convert::Infallible> =
        restored.restore(&table.weights.parameters, 3, |parameter, moment, target| {
            target.copy_from_slice(&saved[parameter][moment]);
            Ok(())
        });
    filled.unwrap();
    let after = [optimizer, restored].map(|mut optimizer| {
        let mut parameters = table.weights.parameters.clone();
        let mut gradients = table.part(3, 0..71, Some(1.0));
        optimizer.step(&mut parameters, &mut [&mut gradients], RATE, Isa::detect()).unwrap();
        optimizer.settle(&mut parameters, Isa::detect(), 1);
        parameters.iter().map(|parameter| bits(&parameter.values)).collect::<Vec<_>>()
    });
    assert_eq!(after[0], after[1]);
}

/// What a word table is for: each step reads its own rows, which must be up to date then, and now and then somebody looks
/// at all of it. Step for step, every row that is read has the bits of a table that always moves as a whole.
#[test]
fn rows_that_are_read_seldom_have_the_bits_of_a_table_that_always_moves_as_a_whole() {
    for isa in Isa::available() {
        let tables = [true, false].map(Embedding::new);
        // Without clipping: the norm's last bits depend on how a gradient is kept.
        let config = AdamwConfig { max_norm: 0.0, ..AdamwConfig::default() };
        let mut optimizers = tables.each_ref().map(|table| Adamw::new(config, &table.weights.parameters));
        let [mut late, mut whole] = tables;
        for step in 0..60 {
            let (mut ids, ..) = Embedding::drawn(step);
            ids.sort_unstable();
            ids.dedup();
            let threads = 1 + (step % 3) as usize;
            optimizers[0].catch_up(&mut late.weights.parameters, late.words, &ids, isa, threads);
            let row = |table: &Embedding, id: u32| {
                bits(&table.weights.parameters.get(table.words).values[id as usize * WIDTH..][..WIDTH])
            };
            for id in ids {
                assert_eq!(row(&late, id), row(&whole, id), "row {id} before step {step}, {}", isa.name());
            }
            // The rate changes from step to step, as a schedule's does.
            let rate = RATE / (1 + step) as f64;
            for (table, optimizer) in [&mut late, &mut whole].into_iter().zip(&mut optimizers) {
                let mut gradients = table.part(step, 0..71, Some(1.0));
                optimizer.step(&mut table.weights.parameters, &mut [&mut gradients], rate, isa).unwrap();
            }
            if step % 25 == 24 {
                optimizers[0].settle(&mut late.weights.parameters, isa, threads);
                let all = |table: &Embedding| bits(&table.weights.parameters.get(table.words).values);
                assert_eq!(all(&late), all(&whole), "after step {step}, {}", isa.name());
                let moments =
                    optimizers.each_ref().map(|o| o.moments().flatten().flat_map(|m| bits(m)).collect::<Vec<_>>());
                assert_eq!(moments[0], moments[1], "after step {step}, {}", isa.name());
            }
        }
    }
}
