//! What bytes are: a page, a text, a sitemap or feed, or nothing to collect.

use crate::html::{self, Decoded, Page, Scope, decode};

use super::{
    Reason, Skipped,
    fetch::unpacked,
    listing::{self, Listing},
};

/// Most bytes of a file or an answer, unpacked.
pub(super) const MOST_BYTES: usize = 64 << 20;

/// Something read.
#[derive(Debug)]
pub(super) enum Content {
    Text {
        /// Title, date and language where it is a page, and the text.
        page: Page,
        encoding: &'static str,
        /// Some bytes could not be decoded.
        malformed: bool,
    },
    Listing(Listing),
}

/// What a file is by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Text,
    Markdown,
    Html,
}

impl Kind {
    /// The kind of file that has such a name; `None` for files that are not collected.
    pub(super) fn of_file(name: &str) -> Option<Self> {
        let (_, extension) = name.rsplit_once('.')?;
        match extension.to_ascii_lowercase().as_str() {
            "txt" => Some(Self::Text),
            "md" => Some(Self::Markdown),
            "html" | "htm" => Some(Self::Html),
            _ => None,
        }
    }
}

/// Reads a document of a known kind; `charset` is what its server says of its encoding.
pub(super) fn document(bytes: &[u8], kind: Kind, charset: Option<&str>, scope: Scope) -> Result<Content, Skipped> {
    let Decoded { text, encoding, malformed } = decode(bytes, charset);
    let page = match kind {
        Kind::Html => html::page(&text, scope).map_err(|error| Skipped::new(Reason::TooLarge, error.to_string()))?,
        _ if text.contains('\0') => return Err(Skipped::new(Reason::NotText, "it holds null bytes")),
        Kind::Text | Kind::Markdown => {
            let text = if text.contains('\r') { text.replace("\r\n", "\n").replace('\r', "\n") } else { text };
            let title = (kind == Kind::Markdown).then(|| title(&text)).flatten();
            Page { title, text, ..Page::default() }
        }
    };
    Ok(Content::Text { page, encoding, malformed })
}

/// Reads what a web server sent, by its media type, or by its first bytes where that says little.
pub(super) fn answer(
    mut bytes: Vec<u8>,
    kind: Option<&str>,
    charset: Option<&str>,
    scope: Scope,
) -> Result<Content, Skipped> {
    if bytes.starts_with(b"\x1F\x8B") {
        // A packed sitemap.
        let broken = |error: std::io::Error| Skipped::new(Reason::NotText, format!("a broken gzip file: {error}"));
        let too_large = || Skipped::new(Reason::TooLarge, format!("more than {} MiB unpacked", MOST_BYTES >> 20));
        bytes = unpacked(&bytes, MOST_BYTES).map_err(broken)?.ok_or_else(too_large)?;
    }
    let start = String::from_utf8_lossy(&bytes[..bytes.len().min(512)])
        .trim_start_matches('\u{FEFF}')
        .trim_start()
        .to_ascii_lowercase();
    let is_html = start.starts_with("<!doctype html") || start.starts_with("<html");
    let kind = kind.unwrap_or_default();
    let is_xml = kind.ends_with("/xml") || kind.ends_with("+xml") || start.starts_with("<?xml");
    if (is_xml
        || kind.is_empty()
        || kind == "application/octet-stream"
        || kind == "application/x-gzip"
        || kind == "application/gzip")
        && start.starts_with('<')
        && !is_html
    {
        let declared = charset.map(str::to_owned).or_else(|| xml_encoding(&start));
        if let Some(listing) = listing::parse(&decode(&bytes, declared.as_deref()).text) {
            return Ok(Content::Listing(listing));
        }
    }
    match kind {
        "text/html" | "application/xhtml+xml" => document(&bytes, Kind::Html, charset, scope),
        "text/plain" => document(&bytes, Kind::Text, charset, scope),
        "text/markdown" | "text/x-markdown" => document(&bytes, Kind::Markdown, charset, scope),
        _ if is_html || start.contains("<html") => document(&bytes, Kind::Html, charset, scope),
        "" => document(&bytes, Kind::Text, charset, scope),
        kind => Err(Skipped::new(Reason::NotText, format!("its media type is {kind}"))),
    }
}

/// The first heading of the first level.
fn title(markdown: &str) -> Option<String> {
    let heading = markdown.lines().find_map(|line| line.strip_prefix("# "))?;
    let heading = heading.trim().trim_end_matches('#').trim_end();
    (!heading.is_empty()).then(|| heading.to_owned())
}

/// The encoding that an XML declaration names.
fn xml_encoding(start: &str) -> Option<String> {
    let declaration = start.strip_prefix("<?xml")?.split("?>").next()?;
    let (_, value) = declaration.split_once("encoding")?;
    let value = value.trim_start().strip_prefix('=')?.trim_start();
    Some(value.get(1..)?.split(['"', '\'']).next()?.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(content: Result<Content, Skipped>) -> String {
        match content.unwrap() {
            Content::Text { page, .. } => page.text,
            Content::Listing(listing) => panic!("{listing:?}"),
        }
    }

    fn sent(bytes: &[u8], kind: Option<&str>) -> Result<Content, Skipped> {
        answer(bytes.to_vec(), kind, None, Scope::Main)
    }

    #[test]
    fn an_answer_is_what_its_type_or_its_start_says() {
        assert_eq!(text(sent(b"<p>a</p>", Some("text/html"))), "a");
        assert_eq!(text(sent(b"<p>a</p>", Some("text/plain"))), "<p>a</p>");
        assert_eq!(text(sent(b" <!DOCTYPE html><p>a", None)), "a");
        assert_eq!(text(sent(b"<?xml version='1.0'?><html><p>a</p></html>", Some("application/xhtml+xml"))), "a");
        assert_eq!(sent(b"%PDF-1.7", Some("application/pdf")).unwrap_err().reason, Reason::NotText);
        assert_eq!(sent(b"a\0b", None).unwrap_err().reason, Reason::NotText);
        let sitemap =
            b"<?xml version='1.0' encoding='iso-8859-1'?><urlset><url><loc>http://a/\xE6</loc></url></urlset>";
        for kind in [None, Some("text/xml"), Some("application/rss+xml"), Some("text/html")] {
            match sent(sitemap, kind).unwrap() {
                Content::Listing(listing) => assert_eq!(listing.addresses, ["http://a/æ"]),
                Content::Text { page, .. } => panic!("{page:?}"),
            }
        }
    }

    #[test]
    fn text_gets_one_kind_of_line_end_and_markdown_a_title() {
        let Ok(Content::Text { page, encoding, malformed }) =
            document(b"\xEF\xBB\xBFone\r\n# Two #\rthree\n", Kind::Markdown, None, Scope::Main)
        else {
            panic!("no text")
        };
        assert_eq!((page.text.as_str(), page.title.as_deref()), ("one\n# Two #\nthree\n", Some("Two")));
        assert_eq!((encoding, malformed), ("UTF-8", false));
    }

    #[test]
    fn files_are_known_by_their_names() {
        assert_eq!(Kind::of_file("a.b/c.TXT"), Some(Kind::Text));
        assert_eq!(Kind::of_file("x.Htm"), Some(Kind::Html));
        assert_eq!(Kind::of_file("x.pdf"), None);
        assert_eq!(Kind::of_file("README"), None);
    }
}
