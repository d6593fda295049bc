//! How good the sources are and what the spans are, each from the other.

use super::{
    Accuracy,
    candidates::{Candidates, Item},
};

const MOST_ROUNDS: usize = 200;
/// The rounds end when no probability moves by more.
const STILL: f64 = 1e-4;
/// A source that is seen little is taken to be like this: right, silent, wrong.
const GUESS: [f64; 3] = [2.0, 1.0, 0.3];
/// So many spans of its own a label needs before it counts as much as what the source does with all labels.
const SHARED: f64 = 5.0;
/// For each made-up span that is seen, at most so many are thought of that nobody made up.
const UNSEEN: f64 = 50.0;
/// No probability is smaller.
const LEAST: f64 = 1e-6;

pub(super) struct Estimated {
    /// For each item the probability of each label, and of nothing last.
    pub(super) probabilities: Vec<Vec<f64>>,
    pub(super) accuracy: Vec<Vec<Accuracy>>,
    pub(super) rounds: usize,
}

/// What the sources do: `of[source][what is there][what it votes]`, nothing being the last of both.
struct Model {
    prior: Vec<f64>,
    of: Vec<Vec<Vec<f64>>>,
}

pub(super) fn estimate(candidates: &Candidates, sources: usize) -> Estimated {
    let classes = candidates.labels.len() + 1;
    let mut probabilities: Vec<Vec<f64>> = candidates.items.iter().map(|item| shares(item, classes)).collect();
    let mut model = Model { prior: vec![1.0 / classes as f64; classes], of: Vec::new() };
    let mut rounds = 0;
    while rounds < MOST_ROUNDS && !candidates.items.is_empty() {
        rounds += 1;
        model = fitted(candidates, &probabilities, &model, sources);
        let mut moved: f64 = 0.0;
        for (item, known) in candidates.items.iter().zip(&mut probabilities) {
            let now = judged(item, &model, classes);
            moved = now.iter().zip(known.iter()).map(|(a, b)| (a - b).abs()).fold(moved, f64::max);
            *known = now;
        }
        if moved < STILL {
            break;
        }
    }
    let accuracy = (0..sources).map(|source| accuracy(candidates, &probabilities, &model, source)).collect();
    Estimated { probabilities, accuracy, rounds }
}

/// Where to begin: each label by the share of the sources that vote for it.
fn shares(item: &Item, classes: usize) -> Vec<f64> {
    let mut shares = vec![0.0; classes];
    if let Some(gold) = item.gold {
        shares[gold] = 1.0;
        return shares;
    }
    let looked = item.votes.iter().flatten().count().max(1) as f64;
    for vote in item.votes.iter().flatten() {
        shares[*vote] += 1.0 / looked;
    }
    shares
}

/// The probability that no source that looked at an item's text votes for anything there, if `class` is there.
fn unseen(item: &Item, model: &Model, class: usize) -> f64 {
    let nothing = model.prior.len() - 1;
    let silent = item.votes.iter().zip(&model.of).filter(|(vote, _)| vote.is_some());
    silent.map(|(_, of)| of[class][nothing]).product::<f64>().min(1.0 - LEAST)
}

/// The probabilities of what is there, given the votes and that somebody voted for something.
fn judged(item: &Item, model: &Model, classes: usize) -> Vec<f64> {
    if item.gold.is_some() {
        return shares(item, classes);
    }
    // A label that nobody voted for here would explain any votes: nobody knows what its votes look like.
    let votable = |class: usize| class + 1 == classes || item.votes.contains(&Some(class));
    let log = |class: usize| {
        if !votable(class) {
            return f64::NEG_INFINITY;
        }
        let votes = item.votes.iter().zip(&model.of).filter_map(|(vote, of)| Some(of[class][(*vote)?].max(LEAST).ln()));
        model.prior[class].max(LEAST).ln() + votes.sum::<f64>() - (1.0 - unseen(item, model, class)).ln()
    };
    let logs: Vec<f64> = (0..classes).map(log).collect();
    let most = logs.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let weights: Vec<f64> = logs.iter().map(|log| (log - most).exp()).collect();
    let sum: f64 = weights.iter().sum();
    weights.into_iter().map(|weight| weight / sum).collect()
}

