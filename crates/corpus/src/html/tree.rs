//! A page as blocks of text, and the elements that they stand in.

use std::convert::Infallible;

use html5gum::{
    Span, Tokenizer,
    emitters::callback::{CallbackEmitter, CallbackEvent},
};

use super::{
    HtmlError,
    element::{ELEMENTS, Element},
    facts::{Attributes, Facts},
    noise::{self, Noise},
};

/// Elements deeper than this are taken as part of the one that holds them, as browsers do.
const MOST_DEPTH: usize = 512;
/// How many open elements an end tag looks past for its start.
const REACH: usize = 64;
const MOST_BLOCKS: usize = 1 << 20;

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
    start: u32,
    end: u32,
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
    text: String,
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

/// Reads the markup in one pass.
pub(super) fn read(html: &str) -> Result<(Tree, Facts), HtmlError> {
    let mut builder = Builder::new();
    let mut emitter = CallbackEmitter::new(|event: CallbackEvent<'_>, _: Span<()>| -> Option<Infallible> {
        builder.event(event);
        None
    });
    emitter.naively_switch_states(true);
    // The tokenizer cannot fail on a string, and yields nothing: the builder takes all it has to say.
    let Ok(()) = Tokenizer::new_with_emitter(html, emitter).finish();
    builder.end_block();
    if builder.overflowed {
        return Err(HtmlError::TooManyBlocks { limit: MOST_BLOCKS });
    }
    Ok((builder.tree, builder.facts))
}

/// An element whose end tag has not come.
struct Open {
    element: Element,
    /// It is the page's main part by its role, whatever its name.
    is_main: bool,
    /// Its node, once it held text.
    node: Option<u32>,
    noise: Noise,
    in_main: bool,
    hidden: bool,
}

/// An element of whose content nothing is text, such as `script`.
struct Unseen {
    name: Vec<u8>,
    depth: usize,
}

struct Builder {
    tree: Tree,
    facts: Facts,
    open: Vec<Open>,
    /// Start tags of each kind that came deeper than [`MOST_DEPTH`].
    too_deep: [u32; ELEMENTS],
    unseen: Option<Unseen>,
    /// Name and attributes of the start tag that is being read.
    name: Vec<u8>,
    attributes: Attributes,
    in_title: bool,
    /// How many elements were open when the link began, if one is open.
    link: Option<usize>,
    preformatted: usize,
    block_start: usize,
    block_node: Option<u32>,
    block_links: u32,
    /// White space came since the last character of the block.
    space: bool,
    overflowed: bool,
}

impl Builder {
    fn new() -> Self {
        Self {
            tree: Tree { nodes: Vec::new(), blocks: Vec::new(), text: String::new() },
            facts: Facts::default(),
            open: Vec::new(),
            too_deep: [0; ELEMENTS],
            unseen: None,
            name: Vec::new(),
            attributes: Attributes::default(),
            in_title: false,
            link: None,
            preformatted: 0,
            block_start: 0,
            block_node: None,
            block_links: 0,
            space: false,
            overflowed: false,
        }
    }

    fn event(&mut self, event: CallbackEvent<'_>) {
        match event {
            CallbackEvent::OpenStartTag { name } => {
                self.name.clear();
                self.name.extend_from_slice(name);
                self.attributes.clear();
            }
            CallbackEvent::AttributeName { name } => self.attributes.name(name),
            CallbackEvent::AttributeValue { value } => self.attributes.value(value),
            CallbackEvent::CloseStartTag { self_closing } => self.start(self_closing),
            CallbackEvent::EndTag { name } => self.end(name),
            CallbackEvent::String { value } => self.characters(&String::from_utf8_lossy(value)),
            CallbackEvent::Comment { .. } | CallbackEvent::Doctype { .. } | CallbackEvent::Error(_) => {}
        }
    }

