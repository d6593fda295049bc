//! No connection, two clicks, two windows, two people.

use std::{thread, time::Duration};

use serde_json::{Value, json};

use crate::{
    driver::Browser,
    host::{Host, entities},
};

fn marked(browser: &Browser) -> Value {
    browser.value("[...document.querySelectorAll('#text .entity')].map(e => e.textContent)")
}

#[test]
#[ignore = "needs Chromium"]
fn a_draft_survives_being_offline_and_a_reload() {
    let host = Host::start(&["Ada met Bob."]);
    let browser = Browser::start();
    browser.open(&host.url("annotate/1"));
    browser.wait_for_text(1);
    browser.press(&["1"]);
    browser.wait("document.getElementById('status').dataset.kind === 'draft'");
    assert_eq!(entities(host.desk().texts[0].draft.as_ref().unwrap()), [(0, 3, "PERSON".into(), "Ada".into())]);

    browser.offline(true);
    browser.press(&["End", "ArrowLeft", "ArrowLeft", "1"]);
    browser.wait("!document.getElementById('offline').hidden");
    browser.press(&["Enter"]);
    browser.wait("document.getElementById('offline').textContent.includes('Saved in this browser')");
    assert_eq!(host.desk().texts[0].revisions.len(), 0);

    // The window is closed and opened again; the server knows only the first entity.
    browser.open("about:blank");
    browser.offline(false);
    browser.open(&host.url("annotate/1"));
    browser.wait_for_text(1);
    assert_eq!(marked(&browser), json!(["Ada", "Bob"]));
    browser.press(&["Enter"]);
    browser.wait("document.getElementById('done') !== null");
    assert_eq!(host.saved(1).len(), 2);
    assert_eq!(browser.value("localStorage.length"), json!(0), "a draft that is saved is gone");
}

#[test]
#[ignore = "needs Chromium"]
fn what_was_saved_offline_is_sent_once_there_is_a_connection() {
    let host = Host::start(&["Ada met Bob.", "Next."]);
    let browser = Browser::start();
    browser.open(&host.url("annotate/1"));
    browser.wait_for_text(1);
    browser.offline(true);
    browser.press(&["1", "Enter"]);
    browser.wait("!document.getElementById('offline').hidden");
    browser.offline(false);
    browser.wait_for_text(2);
    assert_eq!(host.saved(1), [(0, 3, "PERSON".into(), "Ada".into())]);
    assert_eq!(host.desk().texts[0].revisions.len(), 1);
}

#[test]
#[ignore = "needs Chromium"]
fn saving_twice_is_one_save() {
    let host = Host::start(&["Ada met Bob.", "Next."]);
    let browser = Browser::start();
    browser.open(&host.url("annotate/1"));
    browser.wait_for_text(1);
    browser.press(&["1"]);
    let button = browser.middle("[data-do=save]");
    browser.click(button, 2);
    browser.wait_for_text(2);
    thread::sleep(Duration::from_millis(300));
    let desk = host.desk();
    assert_eq!(desk.texts[0].revisions.len(), 1);
    assert_eq!(desk.texts[1].revisions.len(), 0, "the second click saved the next text");
}

#[test]
#[ignore = "needs Chromium"]
fn an_answer_that_got_lost_is_no_second_save() {
    let host = Host::start(&["Ada met Bob."]);
    let browser = Browser::start();
    browser.open(&host.url("annotate/1"));
    browser.wait_for_text(1);
    browser.press(&["1"]);
    browser.wait("document.getElementById('status').dataset.kind === 'draft'");
    // The server has the save, the browser never heard of it.
    let mut sent = host.desk().texts[0].draft.clone().unwrap();
    sent["number"] = json!(1);
    sent["user"] = json!("anna");
    sent["verdict"] = json!("accepted");
    host.desk().texts[0].revisions.push(sent);
    browser.reload();
    browser.wait_for_text(1);
    assert_eq!(browser.value("document.getElementById('notices').textContent"), json!(""));
    assert_eq!(marked(&browser), json!(["Ada"]));
    assert_eq!(browser.value("localStorage.length"), json!(0));
}

fn beaten(host: &Host) {
    let mut desk = host.desk();
    let number = desk.texts[0].revisions.len() + 1;
    desk.texts[0].revisions.push(json!({
        "number": number, "user": "bengt", "verdict": "accepted", "note": "", "key": format!("other-{number}"),
        "entities": [{"start": 8, "end": 11, "label": "PERSON", "text": "Bob"}],
    }));
}

