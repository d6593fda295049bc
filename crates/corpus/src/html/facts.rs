//! What a page says about itself.

use super::{date, element::Element};

/// Most bytes of an attribute's value, or of the title, that are looked at.
const MOST_VALUE: usize = 4096;

/// The attributes of a start tag that matter.
#[derive(Debug, Default)]
pub(super) struct Attributes {
    values: [String; NAMES.len()],
    given: [bool; NAMES.len()],
    any: bool,
    current: Option<usize>,
}

const NAMES: [&str; 15] = [
    "class",
    "id",
    "role",
    "hidden",
    "style",
    "lang",
    "name",
    "property",
    "itemprop",
    "content",
    "rel",
    "href",
    "datetime",
    "type",
    "http-equiv",
];

impl Attributes {
    pub(super) fn clear(&mut self) {
        if self.is_empty() {
            return;
        }
        for (value, given) in self.values.iter_mut().zip(&mut self.given) {
            value.clear();
            *given = false;
        }
        self.current = None;
        self.any = false;
    }

    /// None of the attributes that matter was given, as on most elements.
    pub(super) fn is_empty(&self) -> bool {
        !self.any
    }

    pub(super) fn name(&mut self, name: &[u8]) {
        let known = NAMES.iter().position(|known| known.as_bytes() == name);
        // Of an attribute that is given twice the first value counts.
        self.current = known.filter(|index| !self.given[*index]);
        if let Some(index) = self.current {
            self.given[index] = true;
            self.any = true;
        }
    }

    pub(super) fn value(&mut self, value: &[u8]) {
        if let Some(index) = self.current.take() {
            self.values[index] = String::from_utf8_lossy(&value[..value.len().min(MOST_VALUE)]).into_owned();
        }
    }

    fn get(&self, name: &str) -> &str {
        NAMES.iter().position(|known| *known == name).map_or("", |index| &self.values[index])
    }

    pub(super) fn role(&self) -> &str {
        self.get("role")
    }

    pub(super) fn names(&self) -> [&str; 2] {
        [self.get("class"), self.get("id")]
    }

    /// Whether the element is the page's main part by its role or as a schema.org `articleBody`.
    pub(super) fn is_main(&self) -> bool {
        let has = |name: &str, value: &str| self.get(name).split_ascii_whitespace().any(|word| word == value);
        has("role", "main") || has("itemprop", "articleBody")
    }

    pub(super) fn is_hidden(&self) -> bool {
        let hidden = NAMES.iter().position(|name| *name == "hidden").is_some_and(|index| self.given[index]);
        let style = self.get("style");
        // Most elements have no style, and none that has one is worth a parser.
        let unseen = || {
            let style: String = style.chars().filter(|c| !c.is_whitespace()).collect::<String>().to_ascii_lowercase();
            style.contains("display:none") || style.contains("visibility:hidden")
        };
        (hidden && !self.get("hidden").eq_ignore_ascii_case("until-found")) || (!style.is_empty() && unseen())
    }

    pub(super) fn is_linked_data(&self) -> bool {
        self.get("type").trim().eq_ignore_ascii_case("application/ld+json")
    }
}

/// What was found, each kind of statement from its strongest to its weakest.
#[derive(Debug, Default)]
pub(super) struct Facts {
    title: String,
    og_title: Option<String>,
    dates: [Option<String>; 4],
    languages: [Option<String>; 3],
    addresses: [Option<String>; 2],
    /// The script that is being read is JSON-LD.
    pub(super) in_linked_data: bool,
}

