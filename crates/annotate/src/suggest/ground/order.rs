//! One place for as many quotes as can stand in their order.

use super::places::Place;

/// What two quotes that follow each other and overlap lose.
const OVERLAP: i64 = 50;

/// The most that was reached up to a position (Fenwick, 1994, for maxima).
struct Best(Vec<i64>);

impl Best {
    fn new(positions: usize) -> Self {
        Self(vec![0; positions + 1])
    }

    /// Notes a value at a position.
    fn note(&mut self, position: usize, value: i64) {
        let mut at = position + 1;
        while at < self.0.len() {
            self.0[at] = self.0[at].max(value);
            at += at & at.wrapping_neg();
        }
    }

    /// The most of all positions before this one; 0 where nothing was noted.
    fn before(&self, position: usize) -> i64 {
        let (mut at, mut best) = (position.min(self.0.len() - 1), 0);
        while at > 0 {
            best = best.max(self.0[at]);
            at -= at & at.wrapping_neg();
        }
        best
    }
}

/// For each quote the position of the place that it gets and whether it is the only one that is as good; `None` for a
/// quote that finds no place in the order of the others.
///
/// Starts ascend along the quotes. Of all choices that do so, one with the greatest sum of gains is taken, that which
/// stands first in the text; a place is the only one when no equally good choice has another.
pub(super) fn choose(places: &[Vec<Place>]) -> Vec<Option<(usize, bool)>> {
    let mut edges: Vec<usize> =
        places.iter().flatten().flat_map(|place| [place.span.start(), place.span.end()]).collect();
    edges.sort_unstable();
    edges.dedup();
    let rank = |byte: usize| edges.partition_point(|edge| *edge < byte);

    let forward = reach(places, edges.len(), |place| (rank(place.span.start()), rank(place.span.end())));
    // The same from the end: starts descend, and what comes next must start where a place ends, or behind it.
    let last = edges.len();
    let mirrored = reach_back(places, last, |place| (last - rank(place.span.start()), last - rank(place.span.end())));

    let most = forward.iter().flatten().copied().max().unwrap_or(0);
    let is_best =
        |quote: usize, place: usize| forward[quote][place] + mirrored[quote][place] - places[quote][place].gain == most;
    let mut reached = 0;
    let mut before: Option<&Place> = None;
    let chosen = places.iter().enumerate().map(|(quote, places)| {
        let mut best = (0..places.len()).filter(|place| is_best(quote, *place));
        let follows = |place: &usize| {
            let next = &places[*place];
            let overlap = match before {
                Some(known) if next.span.start() <= known.span.start() => return false,
                Some(known) if next.span.start() < known.span.end() => OVERLAP,
                _ => 0,
            };
            forward[quote][*place] == reached + next.gain - overlap
        };
        let place = best.clone().find(follows)?;
        let decided = best.next().is_some() && best.next().is_none();
        reached = forward[quote][place];
        before = Some(&places[place]);
        Some((place, decided))
    });
    chosen.collect()
}

/// For each place the greatest sum of gains of quotes up to it, when it is chosen.
fn reach(places: &[Vec<Place>], edges: usize, ranks: impl Fn(&Place) -> (usize, usize)) -> Vec<Vec<i64>> {
    let (mut by_start, mut by_end) = (Best::new(edges), Best::new(edges));
    let of_quote = |places: &Vec<Place>| {
        let sum = |place: &Place| {
            let (start, _) = ranks(place);
            place.gain + by_end.before(start + 1).max(by_start.before(start) - OVERLAP)
        };
        let sums: Vec<i64> = places.iter().map(sum).collect();
        for (place, sum) in places.iter().zip(&sums) {
            let (start, end) = ranks(place);
            by_start.note(start, *sum);
            by_end.note(end, *sum);
        }
        sums
    };
    places.iter().map(of_quote).collect()
}

/// For each place the greatest sum of gains of quotes from it on, when it is chosen; ranks count from the end.
fn reach_back(places: &[Vec<Place>], edges: usize, ranks: impl Fn(&Place) -> (usize, usize)) -> Vec<Vec<i64>> {
    let mut by_start = Best::new(edges + 1);
    let of_quote = |places: &Vec<Place>| {
        let sum = |place: &Place| {
            let (start, end) = ranks(place);
            place.gain + by_start.before(end + 1).max(by_start.before(start) - OVERLAP)
        };
        let sums: Vec<i64> = places.iter().map(sum).collect();
        for (place, sum) in places.iter().zip(&sums) {
            by_start.note(ranks(place).0, *sum);
        }
        sums
    };
    let mut sums: Vec<Vec<i64>> = places.iter().rev().map(of_quote).collect();
    sums.reverse();
    sums
}
