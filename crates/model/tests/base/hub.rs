//! Fetching from the Hub: whole or not at all, and no longer than a few seconds without an answer.

use std::fs;
use std::time::{Duration, Instant};

use nomen_model::base::{BaseSpec, FetchError, Options, Progress, SourceError, fetch};
use nomen_model::weights::Weights;

use super::bases::{Files, alias, options, sha256, sharded, tiny, visible};
use super::server::{Reply, Server, reply, repository};

const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";

fn tiny_spec() -> BaseSpec {
    "hf:tiny/base".parse().unwrap()
}

/// The one source's reason to fail; nothing may be left in the cache.
fn refused(spec: &BaseSpec, options: &Options) -> SourceError {
    let FetchError { mut tried, .. } = fetch(spec, options, &mut |_| ()).expect_err("the fetch fails");
    assert_eq!(visible(&options.cache), Vec::<String>::new());
    assert_eq!(tried.len(), 1, "{tried:?}");
    tried.remove(0).1
}

fn refused_from(files: Files) -> SourceError {
    let (server, cache) = (Server::start(repository(files)), tempfile::tempdir().unwrap());
    refused(&tiny_spec(), &options(cache.path(), &server.url))
}

#[test]
fn a_base_is_fetched_whole_and_the_second_time_from_the_cache() {
    let (server, cache) = (Server::start(repository(tiny())), tempfile::tempdir().unwrap());
    let options = options(cache.path(), &server.url);
    let mut bytes = 0;
    let base = fetch(&tiny_spec(), &options, &mut |progress| {
        if let Progress::Bytes { file: "model.safetensors", done, total } = progress {
            assert_eq!(total, Some(tiny()["model.safetensors"].len() as u64));
            bytes = done;
        }
    })
    .unwrap();
    assert_eq!(bytes, tiny()["model.safetensors"].len() as u64);
    assert_eq!(base.licence.as_deref(), Some("apache-2.0"));
    assert_eq!((&base.spec, &base.source, &base.commit), (&tiny_spec(), &tiny_spec(), &None));
    assert!(base.path.starts_with(cache.path()));
    let names: Vec<_> = base.files.iter().map(|file| file.name.as_str()).collect();
    assert_eq!(names, tiny().keys().collect::<Vec<_>>());
    for file in &base.files {
        assert_eq!(fs::read(base.path.join(&file.name)).unwrap(), tiny()[&file.name]);
        assert_eq!(file.sha256, sha256(&tiny()[&file.name]));
    }
    assert_eq!(visible(cache.path()), ["hf--tiny--base"]);

    let asked = server.paths().len();
    let again = fetch(&tiny_spec(), &Options { offline: true, ..options }, &mut |_| ()).unwrap();
    assert_eq!(again, base);
    assert_eq!(server.paths().len(), asked, "the cache needs no server");
}

#[test]
fn files_that_a_repository_may_lack_are_not_missed() {
    let mut files = tiny();
    files.retain(|name, _| ["config.json", "tokenizer.json", "model.safetensors"].contains(&name.as_str()));
    let (server, cache) = (Server::start(repository(files)), tempfile::tempdir().unwrap());
    let base = fetch(&tiny_spec(), &options(cache.path(), &server.url), &mut |_| ()).unwrap();
    assert_eq!((base.files.len(), base.licence), (3, None));
}

#[test]
fn shards_are_fetched_with_their_index() {
    let (server, cache) = (Server::start(repository(sharded())), tempfile::tempdir().unwrap());
    let base = fetch(&tiny_spec(), &options(cache.path(), &server.url), &mut |_| ()).unwrap();
    let weights = Weights::open(&base.path).unwrap();
    assert_eq!(weights.f32("b", &[2, 64]).unwrap()[127], 127.0);
    assert_eq!(base.files.len(), 8);

    let mut lacking = sharded();
    lacking.remove("model-00002-of-00002.safetensors");
    assert!(matches!(refused_from(lacking), SourceError::Status { status: 404, .. }));
}

