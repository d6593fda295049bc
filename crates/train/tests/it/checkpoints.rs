//! Checkpoints that are damaged, unfinished or another run's.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use engine::Random;
use model::text::Alignment;
use nomen_train::{Augment, CheckpointError, Checkpoints, Fit, Identity, Resumed, Scheduler, Settings};

use crate::sample::{fit, identity, settings};

/// A run with checkpoints after steps 2 and 4.
struct Saved {
    folder: tempfile::TempDir,
    checkpoints: Checkpoints,
    fit: Fit,
    identity: Identity,
}

fn saved() -> Saved {
    let settings = Settings { max_steps: 8, ..settings() };
    let folder = tempfile::tempdir().unwrap();
    let checkpoints = Checkpoints::new(folder.path().join("checkpoints"));
    let (mut fit, identity) = (fit(settings.clone()), identity(&settings));
    for step in 1..=4 {
        fit.step().unwrap();
        if step % 2 == 0 {
            checkpoints.save(&mut fit, &identity).unwrap();
        }
    }
    Saved { folder, checkpoints, fit, identity }
}

impl Saved {
    fn path(&self, step: u64) -> PathBuf {
        self.folder.path().join("checkpoints").join(format!("step-{step:08}"))
    }

    fn resume(&mut self) -> Result<Resumed, CheckpointError> {
        self.checkpoints.resume(&mut self.fit, &self.identity)
    }
}

fn bits(fit: &mut Fit) -> Vec<u32> {
    let (parameters, optimizer) = fit.progress();
    let weights = parameters.iter().flat_map(|parameter| parameter.values.iter());
    let moments = optimizer.moments().flatten().flat_map(|moment| moment.iter());
    weights.chain(moments).map(|value| value.to_bits()).collect()
}

#[test]
fn a_checkpoint_brings_back_every_bit() {
    for (freeze_embeddings, freeze_layers) in [(false, 0), (true, 1)] {
        let settings = Settings { freeze_embeddings, freeze_layers, eval_every: 3, ..settings() };
        let folder = tempfile::tempdir().unwrap();
        let checkpoints = Checkpoints::new(folder.path().to_owned());
        let (mut first, mut second) = (fit(settings.clone()), fit(settings.clone()));
        for _ in 0..7 {
            first.step().unwrap();
        }
        checkpoints.save(&mut first, &identity(&settings)).unwrap();
        checkpoints.resume(&mut second, &identity(&settings)).unwrap();
        assert!(first.state() == second.state() && bits(&mut first) == bits(&mut second));
        while let Some(report) = first.step().unwrap() {
            assert_eq!(second.step().unwrap().unwrap().loss.to_bits(), report.loss.to_bits());
        }
        assert!(first.state() == second.state() && bits(&mut first) == bits(&mut second));
    }
}

#[test]
fn a_run_may_go_back_to_a_checkpoint_of_its_own() {
    let mut saved = saved();
    let report = |fit: &mut Fit| fit.step().unwrap().unwrap();
    let ahead = [report(&mut saved.fit).loss, report(&mut saved.fit).loss];
    saved.resume().unwrap();
    assert_eq!([report(&mut saved.fit).loss, report(&mut saved.fit).loss], ahead);
}

#[test]
fn numbers_survive_the_text_of_a_checkpoint() {
    let mut random = Random::new(5);
    for _ in 0..20_000 {
        let learning_rate = random.unit() * 10f64.powf(random.below(12) as f64 - 9.0);
        let identity = identity(&Settings { learning_rate, ..settings() });
        let read: Identity = serde_json::from_str(&serde_json::to_string(&identity).unwrap()).unwrap();
        assert_eq!(read.settings.learning_rate.to_bits(), learning_rate.to_bits());
        assert_eq!(read.differences(&identity), []);
    }
}

