//! Sitemaps (sitemaps.org) and feeds (RSS, Atom): XML that lists addresses.

use quick_xml::{
    Reader,
    events::{BytesStart, Event},
};

/// The addresses that a sitemap or feed lists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Listing {
    /// As written, white space trimmed; they may be relative.
    pub(super) addresses: Vec<String>,
    /// What is wrong with the XML behind the last of them.
    pub(super) broken: Option<String>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Sitemap,
    Index,
    Rss,
    Atom,
}

/// Reads a sitemap, an index of sitemaps, an RSS or an Atom feed; `None` where the text is none of these.
pub(super) fn parse(text: &str) -> Option<Listing> {
    let mut reader = Reader::from_str(text);
    reader.config_mut().check_end_names = false;
    reader.config_mut().allow_unmatched_ends = true;
    reader.config_mut().allow_dangling_amp = true;
    let mut kind = None;
    let mut addresses = Vec::new();
    // Whether the reader is inside an entry, and the text of the element in it that holds an address.
    let (mut in_entry, mut collected, mut guid) = (false, None::<String>, None::<String>);
    let broken = loop {
        match reader.read_event() {
            Ok(Event::Eof) => break None,
            Err(error) => break Some(format!("byte {}: {error}", reader.error_position())),
            Ok(Event::Start(start)) => {
                let name = start.local_name();
                let name = name.as_ref();
                match kind {
                    None => kind = Some(of_root(name)?),
                    Some(kind) if name == entry(kind) && !in_entry => (in_entry, guid) = (true, None),
                    Some(Kind::Atom) if in_entry && name == "link" => addresses.extend(alternate(&start)),
                    Some(Kind::Rss) if in_entry && (name == "link" || (name == "guid" && is_permanent(&start))) => {
                        collected = Some(String::new());
                    }
                    Some(Kind::Sitemap | Kind::Index)
                        if in_entry && start.name().as_ref() == start.local_name().as_ref() && name == "loc" =>
                    {
                        collected = Some(String::new());
                    }
                    _ => {}
                }
            }
            Ok(Event::Empty(start)) => {
                if kind.is_none() {
                    of_root(start.local_name().as_ref())?;
                    kind = of_root(start.local_name().as_ref());
                } else if kind == Some(Kind::Atom) && in_entry && start.local_name().as_ref() == "link" {
                    addresses.extend(alternate(&start));
                }
            }
            Ok(Event::Text(part)) => add(&mut collected, &part),
            Ok(Event::CData(part)) => add(&mut collected, &part),
            Ok(Event::GeneralRef(reference)) => {
                let resolved = match reference.resolve_char_ref() {
                    Ok(Some(character)) => character.to_string(),
                    _ => predefined(&reference).unwrap_or_default().to_owned(),
                };
                add(&mut collected, &resolved);
            }
            Ok(Event::End(end)) => {
                let name = end.local_name();
                if let Some(text) = collected.take() {
                    let text = text.trim().to_owned();
                    if name.as_ref() == "guid" {
                        guid = Some(text);
                    } else if !text.is_empty() {
                        addresses.push(text);
                        (guid, in_entry) = (None, in_entry && kind != Some(Kind::Rss));
                    }
                } else if kind.is_some_and(|kind| name.as_ref() == entry(kind)) {
                    addresses.extend(guid.take().filter(|guid| guid.starts_with("http")));
                    in_entry = false;
                }
            }
            Ok(_) => {}
        }
    };
    kind.map(|_| Listing { addresses, broken })
}

fn of_root(name: &str) -> Option<Kind> {
    match name {
        "urlset" => Some(Kind::Sitemap),
        "sitemapindex" => Some(Kind::Index),
        "rss" | "RDF" => Some(Kind::Rss),
        "feed" => Some(Kind::Atom),
        _ => None,
    }
}

fn entry(kind: Kind) -> &'static str {
    match kind {
        Kind::Sitemap => "url",
        Kind::Index => "sitemap",
        Kind::Rss => "item",
        Kind::Atom => "entry",
    }
}

/// The target of an Atom link to the page itself.
fn alternate(link: &BytesStart<'_>) -> Option<String> {
    let value = |name: &str| {
        let attribute = link.try_get_attribute(name).ok().flatten()?;
        Some(attribute.normalized_value(quick_xml::XmlVersion::Explicit1_0).ok()?.trim().to_owned())
    };
    let page = value("rel").is_none_or(|rel| rel == "alternate");
    value("href").filter(|href| page && !href.is_empty())
}

