//! B1: killed at any time under eight writers, nothing that was acknowledged is lost.

use std::{
    path::Path,
    thread,
    time::{Duration, Instant, SystemTime},
};

use nomen_store::{Given, Import, Store};

use super::{are_there, child, is_whole, times};
use crate::{data::project, database::run};

#[test]
fn killed_writers_lose_nothing_on_sqlite() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("nomen.db");
    kill_writers(path.to_str().unwrap(), Some(&path));
}

#[test]
#[ignore = "needs PostgreSQL"]
fn killed_writers_lose_nothing_on_postgresql() {
    kill_writers(&crate::cluster::database(), None);
}

fn kill_writers(place: &str, path: Option<&Path>) {
    run(async {
        let store = Store::open(place).await.unwrap();
        let (project, ann, _) = project(&store).await;
        Import::new(&store, project.id, ann.id, Given::Shown).add(&child::documents()).await.unwrap();
        store.close().await;
    });
    let kills = times(6, 200);
    let mut told = Vec::new();
    let seed = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().subsec_nanos();
    for kill in 0..kills {
        let mut child = child::start("write", place).spawn().unwrap();
        let mut lines = child::lines(&mut child);
        // The first line says that it writes; then it is killed at any time.
        told.extend(lines.next());
        let begun = Instant::now();
        let wait = Duration::from_micros(u64::from(seed.wrapping_mul(kill * 2 + 1) % 120_000));
        let reading = thread::spawn(move || lines.collect::<Vec<_>>());
        thread::sleep(wait.saturating_sub(begun.elapsed()));
        child.kill().unwrap();
        child.wait().unwrap();
        told.extend(reading.join().unwrap());
    }
    let failed: Vec<_> = told.iter().filter(|line| line.starts_with("failed")).collect();
    assert!(failed.is_empty(), "{failed:?}");
    let saved = told.iter().filter(|line| line.starts_with("saved")).count();
    assert!(saved >= kills as usize, "the writers wrote");
    run(async {
        if let Some(path) = path {
            is_whole(path).await;
        }
        let store = Store::open(place).await.unwrap();
        let project = store.project_by_name("news").await.unwrap();
        are_there(&store, &project, &told).await;
        store.close().await;
    });
    println!("{kills} kills, {} acknowledged, {saved} of them saved, 0 lost", told.len());
}
