//! B4: two people at one document.

use std::{collections::HashSet, path::Path};

use nomen_store::{Layer, Store, StoreError};

use super::times;
use crate::{
    data::{entity, project, save, texts},
    database::run,
};

const TEXT: &str = "Ada met Zoë.";

#[test]
fn two_people_at_one_document_lose_nothing_on_sqlite() {
    // In memory where there is such a place: what counts is order, and a sync takes longer than all else.
    let memory = Path::new("/dev/shm");
    let folder = if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() }.unwrap();
    run(async {
        let store = Store::open_file(&folder.path().join("nomen.db")).await.unwrap();
        contend(&store).await;
        store.close().await;
    });
}

#[test]
#[ignore = "needs PostgreSQL"]
fn two_people_at_one_document_lose_nothing_on_postgresql() {
    run(async {
        let store = crate::database::postgres().await;
        contend(&store).await;
        store.close().await;
    });
}

async fn contend(store: &Store) {
    let tries = times(400, 100_000);
    let (project, ann, bob) = project(store).await;
    texts(store, &project, &ann, &[TEXT]).await;
    let people: Vec<_> = [(ann, "Ada"), (bob, "Zoë")]
        .into_iter()
        .map(|(user, quote)| {
            let (store, project) = (store.clone(), project.id);
            tokio::spawn(async move {
                let (mut head, mut saved, mut late) = (0, Vec::new(), Vec::new());
                for turn in 0..tries / 2 {
                    let key = format!("{}-{turn}", user.name);
                    let revision = save(head, vec![entity(TEXT, quote, "PER")], &key);
                    match store.save(project, 1, Layer::First, revision, user.id).await {
                        Ok(revision) => {
                            head = revision.number;
                            saved.push(key);
                        }
                        Err(StoreError::Conflict { mine, theirs }) => {
                            assert_eq!((mine.key.as_str(), mine.head), (key.as_str(), theirs.number));
                            assert_eq!(mine.entities, [entity(TEXT, quote, "PER")]);
                            head = theirs.number;
                            late.push(key);
                        }
                        Err(error) => panic!("{error}"),
                    }
                }
                (saved, late)
            })
        })
        .collect();
    let (mut saved, mut late) = (HashSet::new(), HashSet::new());
    for person in people {
        let (theirs, too_late) = person.await.unwrap();
        saved.extend(theirs);
        late.extend(too_late);
    }
    let history = store.history(project.id, 1, Layer::First).await.unwrap();
    let lost = store.conflicts(project.id, Some(1), false).await.unwrap();
    assert_eq!(history.len() + lost.len(), tries as usize, "every save is one or the other");
    assert_eq!(history.iter().map(|revision| revision.key.clone()).collect::<HashSet<_>>(), saved);
    assert_eq!(lost.iter().map(|lost| lost.key.clone()).collect::<HashSet<_>>(), late);
    for pair in history.windows(2) {
        assert_eq!((pair[1].parent, pair[1].number), (pair[0].number, pair[0].number + 1));
    }
    assert!(!lost.is_empty(), "they were in each other's way");
    println!("{tries} saves: {} revisions, {} conflicts kept, 0 lost", history.len(), lost.len());
}
