//! B3: a disk that is full, or fails, at any writing call.

use std::path::Path;

use nomen_store::{Layer, Store};

use super::{are_there, child, is_whole, shim, times};
use crate::{
    data::{entity, project, save},
    database::run,
};

#[test]
fn a_disk_that_fails_at_any_call_loses_nothing_that_was_acknowledged() {
    let tools = tempfile::tempdir().unwrap();
    let shim = shim(tools.path());
    let step = times(97, 1) as usize;
    let (mut struck, mut errors) = (0, 0);
    for kind in ["one", "from"] {
        for call in (1..).step_by(step) {
            let failed = fail_at(&shim, kind, call);
            errors += failed;
            // Behind its last writing call nothing fails any more.
            if failed == 0 && call > 60 {
                break;
            }
            struck += 1;
        }
    }
    assert!(errors > 0, "the disk failed");
    println!("failed at {struck} places, {errors} errors reported, 0 lost");
}

/// How many errors the child reported.
fn fail_at(shim: &Path, kind: &str, call: usize) -> usize {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("nomen.db");
    run(async {
        let store = Store::open_file(&path).await.unwrap();
        project(&store).await;
        store.close().await;
    });
    let mut child = child::start("work", path.to_str().unwrap())
        .env("LD_PRELOAD", shim)
        .env("NOMEN_FAULT", format!("{kind}:{call}"))
        .env("NOMEN_FAULT_UNDER", folder.path())
        .spawn()
        .unwrap();
    let told: Vec<String> = child::lines(&mut child).collect();
    assert!(child.wait().unwrap().success(), "{kind}:{call}: an error, not a panic: {told:?}");
    let (told, failed): (Vec<_>, Vec<_>) =
        told.into_iter().filter(|line| line != "done").partition(|line| !line.starts_with("failed"));
    run(async {
        is_whole(&path).await;
        let store = Store::open_file(&path).await.unwrap();
        let project = store.project_by_name("news").await.unwrap();
        are_there(&store, &project, &told).await;
        let ann = store.user_named("ann").await.unwrap();
        if store.document_count(project.id).await.unwrap() > 0 {
            let head = store.task(project.id, 1, Layer::First).await.unwrap().head;
            let text = store.document(project.id, 1).await.unwrap().document;
            let more = save(head, vec![entity(text.text(), "Ada", "PER")], "afterwards");
            store.save(project.id, 1, Layer::First, more, ann.id).await.unwrap();
        }
        store.close().await;
    });
    failed.len()
}
