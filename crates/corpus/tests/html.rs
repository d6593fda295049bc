//! Web pages: what is text and what is not, and what hostile markup costs; a process of its own, because its memory is
//! measured.
#![allow(clippy::unwrap_used)] // helpers of tests are tests

use std::{
    sync::LazyLock,
    time::{Duration, Instant},
};

use nomen_corpus::html::{HtmlError, Scope, page};
use proptest::prelude::*;

const SENTENCE: &str =
    "The harbour of Ærøskøbing was dredged in the spring of 1913, and Anna Smith wrote about it at length.";

fn main_text(html: &str) -> String {
    page(html, Scope::Main).unwrap().text
}

fn all_text(html: &str) -> String {
    page(html, Scope::All).unwrap().text
}

#[track_caller]
fn news_page() -> String {
    format!(
        "<!DOCTYPE html><html lang=en-GB><head><title>Harbour dredged | The Island News</title>
        <link rel='canonical' href='https://news.example/harbour'>
        <meta property=article:published_time content='1913-05-17T08:30:00Z'>
        <style>p {{ color: red }}</style><script>var text = '<p>not text</p>';</script></head>
        <body class='has-sidebar cookie'><header><a href=/>The Island News</a></header>
        <nav><ul><li><a href=/a>Home</a><li><a href=/b>Sport</a></ul></nav>
        <div id=cookie-banner><p>{SENTENCE} We use cookies, please agree to them before you read on.</p></div>
        <div class=page-with-sidebar><div class=story><h1>Harbour dredged</h1>
        <p>{SENTENCE}</p><p>Second: {SENTENCE} <a href=/x>More on Rome</a></p>
        <h2>Figures</h2><table><tr><th>Year<th>Ships<tr><td>1912<td>40<tr><td>1913<td>52</table>
        <ul><li>One ship<li>Two <b>ships</b></ul>
        <pre>line one\n  line two</pre>
        <h2>Read more</h2><ul><li><a href=/1>A link to another story</a></li></ul></div>
        <div class=sidebar><p>{SENTENCE} From the sidebar.</p></div></div>
        <footer>© The Island News</footer></body></html>"
    )
}

#[test]
fn the_main_part_is_kept_and_menus_banners_and_scripts_are_not() {
    let text = main_text(&news_page());
    let expected = format!(
        "Harbour dredged\n\n{SENTENCE}\n\nSecond: {SENTENCE} More on Rome\n\nFigures\n\nYear\tShips\n\n1912\t40\n\n1913\t52\n\n\
         One ship\n\nTwo ships\n\nline one\n  line two"
    );
    assert!(text.starts_with(&expected), "{text}");
    for noise in ["not text", "color", "cookies", "Sport", "sidebar", "©", "another story"] {
        assert!(!text.contains(noise), "{noise}: {text}");
    }
}