/// A number that looks random, by the last steps of `SplitMix64`.
fn scattered(index: u64) -> u64 {
    let mut bits = index.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}

/// Row D6: wherever a download is cut, nothing is left that could be taken for a base.
#[test]
fn a_hundred_cut_downloads_leave_nothing_visible() {
    let cache = tempfile::tempdir().unwrap();
    let whole = {
        let (server, cache) = (Server::start(repository(tiny())), tempfile::tempdir().unwrap());
        fetch(&tiny_spec(), &options(cache.path(), &server.url), &mut |_| ()).unwrap();
        server.sent.load(std::sync::atomic::Ordering::SeqCst)
    };
    let small = whole - tiny()["model.safetensors"].len() as u64;
    for cut in 0..100 {
        // Half of the cuts fall into the heads and small files, which are a small part of the bytes.
        let limit = scattered(cut) % if cut % 2 == 0 { small } else { whole };
        let server = Server::dying_after(limit, repository(tiny()));
        match refused(&tiny_spec(), &options(cache.path(), &server.url)) {
            SourceError::Cut { .. } | SourceError::Unreachable { .. } => {}
            other => panic!("cut at {limit} of {whole}: {other}"),
        }
    }
    let server = Server::dying_after(whole, repository(tiny()));
    fetch(&tiny_spec(), &options(cache.path(), &server.url), &mut |_| ()).unwrap();
    assert_eq!(visible(cache.path()), ["hf--tiny--base"]);
}

#[test]
fn a_cut_chunked_answer_is_noticed() {
    let files = tiny();
    let server = Server::start(move |request| {
        let name = request.path.rsplit('/').next().unwrap();
        let body = &files[name];
        let mut bytes =
            format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{:x}\r\n", body.len()).into_bytes();
        bytes.extend(body);
        bytes.extend(b"\r\n");
        if name == "model.safetensors" {
            return Reply::Last(bytes);
        }
        bytes.extend(b"0\r\n\r\n");
        Reply::Bytes(bytes)
    });
    let cache = tempfile::tempdir().unwrap();
    let reason = refused(&tiny_spec(), &options(cache.path(), &server.url));
    assert!(reason.to_string().contains("model.safetensors"), "{reason}");
}

