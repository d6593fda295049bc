//! Manners: what each host allows, and how often it is asked.

use std::{
    collections::HashMap,
    thread,
    time::{Duration, Instant},
};

use url::{Position, Url};

use super::{
    CollectOptions, Reason, Skipped,
    fetch::{Fetcher, Reply},
    robots::{self, Robots},
};

/// The name by which robots.txt files address this crawler.
const PRODUCT: &str = "nomen";
const MOST_REDIRECTS: usize = 5;
/// How long a robots.txt may be used, by RFC 9309 2.4.
const FRESH: Duration = Duration::from_secs(24 * 60 * 60);
/// How long a host whose robots.txt cannot be had is left alone.
const LEFT_ALONE: Duration = Duration::from_secs(10 * 60);
/// The longest pause between two requests that is kept; a host that asks for more is not asked at all.
const LONGEST_PAUSE: Duration = Duration::from_secs(300);
/// How often an address is asked again whose server is busy.
const AGAIN: usize = 2;

/// Asks hosts as they wish to be asked.
#[derive(Debug)]
pub(super) struct Web {
    fetcher: Fetcher,
    rate: Duration,
    robots: HashMap<String, Known>,
    /// When the last answer of each host was complete, and the pause to keep after it.
    asked: HashMap<String, Instant>,
}

#[derive(Debug)]
struct Known {
    /// Its rules, or why none of its addresses may be asked for.
    robots: Result<Robots, Skipped>,
    since: Instant,
}

impl Known {
    fn is_stale(&self) -> bool {
        self.since.elapsed() > if self.robots.is_ok() { FRESH } else { LEFT_ALONE }
    }
}

impl Web {
    pub(super) fn new(options: &CollectOptions) -> Self {
        let fetcher = Fetcher::new(options);
        Self { fetcher, rate: options.rate, robots: HashMap::new(), asked: HashMap::new() }
    }

    /// The answer of success at an address, and the address to which redirects led. Where `host` is named, redirects
    /// to others are not followed.
    pub(super) fn get(&mut self, url: &Url, host: Option<&str>, most: usize) -> Result<(Url, Reply), Skipped> {
        let mut url = url.clone();
        let (mut redirects, mut again) = (0, 0);
        loop {
            if let Some(host) = host.filter(|host| !is_same(host, &url)) {
                let detail = format!("leads to {url}, and only {host} is asked; --other-hosts takes it");
                return Err(Skipped::new(Reason::OtherHost, detail));
            }
            let delay = self.allowed(&url)?;
            self.wait(&url, self.rate.max(delay));
            let reply = self.fetcher.get(&url, most);
            self.asked.insert(name(&url), Instant::now());
            let reply = reply?;
            match reply.status {
                200..300 if reply.cut => {
                    return Err(Skipped::new(Reason::TooLarge, format!("more than {} MiB", most >> 20)));
                }
                200..300 => return Ok((url, reply)),
                300..400 if redirects == MOST_REDIRECTS => {
                    let detail = format!("more than {MOST_REDIRECTS} redirects, the last one to {url}");
                    return Err(Skipped::new(Reason::Unreachable, detail));
                }
                300..400 => {
                    redirects += 1;
                    url = target(&url, &reply)?;
                }
                429 | 503 if again < AGAIN => {
                    let pause = reply.retry_after.unwrap_or(self.rate.max(delay) * 2);
                    if pause > LONGEST_PAUSE {
                        let detail = format!("{}, and asks for {} s of patience", reply.status, pause.as_secs());
                        return Err(Skipped::new(Reason::Status, detail));
                    }
                    again += 1;
                    thread::sleep(pause);
                }
                status => return Err(Skipped::new(Reason::Status, status.to_string())),
            }
        }
    }

    /// The pause that the host asks for, if it allows the address to be asked for.
    fn allowed(&mut self, url: &Url) -> Result<Duration, Skipped> {
        let origin = url.origin().ascii_serialization();
        if self.robots.get(&origin).is_none_or(Known::is_stale) {
            let robots = self.fetch_robots(url);
            self.robots.insert(origin.clone(), Known { robots, since: Instant::now() });
        }
        let Some(Known { robots, .. }) = self.robots.get(&origin) else { return Ok(Duration::ZERO) };
        let robots = robots.as_ref().map_err(Clone::clone)?;
        let refused = |detail: String| Err(Skipped::new(Reason::Robots, detail));
        if !robots.allows(&url[Position::BeforePath..Position::AfterQuery]) {
            return refused(format!("forbidden by {origin}/robots.txt"));
        }
        match robots.delay {
            Some(delay) if delay > LONGEST_PAUSE => {
                refused(format!("{origin}/robots.txt asks for {} s between two requests", delay.as_secs()))
            }
            delay => Ok(delay.unwrap_or_default()),
        }
    }

    /// Reads a host's robots.txt by RFC 9309 2.3: what is not there forbids nothing, what cannot be had everything.
    fn fetch_robots(&mut self, of: &Url) -> Result<Robots, Skipped> {
        let mut url = of.clone();
        url.set_path("/robots.txt");
        url.set_query(None);
        for _ in 0..=MOST_REDIRECTS {
            self.wait(&url, self.rate);
            let reply = self.fetcher.get(&url, robots::MOST_BYTES);
            self.asked.insert(name(&url), Instant::now());
            let reply = match reply {
                Ok(reply) => reply,
                // Nothing of a host can be had that cannot be asked at all: that says more than what follows from it.
                Err(skipped) if name(&url) == name(of) => {
                    return Err(Skipped::new(skipped.reason, format!("{url}: {}", skipped.detail)));
                }
                Err(skipped) => return Err(unreadable(of, &skipped.detail)),
            };
            match reply.status {
                200..300 => return Ok(Robots::parse(&reply.body, PRODUCT)),
                300..400 => match target(&url, &reply) {
                    Ok(target) => url = target,
                    Err(_) => return Ok(Robots::everything()),
                },
                // Too many requests: the host is there, and says that it cannot answer now.
                429 | 500.. => return Err(unreadable(of, &format!("{url} answered {}", reply.status))),
                _ => return Ok(Robots::everything()),
            }
        }
        Ok(Robots::everything())
    }

    fn wait(&self, url: &Url, pause: Duration) {
        if let Some(asked) = self.asked.get(&name(url)) {
            thread::sleep(pause.saturating_sub(asked.elapsed()));
        }
    }
}

fn unreadable(of: &Url, problem: &str) -> Skipped {
    let origin = of.origin().ascii_serialization();
    Skipped::new(Reason::Robots, format!("{origin}/robots.txt cannot be read: {problem}"))
}

/// The host by which requests are paced.
fn name(url: &Url) -> String {
    url.host_str().unwrap_or_default().to_owned()
}

/// Whether an address is on this host, `www.` or not.
pub(super) fn is_same(host: &str, url: &Url) -> bool {
    let bare = |host: &str| host.strip_prefix("www.").unwrap_or(host).to_owned();
    url.host_str().is_some_and(|other| bare(other) == bare(host))
}

fn target(from: &Url, reply: &Reply) -> Result<Url, Skipped> {
    let refused = |detail: String| Skipped::new(Reason::Unreachable, detail);
    let Some(location) = &reply.location else {
        return Err(Skipped::new(Reason::Status, format!("{} without a target", reply.status)));
    };
    let mut target = from.join(location).map_err(|error| refused(format!("redirects to {location:?}: {error}")))?;
    if !matches!(target.scheme(), "http" | "https") || !target.has_host() {
        return Err(refused(format!("redirects to {target}, which is refused")));
    }
    target.set_fragment(None);
    Ok(target)
}
