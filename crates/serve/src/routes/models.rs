//! Loading models by hand.

use std::sync::Arc;

use axum::{Json, extract::State};

use super::Named;
use crate::{App, Loaded, Refusal};

/// Load a model's present version
///
/// The new version is loaded beside the old one and tags its own test texts before it takes over. Where it fails, the old one
/// goes on answering.
#[utoipa::path(
    post, path = "/admin/models/{name}/load", tag = "operations",
    params(("name" = String, Path, description = "The model")),
    responses((status = 200, body = Loaded), super::operations::Refusals)
)]
pub(crate) async fn load(State(app): State<Arc<App>>, Named(name): Named) -> Result<Json<Loaded>, Refusal> {
    if !app.models.names().contains(&name) {
        return Err(Refusal::NotFound(format!("there are the models {}", app.models.names().join(", "))));
    }
    let models = Arc::clone(&app);
    let task = tokio::task::spawn_blocking(move || models.load(&name));
    task.await.map_err(|_| Refusal::Failed)?.map(Json).map_err(Refusal::Invalid)
}
