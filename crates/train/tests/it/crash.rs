//! Runs in processes of their own: killed at any moment, out of room, two on one folder.

use std::{
    env, fs,
    path::Path,
    process::{Child, Command, ExitStatus, Stdio},
    thread::sleep,
    time::{Duration, Instant},
};

use engine::Random;
use nomen_train::{End, Flow, Outcome, Progress, RunFolder, Settings};

use crate::sample::{assert_same_outcome, drive, losses, settings, unfinished};

const FOLDER: &str = "NOMEN_TRAIN_TEST_FOLDER";
const CHECKPOINT_EVERY: &str = "NOMEN_TRAIN_TEST_CHECKPOINT_EVERY";
/// Kills of the killing test; half of them while something is being saved.
const KILLS: usize = 60;

fn run_settings(checkpoint_every: u64) -> Settings {
    Settings { eval_every: 6, checkpoint_every, ..settings() }
}

/// What the other tests start as a process of its own: it trains in the folder that the environment names. Run
/// along with all tests, it has nothing to do.
#[test]
fn child() {
    let Some(folder) = env::var_os(FOLDER) else { return };
    let every = env::var(CHECKPOINT_EVERY).unwrap().parse().unwrap();
    let outcome = drive(Path::new(&folder), &run_settings(every), |progress| {
        if let Progress::NotSaved(error) = progress {
            eprintln!("not saved: {error}");
        }
        Flow::Continue
    });
    match outcome {
        Ok(outcome) => assert_eq!(outcome, Outcome::Ended(End::Finished)),
        Err(error) => panic!("{error}"),
    }
}

/// The command that runs [`child`], behind some other words of a command line.
fn command(before: &[&str], folder: &Path, checkpoint_every: u64) -> Command {
    let program = env::current_exe().unwrap();
    let mut command = match before.split_first() {
        None => Command::new(program),
        Some((first, rest)) => {
            let mut command = Command::new(first);
            command.args(rest).arg(program);
            command
        }
    };
    command
        .args(["--exact", "crash::child", "--nocapture"])
        .env(FOLDER, folder)
        .env(CHECKPOINT_EVERY, checkpoint_every.to_string())
        .stdout(Stdio::null())
        .stderr(Stdio::piped());
    command
}

fn reference() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    drive(folder.path(), &run_settings(0), |_| Flow::Continue).unwrap();
    folder
}

/// Waits until `is_due` or the child's own end, and kills it in the first case.
fn kill_when(child: &mut Child, is_due: impl Fn() -> bool) -> Option<ExitStatus> {
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            return Some(status);
        }
        if is_due() {
            child.kill().unwrap();
            child.wait().unwrap();
            return None;
        }
        sleep(Duration::from_micros(200));
    }
}

fn is_saving(folder: &Path) -> bool {
    [folder, &folder.join("checkpoints")].into_iter().any(|folder| {
        let entries = fs::read_dir(folder).into_iter().flatten().flatten();
        entries.filter(|entry| entry.file_name().to_string_lossy().starts_with('.')).count() > 0
    })
}

#[test]
fn a_run_killed_at_random_moments_ends_bit_for_bit_like_one_that_was_not() {
    let reference = reference();
    let mut random = Random::new(11);
    let (mut kills, mut torn) = (0, 0);
    for checkpoint_every in (1..=3).cycle() {
        let folder = tempfile::tempdir().unwrap();
        // Longer from kill to kill, so that a run ends however slow the machine is.
        let mut patience = 0.05;
        loop {
            let mut child = command(&[], folder.path(), checkpoint_every).spawn().unwrap();
            let (begun, limit) = (Instant::now(), Duration::from_secs_f64(random.unit() * patience));
            let while_saving = random.below(2) == 0;
            patience *= 1.15;
            let is_due = || begun.elapsed() >= limit && (!while_saving || is_saving(folder.path()));
            match kill_when(&mut child, is_due) {
                None => {
                    kills += 1;
                    let checkpoints = folder.path().join("checkpoints");
                    torn += unfinished(folder.path()).len() + unfinished(&checkpoints).len();
                }
                Some(status) => {
                    let mut said = String::new();
                    std::io::Read::read_to_string(&mut child.stderr.take().unwrap(), &mut said).unwrap();
                    assert!(status.success(), "{said}");
                    break;
                }
            }
        }
        assert_same_outcome(folder.path(), reference.path());
        if kills >= KILLS {
            break;
        }
    }
    assert!(torn >= 5, "only {torn} of {kills} kills hit something half written");
}

#[test]
fn a_run_without_room_for_models_and_checkpoints_keeps_the_last_good_ones() {
    let reference = reference();
    let folder = tempfile::tempdir().unwrap();
    let stop = |progress: Progress<'_>| match progress {
        Progress::Step(report) if report.step == 30 => Flow::Stop,
        _ => Flow::Continue,
    };
    drive(folder.path(), &run_settings(0), stop).unwrap();
    let last_good = fs::read(folder.path().join("model-best/model.safetensors")).unwrap();
    // Files may grow to 48 blocks of 512 or 1024 bytes from here on: events have room, weights have not.
    let limited = ["sh", "-c", "trap '' XFSZ; ulimit -f 48; exec \"$@\"", "sh"];
    let output = command(&limited, folder.path(), 5).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success(), "the last model has no room either");
    let warnings = said.lines().filter(|line| line.starts_with("not saved: ")).count();
    assert!(warnings >= 7, "six checkpoints and a best model at least: {said}");
    assert!(losses(folder.path()).into_iter().map(|(step, _)| step).eq(1..=60), "training went on: {said}");
    assert!(fs::read(folder.path().join("model-best/model.safetensors")).unwrap() == last_good);
    assert_eq!(unfinished(folder.path()), [""; 0]);
    assert_eq!(unfinished(&folder.path().join("checkpoints")), [""; 0]);
    // With room again, the run goes on from the checkpoint that was good.
    drive(folder.path(), &run_settings(0), |_| Flow::Continue).unwrap();
    assert_same_outcome(folder.path(), reference.path());
}

#[test]
fn a_second_process_is_refused_the_folder_of_the_first() {
    let folder = tempfile::tempdir().unwrap();
    let held = RunFolder::open(folder.path()).unwrap();
    let output = command(&[], folder.path(), 1).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success() && said.contains("another run is training into this folder"), "{said}");
    assert!(!folder.path().join("events.jsonl").exists());
    drop(held);
    assert!(command(&[], folder.path(), 0).output().unwrap().status.success());
}
