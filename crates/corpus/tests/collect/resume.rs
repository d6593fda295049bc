//! A run that was ended at any point, and begun again.

use std::{
    fs,
    path::{Path, PathBuf},
};

use nomen_corpus::collect::{CollectError, CollectOptions, Collector, Source};

use crate::{
    collect, options, rows,
    server::{Reply, Server},
    sources,
};

/// Sources of every kind: a folder with duplicates and files that are no text, and a sitemap with pages and failures.
fn everything(folder: &Path) -> (Server, Vec<Source>) {
    let root = folder.join("data");
    fs::create_dir_all(root.join("b")).unwrap();
    for (name, text) in [("a.txt", "one"), ("b/x.txt", "two Ærø 😀\nthree"), ("b/y.txt", "one"), ("c.pdf", "")] {
        fs::write(root.join(name), text).unwrap();
    }
    let server = Server::start(|path| match path {
        "/s.xml" => Reply::new(
            200,
            "text/xml",
            "<urlset><url><loc>/1</loc></url><url><loc>/gone</loc></url><url><loc>/2</loc></url><url><loc>/1</loc></url></urlset>",
        ),
        "/1" | "/2" => Reply::page(format!("<p>page {path}")),
        _ => Reply::missing(),
    });
    let named = sources(&[root.to_str().unwrap().to_owned(), server.at("/s.xml"), server.at("/2")]);
    (server, named)
}

fn beside(out: &Path, extension: &str) -> PathBuf {
    PathBuf::from(format!("{}{extension}", out.display()))
}

#[test]
fn a_run_ended_between_any_two_steps_gives_the_rows_of_one_run() {
    let folder = tempfile::tempdir().unwrap();
    let (_server, named) = everything(folder.path());
    let whole = folder.path().join("whole.jsonl");
    let one = collect(&named, &whole, &options()).unwrap();
    assert_eq!((one.records, one.skipped_count()), (4, 3));
    for steps in 0.. {
        let out = folder.path().join(format!("{steps}.jsonl"));
        let mut collector = Collector::open(&named, &out, options()).unwrap();
        let ended = (0..steps).any(|_| collector.step().unwrap().is_none());
        drop(collector);
        assert!(!out.exists());
        assert_eq!(collect(&named, &out, &options()).unwrap(), one, "{steps}");
        assert_eq!(rows(&out), rows(&whole), "{steps}");
        if ended {
            return;
        }
    }
}

#[test]
fn a_run_ended_within_any_write_gives_the_rows_of_one_run() {
    let folder = tempfile::tempdir().unwrap();
    let (_server, named) = everything(folder.path());
    let (whole, out) = (folder.path().join("whole.jsonl"), folder.path().join("out.jsonl"));
    collect(&named, &whole, &options()).unwrap();
    let expected = rows(&whole);
    // The files as the last step leaves them.
    let mut collector = Collector::open(&named, &out, options()).unwrap();
    while collector.step().unwrap().is_some() {}
    drop(collector);
    let (part, state) = (beside(&out, ".part"), beside(&out, ".state"));
    let [all_rows, all_lines] = [&part, &state].map(|path| fs::read(path).unwrap());
    // A row is written before its line: at every length of the journal the rows are at least as long as it says, and
    // of the next row any part may be there. Shorter rows are those of a disk that lost them.
    for (index, length) in (0..=all_lines.len()).step_by(31).enumerate() {
        let cut = all_rows.len() * (index % 5) / 4;
        fs::write(&state, &all_lines[..length]).unwrap();
        fs::write(&part, &all_rows[..cut]).unwrap();
        collect(&named, &out, &options()).unwrap();
        assert_eq!(rows(&out), expected, "journal cut at {length}, rows at {cut}");
        fs::remove_file(&out).unwrap();
    }
}

#[test]
fn a_run_ended_after_its_last_step_is_done() {
    let folder = tempfile::tempdir().unwrap();
    let (_server, named) = everything(folder.path());
    let out = folder.path().join("out.jsonl");
    let mut collector = Collector::open(&named, &out, options()).unwrap();
    while collector.step().unwrap().is_some() {}
    let summary = collector.summary().clone();
    drop(collector);
    // The output has its name, and the journal is still there.
    fs::rename(beside(&out, ".part"), &out).unwrap();
    let before = fs::read(&out).unwrap();
    assert_eq!(collect(&named, &out, &options()).unwrap(), summary);
    assert_eq!(fs::read(&out).unwrap(), before);
    assert!(!beside(&out, ".state").exists());
    assert!(matches!(collect(&named, &out, &options()), Err(CollectError::Exists { .. })));
}

#[test]
fn another_collection_into_the_same_file_is_refused_and_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let (_server, named) = everything(folder.path());
    let out = folder.path().join("out.jsonl");
    let mut collector = Collector::open(&named, &out, options()).unwrap();
    for _ in 0..4 {
        collector.step().unwrap();
    }
    let in_use = Collector::open(&named, &out, options()).unwrap_err();
    assert!(matches!(in_use, CollectError::InUse { .. }), "{in_use}");
    drop(collector);
    let before = ["part", "state"].map(|end| fs::read(beside(&out, &format!(".{end}"))).unwrap());
    let other = CollectOptions { all_text: true, ..options() };
    for (sources, options, word) in [(&named[1..], options(), "sources"), (&named[..], other, "options")] {
        let error = Collector::open(sources, &out, options).unwrap_err().to_string();
        assert!(error.contains(word) && error.contains("out.jsonl.state"), "{error}");
    }
    assert_eq!(["part", "state"].map(|end| fs::read(beside(&out, &format!(".{end}"))).unwrap()), before);

    fs::write(beside(&out, ".state"), "{\"broken\":\n{}\n").unwrap();
    let error = Collector::open(&named, &out, options()).unwrap_err().to_string();
    assert!(error.contains("out.jsonl.state:1") && error.contains("remove it"), "{error}");

    fs::write(folder.path().join("there"), "precious").unwrap();
    let error = collect(&named, &folder.path().join("there"), &options()).unwrap_err();
    assert!(matches!(error, CollectError::Exists { .. }));
    assert_eq!(fs::read_to_string(folder.path().join("there")).unwrap(), "precious");
}
