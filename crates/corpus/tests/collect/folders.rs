//! Files and folders.

use std::fs;

use nomen_corpus::collect::{CollectOptions, Outcome, Reason};

use crate::{collect, documents, options, outcomes, skipped, sources, texts};

#[test]
fn folders_are_walked_in_order_and_what_is_left_out_is_counted() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("data");
    fs::create_dir_all(root.join("b")).unwrap();
    fs::create_dir_all(root.join(".git")).unwrap();
    for (name, bytes) in [
        ("c.md", b"# Title\n\ntext c\n".as_slice()),
        ("a.txt", b"\xEF\xBB\xBFtext a\r\nline two\r\n"),
        ("b/1.htm", b"<title>T</title><nav>menu</nav><p>text b1"),
        ("b/2.TXT", b"caf\xE9 au lait, tr\xE8s cher \xE0 la cr\xE9merie fran\xE7aise"),
        ("b/3.txt", b"text a\nline two\n"),
        ("b/4.txt", b" \n"),
        ("d.pdf", b"%PDF"),
        ("e.txt", b"\0\x01\x02"),
        (".hidden.txt", b"hidden"),
        (".git/f.txt", b"hidden"),
    ] {
        fs::write(root.join(name), bytes).unwrap();
    }
    #[cfg(unix)]
    std::os::unix::fs::symlink("/", root.join("z")).unwrap();

    let out = folder.path().join("out.jsonl");
    let name = root.to_str().unwrap();
    let summary = collect(&sources(&[name]), &out, &options()).unwrap();
    assert_eq!(
        texts(&out),
        ["text a\nline two\n", "text b1", "café au lait, très cher à la crémerie française", "# Title\n\ntext c\n"]
    );
    let found = documents(&out);
    assert_eq!(found[0].meta["source"], root.join("a.txt").to_str().unwrap());
    assert_eq!(found[1].meta["title"], "T");
    assert_eq!(found[2].meta["encoding"], "windows-1252");
    assert_eq!(found[3].meta["title"], "Title");
    let count = |reason| summary.skipped.get(&reason).map_or(0, |skips| skips.count);
    assert_eq!((count(Reason::NotText), count(Reason::Duplicate), count(Reason::Empty)), (2, 1, 1));
    assert_eq!((count(Reason::Hidden), count(Reason::Link)), (2, usize::from(cfg!(unix))));
    assert!(!folder.path().join("out.jsonl.part").exists() && !folder.path().join("out.jsonl.state").exists());
}

#[test]
fn all_text_and_patterns_do_what_they_say() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("a.html"), "<nav>menu</nav><p>text</p>").unwrap();
    fs::write(folder.path().join("b.txt"), "other").unwrap();
    let name = folder.path().to_str().unwrap();
    let elsewhere = tempfile::tempdir().unwrap();
    let out = elsewhere.path().join("out");
    let only = CollectOptions { all_text: true, include: vec!["*.html".into()], ..options() };
    let summary = collect(&sources(&[name]), &out, &only).unwrap();
    assert_eq!(texts(&out), ["menu\n\ntext"]);
    assert_eq!(summary.skipped[&Reason::NotIncluded].count, 1);
}

#[test]
fn without_a_text_there_is_no_file() {
    let folder = tempfile::tempdir().unwrap();
    let empty = folder.path().join("empty");
    fs::create_dir(&empty).unwrap();
    let out = folder.path().join("out");
    let summary = collect(&sources(&[empty.to_str().unwrap()]), &out, &options()).unwrap();
    assert_eq!(summary.records, 0);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn a_file_too_large_or_gone_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let large = folder.path().join("large.txt");
    fs::File::create(&large).unwrap().set_len((64 << 20) + 1).unwrap();
    assert_eq!(skipped(large.to_str().unwrap(), &options()).0, Reason::TooLarge);
    let gone = folder.path().join("gone.txt");
    fs::write(&gone, "text").unwrap();
    let named = sources(&[gone.to_str().unwrap()]);
    fs::remove_file(&gone).unwrap();
    let summary = collect(&named, &folder.path().join("out"), &options()).unwrap();
    assert_eq!(summary.skipped[&Reason::Unreadable].count, 1);
}

#[test]
fn a_source_that_is_named_is_taken_though_hidden_or_linked() {
    let folder = tempfile::tempdir().unwrap();
    let hidden = folder.path().join(".hidden.txt");
    fs::write(&hidden, "text").unwrap();
    let all = outcomes(&[hidden.to_str().unwrap()], &options());
    assert!(matches!(all[0].1, Outcome::Kept { .. }));
}
