//! How often the gate finds a regression that was planted in one label, and how often it finds one that is not there.
//!
//! ```sh
//! cargo run --release -p nomen-operate --example planted -- GOLD.jsonl ONE.jsonl OTHER.jsonl [TRIALS]
//! ```
//!
//! The files are Nomen JSONL with the same texts in the same order: gold, and what two models of equal standing find, such as
//! two seeds of one training. A trial draws texts with replacement until the most frequent label has the wanted number of
//! entities, and tosses a coin for each text which model is the live one and which the candidate. So the two differ as much
//! as real ones do, and neither is better. Then predictions of that label that are right are taken from the candidate at
//! random, as many as its F1 loses the planted points in expectation. `bench/gate.py` makes the files and calls this.

use std::{collections::BTreeMap, env, error::Error, fs, process::ExitCode, thread};

use evaluate::{Counts, Pair, Scores};
use nomen_operate::gate::{Policy, Row, TestSet, judge};
use schema::{
    Document, Entity, Label,
    offset::{Offsets, Unit},
};
use serde_json::Value;

const SUPPORTS: [usize; 6] = [25, 50, 100, 200, 400, 800];
const POINTS: [f64; 4] = [0.0, 0.01, 0.03, 0.05];

/// When a row counts as a regression.
type Rule = (&'static str, fn(&Row, f64) -> bool);

/// The gate's own rule last; the others are what it was chosen among.
const RULES: [Rule; 6] = [
    ("the drop is larger than allowed", |row, allowed| row.change.change < -allowed),
    ("not shown to be smaller: the interval reaches below", |row, allowed| row.change.interval.low < -allowed),
    ("shown to be larger: the whole interval lies below", |row, allowed| row.change.interval.high < -allowed),
    ("larger, and the interval excludes 0", |row, allowed| {
        row.change.change < -allowed && row.change.interval.high < 0.0
    }),
    ("larger, and the test says so, row by row", |row, allowed| {
        row.change.change < -allowed && row.change.p_drop <= 0.05
    }),
    ("larger, and the test says so, corrected (the gate)", |row, _| row.fails),
];

/// The texts with gold and the answers of both models.
struct Sample {
    documents: Vec<Document>,
    answers: [Vec<Vec<Entity>>; 2],
}

fn read(path: &str) -> Result<Vec<Document>, Box<dyn Error>> {
    let mut documents = Vec::new();
    for line in fs::read_to_string(path)?.lines() {
        let row: Value = serde_json::from_str(line)?;
        let text = row["text"].as_str().ok_or("a row without text")?;
        let offsets = Offsets::new(text, Unit::CodePoints);
        let mut entities = Vec::new();
        for entity in row["entities"].as_array().into_iter().flatten() {
            let place = |key: &str| entity[key].as_u64().ok_or("an entity without a place").map(|place| place as usize);
            let label = Label::new(entity["label"].as_str().ok_or("an entity without a label")?)?;
            entities.push(Entity::new(offsets.span(place("start")?, place("end")?)?, label));
        }
        documents.push(Document::new(text).with_entities(entities)?);
    }
    Ok(documents)
}

/// `SplitMix64` (Steele, Lea and Flood, 2014).
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((u128::from(bits ^ (bits >> 31)) * bound as u128) >> 64) as usize
    }

    fn is_within(&mut self, share: f64) -> bool {
        (self.below(1 << 30) as f64) < share * f64::from(1 << 30)
    }
}

impl Sample {
    /// Share of the label's right predictions that has to go for F1 to fall by `points`: of correct `c`, gold `g` and predicted
    /// `p`, F1 is `2 c (1 - s) / (g + p - c s)` afterwards.
    fn share(&self, label: &Label, points: f64) -> f64 {
        let mut counts = Counts::default();
        for answers in &self.answers {
            for (document, predicted) in self.documents.iter().zip(answers) {
                let scores = Scores::of([&Pair { document, predicted }.judge(None)]);
                counts += scores.by_label().get(label).copied().unwrap_or_default();
            }
        }
        let target = counts.f1() - points;
        let (correct, both) = (counts.correct as f64, (counts.gold + counts.predicted) as f64);
        (2.0 * correct - target * both) / (correct * (2.0 - target))
    }

