//! Two versions become one.

use schema::{Entity, Label, Span};
use serde_json::json;

use crate::{driver::Browser, host::Host};

const TEXT: &str = "Ada Lovelace met Lord Byron in London, and Mary in Bath.";

fn host() -> Host {
    let host = Host::start(&[TEXT]);
    let entity = |(quote, label): &(&str, &str)| {
        let start = TEXT.find(quote).unwrap();
        Entity::new(Span::new(start, start + quote.len()).unwrap(), Label::new(label).unwrap())
    };
    let left = [("Ada Lovelace", "PERSON"), ("Lord Byron", "PERSON"), ("London", "PLACE"), ("Mary", "PERSON")];
    let right = [("Ada Lovelace", "PERSON"), ("Byron", "PERSON"), ("London", "ORGANISATION"), ("Bath", "PLACE")];
    host.desk().texts[0].versions =
        vec![("anna".into(), left.iter().map(entity).collect()), ("bengt".into(), right.iter().map(entity).collect())];
    host
}

fn found(host: &Host) -> Vec<String> {
    host.saved(1).into_iter().map(|(_, _, label, quote)| format!("{label} {quote}")).collect()
}

#[test]
#[ignore = "needs Chromium"]
fn each_difference_is_decided_by_keyboard() {
    let host = host();
    let browser = Browser::start();
    browser.open(&host.url("review/1"));
    browser.wait_for_text(1);
    let page = browser.value("document.querySelector('.differences').textContent");
    assert!(page.as_str().unwrap().contains("Agreement 0.25"), "{page}");
    // Byron as the right one has it, London as the left one, no Mary, Bath; then the left Byron after all.
    browser.press(&["d", "e", "q", "r", "e"]);
    assert_eq!(browser.value("document.getElementById('differences-left').textContent"), json!("all decided"));
    browser.press(&["d", "q", "Enter"]);
    browser.wait("document.getElementById('done') !== null");
    assert_eq!(found(&host), ["PERSON Ada Lovelace", "PERSON Lord Byron", "PLACE London", "PLACE Bath"]);
}

#[test]
#[ignore = "needs Chromium"]
fn a_third_version_is_edited_and_the_mouse_chooses_sides() {
    let host = host();
    let browser = Browser::start();
    browser.size(1440, 1400);
    browser.open(&host.url("review/1"));
    browser.wait_for_text(1);
    assert_eq!(browser.value("document.querySelectorAll('.versions mark.differs').length"), json!(6));
    browser.click(browser.middle("tr[data-difference]:nth-child(2) [data-side=right]"), 1);
    assert_eq!(
        browser.value("document.querySelector('tr[data-difference]:nth-child(2)').dataset.taken"),
        json!("right")
    );
    // Undo takes the choice back, too.
    browser.press(&["z"]);
    assert_eq!(browser.value("document.querySelector('tr[data-difference]:nth-child(2)').dataset.taken"), json!(""));
    browser.press(&["Escape", "Home", "j", "4", "Enter"]);
    browser.wait("document.getElementById('done') !== null");
    assert_eq!(found(&host), ["DISEASE Ada Lovelace"]);
}
