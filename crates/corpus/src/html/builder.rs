//! From markup to the tree, in one pass.

use std::convert::Infallible;

use html5gum::{
    Span, Tokenizer,
    emitters::callback::{CallbackEmitter, CallbackEvent},
};

use super::{
    HtmlError,
    element::{ELEMENTS, Element},
    facts::{Attributes, Facts},
    flow::Flow,
    noise::{self, Noise},
    tree::{Node, Tree},
};

/// Elements deeper than this are taken as part of the one that holds them, as browsers do.
const MOST_DEPTH: usize = 512;
/// How many open elements an end tag looks past for its start.
const REACH: usize = 64;

/// Reads the markup in one pass.
pub(super) fn read(html: &str) -> Result<(Tree, Facts), HtmlError> {
    let mut builder = Builder::new();
    let mut emitter = CallbackEmitter::new(|event: CallbackEvent<'_>, _: Span<()>| -> Option<Infallible> {
        builder.event(&event);
        None
    });
    emitter.naively_switch_states(true);
    // The tokenizer cannot fail on a string, and yields nothing: the builder takes all it has to say.
    let Ok(()) = Tokenizer::new_with_emitter(html, emitter).finish();
    let (text, blocks) = builder.flow.finish()?;
    Ok((Tree { nodes: builder.nodes, blocks, text }, builder.facts))
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
    nodes: Vec<Node>,
    flow: Flow,
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
    /// How many of the open elements keep their white space.
    preformatted: usize,
}

impl Builder {
    fn new() -> Self {
        Self {
            nodes: Vec::new(),
            flow: Flow::default(),
            facts: Facts::default(),
            open: Vec::new(),
            too_deep: [0; ELEMENTS],
            unseen: None,
            name: Vec::new(),
            attributes: Attributes::default(),
            in_title: false,
            link: None,
            preformatted: 0,
        }
    }

    fn event(&mut self, event: &CallbackEvent<'_>) {
        match *event {
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
            Element::LineBreak => self.flow.line_break(),
            Element::Rule => self.flow.end_block(),
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
            self.flow.cell();
        } else {
            self.flow.end_block();
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
        let (own, by_role, concealed) = if self.attributes.is_empty() {
            (noise::judge(element, "", ["", ""], in_main), false, false)
        } else {
            let own = noise::judge(element, self.attributes.role(), self.attributes.names(), in_main);
            (own, self.attributes.is_main(), self.attributes.is_hidden())
        };
        let in_main = in_main || by_role || matches!(element, Element::Main | Element::Article);
        let hidden = hidden || concealed;
        self.preformatted += usize::from(element == Element::Preformatted);
        self.open.push(Open { element, is_main: by_role, node: None, noise: noise.max(own), in_main, hidden });
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
            Element::LineBreak => self.flow.line_break(),
            // The elements end with the page; what comes behind their end tags is still shown.
            Element::Html | Element::Body => self.flow.end_block(),
            _ if element.is_block() || element == Element::Span => self.end_element(element),
            _ => {}
        }
    }

    fn end_element(&mut self, element: Element) {
        if !matches!(element, Element::Cell | Element::Span) {
            self.flow.end_block();
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

    fn characters(&mut self, text: &str) {
        if self.in_title {
            self.facts.add_title(text);
        } else if self.unseen.is_some() {
            if self.facts.in_linked_data {
                self.facts.linked_data(text);
            }
        } else if !self.open.last().is_some_and(|open| open.hidden)
            && self.flow.add(text, self.preformatted > 0, self.link.is_some())
        {
            let node = self.node();
            self.flow.stands_in(node);
        }
    }

    /// The node of the innermost open element; those around it get theirs.
    fn node(&mut self) -> u32 {
        if self.nodes.is_empty() {
            self.nodes.push(Node { parent: 0, element: Element::Html, noise: Noise::None });
        }
        let known = self.open.iter().rposition(|open| open.node.is_some());
        let mut parent = known.and_then(|index| self.open[index].node).unwrap_or(0);
        for open in &mut self.open[known.map_or(0, |index| index + 1)..] {
            let node = self.nodes.len() as u32;
            let element = if open.is_main { Element::Main } else { open.element };
            self.nodes.push(Node { parent, element, noise: open.noise });
            open.node = Some(node);
            parent = node;
        }
        parent
    }
}
