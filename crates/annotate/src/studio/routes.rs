//! Every route, and what it needs of whoever asks: the only place where routes are made.

use std::sync::Arc;

use axum::{
    Extension, Router,
    middleware::{from_fn, from_fn_with_state},
    routing::MethodRouter,
};
use store::Role;
use tokio::sync::watch;

use super::{
    Refusal, Stop, Studio,
    access::{
        Needs,
        guard::{Guard, guarded},
    },
    api, dress, pages,
};

/// A route.
pub struct Route {
    /// Its method, in small letters.
    pub method: &'static str,
    /// Its path, with the names of the parts that vary in braces.
    pub path: &'static str,
    /// What it needs.
    pub needs: Needs,
    answers: fn() -> MethodRouter<Arc<Studio>>,
}

const PERSON: Needs = Needs::Person;
const OWNER_SOMEWHERE: Needs = Needs::Owner;
const NOTHING: Needs = Needs::Nothing;
const ANNOTATOR: Needs = Needs::Role(Role::Annotator);
const REVIEWER: Needs = Needs::Role(Role::Reviewer);
const OWNER: Needs = Needs::Role(Role::Owner);

macro_rules! routes {
    ($($needs:ident $method:ident $path:literal $handler:path;)+) => {
        &[$(Route { method: stringify!($method), path: $path, needs: $needs, answers: || axum::routing::$method($handler) }),+]
    };
}

