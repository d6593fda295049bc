//! One request to a web server.

use std::{
    io::{self, Read},
    net::ToSocketAddrs as _,
    time::Duration,
};

use flate2::read::MultiGzDecoder;
use ureq::{
    Agent, Proxy,
    http::{HeaderMap, Uri, header},
    tls::TlsConfig,
    unversioned::{resolver::DefaultResolver, transport::DefaultConnector},
};
use url::Url;

use super::{
    CollectOptions, Reason, Skipped,
    address::{Private, PublicOnly, is_public},
};

const USER_AGENT: &str = concat!("nomen/", env!("CARGO_PKG_VERSION"));
const ACCEPT: &str = "text/html,application/xhtml+xml,application/xml;q=0.9,text/plain;q=0.9,*/*;q=0.1";

/// Asks web servers. Redirects are the caller's to follow, so that each hop is judged.
#[derive(Debug)]
pub(super) struct Fetcher {
    direct: Agent,
    /// Behind a proxy the names are the proxy's to resolve.
    proxied: Option<(Agent, Proxy)>,
    allow_private: bool,
    /// The system has root certificates.
    certified: bool,
}

/// An answer.
#[derive(Debug)]
pub(super) struct Reply {
    pub(super) status: u16,
    /// The media type in lower case, without parameters.
    pub(super) kind: Option<String>,
    pub(super) charset: Option<String>,
    pub(super) location: Option<String>,
    /// How long the server asks to wait before it is asked again.
    pub(super) retry_after: Option<Duration>,
    pub(super) body: Vec<u8>,
    /// The body goes on behind the limit.
    pub(super) cut: bool,
}

impl Fetcher {
    pub(super) fn new(options: &CollectOptions) -> Self {
        let (tls, certified) = secure::tls().map_or_else(|_| (TlsConfig::default(), false), |tls| (tls, true));
        let config = |proxy: Option<Proxy>| {
            Agent::config_builder()
                .user_agent(USER_AGENT)
                .accept(ACCEPT)
                .http_status_as_error(false)
                .max_redirects(0)
                .max_redirects_will_error(false)
                .timeout_connect(Some(options.patience.min(Duration::from_secs(10))))
                .timeout_per_call(Some(options.patience))
                .tls_config(tls.clone())
                .proxy(proxy)
                .build()
        };
        let agent = |proxy: Option<Proxy>| {
            let connector = DefaultConnector::default();
            if options.allow_private || proxy.is_some() {
                Agent::with_parts(config(proxy), connector, DefaultResolver::default())
            } else {
                Agent::with_parts(config(proxy), connector, PublicOnly::default())
            }
        };
        let proxied = Proxy::try_from_env().map(|proxy| (agent(Some(proxy.clone())), proxy));
        Self { direct: agent(None), proxied, allow_private: options.allow_private, certified }
    }

    /// Asks for an address and takes at most `most` bytes of the unpacked answer.
    pub(super) fn get(&self, url: &Url, most: usize) -> Result<Reply, Skipped> {
        let malformed = || Skipped::new(Reason::Unreachable, "the address cannot be asked for");
        let uri: Uri = url.as_str().parse().map_err(|_| malformed())?;
        if url.scheme() == "https" && !self.certified {
            let detail = "no root certificates on this system; install the package `ca-certificates`, or name a file of \
                          them in SSL_CERT_FILE";
            return Err(Skipped::new(Reason::Unreachable, detail));
        }
        let proxied = self.proxied.as_ref().filter(|(_, proxy)| !proxy.is_no_proxy(&uri) && !is_local(url));
        let agent = match proxied {
            Some((agent, _)) => {
                self.judge(url)?;
                agent
            }
            None => &self.direct,
        };
        let request = agent.get(uri).header(header::ACCEPT_ENCODING, "gzip");
        let response = request.call().map_err(|error| skipped(&error))?;
        let status = response.status().as_u16();
        let headers = response.headers().clone();
        let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
        let (kind, charset) = content_type(text(header::CONTENT_TYPE).unwrap_or_default());
        let mut body = Vec::new();
        let packed = response.into_body().into_reader().take(most as u64 + 1);
        let room = most as u64 + 1;
        let read = if is_gzip(&headers) {
            MultiGzDecoder::new(packed).take(room).read_to_end(&mut body)
        } else {
            let mut packed = packed;
            packed.read_to_end(&mut body)
        };
        read.map_err(|error| Skipped::new(Reason::Unreachable, format!("its answer breaks off: {error}")))?;
        let cut = body.len() > most;
        body.truncate(most);
        let retry_after =
            text(header::RETRY_AFTER).and_then(|value| value.trim().parse().ok()).map(Duration::from_secs);
        let location = text(header::LOCATION).map(str::to_owned);
        Ok(Reply { status, kind, charset, location, retry_after, body, cut })
    }

