//! What a user may set, what Nomen chooses, and what it says of data before a run.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use model::{
    base::BaseSpec,
    text::{Alignment, EncodedText},
};
use nomen_train::{
    BaseFacts, DEFAULTS, DataError, DataFacts, Facts, Lengths, RunConfig, Scheduler, Settings, Source, Warning, check,
    plan,
};
use schema::{Document, Entity, Label, Span};

const NONE: [&str; 0] = [];

/// Facts of a set of so many texts of this length and the base's width.
fn facts(texts: usize, length: usize, width: usize) -> Facts {
    let data = |texts| DataFacts {
        texts,
        texts_with_words: texts,
        lengths: Lengths::new(vec![length; texts]),
        ..DataFacts::default()
    };
    let base = BaseFacts { width, layers: 6, parameters: 22_000_000, positions: 512 };
    Facts { train: data(texts), dev: Some(data(texts / 4)), base, cores: 2, known: None }
}

fn planned(overrides: &[&str], facts: &Facts) -> Settings {
    plan(&RunConfig::load(None, overrides).unwrap(), facts).unwrap().settings
}

fn refusal(overrides: &[&str]) -> String {
    RunConfig::load(None, overrides).unwrap_err().to_string()
}

#[test]
fn the_default_file_names_every_key_once_and_explains_it() {
    let set = ["dropout=0.2", "augment.mentions_file=a.tsv", "augment.synonyms_file=b.tsv"];
    let settings = planned(&set, &facts(100, 30, 384));
    let complete = RunConfig::of("minilm".parse().unwrap(), &settings);
    let keys = keys_of(&complete);
    let lines: Vec<&str> = DEFAULTS.lines().collect();
    for key in &keys {
        let is_set = |line: &&str| line.trim_start_matches("# ").starts_with(&format!("{key} = "));
        let at: Vec<usize> = (0..lines.len()).filter(|line| is_set(&lines[*line])).collect();
        assert_eq!(at.len(), 1, "{key}");
        assert!(lines[at[0] - 1].starts_with("# "), "{key} is not explained");
    }
    // The examples in the comments are valid too, and with them nothing is left open.
    let uncommented: String = lines
        .iter()
        .map(|line| if keys.iter().any(|key| line.starts_with(&format!("# {key} = "))) { &line[2..] } else { line })
        .flat_map(|line| [line, "\n"])
        .collect();
    let config = RunConfig::default().with_toml(&uncommented, Path::new("default.toml")).unwrap();
    assert_eq!(keys_of(&config), keys);
}

#[test]
fn an_update_of_what_a_model_knows_already_takes_fewer_and_smaller_steps() {
    let new = facts(600, 30, 384);
    let of = |known| planned(&[], &Facts { known: Some(known), ..new.clone() });
    let (nothing, some, most) = (of(0.0), of(0.5), of(0.95));
    assert_eq!(nothing, planned(&[], &new));
    assert_eq!([nothing.learning_rate, some.learning_rate, most.learning_rate], [2e-4, 1e-4, 5e-5]);
    assert_eq!([nothing.num_train_epochs, some.num_train_epochs, most.num_train_epochs], [12, 6, 3]);
    let set = planned(&["learning_rate=3e-4", "num_train_epochs=7"], &Facts { known: Some(0.9), ..new });
    assert_eq!((set.learning_rate, set.num_train_epochs), (3e-4, 7));
}

/// The names of the settings that are set, those of sections among them.
fn keys_of(config: &RunConfig) -> Vec<String> {
    let keys = toml::Table::try_from(config).unwrap().into_iter().flat_map(|(key, value)| match value {
        toml::Value::Table(section) => section.keys().cloned().collect(),
        _ => vec![key],
    });
    keys.collect()
}