    fn start(&mut self, self_closing: bool) {
        if let Some(unseen) = &mut self.unseen {
            if unseen.name == self.name && !self_closing {
                unseen.depth += 1;
            }
            return;
        }
        let element = Element::named(&self.name);
        match element {
            Element::Unseen => {
                let linked_data = self.name == b"script" && self.attributes.is_linked_data();
                self.facts.in_linked_data = linked_data;
                // Only elements of SVG and MathML close themselves.
                if !(self_closing && matches!(self.name.as_slice(), b"svg" | b"math")) {
                    self.unseen = Some(Unseen { name: self.name.clone(), depth: 1 });
                }
            }
            Element::Title => self.in_title = true,
            Element::Meta | Element::Link | Element::Time => self.facts.element(element, &self.attributes),
            Element::Anchor => self.link = Some(self.open.len()),
            Element::LineBreak => self.line_break(),
            Element::Rule => self.end_block(),
            Element::Span => {
                let inside = self.open.last().is_some_and(|open| open.element == Element::Span);
                if inside || self.attributes.is_hidden() {
                    self.push(Element::Span);
                }
            }
            Element::Inline => {}
            _ => self.start_block(element),
        }
    }

    fn start_block(&mut self, element: Element) {
        if element == Element::Html {
            self.facts.element(element, &self.attributes);
        }
        if element == Element::Cell {
            self.cell();
        } else {
            self.end_block();
        }
        if let Some((kinds, within)) = element.ends() {
            let near = self.open.iter().rev().take(REACH);
            let until =
                near.take_while(|open| !within.contains(&open.element)).position(|open| kinds.contains(&open.element));
            if let Some(back) = until {
                self.close_to(self.open.len() - 1 - back);
            }
        } else if self.open.last().is_some_and(|open| open.element == Element::Paragraph || open.element.is_heading()) {
            // Blocks end a paragraph whose end tag was left out.
            self.close_to(self.open.len() - 1);
        }
        self.push(element);
    }

    fn push(&mut self, element: Element) {
        if self.open.len() >= MOST_DEPTH {
            self.too_deep[element as usize] += 1;
            return;
        }
        let (noise, in_main, hidden) =
            self.open.last().map_or_else(Default::default, |open| (open.noise, open.in_main, open.hidden));
        let own = noise::judge(element, self.attributes.role(), self.attributes.names(), in_main);
        let is_main = self.attributes.is_main();
        let in_main = in_main || is_main || matches!(element, Element::Main | Element::Article);
        let hidden = hidden || self.attributes.is_hidden();
        self.preformatted += usize::from(element == Element::Preformatted);
        self.open.push(Open { element, is_main, node: None, noise: noise.max(own), in_main, hidden });
    }

    fn end(&mut self, name: &[u8]) {
        if let Some(unseen) = &mut self.unseen {
            if unseen.name == name {
                unseen.depth -= 1;
                if unseen.depth == 0 {
                    self.unseen = None;
                }
            }
            return;
        }
        let element = Element::named(name);
        match element {
            Element::Title => self.in_title = false,
            Element::Anchor => self.link = None,
            Element::LineBreak => self.line_break(),
            // The elements end with the page; what comes behind their end tags is still shown.
            Element::Html | Element::Body => self.end_block(),
            _ if element.is_block() || element == Element::Span => self.end_element(element),
            _ => {}
        }
    }

    fn end_element(&mut self, element: Element) {
        if !matches!(element, Element::Cell | Element::Span) {
            self.end_block();
        }
        if let Some(left) = self.too_deep[element as usize].checked_sub(1) {
            self.too_deep[element as usize] = left;
            return;
        }
        for (index, open) in self.open.iter().enumerate().rev().take(REACH) {
            if open.element == element {
                self.close_to(index);
                return;
            }
            if !element.reaches_past(open.element) {
                return;
            }
        }
    }

    /// Closes the open elements from this one on.
    fn close_to(&mut self, index: usize) {
        let closed = self.open.drain(index..);
        self.preformatted -= closed.filter(|open| open.element == Element::Preformatted).count();
        if self.link.is_some_and(|depth| depth > index) {
            // A link ends with the element it began in.
            self.link = None;
        }
    }

