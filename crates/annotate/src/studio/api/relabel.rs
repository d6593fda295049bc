//! Changes of many annotations at once.

use std::sync::Arc;

use axum::extract::State;
use schema::Label;
use serde::{Deserialize, Serialize};
use store::Relabel;
use utoipa::ToSchema;

use super::problem::Refusals;
use crate::studio::{Refusal, Studio, access::Member, body::Json};

/// A change of labels.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(tag = "change", rename_all = "lowercase")]
pub enum Change {
    /// A label gets a name that no label has, in every layer and in the schema.
    Rename {
        /// Its name.
        from: String,
        /// Its name to be.
        to: String,
    },
    /// Labels become one of the others and leave the schema, in every layer.
    Merge {
        /// The labels that go.
        from: Vec<String>,
        /// The one that stays.
        into: String,
    },
    /// Entities of a text, case aside, get another label or none, where they count.
    Surface {
        /// The whole text of the entity.
        surface: String,
        /// Only those of this label.
        #[serde(default)]
        from: Option<String>,
        /// The label to be; without one the entity is taken away.
        #[serde(default)]
        to: Option<String>,
    },
}

/// A change and the version of the project that it was decided on.
#[derive(Debug, Deserialize, ToSchema)]
pub struct Decided {
    /// The version.
    version: u32,
    /// The change.
    #[serde(flatten)]
    change: Change,
}

/// What a change would do.
#[derive(Debug, Serialize, ToSchema)]
pub struct Foreseen {
    /// The change in words.
    what: String,
    /// Entities that would change.
    mentions: u64,
    /// Documents that would get a new version.
    documents: u64,
    /// Some of them.
    touched: Vec<Touched>,
}

/// An entity that would change.
#[derive(Debug, Serialize, ToSchema)]
pub struct Touched {
    /// The document.
    document: u32,
    /// The layer.
    layer: String,
    /// Its label.
    label: String,
    /// Its text.
    surface: String,
}

/// What a change did.
#[derive(Debug, Serialize, ToSchema)]
pub struct Done {
    /// Entities that changed.
    mentions: u64,
    /// Versions that were added; no old one is touched.
    revisions: u64,
}

impl Change {
    /// The change as the store takes it.
    ///
    /// # Errors
    /// A label is none.
    pub fn checked(self) -> Result<Relabel, Refusal> {
        let label = |name: &str| Label::new(name.trim()).map_err(|error| Refusal::Invalid(error.to_string()));
        let maybe =
            |name: Option<String>| name.filter(|name| !name.trim().is_empty()).map(|name| label(&name)).transpose();
        Ok(match self {
            Self::Rename { from, to } => Relabel::Rename { from: label(&from)?, to: label(&to)? },
            Self::Merge { from, into } => Relabel::Merge {
                from: from.iter().map(|name| label(name)).collect::<Result<_, _>>()?,
                into: label(&into)?,
            },
            Self::Surface { surface, from, to } => Relabel::Surface { surface, from: maybe(from)?, to: maybe(to)? },
        })
    }
}

/// What a change of labels would do, without doing it
#[utoipa::path(
    post, path = "/api/v1/projects/{project}/relabel/preview", tag = "schema", params(("project" = String, Path)),
    request_body = Change, responses((status = 200, body = Foreseen), Refusals)
)]
pub async fn preview(
    State(studio): State<Arc<Studio>>,
    member: Member,
    Json(change): Json<Change>,
) -> Result<axum::Json<Foreseen>, Refusal> {
    let change = change.checked()?;
    let preview = studio.store.preview(member.project.id, &change).await?;
    let touched = |touched: store::Touched| Touched {
        document: touched.document,
        layer: touched.layer.to_string(),
        label: touched.label.to_string(),
        surface: touched.surface,
    };
    Ok(axum::Json(Foreseen {
        what: change.what(),
        mentions: preview.mentions,
        documents: preview.documents,
        touched: preview.touched.into_iter().map(touched).collect(),
    }))
}

/// Changes labels in every document that has them, all or none
///
/// Each gets a new version that says what was changed. `version` is that of the project's labels on which this was decided.
#[utoipa::path(
    post, path = "/api/v1/projects/{project}/relabel", tag = "schema", params(("project" = String, Path)),
    request_body = Decided, responses((status = 200, body = Done), Refusals)
)]
pub async fn apply(
    State(studio): State<Arc<Studio>>,
    member: Member,
    Json(Decided { version, change }): Json<Decided>,
) -> Result<axum::Json<Done>, Refusal> {
    let done = studio.store.relabel(member.project.id, version, &change.checked()?, member.user()).await?;
    Ok(axum::Json(Done { mentions: done.mentions, revisions: done.revisions }))
}
