//! `nomen suggest`: a first pass that loses nothing, asks nothing twice and shows no key.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
    thread,
    time::Duration,
};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::{
    answer, nomen, refusal, run,
    scripted::{Act, Asked, Scripted, quotes},
    tiny_model,
};

const KEY: &str = "sk-never-to-be-seen-42";

/// A folder with texts, a schema and lists of names.
struct Place(TempDir);

impl Place {
    fn new(texts: &[&str]) -> Self {
        let place = Self(tempfile::tempdir().unwrap());
        place.write("texts.txt", &format!("{}\n", texts.join("\n")));
        place.write(
            "schema.toml",
            "[[labels]]\nname = \"PERSON\"\ndefinition = \"A human.\"\n[[labels]]\nname = \"PLACE\"\n",
        );
        place
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).unwrap();
    }

    /// The command in this folder, without keys of whoever runs the tests.
    fn suggest(&self, arguments: &[&str]) -> Command {
        let mut command = nomen();
        command.current_dir(self.0.path()).arg("suggest").args(arguments);
        command.env_remove("OPENAI_API_KEY").env_remove("NOMEN_LLM_KEY");
        command
    }

    fn asking(&self, scripted: &Scripted, arguments: &[&str]) -> Command {
        let mut command =
            self.suggest(&["texts.txt", "--schema", "schema.toml", "--llm", &scripted.url, "--model", "m"]);
        command.args(["--timeout", "5", "--tries", "2"]).args(arguments);
        command
    }

    fn rows(&self, name: &str) -> Vec<Value> {
        rows(&fs::read_to_string(self.path(name)).unwrap())
    }
}

