//! The process that is killed, or whose disk fills up.

use std::{
    io::{BufRead as _, BufReader, Write as _},
    process::{Child, Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use nomen_store::{Given, Import, Layer, Store, StoreError};
use schema::Document;

use crate::{
    data::{entity, save},
    database::run,
};

const TEXT: &str = "Ada met Zoë in Köln.";
/// Documents that the writers share; the others have one writer each.
pub const SHARED: u32 = 2;
pub const WRITERS: u32 = 8;

/// This program again, as a child that does `what` with the database at `place`.
pub fn start(what: &str, place: &str) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command
        .args(["--exact", "faults::child::does_what_it_is_told", "--ignored", "--nocapture"])
        .env("NOMEN_CHILD", what)
        .env("NOMEN_CHILD_PLACE", place)
        .stdout(Stdio::piped())
        .stderr(Stdio::null());
    command
}

/// What the child says, without the lines of the test harness.
pub fn lines(child: &mut Child) -> impl Iterator<Item = String> + use<> {
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let told = |line: &String| ["saved ", "conflict ", "failed ", "done"].iter().any(|word| line.starts_with(word));
    // A line without its end was not acknowledged; a killed child leaves at most one.
    lines.map_while(Result::ok).filter(told)
}

/// One write call a line, so that a kill cuts none in two.
fn say(line: &str) {
    let _ = std::io::stdout().write_all(format!("{line}\n").as_bytes());
    let _ = std::io::stdout().flush();
}

#[test]
#[ignore = "other tests start it"]
fn does_what_it_is_told() {
    let (Ok(what), Ok(place)) = (std::env::var("NOMEN_CHILD"), std::env::var("NOMEN_CHILD_PLACE")) else {
        return;
    };
    run(async move {
        match what.as_str() {
            "write" => write(&place).await,
            "open" => match Store::open(&place).await {
                Ok(_) => say("done"),
                Err(error) => say(&format!("failed {error}")),
            },
            "work" => work(&place).await.unwrap_or_else(|error| say(&format!("failed {error}"))),
            other => panic!("{other}"),
        }
    });
}

/// Saves without end, eight writers at once, and says what was acknowledged.
async fn write(place: &str) {
    let store = Store::open(place).await.unwrap();
    let project = store.project_by_name("news").await.unwrap();
    let ann = store.user_named("ann").await.unwrap();
    let count = Arc::new(AtomicU64::new(0));
    let writers: Vec<_> = (0..WRITERS)
        .map(|writer| {
            let (store, project, ann, count) = (store.clone(), project.id, ann.id, Arc::clone(&count));
            tokio::spawn(async move {
                for turn in 0u32.. {
                    let number = if turn.is_multiple_of(2) { 1 + writer % SHARED } else { 1 + SHARED + writer };
                    let head = store.task(project, number, Layer::First).await.unwrap().head;
                    let key = format!("{}-{}", std::process::id(), count.fetch_add(1, Ordering::Relaxed));
                    let entities = vec![entity(TEXT, if turn.is_multiple_of(3) { "Ada" } else { "Zoë" }, "PER")];
                    match store.save(project, number, Layer::First, save(head, entities, &key), ann).await {
                        Ok(revision) => say(&format!("saved {number} {} {key}", revision.number)),
                        Err(StoreError::Conflict { .. }) => say(&format!("conflict {number} - {key}")),
                        Err(error) => say(&format!("failed {error}")),
                    }
                }
            })
        })
        .collect();
    for writer in writers {
        writer.await.unwrap();
    }
}

/// The documents of the writers.
pub fn documents() -> Vec<Document> {
    let document = |number: u32| {
        let mut document = Document::new(TEXT);
        document.id = Some(number.to_string());
        document.partial = true;
        document
    };
    (1..=SHARED + WRITERS).map(document).collect()
}

/// A little of everything, in order; goes on where something fails.
async fn work(place: &str) -> Result<(), StoreError> {
    let store = Store::open(place).await?;
    let project = store.project_by_name("news").await?;
    let ann = store.user_named("ann").await?;
    let mut import = Import::new(&store, project.id, ann.id, Given::Shown);
    for (turn, document) in (0..).zip(documents()) {
        if let Err(error) = import.add(std::slice::from_ref(&document)).await {
            say(&format!("failed {error}"));
        }
        let number = 1 + turn % 3;
        let Ok(task) = store.task(project.id, number, Layer::First).await else { continue };
        let key = format!("work-{turn}");
        let entities = vec![entity(TEXT, "Köln", "LOC")];
        match store.save(project.id, number, Layer::First, save(task.head, entities, &key), ann.id).await {
            Ok(revision) => say(&format!("saved {number} {} {key}", revision.number)),
            Err(error) => say(&format!("failed {error}")),
        }
    }
    say("done");
    Ok(())
}
