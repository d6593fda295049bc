//! Which labels were taken for which, as a heat table.

use std::cmp::Reverse;

use evaluate::Confusion;
use maud::{Markup, html};

use super::{
    figures,
    text::{breakable, visible},
};

/// Most labels that a table shows by name.
const LABELS: usize = 24;

/// A table of counts with names; the last row counts spurious predictions, the last column missed gold.
struct Grid {
    names: Vec<String>,
    counts: Vec<Vec<usize>>,
    /// The place where the labels beyond [`LABELS`] are gathered.
    folded: Option<usize>,
}

pub fn table(confusion: &Confusion) -> Markup {
    let Grid { names, counts, folded } = Grid::of(confusion);
    let labels = names.len();
    if labels == 0 {
        return html! { p.none { "There are no entities to compare." } };
    }
    let predicted: Vec<usize> = (0..=labels).map(|column| counts.iter().map(|row| row[column]).sum()).collect();
    html! {
        div.scroll tabindex="0" role="region" aria-label="Confusion of labels" {
            table.heat {
                thead {
                    tr {
                        td.corner { "gold ↓  predicted →" }
                        @for name in &names { th.turned scope="col" { span { (visible(name)) } } }
                        th.turned.edge scope="col" { span { "missed" } }
                        th.turned.sum scope="col" { span { "in all" } }
                    }
                }
                tbody {
                    @for (row, cells) in counts.iter().enumerate() {
                        @let gold: usize = cells.iter().sum();
                        tr.edge[row == labels] {
                            th.label scope="row" {
                                @if row < labels { (breakable(&names[row])) } @else { "spurious" }
                            }
                            @for (column, count) in cells.iter().enumerate() {
                                @if row == labels && column == labels { td.void {} } @else {
                                    // A row of gold is a whole; spurious predictions are a part of their column.
                                    @let whole = if row < labels { gold } else { predicted[column] };
                                    @let right = row == column && folded != Some(row);
                                    (cell(*count, whole, right, column == labels))
                                }
                            }
                            td.n.sum { (figures::grouped(gold as u64)) }
                        }
                    }
                    tr.sum {
                        th scope="row" { "in all" }
                        @for sum in &predicted { td.n { (figures::grouped(*sum as u64)) } }
                        td {}
                    }
                }
            }
        }
        @if folded.is_some() {
            p.note { "Of " (confusion.labels.len()) " labels those with the most errors are shown by name." }
        }
    }
}

fn cell(count: usize, whole: usize, right: bool, edge: bool) -> Markup {
    let share = count as f64 / whole.max(1) as f64;
    let kind = if right { "right" } else { "wrong" };
    html! {
        @if count == 0 { td.n.zero.edge[edge] { "·" } } @else {
            td class={ "n " (kind) @if edge { " edge" } } style=(format!("--share:{share:.3}")) {
                (figures::grouped(count as u64))
            }
        }
    }
}

impl Grid {
    /// The confusion, labels beyond [`LABELS`] gathered in one row and column.
    fn of(confusion: &Confusion) -> Self {
        let all = confusion.labels.len();
        let name = |label: usize| confusion.labels[label].to_string();
        if all <= LABELS {
            return Self { names: (0..all).map(name).collect(), counts: confusion.counts.clone(), folded: None };
        }
        let errors = |label: usize| -> usize {
            let row: usize = confusion.counts[label].iter().sum();
            let column: usize = confusion.counts.iter().map(|row| row[label]).sum();
            row + column - 2 * confusion.counts[label][label]
        };
        let mut kept: Vec<usize> = (0..all).collect();
        kept.sort_by_key(|label| Reverse(errors(*label)));
        kept.truncate(LABELS - 1);
        kept.sort_unstable();
        let rest = kept.len();
        // Missed and spurious stay behind the labels.
        let place = |index: usize| if index == all { rest + 1 } else { kept.binary_search(&index).unwrap_or(rest) };
        let mut counts = vec![vec![0; rest + 2]; rest + 2];
        for (row, cells) in confusion.counts.iter().enumerate() {
            for (column, count) in cells.iter().enumerate() {
                counts[place(row)][place(column)] += count;
            }
        }
        let mut names: Vec<String> = kept.iter().map(|label| name(*label)).collect();
        names.push(format!("{} other labels", all - rest));
        Self { names, counts, folded: Some(rest) }
    }
}

#[cfg(test)]
mod tests {
    use schema::Label;

    use super::*;

    #[test]
    fn labels_beyond_the_limit_are_gathered_and_no_count_is_lost() {
        let size = 40;
        let counts: Vec<Vec<usize>> =
            (0..=size).map(|row| (0..=size).map(|column| (row * column + column) % 11).collect()).collect();
        let labels = (0..size).map(|index| Label::new(&format!("L{index:02}")).unwrap()).collect();
        let confusion = Confusion { labels, counts, errors: Vec::new() };
        let grid = Grid::of(&confusion);
        let sum = |counts: &[Vec<usize>]| counts.iter().flatten().sum::<usize>();
        assert_eq!(sum(&grid.counts), sum(&confusion.counts));
        assert_eq!((grid.names.len(), grid.counts.len()), (LABELS, LABELS + 1));
        assert_eq!(grid.names.last().unwrap(), "17 other labels");
        let missed = |counts: &[Vec<usize>]| counts.iter().map(|row| row[row.len() - 1]).sum::<usize>();
        assert_eq!(missed(&grid.counts), missed(&confusion.counts));
    }
}
