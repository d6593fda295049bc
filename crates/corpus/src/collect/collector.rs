//! From sources to rows, one thing after the other.

use std::{
    collections::{HashMap, HashSet, VecDeque},
    fs::File,
    io::{self, Read as _},
    path::Path,
};

use url::Url;

use crate::html::Scope;

use super::{
    CollectError, CollectOptions, Outcome, Reason, Skipped, Source, Summary,
    content::{self, Content, Kind, MOST_BYTES},
    host::{Web, is_same},
    item::Item,
    journal::{Entry, Header, Journal},
    listing::Listing,
    record::{self, Origin},
    walk,
};

/// How many sitemaps and feeds may lead to each other.
const MOST_DEPTH: usize = 3;
/// Most addresses of one collection.
const MOST_ADDRESSES: usize = 1_000_000;

/// What became of one thing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// The file, folder or address.
    pub source: String,
    /// What became of it.
    pub outcome: Outcome,
}

/// Collects sources into a file of Nomen JSONL, step by step.
///
/// Dropped before [`Collector::finish`], it leaves `OUT.part` and `OUT.state` beside the output, from which the next
/// one with the same sources and options goes on.
#[derive(Debug)]
pub struct Collector {
    options: CollectOptions,
    begun: String,
    journal: Journal,
    progress: Progress,
    resumed: usize,
    /// Made when the first address is asked for.
    web: Option<Web>,
}

/// What the journal's entries add up to.
#[derive(Debug, Default)]
struct Progress {
    queue: VecDeque<Item>,
    addresses: HashSet<Url>,
    /// Which source gave the text with this sum.
    texts: HashMap<String, String>,
    summary: Summary,
}

/// What looking at something gives.
type Looked = (Outcome, Vec<Item>, Vec<u8>);

impl Collector {
    /// Begins a collection into the file `out`, or goes on with one.
    ///
    /// # Errors
    /// `out` exists, another process writes it, an unfinished collection of other sources or with other options has
    /// it, or the operating system refuses.
    pub fn open(sources: &[Source], out: impl AsRef<Path>, options: CollectOptions) -> Result<Self, CollectError> {
        let mut progress = Progress { queue: sources.iter().map(Item::of).collect(), ..Progress::default() };
        for source in sources {
            if let Source::Address(url) = source {
                progress.addresses.insert(url.clone());
            }
        }
        let header = Header::new(sources, &options);
        let (journal, header) = Journal::open(out.as_ref(), header, |entry| progress.replay(entry))?;
        let resumed = progress.summary.records + progress.summary.skipped_count();
        Ok(Self { options, begun: header.begun, journal, progress, resumed, web: None })
    }

    /// How many things earlier runs had looked at.
    pub fn resumed(&self) -> usize {
        self.resumed
    }

    /// What was done so far.
    pub fn summary(&self) -> &Summary {
        &self.progress.summary
    }

    /// What is known to be still to be looked at.
    pub fn left(&self) -> usize {
        self.progress.queue.len()
    }

    /// What is looked at next; `None` where nothing is left or the limit is reached.
    pub fn next_source(&self) -> Option<&str> {
        let reached = self.options.limit.is_some_and(|limit| self.progress.summary.records >= limit);
        self.progress.queue.front().filter(|_| !reached && !self.journal.is_complete()).map(Item::name)
    }

    /// Looks at the next thing, waiting where its host wants that; `None` where nothing is left or the limit is
    /// reached.
    ///
    /// # Errors
    /// The output cannot be written. What is wrong with a source is an [`Outcome`].
    pub fn step(&mut self) -> Result<Option<Step>, CollectError> {
        if self.next_source().is_none() {
            return Ok(None);
        }
        let Some(item) = self.progress.queue.front().cloned() else { return Ok(None) };
        let looked = match &item {
            Item::Folder(path) => folder(path),
            Item::File { path, found } => self.file(path, *found),
            Item::Address { url, host, depth } => {
                let web = self.web.get_or_insert_with(|| Web::new(&self.options));
                address(web, &self.options, url, host.as_deref(), *depth).and_then(|looked| match looked {
                    Fetched::Page { source, content } => self.keep(&source, content),
                    Fetched::Listing { at, listing } => Ok(self.listed(&at, listing, *depth)),
                })
            }
            Item::Refused { reason, detail, .. } => Err(Skipped::new(*reason, detail.clone())),
        };
        let (outcome, found, row) =
            looked.unwrap_or_else(|skipped| (Outcome::Skipped(skipped), Vec::new(), Vec::new()));
        let entry = self.journal.add(item.name().to_owned(), outcome, found, &row)?;
        let step = Step { source: entry.source.clone(), outcome: entry.outcome.clone() };
        self.progress.advance(entry);
        Ok(Some(step))
    }

    /// Completes the output; without a record there is none.
    ///
    /// # Errors
    /// The operating system refuses.
    pub fn finish(self) -> Result<Summary, CollectError> {
        self.journal.finish()?;
        let mut summary = self.progress.summary;
        summary.left = self.progress.queue.len();
        Ok(summary)
    }

    fn scope(&self) -> Scope {
        if self.options.all_text { Scope::All } else { Scope::Main }
    }