#[test]
fn an_answer_of_unknown_length_is_refused() {
    let server = Server::start(|_| Reply::Last(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n{}".to_vec()));
    let cache = tempfile::tempdir().unwrap();
    let reason = refused(&tiny_spec(), &options(cache.path(), &server.url));
    assert!(matches!(reason, SourceError::NoLength { .. }), "{reason}");
}

/// Row D5: each pinned file, and each field of the pinned configuration.
#[test]
fn a_file_with_another_sum_than_its_pin_is_refused_with_both() {
    for name in ["model.safetensors", "tokenizer.json"] {
        let mut files = tiny();
        files.get_mut(name).unwrap().push(b' ');
        let (server, cache) = (Server::start(repository(files.clone())), tempfile::tempdir().unwrap());
        let pinned = BaseSpec::Alias(alias(&tiny(), &["hf:tiny/base"]));
        let reason = refused(&pinned, &options(cache.path(), &server.url));
        let message = reason.to_string();
        for part in [name, &sha256(&tiny()[name]), &sha256(&files[name])] {
            assert!(message.contains(part), "{message}");
        }
        assert!(matches!(reason, SourceError::Hash { .. }));
    }
    let mut files = tiny();
    files.insert("config.json".to_owned(), br#"{"model_type": "bert", "hidden_size": 65}"#.to_vec());
    let (server, cache) = (Server::start(repository(files)), tempfile::tempdir().unwrap());
    let pinned = BaseSpec::Alias(alias(&tiny(), &["hf:tiny/base"]));
    let message = refused(&pinned, &options(cache.path(), &server.url)).to_string();
    assert!(message.contains("`hidden_size` is 65, expected 64"), "{message}");
    assert_eq!(server.paths().len(), 1, "a wrong configuration costs one small file");
}

#[test]
fn a_pinned_file_that_is_not_there_is_not_overlooked() {
    let (server, cache) = (Server::start(repository(sharded())), tempfile::tempdir().unwrap());
    let pinned = BaseSpec::Alias(alias(&tiny(), &["hf:tiny/base"]));
    let reason = refused(&pinned, &options(cache.path(), &server.url));
    assert!(matches!(&reason, SourceError::Missing { file } if file == "model.safetensors"), "{reason}");
}

/// As the Hub answers: small files through a relative redirect, large ones from another host, and the first head tells
/// the commit and the large file's sum.
fn like_the_hub(announced: String) -> (Server, Server) {
    let files = tiny();
    let store = Server::start(move |_| reply(200, &["X-Repo-Commit: f".to_owned()], &tiny()["model.safetensors"]));
    let elsewhere = format!("Location: {}/blob", store.url);
    let hub = Server::start(move |request| {
        let head = [format!("X-Repo-Commit: {COMMIT}"), format!("X-Linked-Etag: \"{announced}\"")];
        let (path, name) = request.path.rsplit_once('/').unwrap();
        if path == "/cache" {
            return reply(200, &[], &files[name]);
        }
        match name {
            "model.safetensors" => reply(302, &[&head[..], std::slice::from_ref(&elsewhere)].concat(), b"moved"),
            _ => reply(307, &[head[0].clone(), format!("Location: /cache/{name}")], b""),
        }
    });
    (hub, store)
}

#[test]
fn redirects_are_followed_within_one_commit_and_the_token_stays_with_the_hub() {
    let (hub, store) = like_the_hub(sha256(&tiny()["model.safetensors"]));
    let cache = tempfile::tempdir().unwrap();
    let options = Options { hub_token: Some("secret".to_owned()), ..options(cache.path(), &hub.url) };
    let base = fetch(&tiny_spec(), &options, &mut |_| ()).unwrap();
    assert_eq!(base.commit.as_deref(), Some(COMMIT));
    let paths = hub.paths();
    assert_eq!(paths[0], "/tiny/base/resolve/main/config.json");
    let resolved = paths.iter().skip(1).filter(|path| path.starts_with("/tiny"));
    assert!(resolved.clone().count() > 1);
    for path in resolved {
        assert!(path.starts_with(&format!("/tiny/base/resolve/{COMMIT}/")), "{path}");
    }
    assert!(hub.seen.lock().unwrap().iter().all(|request| request.token.as_deref() == Some("Bearer secret")));
    assert!(store.seen.lock().unwrap().iter().all(|request| request.token.is_none()));
    assert_eq!(store.paths(), ["/blob"]);
}

#[test]
fn a_file_with_another_sum_than_the_hub_announced_is_refused() {
    let (hub, _store) = like_the_hub("ab".repeat(32));
    let cache = tempfile::tempdir().unwrap();
    let reason = refused(&tiny_spec(), &options(cache.path(), &hub.url));
    assert!(matches!(&reason, SourceError::Hash { expected, .. } if *expected == "ab".repeat(32)), "{reason}");
}

#[test]
fn endless_redirects_end() {
    let server = Server::start(|request| reply(302, &[format!("Location: {}", request.path)], b""));
    let cache = tempfile::tempdir().unwrap();
    let reason = refused(&tiny_spec(), &options(cache.path(), &server.url));
    assert!(reason.to_string().contains("redirects"), "{reason}");
}

#[test]
fn a_revision_is_one_part_of_the_path() {
    let (server, cache) = (Server::start(repository(tiny())), tempfile::tempdir().unwrap());
    let spec: BaseSpec = "hf:tiny/base@refs/pr/1".parse().unwrap();
    let reason = refused(&spec, &options(cache.path(), &server.url));
    assert!(matches!(reason, SourceError::Status { status: 404, .. }), "{reason}");
    assert_eq!(server.paths(), ["/tiny/base/resolve/refs%2Fpr%2F1/config.json"]);
}

#[test]
fn statuses_come_with_advice() {
    for (status, advice) in
        [(401, "HF_TOKEN"), (403, "HF_TOKEN"), (404, "no such repository"), (429, "too many"), (503, "503")]
    {
        let (server, cache) = (Server::start(move |_| reply(status, &[], b"no")), tempfile::tempdir().unwrap());
        let reason = refused(&tiny_spec(), &options(cache.path(), &server.url));
        assert!(matches!(reason, SourceError::Status { status: found, .. } if found == status));
        assert!(reason.to_string().contains(advice), "{reason}");
    }
}

/// Row D2, before anything large has come.
#[test]
fn repositories_that_would_run_code_are_refused_with_the_way_out() {
    let mut files = tiny();
    files.remove("model.safetensors");
    files.insert("pytorch_model.bin".to_owned(), b"cos\nsystem\n".to_vec());
    let reason = refused_from(files);
    assert!(matches!(&reason, SourceError::OnlyPickle { file } if file == "pytorch_model.bin"), "{reason}");
    assert!(reason.to_string().contains("save_pretrained(FOLDER, safe_serialization=True)"), "{reason}");

    let mut files = tiny();
    files.insert("config.json".to_owned(), br#"{"auto_map": {"AutoModel": "modeling.Model"}}"#.to_vec());
    assert!(refused_from(files).to_string().contains("auto_map"));

    let mut files = tiny();
    files.remove("model.safetensors");
    assert!(matches!(refused_from(files), SourceError::Missing { .. }));
}

#[test]
fn a_login_page_in_place_of_the_files_is_told_as_such() {
    let (server, cache) = (Server::start(|_| reply(200, &[], b"<html>Log in</html>")), tempfile::tempdir().unwrap());
    let reason = refused(&tiny_spec(), &options(cache.path(), &server.url));
    assert!(matches!(&reason, SourceError::NotJson { file, .. } if file == "config.json"), "{reason}");
    assert!(reason.to_string().contains("login page"), "{reason}");
}

#[test]
fn weights_that_are_not_sound_are_never_published() {
    let mut files = tiny();
    files.insert("model.safetensors".to_owned(), b"version https://git-lfs.github.com/spec/v1\n".to_vec());
    assert!(matches!(refused_from(files), SourceError::Weights(_)));
}

#[test]
fn a_source_that_accepts_and_says_nothing_costs_a_few_seconds() {
    let (server, cache) = (Server::start(|_| Reply::Silence(Vec::new())), tempfile::tempdir().unwrap());
    let start = Instant::now();
    let reason = refused(&tiny_spec(), &options(cache.path(), &server.url));
    assert!(start.elapsed() < Duration::from_secs(8), "{:?}", start.elapsed());
    assert!(matches!(reason, SourceError::Unreachable { .. }), "{reason}");
}

#[test]
fn a_source_that_falls_silent_in_a_file_is_given_up() {
    let server = Server::start(|_| Reply::Silence(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{".to_vec()));
    let cache = tempfile::tempdir().unwrap();
    let mut options = options(cache.path(), &server.url);
    options.patience.stall = Duration::from_millis(300);
    let start = Instant::now();
    let reason = refused(&tiny_spec(), &options);
    assert!(start.elapsed() < Duration::from_secs(5), "{:?}", start.elapsed());
    assert!(reason.to_string().contains("config.json"), "{reason}");
}

#[test]
fn a_source_that_is_not_there_fails_at_once_and_offline_asks_nothing() {
    let cache = tempfile::tempdir().unwrap();
    let start = Instant::now();
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let mut options = options(cache.path(), &format!("http://{closed}"));
    assert!(matches!(refused(&tiny_spec(), &options), SourceError::Unreachable { .. }));
    options.offline = true;
    assert!(matches!(refused(&tiny_spec(), &options), SourceError::Offline { .. }));
    assert!(start.elapsed() < Duration::from_secs(4), "{:?}", start.elapsed());
}
