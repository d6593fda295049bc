//! Renaming, merging, and changes by surface.

use nomen_store::{Layer, Provenance, Relabel, StoreError};

use crate::{
    data::{entity, label, project, save, texts},
    database::on_both,
};

const TEXT: &str = "Ada met ADA in Köln.";

on_both! {
    async fn a_renamed_label_is_a_new_revision_everywhere(store: Store) {
        let (project, ann, bob) = project(&store).await;
        texts(&store, &project, &ann, &[TEXT, "none"]).await;
        store.ask_twice(project.id, &[1]).await.unwrap();
        let both = vec![entity(TEXT, "Ada", "PER"), entity(TEXT, "Köln", "LOC")];
        store.save(project.id, 1, Layer::First, save(0, both.clone(), "a"), ann.id).await.unwrap();
        store.save(project.id, 1, Layer::Second, save(0, both.clone(), "b"), bob.id).await.unwrap();
        let change = Relabel::Rename { from: label("PER"), to: label("PERSON") };
        let preview = store.preview(project.id, &change).await.unwrap();
        assert_eq!((preview.mentions, preview.documents, preview.touched.len()), (2, 1, 2));
        assert_eq!(preview.touched[0].surface, "Ada");
        assert_eq!(store.history(project.id, 1, Layer::First).await.unwrap().len(), 1, "a preview changes nothing");
        let done = store.relabel(project.id, 1, &change, bob.id).await.unwrap();
        assert_eq!((done.mentions, done.revisions), (2, 2));
        let history = store.history(project.id, 1, Layer::First).await.unwrap();
        assert_eq!(history[0].entities, both);
        assert_eq!(history[1].entities[0].label, label("PERSON"));
        assert_eq!(history[1].origin, Provenance::Relabel { what: "PER renamed to PERSON".into() });
        let known = store.project(project.id).await.unwrap();
        assert_eq!(known.version, 2);
        assert_eq!(known.schema.labels().map(ToString::to_string).collect::<Vec<_>>(), ["PERSON", "LOC"]);
        let stale = store.relabel(project.id, 1, &change, bob.id).await.unwrap_err();
        assert!(matches!(stale, StoreError::Stale { .. }));
        // Whose annotation it is stays, so the second annotator may still change the second one.
        store.save(project.id, 1, Layer::Second, save(2, Vec::new(), "c"), bob.id).await.unwrap();
        assert!(store.save(project.id, 1, Layer::First, save(2, Vec::new(), "c"), bob.id).await.is_err());
    }

    async fn merged_labels_leave_the_schema(store: Store) {
        let (project, ann, _) = project(&store).await;
        texts(&store, &project, &ann, &[TEXT]).await;
        let both = vec![entity(TEXT, "Ada", "PER"), entity(TEXT, "Köln", "LOC")];
        store.save(project.id, 1, Layer::First, save(0, both, "a"), ann.id).await.unwrap();
        let change = Relabel::Merge { from: vec![label("LOC")], into: label("PER") };
        store.relabel(project.id, 1, &change, ann.id).await.unwrap();
        assert_eq!(store.label_counts(project.id).await.unwrap(), [("PER".to_owned(), 2)]);
        assert_eq!(store.project(project.id).await.unwrap().schema.len(), 1);
        let wrong = Relabel::Merge { from: vec![label("PER")], into: label("PER") };
        assert!(store.preview(project.id, &wrong).await.is_err());
        let unknown = Relabel::Merge { from: vec![label("LOC")], into: label("PER") };
        assert!(matches!(store.preview(project.id, &unknown).await, Err(StoreError::UnknownLabel(_))));
    }

    async fn a_surface_gets_another_label_or_none_where_it_counts(store: Store) {
        let (project, ann, _) = project(&store).await;
        texts(&store, &project, &ann, &[TEXT]).await;
        let all = vec![entity(TEXT, "Ada", "PER"), entity(TEXT, "ADA", "LOC"), entity(TEXT, "Köln", "LOC")];
        store.save(project.id, 1, Layer::First, save(0, all, "a"), ann.id).await.unwrap();
        let change = Relabel::Surface { surface: "ada".into(), from: None, to: Some(label("PER")) };
        assert_eq!(store.preview(project.id, &change).await.unwrap().mentions, 1);
        assert_eq!(store.relabel(project.id, 1, &change, ann.id).await.unwrap().mentions, 1);
        assert_eq!(store.label_counts(project.id).await.unwrap(), [("LOC".to_owned(), 1), ("PER".to_owned(), 2)]);
        let change = Relabel::Surface { surface: "ADA".into(), from: Some(label("PER")), to: None };
        assert_eq!(store.relabel(project.id, 1, &change, ann.id).await.unwrap().mentions, 2);
        assert_eq!(store.standing(project.id, 1).await.unwrap().unwrap().entities, [entity(TEXT, "Köln", "LOC")]);
        assert_eq!(store.history(project.id, 1, Layer::First).await.unwrap().len(), 3);
    }
}
