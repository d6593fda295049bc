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
    opened::{Project, Studio, TINY_BASE, log_in},
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
/// Bytes that a picture may have.
const LARGEST: usize = 250_000;

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

/// Annotates what the queue gives to whoever has logged in, as a program does; gives how many texts it gave, so many at most.
fn annotate(browser: &Browser, most: usize, layers: &Value) -> u64 {
    let saved = browser.run(
        "const [most, layers] = arguments;
        const base = '/api/v1/projects/accidents-at-sea';
        const token = document.querySelector('meta[name=csrf-token]').content;
        return (async () => {
            for (let saved = 0; saved < most; saved += 1) {
                const next = await fetch(`${base}/queue/next`);
                if (next.status !== 200) return saved;
                const { number, layer } = await next.json();
                const answer = await fetch(`${base}/documents/${number}/annotations/${layer}`, {
                    method: 'PUT', headers: { 'content-type': 'application/json', 'x-csrf-token': token },
                    body: JSON.stringify({ parent: 0, key: 'first try', verdict: 'accepted', entities: layers[layer][number - 1] }),
                });
                if (!answer.ok) throw new Error(await answer.text());
            }
            return most;
        })();",
        &json!([most, layers]),
    );
    saved.as_u64().unwrap()
}

/// What somebody makes of a report who is careless now and then.
fn careless(at: usize) -> Vec<Value> {
    let mut entities = report(at).1;
    if at % 9 == 4 {
        entities.pop();
    }
    if at % 7 == 6 {
        entities[0]["label"] = json!("ORGANISATION");
    }
    entities
}

/// What somebody makes of it who reads the guidelines otherwise.
fn otherwise(at: usize) -> Vec<Value> {
    let mut entities = report(at).1;
    if at % 5 == 2 {
        let (start, end) = (entities[1]["start"].as_u64().unwrap(), entities[1]["end"].as_u64().unwrap());
        entities[1]["end"] = json!(end.max(start + 2) - 1);
    }
    entities
}

/// Sends a form and waits for the page that comes.
fn submit(browser: &Browser, form: &str) {
    browser.run("window.isBefore = true; document.querySelector(arguments[0]).requestSubmit()", &json!([form]));
    browser.wait("window.isBefore === undefined && document.readyState === 'complete'");
}

/// Three people at work: two annotate, some texts twice and not quite alike; the owner trains twice and looks for mistakes.
fn work(browser: &Browser, project: &Project, studio: &Studio) {
    let here = |page: &str| project.page(studio, page);
    log_in(browser, &here("quality"), "olga");
    browser.run("document.querySelector('#percent').value = 25", &json!([]));
    submit(browser, "form[action$=twice]");
    submit(browser, ".who form");
    let of = |make: fn(usize) -> Vec<Value>| (0..TEXTS).map(make).collect::<Vec<_>>();
    let layers = json!({"first": of(careless), "second": of(otherwise)});
    for (name, most) in [("mia", 35), ("jens", 40), ("mia", 10)] {
        log_in(browser, &here("annotate"), name);
        assert!(annotate(browser, most, &layers) > 5, "{name} had little to do");
        submit(browser, ".who form");
    }
    log_in(browser, &here("runs"), "olga");
    for (run, rate) in [(1, "0.0005"), (2, "0.002")] {
        browser.open(&here("runs"));
        browser.run(
            "document.querySelector('#base').value = arguments[0]; document.querySelector('#settings').value = arguments[1];",
            &json!([
                TINY_BASE,
                format!("learning_rate={rate}\nmax_steps=900\neval_every=60\npatience=0\nnum_train_epochs=1000\nthreads=1")
            ]),
        );
        submit(browser, "form:has(#base)");
        browser.wait(&format!("location.pathname.endsWith('/runs/{run}')"));
        browser
            .wait_long("document.querySelector('.state.good')?.textContent === 'finished'", Duration::from_secs(120));
    }
    submit(browser, "form[action$=label-errors]");
    submit(browser, "form[action$=check]");
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
    browser.size(1200, 760);
    work(&browser, &project, &studio);
    let document = "document.readyState === 'complete' && document.querySelector('main h1') !== null";
    // A dot an evaluation.
    let drawn =
        |runs: usize| format!("{document} && document.querySelectorAll('#charts .dot').length >= {}", 15 * runs);
    let (two, one) = (drawn(2), drawn(1));
    let pages = [
        ("home", format!("{}/", studio.url), document),
        ("data", project.page(&studio, "data"), document),
        ("document", project.page(&studio, "data/4"), document),
        ("schema", project.page(&studio, "schema"), document),
        ("quality", project.page(&studio, "quality"), document),
        ("runs", project.page(&studio, "runs"), &two),
        ("run", project.page(&studio, "runs/2"), &one),
        ("people", project.page(&studio, "people"), document),
        ("login", project.page(&studio, "annotate"), document),
    ];
    let mut large = Vec::new();
    for (name, page, shown) in pages {
        if name == "login" {
            submit(&browser, ".who form");
        }
        browser.size(1200, 760);
        browser.open(&page);
        browser.wait(shown);
        // A list goes on below the picture, other pages are shown further.
        let high = browser.value("document.documentElement.scrollHeight").as_u64().unwrap();
        let most = if name == "data" { 760 } else { 1000 };
        browser.size(1200, high.clamp(760, most) as u32);
        assert_eq!(
            browser.value("document.documentElement.scrollWidth <= innerWidth"),
            json!(true),
            "{name} is too wide"
        );
        for scheme in ["light", "dark"] {
            browser.scheme(scheme);
            let png = browser.screenshot();
            assert!(png.starts_with(b"\x89PNG"));
            fs::write(folder.join(format!("{name}-{scheme}.png")), &png).unwrap();
            large.extend((png.len() >= LARGEST).then(|| format!("{name}-{scheme}: {} bytes", png.len())));
        }
    }
    assert!(large.is_empty(), "too large for a repository: {large:?}");
    // A page that asks for a login says so in the log, too.
    let log: Vec<String> = browser.log().into_iter().filter(|line| !line.contains("401")).collect();
    assert_eq!(log, Vec::<String>::new());
}