#[test]
fn all_text_is_what_a_browser_shows() {
    let text = all_text(&news_page());
    for part in ["Sport", "cookies", "From the sidebar", "©", "another story", "Harbour dredged"] {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert!(!text.contains("not text") && !text.contains("color"), "{text}");
}

#[test]
fn a_page_says_its_title_date_language_and_address() {
    let found = page(&news_page(), Scope::Main).unwrap();
    assert_eq!(found.title.as_deref(), Some("Harbour dredged"));
    assert_eq!(found.date.as_deref(), Some("1913-05-17T08:30:00Z"));
    assert_eq!(found.language.as_deref(), Some("en-GB"));
    assert_eq!(found.address.as_deref(), Some("https://news.example/harbour"));
    let linked = page(
        "<script type=application/ld+json>{\"@type\":\"X\",\"datePublished\" : \"2024-02-03\"}</script>",
        Scope::Main,
    );
    assert_eq!(linked.unwrap().date.as_deref(), Some("2024-02-03"));
    assert_eq!(
        page("<p>text", Scope::Main).unwrap(),
        nomen_corpus::html::Page { text: "text".into(), ..Default::default() }
    );
}

#[test]
fn white_space_entities_and_line_breaks_are_those_of_a_reader() {
    assert_eq!(all_text("<p>a\n  b&nbsp;&amp; c<br>d<i>e</i> f</p>g"), "a b & c\nde f\n\ng");
    assert_eq!(all_text("so\u{AD}ft <b>bo</b>ld zero\u{200B}width"), "soft bold zerowidth");
    assert_eq!(all_text("<p>one<p>two<div>three</p>four"), "one\n\ntwo\n\nthree\n\nfour");
    assert_eq!(
        all_text("<div hidden>no</div><p style='display : none'>no<p>yes <span hidden>no <span>no</span></span>too"),
        "yes too"
    );
    assert_eq!(all_text("x &#128512; &eacute; &nosuchname; <3"), "x 😀 é &nosuchname; <3");
    assert_eq!(all_text(""), "");
}

#[test]
fn a_page_of_short_lines_keeps_them_without_its_navigation() {
    let text =
        main_text("<nav><a href=/>Home</a></nav><div><b>Opening hours</b><p>Monday 9 to 5<p>Closed on Sunday</div>");
    assert_eq!(text, "Opening hours\n\nMonday 9 to 5\n\nClosed on Sunday");
    assert_eq!(main_text("<nav><a href=/>Home</a></nav>"), "Home", "a page of navigation only gives that");
}

#[test]
fn stray_end_tags_do_not_end_what_stands_around_them() {
    let html =
        format!("<main><p>{SENTENCE}</p></p></b></li></div></td><p>Still the main part.</p></main><footer>no</footer>");
    assert_eq!(main_text(&html), format!("{SENTENCE}\n\nStill the main part."));
}

#[test]
fn what_a_page_names_as_its_main_part_is_kept_whole() {
    let html = format!(
        "<main><h1>Drain</h1><p>What it is, in short.<div><h2>Shared</h2>{}</div></main><p>Outside of it: {SENTENCE}",
        format!("<p>{SENTENCE}</p>").repeat(9)
    );
    let text = main_text(&html);
    assert!(text.starts_with("Drain\n\nWhat it is, in short.\n\nShared\n\nThe harbour"), "{text}");
    assert!(!text.contains("Outside"), "{text}");
}

/// A hostile page of 50 MB; `None` behind the last one.
fn hostile(number: usize) -> Option<(&'static str, String)> {
    const BYTES: usize = 50 << 20;
    let filled = |part: &str| part.repeat(BYTES / part.len());
    let depth = 1_000_000;
    Some(match number {
        0 => ("deep", "<div>".repeat(depth) + &"text ".repeat(8 << 20) + &"</div>".repeat(depth)),
        1 => ("deep with classes", filled("<div class='a b-c' id=\"x\">t")),
        2 => ("unclosed lists", filled("<ul><li>")),
        3 => ("inline", filled("<b><i>")),
        4 => ("stray ends", "<table><tr><td>".repeat(200) + &filled("</div>")),
        5 => ("attributes", format!("<a {}>", filled("x=1 "))),
        6 => ("one attribute", format!("<a x='{}'>text", filled("y"))),
        7 => ("comment", format!("<!--{}", filled("<!-- --"))),
        8 => ("unclosed script", format!("<script>{}", filled("</scri"))),
        9 => ("entities", filled("&amp;&#x41;&copy;")),
        10 => ("null bytes", filled("\0<\0")),
        11 => ("links", filled("<a href=x>l")),
        12 => ("one word", filled("a")),
        _ => return None,
    })
}

/// Time that this thread has computed, where the system tells, so that a busy machine does no harm; else the clock.
fn thread_time() -> Duration {
    static START: LazyLock<Instant> = LazyLock::new(Instant::now);
    let computed = std::fs::read_to_string("/proc/thread-self/schedstat").ok();
    let nanoseconds = computed.and_then(|times| times.split(' ').next()?.parse().ok());
    nanoseconds.map_or_else(|| START.elapsed(), Duration::from_nanos)
}

/// The largest memory that this process has held, where the system tells.
fn peak_mib() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix(" kB")?.trim().parse::<u64>().ok().map(|kib| kib / 1024)
}

#[test]
fn fifty_megabytes_of_hostile_markup_are_text_or_an_error_within_five_seconds() {
    for (name, html) in (0..).map_while(hostile) {
        let began = thread_time();
        let outcome = page(&html, Scope::Main);
        let took = thread_time().saturating_sub(began);
        println!("{name}: {took:?}, peak so far {:?} MiB", peak_mib());
        assert!(took < Duration::from_secs(5), "{name}: {took:?}");
        if name == "deep" {
            assert_eq!(outcome.unwrap().text.len(), (40 << 20) - 1);
        }
    }
    if let Some(peak) = peak_mib() {
        assert!(peak < 512, "{peak} MiB");
    }
}

#[test]
fn a_page_of_too_many_blocks_is_refused_before_it_fills_the_memory() {
    let error = page(&"<p>a".repeat(2 << 20), Scope::All).unwrap_err();
    assert!(matches!(error, HtmlError::TooManyBlocks { .. }), "{error}");
    assert!(error.to_string().contains("split it"), "{error}");
}

proptest! {
    #[test]
    fn any_markup_gives_text(parts in prop::collection::vec(prop::sample::select(vec![
        "<p>", "</p>", "<div class='nav'>", "</div>", "<table>", "<tr>", "<td>", "</table>", "<ul>", "<li>", "</li>", "</ul>",
        "<script>", "</script>", "<span hidden>", "</span>", "<a href=x>", "</a>", "<pre>", "</pre>", "<br>", "<h1>", "</h1>",
        "<main>", "</main>", "<svg>", "</svg>", "<title>", "</title>", "word ", "Ærø 😀", "&amp;", "<", "\r\n", "<!--", "-->",
        "<p hidden>", "<article>", "</article>", "<nav>", "</nav>", "\u{0}", "<td",
    ]), 0..60)) {
        let html = parts.concat();
        for scope in [Scope::Main, Scope::All] {
            let text = page(&html, scope).unwrap().text;
            prop_assert!(!text.starts_with('\n') && text.trim_end() == text, "{text:?}");
            prop_assert!(!text.contains(char::from(0)), "{text:?}");
        }
        prop_assert!(main_text(&html).len() <= all_text(&html).len());
    }
}
