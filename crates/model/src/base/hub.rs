//! Repositories of the Hugging Face Hub, by plain HTTP.
//!
//! The `hf-hub` crate was weighed and left: version 1.0 brings an asynchronous client and a chunk store of its own
//! (about 190 crates, among them tokio, reqwest and a C++ build of AWS-LC), keeps its own cache, and offers no time
//! limit for a source that is silent. What is needed is the GET of a handful of files: `ureq` does it with blocking
//! sockets and about 25 crates. Certificates are the system's, so that a company's own authority counts.

use std::fs::File;
use std::path::Path;

use ureq::http::{Response, StatusCode, Uri, header};
use ureq::{Agent, Body};

use super::alias::Alias;
use super::error::SourceError;
use super::folder::{self, BaseFile, CONFIG_FILE, OPTIONAL_FILES, TOKENIZER_FILE};
use super::options::Options;
use super::{Progress, Received, Told};
use crate::weights::{INDEX_FILE, Index, WEIGHTS_FILE};

const MOST_REDIRECTS: usize = 5;

/// One revision of one repository.
pub(super) struct Hub<'a> {
    agent: Agent,
    options: &'a Options,
    repository: &'a str,
    revision: String,
    commit: Option<String>,
}

/// An answer after its redirects.
struct Answer {
    url: String,
    response: Response<Body>,
    /// SHA-256 sum that the Hub announces for files in large-file storage.
    sha256: Option<String>,
}

impl<'a> Hub<'a> {
    pub(super) fn new(options: &'a Options, repository: &'a str, revision: Option<&str>) -> Result<Self, SourceError> {
        let revision = revision.unwrap_or("main").replace('/', "%2F");
        Ok(Self { agent: agent(options)?, options, repository, revision, commit: None })
    }

    /// Receives the model's files into `to`. The small ones come first, so that a wrong base costs little.
    pub(super) fn receive(
        mut self,
        to: &Path,
        alias: Option<&Alias>,
        told: &mut Told<'_>,
    ) -> Result<Received, SourceError> {
        let mut files = vec![self.needed(CONFIG_FILE, to, alias, told)?];
        folder::check_config(to, alias)?;
        files.push(self.needed(TOKENIZER_FILE, to, alias, told)?);
        for name in OPTIONAL_FILES {
            files.extend(self.file(name, to, alias, told)?);
        }
        if let Some(weights) = self.file(WEIGHTS_FILE, to, alias, told)? {
            files.push(weights);
        } else if let Some(index) = self.file(INDEX_FILE, to, alias, told)? {
            files.push(index);
            for shard in Index::read(&to.join(INDEX_FILE))?.names() {
                files.push(self.needed(shard, to, alias, told)?);
            }
        } else {
            return Err(self.without_weights()?);
        }
        Ok(Received { commit: self.commit, files })
    }

    fn needed(
        &mut self,
        name: &str,
        to: &Path,
        alias: Option<&Alias>,
        told: &mut Told<'_>,
    ) -> Result<BaseFile, SourceError> {
        self.file(name, to, alias, told)?
            .ok_or_else(|| SourceError::Status { url: self.url(name), status: StatusCode::NOT_FOUND.as_u16() })
    }

    /// Receives one file; `None` where the repository has none of that name.
    fn file(
        &mut self,
        name: &str,
        to: &Path,
        alias: Option<&Alias>,
        told: &mut Told<'_>,
    ) -> Result<Option<BaseFile>, SourceError> {
        let answer = self.get(name)?;
        match answer.response.status() {
            StatusCode::OK => {}
            StatusCode::NOT_FOUND => return Ok(None),
            status => return Err(SourceError::Status { url: answer.url, status: status.as_u16() }),
        }
        let mut body = answer.response.into_body();
        let total = body.content_length();
        let path = to.join(name);
        let mut out = File::create_new(&path).map_err(SourceError::io(&path))?;
        told(Progress::Bytes { file: name, done: 0, total });
        let file = folder::receive(
            &mut body.as_reader(),
            &mut out,
            &path,
            name,
            &mut |done| told(Progress::Bytes { file: name, done, total }),
            |done, error| match error.kind() {
                std::io::ErrorKind::UnexpectedEof => SourceError::Cut { file: name.to_owned(), done, total },
                _ => SourceError::Unreachable { url: answer.url.clone(), reason: error.to_string() },
            },
        )?;
        if total.is_some_and(|total| total != file.size) {
            return Err(SourceError::Cut { file: name.to_owned(), done: file.size, total });
        }
        out.sync_all().map_err(SourceError::io(&path))?;
        folder::check_sum(&file, alias.and_then(|alias| alias.sum(name)))?;
        folder::check_sum(&file, answer.sha256.as_deref())?;
        Ok(Some(file))
    }

