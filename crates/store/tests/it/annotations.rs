//! The history of annotations, conflicts, drafts.

use nomen_store::{Layer, StoreError, Verdict};
use serde_json::json;

use crate::{
    data::{entity, project, save, texts},
    database::on_both,
};

const TEXT: &str = "👩‍🔬 Ada met Zoë in Köln.";

on_both! {
    async fn a_revision_follows_the_one_that_its_writer_had_seen(store: Store) {
        let (project, ann, _) = project(&store).await;
        texts(&store, &project, &ann, &[TEXT]).await;
        let ada = entity(TEXT, "Ada", "PER");
        let first = store.save(project.id, 1, Layer::First, save(0, vec![ada.clone()], "a"), ann.id).await.unwrap();
        assert_eq!((first.number, first.parent, first.user), (1, 0, Some(ann.id)));
        let both = vec![entity(TEXT, "Köln", "LOC"), ada.clone()];
        let second = store.save(project.id, 1, Layer::First, save(1, both, "b"), ann.id).await.unwrap();
        assert_eq!(second.entities, [ada, entity(TEXT, "Köln", "LOC")]);
        assert_eq!(store.history(project.id, 1, Layer::First).await.unwrap(), [first, second.clone()]);
        assert_eq!(store.standing(project.id, 1).await.unwrap(), Some(second));
    }

    async fn a_stale_save_is_a_conflict_that_keeps_both_versions(store: Store) {
        let (project, ann, bob) = project(&store).await;
        texts(&store, &project, &ann, &[TEXT]).await;
        let ada = entity(TEXT, "Ada", "PER");
        let kept = store.save(project.id, 1, Layer::First, save(0, vec![ada], "a"), ann.id).await.unwrap();
        let late = save(0, vec![entity(TEXT, "Köln", "LOC")], "b");
        for _ in 0..2 {
            let refused = store.save(project.id, 1, Layer::First, late.clone(), bob.id).await.unwrap_err();
            let StoreError::Conflict { mine, theirs } = refused else { panic!("{refused}") };
            assert_eq!((mine.entities, mine.head, *theirs), (late.entities.clone(), 1, kept.clone()));
        }
        assert_eq!(store.history(project.id, 1, Layer::First).await.unwrap(), [kept]);
        let lost = store.conflicts(project.id, Some(1), false).await.unwrap();
        assert_eq!(lost.len(), 1, "the same save again is the same conflict");
        store.settle_conflict(project.id, 1, Layer::First, "b").await.unwrap();
        assert!(store.conflicts(project.id, None, false).await.unwrap().is_empty());
        assert_eq!(store.conflicts(project.id, None, true).await.unwrap().len(), 1);
    }

    async fn the_same_key_is_the_same_save(store: Store) {
        let (project, ann, bob) = project(&store).await;
        texts(&store, &project, &ann, &[TEXT]).await;
        let revision = save(0, vec![entity(TEXT, "Ada", "PER")], "a");
        let once = store.save(project.id, 1, Layer::First, revision.clone(), ann.id).await.unwrap();
        let twice = store.save(project.id, 1, Layer::First, revision.clone(), ann.id).await.unwrap();
        assert_eq!(once, twice);
        assert_eq!(store.history(project.id, 1, Layer::First).await.unwrap().len(), 1);
        assert!(store.save(project.id, 1, Layer::First, revision, bob.id).await.is_err());
    }

    async fn what_does_not_fit_is_refused_and_changes_nothing(store: Store) {
        let (project, ann, _) = project(&store).await;
        texts(&store, &project, &ann, &[TEXT]).await;
        let outside = entity(&format!("{TEXT}{TEXT} Bob"), "Bob", "PER");
        let overlap = vec![entity(TEXT, "Ada met", "PER"), entity(TEXT, "met Zoë", "PER")];
        let unknown = vec![entity(TEXT, "Ada", "ORG")];
        for entities in [vec![outside], overlap, unknown] {
            store.save(project.id, 1, Layer::First, save(0, entities, "a"), ann.id).await.unwrap_err();
        }
        store.save(project.id, 1, Layer::First, save(1, Vec::new(), "a"), ann.id).await.unwrap_err();
        store.save(project.id, 2, Layer::First, save(0, Vec::new(), "a"), ann.id).await.unwrap_err();
        store.save(project.id, 1, Layer::First, save(0, Vec::new(), ""), ann.id).await.unwrap_err();
        assert!(store.history(project.id, 1, Layer::First).await.unwrap().is_empty());
        assert!(store.conflicts(project.id, None, false).await.unwrap().is_empty());
    }

    async fn a_review_counts_in_place_of_the_first_annotation(store: Store) {
        let (project, ann, bob) = project(&store).await;
        texts(&store, &project, &ann, &[TEXT]).await;
        store.ask_twice(project.id, &[1]).await.unwrap();
        let (ada, zoe) = (entity(TEXT, "Ada", "PER"), entity(TEXT, "Zoë", "PER"));
        store.save(project.id, 1, Layer::First, save(0, vec![ada.clone()], "a"), ann.id).await.unwrap();
        let own = store.save(project.id, 1, Layer::Second, save(0, vec![ada.clone()], "b"), ann.id).await;
        assert!(own.is_err(), "nobody annotates a document twice");
        store.save(project.id, 1, Layer::Second, save(0, vec![zoe.clone()], "b"), bob.id).await.unwrap();
        assert_eq!(store.task(project.id, 1, Layer::Review).await.unwrap().reason, "two annotations differ");
        assert_eq!(store.standing(project.id, 1).await.unwrap().unwrap().entities, std::slice::from_ref(&ada));
        assert_eq!(store.annotated_twice(project.id, 0, 10).await.unwrap().len(), 1);
        let both = save(0, vec![ada.clone(), zoe.clone()], "c");
        store.save(project.id, 1, Layer::Review, both, bob.id).await.unwrap();
        let standing = store.standing(project.id, 1).await.unwrap().unwrap();
        assert_eq!((standing.layer, standing.entities), (Layer::Review, vec![ada, zoe]));
        assert_eq!(store.label_counts(project.id).await.unwrap(), [("PER".to_owned(), 2)]);
        // A later first annotation stays behind the review.
        store.save(project.id, 1, Layer::First, save(1, Vec::new(), "d"), ann.id).await.unwrap();
        assert_eq!(store.label_counts(project.id).await.unwrap(), [("PER".to_owned(), 2)]);
    }

    async fn what_is_flagged_goes_to_review(store: Store) {
        let (project, ann, _) = project(&store).await;
        texts(&store, &project, &ann, &[TEXT, "b"]).await;
        let mut flagged = save(0, Vec::new(), "a");
        flagged.verdict = Verdict::Flagged;
        store.save(project.id, 1, Layer::First, flagged, ann.id).await.unwrap();
        store.save(project.id, 2, Layer::First, save(0, Vec::new(), "a"), ann.id).await.unwrap();
        assert_eq!(store.task(project.id, 1, Layer::Review).await.unwrap().reason, "flagged");
        assert!(store.task(project.id, 2, Layer::Review).await.is_err());
    }

    async fn a_draft_stays_until_its_user_saves(store: Store) {
        let (project, ann, bob) = project(&store).await;
        texts(&store, &project, &ann, &[TEXT]).await;
        for (user, body) in [(&ann, json!({"a": 1})), (&ann, json!({"a": 2})), (&bob, json!("b"))] {
            store.keep_draft(project.id, 1, Layer::First, user.id, &body).await.unwrap();
        }
        let draft = store.draft(project.id, 1, Layer::First, ann.id).await.unwrap().unwrap();
        assert_eq!(draft.body, json!({"a": 2}));
        store.save(project.id, 1, Layer::First, save(0, Vec::new(), "a"), ann.id).await.unwrap();
        assert_eq!(store.draft(project.id, 1, Layer::First, ann.id).await.unwrap(), None);
        assert!(store.draft(project.id, 1, Layer::First, bob.id).await.unwrap().is_some());
        // A save that comes too late leaves the draft, so that nothing is typed twice.
        store.save(project.id, 1, Layer::First, save(0, Vec::new(), "b"), bob.id).await.unwrap_err();
        assert!(store.draft(project.id, 1, Layer::First, bob.id).await.unwrap().is_some());
    }
}
