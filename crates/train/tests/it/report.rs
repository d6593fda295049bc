//! `report.html`, from the events of a run and the judgement of its model. The page of the first test is left in the
//! target folder (`tmp/report.html`), to be looked at.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use corpus::augment::{MethodSummary, Summary};
use evaluate::{Change, Counts, Interval, Pair, Report, Scores};
use nomen_train::{
    Augmentations, Base, BaseFacts, Choice, Curve, DataSet, End, Evaluation, Events, RunConfig, RunReport, Settings,
    Source, StepReport, Warning, render,
};
use schema::{Document, Entity, Label, Span};

const STEPS: u64 = 456;
static NOT_JUDGED: BTreeMap<&str, Scores> = BTreeMap::new();

fn example(name: &str) -> (PathBuf, Vec<Document>) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/tech").join(name);
    let (documents, _) = corpus::read_all(&path, None).unwrap();
    (path, documents)
}

/// A number in 0..1 that looks random and is the same everywhere.
fn chance(seed: u64) -> f64 {
    let mixed = (seed + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    let mixed = (mixed ^ (mixed >> 32)).wrapping_mul(0xD6E8_FEB8_6659_FD93);
    ((mixed ^ (mixed >> 32)) >> 11) as f64 / (1u64 << 53) as f64
}

/// What a model of some quality (0..1) might find: gold entities with every kind of error among them.
fn predict(document: &Document, seed: u64, quality: f64, labels: &[Label]) -> Vec<Entity> {
    let text = document.text();
    let mut found: Vec<Entity> = Vec::new();
    for (place, gold) in document.entities().iter().enumerate() {
        let key = seed * 64 + place as u64;
        let mut entity = gold.clone();
        entity.score = Some((0.55 + 0.45 * chance(key + 7_000_000)) as f32);
        match chance(key) / (1.0 - quality).max(1e-9) {
            0.0..0.35 => continue,
            0.35..0.6 => entity.label = labels[(key % labels.len() as u64) as usize].clone(),
            0.6..0.9 => {
                let quote = gold.span.quote(text);
                let end = match quote.split_once(' ') {
                    Some((first, _)) => gold.span.start() + first.len(),
                    None => gold.span.end() + text[gold.span.end()..].find([' ', ',', '.']).unwrap_or(0).max(1),
                };
                let Ok(span) = Span::of(text, gold.span.start()..end.min(text.len())) else { continue };
                entity.span = span;
            }
            _ => {}
        }
        found.push(entity);
    }
    let word =
        text.split(' ').map(|word| word.as_ptr() as usize - text.as_ptr() as usize..).nth(2).map(|range| range.start);
    if let Some(start) = word.filter(|_| chance(seed + 900_000) < 0.3 * (1.0 - quality)) {
        let end = start + text[start..].find(' ').unwrap_or(text.len() - start);
        let span = Span::of(text, start..end).unwrap();
        if found.iter().all(|entity| !entity.span.overlaps(span)) {
            let mut entity = Entity::new(span, labels[start % labels.len()].clone());
            entity.score = Some((0.5 + 0.4 * chance(seed)) as f32);
            found.push(entity);
        }
    }
    found.sort_by_key(|entity| entity.span);
    found.dedup_by(|b, a| a.span.overlaps(b.span));
    found
}

fn judge(documents: &[Document], quality: f64, unreachable: usize) -> Report {
    let mut labels: Vec<Label> =
        documents.iter().flat_map(Document::entities).map(|entity| entity.label.clone()).collect();
    labels.sort_unstable();
    labels.dedup();
    let predict = |(place, document)| predict(document, place as u64, quality, &labels);
    let predicted: Vec<Vec<Entity>> = documents.iter().enumerate().map(predict).collect();
    let pairs: Vec<Pair<'_>> =
        documents.iter().zip(&predicted).map(|(document, predicted)| Pair { document, predicted }).collect();
    let entities = documents.iter().enumerate().flat_map(|(place, document)| {
        document.entities().iter().filter(|e| e.span.len() < 4).map(move |entity| (place, entity.clone()))
    });
    Report::new(&pairs, &entities.take(unreachable).collect::<Vec<_>>(), &evaluate::Settings::default())
}

/// Writes the events of a run that goes as runs go, and reads them.
fn events(folder: &Path, dev: &[Document]) -> Curve {
    let path = folder.join("events.jsonl");
    let mut events = Events::create(&path).unwrap();
    events.started(serde_json::json!({"resumed": false})).unwrap();
    let mut best = 0.0;
    for step in 1..=STEPS {
        let share = step as f64 / STEPS as f64;
        let noise = chance(step) + chance(step + 50_000) - 1.0;
        let evaluation = step.is_multiple_of(38).then(|| {
            let quality = 0.84 * (1.0 - (-5.0 * share).exp()) + 0.03 * chance(step + 3);
            let scores: Scores = judge(dev, quality, 0).scores;
            let f1 = scores.micro().f1();
            let is_best = f1 >= best;
            best = f1.max(best);
            Evaluation { scores, old: None, score: f1, is_best, elapsed: Duration::from_millis(1_700) }
        });
        events
            .step(&StepReport {
                step,
                steps: STEPS,
                epoch: (step / 38) as u32,
                loss: 1.3 * (-14.0 * share).exp() + 0.04 + 0.9 * (noise * 1.4).exp() * (-3.5 * share).exp(),
                rate: 2e-4 * (share / 0.1).min((1.0 - share) / 0.9),
                gradient_norm: 1.0,
                pieces: 500,
                elapsed: Duration::from_millis(410),
                evaluation,
                ended: None,
            })
            .unwrap();
    }
    events.ended(STEPS, End::Finished).unwrap();
    Curve::of(&Events::read(&path).unwrap())
}

fn settings() -> Settings {
    let text = "learning_rate = 2e-4\nlr_scheduler = \"linear\"\nwarmup_ratio = 0.1\nnum_train_epochs = 12\nmax_steps = 0\n\
                train_batch_size = 16\ntrain_batch_pieces = 0\nweight_decay = 0.01\nmax_grad_norm = 1.0\n\
                alignment = \"word\"\nmax_length = 128\nstride = 32\nseed = 7\nthreads = 2\neval_every = 38\npatience = 6\n\
                checkpoint_every = 0\nbf16 = false\nfreeze_embeddings = false\nfreeze_layers = 0";
    toml::from_str(text).unwrap()
}

fn empty(settings: &Settings) -> RunReport<'_> {
    RunReport {
        name: "tech",
        written: SystemTime::UNIX_EPOCH + Duration::from_secs(1_780_000_000),
        base: Base {
            spec: "minilm",
            licence: Some("MIT"),
            facts: BaseFacts { width: 384, layers: 6, parameters: 22_565_000, positions: 512 },
        },
        data: Vec::new(),
        machine: "",
        settings,
        choices: &[],
        steps: STEPS,
        curve: Curve::default(),
        warnings: &[],
        dev: None,
        test: None,
        int8: &NOT_JUDGED,
        augmentation: None,
    }
}

