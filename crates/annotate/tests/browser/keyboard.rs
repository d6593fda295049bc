//! Everything by keyboard alone.

use serde_json::{Value, json};

use crate::{driver::Browser, host::Host};

#[test]
#[ignore = "needs Chromium"]
fn twenty_texts_are_annotated_without_a_mouse() {
    let texts: Vec<String> =
        (1..=20).map(|n| format!("Text {n}: Ada Lovelace lived in London, then in Turin.")).collect();
    let host = Host::start(&texts.iter().map(String::as_str).collect::<Vec<_>>());
    for (index, text) in texts.iter().enumerate() {
        let start = text.find("Turin").unwrap();
        host.desk().texts[index].suggestions = vec![(start, start + 5, "PLACE".into(), 0.9, "minilm".into())];
    }
    let browser = Browser::start();
    browser.open(&host.url("annotate"));
    for (index, text) in texts.iter().enumerate() {
        let number = index + 1;
        browser.wait_for_text(number);
        assert_eq!(browser.value("document.activeElement.id"), json!("text"), "the text has the focus when it comes");
        // Past "Text", the number and the colon; two words are a person, the word at the caret is a place.
        browser.press(&["ArrowRight", "ArrowRight", "ArrowRight", "Shift+ArrowRight", "Shift+ArrowRight", "1"]);
        browser.press(&["ArrowRight", "ArrowRight", "ArrowRight", "2"]);
        browser.press(&["j", "y"]);
        // A wrong label, another, undone and done again; then the right one.
        browser.press(&["Home", "1", "z", "Z", "z"]);
        browser.press(&["Enter"]);
        if number < texts.len() {
            browser.wait_for_text(number + 1);
        } else {
            browser.wait("document.getElementById('done') !== null");
        }
        let found: Vec<(String, String)> =
            host.saved(number).into_iter().map(|(_, _, label, quote)| (label, quote)).collect();
        let expected = [("PERSON", "Ada Lovelace"), ("PLACE", "London"), ("PLACE", "Turin")];
        assert_eq!(found, expected.map(|(label, quote)| (label.to_owned(), quote.to_owned())), "{text}");
        let desk = host.desk();
        let last = desk.texts[index].revisions.last().unwrap();
        assert_eq!(last["entities"][2]["suggestion"], json!("bundle:minilm"), "what a suggestion became says so");
        assert_eq!(last["verdict"], json!("accepted"));
    }
    assert_eq!(browser.log(), Vec::<String>::new());
}

#[test]
#[ignore = "needs Chromium"]
fn ends_grow_and_shrink_by_word_and_by_character() {
    let host = Host::start(&["In New York City Hall e\u{301}tude 👩‍👩‍👧 was played."]);
    let browser = Browser::start();
    browser.open(&host.url("annotate/1"));
    browser.wait_for_text(1);
    let chosen = |keys: &[&str]| {
        browser.press(keys);
        browser.value("document.querySelector('#chosen .quoted').textContent").as_str().unwrap().to_owned()
    };
    assert_eq!(chosen(&["ArrowRight", "2"]), "New");
    assert_eq!(chosen(&["Shift+ArrowRight", "Shift+ArrowRight"]), "New York City");
    assert_eq!(chosen(&["Shift+ArrowLeft"]), "New York");
    assert_eq!(chosen(&["Ctrl+Shift+ArrowRight"]), "York");
    assert_eq!(chosen(&["Ctrl+Shift+ArrowLeft", "Ctrl+Shift+ArrowLeft"]), "In New York");
    assert_eq!(chosen(&["Alt+Shift+ArrowLeft", "Ctrl+Alt+Shift+ArrowRight"]), "n New Yor");
    assert_eq!(chosen(&["Ctrl+Alt+Shift+ArrowRight", "Ctrl+Alt+Shift+ArrowRight", "Alt+Shift+ArrowRight"]), "New York");
    // A letter with its accent is one step, unless somebody insists.
    let with_accent = ["Shift+ArrowRight", "Shift+ArrowRight", "Alt+Shift+ArrowRight", "Alt+Shift+ArrowRight"];
    assert_eq!(chosen(&with_accent), "New York City Hall e\u{301}");
    assert_eq!(chosen(&[".", "Alt+Shift+ArrowLeft"]), "New York City Hall e");
    assert_eq!(chosen(&[".", "Shift+ArrowRight", "Shift+ArrowRight"]), "New York City Hall e\u{301}tude 👩‍👩‍👧");
    // It never becomes empty.
    browser.press(&["Escape", "Home", "1", "Shift+ArrowLeft"]);
    assert_eq!(browser.value("document.querySelector('#chosen .quoted').textContent"), json!("In"));
}

