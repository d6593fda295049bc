//! Requests to an object store, and their answers.

use std::{
    io::{self, Read, Write},
    thread,
    time::Duration,
};

use rusty_s3::{Credentials, S3Action, actions::ListObjectsV2};
use ureq::{
    Agent, SendBody,
    http::{StatusCode, header},
};

use super::{
    Access,
    connection::{self, Loss},
    refusal::Refusal,
    upload::Upload,
};
use crate::registry::{
    FileSum, Place, RegistryError, StoreUrl, files,
    objects::{Creation, LONGEST},
};

/// How long a signed request is valid: each is sent at once, but clocks differ.
const VALID: Duration = Duration::from_secs(15 * 60);
/// Longest page of a listing that is read.
const LONGEST_LISTING: u64 = 16 << 20;
/// What a write whose answers were all lost leaves open.
const UNKNOWN: &str = "; it may have been written all the same, so look before trying again";

/// A bucket that is spoken to.
pub(super) struct Exchange {
    bucket: rusty_s3::Bucket,
    credentials: Credentials,
    agent: Agent,
    pauses: Vec<Duration>,
}

/// Why an attempt came to nothing.
pub(super) enum Failure {
    /// It may be different a moment later.
    Passing(String),
    /// It will not.
    Lasting(RegistryError),
}

impl From<RegistryError> for Failure {
    fn from(error: RegistryError) -> Self {
        Self::Lasting(error)
    }
}

/// An answer that could not be read to its end.
impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Passing(format!("the answer broke off: {error}"))
    }
}

/// What becomes of an object that is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Present {
    Stays,
    IsReplaced,
}

impl Exchange {
    pub(super) fn new(place: &StoreUrl, access: &Access) -> Result<Self, RegistryError> {
        let (bucket, credentials) = connection::address(place, access).map_err(|problem| refused(place, problem))?;
        let agent = connection::agent(&bucket, access).map_err(|problem| refused(place, problem))?;
        Ok(Self { bucket, credentials, agent, pauses: access.patience.pauses.clone() })
    }

    /// An object; `None` where there is none.
    pub(super) fn get(&self, place: &StoreUrl) -> Result<Option<Vec<u8>>, RegistryError> {
        self.repeat(place, "", |_| {
            let url = self.bucket.get_object(Some(&self.credentials), place.key()).sign(VALID);
            let mut response = self.agent.get(url.as_str()).call().map_err(|error| self.lost(place, &error))?;
            if response.status() == StatusCode::OK {
                let bytes = response.body_mut().with_config().limit(LONGEST).read_to_vec();
                return bytes.map(Some).map_err(|error| self.lost(place, &error));
            }
            let refusal = Refusal::read(response)?;
            if refusal.code == "NoSuchKey" { Ok(None) } else { Err(self.refusal(place, &refusal)) }
        })
    }

    /// Copies an object; `None` where there is none. Where the connection breaks, the rest is asked for.
    pub(super) fn copy(&self, place: &StoreUrl, mut to: impl Write) -> Result<Option<FileSum>, RegistryError> {
        let mut size = 0;
        let mut sum = files::Sum::default();
        let mut unwritten = None;
        let copied = self.repeat(place, "", |_| {
            let url = self.bucket.get_object(Some(&self.credentials), place.key()).sign(VALID);
            let request = self.agent.get(url.as_str());
            let request = if size > 0 { request.header(header::RANGE, format!("bytes={size}-")) } else { request };
            let response = request.call().map_err(|error| self.lost(place, &error))?;
            // A store that knows no ranges begins again.
            let mut known = match response.status() {
                StatusCode::PARTIAL_CONTENT => 0,
                StatusCode::OK => size,
                _ => {
                    let refusal = Refusal::read(response)?;
                    return if refusal.code == "NoSuchKey" { Ok(false) } else { Err(self.refusal(place, &refusal)) };
                }
            };
            let mut body = response.into_body();
            let mut reader = body.as_reader();
            let mut buffer = vec![0; 1 << 18];
            loop {
                let read = match reader.read(&mut buffer) {
                    Ok(0) => return Ok(true),
                    Ok(read) => read as u64,
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                    Err(error) => return Err(error.into()),
                };
                let skipped = read.min(known);
                known -= skipped;
                let new = &buffer[skipped as usize..read as usize];
                if let Err(error) = to.write_all(new) {
                    unwritten = Some(error);
                    return Ok(true);
                }
                sum.update(new);
                size += new.len() as u64;
            }
        })?;
        match unwritten {
            Some(error) => Err(refused(place, format!("cannot be written on this machine: {error}"))),
            None => Ok(copied.then(|| FileSum { size, sha256: sum.finish() })),
        }
    }