    /// Whether each rule finds the label's row, and whether it finds any row.
    fn trial(
        &self,
        label: &Label,
        support: usize,
        share: f64,
        seed: u64,
        policy: &Policy,
    ) -> [(bool, bool); RULES.len()] {
        let mut random = Random(seed);
        let (mut documents, mut live, mut candidate) = (Vec::new(), Vec::new(), Vec::new());
        let mut found = 0;
        while found < support {
            let at = random.below(self.documents.len());
            let document = &self.documents[at];
            found += document.entities().iter().filter(|entity| entity.label == *label).count();
            let side = random.below(2);
            live.push(self.answers[side][at].clone());
            let mut answer = self.answers[1 - side][at].clone();
            let gold = document.entities();
            answer.retain(|entity| {
                let is_right = entity.label == *label && gold.iter().any(|gold| gold.same_mention(entity));
                !(is_right && random.is_within(share))
            });
            candidate.push(answer);
            documents.push(document.clone());
        }
        let set = TestSet { name: "test", documents: &documents, live: &live, candidate: &candidate };
        let report = judge(&[set], &Policy { seed, ..policy.clone() }, 0, 0).expect("the policy names nothing");
        let rows: Vec<&Row> = report.sets[0].rows.iter().filter(|row| row.p_drop_corrected.is_some()).collect();
        RULES.map(|(_, rule)| {
            let finds = |row: &&&Row| rule(row, row.bound.max_drop);
            (rows.iter().filter(finds).any(|row| row.label.as_ref() == Some(label)), rows.iter().any(|row| finds(&row)))
        })
    }
}

fn main() -> Result<ExitCode, Box<dyn Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [gold, one, other, rest @ ..] = &arguments[..] else {
        eprintln!("usage: planted GOLD.jsonl ONE.jsonl OTHER.jsonl [TRIALS]");
        return Ok(ExitCode::from(2));
    };
    let trials: usize = rest.first().map_or(Ok(200), |trials| trials.parse())?;
    let answers = |path: &str| -> Result<Vec<Vec<Entity>>, Box<dyn Error>> {
        Ok(read(path)?.iter().map(|document| document.entities().to_vec()).collect())
    };
    let sample = Sample { documents: read(gold)?, answers: [answers(one)?, answers(other)?] };
    if sample.answers.iter().any(|answers| answers.len() != sample.documents.len()) {
        return Err("the files do not have the same texts".into());
    }
    let mut labels: BTreeMap<&Label, usize> = BTreeMap::new();
    for entity in sample.documents.iter().flat_map(Document::entities) {
        *labels.entry(&entity.label).or_default() += 1;
    }
    let (label, entities) = labels.iter().max_by_key(|(_, count)| **count).ok_or("no entities")?;
    let policy = Policy::default();
    println!(
        "{} labels; planted in {label}, which has {entities} entities; {trials} trials a cell; default policy.\n",
        labels.len()
    );

    // By support, points, rule: trials that found the label, and trials that found anything.
    let cells: Vec<(usize, f64)> =
        SUPPORTS.iter().flat_map(|support| POINTS.iter().map(move |points| (*support, *points))).collect();
    let workers = thread::available_parallelism()?.get();
    let count = |(support, points): (usize, f64)| -> [(usize, usize); RULES.len()] {
        let share = sample.share(label, points);
        let of = |worker: usize| {
            let mut counts = [(0, 0); RULES.len()];
            for trial in (worker..trials).step_by(workers) {
                let seed = (trial as u64) << 20 | (support as u64) << 4;
                for (count, (own, any)) in counts.iter_mut().zip(sample.trial(label, support, share, seed, &policy)) {
                    count.0 += usize::from(own);
                    count.1 += usize::from(any);
                }
            }
            counts
        };
        thread::scope(|scope| {
            let workers: Vec<_> = (0..workers).map(|worker| scope.spawn(move || of(worker))).collect();
            let mut sum = [(0, 0); RULES.len()];
            for worker in workers {
                let counts = worker.join().expect("a worker panicked");
                sum.iter_mut().zip(counts).for_each(|(sum, counts)| *sum = (sum.0 + counts.0, sum.1 + counts.1));
            }
            sum
        })
    };
    let counted: Vec<[(usize, usize); RULES.len()]> = cells.iter().map(|cell| count(*cell)).collect();

    let percent = |count: usize| format!("{:.1} %", 100.0 * count as f64 / trials as f64);
    for (rule, (name, _)) in RULES.iter().enumerate().rev() {
        println!(
            "{name}:\n\n| entities of the label | false alarm, any row | false alarm, this label | found: 1 point | 3 points | 5 points |\n|---|---|---|---|---|---|"
        );
        for (place, support) in SUPPORTS.iter().enumerate() {
            let of = |points: usize| counted[place * POINTS.len() + points][rule];
            let found: Vec<String> = (1..POINTS.len()).map(|points| percent(of(points).0)).collect();
            println!("| {support} | {} | {} | {} |", percent(of(0).1), percent(of(0).0), found.join(" | "));
        }
        println!();
    }
    Ok(ExitCode::SUCCESS)
}
