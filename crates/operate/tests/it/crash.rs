//! Writers that are killed at any moment.

use std::{
    env, fs,
    path::Path,
    process::{Command, Stdio},
    thread::sleep,
    time::{Duration, Instant},
};

use nomen_operate::registry::{Access, Registry};

use crate::bundles::{add, force, live, registry, root};

const FOLDER: &str = "NOMEN_OPERATE_TEST_FOLDER";
const WORK: &str = "NOMEN_OPERATE_TEST_WORK";
const KILLS: u64 = 100;

/// What the other tests start as a process of its own: it works on the registry in the folder that the environment
/// names until it is killed. Run along with all tests, it has nothing to do.
#[test]
fn child() {
    let Some(folder) = env::var_os(FOLDER) else { return };
    let top = Path::new(&folder);
    let registry = Registry::open(top.join("registry"), &Access::default()).unwrap();
    if env::var(WORK).unwrap() == "add" {
        for number in registry.state().unwrap().versions().len() + 1.. {
            add(top, &registry, number).unwrap();
        }
    }
    loop {
        // Each of them fails where it has been done; what was half done is what is tested.
        let _ = force(&registry, "v2");
        let _ = force(&registry, "v3");
        registry.roll_back(None, None, 3000).unwrap();
    }
}

/// Kills a child after a while; half of the times not before something is half written.
fn kill_one(top: &Path, work: &str, folders: &[&str], round: u64) -> bool {
    let mut child = Command::new(env::current_exe().unwrap())
        .args(["--exact", "crash::child", "--nocapture"])
        .env(FOLDER, top)
        .env(WORK, work)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let half_written = || {
        let names = folders
            .iter()
            .flat_map(|folder| fs::read_dir(top.join("registry").join(folder)).into_iter().flatten().flatten());
        names.filter(|entry| entry.file_name().to_string_lossy().starts_with(".unfinished-")).count() > 0
    };
    // Moments of all lengths, the same in every run.
    let limit = Duration::from_micros(2_000 + round * 7_919 % 60_000);
    let (begun, patience) = (Instant::now(), Duration::from_secs(20));
    while begun.elapsed() < limit || (round.is_multiple_of(2) && !half_written() && begun.elapsed() < patience) {
        assert!(child.try_wait().unwrap().is_none(), "the child ended by itself");
        if begun.elapsed() < limit {
            sleep(Duration::from_micros(200));
        }
    }
    child.kill().unwrap();
    child.wait().unwrap();
    half_written()
}

#[test]
fn a_promotion_killed_at_any_point_leaves_one_live_version_that_loads() {
    let (top, registry, ids) = registry(3);
    force(&registry, "v1").unwrap();
    let (mut torn, mut events) = (0, registry.events().unwrap());
    for round in 0..KILLS {
        torn += usize::from(kill_one(top.path(), "promote", &["history"], round));
        let state = registry.state().unwrap();
        let stages = state.versions().iter().filter(|version| version.stage.to_string() == "live").count();
        assert_eq!(stages, 1, "round {round}");
        assert!(ids.contains(&live(&registry).unwrap()));
        assert_eq!(registry.verify().unwrap(), [], "round {round}");
        let after = registry.events().unwrap();
        assert_eq!(after[..events.len()], events[..], "history is only added to");
        events = after;
    }
    assert!(torn >= 20, "only {torn} of {KILLS} kills hit something half written");
    assert!(events.len() > 10);
    // The next writer clears away what is left.
    let writes = registry.archive(&"live".parse().unwrap(), None, 1);
    assert!(writes.is_err(), "what is live stays");
    let left = fs::read_dir(root(&registry).join("history")).unwrap().flatten();
    assert_eq!(left.filter(|entry| entry.file_name().to_string_lossy().starts_with('.')).count(), 0);
}

#[test]
fn a_version_that_was_killed_on_its_way_in_is_there_or_it_is_not() {
    let (top, registry, _) = registry(1);
    for round in 0..30 {
        kill_one(top.path(), "add", &["versions", "history"], round);
        let state = registry.state().unwrap();
        for version in state.versions() {
            registry.check(&version.id).unwrap();
        }
        // At most the one that was copied and not yet written down.
        let problems = registry.verify().unwrap();
        assert!(
            problems.len() <= 1 && problems.iter().all(|problem| problem.problem.contains("never added")),
            "{problems:?}"
        );
        let next = state.versions().len() + 1;
        add(top.path(), &registry, next).unwrap();
        assert_eq!(registry.verify().unwrap(), []);
    }
}