/// Every route.
pub static ROUTES: &[Route] = routes! {
    NOTHING get "/assets/{version}/{name}" pages::assets::file;
    NOTHING get "/login" pages::login::show;
    NOTHING post "/login" pages::login::log_in;
    PERSON post "/logout" pages::login::log_out;
    PERSON get "/" pages::home::show;
    OWNER_SOMEWHERE post "/projects" pages::home::create;
    PERSON get "/account" pages::account::show;
    PERSON post "/account/password" pages::account::change_password;
    PERSON post "/account/tokens" pages::account::make_token;
    PERSON post "/account/tokens/revoke" pages::account::revoke_token;

    ANNOTATOR get "/p/{project}" pages::home::project;
    ANNOTATOR get "/p/{project}/labels.css" pages::assets::labels;
    ANNOTATOR get "/p/{project}/annotate" pages::annotate::next;
    ANNOTATOR get "/p/{project}/annotate/{number}" pages::annotate::one;
    REVIEWER get "/p/{project}/review" pages::review::next;
    REVIEWER get "/p/{project}/review/{number}" pages::review::one;
    REVIEWER get "/p/{project}/data" pages::data::list;
    REVIEWER get "/p/{project}/data/{number}" pages::document::show;
    REVIEWER post "/p/{project}/data/{number}/queue" pages::document::send;
    OWNER post "/p/{project}/data/relabel" pages::data::relabel;
    REVIEWER get "/p/{project}/schema" pages::schema::show;
    OWNER post "/p/{project}/schema" pages::schema::save;
    OWNER post "/p/{project}/schema/relabel" pages::schema::relabel;
    REVIEWER get "/p/{project}/quality" pages::quality::show;
    REVIEWER post "/p/{project}/quality/check" pages::quality::check;
    REVIEWER post "/p/{project}/quality/label-errors" pages::label_errors::decide;
    REVIEWER get "/p/{project}/quality/agreement" pages::quality::agree;
    OWNER post "/p/{project}/quality/twice" pages::quality::twice;
    REVIEWER get "/p/{project}/runs" pages::runs::list;
    OWNER post "/p/{project}/runs" pages::runs::start;
    REVIEWER post "/p/{project}/queue/order" pages::runs::order;
    REVIEWER get "/p/{project}/runs/{run}" pages::runs::show;
    OWNER post "/p/{project}/runs/{run}/stop" pages::runs::stop;
    REVIEWER post "/p/{project}/runs/{run}/queue" pages::runs::send;
    REVIEWER post "/p/{project}/runs/{run}/label-errors" pages::label_errors::of_run;
    OWNER get "/p/{project}/people" pages::people::show;
    OWNER post "/p/{project}/people" pages::people::give;
    OWNER post "/p/{project}/people/remove" pages::people::remove;

    NOTHING get "/api/v1/openapi.json" api::described;
    PERSON get "/api/v1/projects" api::projects::list;
    OWNER_SOMEWHERE post "/api/v1/projects" api::projects::create;
    PERSON get "/api/v1/tokens" api::tokens::list;
    PERSON post "/api/v1/tokens" api::tokens::create;
    PERSON delete "/api/v1/tokens/{token}" api::tokens::delete;
    ANNOTATOR get "/api/v1/projects/{project}" api::projects::one;
    REVIEWER get "/api/v1/projects/{project}/documents" api::documents::list;
    OWNER post "/api/v1/projects/{project}/documents" api::files::import;
    REVIEWER get "/api/v1/projects/{project}/export" api::files::export;
    ANNOTATOR get "/api/v1/projects/{project}/documents/{number}" api::documents::one;
    ANNOTATOR get "/api/v1/projects/{project}/documents/{number}/suggestions" api::documents::suggestions;
    REVIEWER get "/api/v1/projects/{project}/documents/{number}/annotations/{layer}" api::annotations::history;
    ANNOTATOR put "/api/v1/projects/{project}/documents/{number}/annotations/{layer}" api::annotations::save;
    ANNOTATOR get "/api/v1/projects/{project}/documents/{number}/annotations/{layer}/draft" api::annotations::draft;
    ANNOTATOR put "/api/v1/projects/{project}/documents/{number}/annotations/{layer}/draft" api::annotations::keep_draft;
    ANNOTATOR delete "/api/v1/projects/{project}/documents/{number}/annotations/{layer}/draft" api::annotations::drop_draft;
    ANNOTATOR get "/api/v1/projects/{project}/queue/next" api::queue::next;
    ANNOTATOR post "/api/v1/projects/{project}/queue/release" api::queue::release;
    REVIEWER post "/api/v1/projects/{project}/queue" api::queue::send;
    REVIEWER post "/api/v1/projects/{project}/queue/order" api::queue::order;
    OWNER post "/api/v1/projects/{project}/queue/twice" api::queue::twice;
    REVIEWER get "/api/v1/projects/{project}/review/{number}" api::review::pair;
    REVIEWER get "/api/v1/projects/{project}/conflicts" api::review::conflicts;
    REVIEWER post "/api/v1/projects/{project}/conflicts" api::review::settle;
    ANNOTATOR get "/api/v1/projects/{project}/schema" api::schema::get;
    OWNER put "/api/v1/projects/{project}/schema" api::schema::put;
    OWNER post "/api/v1/projects/{project}/relabel/preview" api::relabel::preview;
    OWNER post "/api/v1/projects/{project}/relabel" api::relabel::apply;
    REVIEWER get "/api/v1/projects/{project}/agreement" api::agreement::get;
    REVIEWER get "/api/v1/projects/{project}/findings" api::quality::findings;
    REVIEWER post "/api/v1/projects/{project}/findings" api::quality::run;
    REVIEWER put "/api/v1/projects/{project}/findings" api::checked::put;
    REVIEWER get "/api/v1/projects/{project}/label-errors" api::label_errors::list;
    REVIEWER post "/api/v1/projects/{project}/label-errors/dismiss" api::label_errors::dismiss;
    REVIEWER post "/api/v1/projects/{project}/runs/{run}/label-errors" api::label_errors::of_run;
    REVIEWER get "/api/v1/projects/{project}/runs" api::runs::list;
    OWNER post "/api/v1/projects/{project}/runs" api::runs::start;
    REVIEWER get "/api/v1/projects/{project}/runs/{run}" api::runs::one;
    REVIEWER get "/api/v1/projects/{project}/runs/{run}/events" api::runs::events;
    OWNER post "/api/v1/projects/{project}/runs/{run}/stop" api::runs::stop;
    REVIEWER get "/api/v1/projects/{project}/runs/{run}/errors" api::runs::errors;
    REVIEWER post "/api/v1/projects/{project}/runs/{run}/queue" api::runs::send;
    OWNER get "/api/v1/projects/{project}/people" api::people::list;
    OWNER put "/api/v1/projects/{project}/people/{name}" api::people::put;
    OWNER delete "/api/v1/projects/{project}/people/{name}" api::people::delete;
};

/// The studio as a service. Long answers end when `stop` becomes true.
pub fn app(studio: Arc<Studio>, stop: watch::Receiver<bool>) -> Router {
    let mut router = Router::new();
    for route in ROUTES {
        let guard = Guard { studio: Arc::clone(&studio), needs: route.needs };
        router = router.route(route.path, (route.answers)().layer(from_fn_with_state(guard, guarded)));
    }
    router
        .method_not_allowed_fallback(async || Refusal::Method)
        .fallback(async || Refusal::NotFound("there is no such page".to_owned()))
        .layer(Extension(Stop(stop)))
        .layer(from_fn(panics))
        .layer(from_fn_with_state(Arc::clone(&studio), dress::dressed))
        .with_state(studio)
}

/// A panic in one answer is that answer's, and nobody else's.
async fn panics(request: axum::extract::Request, next: axum::middleware::Next) -> axum::response::Response {
    use axum::response::IntoResponse as _;
    use futures_util::FutureExt as _;
    let route = request.extensions().get::<axum::extract::MatchedPath>().map(|path| path.as_str().to_owned());
    let answer = std::panic::AssertUnwindSafe(next.run(request)).catch_unwind().await;
    answer.unwrap_or_else(|_| Refusal::Failed(format!("panic in {}", route.unwrap_or_default())).into_response())
}