#[test]
#[ignore = "needs Chromium"]
fn suggestions_are_accepted_one_by_one_and_all_that_are_sure() {
    let text = "aa bb cc dd ee";
    let host = Host::start(&[text]);
    host.desk().texts[0].suggestions = vec![
        (0, 2, "PERSON".into(), 0.99, "one".into()),
        (0, 5, "PLACE".into(), 0.95, "two".into()),
        (6, 8, "PLACE".into(), 0.91, "one".into()),
        (9, 11, "PERSON".into(), 0.6, "one".into()),
        (12, 14, "DISEASE".into(), 0.3, "one".into()),
    ];
    let browser = Browser::start();
    browser.open(&host.url("annotate/1"));
    browser.wait_for_text(1);
    assert_eq!(browser.value("document.getElementById('undecided').textContent"), json!("5 undecided"));
    // The surest of the overlapping two is taken, the other stays undecided and is refused by hand; then one is relabelled.
    browser.press(&["Y", "j", "j", "x"]);
    browser.press(&["Escape", "End", "k", "4", "k", "2", "Enter"]);
    browser.wait("document.getElementById('done') !== null");
    let found: Vec<String> = host.saved(1).into_iter().map(|(_, _, label, quote)| format!("{label} {quote}")).collect();
    assert_eq!(found, ["PERSON aa", "PLACE cc", "PLACE dd", "DISEASE ee"]);
    let refused = host.desk().texts[0].revisions[0]["rejected"].clone();
    let expected =
        json!([{"start": 0, "end": 5, "label": "PLACE", "quote": "aa bb", "origin": "bundle:two", "version": "2"}]);
    assert_eq!(refused, expected, "what was refused is told as it was");
    // Who comes back finds it decided, and saves it again with what is new.
    browser.open(&host.url("annotate/1"));
    browser.wait_for_text(1);
    assert_eq!(browser.value("document.getElementById('undecided').textContent"), json!(""));
    browser.press(&["End", "k", "Delete", "Enter"]);
    browser.wait("document.getElementById('done') !== null");
    let again = host.desk().texts[0].revisions[1].clone();
    let sources: Vec<&Value> = again["entities"].as_array().unwrap().iter().map(|one| &one["suggestion"]).collect();
    assert_eq!(sources, ["bundle:one"; 3], "{again}");
    let refused = again["rejected"].as_array().unwrap();
    assert_eq!((refused.len(), &refused[0]), (2, &expected[0]), "{again}");
}

#[test]
#[ignore = "needs Chromium"]
fn a_flag_says_why_and_a_skip_is_kept() {
    let host = Host::start(&["One text.", "Another text."]);
    let browser = Browser::start();
    browser.open(&host.url("annotate"));
    browser.wait_for_text(1);
    browser.press(&["f", "o", "d", "d", "Enter"]);
    browser.wait_for_text(2);
    browser.press(&["s"]);
    browser.wait("document.getElementById('done') !== null");
    let desk = host.desk();
    assert_eq!(desk.texts[0].revisions[0]["verdict"], json!("flagged"));
    assert_eq!(desk.texts[0].revisions[0]["note"], json!("odd"));
    assert_eq!(desk.texts[1].revisions[0]["verdict"], json!("skipped"));
}

#[test]
#[ignore = "needs Chromium"]
fn every_action_is_in_the_help_and_every_control_has_a_name() {
    let host = Host::start(&["A text."]);
    let browser = Browser::start();
    browser.open(&host.url("annotate/1"));
    browser.wait_for_text(1);
    browser.press(&["?"]);
    assert_eq!(browser.value("document.getElementById('help').open"), json!(true));
    let help = browser.value("document.getElementById('keys').textContent");
    for word in ["Skip", "Flag", "Undo", "Redo", "Save", "Accept", "Label", "Next entity"] {
        assert!(help.as_str().unwrap().contains(word), "{word} is not in the help");
    }
    browser.press(&["Escape"]);
    let nameless = browser.value(
        "[...document.querySelectorAll('button, input:not([type=hidden]), textarea, [role=textbox], nav, progress')]
            .filter(e => !(e.ariaLabel || e.textContent.trim() || e.labels?.length)).map(e => e.outerHTML)",
    );
    assert_eq!(nameless, json!([]));
    // The focus goes round everything and back; it is never caught.
    browser.press(&["Tab"]);
    assert_ne!(browser.value("document.activeElement.id"), json!("text"));
}