    fn file(&self, path: &str, found: bool) -> Result<Looked, Skipped> {
        if found && !self.options.includes(path) {
            return Err(not_included());
        }
        let kind = Kind::of_file(path)
            .ok_or_else(|| Skipped::new(Reason::NotText, "only .txt, .md, .html and .htm files are read"))?;
        let read = || -> io::Result<Vec<u8>> {
            let mut bytes = Vec::new();
            File::open(path)?.take(MOST_BYTES as u64 + 1).read_to_end(&mut bytes)?;
            Ok(bytes)
        };
        let bytes = read().map_err(|error| Skipped::new(Reason::Unreadable, error.to_string()))?;
        if bytes.len() > MOST_BYTES {
            return Err(Skipped::new(Reason::TooLarge, format!("more than {} MiB; split it", MOST_BYTES >> 20)));
        }
        self.keep(path, content::document(&bytes, kind, None, self.scope())?)
    }

    fn keep(&self, source: &str, content: Content) -> Result<Looked, Skipped> {
        let Content::Text { page, encoding, malformed } = content else {
            return Err(Skipped::new(Reason::NotText, "a list of addresses"));
        };
        if page.text.trim().is_empty() {
            return Err(Skipped::new(Reason::Empty, "no text is in it"));
        }
        let sha256 = record::sum(&page.text);
        if let Some(other) = self.progress.texts.get(&sha256) {
            return Err(Skipped::new(Reason::Duplicate, format!("the same text as {other}")));
        }
        let row = record::row(&page, &sha256, &Origin { source, collected: &self.begun, encoding, malformed })?;
        Ok((Outcome::Kept { sha256, malformed }, Vec::new(), row))
    }

    /// The entries of a sitemap or feed that are new.
    fn listed(&self, at: &Url, listing: Listing, depth: usize) -> Looked {
        let host = at.host_str().unwrap_or_default();
        let refused = |name: &str, reason, detail: String| Item::Refused { name: name.to_owned(), reason, detail };
        let mut new = HashSet::new();
        let mut found = Vec::new();
        let mut over = 0;
        for address in listing.addresses {
            let mut url = match at.join(&address) {
                Ok(url) if matches!(url.scheme(), "http" | "https") && url.has_host() => url,
                _ => {
                    found.push(refused(&address, Reason::Unreachable, format!("no address of the web; {at} lists it")));
                    continue;
                }
            };
            url.set_fragment(None);
            if self.progress.addresses.contains(&url) || !new.insert(url.clone()) {
                continue;
            }
            if self.progress.addresses.len() + new.len() > MOST_ADDRESSES {
                over += 1;
            } else if !self.options.other_hosts && !is_same(host, &url) {
                let detail = format!("{at} lists it; --other-hosts takes it");
                found.push(refused(url.as_str(), Reason::OtherHost, detail));
            } else {
                let host = (!self.options.other_hosts).then(|| host.to_owned());
                found.push(Item::Address { url, host, depth: depth + 1 });
            }
        }
        if over > 0 {
            let detail = format!("{over} addresses beyond {MOST_ADDRESSES} are left out; collect them by themselves");
            found.push(refused(at.as_str(), Reason::TooLarge, detail));
        }
        if let Some(problem) = listing.broken {
            found.push(refused(
                at.as_str(),
                Reason::NotText,
                format!("its XML is broken behind what was read: {problem}"),
            ));
        }
        (Outcome::Found(found.len()), found, Vec::new())
    }
}

impl Progress {
    fn replay(&mut self, entry: Entry) -> Result<(), String> {
        if self.queue.front().is_none_or(|item| item.name() != entry.source) {
            return Err(format!("`{}` is not what came next", entry.source));
        }
        self.advance(entry);
        Ok(())
    }

    /// Takes the first of what is to be looked at as done.
    fn advance(&mut self, entry: Entry) {
        self.queue.pop_front();
        self.summary.count(&entry.source, &entry.outcome);
        for item in entry.found.into_iter().rev() {
            if let Item::Address { url, .. } = &item {
                self.addresses.insert(url.clone());
            }
            self.queue.push_front(item);
        }
        if let Outcome::Kept { sha256, .. } = entry.outcome {
            self.texts.insert(sha256, entry.source);
        }
    }
}

fn not_included() -> Skipped {
    Skipped::new(Reason::NotIncluded, "no pattern of --include describes it")
}

fn folder(path: &str) -> Result<Looked, Skipped> {
    let found = walk::folder(path).map_err(|error| Skipped::new(Reason::Unreadable, error.to_string()))?;
    Ok((Outcome::Found(found.len()), found, Vec::new()))
}

enum Fetched {
    Page { source: String, content: Content },
    Listing { at: Url, listing: Listing },
}

fn address(
    web: &mut Web,
    options: &CollectOptions,
    url: &Url,
    host: Option<&str>,
    depth: usize,
) -> Result<Fetched, Skipped> {
    // Which sitemaps an index lists is not for patterns to choose: they describe pages.
    let is_sitemap = [".xml", ".xml.gz"].iter().any(|end| url.path().ends_with(end));
    if depth > 0 && !is_sitemap && !options.includes(url.as_str()) {
        return Err(not_included());
    }
    let (at, reply) = web.get(url, host, MOST_BYTES)?;
    let scope = if options.all_text { Scope::All } else { Scope::Main };
    match content::answer(reply.body, reply.kind.as_deref(), reply.charset.as_deref(), scope)? {
        Content::Listing(_) if depth >= MOST_DEPTH => {
            Err(Skipped::new(Reason::NotText, format!("the {}th list of addresses within another", depth + 1)))
        }
        Content::Listing(listing) => Ok(Fetched::Listing { at, listing }),
        Content::Text { .. } if depth > 0 && !options.includes(url.as_str()) => Err(not_included()),
        content @ Content::Text { .. } => Ok(Fetched::Page { source: at.into(), content }),
    }
}
