//! Against a server that does what MLflow does, and what servers do that are ill.

use std::{
    fs,
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use nomen_train::{
    End, Flow, Outcome,
    tracking::{Environment, TrackError, sync},
};

use super::{
    PACE, destination, numbers,
    server::{Fault, Memory, Server},
    tracked,
};
use crate::sample::{self, settings};

const GO_ON: fn(u64) -> Flow = |_| Flow::Continue;

/// Asserts that the server has one run with every number of the run's events, each once.
#[track_caller]
fn has_everything(memory: &Memory, path: &Path) {
    let kept = memory.lock().unwrap();
    assert_eq!(kept.runs.len(), 1);
    let run = &kept.runs[0];
    let expected = numbers(path);
    assert!(expected.len() > 240);
    assert_eq!(run.metrics.len(), expected.len());
    for (name, step, time, value) in &run.metrics {
        assert_eq!(value.parse::<f64>().unwrap(), expected[&(name.clone(), *step)], "{name} {step}");
        assert!(*time > 1_700_000_000_000);
    }
    assert_eq!((run.params["learning_rate"].as_str(), run.params["base"].as_str()), ("0.005", "path:tiny"));
    assert_eq!((run.params["lr_scheduler"].as_str(), run.params["labels"].as_str()), ("linear", "2"));
}

/// Asserts that the server has the run's files, byte by byte.
#[track_caller]
fn has_files(memory: &Memory, path: &Path) {
    let kept = memory.lock().unwrap();
    for name in ["events.jsonl", "model-best/model.safetensors", "model-best/nomen.json"] {
        let stored = &kept.files[&format!("0/0/artifacts/{name}")];
        assert!(*stored == fs::read(path.join(name)).unwrap(), "{name}");
    }
}

fn sync_with(server: &Server, path: &Path) -> Result<(), TrackError> {
    let destinations = [destination(&format!("mlflow:{}", server.url()))];
    sync(path, &destinations, &Environment::default(), PACE).unwrap().remove(0).1
}

#[test]
fn a_server_shows_a_whole_run() {
    let (folder, memory) = (tempfile::tempdir().unwrap(), Memory::default());
    let path = folder.path().join("news");
    let server = Server::start(&memory, |_| Fault::None);
    let (outcome, told) = tracked(
        &path,
        &settings(),
        &[destination(&format!("mlflow:{}", server.url()))],
        &Environment::default(),
        GO_ON,
    );
    assert_eq!((outcome, told), (Outcome::Ended(End::Finished), Vec::<String>::new()));
    has_everything(&memory, &path);
    has_files(&memory, &path);
    let kept = memory.lock().unwrap();
    let run = &kept.runs[0];
    assert_eq!(
        (run.name.as_str(), run.status.as_str(), run.tags["nomen.ended"].as_str()),
        ("news", "FINISHED", "finished")
    );
    assert_eq!(kept.experiments, ["nomen"]);
}

#[test]
fn whatever_a_request_meets_nothing_is_lost_or_shown_twice() {
    let faults = [
        Fault::Status(500),
        Fault::Status(503),
        Fault::Status(429),
        Fault::Close,
        Fault::LoseAnswer,
        Fault::Garbage,
        Fault::Page,
        Fault::Slow(Duration::from_millis(30)),
    ];
    for fault in faults {
        let (folder, memory) = (tempfile::tempdir().unwrap(), Memory::default());
        // Every request but each third meets the fault.
        let server = Server::start(&memory, move |count| if count % 3 == 2 { Fault::None } else { fault });
        let to = destination(&format!("mlflow:{}", server.url()));
        let (outcome, _) = tracked(folder.path(), &settings(), &[to], &Environment::default(), GO_ON);
        assert_eq!(outcome, Outcome::Ended(End::Finished), "{fault:?}");
        drop(server);
        let server = Server::at(address_of(folder.path()), &memory, |_| Fault::None);
        assert_eq!(sync_with(&server, folder.path()), Ok(()), "{fault:?}");
        has_everything(&memory, folder.path());
        has_files(&memory, folder.path());
    }
}

/// The address of the server that a run was shown at.
fn address_of(path: &Path) -> std::net::SocketAddr {
    let known = nomen_train::tracking::Destination::known(path);
    assert_eq!(known.len(), 1);
    known[0].to_string().strip_prefix("mlflow:http://").unwrap().parse().unwrap()
}

#[test]
fn a_server_that_was_away_all_the_time_has_everything_later() {
    let (folder, memory) = (tempfile::tempdir().unwrap(), Memory::default());
    let address = Server::start(&memory, |_| Fault::None).address;
    let to = destination(&format!("mlflow:http://{address}"));
    let (outcome, told) = tracked(folder.path(), &settings(), &[to], &Environment::default(), GO_ON);
    assert_eq!(outcome, Outcome::Ended(End::Finished));
    let last = told.last().unwrap();
    assert!(last.contains(&address.to_string()) && last.contains("does not have everything"), "{told:?}");
    assert!(memory.lock().unwrap().runs.is_empty());
    let server = Server::at(address, &memory, |_| Fault::None);
    assert_eq!(sync_with(&server, folder.path()), Ok(()));
    has_everything(&memory, folder.path());
    has_files(&memory, folder.path());
    // A second time there is nothing to send but how the run stands.
    let before = memory.lock().unwrap().requests.len();
    assert_eq!(sync_with(&server, folder.path()), Ok(()));
    let kept = memory.lock().unwrap();
    let requests = &kept.requests[before..];
    assert!(requests.iter().all(|request| !request.contains("PUT") && !request.contains("log-batch")), "{requests:?}");
}

#[test]
fn a_server_that_dies_in_the_middle_and_comes_back_has_everything() {
    let (folder, memory) = (tempfile::tempdir().unwrap(), Memory::default());
    let mut server = Some(Server::start(&memory, |_| Fault::None));
    let address = server.as_ref().unwrap().address;
    let to = destination(&format!("mlflow:http://{address}"));
    let ended = Arc::clone(&memory);
    let (outcome, told) = tracked(folder.path(), &settings(), &[to], &Environment::default(), |step| {
        match step {
            20 => {
                // It has seen some of the run by then.
                wait_until(|| ended.lock().unwrap().runs.first().is_some_and(|run| !run.metrics.is_empty()));
                server = None;
            }
            40 => {
                std::thread::sleep(Duration::from_millis(50));
                server = Some(Server::at(address, &ended, |_| Fault::None));
            }
            _ => {}
        }
        Flow::Continue
    });
    assert_eq!(outcome, Outcome::Ended(End::Finished));
    has_everything(&memory, folder.path());
    has_files(&memory, folder.path());
    assert!(told.iter().any(|line| line.contains("sent later")), "{told:?}");
    assert_eq!(memory.lock().unwrap().runs[0].status, "FINISHED");
}

#[track_caller]
fn wait_until(holds: impl Fn() -> bool) {
    let begun = Instant::now();
    while !holds() {
        assert!(begun.elapsed() < Duration::from_secs(20));
        std::thread::sleep(Duration::from_millis(2));
    }
}

#[test]
fn a_run_that_is_stopped_and_gone_on_with_is_one_run_at_the_server() {
    let (folder, memory) = (tempfile::tempdir().unwrap(), Memory::default());
    let server = Server::start(&memory, |_| Fault::None);
    let to = [destination(&format!("mlflow:{}", server.url()))];
    let settings = settings();
    for stop in [13, 31] {
        let (outcome, _) = tracked(folder.path(), &settings, &to, &Environment::default(), |step| {
            if step == stop { Flow::Stop } else { Flow::Continue }
        });
        assert_eq!(outcome, Outcome::Stopped);
        assert_eq!(memory.lock().unwrap().runs[0].status, "KILLED");
    }
    tracked(folder.path(), &settings, &to, &Environment::default(), GO_ON);
    has_everything(&memory, folder.path());
    assert_eq!(memory.lock().unwrap().runs[0].status, "FINISHED");
}

#[test]
fn steps_that_are_taken_again_after_a_crash_are_shown_once() {
    let (folder, memory) = (tempfile::tempdir().unwrap(), Memory::default());
    let server = Server::start(&memory, |_| Fault::None);
    let to = [destination(&format!("mlflow:{}", server.url()))];
    let settings = settings();
    tracked(folder.path(), &settings, &to, &Environment::default(), |step| {
        if step == 25 { Flow::Stop } else { Flow::Continue }
    });
    // The process died before its first checkpoint: all steps are taken again.
    fs::remove_dir_all(folder.path().join("checkpoints")).unwrap();
    tracked(folder.path(), &settings, &to, &Environment::default(), GO_ON);
    let kept = memory.lock().unwrap();
    let losses = kept.runs[0].metrics.iter().filter(|metric| metric.0 == "train/loss");
    let found: Vec<(u64, f64)> = losses.map(|metric| (metric.1, metric.3.parse().unwrap())).collect();
    assert_eq!(found, sample::losses(folder.path()));
    assert_eq!(kept.runs.len(), 1);
}

#[test]
fn another_run_in_the_same_folder_is_another_run_at_the_server() {
    let (folder, memory) = (tempfile::tempdir().unwrap(), Memory::default());
    let server = Server::start(&memory, |_| Fault::None);
    let to = [destination(&format!("mlflow:{}", server.url()))];
    tracked(folder.path(), &settings(), &to, &Environment::default(), GO_ON);
    fs::remove_file(folder.path().join("events.jsonl")).unwrap();
    fs::remove_dir_all(folder.path().join("checkpoints")).unwrap();
    std::thread::sleep(Duration::from_millis(2));
    tracked(folder.path(), &settings(), &to, &Environment::default(), GO_ON);
    let kept = memory.lock().unwrap();
    assert_eq!(kept.runs.len(), 2);
    assert_eq!(kept.runs[0].metrics.len(), kept.runs[1].metrics.len());
}

#[test]
fn a_refusal_is_told_once_with_the_way_out_and_the_run_goes_on() {
    for (status, part) in
        [(401, "MLFLOW_TRACKING_TOKEN"), (403, "MLFLOW_TRACKING_TOKEN"), (404, "404"), (302, "redirects")]
    {
        let (folder, memory) = (tempfile::tempdir().unwrap(), Memory::default());
        let server = Server::start(&memory, move |_| Fault::Status(status));
        let to = destination(&format!("mlflow:{}", server.url()));
        let (outcome, told) = tracked(folder.path(), &settings(), &[to], &Environment::default(), GO_ON);
        assert_eq!(outcome, Outcome::Ended(End::Finished));
        assert!(told.iter().all(|line| line.contains(part)) && told.len() <= 2 && !told.is_empty(), "{told:?}");
        drop(server);
        let server = Server::at(address_of(folder.path()), &memory, |_| Fault::None);
        assert_eq!(sync_with(&server, folder.path()), Ok(()));
        has_everything(&memory, folder.path());
    }
}

#[test]
fn a_server_that_never_answers_keeps_nobody_waiting() {
    let folder = tempfile::tempdir().unwrap();
    let reference = {
        let begun = Instant::now();
        sample::drive(folder.path(), &settings(), |_| Flow::Continue).unwrap();
        begun.elapsed()
    };
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let to = destination(&format!("mlflow:http://{}", silent.local_addr().unwrap()));
    let path = folder.path().join("tracked");
    let run_folder = nomen_train::RunFolder::open(&path).unwrap();
    let mut fit = sample::fit(settings());
    let mut run = nomen_train::Run::begin(&run_folder, sample::identity(&settings())).unwrap();
    let begun = Instant::now();
    let tracking = nomen_train::tracking::Tracking::start(&path, &[to], &Environment::default(), PACE);
    run.drive(&mut fit, |_| Flow::Continue).unwrap();
    let mut told = Vec::new();
    let leaving = nomen_train::tracking::Leaving::Stopped;
    let is_whole = tracking.finish(leaving, || false, |line| told.push(line.to_owned()));
    // The server is waited for 10 seconds by a request, by the run never.
    assert!(begun.elapsed() < reference * 3 + Duration::from_secs(3), "{:?} beside {reference:?}", begun.elapsed());
    assert!(!is_whole && told.len() == 1, "{told:?}");
}

#[test]
fn credentials_are_sent_and_neither_written_nor_shown() {
    let secret = |token: bool| Environment {
        token: token.then(|| "t0ken-s3cret".to_owned()),
        username: Some("anna".to_owned()),
        password: Some("s3cret".to_owned()),
        ..Environment::default()
    };
    for (environment, expected) in [(secret(true), "Bearer t0ken-s3cret"), (secret(false), "Basic YW5uYTpzM2NyZXQ=")] {
        let (folder, memory) = (tempfile::tempdir().unwrap(), Memory::default());
        let server = Server::start(&memory, |count| if count % 2 == 0 { Fault::Status(500) } else { Fault::None });
        let to = destination(&format!("mlflow:{}", server.url()));
        let (_, told) = tracked(folder.path(), &settings(), &[to], &environment, GO_ON);
        assert_eq!(memory.lock().unwrap().authorization.as_deref(), Some(expected));
        let state = sample::files(&folder.path().join("tracking"));
        let written = state.values().chain([]).map(|bytes| String::from_utf8_lossy(bytes).into_owned());
        let events = fs::read_to_string(folder.path().join("events.jsonl")).unwrap();
        for text in written.chain(told).chain([events]) {
            assert!(!text.contains("s3cret") && !text.contains("YW5uYTpzM2NyZXQ"), "{text}");
        }
    }
}
