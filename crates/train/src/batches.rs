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
    /// First step of every epoch, and the number of steps in all epochs last.
    starts: Vec<u64>,
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
        let mut batches = Self { seed: settings.seed, size, lengths, starts: vec![0] };
        let mut steps = 0;
        for epoch in 0..settings.num_train_epochs {
            steps += batches.epoch(epoch).len() as u64;
            batches.starts.push(steps);
        }
        batches
    }

    /// Steps of all epochs together.
    pub fn steps(&self) -> u64 {
        self.starts.last().copied().unwrap_or(0)
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
                let mut batches: Vec<Vec<usize>> = Vec::new();
                let mut filled = usize::MAX;
                for example in order {
                    let length = self.lengths[example];
                    if filled.saturating_add(length) > budget {
                        batches.push(Vec::new());
                        filled = 0;
                    }
                    filled += length;
                    batches.last_mut().expect("a batch was begun").push(example);
                }
                batches
            }
        }
    }

    /// A batch shared out to workers so that each has about as many pieces: the longest example first, to whoever
    /// has least (Graham, 1969).
    pub fn shares(&self, batch: &[usize], workers: usize) -> Vec<Vec<usize>> {
        let mut order = batch.to_vec();
        order.sort_by_key(|example| std::cmp::Reverse(self.lengths[*example]));
        let mut shares = vec![(0, Vec::new()); workers];
        for example in order {
            let (load, share) = shares.iter_mut().min_by_key(|(load, _)| *load).expect("there is a worker");
            *load += self.lengths[example];
            share.push(example);
        }
        shares.into_iter().map(|(_, share)| share).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn batches(size: BatchSize, lengths: &[usize]) -> Batches {
        let mut batches = Batches { seed: 1, size, lengths: lengths.to_vec(), starts: vec![0] };
        for epoch in 0..3 {
            let steps = batches.steps() + batches.epoch(epoch).len() as u64;
            batches.starts.push(steps);
        }
        batches
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
    fn shares_are_balanced() {
        let batches = batches(BatchSize::Texts(8), &[90, 10, 20, 30, 25, 5]);
        let shares = batches.shares(&[0, 1, 2, 3, 4, 5], 2);
        let load = |share: &Vec<usize>| share.iter().map(|example| batches.lengths[*example]).sum::<usize>();
        assert_eq!((load(&shares[0]), load(&shares[1])), (90, 90));
    }
}
