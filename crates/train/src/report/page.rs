//! The frame of every page that Nomen writes: one file without scripts and without anything to fetch.

use maud::{DOCTYPE, Markup, PreEscaped, html};

/// The style of reports on scores and errors.
pub const STYLE: &str = include_str!("style.css");

/// A whole page around what is shown. `style` is trusted, `title` is text.
pub fn page(title: &str, style: &str, body: &Markup) -> String {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (title) }
                style { (PreEscaped(style)) }
            }
            body { (body) }
        }
    }
    .into_string()
}
