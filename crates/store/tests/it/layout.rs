//! The layout of the database: made once, refused where it is newer.

use nomen_store::{Search, Store, StoreError, VERSION};
use sqlx::{Connection as _, Executor as _};

use crate::{
    data::{project, texts},
    database::{file, run},
};

/// Says in the database's own words that a newer program was here.
async fn age(address: &str) {
    sqlx::any::install_default_drivers();
    let mut connection = sqlx::AnyConnection::connect(address).await.unwrap();
    let newer = format!("INSERT INTO nomen_layout (version, at) VALUES ({}, 0)", VERSION + 1);
    connection.execute(sqlx::AssertSqlSafe(newer)).await.unwrap();
    connection.close().await.unwrap();
}

/// Makes the database what the first layout left, with a suggestion in it.
async fn as_of_version_1(address: &str) {
    sqlx::any::install_default_drivers();
    let mut connection = sqlx::AnyConnection::connect(address).await.unwrap();
    for statement in [
        "ALTER TABLE suggestion DROP COLUMN edits",
        "ALTER TABLE suggestion DROP COLUMN verified",
        "DROP TABLE dismissal",
        "DELETE FROM nomen_layout WHERE version > 1",
        "INSERT INTO suggestion (project, number, position, start, stop, quote, label, score, grounding, kind, name, version, at)
        VALUES (1, 1, 1, 0, 1, 'a', 'PER', 0.5, 'exact', 'llm', 'm', '', 0)",
    ] {
        connection.execute(statement).await.unwrap();
    }
    if address.starts_with("postgres") {
        connection.execute("DROP TABLE document_text").await.unwrap();
        connection.execute("CREATE INDEX document_text ON document USING gin (text gin_trgm_ops)").await.unwrap();
    }
    connection.close().await.unwrap();
}

async fn is_brought_up(address: &str, place: &str) {
    let store = Store::open(place).await.unwrap();
    let (project, ann, _) = project(&store).await;
    texts(&store, &project, &ann, &["a"]).await;
    store.close().await;
    as_of_version_1(address).await;
    let store = Store::open(place).await.unwrap();
    let found = store.suggestions(project.id, 1).await.unwrap();
    assert_eq!((found.len(), found[0].edits, found[0].verified), (1, 0, None));
    assert!(!store.dismiss_finding(project.id, 1, "Q", "m").await.unwrap());
    let search = Search { text: Some("A".into()), limit: 1, ..Search::default() };
    assert_eq!(store.search(project.id, &search).await.unwrap().len(), 1);
    store.close().await;
}

#[test]
fn a_file_of_an_earlier_layout_is_brought_up() {
    run(async {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("nomen.db");
        is_brought_up(&format!("sqlite://{}", path.display()), path.to_str().unwrap()).await;
    });
}

#[test]
#[ignore = "needs PostgreSQL"]
fn a_database_of_an_earlier_layout_is_brought_up() {
    run(async {
        let address = crate::cluster::database();
        is_brought_up(&address, &address).await;
    });
}

fn is_newer(opened: Result<Store, StoreError>) {
    let refused = opened.unwrap_err();
    assert!(matches!(refused, StoreError::Newer { found, .. } if found == VERSION + 1));
    assert!(refused.to_string().contains("use the newer program") && !refused.to_string().contains("secret"));
}

#[test]
fn a_newer_file_is_refused_and_left_alone() {
    run(async {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("nomen.db");
        Store::open_file(&path).await.unwrap().close().await;
        age(&format!("sqlite://{}", path.display())).await;
        is_newer(Store::open(path.to_str().unwrap()).await);
    });
}

#[test]
#[ignore = "needs PostgreSQL"]
fn a_newer_database_is_refused_and_left_alone() {
    run(async {
        let address = crate::cluster::database();
        Store::open(&address).await.unwrap().close().await;
        age(&address).await;
        is_newer(Store::open(&address.replace("nomen@", "nomen:secret@")).await);
    });
}

#[test]
fn what_is_no_database_is_refused_by_name() {
    run(async {
        let folder = tempfile::tempdir().unwrap();
        let path = file(folder.path());
        std::fs::write(&path, "these are notes, and they are longer than a header of SQLite: ".repeat(20)).unwrap();
        let refused = Store::open_file(&path).await.unwrap_err().to_string();
        assert!(refused.contains("a project?100%#.db") && refused.contains("other program's file"), "{refused}");
        let nowhere = Store::open_file(&folder.path().join("no/nomen.db")).await.unwrap_err().to_string();
        assert!(nowhere.contains("no/nomen.db cannot be opened"), "{nowhere}");
    });
}

#[test]
fn several_programs_may_open_a_new_database_at_once() {
    run(async {
        let folder = tempfile::tempdir().unwrap();
        let opening: Vec<_> = (0..6)
            .map(|_| {
                let path = file(folder.path());
                tokio::spawn(async move { Store::open_file(&path).await.map(|_| ()) })
            })
            .collect();
        for opened in opening {
            opened.await.unwrap().unwrap();
        }
    });
}
