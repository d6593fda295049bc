//! Files that are chosen on a page.

use serde_json::json;

use crate::{driver::Browser, opened::Project};

/// Chooses a file of this name and content, as somebody would in the dialogue.
const CHOOSE: &str = "const chosen = new DataTransfer();
    chosen.items.add(new File([arguments[2]], arguments[1]));
    const input = document.querySelector(arguments[0]);
    input.files = chosen.files;
    input.dispatchEvent(new Event('change'));";

#[test]
#[ignore = "needs Chromium"]
fn texts_and_findings_come_in_from_their_pages_and_what_is_none_is_refused_in_words() {
    let project = Project::init("ports", "[[labels]]\nname = \"PLACE\"\n");
    project.import(&["Ribe is old.".to_owned()]);
    let studio = project.open();
    let browser = Browser::start();
    browser.open(&project.page(&studio, "data"));
    browser.run(
        CHOOSE,
        &json!(["[data-import]", "more.jsonl", "{\"text\": \"Skagen is windy.\", \"complete\": false}\n"]),
    );
    browser.wait("document.body.innerText.includes('Skagen is windy.')");
    browser.run(CHOOSE, &json!(["[data-import]", "broken.jsonl", "{\"text\": 7}\n"]));
    browser
        .wait("document.querySelector('#import-said.bad')?.textContent.startsWith('broken.jsonl was not imported: ')");
    browser.open(&project.page(&studio, "quality"));
    browser.run(CHOOSE, &json!(["[data-checked]", "broken.json", "no findings"]));
    browser
        .wait("document.querySelector('#checked-said.bad')?.textContent.startsWith('broken.json was not imported: ')");
}