    /// Asks for a file and follows redirects, which are followed here because their heads, not the last one's, tell the
    /// commit and the file's sum, and so that the token goes to the Hub alone.
    fn get(&mut self, name: &str) -> Result<Answer, SourceError> {
        let mut url = self.url(name);
        let mut sha256 = None;
        for _ in 0..=MOST_REDIRECTS {
            let unreachable = |reason: String| SourceError::Unreachable { url: url.clone(), reason };
            let mut request = self.agent.get(&url);
            if let Some(token) = self.options.hub_token.as_ref().filter(|_| same_origin(&url, &self.options.hub)) {
                request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
            }
            let response = request.call().map_err(|error| unreachable(error.to_string()))?;
            let text = |name: &str| response.headers().get(name).and_then(|value| value.to_str().ok());
            if same_origin(&url, &self.options.hub) {
                if let Some(commit) = text("x-repo-commit").filter(|commit| is_hex(commit, 40)) {
                    // The files that follow are taken from the same commit, even if the branch moves meanwhile.
                    commit.clone_into(&mut self.revision);
                    self.commit = Some(self.revision.clone());
                }
                sha256 = sha256.or_else(|| {
                    text("x-linked-etag").map(|tag| tag.trim_matches('"').to_owned()).filter(|tag| is_hex(tag, 64))
                });
            }
            if !response.status().is_redirection() {
                let chunked = text("transfer-encoding").is_some_and(|coding| coding.contains("chunked"));
                if response.status() == StatusCode::OK && !chunked && response.body().content_length().is_none() {
                    return Err(SourceError::NoLength { url });
                }
                return Ok(Answer { url, response, sha256 });
            }
            let location = text("location").ok_or_else(|| unreachable("a redirect without a target".to_owned()))?;
            url = joined(&url, location)
                .ok_or_else(|| unreachable(format!("redirects to {location:?}, which is refused")))?;
        }
        Err(SourceError::Unreachable { url, reason: format!("more than {MOST_REDIRECTS} redirects") })
    }

    fn url(&self, file: &str) -> String {
        format!("{}/{}/resolve/{}/{file}", self.options.hub, self.repository, self.revision)
    }

    /// Why there are no weights that Nomen opens.
    fn without_weights(&mut self) -> Result<SourceError, SourceError> {
        for file in ["pytorch_model.bin", "pytorch_model.bin.index.json"] {
            if self.get(file)?.response.status().is_success() {
                return Ok(SourceError::OnlyPickle { file: file.to_owned() });
            }
        }
        Ok(SourceError::Missing { file: WEIGHTS_FILE.to_owned() })
    }
}

fn agent(options: &Options) -> Result<Agent, SourceError> {
    let mut config = Agent::config_builder()
        .user_agent(concat!("nomen/", env!("CARGO_PKG_VERSION")))
        .http_status_as_error(false)
        .max_redirects(0)
        .max_redirects_will_error(false)
        .timeout_resolve(Some(options.patience.connect))
        .timeout_connect(Some(options.patience.connect))
        .timeout_send_request(Some(options.patience.answer))
        .timeout_recv_response(Some(options.patience.answer))
        .timeout_per_read(Some(options.patience.stall));
    if options.hub.starts_with("https:") {
        let unreachable = |error: secure::NoCertificates| SourceError::Unreachable {
            url: options.hub.clone(),
            reason: error.to_string(),
        };
        config = config.tls_config(secure::tls().map_err(unreachable)?);
    }
    let host = options.hub.parse::<Uri>().ok().and_then(|uri| uri.host().map(str::to_owned));
    if host.is_some_and(|host| host == "localhost" || host == "[::1]" || host.starts_with("127.")) {
        // No proxy reaches this machine's own loopback.
        config = config.proxy(None);
    }
    Ok(config.build().into())
}

fn is_hex(text: &str, length: usize) -> bool {
    text.len() == length && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

fn same_origin(url: &str, hub: &str) -> bool {
    let (Ok(url), Ok(hub)) = (url.parse::<Uri>(), hub.parse::<Uri>()) else { return false };
    url.scheme() == hub.scheme() && url.authority() == hub.authority()
}

/// The target of a redirect; `None` where it leaves HTTPS or is none that can be asked.
fn joined(from: &str, location: &str) -> Option<String> {
    let base = from.parse::<Uri>().ok()?;
    let (scheme, authority) = (base.scheme_str()?, base.authority()?);
    let target = if location.starts_with("//") {
        format!("{scheme}:{location}")
    } else if location.starts_with('/') {
        format!("{scheme}://{authority}{location}")
    } else {
        location.to_owned()
    };
    let secure = target.starts_with("https://");
    (secure || (scheme == "http" && target.starts_with("http://"))).then_some(target)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn redirects_stay_secure() {
        assert_eq!(joined("https://a/b/c", "/d?e").as_deref(), Some("https://a/d?e"));
        assert_eq!(joined("https://a/b", "https://c/d").as_deref(), Some("https://c/d"));
        assert_eq!(joined("https://a/b", "//c/d").as_deref(), Some("https://c/d"));
        assert_eq!(joined("http://a/b", "http://c/d").as_deref(), Some("http://c/d"));
        assert_eq!(joined("https://a/b", "http://c/d"), None);
        assert_eq!(joined("https://a/b", "file:///etc/passwd"), None);
    }

    #[test]
    fn the_token_is_for_the_hub_alone() {
        assert!(same_origin("https://hub/x/y", "https://hub"));
        assert!(!same_origin("http://hub/x", "https://hub"));
        assert!(!same_origin("https://hub.example/x", "https://hub"));
        assert!(!same_origin("https://hub@example/x", "https://hub"));
        assert!(!same_origin("https://hub:8443/x", "https://hub"));
    }
}
