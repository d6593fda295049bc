//! From an empty folder to a model and back to its errors.

use std::{
    collections::BTreeSet,
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use crate::{
    driver::Browser,
    opened::{Project, Studio, TINY_BASE, log_in},
};

const SCHEMA: &str = r#"
[[labels]]
name = "PERSON"
definition = "Named people, without their titles."

[[labels]]
name = "PLACE"
definition = "Towns, ports and rivers with a name."
"#;

/// A text, with the positions of the first word of a person's name, which has two, and of a place.
struct Written {
    text: String,
    person: usize,
    place: usize,
}

fn written() -> Vec<Written> {
    const PEOPLE: [&str; 5] = ["Ida Holm", "Jens Krag", "Mia Voss", "Ole Brun", "Tea Lind"];
    const PLACES: [&str; 7] = ["Ribe", "Aalborg", "Skagen", "Odense", "Thisted", "Vejle", "Nyborg"];
    const FORMS: [(&str, usize, usize); 4] = [
        ("{person} left {place} before noon", 0, 3),
        ("Last night the boat of {person} reached {place} in fog", 5, 8),
        ("{place} was as {person} had found it", 0, 3),
        ("Nobody who lives in {place} knew {person} well", 4, 6),
    ];
    let write = |at: usize| {
        let (form, first, then) = FORMS[at % FORMS.len()];
        let text = form.replace("{person}", PEOPLE[at % PEOPLE.len()]).replace("{place}", PLACES[at % PLACES.len()]);
        let (person, place) = if form.find("{person}") < form.find("{place}") { (first, then) } else { (then, first) };
        Written { text, person, place }
    };
    (0..20).map(write).collect()
}

#[test]
#[ignore = "needs Chromium"]
fn what_two_people_annotate_trains_a_model_and_its_errors_come_back() {
    let written = written();
    let texts: Vec<String> = written.iter().map(|written| written.text.clone()).collect();
    let project = Project::init("harbour", SCHEMA);
    project.account("olga", "owner");
    project.account("rob", "reviewer");
    project.import(&texts);
    let studio = project.open();
    let olga = Browser::start();
    let begun = Instant::now();
    log_in(&olga, &project.page(&studio, "quality"), "olga");
    // Every fifth text goes to a second person.
    olga.run(
        "document.querySelector('#percent').value = 20; document.querySelector('#percent').form.requestSubmit();",
        &json!([]),
    );
    olga.wait("document.querySelectorAll('.figure').length > 0 && document.body.innerText.includes('done, second')");

    olga.open(&project.page(&studio, "annotate"));
    for (number, Written { person, place, .. }) in (1..).zip(&written) {
        olga.wait_for_text(number);
        olga.press_often(&[("Home", 1), ("ArrowRight", *person), ("Shift+ArrowRight", 2), ("1", 1)]);
        olga.press_often(&[("Home", 1), ("ArrowRight", *place), ("2", 1), ("Enter", 1)]);
    }
    olga.wait("document.querySelector('.empty h1')?.textContent === 'Nothing is left'");
    assert_eq!(olga.log(), Vec::<String>::new());

    let second = second_opinion(&olga, &project, &studio, &written);
    let annotated = project.export(&["--history"]);
    assert_eq!(annotated.len(), texts.len());
    for (document, Written { text, person, place }) in annotated.iter().zip(&written) {
        assert_eq!(document["text"], json!(text));
        let words: Vec<&str> = text.split(' ').collect();
        let mut expected =
            [(*person, "PERSON", words[*person..person + 2].join(" ")), (*place, "PLACE", words[*place].to_owned())];
        expected.sort();
        let marked = document["entities"].as_array().unwrap().iter().map(|entity| {
            let [start, end] = ["start", "end"].map(|end| entity[end].as_u64().unwrap() as usize);
            (entity["label"].as_str().unwrap(), text[start..end].to_owned())
        });
        assert_eq!(marked.collect::<Vec<_>>(), expected.map(|(_, label, words)| (label, words)));
    }
    let history = std::fs::read_to_string(project.path("out.jsonl.history.jsonl")).unwrap();
    let versions = |line: &str| serde_json::from_str::<Value>(line).unwrap()["revisions"].as_array().unwrap().len();
    assert_eq!(history.lines().map(versions).sum::<usize>(), texts.len() + 2 * second, "all that was saved is there");

    let wrong = train(&olga, &project, &studio);
    // The errors are what comes next, with the reason why.
    let mut came = BTreeSet::new();
    for position in 0..wrong.len() {
        olga.wait("document.querySelector('#keys section') !== null");
        let number: usize = olga.value("Number(location.pathname.split('/').pop())").as_u64().unwrap() as usize;
        came.insert(number);
        let why = olga.value("document.querySelector('.why').textContent");
        assert!(why.as_str().unwrap().contains("run 1 was wrong about"), "{why}");
        olga.press(&["Enter"]);
        if position + 1 < wrong.len() {
            olga.wait(&format!("!location.pathname.endsWith('/{number}')"));
        }
    }
    olga.wait("document.querySelector('.empty h1')?.textContent === 'Nothing is left'");
    assert_eq!(came, wrong);
    assert_eq!(olga.log(), Vec::<String>::new());
    assert!(begun.elapsed() < Duration::from_secs(120), "{:?}", begun.elapsed());
}

/// Somebody else annotates the texts that are asked for twice, in a browser of their own, with another boundary each; and decides for
/// the first one's. Gives how many these were.
fn second_opinion(first: &Browser, project: &Project, studio: &Studio, written: &[Written]) -> usize {
    let rob = Browser::beside(first);
    log_in(&rob, &project.page(studio, "annotate"), "rob");
    let mut seen = 0;
    loop {
        rob.wait("document.querySelector('#keys section') !== null || document.querySelector('.empty h1') !== null");
        if rob.value("document.querySelector('.empty h1') !== null") == json!(true) {
            break;
        }
        assert_eq!(
            rob.value("document.querySelectorAll('#text .entity').length"),
            json!(0),
            "the first one's work is not shown"
        );
        let here = rob.value("location.pathname");
        let number = rob.value("Number(location.pathname.split('/').pop())").as_u64().unwrap() as usize;
        let Written { person, place, .. } = &written[number - 1];
        rob.press_often(&[("Home", 1), ("ArrowRight", *person), ("1", 1)]);
        rob.press_often(&[("Home", 1), ("ArrowRight", *place), ("2", 1), ("Enter", 1)]);
        rob.wait(&format!("location.pathname !== {here}"));
        seen += 1;
        assert!(seen <= written.len(), "the queue does not end");
    }
    assert!(seen >= 2, "{seen} texts were asked for twice");
    rob.open(&project.page(studio, "review"));
    for left in (0..seen).rev() {
        rob.wait("document.querySelector('#keys section') !== null");
        assert_eq!(rob.value("document.querySelectorAll('[data-difference]').length"), json!(1));
        let here = rob.value("location.pathname");
        rob.press(&["d", "q", "Enter"]);
        rob.wait(&format!("location.pathname !== {here}"));
        if left == 0 {
            rob.wait("document.querySelector('.empty h1')?.textContent === 'Nothing to review'");
        }
    }
    rob.open(&project.page(studio, "quality"));
    let page = rob.value("document.body.innerText");
    assert!(page.as_str().unwrap().contains("olga and rob"), "{page}");
    assert_eq!(rob.log(), Vec::<String>::new());
    seen
}

/// Trains from the page Runs and watches; sends the errors to the queue. Gives the documents in which there are any.
fn train(browser: &Browser, project: &Project, studio: &Studio) -> BTreeSet<usize> {
    browser.open(&project.page(studio, "runs"));
    browser.run(
        "document.querySelector('#base').value = arguments[0]; document.querySelector('#settings').value = arguments[1];",
        &json!([TINY_BASE, "max_steps=1500\neval_every=50\npatience=0\nnum_train_epochs=100000\nthreads=1"]),
    );
    browser.click(browser.middle("form.form button.primary"), 1);
    browser.wait("location.pathname.endsWith('/runs/1') && document.querySelector('h1')?.textContent === 'Run 1'");
    let running = "document.querySelector('.state').textContent === 'running'";
    let step = r"Number(document.querySelector('[data-live=step]').textContent.replace(/\D/g, ''))";
    let patience = Duration::from_secs(60);
    browser.wait_long(
        &format!("{running} && {step} > 0 && document.querySelectorAll('#charts .curve').length === 2"),
        patience,
    );
    let first = browser.value(step);
    browser.wait_long(&format!("{running} && {step} > {first}"), patience);
    browser.wait_long("document.querySelector('.state.good')?.textContent === 'finished'", patience);
    assert_eq!(browser.value(step), json!(1500));

    let links = browser.value("[...document.querySelectorAll('td.n a')].map(link => Number(link.textContent))");
    let wrong: BTreeSet<usize> = links.as_array().unwrap().iter().map(|link| link.as_u64().unwrap() as usize).collect();
    assert!(!wrong.is_empty(), "a model of random weights that saw 16 texts is right about everything");
    let quoted = browser.value("document.querySelector('td.text').textContent");
    browser.run("document.querySelector('td.n a').scrollIntoView({ block: 'center' })", &json!([]));
    browser.click(browser.middle("td.n a"), 1);
    browser.wait("document.querySelector('h1')?.textContent.startsWith('Document ') === true");
    let text = browser.value("document.querySelector('.passage').textContent");
    let quoted = quoted.as_str().unwrap().trim_matches('…').to_owned();
    assert!(text.as_str().unwrap().contains(&quoted), "{text}: {quoted}");
    browser.open(&project.page(studio, "runs/1"));
    browser.wait("document.querySelectorAll('#charts .curve').length === 2");
    browser.run("document.querySelector('form[action$=queue]').scrollIntoView({ block: 'center' })", &json!([]));
    browser.click(browser.middle("form[action$=queue] button"), 1);
    browser.wait("document.querySelector('#keys section') !== null");
    wrong
}
