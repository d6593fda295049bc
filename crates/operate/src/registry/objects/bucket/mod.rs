//! A registry in an object store that speaks the protocol of Amazon S3.
//!
//! Writers take no turns: an event is created by a `PUT` with `If-None-Match: *`, which one of several wins. A store that does not
//! know this condition would let one overwrite the other's event, so every writer tries it first, on the marker, whose bytes are
//! always the same. See <https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html>.

mod access;
mod connection;
mod exchange;
mod refusal;
mod upload;

use std::{fmt, io, io::Write, path::Path, thread};

pub use access::{Access, Patience};
use connection::CONNECTIONS;
use exchange::{Exchange, Present, refused, without_conditions};
use upload::Upload;

use super::{Creation, Objects, Writing};
use crate::registry::{Contents, FileSum, MANIFEST_FILE, MARKER_FILE, Place, RegistryError, StoreUrl};

/// Longest object that a store takes in one piece.
const LONGEST_OBJECT: u64 = 5 << 30;

pub(in crate::registry) struct Bucket {
    root: StoreUrl,
    exchange: Exchange,
}

impl Bucket {
    pub(in crate::registry) fn new(root: StoreUrl, access: &Access) -> Result<Self, RegistryError> {
        let exchange = Exchange::new(&root, access)?;
        Ok(Self { root, exchange })
    }
}

impl fmt::Debug for Bucket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Bucket({})", self.root)
    }
}

impl Objects for Bucket {
    fn place(&self, name: &str) -> Place {
        Place::Store(self.root.join(name))
    }

    fn names(&self, folder: &str) -> Result<Vec<String>, RegistryError> {
        self.exchange.names(&self.root.join(folder))
    }

    fn read(&self, name: &str) -> Result<Option<Vec<u8>>, RegistryError> {
        self.exchange.get(&self.root.join(name))
    }

    /// Most of a request is waiting, so several are under way.
    fn read_all(&self, names: &[String]) -> Vec<Result<Option<Vec<u8>>, RegistryError>> {
        let share = names.len().div_ceil(CONNECTIONS).max(1);
        thread::scope(|scope| {
            let readers: Vec<_> = names
                .chunks(share)
                .map(|names| scope.spawn(move || names.iter().map(|name| self.read(name)).collect::<Vec<_>>()))
                .collect();
            let died = |_| vec![Err(refused(&self.root, "reading its history failed".to_owned()))];
            readers.into_iter().flat_map(|reader| reader.join().unwrap_or_else(died)).collect()
        })
    }

    fn create(&self, name: &str, bytes: &[u8]) -> Result<Creation, RegistryError> {
        self.exchange.put(&self.root.join(name), &Upload::Bytes(bytes), Present::Stays)
    }

    fn replace(&self, name: &str, bytes: &[u8]) -> Result<(), RegistryError> {
        self.exchange.put(&self.root.join(name), &Upload::Bytes(bytes), Present::IsReplaced).map(drop)
    }

    fn copy_out(&self, name: &str, to: &mut dyn Write) -> Result<FileSum, RegistryError> {
        let damaged = || {
            let problem = "the file is missing; add the bundle again".to_owned();
            RegistryError::Damaged { path: self.place(name), problem }
        };
        self.exchange.copy(&self.root.join(name), to)?.ok_or_else(damaged)
    }

    fn take_in(&self, folder: &str, bundle: &Path, contents: &Contents) -> Result<(), RegistryError> {
        for (name, sum) in &contents.files {
            let path = bundle.join(name);
            if sum.size > LONGEST_OBJECT {
                let problem = format!("has {} bytes; a store takes at most {LONGEST_OBJECT} in one piece", sum.size);
                return Err(RegistryError::Refused(format!("{}: {problem}", path.display())));
            }
            // Before anything is sent: what is there is not replaced by something damaged.
            sum.copy(&path, io::sink())?;
        }
        let folder = self.root.join(folder);
        for (name, sum) in &contents.files {
            let upload = Upload::File(&bundle.join(name), sum);
            self.exchange.put(&folder.join(name), &upload, Present::IsReplaced)?;
        }
        let manifest = Upload::Bytes(&contents.bytes);
        self.exchange.put(&folder.join(MANIFEST_FILE), &manifest, Present::IsReplaced).map(drop)
    }

    fn begin(&self, marker: &[u8]) -> Result<Writing, RegistryError> {
        for _ in 0..2 {
            if self.create(MARKER_FILE, marker)? == Creation::Taken {
                return Ok(Writing { _lock: None });
            }
        }
        Err(without_conditions(&self.root))
    }
}
