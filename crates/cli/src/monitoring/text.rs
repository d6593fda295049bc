//! The report for a terminal.

use operate::drift::{Compared, Stability, WindowReport};

use super::{Monitored, typical};
use crate::{table::Table, versions};

/// Windows that are listed; of more, those that have moved most.
const LISTED: usize = 20;

impl Monitored<'_> {
    /// A table of the features, one of the windows, and what came of it.
    pub fn render(&self) -> String {
        let report = &self.report;
        let profile = format!("profile: {} texts of {}", self.profile.texts, self.profile.of);
        let head = format!(
            "{} texts, {} to {}, in {}; {profile}\n",
            report.whole.texts,
            versions::moment(report.whole.from / 1_000),
            versions::moment(report.whole.to / 1_000),
            self.windows()
        );
        let others = match self.others {
            0 => String::new(),
            others => format!("{others} rows of other versions of the model are left out\n"),
        };
        let windows = if report.windows.len() > 1 { format!("\n{}", self.listed()) } else { String::new() };
        let confidence = report.policy.confidence * 100.0;
        format!(
            "{head}{others}\n{}{windows}\n{}\nPSI above {} is too much; intervals hold together at {confidence} % over {} comparisons\n",
            self.features(),
            self.outcome(),
            report.policy.threshold,
            report.comparisons
        )
    }

    fn features(&self) -> String {
        let mut table = Table::default();
        let highest = if self.report.windows.len() > 1 { "highest in a window" } else { "" };
        table.row(["", "profile", "log", "PSI", "interval", "verdict", highest].map(str::to_owned));
        for (at, (measured, whole)) in self.profile.features.iter().zip(&self.report.whole.features).enumerate() {
            let highest = self.highest(at).map_or_else(String::new, |(window, compared)| {
                let psi = compared.stability.map_or(0.0, |stability| stability.psi);
                format!("{psi:.2} in {window}, {}", compared.verdict)
            });
            table.row([
                measured.feature.to_string(),
                typical(measured, measured.mean, &measured.histogram.shares()),
                typical(measured, whole.mean, &whole.shares),
                whole.stability.map_or("–".to_owned(), |stability| format!("{:.2}", stability.psi)),
                whole.stability.map_or("–".to_owned(), interval),
                whole.verdict.to_string(),
                highest,
            ]);
        }
        table.render()
    }

    /// The number of the window in which a feature has moved most surely, and the feature there.
    fn highest(&self, feature: usize) -> Option<(usize, &Compared)> {
        if self.report.windows.len() < 2 {
            return None;
        }
        let of_window = |(at, window): (usize, &'_ WindowReport)| Some((at, window.features.get(feature)?.stability?));
        let rank = |stability: &Stability| (stability.low, stability.psi);
        let (at, _) = self.report.windows.iter().enumerate().filter_map(of_window).max_by(|a, b| {
            let (a, b) = (rank(&a.1), rank(&b.1));
            a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1))
        })?;
        Some((at + 1, &self.report.windows[at].features[feature]))
    }

    fn listed(&self) -> String {
        let windows = &self.report.windows;
        let mut order: Vec<usize> = (0..windows.len()).collect();
        let psi = |at: &usize| windows[*at].worst().and_then(|worst| worst.stability).map_or(0.0, |worst| worst.psi);
        order.sort_by(|a, b| windows[*b].verdict().cmp(&windows[*a].verdict()).then(psi(b).total_cmp(&psi(a))));
        order.truncate(LISTED);
        order.sort_unstable();
        let mut table = Table::default();
        table.row(["window", "from", "texts", "moved most", "PSI", "interval", "verdict"].map(str::to_owned));
        for at in order {
            let window = &windows[at];
            let worst = window.worst();
            let stability = worst.and_then(|worst| worst.stability);
            table.row([
                (at + 1).to_string(),
                versions::moment(window.from / 1_000),
                window.texts.to_string(),
                worst.map_or("–".to_owned(), |worst| worst.feature.to_string()),
                stability.map_or("–".to_owned(), |stability| format!("{:.2}", stability.psi)),
                stability.map_or("–".to_owned(), interval),
                window.verdict().to_string(),
            ]);
        }
        let more = windows.len().saturating_sub(LISTED);
        let more = if more > 0 { format!("and {more} windows that have moved less\n") } else { String::new() };
        table.render() + &more
    }
}

fn interval(stability: Stability) -> String {
    format!("{:.2} to {:.2}", stability.low, stability.high)
}
