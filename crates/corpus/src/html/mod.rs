//! Text out of web pages: the main part without menus, banners and scripts, or all that a browser shows.
//!
//! [`decode`] finds out a page's encoding, [`page`] reads the page. Tokens are those of the HTML standard
//! (`html5gum`); what is built of them is a shallow tree of blocks and not a browser's document tree, which costs
//! quadratic time on pages that nest a million elements. Time and memory grow with the page's length, nothing recurses.

mod builder;
mod date;
mod element;
mod encoding;
mod facts;
mod flow;
mod main_text;
mod noise;
mod tree;

use thiserror::Error;

pub use encoding::{Decoded, decode};

/// Most bytes of a page's markup.
const MOST_BYTES: usize = 128 << 20;

/// A page's text and what the page says about itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Page {
    /// Its title.
    pub title: Option<String>,
    /// When it was published, as it says itself: a date of ISO 8601, `2024-05-17`, with a time if the page tells one.
    pub date: Option<String>,
    /// The language that it claims, a BCP 47 tag.
    pub language: Option<String>,
    /// Its canonical address, as written: it may be relative.
    pub address: Option<String>,
    /// Its text: paragraphs, headings, list items and table rows, with a blank line between them; cells of a row are
    /// separated by tabs. White space is collapsed outside `pre`, and characters that only say where a word may be
    /// broken (soft hyphens, zero-width spaces) are left out.
    pub text: String,
}

/// How much of a page is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Scope {
    /// The main part: no navigation, no banners, no lists of links.
    #[default]
    Main,
    /// Everything that a browser would show without running scripts.
    All,
}

/// Why a page is not read.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum HtmlError {
    /// The page is larger than any that is read.
    #[error(
        "the page has {bytes} bytes of markup; at most {MOST_BYTES} are read: split it, or save its text as a file"
    )]
    TooLarge {
        /// Its length in bytes.
        bytes: usize,
    },
    /// The page falls into more pieces than fit into memory.
    #[error("the page has more than {limit} blocks of text; split it, or save its text as a file")]
    TooManyBlocks {
        /// How many are read.
        limit: usize,
    },
}

/// Reads a page.
///
/// The main part is, in this order: the element `main`, the largest `article`, or the deepest element that holds four
/// fifths of the page's running text, that is, of paragraphs with at least 80 bytes of which less than a third is
/// links. A page without running text gives all its text but for what is clearly navigation.
///
/// # Errors
/// The page is larger than 128 MiB, or has more than a million blocks of text.
pub fn page(html: &str, scope: Scope) -> Result<Page, HtmlError> {
    if html.len() > MOST_BYTES {
        return Err(HtmlError::TooLarge { bytes: html.len() });
    }
    let (tree, facts) = builder::read(html)?;
    let kept = match scope {
        Scope::Main => main_text::blocks(&tree),
        Scope::All => vec![true; tree.blocks.len()],
    };
    let mut text = String::new();
    for (block, _) in tree.blocks.iter().zip(&kept).filter(|(_, kept)| **kept) {
        if !text.is_empty() {
            text.push_str("\n\n");
        }
        text.push_str(tree.text_of(block));
    }
    let heading = tree.only_first_heading();
    Ok(Page {
        title: facts.title(heading),
        date: facts.date(),
        language: facts.language(),
        address: facts.address(),
        text,
    })
}
