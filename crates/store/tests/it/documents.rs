//! Documents in and out.

use nomen_store::{Given, Import, Layer, Project, Provenance, Select, Store, StoreError, User, Verdict};
use schema::{Document, Span};
use serde_json::json;

use crate::{
    data::{entity, label, project, save},
    database::on_both,
};

const TEXT: &str = "👩‍🔬 Ada\r\nin Köln.";

fn documents() -> Vec<Document> {
    let mut rich = Document::new(TEXT)
        .with_entities(vec![entity(TEXT, "Ada", "PER"), entity(TEXT, "Köln", "LOC")])
        .and_then(|document| {
            let first = Span::of(TEXT, 0.."👩‍🔬".len()).unwrap();
            document.with_tokens(vec![first, entity(TEXT, "Ada", "PER").span])
        })
        .unwrap();
    rich.id = Some("r1".into());
    rich.meta.insert("source".into(), json!({"page": 3, "z": 1.5, "a": null}));
    rich.looked_for = Some(vec![label("PER"), label("LOC")]);
    let mut open = Document::new("nobody looked");
    open.partial = true;
    // The same text twice, with and without an entity, as data sets have it.
    let same = "ok Ada";
    let again = Document::new(same).with_entities(vec![entity(same, "Ada", "PER")]).unwrap();
    vec![rich, open, Document::new(same), again, Document::new("")]
}

async fn import(
    store: &Store,
    project: &Project,
    user: &User,
    documents: &[Document],
    chunk: usize,
) -> (u32, u32, Vec<u32>) {
    let mut import = Import::new(store, project.id, user.id, Given::Decided);
    for documents in documents.chunks(chunk) {
        import.add(documents).await.unwrap();
    }
    let told = import.told().clone();
    (told.added, told.known, told.differing)
}

const ALL: Select = Select { accepted: false, history: true };

