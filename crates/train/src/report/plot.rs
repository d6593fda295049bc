//! Lines and axes as SVG paths. A plot is a square of [`SIDE`] units that the page stretches to its width; strokes
//! keep their width there, and whatever must not be stretched (numbers, labels) is placed by share.

use std::fmt::Write as _;

/// Units of a plot's side.
pub const SIDE: f64 = 1000.0;

/// A range of values along one side of a plot.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Axis {
    low: f64,
    high: f64,
    /// Distance of the ticks: 1, 2 or 5 times a power of ten.
    step: f64,
}

impl Axis {
    /// The range of the finite values with about so many ticks; `None` without a finite value.
    pub fn of(values: impl IntoIterator<Item = f64>, ticks: usize) -> Option<Self> {
        let finite = values.into_iter().filter(|value| value.is_finite());
        let (low, high) = finite.fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), value| (l.min(value), h.max(value)));
        // The difference of two finite numbers need not be finite.
        if !(high - low).is_finite() {
            return None;
        }
        // A single value lies in the middle of its own range.
        let margin = if high > low { 0.0 } else { (low.abs() * 0.5).max(0.5) };
        let (low, high) = (low - margin, high + margin);
        let rough = (high - low) / ticks.max(1) as f64;
        let power = 10f64.powf(rough.log10().floor());
        let factor = [1.0, 2.0, 5.0].into_iter().find(|factor| rough <= factor * power).unwrap_or(10.0);
        Some(Self { low, high, step: factor * power })
    }

    /// The axis widened so that it begins and ends at a tick.
    pub fn rounded(self) -> Self {
        // What lies on a tick but for the last bits must not add another one.
        let (low, high) = (self.low / self.step + 1e-9, self.high / self.step - 1e-9);
        Self { low: low.floor() * self.step, high: high.ceil() * self.step, ..self }
    }

    /// The axis of a count: no tick lies between two whole numbers.
    pub fn whole(self) -> Self {
        Self { step: self.step.max(1.0), ..self }
    }

    /// Where a value lies: 0 at the low end, 1 at the high end.
    pub fn place(self, value: f64) -> f64 {
        (value - self.low) / (self.high - self.low)
    }

    /// Ticks in the range, with their text.
    pub fn ticks(self) -> impl Iterator<Item = (f64, String)> {
        let decimals = (-self.step.log10().floor()).clamp(0.0, 12.0) as usize;
        let first = (self.low / self.step - 1e-9).ceil();
        let count = (self.high / self.step + 1e-9).floor() - first;
        (0..=count.clamp(0.0, 100.0) as u32).map(move |index| {
            let value = (first + f64::from(index)) * self.step;
            // No "-0".
            (value, format!("{:.decimals$}", value + 0.0))
        })
    }
}

/// A line through points given by their places; it is broken where one is not finite.
pub fn line(places: impl IntoIterator<Item = (f64, f64)>) -> String {
    let mut path = String::new();
    let mut pen = 'M';
    for (x, y) in places {
        if x.is_finite() && y.is_finite() {
            push(&mut path, pen, x, y);
            // A point between two breaks is a line of no length, which round caps make visible.
            if pen == 'M' {
                path.push_str("h0");
            }
            pen = 'L';
        } else {
            pen = 'M';
        }
    }
    path
}

/// Dots at points given by their places, those that are finite.
pub fn dots(places: impl IntoIterator<Item = (f64, f64)>) -> String {
    let mut path = String::new();
    for (x, y) in places.into_iter().filter(|(x, y)| x.is_finite() && y.is_finite()) {
        push(&mut path, 'M', x, y);
        path.push_str("h0");
    }
    path
}

/// Lines across the plot at these heights.
pub fn rules(heights: impl IntoIterator<Item = f64>) -> String {
    let mut path = String::new();
    for height in heights {
        push(&mut path, 'M', 0.0, height);
        path.push_str("h1000");
    }
    path
}

/// Short lines up from the lower side, at these places along it.
pub fn pegs(places: impl IntoIterator<Item = f64>) -> String {
    let mut path = String::new();
    for place in places {
        push(&mut path, 'M', place, 0.0);
        path.push_str("v-14");
    }
    path
}

fn push(path: &mut String, pen: char, x: f64, y: f64) {
    // Writing to a string cannot fail.
    let _ = write!(path, "{pen}{:.1} {:.1}", x * SIDE, (1.0 - y) * SIDE);
}

