//! Weights that are held near to where they started.

use super::parallel::in_parallel;
use crate::{Buffer, Isa, ParameterId, Parameters, kernels};

/// Weights that one job takes.
const CHUNK: usize = 16 * 1024;

/// Where weights started, and how strongly they are drawn back: L2-SP (Li, Grandvalet and Davoine, 2018, "Explicit Inductive Bias
/// for Transfer Learning with Convolutional Networks"), decoupled from the gradient as `AdamW` decouples its decay.
#[derive(Clone)]
pub struct Anchor {
    strength: f64,
    weights: Vec<(ParameterId, Buffer)>,
}

impl Anchor {
    /// Remembers the weights of the parameters that are `held`. Those of sparse parameters are not: most of their rows stay where
    /// they are, and looking after all of them would cost more than the step.
    pub fn new(strength: f64, parameters: &Parameters, held: impl IntoIterator<Item = ParameterId>) -> Self {
        let is_held = |id: &ParameterId| parameters.get(*id).trainable && !parameters.get(*id).sparse;
        let weights = held.into_iter().filter(is_held).map(|id| (id, parameters.get(id).values.clone())).collect();
        Self { strength, weights }
    }

    /// Moves every held weight a share of `rate` times the strength of its way back to where it started. Comes after a step.
    pub fn pull(&self, parameters: &mut Parameters, rate: f64, isa: Isa, threads: usize) {
        let share = (self.strength * rate).min(1.0) as f32;
        let mut held = self.weights.iter().peekable();
        let mut jobs = Vec::new();
        for (index, parameter) in parameters.iter_mut().enumerate() {
            if let Some((_, start)) = held.next_if(|(id, _)| id.0 == index) {
                jobs.extend(parameter.values.chunks_mut(CHUNK).zip(start.chunks(CHUNK)));
            }
        }
        in_parallel(threads, jobs, |(values, start)| kernels::pull(isa, values, start, share));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Parameter;

    fn parameter(len: usize, sparse: bool, trainable: bool) -> Parameter {
        let (name, values) = ("w".to_owned(), Buffer::zeros(len));
        Parameter { name, rows: 1, width: len, values, decays: true, trainable, sparse }
    }

    #[test]
    fn held_weights_go_a_share_of_their_way_back_and_others_none() {
        let mut parameters = Parameters::default();
        let ids = [(40_000, false, true), (3, false, true), (8, true, true), (8, false, false)]
            .map(|(len, sparse, trainable)| parameters.add(parameter(len, sparse, trainable)));
        let anchor = Anchor::new(4.0, &parameters, [ids[0], ids[2], ids[3]]);
        parameters.iter_mut().for_each(|parameter| parameter.values.fill(1.0));
        anchor.pull(&mut parameters, 0.0625, Isa::detect(), 2);
        let after = ids.map(|id| parameters.get(id).values.to_vec());
        assert!(after[0].iter().all(|value| (value - 0.75).abs() < 1e-6));
        assert!(after[1..].iter().flatten().all(|value| (value - 1.0).abs() < f32::EPSILON));
        anchor.pull(&mut parameters, 99.0, Isa::detect(), 1);
        assert!(parameters.get(ids[0]).values.iter().all(|value| value.abs() < f32::EPSILON), "never past the start");
    }
}