#[test]
fn a_section_is_laid_over_key_by_key_and_its_wrong_lines_are_named() {
    let file = Path::new("my/run.toml");
    let text = "seed = 1\n[augment]\ncopies = 2\nmentions = 0.25\nmentions_file = \"names.tsv\"\n";
    let config = RunConfig::default().with_toml(text, file).unwrap();
    let config = config.with_override("augment.mentions=0.3").unwrap();
    let augment = &config.augment;
    assert_eq!((augment.copies, augment.mentions, augment.compare), (Some(2), Some(0.3), None));
    assert_eq!(augment.mentions_file.as_deref(), Some(Path::new("names.tsv")));
    let again = RunConfig::default().with_toml(&config.to_toml(), file).unwrap();
    assert_eq!(again, config);
    let wrong = |text| RunConfig::default().with_toml(text, file).unwrap_err().to_string();
    assert_eq!(
        wrong("seed = 1\n[augment]\ncopies = 1\nmention = 0.5\n"),
        "my/run.toml:4: unknown key `augment.mention`, did you mean `augment.mentions`?; \
         all keys are explained by the commented default.toml"
    );
    assert_eq!(wrong("[augment]\ntypos = 2"), "my/run.toml:2: `augment.typos` is 2; it must be a number from 0 to 1");
    assert!(wrong("augment = true").starts_with("my/run.toml:1: `augment` is a section"));
    assert!(refusal(&["mentions=0.5"]).contains("did you mean `augment.mentions`?"));
    assert!(refusal(&["augment.copies=-1"]).contains("a whole number from 0 to 1000"));
    assert!(refusal(&["augment.mentions_file="]).contains("the path of a file"));
}

#[test]
fn copies_make_longer_epochs_and_fewer_of_them() {
    let facts = facts(200, 30, 384);
    let steps = |overrides: &[&str]| plan(&RunConfig::load(None, overrides).unwrap(), &facts).unwrap().steps;
    let (none, three) = (steps(&["augment.copies=0"]), steps(&["augment.copies=3", "augment.mentions=0.5"]));
    assert_eq!((none, three), (525, 500));
    assert_eq!(planned(&["augment.copies=3", "augment.mentions=0.5"], &facts).num_train_epochs, 5);
    assert_eq!(planned(&["augment.copies=999", "augment.join=1"], &facts).num_train_epochs, 1);
}

#[test]
fn small_sets_are_augmented_unless_somebody_decides_otherwise() {
    let of = |texts, overrides: &[&str]| {
        let settings = planned(overrides, &facts(texts, 30, 384)).augment;
        (settings.copies.unwrap(), settings.mentions.unwrap(), settings.compare.unwrap())
    };
    assert_eq!(of(200, &[]), (3, 0.5, false));
    assert_eq!(of(201, &[]), (0, 0.0, false));
    assert_eq!(of(100, &["augment.copies=0"]), (0, 0.0, true));
    assert_eq!(of(100, &["augment.mentions=0"]), (0, 0.0, false));
    assert_eq!(of(100, &["augment.compare=true"]), (3, 0.5, true));
    assert_eq!(of(5_000, &["augment.copies=1"]), (1, 0.5, true));
    assert_eq!(of(5_000, &["augment.join=0.5"]), (3, 0.0, true));
    let chosen = plan(&RunConfig::default(), &facts(200, 30, 384)).unwrap().choices;
    let copies = chosen.iter().find(|choice| choice.key == "augment.copies").unwrap();
    assert_eq!((copies.value.as_str(), copies.why.contains("small sets")), ("3", true));
}

#[test]
fn the_default_file_parses_to_the_defaults() {
    let defaults = RunConfig::default();
    assert_eq!(RunConfig::default().with_toml(DEFAULTS, Path::new("default.toml")).unwrap(), defaults);
    assert_eq!(defaults.base, Some("minilm".parse().unwrap()));
    assert_eq!(defaults.lr_scheduler, Some(Scheduler::Linear));
    assert_eq!(
        (defaults.warmup_ratio, defaults.weight_decay, defaults.max_grad_norm),
        (Some(0.1), Some(0.01), Some(1.0))
    );
    assert_eq!((defaults.seed, defaults.max_steps, defaults.train_batch_pieces), (Some(42), Some(0), Some(0)));
    assert_eq!((defaults.learning_rate, defaults.num_train_epochs, defaults.threads), (None, None, None));
}

