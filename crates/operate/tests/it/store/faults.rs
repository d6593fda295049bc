//! Connections that break, answers that are lost, writers that die.

use std::{
    mem, thread,
    time::{Duration, Instant},
};

use nomen_operate::registry::{Registry, RegistryError, What};

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
        for lost in 0.. {
            let (top, store, registry, _) = registry(1);
            store.fates(move |request| if request.number == lost { fate } else { Fate::Done });
            let added = add(top.path(), &registry, 2).unwrap();
            assert!(!added.was_known, "{fate:?} of request {lost}");
            force(&registry, "v2").unwrap();
            registry.archive(&"v1".parse().unwrap(), None, 1).unwrap();
            let asked = store.seen().len();
            store.heal();
            assert_eq!(registry.events().unwrap().len(), 4, "{fate:?} of request {lost}");
            assert_eq!(registry.verify().unwrap(), []);
            assert_eq!(live(&registry), Some(added.id));
            if lost >= asked {
                assert!(lost >= 20, "every request was lost once, {lost} of them");
                break;
            }
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
    const EVENT: &str = "PUT teams a+b/ner/history/00000005.json";
    let (_top, store, registry, ids) = registry(3);
    force(&registry, "v1").unwrap();
    let mut access = store.access();
    access.patience.pauses = vec![Duration::from_secs(1); 3];
    let patient = Registry::open(place(), &access).unwrap();
    let mut is_first = true;
    store.fates(move |request| {
        let is_event = format!("{} {}", request.method, request.key) == EVENT;
        if is_event && mem::take(&mut is_first) { Fate::Dropped } else { Fate::Done }
    });
    thread::scope(|scope| {
        let promoting = scope.spawn(|| force(&patient, "v2"));
        // The first attempt is dropped; before the second, another process promotes.
        while !store.seen().iter().any(|seen| seen == EVENT) {
            thread::yield_now();
        }
        force(&registry, "v3").unwrap();
        assert_eq!(live(&registry), Some(ids[2].clone()));
        promoting.join().unwrap().unwrap();
    });
    store.heal();
    let events = registry.events().unwrap();
    assert_eq!(events.len(), 6, "both are in the history");
    assert_eq!(
        events[5].what,
        What::Promoted { from: Some(ids[2].clone()), gate: None, forced: Some("a test".to_owned()) }
    );
    assert_eq!(live(&registry), Some(ids[1].clone()));
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