/// Whether an RSS `guid` is an address, which it is unless it says otherwise.
fn is_permanent(guid: &BytesStart<'_>) -> bool {
    let attribute = guid.try_get_attribute("isPermaLink").ok().flatten();
    attribute.is_none_or(|attribute| attribute.value.as_ref() != "false")
}

fn predefined(name: &str) -> Option<&'static str> {
    match name {
        "amp" => Some("&"),
        "lt" => Some("<"),
        "gt" => Some(">"),
        "quot" => Some("\""),
        "apos" => Some("'"),
        _ => None,
    }
}

fn add(collected: &mut Option<String>, part: &str) {
    if let Some(collected) = collected {
        collected.push_str(part);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn addresses(text: &str) -> Vec<String> {
        let listing = parse(text).unwrap();
        assert_eq!(listing.broken, None);
        listing.addresses
    }

    #[test]
    fn a_sitemap_lists_its_pages_and_not_their_images() {
        let text = "\u{FEFF}<?xml version=\"1.0\"?><!-- c --><urlset xmlns=\"http://www.sitemaps.org/schemas/sitemap/0.9\" \
                    xmlns:image=\"i\"><url><loc>\n https://a/b?x=1&amp;y=2 </loc><lastmod>2024-01-01</lastmod>\
                    <image:image><image:loc>https://a/i.png</image:loc></image:image></url>\
                    <url><loc><![CDATA[https://a/c?d&e]]></loc></url><url><loc/></url></urlset>";
        assert_eq!(addresses(text), ["https://a/b?x=1&y=2", "https://a/c?d&e"]);
        let index = "<sitemapindex><sitemap><loc>https://a/1.xml.gz</loc></sitemap></sitemapindex>";
        assert_eq!(addresses(index), ["https://a/1.xml.gz"]);
    }

    #[test]
    fn feeds_list_their_entries_and_not_themselves() {
        let rss = "<rss><channel><link>https://a/</link><item><title>x</title><link>https://a/1</link>\
                   <guid>https://a/1</guid></item><item><guid>https://a/2</guid></item>\
                   <item><guid isPermaLink=\"false\">https://a/3</guid></item>\
                   <item><guid>https://a/x</guid><link>https://a/4</link></item></channel></rss>";
        assert_eq!(addresses(rss), ["https://a/1", "https://a/2", "https://a/4"]);
        let rdf = "<rdf:RDF xmlns:rdf='r'><channel><link>https://a/</link></channel><item><link>https://a/1</link></item></rdf:RDF>";
        assert_eq!(addresses(rdf), ["https://a/1"]);
        let atom = "<feed><link href='https://a/'/><entry><link rel='self' href='https://a/self'/>\
                    <link href='/1?a=1&amp;b=2'/></entry><entry><link rel=\"alternate\" href=\"https://a/2\"></link></entry></feed>";
        assert_eq!(addresses(atom), ["/1?a=1&b=2", "https://a/2"]);
        assert_eq!(addresses("<urlset/>"), [""; 0]);
    }

    #[test]
    fn what_is_cut_off_gives_what_came_before_and_says_so() {
        let listing = parse("<urlset><url><loc>https://a/1</loc></url><url><loc>https://a/2</lo").unwrap();
        assert_eq!(listing.addresses, ["https://a/1"]);
        assert!(listing.broken.is_some());
    }

    #[test]
    fn other_text_is_no_listing() {
        for text in [
            "",
            "plain",
            "<html><body>x</body></html>",
            "<?xml version='1.0'?><note/>",
            "<",
            "<!DOCTYPE a [<!ENTITY b 'c'>]>",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }

    #[test]
    fn entities_of_a_document_are_not_expanded() {
        let text = "<!DOCTYPE u [<!ENTITY a \"https://b/\"><!ENTITY c \"&a;&a;&a;\">]><urlset><url><loc>x&c;</loc></url></urlset>";
        assert_eq!(addresses(text), ["x"]);
        let deep = format!("<urlset>{}<url><loc>https://a/1</loc></url>", "<x>".repeat(200_000));
        assert_eq!(parse(&deep).unwrap().addresses, ["https://a/1"]);
    }
}