#[test]
fn a_thousand_flipped_bits_are_noticed_and_the_checkpoint_before_is_taken() {
    let mut saved = saved();
    let mut random = Random::new(3);
    let newest = saved.path(4);
    let names: Vec<PathBuf> = fs::read_dir(&newest).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert_eq!(names.len(), 3);
    for _ in 0..1000 {
        let path = &names[random.below(names.len())];
        let whole = fs::read(path).unwrap();
        let mut flipped = whole.clone();
        let at = random.below(flipped.len());
        flipped[at] ^= 1 << random.below(8);
        fs::write(path, &flipped).unwrap();
        let resumed = saved.resume().unwrap();
        assert_eq!((resumed.step, resumed.damaged.len()), (2, 1), "{} at {at}", path.display());
        assert!(resumed.damaged[0].starts_with(&*newest.to_string_lossy()), "{resumed:?}");
        fs::write(path, &whole).unwrap();
    }
    assert_eq!(saved.resume().unwrap(), Resumed { step: 4, damaged: Vec::new() });
}

/// Every state that a save can be interrupted in: a prefix of what it writes, in its order, the last file cut anywhere.
#[test]
fn whatever_a_save_was_interrupted_at_the_checkpoint_before_is_taken() {
    let mut saved = saved();
    let whole = saved.path(4);
    let written: BTreeMap<&str, Vec<u8>> = ["state.safetensors", "checkpoint.json", "SHA256SUMS"]
        .into_iter()
        .map(|name| (name, fs::read(whole.join(name)).unwrap()))
        .collect();
    fs::remove_dir_all(&whole).unwrap();
    let mut states: Vec<Vec<(&str, &[u8])>> = vec![Vec::new()];
    let mut before = Vec::new();
    for name in ["state.safetensors", "checkpoint.json", "SHA256SUMS"] {
        let bytes = &written[name];
        for cut in [0, 1, bytes.len() / 2, bytes.len() - 1] {
            states.push([&before[..], &[(name, &bytes[..cut])]].concat());
        }
        before.push((name, &bytes[..]));
    }
    // Under the name of a save in progress, and under that of a whole one on a disk that forgot what was written.
    for (name, is_seen) in [(".writing-x1y2z3", false), ("step-00000004", true)] {
        for state in &states {
            let folder = saved.folder.path().join("checkpoints").join(name);
            fs::create_dir(&folder).unwrap();
            for (file, bytes) in state {
                fs::write(folder.join(file), bytes).unwrap();
            }
            let resumed = saved.resume().unwrap();
            assert_eq!((resumed.step, resumed.damaged.len()), (2, usize::from(is_seen)), "{name}: {resumed:?}");
            fs::remove_dir_all(&folder).unwrap();
        }
    }
}

#[test]
fn where_all_are_damaged_each_is_named_with_its_damage() {
    let mut saved = saved();
    fs::remove_file(saved.path(4).join("SHA256SUMS")).unwrap();
    fs::write(saved.path(2).join("state.safetensors"), "short").unwrap();
    let error = saved.resume().unwrap_err().to_string();
    for part in ["no checkpoint can be used", "step-00000004: SHA256SUMS", "step-00000002: SHA256SUMS does not fit"] {
        assert!(error.contains(part), "{error}");
    }
}

#[test]
fn the_two_newest_stay_and_a_damaged_one_does_not_take_their_place() {
    let mut saved = saved();
    let names = |saved: &Saved| {
        let entries = fs::read_dir(saved.folder.path().join("checkpoints")).unwrap();
        let mut names: Vec<String> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    };
    fs::write(saved.path(4).join("checkpoint.json"), "{}").unwrap();
    assert_eq!(saved.resume().unwrap().step, 2);
    saved.fit.step().unwrap();
    saved.checkpoints.save(&mut saved.fit, &saved.identity).unwrap();
    assert_eq!(names(&saved), ["step-00000002", "step-00000003"]);
    saved.fit.step().unwrap();
    saved.checkpoints.save(&mut saved.fit, &saved.identity).unwrap();
    saved.checkpoints.save(&mut saved.fit, &saved.identity).unwrap();
    assert_eq!(names(&saved), ["step-00000003", "step-00000004"]);
}