/// What the sources do, given what is there.
fn fitted(candidates: &Candidates, probabilities: &[Vec<f64>], before: &Model, sources: usize) -> Model {
    let classes = candidates.labels.len() + 1;
    let nothing = classes - 1;
    let mut prior = vec![1.0; classes];
    let mut counts = vec![vec![vec![0.0; classes]; classes]; sources];
    for (item, probabilities) in candidates.items.iter().zip(probabilities) {
        for (class, share) in probabilities.iter().enumerate().filter(|(_, share)| **share > 0.0) {
            prior[class] += share;
            // In texts whose entities are known none goes unseen; what nobody made up does.
            let seen_all = item.gold.is_some() && class != nothing;
            let missing = if before.of.is_empty() || seen_all {
                0.0
            } else {
                let unseen = unseen(item, before, class);
                share * (unseen / (1.0 - unseen)).min(UNSEEN)
            };
            for (source, vote) in item.votes.iter().enumerate() {
                if let Some(vote) = vote {
                    counts[source][class][*vote] += share;
                    counts[source][class][nothing] += missing;
                }
            }
        }
    }
    let all: f64 = prior.iter().sum();
    for share in &mut prior {
        *share /= all;
    }
    let of = counts.iter().zip(&candidates.knows).map(|(counts, knows)| of_source(counts, knows)).collect();
    Model { prior, of }
}

/// What one source does: its counts, drawn towards what it does with all labels where a label has few.
fn of_source(counts: &[Vec<f64>], knows: &[bool]) -> Vec<Vec<f64>> {
    let nothing = knows.len();
    let count = knows.iter().filter(|known| **known).count();
    let mut whole = GUESS;
    for (class, counts) in counts.iter().enumerate().take(nothing).filter(|(class, _)| knows[*class]) {
        whole[0] += counts[class];
        whole[1] += counts[nothing];
        whole[2] += counts[..nothing].iter().sum::<f64>() - counts[class];
    }
    let sum: f64 = whole.iter().sum();
    let [right, silent, wrong] = whole.map(|count| SHARED * count / sum);
    let made_up: f64 = counts[nothing][..nothing].iter().sum::<f64>() + 1.0;
    let not: f64 = counts[nothing][nothing] + 1.0;
    let rates = |class: usize| -> Vec<f64> {
        let smoothed = |vote: usize| {
            let guess = match (class == nothing, vote == nothing) {
                (true, true) => SHARED * not / (made_up + not),
                (true, false) if knows[vote] => SHARED * made_up / (made_up + not) / count as f64,
                (false, true) if knows[class] => silent,
                // A source that does not know a label is silent where it stands, but for a mistake.
                (false, true) => SHARED * (right + silent) / (right + silent + wrong),
                (false, false) if vote == class && knows[class] => right,
                (false, false) if knows[vote] && vote != class => wrong / count as f64,
                _ => 0.0,
            };
            counts[class][vote] + guess
        };
        let row: Vec<f64> = (0..=nothing).map(smoothed).collect();
        let sum: f64 = row.iter().sum();
        row.into_iter().map(|count| (count / sum).max(LEAST)).collect()
    };
    (0..=nothing).map(rates).collect()
}

fn accuracy(candidates: &Candidates, probabilities: &[Vec<f64>], model: &Model, source: usize) -> Vec<Accuracy> {
    let known = candidates.labels.iter().enumerate().filter(|(label, _)| candidates.knows[source][*label]);
    let of_label = |(label, name): (usize, &schema::Label)| {
        let given = candidates.items.iter().zip(probabilities).filter(|(item, _)| item.votes[source] == Some(label));
        let (suggested, held) = given.fold((0, 0.0), |(count, held), (_, shares)| (count + 1, held + shares[label]));
        let recall = model.of.get(source).map_or(0.0, |of| of[label][label]);
        Accuracy {
            label: name.clone(),
            recall,
            precision: held / f64::max(1.0, f64::from(suggested)),
            suggested: suggested as usize,
        }
    };
    known.map(of_label).collect()
}