on_both! {
    async fn a_document_leaves_as_it_came(store: Store) {
        let (project, ann, _) = project(&store).await;
        assert_eq!(import(&store, &project, &ann, &documents(), 2).await, (5, 0, vec![]));
        let exported = store.export(project.id, ALL, 0, 10).await.unwrap();
        let left: Vec<Document> = exported.into_iter().map(|exported| exported.document).collect();
        assert_eq!(left, documents());
        let rows = store.documents(project.id, 0, 10).await.unwrap();
        let came: Vec<Document> = rows.into_iter().map(|row| row.document).collect();
        assert_eq!(came, documents());
        assert_eq!(store.numbers_of(project.id, "r1").await.unwrap(), [1]);
        assert_eq!(store.document_count(project.id).await.unwrap(), 5);
    }

    async fn the_same_import_twice_or_cut_short_is_one(store: Store) {
        let (project, ann, _) = project(&store).await;
        let documents = documents();
        assert_eq!(import(&store, &project, &ann, &documents[..3], 3).await, (3, 0, vec![]));
        assert_eq!(import(&store, &project, &ann, &documents, 2).await, (2, 3, vec![]));
        assert_eq!(import(&store, &project, &ann, &documents, 5).await, (0, 5, vec![]));
        let exported = store.export(project.id, ALL, 0, 10).await.unwrap();
        assert_eq!(exported.into_iter().map(|exported| exported.document).collect::<Vec<_>>(), documents);
    }

    async fn a_known_text_with_other_annotations_is_named_and_left_alone(store: Store) {
        let (project, ann, _) = project(&store).await;
        import(&store, &project, &ann, &documents(), 5).await;
        let mut changed = documents();
        changed[0] = changed[0].clone().with_entities(Vec::new()).unwrap();
        assert_eq!(import(&store, &project, &ann, &changed, 5).await, (0, 5, vec![1]));
        assert_eq!(store.document(project.id, 1).await.unwrap().document, documents()[0]);
    }

    async fn a_chunk_with_an_unknown_label_is_refused_as_a_whole(store: Store) {
        let (project, ann, _) = project(&store).await;
        let strange = Document::new("x").with_entities(vec![entity("x", "x", "ORG")]).unwrap();
        let mut import = Import::new(&store, project.id, ann.id, Given::Decided);
        let refused = import.add(&[Document::new("y"), strange]).await.unwrap_err();
        assert!(matches!(refused, StoreError::UnknownLabel(name) if name == label("ORG")));
        assert_eq!(store.document_count(project.id).await.unwrap(), 0);
        // What was refused was not counted: the same text now is the first of its kind.
        import.add(&[Document::new("y")]).await.unwrap();
        assert_eq!(self::import(&store, &project, &ann, &[Document::new("y")], 1).await, (0, 1, vec![]));
    }

    async fn an_export_has_what_counts_and_the_same_state_gives_the_same_bytes(store: Store) {
        let (project, ann, bob) = project(&store).await;
        import(&store, &project, &ann, &documents(), 5).await;
        let ada = entity(TEXT, "Ada", "PER");
        store.save(project.id, 1, Layer::First, save(1, vec![ada.clone()], "a"), bob.id).await.unwrap();
        store.save(project.id, 1, Layer::First, save(1, Vec::new(), "late"), ann.id).await.unwrap_err();
        let mut skipped = save(1, Vec::new(), "s");
        skipped.verdict = Verdict::Skipped;
        store.save(project.id, 3, Layer::First, skipped, bob.id).await.unwrap();
        let accepted = Select { accepted: true, history: false };
        let exported = store.export(project.id, accepted, 0, 10).await.unwrap();
        let numbers: Vec<u32> = exported.iter().map(|exported| exported.number).collect();
        assert_eq!(numbers, [1, 4, 5]);
        assert_eq!(exported[0].document.entities(), [ada]);
        assert_eq!(exported[0].document.looked_for, None, "a person looked for every label");
        let names = store.user_names().await.unwrap();
        let write = async || {
            let (mut lines, mut after) = (Vec::new(), 0);
            while let Some(last) = {
                let page = store.export(project.id, ALL, after, 2).await.unwrap();
                lines.extend(page.iter().map(|exported| exported.history_json(&names).to_string()));
                page.last().map(|last| last.number)
            } {
                after = last;
            }
            lines
        };
        let lines = write().await;
        assert_eq!(lines, write().await);
        assert_eq!(lines.len(), 5);
        let first: serde_json::Value = serde_json::from_str(&lines[0]).unwrap();
        assert_eq!(first["revisions"].as_array().unwrap().len(), 2);
        assert_eq!(first["revisions"][0]["origin"], json!({"by": "import"}));
        assert_eq!(first["revisions"][1]["user"], "bob");
        assert_eq!(first["revisions"][1]["entities"][0], json!({"start": 4, "end": 7, "label": "PER", "text": "Ada"}));
        assert_eq!(first["conflicts"][0]["key"], "late");
    }

    async fn shown_annotations_are_not_decided(store: Store) {
        let (project, ann, _) = project(&store).await;
        let mut import = Import::new(&store, project.id, ann.id, Given::Shown);
        import.add(&documents()).await.unwrap();
        assert_eq!(store.standing(project.id, 1).await.unwrap(), None);
        assert_eq!(store.document(project.id, 1).await.unwrap().document.entities().len(), 2);
        assert!(store.export(project.id, Select { accepted: true, history: false }, 0, 10).await.unwrap().is_empty());
    }

    async fn what_came_decided_says_so(store: Store) {
        let (project, ann, _) = project(&store).await;
        import(&store, &project, &ann, &documents(), 5).await;
        let standing = store.standing(project.id, 1).await.unwrap().unwrap();
        assert_eq!((standing.origin, standing.number, standing.user), (Provenance::Import, 1, Some(ann.id)));
        assert_eq!(store.standing(project.id, 2).await.unwrap(), None, "nobody looked at it");
    }
}

#[test]
#[ignore = "needs PostgreSQL"]
fn a_text_that_postgresql_cannot_keep_is_refused_by_name() {
    crate::database::run(async {
        let store = crate::database::postgres().await;
        let (project, ann, _) = project(&store).await;
        let mut document = Document::new("a\0b");
        document.id = Some("d7".into());
        let mut import = Import::new(&store, project.id, ann.id, Given::Shown);
        let refused = import.add(&[document]).await.unwrap_err().to_string();
        assert!(refused.contains("\"d7\"") && refused.contains("U+0000"), "{refused}");
    });
}
