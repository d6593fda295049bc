//! One encoder layer of a small BERT's size behind a word table, with everything a training step needs.

use nomen_engine::{
    Activation, Attention, Buffer, DropoutKey, Factors, Gradients, Isa, Linear, Lookup, Mode, Norm, Packed, Parameter,
    ParameterId, Parameters, Pool, Precision, Random, Tape, Target, Tensor,
    optimizer::{Adamw, AdamwConfig},
};

pub const WIDTH: usize = 384;
pub const INNER: usize = 4 * WIDTH;
const HEADS: usize = 12;
const VOCABULARY: usize = 2000;
const LABELS: usize = 13;

pub struct Layer {
    pub parameters: Parameters,
    pub pool: Pool,
    maps: Maps,
    packed: Packed,
    ids: Vec<u32>,
    gradients: Gradients,
    optimizer: Adamw,
}

#[derive(Clone, Copy)]
struct Maps {
    words: ParameterId,
    qkv: Linear,
    mix: Linear,
    into: Linear,
    out: Linear,
    norms: [Norm; 2],
    head: Linear,
}

impl Layer {
    /// For sequences of these lengths.
    pub fn new(lengths: &[usize]) -> Self {
        let mut random = Random::new(1);
        let mut parameters = Parameters::default();
        let mut draw = |name: &str, rows: usize, width: usize, mean: f64, deviation: f64, sparse: bool| {
            let mut values = Buffer::zeros(rows * width);
            values.fill_with(|| (mean + deviation * (2.0 * random.unit() - 1.0)) as f32);
            let name = name.to_owned();
            parameters.add(Parameter { name, rows, width, values, decays: true, trainable: true, sparse })
        };
        let words = draw("words", VOCABULARY, WIDTH, 0.0, 0.5, true);
        let mut linear = |name: &str, inputs: usize, outputs: usize| Linear {
            weight: draw(name, outputs, inputs, 0.0, 0.05, false),
            bias: draw(name, 1, outputs, 0.0, 0.1, false),
        };
        let [qkv, mix] = [linear("qkv", WIDTH, 3 * WIDTH), linear("mix", WIDTH, WIDTH)];
        let [into, out] = [linear("into", WIDTH, INNER), linear("out", INNER, WIDTH)];
        let head = linear("head", WIDTH, LABELS);
        let norms = [(); 2].map(|()| Norm {
            gamma: draw("gamma", 1, WIDTH, 1.0, 0.1, false),
            beta: draw("beta", 1, WIDTH, 0.0, 0.1, false),
            eps: 1e-12,
        });
        let packed = Packed::new(lengths.iter().copied());
        let ids = (0..packed.rows()).map(|row| (row * row % VOCABULARY) as u32).collect();
        let (gradients, optimizer) = (Gradients::new(&parameters), Adamw::new(AdamwConfig::default(), &parameters));
        let maps = Maps { words, qkv, mix, into, out, norms, head };
        Self { parameters, pool: Pool::default(), maps, packed, ids, gradients, optimizer }
    }

    /// One step on one thread.
    pub fn train(&mut self, step: u64) {
        let mut ids = self.ids.clone();
        ids.sort_unstable();
        ids.dedup();
        self.optimizer.catch_up(&mut self.parameters, self.maps.words, &ids, Isa::detect(), 1);
        self.gradients.clear();
        let mode = Mode::Training { dropout: DropoutKey::new(1, step), factors: Factors::F32 };
        let mut tape = Tape::new(&self.parameters, &mut self.pool, &self.packed, Isa::detect(), mode);
        let logits = forward(self.maps, &mut tape, &self.ids);
        let targets: Vec<Target<'_>> = self.ids.iter().map(|id| Target::Label(id % LABELS as u32)).collect();
        let loss = tape.cross_entropy(&logits, &targets, targets.len() as f64);
        assert!(loss.is_finite());
        tape.backward(&mut self.gradients);
        let stepped = self.optimizer.step(&mut self.parameters, &mut [&mut self.gradients], 1e-4, Isa::detect());
        stepped.expect("gradients are finite");
    }

    /// The sum of the logits of one pass on one thread.
    pub fn infer(&mut self, precision: Precision) -> f32 {
        let mode = Mode::Inference(precision);
        let mut tape = Tape::new(&self.parameters, &mut self.pool, &self.packed, Isa::detect(), mode);
        let logits = forward(self.maps, &mut tape, &self.ids);
        tape.read(&logits).iter().sum()
    }
}

fn forward(maps: Maps, tape: &mut Tape<'_>, ids: &[u32]) -> Tensor {
    let hidden = tape.embedding(vec![Lookup { table: maps.words, ids: ids.to_vec() }]);
    let qkv = tape.linear(&hidden, maps.qkv);
    let attended = tape.attention(qkv, Attention { heads: HEADS, dropout: 0.1 });
    let mixed = tape.linear(&attended, maps.mix);
    tape.release(attended);
    let middle = tape.residual_norm(mixed, hidden, maps.norms[0], 0.1);
    let inner = tape.linear(&middle, maps.into);
    let active = tape.activation(inner, Activation::Gelu);
    let outer = tape.linear(&active, maps.out);
    tape.release(active);
    let hidden = tape.residual_norm(outer, middle, maps.norms[1], 0.1);
    let logits = tape.linear(&hidden, maps.head);
    tape.release(hidden);
    logits
}
