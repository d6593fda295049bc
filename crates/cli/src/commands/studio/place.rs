//! Which database, and which project in it.

use std::{
    env,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, bail};
use clap::Args;
use schema::Schema;
use store::{Project, Store, StoreError, User};
use tokio::runtime::Runtime;

use crate::project;

/// The database's file in a project's folder.
const FILE: &str = "nomen.db";

/// Which database, and which project in it.
#[derive(Args)]
pub struct Place {
    // Not a doc comment: rustdoc would read the address as a link.
    #[arg(
        long,
        value_name = "DB",
        help = "Database: a file, or postgres://USER@HOST/NAME [default: nomen.db of the project]"
    )]
    db: Option<String>,
    /// Project in the database; made if it is not there [default: the name of the project's folder]
    #[arg(long, value_name = "NAME")]
    project: Option<String>,
}

/// An open database.
pub struct Opened {
    /// The database.
    pub store: Store,
    /// The project.
    pub project: Project,
    /// The person at this machine.
    pub user: User,
    /// The folder of the training runs.
    pub runs: PathBuf,
}

/// What drives the database.
pub fn runtime() -> anyhow::Result<Runtime> {
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    builder.worker_threads(2).thread_name("nomen-studio").enable_all();
    builder.build().context("the system gives no threads")
}

impl Place {
    /// Opens the database and the project, which is made with the labels of the project's schema where it is not there yet.
    pub async fn open(&self) -> anyhow::Result<Opened> {
        let folder = project::Project::find()?;
        let db = match (&self.db, &folder) {
            (Some(db), _) => db.clone(),
            (None, Some(folder)) => folder.path(Path::new(FILE)).display().to_string(),
            (None, None) => bail!("--db is missing; give it, or work in a project (`nomen init DIR`)"),
        };
        let name = match (&self.project, &folder) {
            (Some(name), _) => name.clone(),
            (None, Some(folder)) => folder.name(),
            (None, None) => {
                Path::new(&db).file_stem().map_or("project".into(), |stem| stem.to_string_lossy().into_owned())
            }
        };
        let schema = folder.as_ref().map(project::Project::schema).transpose()?.flatten().unwrap_or_default();
        let runs = folder.as_ref().map_or_else(|| PathBuf::from("runs"), project::Project::runs);
        let store = Store::open(&db).await?;
        let user = store.user_named(&system_user()).await?;
        let project = project_of(&store, &name, &schema, &user).await?;
        Ok(Opened { store, project, user, runs })
    }
}

async fn project_of(store: &Store, name: &str, schema: &Schema, owner: &User) -> anyhow::Result<Project> {
    match store.project_by_name(name).await {
        Err(StoreError::NotFound(_)) => Ok(store.create_project(name, schema, "", owner.id).await?),
        known => Ok(known?),
    }
}

/// What the system calls whoever runs this.
fn system_user() -> String {
    let given = ["USER", "LOGNAME", "USERNAME"].into_iter().filter_map(|name| env::var(name).ok());
    let is_name = |name: &String| !name.is_empty() && name.trim() == name && !name.chars().any(char::is_control);
    given.into_iter().find(is_name).unwrap_or_else(|| "me".to_owned())
}