fn source<'d>(path: &'d Path, documents: &'d [Document]) -> Source<'d> {
    Source { path, documents }
}

/// Headings and what can be unfolded, in order.
fn outline(page: &str) -> Vec<String> {
    let mut outline = Vec::new();
    for tag in page.split('<').skip(1) {
        let (tag, text) = tag.split_once('>').unwrap();
        if ["h1", "h2", "h3", "summary"].contains(&tag) {
            outline.push(format!("{tag} {}", text.trim()));
        }
    }
    outline
}

#[test]
fn a_report_shows_the_run_its_scores_and_its_errors() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let [(train_path, train), (dev_path, dev), (test_path, test)] =
        ["train.jsonl", "dev.jsonl", "test.jsonl"].map(example);
    let run = tempfile::tempdir_in(folder).unwrap();
    let (judged_dev, judged_test) = (judge(&dev, 0.84, 0), judge(&test, 0.81, 3));
    let choice = |key, value: &str, why: &str| Choice { key, value: value.to_owned(), why: why.to_owned() };
    let warnings: Vec<String> =
        nomen_train::check(source(&train_path, &train), Some(source(&dev_path, &dev)), Some(source(&test_path, &test)))
            .unwrap()
            .into_iter()
            .chain(Warning::of_unreachable(source(Path::new("test.jsonl"), &test), 3))
            .map(|warning| warning.to_string())
            .collect();
    let settings = settings();
    let made = MethodSummary { texts: 1_200, places: 2_400 };
    let augmentation = Augmentations {
        summary: Summary { copies: 1_500, unchanged: 300, methods: [("mentions", made)].into() },
        on_dev: Some(Change {
            before: Counts { correct: 600, gold: 1_000, predicted: 1_000 },
            after: Counts { correct: 612, gold: 1_000, predicted: 1_000 },
            change: 0.012,
            interval: Interval { low: -0.004, high: 0.028, level: 0.95, resamples: 1_000, seed: 0 },
            p_drop: 0.8,
        }),
    };
    let report = RunReport {
        machine: "AVX-512",
        data: vec![
            DataSet::new("train", &train_path, &train),
            DataSet::new("dev", &dev_path, &dev),
            DataSet::new("test", &test_path, &test),
        ],
        choices: &[
            choice("learning_rate", "0.0002", "the base is 384 wide; wider models take smaller steps"),
            choice("alignment", "\"word\"", "words are what the base's tokenizer separates"),
            choice("max_length", "128", "the longest training text has 61 pieces"),
            choice("num_train_epochs", "12", "an epoch has 38 steps, 456 in all; small sets need many passes"),
        ],
        curve: events(run.path(), &dev),
        warnings: &warnings,
        dev: Some(&judged_dev),
        test: Some(&judged_test),
        int8: &BTreeMap::from([("dev", judged_dev.scores.clone()), ("test", judged_test.scores.clone())]),
        augmentation: Some(&augmentation),
        ..empty(&settings)
    };
    let page = render(&report);
    assert!(
        page.contains("0.612 with the copies and 0.600 without them, +0.012 (95 % interval -0.004 to +0.028): other")
    );
    assert!(page.contains("settings") && page.contains("augment.context"));
    fs::write(folder.join("report.html"), &page).unwrap();

    assert!(page.contains("The same in 8 bits"));
    let f1 = format!("{:.3}", judged_test.scores.micro().f1());
    assert!(page.contains(&format!("<dt>F1 on test</dt><dd><strong>{f1}</strong>")), "{f1}");
    let errors = ["Wrong label", "Wrong boundary", "Wrong label and boundary", "Spurious", "Missed"];
    let outline = outline(&page);
    let sections: Vec<&str> = outline.iter().filter_map(|line| line.strip_prefix("h2 ")).collect();
    assert_eq!(
        sections,
        [
            "A warning about the data",
            "Training",
            "Scores",
            "Scores by label",
            "Confusion of labels",
            "The worst errors",
            "Out of reach",
            "Augmentation",
            "Run",
            "Settings"
        ]
    );
    let kinds: Vec<&str> =
        outline.iter().filter_map(|line| line.strip_prefix("h3 ")).filter(|h| errors.contains(h)).collect();
    assert!(kinds.len() >= 8, "every kind occurs on dev and most on test: {kinds:?}");
    for label in judged_test.scores.by_label().keys() {
        let name = label.as_str().replace('_', "_<wbr>");
        assert!(page.contains(&format!("<th class=\"label\" scope=\"row\">{name}<wbr></th>")), "{label}");
    }
    // It stands alone.
    for foreign in ["http:", "https:", "<script", "<link", "src=", "href=", "url(", "@import"] {
        assert!(!page.contains(foreign), "{foreign}");
    }
}

