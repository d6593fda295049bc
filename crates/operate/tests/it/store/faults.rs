//! Connections that break, answers that are lost, writers that die.

use std::{
    sync::{Arc, Mutex},
    thread,
    time::{Duration, Instant},
};

use nomen_operate::registry::{Registry, RegistryError};

use super::{
    registry, reopened,
    server::{Fate, Store, place},
};
use crate::bundles::{add, force, live};

/// What a writer does.
type Deed<'a> = &'a dyn Fn(&Registry) -> Result<(), RegistryError>;

/// Does a deed again and again, dead after one request more each time, until it gets through; `check` is told what is left.
fn die_after_each_request(store: &Store, deed: Deed<'_>, check: &dyn Fn(&Registry)) -> usize {
    for alive in 0.. {
        store.fates(move |request| if request.number < alive { Fate::Done } else { Fate::Dropped });
        let done = Registry::open(place(), &store.access()).and_then(|registry| deed(&registry));
        store.heal();
        check(&reopened(store));
        if done.is_ok() {
            return alive;
        }
    }
    unreachable!()
}

#[test]
fn a_writer_that_dies_after_any_request_leaves_one_live_version_that_loads() {
    let (top, store, registry, ids) = registry(2);
    force(&registry, "v1").unwrap();
    let loads = |expected: usize| {
        let ids = ids.clone();
        move |registry: &Registry| {
            let live = live(registry).unwrap();
            assert!(ids[..expected].contains(&live));
            let problems = registry.verify().unwrap();
            let is_half_added = |problem: &str| problem.contains("never added");
            assert!(problems.iter().all(|problem| is_half_added(&problem.problem)), "{problems:?}");
            assert!(problems.len() <= 1, "{problems:?}");
        }
    };
    let added = die_after_each_request(&store, &|registry| add(top.path(), registry, 3).map(drop), &loads(1));
    let promoted = die_after_each_request(&store, &|registry| force(registry, "v2"), &loads(2));
    let rolled_back =
        die_after_each_request(&store, &|registry| registry.roll_back(None, None, 1).map(drop), &loads(2));
    assert!(added >= 10 && promoted >= 8 && rolled_back >= 8, "{added} {promoted} {rolled_back}");
    assert_eq!(registry.verify().unwrap(), []);
    // Three came in, two were promoted, one went back; whatever died, nothing happened twice.
    assert_eq!(registry.events().unwrap().len(), 6);
    assert_eq!(live(&registry).unwrap(), ids[0]);
}

#[test]
fn a_registry_that_is_begun_by_a_writer_that_dies_is_begun_again() {
    for alive in 0..12 {
        let store = Store::start();
        store.fates(move |request| if request.number < alive { Fate::Done } else { Fate::Dropped });
        let begun = Registry::open_or_create(place(), &store.access());
        store.heal();
        let registry = Registry::open_or_create(place(), &store.access()).unwrap();
        assert_eq!(registry.verify().unwrap(), []);
        if begun.is_ok() {
            assert!(alive >= 4);
            return;
        }
    }
    panic!("it was never begun");
}

#[test]
fn an_answer_that_is_lost_makes_no_second_event() {
    for fate in [Fate::Unanswered, Fate::CutShort, Fate::Dropped] {
        let (top, store, registry, ids) = registry(1);
        for lost in 0..24 {
            store.fates(move |request| if request.number == lost { fate } else { Fate::Done });
            add(top.path(), &registry, 2 + lost).unwrap();
            force(&registry, &format!("v{}", 2 + lost)).unwrap();
            assert!(store.seen().len() > lost, "there was such a request");
            store.heal();
            assert_eq!(registry.events().unwrap().len(), 3 + 2 * lost, "{fate:?} of request {lost}");
            assert_eq!(registry.verify().unwrap(), []);
            assert_ne!(live(&registry).unwrap(), ids[0]);
        }
    }
}

#[test]
fn a_store_that_falls_silent_is_given_up() {
    let (_top, store, _, _) = registry(1);
    let mut access = store.access();
    access.patience.answer = Duration::from_millis(50);
    store.fates(|_| Fate::Silent);
    let begun = Instant::now();
    let refused = Registry::open(place(), &access).unwrap_err().to_string();
    assert!(refused.contains("no answer in time") && refused.contains("tried 4 times"), "{refused}");
    assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());
}

#[test]
fn an_event_of_another_is_not_taken_for_a_lost_one() {
    let (_top, store, registry, ids) = registry(3);
    force(&registry, "v1").unwrap();
    // The first attempt is dropped, and before the second one another process promotes.
    let rival = Arc::new(Mutex::new(Some(reopened(&store))));
    let inner = store.clone();
    let other = store.clone();
    store.fates(move |request| {
        let is_event = request.method == "PUT" && request.key.ends_with("history/00000005.json");
        if is_event && rival.lock().unwrap().take().is_some() { Fate::Dropped } else { Fate::Done }
    });
    let promoted = thread::scope(|scope| {
        let waiting = scope.spawn(move || {
            // As soon as the attempt was dropped, the place is taken.
            let is_event = |seen: &String| seen == "PUT teams a+b/ner/history/00000005.json";
            while !inner.seen().iter().any(is_event) {
                thread::yield_now();
            }
            force(&reopened(&other), "v3")
        });
        let promoted = force(&registry, "v2");
        waiting.join().unwrap().unwrap();
        promoted
    });
    promoted.unwrap();
    store.heal();
    let events = registry.events().unwrap();
    assert_eq!(events.len(), 6, "both are in the history");
    assert!(ids[1..].contains(&live(&registry).unwrap()));
    assert_eq!(registry.verify().unwrap(), []);
}

#[test]
fn a_download_that_breaks_off_goes_on_where_it_was() {
    let (top, store, registry, ids) = registry(1);
    store.fates(|request| {
        let is_first = request.key.ends_with("model.safetensors") && request.number < 3;
        if is_first { Fate::CutShort } else { Fate::Done }
    });
    let folder = registry.verified_folder(&ids[0], &top.path().join("cache"), &mut |_| {}).unwrap();
    registry.check(&ids[0]).unwrap();
    assert!(folder.join("model.safetensors").exists());
    let asked = store.seen().iter().filter(|seen| seen.ends_with("model.safetensors")).count();
    assert_eq!(asked, 3, "one that breaks, the rest, and the check");
}