    fn line_break(&mut self) {
        if self.tree.text.len() > self.block_start {
            self.trim_line();
            self.tree.text.push('\n');
        }
        self.space = false;
    }

    fn cell(&mut self) {
        if self.tree.text.len() > self.block_start {
            self.trim_line();
            self.tree.text.push('\t');
        }
        self.space = false;
    }

    fn trim_line(&mut self) {
        while self.tree.text.len() > self.block_start && self.tree.text.ends_with(' ') {
            self.tree.text.pop();
        }
    }

    fn characters(&mut self, text: &str) {
        if self.in_title {
            self.facts.add_title(text);
            return;
        }
        if self.unseen.is_some() {
            if self.facts.in_linked_data {
                self.facts.linked_data(text);
            }
            return;
        }
        if self.overflowed || self.open.last().is_some_and(|open| open.hidden) {
            return;
        }
        let before = self.tree.text.len();
        if self.preformatted > 0 {
            let text = text.replace("\r\n", "\n").replace('\r', "\n");
            self.tree.text.extend(text.chars().filter(|character| !is_unseen(*character) || *character == '\n'));
        } else {
            self.collapsed(text);
        }
        let added = self.tree.text.len() - before;
        if added > 0 {
            if self.link.is_some() {
                self.block_links += added as u32;
            }
            if self.block_node.is_none() {
                self.block_node = Some(self.node());
            }
        }
    }

    fn collapsed(&mut self, text: &str) {
        for character in text.chars() {
            if matches!(character, ' ' | '\n' | '\t' | '\r' | '\x0C' | '\u{A0}') {
                self.space = true;
            } else if !is_unseen(character) {
                let first = self.tree.text.len() == self.block_start || self.tree.text.ends_with(['\n', '\t']);
                if self.space && !first {
                    self.tree.text.push(' ');
                }
                self.space = false;
                self.tree.text.push(character);
            }
        }
    }

    /// The node of the innermost open element; those around it get theirs.
    fn node(&mut self) -> u32 {
        if self.tree.nodes.is_empty() {
            self.tree.nodes.push(Node { parent: 0, element: Element::Html, noise: Noise::None });
        }
        let known = self.open.iter().rposition(|open| open.node.is_some());
        let mut parent = known.and_then(|index| self.open[index].node).unwrap_or(0);
        for open in &mut self.open[known.map_or(0, |index| index + 1)..] {
            let node = self.tree.nodes.len() as u32;
            let element = if open.is_main { Element::Main } else { open.element };
            self.tree.nodes.push(Node { parent, element, noise: open.noise });
            open.node = Some(node);
            parent = node;
        }
        parent
    }

    fn end_block(&mut self) {
        self.space = false;
        let text = &self.tree.text[self.block_start..];
        let kept = text.trim_end();
        // Lines of white space go, the indentation of the first line of `pre` stays.
        let blank = kept.len() - kept.trim_start().len();
        let blank = kept[..blank].rfind(['\n', '\t']).map_or(0, |place| place + 1);
        let (start, end) = (self.block_start + blank, self.block_start + kept.len());
        let (node, links) = (self.block_node.take(), std::mem::take(&mut self.block_links));
        match node {
            Some(node) if start < end && self.tree.blocks.len() < MOST_BLOCKS => {
                self.tree.text.truncate(end);
                let links = links.min((end - start) as u32);
                self.tree.blocks.push(Block { node, start: start as u32, end: end as u32, links });
            }
            Some(_) if start < end => self.overflowed = true,
            _ => self.tree.text.truncate(self.block_start),
        }
        self.block_start = self.tree.text.len();
    }
}

/// Characters that show nothing: controls, and those that only say where a word may be broken.
fn is_unseen(character: char) -> bool {
    (character.is_control() && character != '\t') || matches!(character, '\u{AD}' | '\u{200B}' | '\u{FEFF}')
}
