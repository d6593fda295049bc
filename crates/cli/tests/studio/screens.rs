//! Pictures of the pages, light and dark, of a project in which four people have worked.
//!
//! `NOMEN_SCREENS=DIR cargo test -p nomen --test studio screens -- --ignored` leaves them in a folder of the repository; without it they
//! are made and thrown away. Annotate and Review are pictured by the tests of the crate `annotate`.

use std::{
    env, fs,
    path::{Path, PathBuf},
    time::Duration,
};

use serde_json::{Value, json};

use crate::{
    driver::Browser,
    opened::{Project, Studio, log_in, tiny_base},
};

const SCHEMA: &str = r#"
[[labels]]
name = "VESSEL"
definition = "Ships and boats with a name; a prefix such as MV belongs to it."
examples = ["MV Tarnholm", "Havfrue II"]
near_misses = ["the trawler"]

[[labels]]
name = "PLACE"
definition = "Ports, waters and coasts with a name."
examples = ["Thyborøn", "the Limfjord"]
near_misses = ["the harbour"]

[[labels]]
name = "CARGO"
definition = "What is carried, with its amount where that is told."
examples = ["4,200 tonnes of gravel"]
near_misses = ["ballast water"]

[[labels]]
name = "DAMAGE"
definition = "What broke, leaked or burned, with the part that it happened to."
examples = ["a bent rudder stock"]
near_misses = ["the accident"]

[[labels]]
name = "ORGANISATION"
definition = "Authorities, companies and rescue services."
examples = ["Lindahl Salvage"]
near_misses = ["the owners"]
"#;

/// Reports; a name in braces stands for one of the entities below.
const REPORTS: [&str; 6] = [
    "The {VESSEL} grounded off {PLACE} shortly before dawn with {CARGO} on board. The {ORGANISATION} found {DAMAGE} and held her in port for two days.",
    "While berthing at {PLACE} in a gusting wind, the {VESSEL} struck the outer mole. The crew reported {DAMAGE}; nobody was hurt.",
    "A fire alarm sounded on the {VESSEL} about nine miles from {PLACE}. {ORGANISATION} sent two boats and later described {DAMAGE}.",
    "{ORGANISATION} towed the {VESSEL} to {PLACE} after {DAMAGE} had left her without steering. Her {CARGO} was discharged to a barge.",
    "The pilot left the {VESSEL} at {PLACE}, and twenty minutes later {CARGO} shifted in the hold. She returned with a list of twelve degrees and {DAMAGE}.",
    "Divers of {ORGANISATION} inspected the {VESSEL} at {PLACE}. Below the waterline they saw {DAMAGE}, which the owners had not reported.",
];
const VESSELS: [&str; 7] =
    ["MV Tarnholm", "Elise Vind", "Nordkyst", "MT Askeby", "Havfrue II", "Kirsten Bay", "MS Rosenlund"];
const PLACES: [&str; 8] =
    ["Skagen", "Thyborøn", "the Limfjord", "Esbjerg", "Hanstholm", "Grenaa", "the Kattegat", "Rønne"];
const CARGOES: [&str; 5] =
    ["4,200 tonnes of gravel", "soy meal", "sawn timber", "frozen herring", "wind turbine blades"];
const DAMAGES: [&str; 6] = [
    "a cracked hull plate",
    "a bent rudder stock",
    "flooding in the forepeak",
    "scorched wiring in the engine room",
    "a broken propeller blade",
    "a torn fender",
];
const ORGANISATIONS: [&str; 4] =
    ["Northern Harbour Authority", "Lindahl Salvage", "Coast Rescue West", "Vestkyst Shipping"];
const TEXTS: usize = 80;
const ANNOTATED: usize = 63;

/// The text of a report, and its entities as a program saves them.
fn report(at: usize) -> (String, Vec<Value>) {
    let (mut text, mut entities) = (String::new(), Vec::new());
    let mut rest = REPORTS[at % REPORTS.len()];
    while let Some((before, (label, after))) =
        rest.split_once('{').and_then(|(before, rest)| Some((before, rest.split_once('}')?)))
    {
        text.push_str(before);
        let names: &[&str] = match label {
            "VESSEL" => &VESSELS,
            "PLACE" => &PLACES,
            "CARGO" => &CARGOES,
            "DAMAGE" => &DAMAGES,
            _ => &ORGANISATIONS,
        };
        let start = text.chars().count();
        text.push_str(names[at % names.len()]);
        entities.push(json!({"start": start, "end": text.chars().count(), "label": label}));
        rest = after;
    }
    (text + rest, entities)
}

/// Saves annotations of somebody who has logged in, as a program does; gives how many there were.
fn annotate(browser: &Browser, layer: &str, annotations: &[(usize, Vec<Value>)]) {
    let project = "accidents-at-sea";
    let statuses = browser.run(
        "const [base, layer, all] = arguments;
        const token = document.querySelector('meta[name=csrf-token]').content;
        const save = ([number, entities]) => fetch(`${base}/documents/${number}/annotations/${layer}`, {
            method: 'PUT', headers: { 'content-type': 'application/json', 'x-csrf-token': token },
            body: JSON.stringify({ parent: 0, key: `k${number}`, verdict: 'accepted', entities }),
        }).then(answer => answer.status);
        return (async () => { const statuses = []; for (const one of all) statuses.push(await save(one)); return statuses; })();",
        &json!([format!("/api/v1/projects/{project}"), layer, annotations]),
    );
    let statuses = statuses.as_array().unwrap();
    assert!(statuses.len() == annotations.len() && statuses.iter().all(|status| *status == 200), "{statuses:?}");
}

