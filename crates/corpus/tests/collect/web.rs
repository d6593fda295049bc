//! The web: manners, limits and what addresses give.

use std::{
    io::Write as _,
    time::{Duration, Instant},
};

use flate2::{Compression, write::GzEncoder};
use nomen_corpus::collect::{CollectOptions, Outcome, Reason, Source};

use crate::{
    collect, documents, options, outcomes,
    server::{Reply, Server},
    skipped, sources, texts,
};

fn page(name: &str) -> Reply {
    Reply::page(format!("<html lang=en><title>{name}</title><body><p>The text of {name}, which nobody has read yet."))
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut packed = GzEncoder::new(Vec::new(), Compression::best());
    packed.write_all(bytes).unwrap();
    packed.finish().unwrap()
}

fn kept(outcomes: &[(String, Outcome)]) -> Vec<&str> {
    let is_kept = |(_, outcome): &&(String, Outcome)| matches!(outcome, Outcome::Kept { .. });
    outcomes.iter().filter(is_kept).map(|(source, _)| source.as_str()).collect()
}

#[test]
fn a_page_becomes_a_record_that_tells_where_it_is_from() {
    let server = Server::with(vec![
        ("/a", Reply::redirect("b?x=1#part")),
        (
            "/b?x=1",
            Reply::new(
                200,
                "text/html; charset=iso-8859-1",
                b"<html lang=da><title>\xC6r\xF8</title><meta name=date content=2024-05-17><p>Havnen p\xE5 \xC6r\xF8"
                    .as_slice(),
            ),
        ),
    ]);
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out.jsonl");
    let summary = collect(&sources(&[server.at("/a#top")]), &out, &options()).unwrap();
    assert_eq!((summary.records, summary.skipped_count()), (1, 0));
    let document = documents(&out).remove(0);
    assert_eq!(document.text(), "Havnen på Ærø");
    let meta = |key: &str| document.meta.get(key).and_then(|value| value.as_str()).unwrap_or_default().to_owned();
    assert_eq!(meta("source"), server.at("/b?x=1"));
    assert_eq!(meta("title"), "Ærø");
    assert_eq!(meta("date"), "2024-05-17");
    assert_eq!(meta("language"), "da");
    assert_eq!(meta("encoding"), "windows-1252");
    assert_eq!(meta("sha256").len(), 64);
    assert_eq!(server.paths(), ["/robots.txt", "/a", "/b?x=1"]);
}

#[test]
fn sitemaps_indexes_and_feeds_lead_to_pages_of_their_host() {
    let server = Server::start(|path| {
        let sitemap = |part: &str| format!("<?xml version='1.0'?><urlset>{part}</urlset>");
        match path {
            "/index.xml" => Reply::new(
                200,
                "application/xml",
                "<sitemapindex><sitemap><loc>/one.xml</loc></sitemap><sitemap><loc>/two.xml.gz</loc></sitemap></sitemapindex>",
            ),
            "/one.xml" => Reply::new(
                200,
                "text/xml",
                sitemap(
                    "<url><loc>/p/1</loc></url><url><loc>https://other.example/x</loc></url><url><loc>/p/2#a</loc></url>",
                ),
            ),
            "/two.xml.gz" => Reply::new(
                200,
                "application/octet-stream",
                gzip(sitemap("<url><loc>/p/2</loc></url><url><loc>/q/3</loc></url>").as_bytes()),
            ),
            "/feed" => Reply::new(
                200,
                "application/rss+xml",
                "<rss><channel><item><link>/p/4</link></item><item><link>mailto:x</link></item></channel></rss>",
            ),
            path if path.starts_with("/p/") || path.starts_with("/q/") => page(path),
            _ => Reply::missing(),
        }
    });
    let names = [server.at("/index.xml"), server.at("/feed")];
    let all = outcomes(&names, &options());
    assert_eq!(kept(&all), ["/p/1", "/p/2", "/q/3", "/p/4"].map(|path| server.at(path)));
    let reasons: Vec<Reason> = all
        .iter()
        .filter_map(|(_, outcome)| match outcome {
            Outcome::Skipped(skipped) => Some(skipped.reason),
            _ => None,
        })
        .collect();
    assert_eq!(reasons, [Reason::OtherHost, Reason::Unreachable]);
    assert_eq!(server.paths().iter().filter(|path| *path == "/robots.txt").count(), 1, "read once");

    let included = CollectOptions { include: vec!["*/p/*".into()], ..options() };
    assert_eq!(kept(&outcomes(&names, &included)).len(), 3, "patterns choose pages, not sitemaps");
    let limited = CollectOptions { limit: Some(2), ..options() };
    assert_eq!(kept(&outcomes(&names, &limited)).len(), 2);
}

#[test]
fn lists_within_lists_end() {
    let server = Server::start(|path| match path {
        "/robots.txt" => Reply::missing(),
        path => Reply::new(
            200,
            "text/xml",
            format!("<sitemapindex><sitemap><loc>{path}1.xml</loc></sitemap></sitemapindex>"),
        ),
    });
    let all = outcomes(&[server.at("/s")], &options());
    assert!(
        matches!(&all.last().unwrap().1, Outcome::Skipped(skipped) if skipped.reason == Reason::NotText),
        "{all:?}"
    );
    assert_eq!(all.len(), 4);
}

