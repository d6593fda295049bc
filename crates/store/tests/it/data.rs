//! What the tests annotate.

use nomen_store::{Given, Import, NewRevision, Project, Provenance, Store, User, Verdict};
use schema::{Document, Entity, Label, Schema, Span};

pub fn label(name: &str) -> Label {
    Label::new(name).unwrap()
}

pub fn entity(text: &str, quote: &str, name: &str) -> Entity {
    let start = text.find(quote).unwrap();
    Entity::new(Span::of(text, start..start + quote.len()).unwrap(), label(name))
}

/// A project with the labels `PER` and `LOC`, its owner and somebody else.
pub async fn project(store: &Store) -> (Project, User, User) {
    let owner = store.create_user("ann", None).await.unwrap();
    let other = store.create_user("bob", None).await.unwrap();
    let schema = Schema::of_labels([label("PER"), label("LOC")]);
    let project = store.create_project("news", &schema, "Be kind.", owner.id).await.unwrap();
    (project, owner, other)
}

/// Texts without annotations.
pub async fn texts(store: &Store, project: &Project, user: &User, texts: &[&str]) {
    let mut documents: Vec<Document> = texts.iter().map(|text| Document::new(*text)).collect();
    for document in &mut documents {
        document.partial = true;
    }
    let mut import = Import::new(store, project.id, user.id, Given::Shown);
    import.add(&documents).await.unwrap();
}

pub fn save(parent: u32, entities: Vec<Entity>, key: &str) -> NewRevision {
    NewRevision {
        parent,
        verdict: Verdict::Accepted,
        entities,
        note: String::new(),
        origin: Provenance::Hand,
        key: key.into(),
    }
}
