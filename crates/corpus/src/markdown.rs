//! Markdown (CommonMark with tables): a file is one document, its text without the markup.
//!
//! Paragraphs, headings, list items, code blocks and table rows stand with a blank line between them; cells are separated by tabs. Raw HTML is markup and
//! left out, of links and images the shown text stays. The first heading is the metadata `title`.

use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};
use schema::Document;
use serde_json::Value;

use crate::{
    error::Fault,
    lines::{encoding, newlines},
};

pub(crate) fn document(bytes: &[u8]) -> Result<Document, Fault> {
    let markdown = std::str::from_utf8(bytes).map_err(|error| {
        let valid = &bytes[..error.valid_up_to()];
        let start = valid.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        let line = newlines(valid) + 1;
        Fault::fatal(line, encoding(valid.len() - start))
    })?;
    let Blocks { text, title, .. } = Blocks::of(markdown);
    let mut document = Document::new(text);
    document.meta.extend(title.map(|title| ("title".to_owned(), Value::String(title))));
    Ok(document)
}

/// The text so far, and the block that is being read.
#[derive(Default)]
struct Blocks {
    text: String,
    title: Option<String>,
    block: String,
    /// Between the marks of front matter, which is no text.
    in_matter: bool,
}

impl Blocks {
    fn of(markdown: &str) -> Self {
        let options = Options::ENABLE_TABLES
            | Options::ENABLE_FOOTNOTES
            | Options::ENABLE_STRIKETHROUGH
            | Options::ENABLE_TASKLISTS
            | Options::ENABLE_YAML_STYLE_METADATA_BLOCKS;
        let mut blocks = Self::default();
        for event in Parser::new_ext(markdown, options) {
            blocks.take(event);
        }
        blocks.close();
        blocks
    }

    fn take(&mut self, event: Event<'_>) {
        match event {
            Event::Text(text) | Event::Code(text) if !self.in_matter => self.block.push_str(&text),
            Event::SoftBreak => self.block.push(' '),
            Event::HardBreak => self.block.push('\n'),
            Event::Start(tag) => self.start(&tag),
            Event::End(tag) => self.end(tag),
            _ => {}
        }
    }

    fn start(&mut self, tag: &Tag<'_>) {
        match tag {
            Tag::Heading { .. } | Tag::Paragraph | Tag::Item | Tag::CodeBlock(_) | Tag::TableHead | Tag::TableRow => {
                self.close();
            }
            Tag::MetadataBlock(_) => self.in_matter = true,
            Tag::TableCell if !self.block.is_empty() => self.block.push('\t'),
            _ => {}
        }
    }

    fn end(&mut self, tag: TagEnd) {
        match tag {
            TagEnd::Heading(_) => {
                if self.title.is_none() && !self.block.trim().is_empty() {
                    self.title = Some(self.block.trim().to_owned());
                }
                self.close();
            }
            TagEnd::MetadataBlock(_) => self.in_matter = false,
            TagEnd::Paragraph | TagEnd::Item | TagEnd::CodeBlock | TagEnd::TableHead | TagEnd::TableRow => self.close(),
            _ => {}
        }
    }

    fn close(&mut self) {
        let block = self.block.trim();
        if !block.is_empty() {
            if !self.text.is_empty() {
                self.text.push_str("\n\n");
            }
            self.text.push_str(block);
        }
        self.block.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_stays_and_the_markup_goes() {
        let markdown = "---\nkey: value\n---\n# A *title*\n\nOne [link](https://example.org \"t\")\nand `code`.\n\n- first\n- second **bold**\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n```rust\nlet x = 1;\n```\n\n<div>raw</div>\n";
        let blocks = Blocks::of(markdown);
        assert_eq!(blocks.text, "A title\n\nOne link and code.\n\nfirst\n\nsecond bold\n\na\tb\n\n1\t2\n\nlet x = 1;");
        assert_eq!(blocks.title.as_deref(), Some("A title"));
    }

    #[test]
    fn deep_nesting_and_odd_marks_are_read() {
        for markdown in
            ["> ".repeat(50_000), "*".repeat(50_000), "[".repeat(20_000), "- ".repeat(20_000), String::new()]
        {
            Blocks::of(&markdown);
        }
    }
}
