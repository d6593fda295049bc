//! The cache tells damage, aliases try it for every source, folders are used in place.

use std::fs;

use nomen_model::base::{ALIASES, BaseSpec, Options, Progress, SourceError, fetch};

use super::bases::{alias, options, sharded, tiny, visible, write};
use super::server::{Server, reply, repository};

#[test]
fn a_damaged_entry_is_refused_offline_and_fetched_anew_online() {
    let (server, cache) = (Server::start(repository(tiny())), tempfile::tempdir().unwrap());
    let online = options(cache.path(), &server.url);
    let offline = Options { offline: true, ..online.clone() };
    let spec: BaseSpec = "hf:tiny/base".parse().unwrap();
    let weights = fetch(&spec, &online, &mut |_| ()).unwrap().path.join("model.safetensors");
    let whole = fs::read(&weights).unwrap();

    let mut flipped = whole.clone();
    *flipped.last_mut().unwrap() ^= 1;
    for (damage, said) in [(&flipped[..], "SHA-256"), (&whole[..100], "has 100 bytes"), (&[], "has 0 bytes")] {
        fs::write(&weights, damage).unwrap();
        let error = fetch(&spec, &offline, &mut |_| ()).unwrap_err();
        assert_eq!(error.tried.len(), 2);
        assert!(error.to_string().contains(said) && error.to_string().contains("offline"), "{error}");

        let mut heard = Vec::new();
        let base = fetch(&spec, &online, &mut |progress| {
            if let Progress::Failed { source, reason } = progress {
                heard.push(format!("{source}: {reason}"));
            }
        })
        .unwrap();
        assert_eq!(heard.len(), 1);
        assert!(heard[0].starts_with("cache ") && heard[0].contains(said), "{heard:?}");
        assert_eq!(fs::read(base.path.join("model.safetensors")).unwrap(), whole);
        assert_eq!(visible(cache.path()), ["hf--tiny--base"]);
    }
    fs::remove_file(&weights).unwrap();
    assert!(fetch(&spec, &offline, &mut |_| ()).is_err());
    fs::write(weights.with_file_name("nomen-base.json"), "{").unwrap();
    assert!(fetch(&spec, &offline, &mut |_| ()).unwrap_err().to_string().contains("nomen-base.json"));
    assert!(fetch(&spec, &online, &mut |_| ()).is_ok());
}

#[test]
fn a_cached_base_that_breaks_an_alias_pin_is_not_taken_for_it() {
    let (server, cache) = (Server::start(repository(tiny())), tempfile::tempdir().unwrap());
    let options = options(cache.path(), &server.url);
    fetch(&"hf:tiny/base".parse().unwrap(), &options, &mut |_| ()).unwrap();
    let mut others = tiny();
    others.get_mut("tokenizer.json").unwrap().push(b' ');
    for pinned in [alias(&others, &["hf:tiny/base"]), alias(&tiny(), &["hf:tiny/base"])] {
        let found = fetch(&BaseSpec::Alias(pinned), &Options { offline: true, ..options.clone() }, &mut |_| ());
        assert_eq!(found.is_ok(), pinned == alias(&tiny(), &[]) && pinned.sums == alias(&tiny(), &[]).sums);
    }
}

#[test]
fn an_alias_tries_its_sources_in_order_and_lists_each_failure() {
    let server = Server::start(|_| reply(503, &[], b""));
    let cache = tempfile::tempdir().unwrap();
    let pinned = BaseSpec::Alias(alias(&tiny(), &["hf:tiny/base", "hf:tiny/mirror", "pip:tiny==1"]));
    let mut heard = Vec::new();
    let error = fetch(&pinned, &options(cache.path(), &server.url), &mut |progress| match progress {
        Progress::Trying { source } => heard.push(format!("trying {source}")),
        Progress::Failed { source, .. } => heard.push(format!("failed {source}")),
        _ => {}
    })
    .unwrap_err();
    let sources = ["hf:tiny/base", "hf:tiny/mirror", "pip:tiny==1"];
    assert_eq!(heard, sources.map(|source| [format!("trying {source}"), format!("failed {source}")]).concat());
    assert_eq!(error.tried.iter().map(|(source, _)| source.as_str()).collect::<Vec<_>>(), sources);
    let message = error.to_string();
    assert!(message.contains("`tiny`") && message.contains("503") && message.contains("no pip"), "{message}");
    assert_eq!(visible(cache.path()), Vec::<String>::new());
}