impl Facts {
    /// Takes what `meta`, `link`, `time` and `html` say.
    pub(super) fn element(&mut self, element: Element, attributes: &Attributes) {
        match element {
            Element::Html => keep(&mut self.languages[0], language(attributes.get("lang"))),
            Element::Link => {
                let canonical = |rel: &str| rel.eq_ignore_ascii_case("canonical");
                if attributes.get("rel").split_ascii_whitespace().any(canonical) {
                    keep(&mut self.addresses[0], text(attributes.get("href")));
                }
            }
            Element::Time => {
                let published = attributes.get("itemprop").eq_ignore_ascii_case("datePublished");
                let place = if published { 2 } else { 3 };
                keep(&mut self.dates[place], date::iso(attributes.get("datetime")));
            }
            _ => self.meta(attributes),
        }
    }

    fn meta(&mut self, attributes: &Attributes) {
        let content = attributes.get("content");
        for name in ["property", "name", "itemprop", "http-equiv"].map(|name| attributes.get(name).to_ascii_lowercase())
        {
            match name.as_str() {
                "og:title" => keep(&mut self.og_title, text(content)),
                "og:url" => keep(&mut self.addresses[1], text(content)),
                "og:locale" => keep(&mut self.languages[2], language(&content.replace('_', "-"))),
                "content-language" => keep(&mut self.languages[1], language(content)),
                "article:published_time" | "datepublished" => keep(&mut self.dates[0], date::iso(content)),
                "date"
                | "dc.date"
                | "dc.date.issued"
                | "dcterms.date"
                | "dcterms.created"
                | "dcterms.issued"
                | "pubdate"
                | "publishdate"
                | "publish-date"
                | "publication_date"
                | "parsely-pub-date"
                | "citation_publication_date"
                | "citation_date"
                | "sailthru.date" => {
                    keep(&mut self.dates[2], date::iso(content));
                }
                _ => {}
            }
        }
    }

    pub(super) fn add_title(&mut self, text: &str) {
        let room = MOST_VALUE.saturating_sub(self.title.len());
        self.title.extend(text.chars().take(room));
    }

    /// Takes the date of publication out of JSON-LD, which need not be sound JSON for that.
    pub(super) fn linked_data(&mut self, script: &str) {
        const KEY: &str = "\"datePublished\"";
        let Some(place) = script.find(KEY) else { return };
        let rest = script[place + KEY.len()..].trim_start();
        let value = rest.strip_prefix(':').map(str::trim_start).and_then(|rest| rest.strip_prefix('"'));
        keep(&mut self.dates[1], value.and_then(|value| value.split('"').next()).and_then(date::iso));
    }

    /// The title; `heading` is the page's only `h1`, which is taken where `title` merely adds the site's name to it.
    pub(super) fn title(&self, heading: Option<&str>) -> Option<String> {
        let title = text(&self.title);
        let heading = heading.map(|heading| heading.split_whitespace().collect::<Vec<_>>().join(" "));
        let within = |heading: &&String| title.as_ref().is_none_or(|title| title.contains(heading.as_str()));
        self.og_title.clone().or_else(|| heading.as_ref().filter(within).cloned()).or(title)
    }

    pub(super) fn date(&self) -> Option<String> {
        self.dates.iter().flatten().next().cloned()
    }

    pub(super) fn language(&self) -> Option<String> {
        self.languages.iter().flatten().next().cloned()
    }

    pub(super) fn address(&self) -> Option<String> {
        self.addresses.iter().flatten().next().cloned()
    }
}

/// Keeps what was said first.
fn keep(place: &mut Option<String>, value: Option<String>) {
    if place.is_none() {
        *place = value;
    }
}

/// White space collapsed; `None` where nothing is left.
fn text(value: &str) -> Option<String> {
    let words: Vec<&str> = value.split_whitespace().collect();
    (!words.is_empty()).then(|| words.join(" "))
}

/// A value that has the form of a BCP 47 tag.
fn language(value: &str) -> Option<String> {
    let value = value.trim();
    let mut parts = value.split('-');
    let primary = parts
        .next()
        .is_some_and(|part| (2..=3).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_alphabetic()));
    let sound = |part: &str| (1..=8).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_alphanumeric());
    (primary && parts.all(sound)).then(|| value.to_owned())
}
