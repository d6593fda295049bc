//! B8: killed while the layout is made.

use std::{thread, time::Duration};

use nomen_store::Store;

use super::{child, is_whole, shim, times};
use crate::{
    data::project,
    database::{counted, run},
};

#[test]
fn killed_at_any_writing_call_of_a_migration_it_is_all_or_nothing() {
    let tools = tempfile::tempdir().unwrap();
    let shim = shim(tools.path());
    let (kills, step) = (times(8, 50), times(8, 1) as usize);
    let mut killed = 0;
    for call in (1..).step_by(step).take(kills as usize) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("nomen.db");
        let mut child = child::start("open", path.to_str().unwrap())
            .env("LD_PRELOAD", &shim)
            .env("NOMEN_FAULT", format!("kill:{call}"))
            .env("NOMEN_FAULT_UNDER", folder.path())
            .spawn()
            .unwrap();
        let done = child::lines(&mut child).any(|line| line == "done");
        killed += u32::from(!child.wait().unwrap().success());
        run(async {
            if path.exists() {
                is_whole(&path).await;
                let tables = counted(&format!("sqlite://{}", path.display()), SQLITE).await;
                assert!(tables == 0 || tables == every().await, "killed at call {call}: {tables} tables");
                assert!(!done || tables > 0);
            }
            let store = Store::open_file(&path).await.unwrap();
            project(&store).await;
            store.close().await;
        });
    }
    assert!(killed > 0);
    println!("killed at {killed} calls");
}

#[test]
#[ignore = "needs PostgreSQL"]
fn killed_at_any_time_in_a_migration_it_is_all_or_nothing_on_postgresql() {
    let kills = times(8, 50);
    let mut unfinished = 0;
    for kill in 0..kills {
        let address = crate::cluster::database();
        let mut child = child::start("open", &address).spawn().unwrap();
        thread::sleep(Duration::from_millis(u64::from(20 + kill * 200 / kills)));
        child.kill().unwrap();
        let done = child::lines(&mut child).any(|line| line == "done");
        child.wait().unwrap();
        unfinished += u32::from(!done);
        run(async {
            let store = Store::open(&address).await.unwrap();
            project(&store).await;
            store.close().await;
        });
    }
    println!("{kills} kills, {unfinished} of them before the end");
}

const SQLITE: &str = "SELECT COUNT(*) FROM sqlite_master WHERE type = 'table'";

/// Number of tables of a whole database.
async fn every() -> i64 {
    let (store, folder) = crate::database::sqlite().await;
    store.close().await;
    let file = std::fs::read_dir(folder.path()).unwrap().next().unwrap().unwrap().path();
    let copy = folder.path().join("copy.db");
    std::fs::copy(file, &copy).unwrap();
    counted(&format!("sqlite://{}", copy.display()), SQLITE).await
}