#[test]
fn an_alias_is_found_in_the_cache_under_any_of_its_sources() {
    let (server, cache) = (Server::start(repository(tiny())), tempfile::tempdir().unwrap());
    let options = options(cache.path(), &server.url);
    let pinned = BaseSpec::Alias(alias(&tiny(), &["hf:tiny/absent", "hf:tiny/base"]));
    let base = fetch(&pinned, &options, &mut |_| ()).unwrap();
    assert_eq!(base.source, "hf:tiny/base".parse().unwrap());
    assert_eq!((base.spec.clone(), base.licence.as_deref()), (pinned.clone(), Some("CC0-1.0")));
    let asked = server.paths().len();
    assert_eq!(fetch(&pinned, &options, &mut |_| ()).unwrap(), base);
    assert_eq!(server.paths().len(), asked);
}

#[test]
fn two_fetches_at_once_leave_one_whole_entry() {
    let (server, cache) = (Server::start(repository(tiny())), tempfile::tempdir().unwrap());
    let options = options(cache.path(), &server.url);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| fetch(&"hf:tiny/base".parse().unwrap(), &options, &mut |_| ()));
        }
    });
    assert_eq!(visible(cache.path()), ["hf--tiny--base"]);
    let offline = Options { offline: true, ..options };
    assert!(fetch(&"hf:tiny/base".parse().unwrap(), &offline, &mut |_| ()).is_ok());
}

#[test]
fn a_folder_is_used_in_place_after_the_same_checks() {
    for files in [tiny(), sharded()] {
        let (folder, cache) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        write(&files, folder.path());
        let spec = BaseSpec::Path(folder.path().to_owned());
        let offline = Options { offline: true, ..options(cache.path(), "http://127.0.0.1:9") };
        let base = fetch(&spec, &offline, &mut |_| ()).unwrap();
        assert_eq!((&base.path, &base.spec, &base.source), (&folder.path().to_owned(), &spec, &spec));
        assert_eq!(base.files.iter().map(|file| &file.name).collect::<Vec<_>>(), files.keys().collect::<Vec<_>>());
        assert_eq!(base.licence.as_deref(), Some("apache-2.0"));
        assert!(visible(cache.path()).is_empty());
    }
}

#[test]
fn a_folder_that_is_no_base_is_told_what_it_lacks() {
    let offline = Options { offline: true, ..options("cache".as_ref(), "http://127.0.0.1:9") };
    let reason = |without: &str, with: Option<(&str, &str)>| {
        let folder = tempfile::tempdir().unwrap();
        let mut files = tiny();
        files.remove(without);
        files.extend(with.map(|(name, text)| (name.to_owned(), text.into())));
        write(&files, folder.path());
        fetch(&BaseSpec::Path(folder.path().to_owned()), &offline, &mut |_| ()).unwrap_err().to_string()
    };
    assert!(reason("config.json", None).contains("config.json is missing"));
    assert!(reason("tokenizer.json", None).contains("use_fast=True"));
    assert!(reason("model.safetensors", None).contains("model.safetensors"));
    assert!(reason("model.safetensors", Some(("pytorch_model.bin", ""))).contains("safe_serialization=True"));
    assert!(reason("", Some(("config.json", r#"{"auto_map": {"AutoModel": "x.Y"}}"#))).contains("auto_map"));
    assert!(reason("", Some(("tokenizer.json", "oops"))).contains("tokenizer.json: not JSON"));
    let absent = fetch(&"path:absent/folder".parse().unwrap(), &offline, &mut |_| ()).unwrap_err();
    assert!(matches!(&absent.tried[0].1, SourceError::Io { path, .. } if path.ends_with("absent/folder")));
}

/// The one alias of the table, from its real sources. CI runs it with `--include-ignored`.
#[test]
#[ignore = "downloads 84 MB: run with `--include-ignored`"]
fn minilm_is_fetched_from_one_of_its_sources_with_every_pin() {
    let cache = tempfile::tempdir().unwrap();
    let options = Options { cache: cache.path().to_owned(), offline: false, ..Options::from_env() };
    let spec: BaseSpec = "minilm".parse().unwrap();
    let base = fetch(&spec, &options, &mut |_| ()).unwrap();
    assert_eq!(base.licence.as_deref(), Some("Apache-2.0"));
    for (name, sum) in ALIASES[0].sums {
        assert!(base.files.iter().any(|file| file.name == *name && file.sha256 == *sum), "{name}");
    }
    let weights = nomen_model::weights::Weights::open(&base.path).unwrap();
    assert_eq!(weights.f32("embeddings.word_embeddings.weight", &[30522, 384]).unwrap().len(), 30522 * 384);
    assert_eq!(fetch(&spec, &Options { offline: true, ..options }, &mut |_| ()).unwrap(), base);
}
