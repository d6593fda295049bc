//! The elements whose names matter for a page's text.

/// An element, as far as it matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Element {
    /// Nothing of it is text that a reader sees.
    Unseen,
    /// In the flow of a line; it changes nothing.
    Inline,
    /// A span, which matters where it is hidden.
    Span,
    Anchor,
    LineBreak,
    Rule,
    Title,
    Meta,
    Link,
    Html,
    Body,
    Main,
    Article,
    Section,
    Header,
    Footer,
    Nav,
    Aside,
    Dialog,
    Time,
    /// Any other block: `div`, `figure`, `form`, and custom elements.
    Box,
    Paragraph,
    Heading,
    FirstHeading,
    List,
    Item,
    Table,
    Row,
    Cell,
    Preformatted,
}

/// How many there are.
pub(super) const ELEMENTS: usize = Element::Preformatted as usize + 1;

impl Element {
    /// The element with this name, in lower case.
    pub(super) fn named(name: &[u8]) -> Self {
        match name {
            b"script" | b"style" | b"template" | b"noscript" | b"svg" | b"math" | b"iframe" | b"object" | b"video"
            | b"audio" | b"canvas" | b"select" | b"textarea" | b"button" | b"datalist" | b"noframes" | b"noembed" => {
                Self::Unseen
            }
            b"span" => Self::Span,
            b"a" => Self::Anchor,
            b"br" => Self::LineBreak,
            b"hr" => Self::Rule,
            b"title" => Self::Title,
            b"meta" => Self::Meta,
            b"link" => Self::Link,
            b"html" => Self::Html,
            b"body" => Self::Body,
            b"main" => Self::Main,
            b"article" => Self::Article,
            b"section" => Self::Section,
            b"header" => Self::Header,
            b"footer" => Self::Footer,
            b"nav" => Self::Nav,
            b"aside" => Self::Aside,
            b"dialog" => Self::Dialog,
            b"time" => Self::Time,
            b"div" | b"figure" | b"figcaption" | b"form" | b"fieldset" | b"legend" | b"details" | b"summary"
            | b"address" | b"blockquote" | b"center" | b"hgroup" | b"search" | b"caption" | b"optgroup" | b"option" => {
                Self::Box
            }
            b"p" => Self::Paragraph,
            b"h1" => Self::FirstHeading,
            b"h2" | b"h3" | b"h4" | b"h5" | b"h6" => Self::Heading,
            b"ul" | b"ol" | b"dl" | b"menu" | b"dir" => Self::List,
            b"li" | b"dt" | b"dd" => Self::Item,
            b"table" | b"thead" | b"tbody" | b"tfoot" => Self::Table,
            b"tr" => Self::Row,
            b"td" | b"th" => Self::Cell,
            b"pre" | b"listing" | b"xmp" | b"plaintext" => Self::Preformatted,
            name if name.contains(&b'-') => Self::Box,
            _ => Self::Inline,
        }
    }

    /// It begins and ends a block of text, and stands in the tree.
    pub(super) fn is_block(self) -> bool {
        self as u8 >= Self::Html as u8 && self != Self::Time
    }

    pub(super) fn is_heading(self) -> bool {
        matches!(self, Self::Heading | Self::FirstHeading)
    }

    /// It holds a line of text rather than other blocks.
    pub(super) fn is_leaf(self) -> bool {
        matches!(self, Self::Paragraph | Self::Item | Self::Row | Self::Cell | Self::Preformatted) || self.is_heading()
    }

    /// Opening it ends an open element of these kinds, if none of `within` lies between: end tags may be left out.
    pub(super) fn ends(self) -> Option<(&'static [Self], &'static [Self])> {
        match self {
            Self::Item => Some((&[Self::Item], &[Self::List, Self::Table])),
            Self::Cell => Some((&[Self::Cell], &[Self::Row, Self::Table])),
            Self::Row => Some((&[Self::Row], &[Self::Table])),
            _ => None,
        }
    }

    /// Whether an end tag of `self` may reach past an open `other`.
    pub(super) fn reaches_past(self, other: Self) -> bool {
        match other {
            Self::Table => matches!(self, Self::Html | Self::Body | Self::Table),
            Self::Row | Self::Cell => matches!(self, Self::Html | Self::Body | Self::Table | Self::Row | Self::Cell),
            Self::Body | Self::Html => matches!(self, Self::Html | Self::Body),
            // A paragraph's or an item's stray end must not close what stands around it.
            Self::Main | Self::Article => !self.is_leaf(),
            _ => true,
        }
    }
}