#[test]
fn an_override_goes_before_the_file_and_the_file_before_the_defaults() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run.toml");
    std::fs::write(&path, "seed = 1\nlearning_rate = 1\nweight_decay = 0\n").unwrap();
    let overrides = ["seed=2", "training.max_steps=100", "lr_scheduler=cosine", "alignment = \"piece\"", "seed=3"];
    let config = RunConfig::load(Some(&path), &overrides).unwrap();
    assert_eq!((config.seed, config.max_steps), (Some(3), Some(100)));
    assert_eq!((config.learning_rate, config.weight_decay), (Some(1.0), Some(0.0)));
    assert_eq!((config.lr_scheduler, config.alignment), (Some(Scheduler::Cosine), Some(Alignment::Piece)));
    assert_eq!(config.warmup_ratio, Some(0.1));
}

#[test]
fn a_wrong_line_of_a_file_is_named_with_file_and_line() {
    let wrong = |text| {
        let file = Path::new("my/run.toml");
        RunConfig::default().with_toml(text, file).unwrap_err().to_string()
    };
    assert_eq!(
        wrong("seed = 1\n\n# one\nlearning_rat = 1e-4\n"),
        "my/run.toml:4: unknown key `learning_rat`, did you mean `learning_rate`?; \
         all keys are explained by the commented default.toml"
    );
    assert_eq!(
        wrong("seed = 1\nwarmup_ratio = 1.5"),
        "my/run.toml:2: `warmup_ratio` is 1.5; it must be a number from 0 to 1"
    );
    assert_eq!(
        wrong("\nnum_train_epochs = 3.0"),
        "my/run.toml:2: `num_train_epochs` is 3.0; it must be a whole number from 1 to 100000"
    );
    assert!(wrong("seed = 1\nseed = 2").starts_with("my/run.toml:2: duplicate key"));
    assert!(wrong("seed = 1\nthreads =").starts_with("my/run.toml:2: "));
    assert!(wrong("\n[training]\nseed = 1").starts_with("my/run.toml:2: keys stand without a section"));
    assert!(wrong("zzz = 1").starts_with("my/run.toml:1: unknown key `zzz`; all keys"));
    let missing = RunConfig::load(Some(Path::new("no/such/run.toml")), &NONE).unwrap_err().to_string();
    assert!(missing.starts_with("no/such/run.toml: cannot be read"), "{missing}");
}

#[test]
fn values_out_of_range_are_refused() {
    for wrong in [
        "learning_rate=0",
        "learning_rate=-1e-4",
        "learning_rate=nan",
        "learning_rate=inf",
        "learning_rate=fast",
        "warmup_ratio=-0.1",
        "dropout=1",
        "dropout=1.0",
        "dropout=0.99999999999",
        "weight_decay=-1",
        "max_grad_norm=-1",
        "num_train_epochs=0",
        "num_train_epochs=2.5",
        "max_steps=-1",
        "train_batch_size=0",
        "threads=0",
        "max_length=2",
        "stride=-1",
        "seed=-1",
        "seed=99999999999999999999",
        "freeze_embeddings=1",
        "lr_scheduler=polynomial",
        "alignment=first",
        "patience=4294967296",
        "base=no_such_base",
        "base=1",
        "threads=[2]",
    ] {
        let message = refusal(&[wrong]);
        let key = wrong.split('=').next().unwrap();
        assert!(message.starts_with(&format!("--set {wrong}: ")) && message.contains(key), "{message}");
    }
    for right in ["learning_rate=2", "warmup_ratio=0", "warmup_ratio=1", "dropout=0", "max_grad_norm=0", "base=path:x"]
    {
        RunConfig::load(None, &[right]).unwrap();
    }
    assert!(refusal(&["seed"]).ends_with("give it as key=value"));
    assert!(refusal(&["=1"]).contains("unknown key ``"));
    // A value cannot bring further keys along.
    assert!(RunConfig::load(None, &["seed=1\nthreads=1"]).is_err());
}

#[test]
fn names_of_other_tools_are_refused_with_the_name_to_use() {
    for (other, ours) in [
        ("per_device_train_batch_size", "train_batch_size"),
        ("batch_size", "train_batch_size"),
        ("gradient_accumulation_steps", "train_batch_size"),
        ("num_epochs", "num_train_epochs"),
        ("epochs", "num_train_epochs"),
        ("training.max_epochs", "num_train_epochs"),
        ("lr", "learning_rate"),
        ("lr_scheduler_type", "lr_scheduler"),
        ("warmup_steps", "warmup_ratio"),
        ("early_stopping_patience", "patience"),
        ("eval_steps", "eval_every"),
        ("max_seq_length", "max_length"),
        ("doc_stride", "stride"),
        ("model_name_or_path", "base"),
        ("output_dir", "--out"),
        ("per_device_eval_batch_size", "never padded"),
        ("fp16", "bf16=true"),
    ] {
        let message = refusal(&[&format!("{other}=1")]);
        assert!(message.contains("is not a key here") && message.contains(ours), "{message}");
    }
}

