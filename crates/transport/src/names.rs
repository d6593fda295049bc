//! By which names a server may be called, and whose pages may ask it.

use std::net::IpAddr;

use axum::http::{HeaderMap, header};
use thiserror::Error;

/// By which names a server may be called, and whose pages may ask it.
///
/// A browser sends the name that a page used as `Host`, and the page's own origin as `Origin`; pages cannot change either. A page
/// whose name was pointed at a loopback server (DNS rebinding) is found by the first, a page from elsewhere by the second.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Names {
    hosts: Option<Vec<String>>,
    origins: Vec<String>,
}

/// Why a request is none for this server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum Foreign {
    /// The server is not called so.
    #[error("the server is not called by this name here")]
    Host,
    /// A page of this origin may not ask.
    #[error("pages of this origin may not ask here")]
    Origin,
}

impl Names {
    /// The names by which the server may be called, `None` for all, and the origins of pages that may ask beside its own.
    pub fn new(hosts: Option<Vec<String>>, origins: Vec<String>) -> Self {
        Self { hosts, origins }
    }

    /// The names of a server that listens at this address, where nobody said others: those of this machine on a loopback
    /// address, and all (`None`) on another.
    pub fn of_address(ip: IpAddr) -> Option<Vec<String>> {
        ip.is_loopback().then(|| ["localhost", "127.0.0.1", "[::1]"].map(str::to_owned).to_vec())
    }

    /// The origin that an answer may go to, where that is another than the server's own.
    ///
    /// # Errors
    /// `Host` is no name of the server, or `Origin` neither its own nor one of those that may ask.
    pub fn admit(&self, headers: &HeaderMap) -> Result<Option<String>, Foreign> {
        let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
        let name = without_port(host);
        if let Some(hosts) = &self.hosts
            && !hosts.iter().any(|known| known.eq_ignore_ascii_case(name) || known == host)
        {
            return Err(Foreign::Host);
        }
        let Some(origin) = headers.get(header::ORIGIN) else { return Ok(None) };
        let origin = origin.to_str().unwrap_or_default();
        if self.knows_origin(origin) {
            return Ok(Some(origin.to_owned()));
        }
        let own = origin.split_once("://").is_some_and(|(_, of)| of.eq_ignore_ascii_case(host));
        if own { Ok(None) } else { Err(Foreign::Origin) }
    }

    /// Whether a page of this origin, which is not the server's own, may ask.
    pub fn knows_origin(&self, origin: &str) -> bool {
        self.origins.iter().any(|known| known == origin)
    }
}

fn without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|digit| digit.is_ascii_digit()) => name,
        _ => host,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect()
    }

    #[test]
    fn a_loopback_server_has_the_names_of_this_machine_and_no_others() {
        let names = Names::new(Names::of_address(IpAddr::from([127, 0, 0, 1])), Vec::new());
        for host in ["localhost", "localhost:80", "127.0.0.1:1", "[::1]:8080", "LOCALHOST"] {
            assert_eq!(names.admit(&headers(&[("host", host)])), Ok(None), "{host}");
        }
        for host in ["evil.example", "localhost.evil.example", "evil.example:80", ""] {
            assert_eq!(names.admit(&headers(&[("host", host)])), Err(Foreign::Host), "{host}");
        }
        assert_eq!(Names::of_address(IpAddr::from([0, 0, 0, 0])), None);
    }

    #[test]
    fn pages_from_elsewhere_may_not_ask_unless_they_are_listed() {
        let names = Names::new(None, vec!["https://labels.example".to_owned()]);
        let ask = |origin| names.admit(&headers(&[("host", "a.example:80"), ("origin", origin)]));
        assert_eq!(ask("https://labels.example"), Ok(Some("https://labels.example".to_owned())));
        assert_eq!(ask("http://a.example:80"), Ok(None));
        for origin in ["http://a.example:90", "null", "", "http://"] {
            assert_eq!(ask(origin), Err(Foreign::Origin), "{origin}");
        }
    }
}