/// The fields that a resume is refused for.
fn refused(saved: &mut Saved, change: impl FnOnce(&mut Identity)) -> Vec<String> {
    let mut identity = saved.identity.clone();
    change(&mut identity);
    match saved.checkpoints.resume(&mut saved.fit, &identity) {
        Ok(_) => Vec::new(),
        Err(error) => {
            let text = error.to_string();
            let CheckpointError::Changed { differences, .. } = error else { panic!("{text}") };
            assert!(differences.iter().all(|difference| text.contains(&difference.to_string())), "{text}");
            differences.into_iter().map(|difference| difference.field).collect()
        }
    }
}

#[test]
fn a_run_with_another_setting_is_refused_and_the_setting_named() {
    let saved = &mut saved();
    let changed = Settings {
        learning_rate: 4e-3,
        lr_scheduler: Scheduler::Cosine,
        warmup_ratio: 0.2,
        num_train_epochs: 4,
        max_steps: 9,
        train_batch_size: 9,
        train_batch_pieces: 1,
        weight_decay: 0.02,
        max_grad_norm: 2.0,
        dropout: Some(0.2),
        alignment: Alignment::Piece,
        max_length: 63,
        stride: 15,
        seed: 43,
        threads: 3,
        eval_every: 1,
        patience: 1,
        checkpoint_every: 1,
        bf16: true,
        layer_decay: 0.9,
        l2_sp: 1.0,
        keep_texts: 7,
        freeze_embeddings: true,
        freeze_layers: 1,
        augment: Augment { copies: Some(1), mentions: Some(0.5), ..Augment::default() },
    };
    let fields = serde_json::to_value(&changed).unwrap();
    for (field, value) in fields.as_object().unwrap() {
        let refused = refused(saved, |identity| {
            let mut settings = serde_json::to_value(&identity.settings).unwrap();
            assert_ne!(&settings[field], value, "{field} is not changed by the test");
            settings[field] = value.clone();
            identity.settings = serde_json::from_value(settings).unwrap();
        });
        let expected = match field.as_str() {
            "checkpoint_every" => Vec::new(),
            "augment" => vec!["settings.augment.copies".to_owned(), "settings.augment.mentions".to_owned()],
            field => vec![format!("settings.{field}")],
        };
        assert_eq!(refused, expected, "{field}");
    }
}

#[test]
fn a_run_with_other_data_labels_or_base_is_refused_and_what_differs_is_named() {
    let saved = &mut saved();
    let other = || "f00".to_owned();
    assert_eq!(refused(saved, |identity| drop(identity.data.insert("train".into(), other()))), ["data.train"]);
    assert_eq!(refused(saved, |identity| drop(identity.data.insert("dev".into(), other()))), ["data.dev"]);
    assert_eq!(refused(saved, |identity| drop(identity.data.remove("dev"))), ["data.dev"]);
    assert_eq!(refused(saved, |identity| identity.labels.push("LOC".into())), ["labels"]);
    assert_eq!(refused(saved, |identity| identity.labels.reverse()), ["labels"]);
    let weights = "model.safetensors";
    assert_eq!(
        refused(saved, |identity| drop(identity.base.insert(weights.into(), other()))),
        [format!("base.{weights}")]
    );
    assert_eq!(refused(saved, |identity| drop(identity.data.insert("augmented".into(), other()))), ["data.augmented"]);
    assert!(refused(saved, |identity| identity.settings.augment.compare = Some(true)).is_empty());
    let both = refused(saved, |identity| {
        identity.settings.seed = 1;
        identity.labels.clear();
    });
    assert_eq!(both, ["labels", "settings.seed"]);
    assert!(refused(saved, |_| ()).is_empty());
}

#[test]
fn a_folder_without_checkpoints_says_so() {
    let settings = settings();
    let checkpoints = Checkpoints::new(Path::new("/nowhere/at/all").to_owned());
    let error = checkpoints.resume(&mut fit(settings.clone()), &identity(&settings)).unwrap_err();
    assert!(error.to_string().contains("no checkpoint to resume from"), "{error}");
    assert!(!checkpoints.exist());
}
