//! Seconds, recall and precision of the search for near duplicates in texts of which it is known which repeat others.
//!
//! `cargo run --release -p nomen-corpus --example near_duplicates [TEXTS]`
//!
//! One text in ten repeats an earlier one with a word changed, dropped, added or nothing changed but case. Recall is
//! over the repeated pairs that really have the similarity; precision is over the texts that were put into a cluster.

use std::{env, time::Instant};

use nomen_corpus::duplicates::{Similarity, clusters, jaccard};

/// Words of the language of these texts; the n-th is about n times as rare as the first.
const WORDS: usize = 30_000;

struct Random(u64);

impl Random {
    /// xorshift64* (Vigna, 2016), a number below the limit.
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        ((self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) as usize) % limit
    }

    fn word(&mut self) -> String {
        let share = self.below(1 << 20) as f64 / f64::from(1 << 20);
        format!("w{}", (WORDS as f64).powf(share) as usize)
    }
}

fn main() {
    let count = env::args().nth(1).and_then(|count| count.parse().ok()).unwrap_or(100_000);
    let mut random = Random(42);
    let mut texts: Vec<String> = Vec::with_capacity(count);
    let mut origins: Vec<usize> = Vec::with_capacity(count);
    let mut planted = Vec::new();
    while texts.len() < count {
        let at = texts.len();
        if at > 0 && random.below(10) == 0 {
            let from = random.below(at);
            let mut words: Vec<String> = texts[from].split(' ').map(str::to_owned).collect();
            let place = random.below(words.len());
            match random.below(4) {
                0 => words[place] = random.word(),
                1 if words.len() > 1 => drop(words.remove(place)),
                2 => words.insert(place, random.word()),
                _ => words[place].make_ascii_uppercase(),
            }
            texts.push(words.join(" "));
            origins.push(origins[from]);
            planted.push((from, at));
        } else {
            let length = 5 + random.below(40);
            texts.push((0..length).map(|_| random.word()).collect::<Vec<_>>().join(" "));
            origins.push(at);
        }
    }
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let similarity = Similarity::default();
    let clock = Instant::now();
    let found = clusters(&texts, similarity);
    let seconds = clock.elapsed().as_secs_f64();

    let true_pairs: Vec<_> =
        planted.iter().filter(|(a, b)| jaccard(texts[*a], texts[*b]) >= similarity.get()).collect();
    let heads = found.heads();
    let recalled = true_pairs.iter().filter(|(a, b)| heads[*a] == heads[*b]).count();
    let clustered: Vec<usize> = found.clusters().iter().flat_map(|cluster| cluster.members.clone()).collect();
    let right = clustered.iter().filter(|text| origins[**text] == origins[heads[**text]]).count();
    println!(
        "{count} texts, similarity {similarity}: {seconds:.2} s; {} clusters, {} texts repeat another\n\
         recall {recalled} of {} planted pairs, precision {right} of {} texts in clusters",
        found.clusters().len(),
        found.repeats(),
        true_pairs.len(),
        clustered.len()
    );
}
