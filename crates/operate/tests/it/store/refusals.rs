//! What a store refuses, and what is said of it.

use std::sync::atomic::{AtomicUsize, Ordering};

use nomen_operate::registry::{Access, Registry};

use super::{
    registry,
    server::{Conditions, Fate, Store, place},
};
use crate::bundles::{add, force};

fn open(store: &Store) -> String {
    Registry::open_or_create(place(), &store.access()).unwrap_err().to_string()
}

#[test]
fn a_store_that_is_busy_is_asked_again_and_one_that_refuses_is_not() {
    let (_top, store, registry, _) = registry(2);
    for status in [429, 500, 502, 503, 504] {
        let busy = AtomicUsize::new(3);
        store.fates(move |_| {
            let left = busy.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1));
            if left.is_ok() { Fate::Refused(status, "SlowDown") } else { Fate::Done }
        });
        registry.state().unwrap();
    }
    store.fates(|_| Fate::Refused(503, "SlowDown"));
    let refused = force(&registry, "v1").unwrap_err().to_string();
    assert!(
        refused.contains("503") && refused.contains("tried 4 times") && refused.contains("look before"),
        "{refused}"
    );
    assert_eq!(store.seen().len(), 4);
    let refused = registry.verify().unwrap_err().to_string();
    assert!(
        refused.contains("503") && !refused.contains("look before"),
        "a store that is silent is no damage: {refused}"
    );
    for (status, code) in [(400, "InvalidRequest"), (403, "AccessDenied"), (404, "NoSuchBucket"), (405, "")] {
        store.fates(move |_| Fate::Refused(status, code));
        registry.state().unwrap_err();
        assert_eq!(store.seen().len(), 1, "{status}");
    }
}

#[test]
fn what_is_wrong_is_said_with_the_way_out_and_without_the_key() {
    let store = Store::start();
    for (status, code, expected) in [
        (404, "NoSuchBucket", "there is no bucket \"models\"; make it"),
        (403, "InvalidAccessKeyId", "AWS_ACCESS_KEY_ID"),
        (403, "SignatureDoesNotMatch", "AWS_SECRET_ACCESS_KEY"),
        (403, "AccessDenied", "s3:ListBucket"),
        (301, "PermanentRedirect", "set AWS_REGION"),
        (404, "", "AWS_ENDPOINT_URL_S3"),
    ] {
        store.fates(move |_| Fate::Refused(status, code));
        let said = open(&store);
        assert!(said.starts_with("s3://models/teams a+b/ner") && said.contains(expected), "{said}");
        assert!(!said.contains("nobody-sees"), "{said}");
    }
    store.fates(|_| Fate::Dropped);
    let said = open(&store);
    assert!(said.contains("127.0.0.1") && !said.contains("nobody-sees") && !said.contains("X-Amz"), "{said}");
    store.heal();
    let registry = Registry::open_or_create(place(), &store.access()).unwrap();
    let shown = format!("{registry:?} {:?}", store.access());
    assert!(shown.contains("s3://models") && !shown.contains("nobody-sees"), "{shown}");
}

#[test]
fn a_store_without_conditional_writes_is_refused_before_anything_is_overwritten() {
    for conditions in [Conditions::Ignored, Conditions::Refused] {
        let store = Store::start();
        store.inside().conditions = conditions;
        let said = open(&store);
        assert!(said.contains("conditional writes") && said.contains("MinIO"), "{conditions:?}: {said}");
        // One that comes to have none, too.
        let (top, store, registry, _) = registry(1);
        force(&registry, "v1").unwrap();
        store.inside().conditions = conditions;
        let before = store.inside().objects.clone();
        let said = add(top.path(), &registry, 2).unwrap_err().to_string();
        assert!(said.contains("conditional writes"), "{conditions:?}: {said}");
        assert_eq!(store.inside().objects, before);
    }
}

#[test]
fn without_a_key_or_with_a_wrong_address_nothing_is_asked() {
    let store = Store::start();
    let opened = |access: Access| Registry::open(place(), &access).unwrap_err().to_string();
    for (access, expected) in [
        (Access { key: None, ..store.access() }, "set AWS_ACCESS_KEY_ID"),
        (Access { secret: None, ..store.access() }, "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"),
        (
            Access { endpoint: Some("minio nobody-sees".to_owned()), ..store.access() },
            "AWS_ENDPOINT_URL_S3 is no address",
        ),
        (
            Access { endpoint: Some("ftp://nobody-sees".to_owned()), ..store.access() },
            "AWS_ENDPOINT_URL_S3 is no address",
        ),
        (Access { region: Some("eu/../x".to_owned()), ..store.access() }, "AWS_REGION is no region"),
    ] {
        let said = opened(access);
        assert!(said.contains(expected) && !said.contains("nobody-sees"), "{said}");
    }
    assert_eq!(store.seen().len(), 0);
}