#[test]
fn a_run_file_is_complete_commented_and_reads_back_to_the_same_run() {
    let facts = facts(1_000, 40, 768);
    for overrides in [vec![], vec!["dropout=0.1", "learning_rate=3e-5", "alignment=piece", "lr_scheduler=constant"]] {
        let settings = planned(&overrides, &facts);
        let base: BaseSpec = "hf:someone/some-model@v1".parse().unwrap();
        let config = RunConfig::of(base.clone(), &settings);
        let text = config.to_toml();
        let read = RunConfig::default().with_toml(&text, Path::new("run.toml")).unwrap();
        assert_eq!(read, config);
        assert_eq!(read.base, Some(base));
        let again = plan(&read, &self::facts(5, 5, 128)).unwrap();
        assert_eq!((again.settings, again.choices), (settings, vec![]));
        assert_eq!(text.lines().count(), DEFAULTS.lines().count());
        assert!(text.contains("# Passes over the training data"));
    }
}

#[test]
fn small_sets_get_many_passes_and_small_batches_and_large_ones_few_and_large() {
    let of = |texts, length| {
        let settings = planned(&["augment.copies=0"], &facts(texts, length, 384));
        (settings.num_train_epochs, settings.train_batch_size)
    };
    assert_eq!(of(100, 40), (30, 8));
    assert_eq!(of(200, 40), (21, 8));
    assert_eq!(of(600, 30), (12, 8));
    assert_eq!(of(3_394, 31), (5, 16));
    assert_eq!(of(10_000, 30), (3, 32));
    assert_eq!(of(1_000_000, 30), (2, 32));
    assert_eq!(of(1, 30), (40, 8));
    // 200 abstracts of 300 pieces are worth about 900 sentences, and a batch holds fewer of them.
    assert_eq!(of(200, 300), (10, 4));
    // One document of 130,000 pieces is many windows.
    assert_eq!(of(1, 130_000), (7, 4));
}

#[test]
fn wider_bases_take_smaller_steps() {
    let rate = |width| planned(&[], &facts(1_000, 30, width)).learning_rate;
    assert_eq!([128, 384, 768, 1024, 4096].map(rate), [5e-4, 2e-4, 5e-5, 2.8e-5, 1e-5]);
}

#[test]
fn windows_hold_the_training_texts_as_far_as_the_base_goes() {
    let of = |length| {
        let settings = planned(&[], &facts(10, length, 384));
        (settings.max_length, settings.stride)
    };
    assert_eq!([20, 126, 127, 300, 5_000].map(of), [(128, 32), (128, 32), (192, 48), (320, 80), (512, 128)]);
    let mut tiny = facts(10, 60, 64);
    tiny.base.positions = 40;
    let tiny = planned(&[], &tiny);
    assert_eq!((tiny.max_length, tiny.stride), (40, 10));
}

#[test]
fn enough_epochs_for_the_steps_that_are_asked_for() {
    let settings = planned(&["max_steps=1000", "train_batch_size=16", "augment.copies=0"], &facts(160, 30, 384));
    assert_eq!((settings.num_train_epochs, settings.max_steps), (100, 1000));
    let settings = planned(&["max_steps=1000", "num_train_epochs=3"], &facts(160, 30, 384));
    assert_eq!(settings.num_train_epochs, 3);
    let plan = plan(&RunConfig::load(None, &["max_steps=5"]).unwrap(), &facts(160, 30, 384)).unwrap();
    assert_eq!((plan.steps, plan.settings.num_train_epochs), (5, 1));
}