    /// Judges the address of what a proxy is asked for, as far as this machine can resolve it.
    fn judge(&self, url: &Url) -> Result<(), Skipped> {
        let port = url.port_or_known_default().unwrap_or(0);
        let host = url.host_str().unwrap_or_default();
        let mut addresses = (host.trim_matches(['[', ']']), port).to_socket_addrs().into_iter().flatten();
        match addresses.find(|address| !is_public(address.ip())) {
            Some(address) if !self.allow_private => {
                Err(Skipped::new(Reason::Private, Private(address.ip()).to_string()))
            }
            _ => Ok(()),
        }
    }
}

/// What a gzip file holds, at most `most` bytes of it; `None` where it holds more.
pub(super) fn unpacked(bytes: &[u8], most: usize) -> io::Result<Option<Vec<u8>>> {
    let mut unpacked = Vec::new();
    MultiGzDecoder::new(bytes).take(most as u64 + 1).read_to_end(&mut unpacked)?;
    Ok((unpacked.len() <= most).then_some(unpacked))
}

/// No proxy reaches this machine's own loopback.
fn is_local(url: &Url) -> bool {
    match url.host() {
        Some(url::Host::Domain(name)) => name == "localhost",
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

fn is_gzip(headers: &HeaderMap) -> bool {
    let coding = headers.get(header::CONTENT_ENCODING).and_then(|value| value.to_str().ok());
    coding.is_some_and(|coding| matches!(coding.trim().to_ascii_lowercase().as_str(), "gzip" | "x-gzip"))
}

/// The media type and the `charset` of a `Content-Type`.
fn content_type(value: &str) -> (Option<String>, Option<String>) {
    let mut parts = value.split(';').map(str::trim);
    let kind = parts.next().map(str::to_ascii_lowercase).filter(|kind| !kind.is_empty());
    let charset = parts.find_map(|part| {
        let (name, value) = part.split_once('=')?;
        name.trim().eq_ignore_ascii_case("charset").then(|| value.trim().trim_matches(['"', '\'']).to_owned())
    });
    (kind, charset)
}

fn skipped(error: &ureq::Error) -> Skipped {
    if let ureq::Error::Io(error) = error
        && let Some(private) = error.get_ref().and_then(|inner| inner.downcast_ref::<Private>())
    {
        return Skipped::new(Reason::Private, private.to_string());
    }
    Skipped::new(Reason::Unreachable, error.to_string())
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use flate2::{Compression, write::GzEncoder};

    use super::*;

    #[test]
    fn a_content_type_tells_kind_and_charset() {
        let of = |value| {
            let (kind, charset) = content_type(value);
            (kind.unwrap_or_default(), charset.unwrap_or_default())
        };
        assert_eq!(of("Text/HTML; Charset=\"UTF-8\""), ("text/html".into(), "UTF-8".into()));
        assert_eq!(of("text/plain"), ("text/plain".into(), String::new()));
        assert_eq!(of("text/xml;a=b; charset = latin1 "), ("text/xml".into(), "latin1".into()));
        assert_eq!(of(""), (String::new(), String::new()));
    }

    #[test]
    fn a_gzip_bomb_is_not_unpacked_beyond_the_limit() {
        let mut bomb = GzEncoder::new(Vec::new(), Compression::best());
        bomb.write_all(&vec![b'a'; 10 << 20]).unwrap();
        let bomb = bomb.finish().unwrap();
        assert_eq!(unpacked(&bomb, 1 << 20).unwrap(), None);
        assert_eq!(unpacked(&bomb, 10 << 20).unwrap().unwrap().len(), 10 << 20);
        assert!(unpacked(&bomb[..bomb.len() / 2], 20 << 20).is_err());
        assert!(unpacked(b"\x1F\x8Bnonsense", 100).is_err());
    }
}