#[test]
fn a_run_without_steps_sets_or_choices_still_has_a_report() {
    let settings = settings();
    let page = render(&empty(&settings));
    assert_eq!(
        outline(&page),
        ["h1 tech", "h2 Training", "h2 Scores", "h2 Run", "h2 Settings", "summary All settings"]
    );
    assert!(page.contains("No step was recorded."));
    assert!(page.contains("Not finished: 0 of 456 steps are taken"));
    assert!(!page.contains("NaN") && !page.contains("inf"));
}

#[test]
fn the_ending_says_which_model_is_the_best_only_where_there_is_one() {
    let settings = settings();
    let step = serde_json::json!({"event": "step", "step": 5, "loss": 1.0, "learning_rate": 1e-4, "pieces": 9,
                                  "pieces_per_s": 90.0});
    let ending = |data: Vec<DataSet>, reason: &str| {
        let events = [step.clone(), serde_json::json!({"event": "end", "step": 5, "reason": reason})];
        let page = render(&RunReport { curve: Curve::of(&events), data, ..empty(&settings) });
        let (_, rest) = page.split_once("<p class=\"ending\">").unwrap();
        rest.split_once("</p>").unwrap().0.to_owned()
    };
    let dev = || vec![DataSet::new("dev", Path::new("dev.jsonl"), &[])];
    assert!(ending(Vec::new(), "finished").ends_with("Without a dev set to choose by, model-best is the last model."));
    assert!(ending(Vec::new(), "diverged").ends_with("Lower learning_rate."));
    assert_eq!(ending(dev(), "finished"), "All 456 steps were taken.");
}

