//! Pictures of the pages, light and dark, for people to look at: into the folder that `NOMEN_SCREENS` names, else a temporary one.

use std::{fs, path::PathBuf};

use schema::{Entity, Label, Span};

use crate::{
    driver::Browser,
    host::{Host, Kept},
};

const TEXT: &str = "Ada Lovelace, daughter of Lord Byron, met Charles Babbage in London in June 1833. Babbage had shown his Difference Engine \
    to the Royal Society, and she saw at once what others did not: that such a machine could work on anything that can be written \
    in symbols.\n\nIn 1842 Luigi Menabrea, an engineer from Turin, published a paper about the Analytical Engine in Geneva. Lovelace \
    translated it for Taylor's Scientific Memoirs, and her notes became three times as long as the paper itself. She died of \
    uterine cancer in Marylebone in 1852, at the age of thirty-six; the illness had been taken for hysteria by her physician, \
    Charles Locock.";

fn entity(text: &str, quote: &str, label: &str) -> Entity {
    let start = text.find(quote).unwrap();
    Entity::new(Span::of(text, start..start + quote.len()).unwrap(), Label::new(label).unwrap())
}

fn suggestion(quote: &str, label: &str, score: f64, source: &str) -> (usize, usize, String, f64, String) {
    let start = TEXT.find(quote).unwrap();
    (start, start + quote.len(), label.into(), score, source.into())
}

fn versions() -> Vec<(String, Vec<Entity>)> {
    let of = |marks: &[(&str, &str)]| {
        let mut entities: Vec<Entity> = marks.iter().map(|(quote, label)| entity(TEXT, quote, label)).collect();
        entities.sort_by_key(|entity| entity.span);
        entities
    };
    let left = [
        ("Ada Lovelace", "PERSON"),
        ("Lord Byron", "PERSON"),
        ("Charles Babbage", "PERSON"),
        ("London", "PLACE"),
        ("the Royal Society", "ORGANISATION"),
        ("Luigi Menabrea", "PERSON"),
        ("Turin", "PLACE"),
        ("Geneva", "PLACE"),
        ("uterine cancer", "DISEASE"),
        ("Marylebone", "PLACE"),
        ("Charles Locock", "PERSON"),
    ];
    let right = [
        ("Ada Lovelace", "PERSON"),
        ("Byron", "PERSON"),
        ("Charles Babbage", "PERSON"),
        ("London", "PLACE"),
        ("Royal Society", "ORGANISATION"),
        ("Luigi Menabrea", "PERSON"),
        ("Turin", "ORGANISATION"),
        ("Geneva", "PLACE"),
        ("uterine cancer", "DISEASE"),
        ("hysteria", "DISEASE"),
        ("Marylebone", "PLACE"),
        ("Charles Locock", "PERSON"),
    ];
    vec![("anna".into(), of(&left)), ("bengt".into(), of(&right))]
}

#[test]
#[ignore = "needs Chromium"]
fn every_page_is_pictured_light_and_dark() {
    let temporary = tempfile::tempdir().unwrap();
    let folder = std::env::var_os("NOMEN_SCREENS").map_or_else(|| temporary.path().to_owned(), PathBuf::from);
    fs::create_dir_all(&folder).unwrap();
    let host = Host::start(&[TEXT, TEXT, TEXT, TEXT]);
    {
        let mut desk = host.desk();
        desk.texts[0].suggestions = vec![
            suggestion("the Royal Society", "ORGANISATION", 0.88, "gpt-oss"),
            suggestion("Royal Society", "ORGANISATION", 0.97, "minilm"),
            suggestion("Luigi Menabrea", "PERSON", 0.991, "minilm"),
            suggestion("Turin", "PLACE", 0.96, "minilm"),
            suggestion("Geneva", "PLACE", 0.94, "minilm"),
            suggestion("uterine cancer in Marylebone", "DISEASE", 0.41, "gpt-oss"),
            suggestion("uterine cancer", "DISEASE", 0.93, "minilm"),
            suggestion("Marylebone", "PLACE", 0.72, "minilm"),
            suggestion("hysteria", "DISEASE", 0.55, "lexicon"),
        ];
        desk.texts[1] = Kept { text: TEXT.into(), versions: versions(), ..Kept::default() };
    }
    let browser = Browser::start();
    browser.size(1440, 900);
    for scheme in ["light", "dark"] {
        let picture = |name: &str| {
            let png = browser.screenshot();
            assert!(png.starts_with(b"\x89PNG"));
            fs::write(folder.join(format!("{name}-{scheme}.png")), png).unwrap();
        };
        browser.scheme(scheme);
        browser.open(&host.url("annotate/1"));
        browser.wait_for_text(1);
        if scheme == "light" {
            browser.press(&[
                "1",
                "ArrowRight",
                "ArrowRight",
                "ArrowRight",
                "ArrowRight",
                "ArrowRight",
                "ArrowRight",
                "Shift+ArrowRight",
                "1",
            ]);
            browser.press(&[
                "ArrowRight",
                "ArrowRight",
                "ArrowRight",
                "Shift+ArrowRight",
                "1",
                "ArrowRight",
                "ArrowRight",
                "2",
            ]);
        }
        browser.press(&["Escape", "Home", "ArrowDown", "j"]);
        picture("annotate");
        browser.press(&["?"]);
        picture("keys");
        browser.press(&["Escape"]);
        browser.open(&host.url("review/2"));
        browser.wait_for_text(2);
        browser.press(&["d", "q"]);
        picture("review");
        // Somebody else is faster.
        browser.open(&host.url("annotate/3"));
        browser.wait_for_text(3);
        browser.press(&["1", "Escape"]);
        if scheme == "light" {
            let theirs = serde_json::json!({"number": 1, "user": "bengt", "verdict": "accepted", "key": "x", "note": "", "entities": [
                {"start": 0, "end": 12, "label": "PERSON", "text": "Ada Lovelace"}, {"start": 60, "end": 66, "label": "PLACE", "text": "London"}]});
            host.desk().texts[2].revisions.push(theirs);
        }
        browser.press(&["Enter"]);
        if scheme == "light" {
            browser.wait("document.getElementById('conflict').open");
            picture("conflict");
        }
    }
}