#[test]
#[ignore = "needs Chromium"]
fn a_conflict_shows_both_versions_and_loses_neither() {
    let host = Host::start(&["Ada met Bob.", "Next."]);
    let browser = Browser::start();
    let come = || {
        browser.open(&host.url("annotate/1"));
        browser.wait_for_text(1);
        browser.press(&["Home", "3"]);
        beaten(&host);
        browser.press(&["Enter"]);
        browser.wait("document.getElementById('conflict').open");
        let side = |id: &str| {
            browser.value(&format!("document.getElementById('{id}').textContent")).as_str().unwrap().to_owned()
        };
        assert!(side("conflict-left").contains("ORGANISATION Ada"), "{}", side("conflict-left"));
        assert!(
            side("conflict-right").contains("PERSON Bob") && side("conflict-right").contains("bengt"),
            "{}",
            side("conflict-right")
        );
    };
    let count = || host.desk().texts[0].revisions.len();

    come();
    let theirs = count();
    browser.click(browser.middle("#conflict-theirs"), 1);
    browser.wait_for_text(2);
    assert_eq!(count(), theirs, "theirs stays as it is");
    assert!(host.desk().texts[0].draft.is_none(), "nobody wants the draft");

    come();
    browser.click(browser.middle("#conflict-mine"), 1);
    browser.wait_for_text(2);
    let before = count();
    let saved: Vec<String> = host.saved(1).into_iter().map(|(_, _, label, quote)| format!("{label} {quote}")).collect();
    assert!(saved.contains(&"ORGANISATION Ada".to_owned()), "{saved:?}");
    assert_eq!(
        host.desk().texts[0].revisions[before - 1]["parent"],
        json!(before - 1),
        "mine comes after theirs, which stays"
    );

    come();
    browser.click(browser.middle("#conflict-edit"), 1);
    browser.press(&["End", "ArrowLeft", "ArrowLeft", "1", "Enter"]);
    browser.wait_for_text(2);
    assert_eq!(host.saved(1).len(), 2);
}

#[test]
#[ignore = "needs Chromium"]
fn a_draft_from_before_somebody_saved_is_offered_and_never_lost() {
    let host = Host::start(&["Ada met Bob."]);
    let browser = Browser::start();
    browser.open(&host.url("annotate/1"));
    browser.wait_for_text(1);
    browser.press(&["1"]);
    browser.wait("document.getElementById('status').dataset.kind === 'draft'");
    beaten(&host);
    browser.reload();
    browser.wait_for_text(1);
    assert_eq!(marked(&browser), json!(["Bob"]), "what was saved is what is shown");
    browser.click(browser.middle("#notices button"), 1);
    assert_eq!(marked(&browser), json!(["Ada"]));
    browser.press(&["z"]);
    assert_eq!(marked(&browser), json!(["Bob"]));
}

#[test]
#[ignore = "needs Chromium"]
fn a_refusal_is_shown_and_nothing_is_lost() {
    let host = Host::start(&["Ada met Bob."]);
    let browser = Browser::start();
    browser.open(&host.url("annotate/1"));
    browser.wait_for_text(1);
    browser.press(&["1"]);
    host.desk().texts[0].text = "Eve met Bob.".into();
    browser.press(&["Enter"]);
    browser.wait("document.getElementById('notices').textContent.includes('Not saved')");
    assert_eq!(marked(&browser), json!(["Ada"]));
}

#[test]
#[ignore = "needs Chromium"]
fn a_window_learns_that_another_one_saved_its_text() {
    let host = Host::start(&["Ada met Bob.", "Next."]);
    let browser = Browser::start();
    browser.open(&host.url("annotate/1"));
    browser.wait_for_text(1);
    let (first, _) = browser.another_window();
    browser.open(&host.url("annotate/1"));
    browser.wait_for_text(1);
    browser.press(&["1", "Enter"]);
    browser.wait_for_text(2);
    browser.switch(&first);
    browser.wait("document.getElementById('notices').textContent.includes('another window')");
    // Saving it nevertheless is a conflict, not a second version.
    browser.press(&["End", "ArrowLeft", "ArrowLeft", "1", "Enter"]);
    browser.wait("document.getElementById('conflict').open");
    assert_eq!(host.desk().texts[0].revisions.len(), 1);
    assert_eq!(host.saved(1), [(0, 3, "PERSON".into(), "Ada".into())]);
}
