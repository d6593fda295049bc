//! Markup in texts, labels, guidelines and names is text: not one script of it runs (row F1 of the table of faults).

use schema::{Entity, Label, LabelDefinition, Schema, Span};
use serde_json::json;

use crate::{driver::Browser, host::Host};

const HOSTILE: [&str; 6] = [
    "<script>window.run = 1</script>",
    "<img src=x onerror=\"window.run = 1\">",
    "</script><script>window.run = 1</script>",
    "<!--<script>",
    "\"><svg onload='window.run = 1'>",
    "&lt;b&gt; \u{2028} {{7*7}} ${window.run = 1} javascript:window.run=1",
];

#[test]
#[ignore = "needs Chromium"]
fn nothing_hostile_is_executed() {
    let text = HOSTILE.join(" and ");
    let host = Host::start(&[&text, &text]);
    {
        let mut desk = host.desk();
        desk.user = HOSTILE[1].into();
        desk.project = "<b>p</b>\"'>".into();
        desk.guidelines = text.clone();
        let definition = |name: &&str| LabelDefinition {
            definition: (*name).into(),
            examples: vec![(*name).into()],
            near_misses: vec![(*name).into()],
            ..LabelDefinition::undefined(Label::new(&name.replace('\u{2028}', " ")).unwrap())
        };
        desk.schema = Schema::new(HOSTILE.iter().map(definition).collect()).unwrap();
        let labels: Vec<Label> = desk.schema.labels().cloned().collect();
        desk.texts[0].suggestions = vec![(0, 8, labels[1].to_string(), 0.5, HOSTILE[4].into())];
        let entity = |end, label: &Label| vec![Entity::new(Span::new(0, end).unwrap(), label.clone())];
        desk.texts[1].versions =
            vec![(HOSTILE[0].into(), entity(8, &labels[0])), (HOSTILE[4].into(), entity(9, &labels[2]))];
    }
    let browser = Browser::start();
    for (page, number) in [("annotate/1", 1), ("review/2", 2)] {
        browser.open(&host.url(page));
        browser.wait_for_text(number);
        let shown = browser.value("document.querySelector('#text .flow').textContent");
        assert_eq!(shown, json!(text));
        // Every label, the list, the help, and what is chosen.
        browser.press(&["Home", "1", "2", "3", "4", "5", "6", "j", "y", "k", "l", "Escape", "?", "Escape"]);
        if number == 2 {
            browser.press(&["d", "q", "e", "r"]);
        }
        browser.press(&["Home", "2", "n", "<", "b", ">", "Escape", "Enter"]);
        browser.wait(&format!("document.getElementById('done') !== null || !location.pathname.endsWith('{page}')"));
        assert_eq!(browser.value("window.run === undefined"), json!(true));
        assert_eq!(browser.log(), Vec::<String>::new(), "the policy had something to refuse");
    }
    assert_eq!(browser.value("document.querySelectorAll('svg, img[src=x], #text b').length"), json!(0));
}