#[test]
fn evaluations_are_about_twenty_and_fewer_where_dev_is_large() {
    let mut facts = facts(1_000, 30, 384);
    let evaluations = |facts: &Facts| {
        let plan = plan(&RunConfig::default(), facts).unwrap();
        (plan.steps.div_ceil(plan.settings.eval_every), plan.settings.patience)
    };
    assert_eq!(evaluations(&facts), (20, 10));
    facts.dev.as_mut().unwrap().lengths = Lengths::new(vec![30; 3_000]);
    assert_eq!(evaluations(&facts), (5, 3));
    facts.dev = None;
    let settings = planned(&[], &facts);
    assert_eq!((settings.eval_every, settings.patience), (0, 0));
}

#[test]
fn every_choice_says_why_and_nothing_that_was_set_is_chosen() {
    let facts = facts(201, 40, 384);
    let keys = |overrides: &[&str]| -> Vec<&str> {
        let plan = plan(&RunConfig::load(None, overrides).unwrap(), &facts).unwrap();
        assert!(plan.choices.iter().all(|choice| !choice.why.is_empty() && !choice.value.is_empty()));
        plan.choices.iter().map(|choice| choice.key).collect()
    };
    let all = keys(&[]);
    assert_eq!(all.len(), 9, "{all:?}");
    assert!(!keys(&["learning_rate=1e-4"]).contains(&"learning_rate"));
    assert!(!keys(&["train_batch_pieces=2000"]).contains(&"train_batch_size"));
    let plan = plan(&RunConfig::default(), &facts).unwrap();
    let epochs = plan.choices.iter().find(|choice| choice.key == "num_train_epochs").unwrap();
    assert_eq!(
        (epochs.value.as_str(), epochs.why.as_str()),
        ("21", "an epoch has 26 steps, 546 in all; small sets need many passes")
    );
}

#[test]
fn settings_that_do_not_fit_the_base_are_refused() {
    let facts = facts(100, 30, 384);
    let refused = |overrides: &[&str]| {
        let error = plan(&RunConfig::load(None, overrides).unwrap(), &facts).unwrap_err();
        error.to_string()
    };
    assert!(refused(&["max_length=513"]).contains("the base has 512 positions"));
    assert!(refused(&["stride=126"]).contains("windows of `max_length` 128 hold 126 pieces"));
    assert!(refused(&["max_length=64", "stride=62"]).contains("lower stride"));
    assert!(refused(&["augment.copies=1", "augment.mentions=0"]).contains("no rate of `[augment]` is above 0"));
    assert!(refused(&["augment.copies=1", "augment.synonyms=0.1"]).contains("augment.synonyms_file"));
    assert!(refused(&["freeze_layers=7"]).contains("the base has 6 layers"));
    let short = planned(&["max_length=3"], &facts);
    assert_eq!(short.stride, 0);
}

fn document(text: &str, label: Option<&str>) -> Document {
    let entity = |label| Entity::new(Span::new(0, 1).unwrap(), Label::new(label).unwrap());
    Document::new(text).with_entities(label.map(entity).into_iter().collect()).unwrap()
}

fn source<'d>(path: &'d str, documents: &'d [Document]) -> Source<'d> {
    Source { path: Path::new(path), documents }
}

fn warnings(train: &[Document], dev: &[Document]) -> Vec<Warning> {
    check(source("train.jsonl", train), Some(source("dev.jsonl", dev)), None).unwrap()
}

/// `count` different texts with an entity of this label.
fn good(label: &str, count: usize) -> Vec<Document> {
    (0..count).map(|number| document(&format!("{label} text {number}"), Some(label))).collect()
}

#[test]
fn good_data_gives_no_warning() {
    assert_eq!(warnings(&good("A", 20), &[document("other", Some("A")), document("none", None)]), []);
}

#[test]
fn data_without_texts_or_entities_is_refused_and_the_file_named() {
    let error = |train: &[Document], dev: &[Document]| {
        check(source("train.jsonl", train), Some(source("dev.jsonl", dev)), None).unwrap_err()
    };
    assert!(matches!(error(&[], &good("A", 1)), DataError::Empty { .. }));
    assert!(error(&good("A", 1), &[]).to_string().starts_with("dev.jsonl: holds no text"));
    assert!(error(&[document(" \n", None)], &good("A", 1)).to_string().starts_with("train.jsonl: holds no text"));
    let none = error(&[document("a", None), document("b", None)], &good("A", 1));
    assert!(none.to_string().starts_with("train.jsonl: none of its 2 texts has an entity"), "{none}");
}

