//! Databases to test on.

use std::{future::Future, path::Path};

use nomen_store::Store;
use sqlx::{Connection as _, Row as _};
use tempfile::TempDir;

/// Runs a test to its end.
pub fn run<T>(test: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_multi_thread().worker_threads(4).enable_all().build().unwrap().block_on(test)
}

/// An empty database in a folder that goes with it.
pub async fn sqlite() -> (Store, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    (Store::open_file(&file(folder.path())).await.unwrap(), folder)
}

/// An empty database of `PostgreSQL`.
pub async fn postgres() -> Store {
    Store::open(&crate::cluster::database()).await.unwrap()
}

/// A name that an address would have to escape.
pub fn file(folder: &Path) -> std::path::PathBuf {
    folder.join("a project?100%#.db")
}

/// What a query counts in a database, over a connection of its own.
pub async fn counted(address: &str, query: &'static str) -> i64 {
    sqlx::any::install_default_drivers();
    let mut connection = sqlx::AnyConnection::connect(address).await.unwrap();
    let count = sqlx::query(query).fetch_one(&mut connection).await.unwrap().get(0);
    connection.close().await.unwrap();
    count
}

/// The same test on both databases.
macro_rules! on_both {
    ($($(#[$doc:meta])* async fn $name:ident($store:ident: Store) $body:block)+) => {$(
        mod $name {
            #[allow(unused_imports)]
            use super::*;

            async fn test($store: nomen_store::Store) $body

            $(#[$doc])*
            #[test]
            fn sqlite() {
                crate::database::run(async {
                    let (store, _folder) = crate::database::sqlite().await;
                    test(store.clone()).await;
                    store.close().await;
                });
            }

            $(#[$doc])*
            #[test]
            #[ignore = "needs PostgreSQL"]
            fn postgres() {
                crate::database::run(async {
                    let store = crate::database::postgres().await;
                    test(store.clone()).await;
                    store.close().await;
                });
            }
        }
    )+};
}
pub(crate) use on_both;