#[test]
fn hostile_texts_labels_and_names_are_shown_as_text() {
    let evil = "<script>alert(1)</script>";
    let text = format!("before \"{evil}\" \u{202E}after & 'more'");
    let start = text.find(evil).unwrap();
    let label = Label::new("</td><b onclick=\"x\">\u{202E}L").unwrap();
    let entity = Entity::new(Span::of(&text, start..start + evil.len()).unwrap(), label.clone());
    let mut document = Document::new(text.as_str()).with_entities(vec![entity.clone()]).unwrap();
    document.id = Some("<img src=x onerror=y>".to_owned());
    let wrong = Entity::new(entity.span, Label::new("\"><style>").unwrap());
    let pair = Pair { document: &document, predicted: &[wrong] };
    let judged = Report::new(&[pair], &[(0, entity)], &evaluate::Settings::default());
    let settings = settings();
    let warnings = ["train.jsonl: labels <i>, \u{2066}".to_owned()];
    let page = render(&RunReport {
        name: "<title>&amp;",
        machine: "<u>",
        data: vec![DataSet::new("train", Path::new("folder/<a href=x>.jsonl"), &[document.clone()])],
        warnings: &warnings,
        dev: Some(&judged),
        ..empty(&settings)
    });
    for tag in ["<script", "<b ", "<img", "<i>", "<a ", "<u>", "onclick=\"", "\"><style", "\u{202E}", "\u{2066}"] {
        assert!(!page.contains(tag), "{tag:?}");
    }
    assert_eq!((page.matches("<style>").count(), page.matches("<title>").count()), (1, 1));
    for text in [
        "<mark class=\"gold predicted\">&lt;script&gt;alert(1)&lt;/script&gt;</mark>",
        "⟨U+202E⟩after &amp; ",
        "&lt;img src=x onerror=y&gt;",
        "<h1>&lt;title&gt;&amp;amp;</h1>",
    ] {
        assert!(page.contains(text), "{text}");
    }
}

#[test]
fn gold_and_predicted_are_told_apart_where_they_overlap_in_part() {
    let text = "built with Spring Boot 3 today";
    let entity = |range, label| Entity::new(Span::of(text, range).unwrap(), Label::new(label).unwrap());
    let document = Document::new(text).with_entities(vec![entity(11..22, "LIB")]).unwrap();
    let mut found = entity(18..24, "LIB");
    found.score = Some(0.875);
    let pair = Pair { document: &document, predicted: &[found] };
    let judged = Report::new(&[pair], &[], &evaluate::Settings::default());
    let settings = settings();
    let page = render(&RunReport { dev: Some(&judged), ..empty(&settings) });
    let marks = "built with <mark class=\"gold\">Spring </mark><mark class=\"gold predicted\">Boot</mark>\
                 <mark class=\"predicted\"> 3</mark><bdi class=\"tag gold\">";
    assert!(page.contains(marks), "{page}");
    assert!(page.contains("LIB <small>0.88</small>"), "{page}");
}