#[test]
fn robots_txt_is_kept_to_and_its_failures_forbid_everything() {
    let of = |robots: fn() -> Reply| {
        let server = Server::start(move |path| if path.ends_with("/robots.txt") { robots() } else { page(path) });
        let all = outcomes(&[server.at("/private/a"), server.at("/public")], &options());
        (kept(&all).len(), server)
    };
    let rules = "User-agent: *\nDisallow: /\n\nUser-agent: nomen\nDisallow: /private\n";
    assert_eq!(of(|| Reply::new(200, "text/plain", "User-agent: *\nDisallow: /")).0, 0);
    assert_eq!(
        of(|| Reply::new(200, "text/plain", "User-agent: *\nDisallow: /\n\nUser-agent: nomen\nDisallow: /private\n")).0,
        1
    );
    assert_eq!(of(Reply::missing).0, 2, "no file forbids nothing");
    assert_eq!(of(|| Reply::new(403, "text/plain", "")).0, 2);
    assert_eq!(of(|| Reply::new(500, "text/plain", "")).0, 0, "a broken server forbids everything");
    assert_eq!(of(|| Reply::new(503, "text/plain", "")).0, 0);
    assert_eq!(of(|| Reply::new(429, "text/plain", "")).0, 0);
    let (found, server) = of(|| Reply::redirect("/x/robots.txt"));
    assert_eq!(found, 2, "more than five redirects are as no file");
    assert_eq!(server.paths().iter().filter(|path| path.ends_with("robots.txt")).count(), 6);
    // 600 KiB: what stands in the first 500 counts.
    let server = Server::start(move |path| match path {
        "/robots.txt" => Reply::new(200, "text/plain", format!("{rules}{}\nDisallow: /public", "#".repeat(600 << 10))),
        path => page(path),
    });
    assert_eq!(kept(&outcomes(&[server.at("/private/a"), server.at("/public")], &options())), [server.at("/public")]);
}

#[test]
fn a_redirect_is_judged_by_the_rules_of_where_it_leads() {
    let target = Server::start(|path| match path {
        "/robots.txt" => Reply::new(200, "text/plain", "User-agent: *\nDisallow: /secret"),
        path => page(path),
    });
    let (open, secret) = (target.at("/open"), target.at("/secret"));
    let server = Server::start(move |path| match path {
        "/open" => Reply::redirect(&open),
        "/secret" => Reply::redirect(&secret),
        "/loop" => Reply::redirect("/loop"),
        "/file" => Reply::redirect("file:///etc/passwd"),
        "/nowhere" => Reply::new(301, "text/plain", ""),
        _ => Reply::missing(),
    });
    assert_eq!(kept(&outcomes(&[server.at("/open")], &options())).len(), 1);
    assert_eq!(skipped(&server.at("/secret"), &options()).0, Reason::Robots);
    assert!(!target.paths().contains(&"/secret".to_owned()));
    let (reason, detail) = skipped(&server.at("/loop"), &options());
    assert!(reason == Reason::Unreachable && detail.contains("more than 5 redirects"), "{detail}");
    assert_eq!(server.paths().iter().filter(|path| *path == "/loop").count(), 6);
    let (reason, detail) = skipped(&server.at("/file"), &options());
    assert!(reason == Reason::Unreachable && detail.contains("refused"), "{detail}");
    assert_eq!(skipped(&server.at("/nowhere"), &options()).0, Reason::Status);
}

#[test]
fn private_addresses_are_not_connected_to() {
    let server = Server::with(vec![("/a", page("/a"))]);
    let public = CollectOptions { allow_private: false, ..options() };
    let port = server.url.rsplit(':').next().unwrap().to_owned();
    for host in [
        "127.0.0.1",
        "localhost",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "0.0.0.0",
        "2130706433",
        "0x7f.1",
        "10.0.0.1",
        "169.254.169.254",
    ] {
        let began = Instant::now();
        let (reason, detail) = skipped(&format!("http://{host}:{port}/a"), &public);
        assert!(reason == Reason::Private && detail.contains("--allow-private"), "{host}: {reason:?} {detail}");
        assert!(began.elapsed() < Duration::from_secs(5), "{host}");
    }
    assert!(server.paths().is_empty(), "{:?}", server.paths());
}