#[test]
fn rare_and_unknown_labels_are_named_with_their_counts() {
    let mut train = good("A", 20);
    train.extend(good("ONCE", 1));
    train.extend(good("NINE", 9));
    let dev = [document("x", Some("NEW")), document("y", Some("NEW")), document("z", Some("A"))];
    let shown: Vec<String> = warnings(&train, &dev).iter().map(ToString::to_string).collect();
    assert_eq!(shown.len(), 2, "{shown:?}");
    assert!(shown[0].starts_with("train.jsonl: few examples of NINE (9), ONCE (1);"));
    assert!(shown[1].starts_with("dev.jsonl: NEW (2), which the training data never has"));
    let nothing = warnings(&good("A", 20), &[document("x", None)]);
    assert!(matches!(nothing[..], [Warning::NothingToScore { documents: 1, .. }]));
}

#[test]
fn texts_on_both_sides_and_contradictions_are_counted() {
    let mut train = good("A", 20);
    let dev = [document("new", Some("A")), document(" A text 3\n", None), document("A text 4", Some("A"))];
    assert!(matches!(warnings(&train, &dev)[..], [Warning::Leak { texts: 2, documents: 3, first: 2, .. }]));
    train.push(train[1].clone());
    train.push(document("A text 2", None));
    let found = warnings(&train, &dev[..1]);
    assert!(matches!(found[..], [Warning::Contradiction { texts: 1, first: 3, second: 22, .. }]), "{found:?}");
}

#[test]
fn blank_and_incomplete_texts_are_counted() {
    let mut train = good("A", 20);
    train.insert(4, document("  ", None));
    assert!(matches!(warnings(&train, &good("A", 25)[20..])[..], [Warning::Blank { texts: 1, first: 5, .. }]));
    let mut partial = good("A", 20);
    for document in &mut partial {
        document.partial = true;
    }
    let found = warnings(&partial, &good("A", 25)[20..]);
    assert!(matches!(found[..], [Warning::NoNegatives { documents: 20, .. }]));
}

#[test]
fn a_document_of_100_000_tokens_is_said_to_be_windowed_in_no_time() {
    let text = (0..100_000).map(|number| format!("word{number}")).collect::<Vec<_>>().join(" ");
    let mut train = good("A", 20);
    train.push(document(&text, Some("A")));
    let started = Instant::now();
    let among_others = warnings(&train, &good("A", 25)[20..]);
    assert!(matches!(among_others[..], [Warning::LongDocument { document: 21, .. }]), "{among_others:?}");
    assert!(among_others[0].to_string().contains("read in windows"));
    let alone = warnings(&train[20..], &good("A", 25)[20..]);
    assert!(alone.iter().any(|warning| matches!(warning, Warning::LongDocument { document: 1, .. })));
    assert!(started.elapsed() < Duration::from_secs(5));
}

#[test]
fn facts_count_what_documents_and_pieces_say() {
    let encoded = |slots: usize, pieces| EncodedText {
        slots: (0..slots).map(|slot| Span::new(slot, slot + 1).unwrap()).collect(),
        undecided: if slots > 3 { vec![0] } else { vec![] },
        pieces,
        ..EncodedText::default()
    };
    let tokens = vec![Span::new(0, 4).unwrap()];
    let mut partial = document("nothing known", None);
    partial.partial = true;
    let texts = [
        (document("a text", Some("A")).with_tokens(tokens).unwrap(), encoded(2, 3)),
        (document("b text", Some("B")), encoded(4, 9)),
        (document("c text", None), encoded(2, 2)),
        (partial, encoded(2, 2)),
    ];
    let facts = DataFacts::of(texts.iter().map(|(document, encoded)| (document, encoded)));
    assert_eq!((facts.texts, facts.texts_with_words, facts.decided, facts.entities()), (4, 1, 9, 2));
    assert_eq!((facts.texts_without_entities, facts.texts_without_knowledge), (2, 1));
    assert_eq!((facts.lengths.total(), facts.lengths.longest(), facts.lengths.percentile(50)), (14, 9, 3));
    assert_eq!(facts.labels_below(2).count(), 2);
}
