//! What a collection takes and what it leaves.

use std::time::Duration;

use super::pattern;

/// How to collect. The defaults are those of the command line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CollectOptions {
    /// Most records; `None` for no limit.
    pub limit: Option<usize>,
    /// The least pause between two requests to one host; its `Crawl-delay` may ask for more.
    pub rate: Duration,
    /// Keep all text of pages, not only their main part.
    pub all_text: bool,
    /// Let addresses be asked that are not of the public internet, for intranets.
    pub allow_private: bool,
    /// Take pages of other hosts than that of the sitemap or feed that lists them.
    pub other_hosts: bool,
    /// Of what folders, sitemaps and feeds hold take only what one of these describes: a whole path or address in
    /// which `*` stands for any characters. Empty: take everything.
    pub include: Vec<String>,
    /// Longest time that one request may take, its answer included.
    pub patience: Duration,
}

impl Default for CollectOptions {
    fn default() -> Self {
        Self {
            limit: None,
            rate: Duration::from_secs(1),
            all_text: false,
            allow_private: false,
            other_hosts: false,
            include: Vec::new(),
            patience: Duration::from_secs(60),
        }
    }
}

impl CollectOptions {
    /// Whether a path or an address that was found is wanted.
    pub(super) fn includes(&self, name: &str) -> bool {
        let fits = |pattern: &String| pattern::is(name.as_bytes(), pattern.as_bytes());
        self.include.is_empty() || self.include.iter().any(fits)
    }
}
