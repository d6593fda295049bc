//! A page as blocks of text, and the elements that they stand in.

use super::{element::Element, noise::Noise};

/// An element that holds text.
#[derive(Debug, Clone, Copy)]
pub(super) struct Node {
    /// Position of the element around it, smaller than its own; the first node's is itself.
    pub(super) parent: u32,
    pub(super) element: Element,
    /// The strongest sign, of this element or one around it, that it is no part of the main text.
    pub(super) noise: Noise,
}

/// A piece of text between two breaks: a paragraph, a heading, a list item, a table's row.
#[derive(Debug, Clone, Copy)]
pub(super) struct Block {
    /// The element that it stands in.
    pub(super) node: u32,
    pub(super) start: u32,
    pub(super) end: u32,
    /// How many of its bytes are links.
    pub(super) links: u32,
}

impl Block {
    /// Its length in bytes.
    pub(super) fn length(&self) -> u32 {
        self.end - self.start
    }
}

/// The blocks of a page in reading order.
#[derive(Debug)]
pub(super) struct Tree {
    pub(super) nodes: Vec<Node>,
    pub(super) blocks: Vec<Block>,
    pub(super) text: String,
}

impl Tree {
    pub(super) fn text_of(&self, block: &Block) -> &str {
        &self.text[block.start as usize..block.end as usize]
    }

    /// The text of the page's `h1`, if it has exactly one.
    pub(super) fn only_first_heading(&self) -> Option<&str> {
        let is_first = |block: &&Block| self.nodes[block.node as usize].element == Element::FirstHeading;
        let mut headings = self.blocks.iter().filter(is_first);
        let heading = headings.next()?;
        headings.next().is_none().then(|| self.text_of(heading))
    }
}
