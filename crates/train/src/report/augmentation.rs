//! What augmenting made of the training texts, and what it brought.

use evaluate::Change;
use maud::{Markup, html};

use super::figures;
use crate::Augmentations;

pub fn section(augmentations: &Augmentations) -> Markup {
    let Augmentations { summary, on_dev } = augmentations;
    let grouped = |count: usize| figures::grouped(count as u64);
    html! {
        section {
            h2 { "Augmentation" }
            @if let Some(change) = on_dev { p { (brought(change)) } }
            p.note {
                (grouped(summary.copies)) " changed copies of training texts were learned from beside the texts themselves; "
                (grouped(summary.unchanged)) " of them came out as they were. A copy may be changed by several methods."
            }
            div.scroll tabindex="0" role="region" aria-label="Methods of augmentation" {
                table {
                    thead { tr {
                        th scope="col" { "Method" } th.n scope="col" { "Copies changed" } th.n scope="col" { "Places" }
                    } }
                    tbody { @for (method, made) in summary.by_method() {
                        tr {
                            th scope="row" { (method) }
                            td.n { (grouped(made.texts)) }
                            td.n { (grouped(made.places)) }
                        }
                    } }
                }
            }
        }
    }
}

/// The comparison in a sentence or two.
fn brought(change: &Change) -> String {
    let Change { change: difference, interval, .. } = change;
    let [before, after] = [change.before, change.after].map(|counts| figures::fraction(counts.f1()));
    let scores = format!("F1 on dev is {after} with the copies and {before} without them, {difference:+.3}");
    let end =
        if change.is_beyond_chance() { "." } else { ": other dev texts could show no difference, or the opposite." };
    format!("{scores} (95 % interval {:+.3} to {:+.3}){end}", interval.low, interval.high)
}
