//! Text as it flows: white space collapsed, cut into blocks.

use super::{HtmlError, tree::Block};

const MOST_BLOCKS: usize = 1 << 20;

/// The blocks so far, and the one that is being filled.
#[derive(Debug, Default)]
pub(super) struct Flow {
    text: String,
    blocks: Vec<Block>,
    /// Where the block begins, the element that it stands in, and how many of its bytes are links.
    start: usize,
    node: Option<u32>,
    links: u32,
    /// White space came since the last character of the block.
    space: bool,
    overflowed: bool,
}

impl Flow {
    /// Adds text to the block; says whether the block has begun with it and needs an element to stand in.
    pub(super) fn add(&mut self, text: &str, preformatted: bool, linked: bool) -> bool {
        if self.overflowed {
            return false;
        }
        let before = self.text.len();
        if preformatted {
            let text = text.replace("\r\n", "\n").replace('\r', "\n");
            self.text.extend(text.chars().filter(|character| !is_unseen(*character) || *character == '\n'));
        } else {
            self.collapsed(text);
        }
        let added = self.text.len() - before;
        if linked {
            self.links += added as u32;
        }
        added > 0 && self.node.is_none()
    }

    /// The block stands in this element.
    pub(super) fn stands_in(&mut self, node: u32) {
        self.node = Some(node);
    }

    /// Ends the line, not the block.
    pub(super) fn line_break(&mut self) {
        if self.text.len() > self.start {
            self.trim_line();
            self.text.push('\n');
        }
        self.space = false;
    }

    /// Ends a cell of a row, not the block.
    pub(super) fn cell(&mut self) {
        if self.text.len() > self.start {
            self.trim_line();
            self.text.push('\t');
        }
        self.space = false;
    }

    fn trim_line(&mut self) {
        while self.text.len() > self.start && self.text.ends_with(' ') {
            self.text.pop();
        }
    }

    fn collapsed(&mut self, text: &str) {
        for character in text.chars() {
            if matches!(character, ' ' | '\n' | '\t' | '\r' | '\x0C' | '\u{A0}') {
                self.space = true;
            } else if !is_unseen(character) {
                let first = self.text.len() == self.start || self.text.ends_with(['\n', '\t']);
                if self.space && !first {
                    self.text.push(' ');
                }
                self.space = false;
                self.text.push(character);
            }
        }
    }

    /// Ends the block; one without text is none.
    pub(super) fn end_block(&mut self) {
        self.space = false;
        if self.start == self.text.len() {
            // Where nothing was added no element was asked for.
            return;
        }
        let text = &self.text[self.start..];
        let kept = text.trim_end();
        // Lines of white space go, the indentation of the first line of `pre` stays.
        let blank = kept.len() - kept.trim_start().len();
        let blank = kept[..blank].rfind(['\n', '\t']).map_or(0, |place| place + 1);
        let (start, end) = (self.start + blank, self.start + kept.len());
        let (node, links) = (self.node.take(), std::mem::take(&mut self.links));
        match node {
            Some(node) if start < end && self.blocks.len() < MOST_BLOCKS => {
                self.text.truncate(end);
                let links = links.min((end - start) as u32);
                self.blocks.push(Block { node, start: start as u32, end: end as u32, links });
            }
            Some(_) if start < end => self.overflowed = true,
            _ => self.text.truncate(self.start),
        }
        self.start = self.text.len();
    }

    /// The text and its blocks.
    pub(super) fn finish(mut self) -> Result<(String, Vec<Block>), HtmlError> {
        self.end_block();
        if self.overflowed {
            return Err(HtmlError::TooManyBlocks { limit: MOST_BLOCKS });
        }
        Ok((self.text, self.blocks))
    }
}

/// Characters that show nothing: controls, and those that only say where a word may be broken.
fn is_unseen(character: char) -> bool {
    (character.is_control() && character != '\t') || matches!(character, '\u{AD}' | '\u{200B}' | '\u{FEFF}')
}