#[test]
fn failures_are_told_and_the_rest_goes_on() {
    let server = Server::with(vec![
        ("/a", page("a")),
        ("/gone", Reply::new(410, "text/html", "gone")),
        ("/broken", Reply::new(500, "text/html", "broken")),
        ("/pdf", Reply::new(200, "application/pdf", "%PDF-1.7")),
        ("/null", Reply::new(200, "text/plain", "a\0b")),
        ("/empty", Reply::page("<script>x</script> &nbsp; ")),
        ("/again", page("a")),
        ("/plain", Reply::new(200, "text/plain", "one\r\ntwo")),
    ]);
    let paths = ["/a", "/gone", "/broken", "/pdf", "/null", "/empty", "/again", "/plain", "/absent"];
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out.jsonl");
    let summary = collect(&sources(&paths.map(|path| server.at(path))), &out, &options()).unwrap();
    assert_eq!(texts(&out)[1], "one\ntwo");
    let counts: Vec<(Reason, usize)> = summary.skipped.iter().map(|(reason, skips)| (*reason, skips.count)).collect();
    assert_eq!(counts, [(Reason::NotText, 2), (Reason::Empty, 1), (Reason::Duplicate, 1), (Reason::Status, 3)]);
    assert_eq!(summary.skipped[&Reason::Status].first[0].detail, "410");
    assert!(summary.skipped[&Reason::Duplicate].first[0].detail.ends_with("/a"));
}

#[test]
fn a_server_that_nobody_listens_at_is_told_as_such() {
    let (reason, detail) = skipped("http://127.0.0.1:9/", &options());
    assert!(reason == Reason::Unreachable && detail.contains("127.0.0.1:9"), "{reason:?} {detail}");
    let (reason, _) = skipped("http://no-such-host.invalid/", &options());
    assert_eq!(reason, Reason::Unreachable);
}

#[test]
fn slow_answers_end_when_patience_does() {
    let drip = |path: &str| match path {
        "/robots.txt" => Reply::missing(),
        _ => Reply { drip: Some(Duration::from_millis(50)), ..page(path) },
    };
    let server = Server::start(drip);
    let began = Instant::now();
    let impatient = CollectOptions { patience: Duration::from_secs(1), ..options() };
    assert_eq!(skipped(&server.at("/a"), &impatient).0, Reason::Unreachable);
    assert!(began.elapsed() < Duration::from_secs(4), "{:?}", began.elapsed());
}

#[test]
fn bombs_and_oversize_answers_are_cut_off() {
    let zeros = vec![b' '; 80 << 20];
    let packed = gzip(&zeros);
    assert!(packed.len() < 1 << 20);
    let twice = packed.clone();
    let server = Server::start(move |path| match path {
        "/coded" => Reply::page("").with("Content-Encoding", "gzip").with("X", "y").body(packed.clone()),
        "/sitemap.xml.gz" => Reply::new(200, "application/gzip", twice.clone()),
        "/large" => Reply::new(200, "text/plain", zeros.clone()),
        "/broken" => Reply::page("not gzip").with("Content-Encoding", "gzip"),
        "/coded-well" => Reply::page("").with("Content-Encoding", "gzip").body(gzip(b"<p>well")),
        _ => Reply::missing(),
    });
    for path in ["/coded", "/sitemap.xml.gz", "/large"] {
        assert_eq!(skipped(&server.at(path), &options()).0, Reason::TooLarge, "{path}");
    }
    assert_eq!(skipped(&server.at("/broken"), &options()).0, Reason::Unreachable);
    assert_eq!(kept(&outcomes(&[server.at("/coded-well")], &options())).len(), 1);
}

#[test]
fn a_host_is_asked_with_pauses_and_a_busy_one_again() {
    let server = Server::start({
        let busy = std::sync::atomic::AtomicBool::new(true);
        move |path| match path {
            "/robots.txt" => Reply::new(200, "text/plain", "User-agent: *\nCrawl-delay: 0.3"),
            "/busy" if busy.swap(false, std::sync::atomic::Ordering::SeqCst) => {
                Reply::new(503, "text/plain", "").with("Retry-After", "1")
            }
            path => page(path),
        }
    });
    let polite = CollectOptions { rate: Duration::from_millis(100), ..options() };
    let all = outcomes(&[server.at("/a"), server.at("/b"), server.at("/busy")], &polite);
    assert_eq!(kept(&all).len(), 3);
    let times = server.times();
    let pauses: Vec<Duration> = times.windows(2).map(|pair| pair[1] - pair[0]).collect();
    // Between robots.txt and the first page the delay is known already.
    assert!(pauses.iter().all(|pause| *pause >= Duration::from_millis(295)), "{pauses:?}");
    assert!(pauses.last().unwrap() >= &Duration::from_millis(995), "{pauses:?}");
    let server = Server::start(|path| match path {
        "/robots.txt" => Reply::new(200, "text/plain", "User-agent: *\nCrawl-delay: 86400"),
        path => page(path),
    });
    assert_eq!(skipped(&server.at("/a"), &options()).0, Reason::Robots, "a day between two requests is a no");
}

#[test]
fn sources_are_judged_by_their_names() {
    assert!(
        matches!(Source::named("https://example.org/a#b").unwrap(), Source::Address(url) if url.as_str() == "https://example.org/a")
    );
    for (name, part) in
        [("ftp://a/b", "https://"), ("no-such-file.txt", "https://"), ("http://", "no address"), ("", "")]
    {
        let message = Source::named(name).unwrap_err().to_string();
        assert!(message.contains(name) && message.contains(part), "{message}");
    }
}
