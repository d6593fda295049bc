//! The order of tasks, leases, second annotations.

use std::time::Duration;

use nomen_store::{Layer, Progress};

use crate::{
    data::{project, save, texts},
    database::on_both,
};

const LEASE: Duration = Duration::from_secs(60);
const ANNOTATING: &[Layer] = &[Layer::First, Layer::Second];

on_both! {
    async fn the_highest_priority_comes_first_and_nobody_gets_what_another_has(store: Store) {
        let (project, ann, bob) = project(&store).await;
        texts(&store, &project, &ann, &["a", "b", "c"]).await;
        store.rank(project.id, &[(3, "unsure".into())]).await.unwrap();
        let task = store.next(project.id, ann.id, ANNOTATING, LEASE).await.unwrap().unwrap();
        assert_eq!((task.document, task.reason.as_str()), (3, "unsure"));
        let again = store.next(project.id, ann.id, ANNOTATING, LEASE).await.unwrap().unwrap();
        assert_eq!(again.document, 3, "what one has in hand comes first");
        assert_eq!(store.next(project.id, bob.id, ANNOTATING, LEASE).await.unwrap().unwrap().document, 1);
        store.save(project.id, 3, Layer::First, save(0, Vec::new(), "k"), ann.id).await.unwrap();
        assert_eq!(store.next(project.id, ann.id, ANNOTATING, LEASE).await.unwrap().unwrap().document, 2);
        let progress = Progress { layer: Layer::First, tasks: 3, done: 1 };
        assert_eq!(store.progress(project.id).await.unwrap(), [progress]);
        assert!(store.send_back(project.id, Layer::First, &[(1, f64::NAN, String::new())]).await.is_err());
    }

    async fn a_ranking_replaces_the_one_before_and_stays_behind_what_was_sent(store: Store) {
        let (project, ann, _) = project(&store).await;
        texts(&store, &project, &ann, &["a", "b", "c", "d", "e"]).await;
        store.save(project.id, 5, Layer::First, save(0, Vec::new(), "k"), ann.id).await.unwrap();
        store.ask_twice(project.id, &[2]).await.unwrap();
        store.rank(project.id, &[(3, "old".into()), (2, "old".into())]).await.unwrap();
        store.send_back(project.id, Layer::First, &[(4, 1_000.0, "sent".into())]).await.unwrap();
        store.rank(project.id, &[(5, "new".into()), (2, "new".into()), (4, "new".into()), (1, "new".into())]).await.unwrap();
        assert_eq!(store.open_documents(project.id).await.unwrap(), [1, 2, 3, 4]);
        assert_eq!(store.accepted(project.id).await.unwrap(), 1);
        let task = store.task(project.id, 3, Layer::First).await.unwrap();
        assert_eq!((task.priority, task.reason.as_str()), (0.0, ""), "an earlier place is given up");
        assert!(store.task(project.id, 5, Layer::First).await.unwrap().done, "what is done stays done");
        let second = store.task(project.id, 2, Layer::Second).await.unwrap();
        assert_eq!(second.reason, "new", "both annotations of a document have one place");
        let mut order = Vec::new();
        while let Some(task) = store.next(project.id, ann.id, &[Layer::First], LEASE).await.unwrap() {
            order.push((task.document, task.reason));
            store.save(project.id, task.document, Layer::First, save(task.head, Vec::new(), "k"), ann.id).await.unwrap();
        }
        let expected = [(4, "sent"), (2, "new"), (1, "new"), (3, "")];
        assert_eq!(order, expected.map(|(number, reason)| (number, reason.to_owned())));
    }

    async fn a_lease_that_is_over_or_given_back_is_free(store: Store) {
        let (project, ann, bob) = project(&store).await;
        texts(&store, &project, &ann, &["a"]).await;
        store.next(project.id, ann.id, ANNOTATING, Duration::from_millis(30)).await.unwrap().unwrap();
        assert_eq!(store.next(project.id, bob.id, ANNOTATING, LEASE).await.unwrap(), None);
        std::thread::sleep(Duration::from_millis(60));
        assert!(!store.renew(project.id, 1, Layer::First, ann.id, LEASE).await.unwrap());
        assert!(store.next(project.id, bob.id, ANNOTATING, LEASE).await.unwrap().is_some());
        assert!(store.renew(project.id, 1, Layer::First, bob.id, LEASE).await.unwrap());
        store.release(project.id, 1, Layer::First, ann.id).await.unwrap();
        assert_eq!(store.next(project.id, ann.id, ANNOTATING, LEASE).await.unwrap(), None);
        store.release(project.id, 1, Layer::First, bob.id).await.unwrap();
        assert!(store.next(project.id, ann.id, ANNOTATING, LEASE).await.unwrap().is_some());
    }

    async fn both_annotations_of_a_document_go_to_different_people(store: Store) {
        let (project, ann, bob) = project(&store).await;
        texts(&store, &project, &ann, &["a"]).await;
        store.ask_twice(project.id, &[1]).await.unwrap();
        let first = store.next(project.id, ann.id, ANNOTATING, LEASE).await.unwrap().unwrap();
        assert_eq!(first.layer, Layer::First);
        let second = store.next(project.id, bob.id, ANNOTATING, LEASE).await.unwrap().unwrap();
        assert_eq!(second.layer, Layer::Second);
        store.save(project.id, 1, Layer::First, save(0, Vec::new(), "k"), ann.id).await.unwrap();
        assert_eq!(store.next(project.id, ann.id, ANNOTATING, LEASE).await.unwrap(), None);
        assert!(store.ask_twice(project.id, &[2]).await.is_err());
    }

    async fn what_is_sent_back_waits_again_with_its_history(store: Store) {
        let (project, ann, _) = project(&store).await;
        texts(&store, &project, &ann, &["a", "b"]).await;
        store.save(project.id, 2, Layer::First, save(0, Vec::new(), "k"), ann.id).await.unwrap();
        store.send_back(project.id, Layer::First, &[(2, 9.0, "the model disagrees".into())]).await.unwrap();
        let task = store.next(project.id, ann.id, ANNOTATING, LEASE).await.unwrap().unwrap();
        assert_eq!((task.document, task.head, task.reason.as_str()), (2, 1, "the model disagrees"));
        store.send_back(project.id, Layer::Review, &[(1, 1.0, "look".into())]).await.unwrap();
        assert_eq!(store.next(project.id, ann.id, &[Layer::Review], LEASE).await.unwrap().unwrap().document, 1);
    }
}