/// At most `most` of the points (`most` from 2): of each stretch the lowest and the highest, so that no outlier is lost.
pub fn thin(points: &[(f64, f64)], most: usize) -> Vec<(f64, f64)> {
    if points.len() <= most {
        return points.to_vec();
    }
    let stretch = points.len().div_ceil((most / 2).max(1));
    let mut kept = Vec::with_capacity(most);
    for stretch in points.chunks(stretch) {
        let finite = || stretch.iter().enumerate().filter(|(_, (_, y))| y.is_finite());
        let by_height = |a: &(usize, &(f64, f64)), b: &(usize, &(f64, f64))| a.1.1.total_cmp(&b.1.1);
        let ends = finite().min_by(by_height).zip(finite().max_by(by_height));
        match ends {
            Some(((a, _), (b, _))) if a == b => kept.push(stretch[a]),
            Some(((a, _), (b, _))) => kept.extend([stretch[a.min(b)], stretch[a.max(b)]]),
            // A stretch without a number stays a gap.
            None => kept.push(stretch[0]),
        }
    }
    kept
}

/// Means over up to `window` neighbours on either side, as many on one as on the other. What is not finite is left out
/// of the means; a point without a finite neighbour stays NaN.
pub fn smooth(values: &[f64], window: usize) -> Vec<f64> {
    let mut sums = Vec::with_capacity(values.len() + 1);
    sums.push((0.0, 0u32));
    for value in values {
        let (sum, count) = sums[sums.len() - 1];
        sums.push(if value.is_finite() { (sum + value, count + 1) } else { (sum, count) });
    }
    let mean = |place: usize| {
        let reach = window.min(place).min(values.len() - 1 - place);
        let (from, to) = (sums[place - reach], sums[place + reach + 1]);
        (to.0 - from.0) / f64::from(to.1 - from.1)
    };
    (0..values.len()).map(mean).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round_numbers_inside_the_axis() {
        let texts = |axis: Axis| axis.ticks().map(|(_, text)| text).collect::<Vec<_>>();
        let axis = Axis::of([0.0, 1.93], 4).unwrap().rounded();
        assert_eq!(texts(axis), ["0.0", "0.5", "1.0", "1.5", "2.0"]);
        assert_eq!(texts(Axis::of([1.0, 456.0], 5).unwrap()), ["100", "200", "300", "400"]);
        assert_eq!(texts(Axis::of([0.0, 0.3], 3).unwrap().rounded()), ["0.0", "0.1", "0.2", "0.3"]);
        assert_eq!(texts(Axis::of([1.0, 3.0], 6).unwrap().whole()), ["1", "2", "3"]);
        assert_eq!(texts(Axis::of([-0.1, 0.1], 2).unwrap()), ["-0.1", "0.0", "0.1"]);
    }

    #[test]
    fn an_axis_needs_a_finite_value_and_one_is_enough() {
        assert_eq!(Axis::of([], 4), None);
        assert_eq!(Axis::of([f64::NAN, f64::INFINITY], 4), None);
        assert_eq!(Axis::of([f64::MIN, f64::MAX], 4), None);
        for value in [0.0, 7.0, 1e-30, -1e30] {
            let axis = Axis::of([value, f64::NAN], 4).unwrap();
            assert!((axis.place(value) - 0.5).abs() < 1e-9, "{value}");
            assert!(axis.ticks().count() >= 1, "{value}");
        }
    }

    #[test]
    fn lines_break_at_gaps_and_lone_points_show() {
        assert_eq!(line([]), "");
        assert_eq!(line([(0.5, 0.5)]), "M500.0 500.0h0");
        let gap = (0.5, f64::NAN);
        assert_eq!(line([(0.0, 0.0), (0.25, 1.0), gap, (0.75, 0.5), gap]), "M0.0 1000.0h0L250.0 0.0M750.0 500.0h0");
        assert_eq!(dots([(0.0, 0.0), gap, (1.0, f64::INFINITY), (1.0, 1.0)]), "M0.0 1000.0h0M1000.0 0.0h0");
    }

    #[test]
    fn ten_thousand_points_are_thinned_without_losing_an_outlier() {
        let mut points: Vec<(f64, f64)> = (0..10_000).map(|x| (f64::from(x), f64::from(x % 7))).collect();
        points[4_321].1 = 99.0;
        points[8_765].1 = f64::NAN;
        let kept = thin(&points, 600);
        assert!((300..=600).contains(&kept.len()), "{}", kept.len());
        assert!(kept.contains(&(4_321.0, 99.0)));
        assert!(kept.is_sorted_by(|a, b| a.0 < b.0));
        assert_eq!(thin(&points[..600], 600), &points[..600]);
        let gap = vec![(0.0, f64::NAN); 1_000];
        assert!(thin(&gap, 10).iter().all(|(_, y)| y.is_nan()));
    }

    #[test]
    fn smoothing_keeps_the_ends_and_leaves_gaps_out() {
        assert_eq!(smooth(&[], 3), Vec::<f64>::new());
        assert_eq!(smooth(&[4.0], 3), [4.0]);
        assert_eq!(smooth(&[0.0, 3.0, 6.0, 0.0, 9.0], 1), [0.0, 3.0, 3.0, 5.0, 9.0]);
        assert_eq!(smooth(&[1.0, f64::NAN, 3.0], 1), [1.0, 2.0, 3.0]);
        assert!(smooth(&[f64::NAN], 1)[0].is_nan());
    }
}