#[test]
fn a_curve_of_lost_numbers_or_of_ten_thousand_steps_is_drawn() {
    let settings = settings();
    let draw = |losses: &mut dyn Iterator<Item = f64>| {
        let step = |(index, loss): (usize, f64)| {
            serde_json::json!({"event": "step", "step": index + 1, "loss": loss, "learning_rate": 1e-4, "pieces": 9,
                               "pieces_per_s": 90.0})
        };
        let events: Vec<_> = losses.enumerate().map(step).collect();
        render(&RunReport { curve: Curve::of(&events), ..empty(&settings) })
    };
    let one = draw(&mut [0.5].into_iter());
    assert!(one.contains("<path class=\"loss\" d=\"M500.0 166.7h0\">"), "a loss of 0.5 on a scale up to 0.6: {one}");
    let lost = draw(&mut [f64::NAN; 3].into_iter());
    assert!(!lost.contains("NaN") && outline(&lost).contains(&"h2 Training".to_owned()));
    let scored = |f1: f64| {
        let events = [10, 20].map(|step| {
            serde_json::json!({"event": "evaluation", "step": step, "is_best": step == 10, "ents_p": f1, "ents_r": f1,
                               "ents_f": f1, "seconds": 0.1})
        });
        render(&RunReport { curve: Curve::of(&events), ..empty(&settings) })
    };
    for (f1, low, high) in [(0.0, ">0.00<", ">0.10<"), (1.0, ">0.90<", ">1.00<")] {
        let page = scored(f1);
        assert!(page.contains(low) && page.contains(high) && !page.contains(">-"), "{page}");
    }
    let many = draw(&mut (0..10_000).map(|step| 1.0 / f64::from(step + 1)));
    assert!(many.len() < 100_000, "{} bytes", many.len());
}

#[test]
fn an_update_draws_what_it_learns_beside_what_was_known() {
    let settings = settings();
    let draw = |old: Option<[f64; 2]>| {
        let events = [0, 1].map(|index| {
            let f1 = 0.5 + index as f64 / 10.0;
            let mut event = serde_json::json!({"event": "evaluation", "step": 10 * (index + 1), "is_best": index == 1,
                "ents_p": f1, "ents_r": f1, "ents_f": f1, "seconds": 0.1});
            if let Some(old) = old {
                event["old"] = serde_json::json!({"ents_f": old[index]});
            }
            event
        });
        render(&RunReport { curve: Curve::of(&events), ..empty(&settings) })
    };
    let update = draw(Some([0.75, 0.7125]));
    // The scale goes from 0.5 to 0.8.
    assert!(update.contains("<path class=\"old\" d=\"M0.0 166.7h0L1000.0 291.7\">"), "{update}");
    assert!(update.contains("the best is 0.600 at step 20, where it is 0.713 of what was known"), "{update}");
    for shown in ["of what was known</li>", "F1 of the known</th>", "<td class=\"n\">0.75"] {
        assert!(update.contains(shown), "{shown}");
    }
    let run = draw(None);
    assert!(!run.contains("path class=\"old\"") && !run.contains("known"), "{run}");
}

#[test]
fn settings_of_a_report_are_those_of_a_run() {
    let of_run = RunConfig::of("minilm".parse().unwrap(), &settings()).to_toml();
    for key in ["learning_rate", "patience", "seed"] {
        assert!(of_run.contains(key), "{key}");
        assert!(render(&empty(&settings())).contains(&format!("<th class=\"code\" scope=\"row\">{key}</th>")), "{key}");
    }
}
