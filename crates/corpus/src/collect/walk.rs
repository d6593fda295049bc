//! What a folder holds.

use std::{fs, io, path::Path};

use super::{Reason, item::Item};

/// The entries of a folder, sorted by name: folders and files to look at, and what is not looked into (links, hidden
/// files) with the reason.
pub(super) fn folder(path: &str) -> io::Result<Vec<Item>> {
    let mut entries = fs::read_dir(path)?.collect::<io::Result<Vec<_>>>()?;
    entries.sort_by_key(fs::DirEntry::file_name);
    let item = |entry: &fs::DirEntry| {
        let joined = Path::new(path).join(entry.file_name());
        let refused = |reason, detail: &str| Item::Refused {
            name: joined.to_string_lossy().into_owned(),
            reason,
            detail: detail.to_owned(),
        };
        let kind = match entry.file_type() {
            Ok(kind) => kind,
            Err(error) => return refused(Reason::Unreadable, &error.to_string()),
        };
        let Some(path) = joined.to_str() else {
            return refused(Reason::Unreadable, "its name is not UTF-8; rename it");
        };
        if entry.file_name().as_encoded_bytes().starts_with(b".") {
            refused(Reason::Hidden, "its name starts with a dot; name it as a source to take it")
        } else if kind.is_symlink() {
            refused(Reason::Link, "a symbolic link; name it as a source to take it")
        } else if kind.is_dir() {
            Item::Folder(path.to_owned())
        } else if kind.is_file() {
            Item::File { path: path.to_owned(), found: true }
        } else {
            refused(Reason::NotText, "no regular file")
        }
    };
    Ok(entries.iter().map(item).collect())
}
