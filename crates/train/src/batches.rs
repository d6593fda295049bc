//! Which examples make which batch: a pure function of seed and step, so that a resumed run needs no memory of it.

use engine::Random;

use crate::{Dataset, Settings};

/// The batches of a run.
#[derive(Debug, Clone)]
pub struct Batches {
    seed: u64,
    size: BatchSize,
    /// Pieces of every example.
    lengths: Vec<usize>,
    /// First step of every epoch, and the step behind the last epoch.
    starts: Vec<u64>,
    /// Steps of the run, which may end inside of an epoch.
    steps: u64,
}

#[derive(Debug, Clone, Copy)]
enum BatchSize {
    Texts(usize),
    Pieces(usize),
}

impl Batches {
    /// The batches of a run over a data set.
    pub fn new(dataset: &Dataset, settings: &Settings) -> Self {
        let size = match settings.train_batch_pieces {
            0 => BatchSize::Texts(settings.train_batch_size.max(1)),
            pieces => BatchSize::Pieces(pieces),
        };
        let lengths = dataset.examples.iter().map(|example| example.ids.len()).collect();
        Self::of(lengths, size, settings.seed, settings.num_train_epochs, settings.max_steps)
    }

    fn of(lengths: Vec<usize>, size: BatchSize, seed: u64, epochs: u32, max_steps: u64) -> Self {
        let limit = if max_steps == 0 { u64::MAX } else { max_steps };
        let mut batches = Self { seed, size, lengths, starts: vec![0], steps: 0 };
        for epoch in 0..epochs {
            if batches.steps >= limit {
                break;
            }
            batches.steps += batches.len(epoch);
            batches.starts.push(batches.steps);
        }
        batches.steps = batches.steps.min(limit);
        batches
    }

    /// Number of batches in an epoch.
    fn len(&self, epoch: u32) -> u64 {
        match self.size {
            BatchSize::Texts(texts) => self.lengths.len().div_ceil(texts) as u64,
            BatchSize::Pieces(_) => self.epoch(epoch).len() as u64,
        }
    }

    /// Steps of the run: those of all epochs, or as many as it is limited to.
    pub fn steps(&self) -> u64 {
        self.steps
    }

    /// The epoch that a step lies in.
    pub fn epoch_of(&self, step: u64) -> u32 {
        (self.starts.partition_point(|start| *start <= step) - 1) as u32
    }

    /// Whether a step is its epoch's last.
    pub fn ends_epoch(&self, step: u64) -> bool {
        self.starts.binary_search(&(step + 1)).is_ok()
    }

    /// First step of an epoch.
    pub fn start_of(&self, epoch: u32) -> u64 {
        self.starts[epoch as usize]
    }

    /// The batches of an epoch: all examples, each once, in an order that seed and epoch decide.
    pub fn epoch(&self, epoch: u32) -> Vec<Vec<usize>> {
        let mut order: Vec<usize> = (0..self.lengths.len()).collect();
        Random::new(self.seed ^ (u64::from(epoch) << 32)).shuffle(&mut order);
        match self.size {
            BatchSize::Texts(texts) => order.chunks(texts).map(<[usize]>::to_vec).collect(),
            BatchSize::Pieces(budget) => {
                let (mut batches, mut batch, mut filled) = (Vec::new(), Vec::new(), 0);
                for example in order {
                    let length = self.lengths[example];
                    if !batch.is_empty() && filled + length > budget {
                        batches.push(std::mem::take(&mut batch));
                        filled = 0;
                    }
                    filled += length;
                    batch.push(example);
                }
                batches.extend((!batch.is_empty()).then_some(batch));
                batches
            }
        }
    }

    /// A batch shared out to workers so that each has about as many pieces: the longest example first, to whoever
    /// has least (Graham, 1969).
    pub fn shares(&self, batch: &[usize], workers: usize) -> Vec<Vec<usize>> {
        let mut order = batch.to_vec();
        order.sort_by_key(|example| std::cmp::Reverse(self.lengths[*example]));
        let (mut loads, mut shares) = (vec![0; workers], vec![Vec::new(); workers]);
        for example in order {
            let least = (0..workers).min_by_key(|worker| loads[*worker]).unwrap_or(0);
            loads[least] += self.lengths[example];
            shares[least].push(example);
        }
        shares
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn batches(size: BatchSize, lengths: &[usize]) -> Batches {
        limited(size, lengths, 0)
    }

    fn limited(size: BatchSize, lengths: &[usize], max_steps: u64) -> Batches {
        Batches::of(lengths.to_vec(), size, 1, 3, max_steps)
    }

    #[test]
    fn every_epoch_has_each_example_once_in_another_order() {
        let lengths: Vec<usize> = (0..50).map(|i| 3 + i % 17).collect();
        for size in [BatchSize::Texts(8), BatchSize::Pieces(60)] {
            let batches = batches(size, &lengths);
            let flat = |epoch| batches.epoch(epoch).concat();
            assert_ne!(flat(0), flat(1));
            assert_eq!(flat(1), flat(1));
            let mut sorted = flat(2);
            sorted.sort_unstable();
            assert_eq!(sorted, (0..50).collect::<Vec<_>>());
        }
    }

    #[test]
    fn a_budget_of_pieces_holds_unless_one_example_exceeds_it() {
        let batches = batches(BatchSize::Pieces(20), &[5, 30, 7, 9, 20, 1]);
        for batch in batches.epoch(0) {
            let pieces: usize = batch.iter().map(|example| batches.lengths[*example]).sum();
            assert!(pieces <= 20 || batch.len() == 1, "{batch:?}");
        }
    }

    #[test]
    fn steps_know_their_epoch() {
        let batches = batches(BatchSize::Texts(4), &[1; 10]); // three batches an epoch
        assert_eq!(batches.steps(), 9);
        assert_eq!([0, 2, 3, 8].map(|step| batches.epoch_of(step)), [0, 0, 1, 2]);
        assert!(batches.ends_epoch(2) && batches.ends_epoch(8) && !batches.ends_epoch(3));
    }

    #[test]
    fn a_limit_ends_the_run_inside_of_an_epoch_and_costs_no_epoch_behind_it() {
        for size in [BatchSize::Texts(4), BatchSize::Pieces(4)] {
            let at = |max_steps| {
                let batches = limited(size, &[1; 10], max_steps);
                (batches.steps(), batches.starts.len() - 1)
            };
            assert_eq!([0, 1, 3, 4, 9, 100].map(at), [(9, 3), (1, 1), (3, 1), (4, 2), (9, 3), (9, 3)]);
        }
    }

    #[test]
    fn shares_are_balanced() {
        let batches = batches(BatchSize::Texts(8), &[90, 10, 20, 30, 25, 5]);
        let shares = batches.shares(&[0, 1, 2, 3, 4, 5], 2);
        let load = |share: &Vec<usize>| share.iter().map(|example| batches.lengths[*example]).sum::<usize>();
        assert_eq!((load(&shares[0]), load(&shares[1])), (90, 90));
    }
}