/// Four people at work: two annotate, some texts twice and not quite alike, the owner trains twice.
fn work(browser: &Browser, project: &Project, studio: &Studio) {
    let leave = || {
        browser.run("document.querySelector('.who form').requestSubmit()", &json!([]));
        browser.wait("location.pathname === '/login'");
    };
    let here = |page: &str| project.page(studio, page);
    log_in(browser, &here("quality"), "olga");
    browser.run(
        "document.querySelector('#percent').value = 25; document.querySelector('#percent').form.requestSubmit()",
        &json!([]),
    );
    browser.wait("document.readyState === 'complete' && document.body.innerText.includes('done, second')");
    let twice = browser.run(
        "return (async () => { const found = []; for (let number = 1; number <= arguments[0]; number += 1) {
            const answer = await fetch(`/api/v1/projects/accidents-at-sea/documents/${number}/annotations/second`);
            if (answer.ok) found.push(number); } return found; })();",
        &json!([ANNOTATED]),
    );
    let twice: Vec<usize> = twice.as_array().unwrap().iter().map(|number| number.as_u64().unwrap() as usize).collect();
    leave();
    let as_written = |number: usize| {
        let mut entities = report(number - 1).1;
        if number % 9 == 4 {
            entities.pop();
        }
        if number % 13 == 6 {
            entities[0]["label"] = json!("ORGANISATION");
        }
        (number, entities)
    };
    let otherwise = |number: usize| {
        let mut entities = report(number - 1).1;
        if number % 5 == 2 {
            // Without the article or the first word.
            let start = entities[1]["start"].as_u64().unwrap();
            entities[1]["start"] = json!(start + 1);
        }
        (number, entities)
    };
    let part = |of: usize| (1..=ANNOTATED).filter(move |number| number % 2 == of);
    for (name, of) in [("mia", 0), ("jens", 1)] {
        log_in(browser, &here("annotate"), name);
        annotate(browser, "first", &part(of).map(as_written).collect::<Vec<_>>());
        let second = twice.iter().copied().filter(|number| number % 2 != of);
        annotate(browser, "second", &second.map(otherwise).collect::<Vec<_>>());
        leave();
    }
    log_in(browser, &here("runs"), "olga");
    for (run, rate) in [(1, "0.0005"), (2, "0.002")] {
        browser.open(&here("runs"));
        browser.run(
            "document.querySelector('#base').value = arguments[0]; document.querySelector('#settings').value = arguments[1];
            document.querySelector('#base').form.requestSubmit();",
            &json!([tiny_base(), format!("learning_rate={rate}\nmax_steps=900\neval_every=60\npatience=0\nnum_train_epochs=1000\nthreads=1")]),
        );
        browser.wait(&format!("location.pathname.endsWith('/runs/{run}')"));
        browser
            .wait_long("document.querySelector('.state.good')?.textContent === 'finished'", Duration::from_secs(120));
    }
    browser.open(&here("quality"));
    browser.run("document.querySelector('form[action$=check]').requestSubmit()", &json!([]));
    browser.wait("document.readyState === 'complete' && performance.getEntriesByType('navigation').length === 1");
}

#[test]
#[ignore = "needs Chromium"]
fn every_page_is_pictured_light_and_dark() {
    let temporary = tempfile::tempdir().unwrap();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let folder: PathBuf =
        env::var_os("NOMEN_SCREENS").map_or_else(|| temporary.path().to_owned(), |folder| root.join(folder));
    fs::create_dir_all(&folder).unwrap();
    let project = Project::init("accidents-at-sea", SCHEMA);
    for (name, role) in [("olga", "owner"), ("rob", "reviewer"), ("mia", "annotator"), ("jens", "annotator")] {
        project.account(name, role);
    }
    project.import(&(0..TEXTS).map(|at| report(at).0).collect::<Vec<_>>());
    let studio = project.open();
    let browser = Browser::start();
    browser.size(1440, 900);
    work(&browser, &project, &studio);
    let document = "document.readyState === 'complete' && document.querySelector('main h1') !== null";
    let drawn = format!("{document} && document.querySelectorAll('#charts .curve').length >= 2");
    let pages = [
        ("home", format!("{}/", studio.url), document),
        ("data", project.page(&studio, "data"), document),
        ("document", project.page(&studio, "data/4"), document),
        ("schema", project.page(&studio, "schema"), document),
        ("quality", project.page(&studio, "quality"), document),
        ("runs", project.page(&studio, "runs"), &*drawn),
        ("run", project.page(&studio, "runs/1"), &*drawn),
        ("people", project.page(&studio, "people"), document),
        ("login", project.page(&studio, "annotate"), document),
    ];
    for (name, page, shown) in pages {
        if name == "login" {
            browser.run("document.querySelector('.who form').requestSubmit()", &json!([]));
            browser.wait("location.pathname === '/login'");
        }
        browser.open(&page);
        browser.wait(shown);
        assert_eq!(
            browser.value("document.documentElement.scrollWidth <= innerWidth"),
            json!(true),
            "{name} is too wide"
        );
        for scheme in ["light", "dark"] {
            browser.scheme(scheme);
            let png = browser.screenshot();
            assert!(png.starts_with(b"\x89PNG"));
            assert!(png.len() < 250_000, "{name}-{scheme}: {} bytes", png.len());
            fs::write(folder.join(format!("{name}-{scheme}.png")), png).unwrap();
        }
    }
    // A page that asks for a login says so in the log, too.
    let log: Vec<String> = browser.log().into_iter().filter(|line| !line.contains("401")).collect();
    assert_eq!(log, Vec::<String>::new());
}
