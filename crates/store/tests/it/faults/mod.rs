//! What must survive: processes killed while they write, disks that fill up, people who are in each other's way.
//!
//! The numbers are small in an ordinary run. `NOMEN_FAULTS=full` takes those of the table of faults.

mod child;
mod contention;
mod disk;
mod killed;
mod migration;

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
    process::Command,
};

use nomen_store::{Layer, Project, Store};
use sqlx::{Connection as _, Row as _};

/// Few in an ordinary run, many where asked for.
pub fn times(few: u32, many: u32) -> u32 {
    if std::env::var("NOMEN_FAULTS").is_ok_and(|wish| wish == "full") { many } else { few }
}

/// The library that lets writing calls fail, built into a folder.
pub fn shim(folder: &Path) -> PathBuf {
    let (source, library) = (folder.join("shim.c"), folder.join("shim.so"));
    std::fs::write(&source, include_str!("shim.c")).unwrap();
    let built =
        Command::new("cc").args(["-shared", "-fPIC", "-O1", "-o"]).arg(&library).arg(&source).arg("-ldl").status();
    assert!(built.unwrap().success());
    library
}

/// The file is a whole database by `SQLite`'s own judgement.
pub async fn is_whole(path: &Path) {
    sqlx::any::install_default_drivers();
    let mut connection = sqlx::AnyConnection::connect(&format!("sqlite://{}", path.display())).await.unwrap();
    let verdict: String = sqlx::query("PRAGMA integrity_check").fetch_one(&mut connection).await.unwrap().get(0);
    assert_eq!(verdict, "ok");
    let strays = sqlx::query("PRAGMA foreign_key_check").fetch_all(&mut connection).await.unwrap();
    assert!(strays.is_empty());
    connection.close().await.unwrap();
}

/// Every acknowledged save, by what its child said: `saved NUMBER REVISION KEY` or `conflict NUMBER - KEY`.
pub async fn are_there(store: &Store, project: &Project, told: &[String]) {
    let mut histories: HashMap<u32, HashMap<String, u32>> = HashMap::new();
    for number in 1..=store.document_count(project.id).await.unwrap() {
        let history = store.history(project.id, number, Layer::First).await.unwrap();
        for (revision, expected) in history.iter().zip(1..) {
            assert_eq!((revision.number, revision.parent), (expected, expected - 1), "document {number} has no gaps");
        }
        let task = store.task(project.id, number, Layer::First).await.unwrap();
        assert_eq!(task.head as usize, history.len(), "the head of document {number} is its last revision");
        let keys = history.into_iter().map(|revision| (revision.key, revision.number)).collect();
        histories.insert(number, keys);
    }
    let lost = store.conflicts(project.id, None, false).await.unwrap();
    let lost: HashMap<(u32, &str), u32> = lost.iter().map(|lost| ((lost.document, lost.key.as_str()), 1)).collect();
    for line in told {
        let words: Vec<&str> = line.split(' ').collect();
        let number: u32 = words[1].parse().unwrap();
        match words[0] {
            "saved" => assert_eq!(histories[&number].get(words[3]), Some(&words[2].parse().unwrap()), "{line}"),
            _ => assert!(lost.contains_key(&(number, words[3])), "{line}"),
        }
    }
}