    /// The names right below a prefix, sorted.
    pub(super) fn names(&self, place: &StoreUrl) -> Result<Vec<String>, RegistryError> {
        let prefix = if place.key().is_empty() { String::new() } else { format!("{}/", place.key()) };
        let (mut names, mut next) = (Vec::new(), None::<String>);
        loop {
            let page = self.repeat(place, "", |_| {
                let mut list = self.bucket.list_objects_v2(Some(&self.credentials));
                list.with_prefix(&prefix);
                list.with_delimiter("/");
                if let Some(next) = &next {
                    list.with_continuation_token(next);
                }
                let url = list.sign(VALID);
                let mut response = self.agent.get(url.as_str()).call().map_err(|error| self.lost(place, &error))?;
                if response.status() != StatusCode::OK {
                    return Err(self.refusal(place, &Refusal::read(response)?));
                }
                let text = response.body_mut().with_config().limit(LONGEST_LISTING).read_to_string();
                let text = text.map_err(|error| self.lost(place, &error))?;
                ListObjectsV2::parse_response(&text)
                    .map_err(|error| refused(place, format!("the store's listing cannot be read: {error}")).into())
            })?;
            let files = page.contents.into_iter().map(|object| object.key);
            let folders = page.common_prefixes.into_iter().map(|folder| folder.prefix);
            let below = files.chain(folders).filter_map(|key| {
                let name = key.strip_prefix(&prefix)?.trim_end_matches('/');
                // The prefix itself may be an object that some tool made to show a folder.
                (!name.is_empty()).then(|| name.to_owned())
            });
            names.extend(below);
            match page.next_continuation_token {
                Some(token) if next.as_ref() == Some(&token) => {
                    return Err(refused(place, "the store's listing does not end".to_owned()));
                }
                Some(token) => next = Some(token),
                None => break,
            }
        }
        names.sort_unstable();
        Ok(names)
    }

    /// Puts an object. The sum goes along, and a store that knows the header compares it.
    pub(super) fn put(
        &self,
        place: &StoreUrl,
        upload: &Upload<'_>,
        present: Present,
    ) -> Result<Creation, RegistryError> {
        let checksum = upload.checksum();
        self.repeat(place, UNKNOWN, |attempt| {
            let mut action = self.bucket.put_object(Some(&self.credentials), place.key());
            action.headers_mut().insert("x-amz-checksum-sha256", checksum.as_str());
            let only_new = present == Present::Stays;
            if only_new {
                // Signed, so that nobody on the way drops the condition unseen.
                action.headers_mut().insert("if-none-match", "*");
            }
            let url = action.sign(VALID);
            let mut request = self.agent.put(url.as_str()).header("x-amz-checksum-sha256", &checksum);
            request = request.header(header::CONTENT_LENGTH, upload.size());
            if only_new {
                request = request.header(header::IF_NONE_MATCH, "*");
            }
            let mut body = upload.open()?;
            let sent = request.send(SendBody::from_reader(&mut body));
            // What cannot be read here is no fault of the connection.
            body.verdict()?;
            let response = sent.map_err(|error| self.lost(place, &error))?;
            if response.status().is_success() {
                return Ok(Creation::New);
            }
            let refusal = Refusal::read(response)?;
            match refusal.status.as_u16() {
                // An attempt whose answer was lost may have put it.
                412 if only_new && attempt > 0 && upload.is(self.get(place)?.as_deref()) => Ok(Creation::New),
                412 if only_new => Ok(Creation::Taken),
                400 | 501 if only_new && ["", "NotImplemented", "InvalidArgument"].contains(&&*refusal.code) => {
                    Err(without_conditions(place).into())
                }
                _ => Err(self.refusal(place, &refusal)),
            }
        })
    }

    /// Makes attempts until one is answered; `work` is told how many were made before. Where none is, `left_open` ends the error.
    fn repeat<T>(
        &self,
        place: &StoreUrl,
        left_open: &str,
        mut work: impl FnMut(usize) -> Result<T, Failure>,
    ) -> Result<T, RegistryError> {
        let mut attempt = 0;
        loop {
            match (work(attempt), self.pauses.get(attempt)) {
                (Ok(done), _) => return Ok(done),
                (Err(Failure::Lasting(error)), _) => return Err(error),
                (Err(Failure::Passing(_)), Some(pause)) => thread::sleep(*pause),
                (Err(Failure::Passing(problem)), None) => {
                    return Err(refused(place, format!("{problem} (tried {} times){left_open}", attempt + 1)));
                }
            }
            attempt += 1;
        }
    }

    fn refusal(&self, place: &StoreUrl, refusal: &Refusal) -> Failure {
        let problem = refusal.explain(self.bucket.name());
        if refusal.is_passing() { Failure::Passing(problem) } else { refused(place, problem).into() }
    }

    /// What becomes of a request whose connection failed.
    fn lost(&self, place: &StoreUrl, error: &ureq::Error) -> Failure {
        let host = self.bucket.base_url().host_str().unwrap_or_default();
        match connection::explain(error) {
            Loss::Passing(problem) => Failure::Passing(format!("{host}: {problem}")),
            Loss::Lasting(problem) => refused(place, format!("{host}: {problem}")).into(),
        }
    }
}

/// A store in which two writers could overwrite each other's events.
pub(super) fn without_conditions(place: &StoreUrl) -> RegistryError {
    let problem = "the store does not know conditional writes (PUT with If-None-Match: *), without which two writers could \
                   overwrite each other; use one that does (Amazon S3, MinIO, Ceph, R2), or a folder";
    refused(place, problem.to_owned())
}

pub(super) fn refused(place: &StoreUrl, problem: String) -> RegistryError {
    RegistryError::Store { path: Place::Store(place.clone()), problem }
}