fn rows(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn said(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

/// Every word with a capital is a person.
fn capitals(asked: &Asked) -> Act {
    let text = asked.text();
    let words = text.split(|letter: char| !letter.is_alphanumeric());
    let named: Vec<(&str, &str)> =
        words.filter(|word| word.starts_with(char::is_uppercase)).map(|word| (word, "PERSON")).collect();
    Act::Say(quotes(&named))
}

#[test]
fn a_list_of_names_makes_suggestions_with_their_status_and_entities_where_they_are_sure() {
    let place = Place::new(&["Anna met anna in Æbeltoft 😀 Rome", "nothing"]);
    place.write("names.tsv", "Anna\tPERSON\nRome\tPLACE\nRome\tPERSON\nÆbeltoft\tPLACE\n");
    let output = run(&mut place.suggest(&["texts.txt", "--lexicon", "names.tsv"]), b"");
    let found = rows(&answer(&output));
    assert_eq!(found.len(), 2);
    let entities = found[0]["entities"].as_array().unwrap();
    let told: Vec<(&str, u64, &str)> = entities
        .iter()
        .map(|entity| {
            (entity["text"].as_str().unwrap(), entity["start"].as_u64().unwrap(), entity["source"].as_str().unwrap())
        })
        .collect();
    let source = "lexicon:names.tsv";
    assert_eq!(told, [("Anna", 0, source), ("anna", 9, source), ("Æbeltoft", 17, source)]);
    assert_eq!(found[0]["complete"], false);
    let statuses: Vec<&str> =
        found[0]["meta"]["suggestions"].as_array().unwrap().iter().map(|one| one["status"].as_str().unwrap()).collect();
    assert_eq!(statuses, ["exact", "folded", "exact", "ambiguous", "ambiguous"]);
    assert!(said(&output).contains("lexicon:names.tsv"), "{}", said(&output));

    let out = run(&mut place.suggest(&["texts.txt", "--lexicon", "names.tsv", "--out", "out.jsonl", "--json"]), b"");
    let summary: Value = serde_json::from_str(&answer(&out)).unwrap();
    assert_eq!((&summary["texts"], &summary["entities"]), (&json!(2), &json!(3)));
    assert_eq!(summary["sources"][0]["suggestions"]["ambiguous"], 2);
    assert_eq!(place.rows("out.jsonl"), found);
}

#[test]
fn sources_are_weighed_also_those_of_earlier_runs_and_annotations_stay() {
    let texts: Vec<String> = (0..30).map(|text| format!("Anna{text} met Bob{text} in Rome")).collect();
    let place = Place::new(&texts.iter().map(String::as_str).collect::<Vec<_>>());
    let list = |name: &str, surfaces: &dyn Fn(usize) -> String| {
        place.write(name, &(0..30).map(surfaces).collect::<String>());
    };
    list("a.tsv", &|at| format!("Anna{at}\tPERSON\nBob{at}\tPERSON\n"));
    list("b.tsv", &|at| format!("Anna{at}\tPERSON\nmet\tPLACE\n"));
    let first = ["texts.txt", "--lexicon", "a.tsv", "--out", "first.jsonl"];
    answer(&run(&mut place.suggest(&first), b""));
    let mut lines = fs::read_to_string(place.path("first.jsonl")).unwrap();
    lines += "{\"text\":\"Anna1 alone\",\"entities\":[{\"start\":6,\"end\":11,\"label\":\"MINE\"}]}\n";
    place.write("first.jsonl", &lines);
    let model = tiny_model();
    let second =
        ["first.jsonl", "--lexicon", "b.tsv", "--bundle", model.to_str().unwrap(), "--out", "second.jsonl", "--json"];
    let summary: Value = serde_json::from_str(&answer(&run(&mut place.suggest(&second), b""))).unwrap();
    let sources: Vec<&str> =
        summary["sources"].as_array().unwrap().iter().map(|one| one["source"].as_str().unwrap()).collect();
    assert!(sources[0] == "lexicon:a.tsv" && sources[1] == "lexicon:b.tsv" && sources[2].starts_with("bundle:"));
    assert_eq!(sources[3], "combined:label-model");
    assert!(summary["sources"][0]["accuracy"][0]["recall"].is_number());
    assert_eq!(summary["annotated"], 1);
    let rows = place.rows("second.jsonl");
    assert!(rows[0]["entities"].as_array().unwrap().iter().all(|entity| entity["source"] == "combined:label-model"));
    let decided = &rows[30];
    assert_eq!(
        (&decided["complete"], &decided["entities"]),
        (&json!(true), &json!([{"start": 6, "end": 11, "label": "MINE", "text": "alone"}]))
    );
    assert!(!decided["meta"]["suggestions"].as_array().unwrap().is_empty());
    // The same sources again take the place of what they said.
    let third = ["second.jsonl", "--lexicon", "b.tsv", "--out", "third.jsonl"];
    answer(&run(&mut place.suggest(&third), b""));
    let told = |row: &Value| -> Vec<String> {
        let rows = row["meta"]["suggestions"].as_array().unwrap();
        rows.iter().map(|one| format!("{} {} {}", one["source"], one["quote"], one["label"])).collect()
    };
    assert_eq!(told(&place.rows("third.jsonl")[0]), told(&rows[0]));
}

#[test]
fn what_teaches_most_comes_first_and_says_why() {
    let place = Place::new(&["nobody is here", "Anna met Bob", "still nobody", "Cleo left"]);
    place.write("a.tsv", "Anna\tPERSON\nCleo\tPERSON\n");
    place.write("b.tsv", "Bob\tPERSON\nCleo\tPERSON\n");
    let mut lines = vec![json!({"text": "Dan, whom somebody annotated", "entities": []}).to_string()];
    let open = fs::read_to_string(place.path("texts.txt")).unwrap();
    lines.extend(open.lines().map(|text| json!({"text": text, "complete": false}).to_string()));
    place.write("texts.jsonl", &lines.join("\n"));
    let by = |order: &str, out: &str| {
        let sources = ["--lexicon", "a.tsv", "--lexicon", "b.tsv", "--order", order, "--out", out];
        answer(&run(place.suggest(&["texts.jsonl"]).args(sources), b""));
        place.rows(out)
    };
    let texts =
        |rows: &[Value]| -> Vec<String> { rows.iter().map(|row| row["text"].as_str().unwrap().to_owned()).collect() };
    let unsure = by("uncertainty", "unsure.jsonl");
    assert_eq!(texts(&unsure)[0], "Anna met Bob", "the lists disagree about it alone");
    assert_eq!(texts(&unsure)[4], "Dan, whom somebody annotated");
    assert_eq!(unsure[0]["meta"]["suggestions_order"], "what is suggested is in doubt (1.00)");
    assert!(unsure[4]["meta"]["suggestions_order"].is_null());
    // The same texts and seed give the same order; the order takes and adds none.
    assert_eq!(by("random", "one.jsonl"), by("random", "two.jsonl"));
    let mut all = texts(&by("mixed", "mixed.jsonl"));
    all.sort();
    let mut given = texts(&place.rows("texts.jsonl"));
    given.sort();
    assert_eq!(all, given);
    let refused = refusal(&run(&mut place.suggest(&["texts.jsonl", "--lexicon", "a.tsv", "--order", "best"]), b""));
    assert!(refused.contains("random, uncertainty, diversity and mixed"), "{refused}");
}

#[test]
fn a_language_model_is_asked_and_what_it_said_is_kept_and_told() {
    let place = Place::new(&["Anna met Bob", "Paris loves Paris", "cut", "prose"]);
    let scripted = Scripted::new(|asked, _| match asked.text().as_str() {
        "cut" => Act::Cut("{\"entities\": [".into()),
        "prose" => Act::Say("There are none, I think.".into()),
        "Paris loves Paris" => Act::Say(quotes(&[("Paris", "PLACE"), ("Nowhere", "PLACE"), ("Paris", "CITY")])),
        _ => capitals(asked),
    });
    let output = run(&mut place.asking(&scripted, &["--out", "out.jsonl", "--json"]), b"");
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let summary: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(summary["llm"]["texts"], json!({"answered": 2, "broken": 1, "truncated": 1}));
    assert_eq!((&summary["llm"]["truncated"], &summary["llm"]["broken"]), (&json!(3), &json!(3)));
    assert_eq!(summary["llm"]["foreign_labels"], json!({"CITY": 1}));
    let expected = json!({"exact": 2, "folded": 0, "fuzzy": 0, "ambiguous": 1, "ungrounded": 1});
    assert_eq!(summary["sources"][0]["suggestions"], expected);
    assert!(summary["llm"]["problems"][0].as_str().unwrap().contains("texts.txt: text 3: truncated: cut off"));
    let found = place.rows("out.jsonl");
    assert_eq!(found[2]["meta"]["suggestions_missing"], json!({"llm:m": "truncated"}));
    assert_eq!(found[1]["meta"]["suggestions"][1]["quote"], "Nowhere");
    assert_eq!(found[0]["meta"]["suggestions"][0]["prompt"].as_str().unwrap().len(), 16);
    // The prompt says what the schema says.
    assert!(scripted.asked()[0].body["messages"][0]["content"].as_str().unwrap().contains("A human."));

    // Again: everything is known, nothing is asked.
    let before = scripted.asked().len();
    let again = run(&mut place.asking(&scripted, &["--out", "out.jsonl"]), b"");
    assert_eq!((again.status.code(), scripted.asked().len()), (Some(1), before), "{}", said(&again));
    assert_eq!(place.rows("out.jsonl"), found);
}

#[cfg(unix)]
#[test]
fn killed_at_random_and_started_again_it_asks_for_nothing_that_was_answered() {
    let texts: Vec<String> = (0..120).map(|text| format!("Anna{text} met Bob{text}")).collect();
    let place = Place::new(&texts.iter().map(String::as_str).collect::<Vec<_>>());
    let scripted = Scripted::new(|asked, _| {
        thread::sleep(Duration::from_millis(15));
        capitals(asked)
    });
    let arguments = ["--out", "out.jsonl", "--concurrency", "4"];
    let kept = |place: &Place| {
        fs::read_to_string(place.path("out.jsonl.answers.jsonl")).map_or(0, |text| text.matches('\n').count())
    };
    let mut repeated = 0;
    for (round, patience) in [60, 130, 200, 90, 170].into_iter().enumerate() {
        let before = (scripted.asked().len(), kept(&place));
        let mut child =
            place.asking(&scripted, &arguments).stderr(Stdio::null()).stdout(Stdio::null()).spawn().unwrap();
        // The first start of a program takes a while; then the moments differ from round to round.
        while scripted.asked().len() == before.0 && child.try_wait().unwrap().is_none() {
            thread::sleep(Duration::from_millis(2));
        }
        thread::sleep(Duration::from_millis(patience));
        // SIGKILL
        child.kill().unwrap();
        child.wait().unwrap();
        thread::sleep(Duration::from_millis(60));
        let (asked, new) = (scripted.asked().len() - before.0, kept(&place) - before.1);
        assert!(asked - new <= 4, "round {round}: {asked} asked, {new} kept");
        repeated += asked - new;
    }
    let left = 120 - kept(&place);
    let before = scripted.asked().len();
    answer(&run(&mut place.asking(&scripted, &arguments), b""));
    assert_eq!(scripted.asked().len() - before, left);
    assert_eq!(scripted.asked().len(), 120 + repeated);
    let found = place.rows("out.jsonl");
    assert_eq!(found.len(), 120);
    assert!(found.iter().all(|row| row["entities"].as_array().unwrap().len() == 2));
    assert_eq!(scripted.asked().iter().map(Asked::text).collect::<BTreeSet<_>>().len(), 120);
}

/// Every file below a folder.
fn files(folder: &Path) -> Vec<PathBuf> {
    fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect()
}

#[test]
fn the_key_is_in_no_output_no_file_and_no_redirect() {
    let other = Scripted::new(|_, _| Act::Say(quotes(&[])));
    let header: &'static str = Box::leak(format!("Location: {}/?{KEY}", other.url).into_boxed_str());
    let texts = ["Anna says", "refused", "broken", "moved"];
    let place = Place::new(&texts[..3]);
    let scripted = Scripted::new(move |asked, _| match asked.text().as_str() {
        "refused" => Act::Status(400, "", json!({"error": {"message": format!("{KEY} may not")}}).to_string()),
        "broken" => Act::Say(format!("{{\"{KEY}\": ")),
        "moved" => Act::Status(302, header, String::new()),
        _ => Act::Say(quotes(&[("Anna", "PERSON"), (KEY, "PERSON"), ("Anna", KEY)])),
    });
    let mut outputs = Vec::new();
    let mut ask = |command: &mut Command| {
        let output = run(command, b"");
        outputs.extend([output.stdout.clone(), output.stderr.clone()]);
        output
    };
    ask(place.asking(&scripted, &["--out", "out.jsonl", "--json"]).env("NOMEN_LLM_KEY", KEY));
    place.write("key.txt", &format!("{KEY}\n"));
    place.write("texts.txt", "moved\n");
    let output = ask(place.asking(&scripted, &["--key-file", "key.txt"]).env("OPENAI_API_KEY", "sk-other"));
    assert!(refusal(&output).contains("it redirects to"));
    ask(place.asking(&scripted, &["--key-file", "none.txt"]).env("OPENAI_API_KEY", KEY));
    ask(place.asking(&scripted, &[]).env("OPENAI_API_KEY", format!("{KEY} {KEY}")));
    for output in outputs {
        let text = String::from_utf8(output).unwrap();
        assert!(!text.contains(KEY), "{text}");
    }
    for path in files(place.0.path()) {
        let is_key = path.ends_with("key.txt");
        assert_eq!(fs::read_to_string(&path).unwrap().contains(KEY), is_key, "{}", path.display());
    }
    assert!(other.asked().is_empty());
    assert!(scripted.asked().iter().all(|asked| asked.head.contains(&format!("Bearer {KEY}"))));
    let refused =
        run(&mut place.suggest(&["texts.txt", "--llm", "http://u:sk-in-url@127.0.0.1:9/v1", "--model", "m"]), b"");
    assert!(!said(&refused).contains("sk-in-url"), "{}", said(&refused));
}

#[test]
fn what_it_costs_is_told_before_and_never_exceeded_and_a_larger_budget_goes_on() {
    let texts: Vec<String> = (0..20).map(|text| format!("Anna{text} went")).collect();
    let place = Place::new(&texts.iter().map(String::as_str).collect::<Vec<_>>());
    let scripted = Scripted::new(|asked, _| capitals(asked));
    let prices = ["--price-in", "1", "--price-out", "2"];
    let mut command = place.asking(&scripted, &["--estimate", "--json", "--out", "out.jsonl"]);
    let estimate: Value = serde_json::from_str(&answer(&run(command.args(prices), b""))).unwrap();
    assert_eq!((&estimate["requests"], &estimate["within_budget"]), (&json!(20), &json!(true)));
    assert!(estimate["cost"].as_f64().unwrap() > 0.0 && scripted.asked().is_empty());
    assert_eq!(files(place.0.path()).len(), 2, "an estimate leaves no file");
    let mut command = place.asking(&scripted, &["--dry-run", "--max-cost", "0.000001"]);
    assert_eq!(run(command.args(prices), b"").status.code(), Some(1));

    let arguments = ["--out", "out.jsonl", "--json", "--max-answer-tokens", "100", "--concurrency", "2"];
    let output = run(place.asking(&scripted, &arguments).args(["--max-tokens-total", "1500"]), b"");
    assert_eq!(output.status.code(), Some(1));
    let summary: Value = serde_json::from_slice(&output.stdout).unwrap();
    let spent =
        ["prompt_tokens", "completion_tokens"].map(|field| summary["llm"][field].as_u64().unwrap()).iter().sum::<u64>();
    assert!(spent <= 1500, "{spent}");
    let answered = summary["llm"]["texts"]["answered"].as_u64().unwrap() as usize;
    assert!(answered > 2 && answered < 20 && scripted.asked().len() == answered);
    assert!(place.rows("out.jsonl").iter().any(|row| row["meta"]["suggestions_missing"]["llm:m"] == "budget"));
    answer(&run(&mut place.asking(&scripted, &arguments), b""));
    assert_eq!(scripted.asked().len(), 20);
    assert!(place.rows("out.jsonl").iter().all(|row| row["meta"].get("suggestions_missing").is_none()));
}

#[test]
fn questions_go_to_a_batch_and_come_back_answered() {
    let place = Place::new(&["Anna met Bob", "Eve left"]);
    let scripted = Scripted::new(|_, _| Act::Reset);
    answer(&run(&mut place.asking(&scripted, &["--out", "out.jsonl", "--batch-out", "questions.jsonl"]), b""));
    let questions = place.rows("questions.jsonl");
    assert_eq!(questions.len(), 2);
    let reply = |question: &Value| {
        let message = json!({"role": "assistant", "content": quotes(&[("Anna", "PERSON"), ("Eve", "PERSON")])});
        let body = json!({"choices": [{"message": message, "finish_reason": "stop"}]});
        format!("{}\n", json!({"custom_id": question["custom_id"], "response": {"status_code": 200, "body": body}}))
    };
    place.write("answers.jsonl", &questions[..1].iter().map(reply).collect::<String>());
    let half = run(&mut place.asking(&scripted, &["--out", "out.jsonl", "--batch-in", "answers.jsonl"]), b"");
    assert_eq!(half.status.code(), Some(1));
    assert_eq!(place.rows("out.jsonl")[1]["meta"]["suggestions_missing"]["llm:m"], "not-asked");
    place.write("answers.jsonl", &questions[1..].iter().map(reply).collect::<String>());
    answer(&run(&mut place.asking(&scripted, &["--out", "out.jsonl", "--batch-in", "answers.jsonl"]), b""));
    let surfaces: Vec<Value> = place.rows("out.jsonl").iter().map(|row| row["entities"][0]["text"].clone()).collect();
    assert_eq!(surfaces, ["Anna", "Eve"]);
    assert!(scripted.asked().is_empty());
}

#[test]
fn what_cannot_be_used_is_named_with_the_way_out_and_nothing_is_written() {
    let place = Place::new(&["Anna"]);
    place.write("names.tsv", "Anna PERSON\n");
    place.write("odd.jsonl", "{\"text\":\"x\",\"meta\":{\"suggestions\":\"mine\"}}\n");
    place.write("empty.toml", "");
    let cases: [(&[&str], &str); 8] = [
        (&["texts.txt"], "--lexicon FILE"),
        (&["texts.txt", "--lexicon", "names.tsv", "--out", "o.jsonl"], "names.tsv:1: there is no tab"),
        (&["odd.jsonl", "--lexicon", "names.tsv"], "odd.jsonl: text 1"),
        (&["texts.txt", "--llm", "http://127.0.0.1:9/v1"], "--model"),
        (&["texts.txt", "--llm", "http://127.0.0.1:9/v1", "--model", "m"], "--schema FILE"),
        (&["texts.txt", "--llm", "http://127.0.0.1:9/v1", "--model", "m", "--schema", "empty.toml"], "no label"),
        (&["texts.txt", "--llm", "ftp://x/v1", "--model", "m", "--schema", "schema.toml"], "http://"),
        (&["texts.txt", "--lexicon", "names.tsv", "--threshold", "2"], "between 0 and 1"),
    ];
    for (arguments, expected) in cases {
        let message = refusal(&run(&mut place.suggest(arguments), b""));
        assert!(message.contains(expected), "{arguments:?}: {message}");
    }
    assert!(!place.path("o.jsonl").exists());
}
