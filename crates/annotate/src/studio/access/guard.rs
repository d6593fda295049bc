//! What stands before every route: names, who it is, what they may, and that a write comes from a page of the studio.

use std::{collections::HashMap, sync::Arc};

use axum::{
    body::Body,
    extract::{Request, State},
    http::{HeaderMap, Method, header},
    middleware::Next,
    response::{IntoResponse as _, Response},
};
use store::{AccessKind, Project, Role, StoreError, User, now};

use super::{By, Caller, Member, Needs, Visitor, cookie, secret};
use crate::studio::{Refusal, Studio, body, page::Theme};

/// Bytes of a form.
const FORM: usize = 1 << 20;
/// A session is prolonged when this much of it is over, so that not every request writes.
const DAY_MS: i64 = 86_400_000;

/// A route's guard.
#[derive(Clone)]
pub struct Guard {
    /// The studio.
    pub studio: Arc<Studio>,
    /// What the route needs.
    pub needs: Needs,
}

/// Lets a request through to its route, or refuses it.
pub async fn guarded(
    State(Guard { studio, needs }): State<Guard>,
    path: axum::extract::RawPathParams,
    request: Request,
    next: Next,
) -> Response {
    let project = path.iter().find(|(name, _)| *name == "project").map(|(_, value)| value.to_owned());
    let cookie_before = cookie::value(request.headers(), &studio.cookie).map(str::to_owned);
    let secure = studio.settings.tls.is_some() || forwarded_by_tls(request.headers());
    let mut kept = None;
    let outcome = admitted(&studio, needs, project.as_deref(), request, &mut kept).await;
    let mut response = match outcome {
        Ok(request) => next.run(request).await,
        Err(refusal) => refusal.into_response(),
    };
    if let Some(visitor) = kept {
        let is_new = !visitor.secret.is_empty() && cookie_before.as_deref() != Some(&*visitor.secret);
        if is_new
            && !response.headers().contains_key(header::SET_COOKIE)
            && let Some(cookie) = cookie::keep(&studio.cookie, &visitor.secret, secure)
        {
            response.headers_mut().insert(header::SET_COOKIE, cookie);
        }
        response.extensions_mut().insert(visitor);
    }
    response
}

/// The request with what is known of whoever sends it, if they may.
async fn admitted(
    studio: &Studio,
    needs: Needs,
    project: Option<&str>,
    mut request: Request,
    kept: &mut Option<Visitor>,
) -> Result<Request, Refusal> {
    studio.names.admit(request.headers()).map_err(|foreign| Refusal::Forbidden(foreign.to_string()))?;
    let visitor = visitor(studio, request.headers()).await?;
    *kept = Some(visitor.clone());
    let is_write = !matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS);
    let by = visitor.user.as_ref().map(|(_, by)| *by);
    if needs == Needs::Nothing {
        if is_write {
            request = from_our_page(request, &visitor).await?;
        }
        request.extensions_mut().insert(visitor);
        return Ok(request);
    }
    let (Some((user, _)), Some(by)) = (visitor.user.clone(), by) else { return Err(Refusal::Unauthorized) };
    let caller = Caller { user, by, csrf: visitor.csrf.clone(), theme: visitor.theme };
    match needs {
        Needs::Role(role) => {
            let member = member(studio, &caller, project.unwrap_or_default()).await?;
            if member.role < role {
                return Err(Refusal::Forbidden(format!(
                    "this needs the role `{role}`; you are `{}` here",
                    member.role
                )));
            }
            request.extensions_mut().insert(member);
        }
        Needs::Owner if !owns(studio, &caller).await? => {
            return Err(Refusal::Forbidden("this needs somebody who owns a project".to_owned()));
        }
        _ => {}
    }
    if is_write && by != By::Token {
        request = from_our_page(request, &visitor).await?;
    }
    request.extensions_mut().insert(caller);
    request.extensions_mut().insert(visitor);
    Ok(request)
}

async fn visitor(studio: &Studio, headers: &HeaderMap) -> Result<Visitor, Refusal> {
    let theme = Theme::of_cookie(cookie::value(headers, Theme::COOKIE).unwrap_or_default());
    if let Some(given) = headers.get(header::AUTHORIZATION) {
        let given = given.to_str().ok().and_then(|given| given.split_once(' '));
        let token = given.filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer")).map(|(_, token)| token.trim());
        let token = token.ok_or(Refusal::Unauthorized)?;
        let user = studio.store.admit(token, AccessKind::Token).await?.ok_or(Refusal::Unauthorized)?;
        let (secret, csrf) = Default::default();
        return Ok(Visitor { secret, csrf, theme, user: Some((user, By::Token)) });
    }
    let given = cookie::value(headers, &studio.cookie).filter(|secret| cookie::is_secret(secret));
    let secret = given.map_or_else(secret::fresh, |secret| Ok(secret.to_owned()))?;
    let csrf = secret::csrf(&secret);
    let user = match (studio.local().await?, given) {
        (Some(local), _) => Some((local.clone(), By::Local)),
        (None, Some(secret)) => session(studio, secret).await?.map(|user| (user, By::Session)),
        (None, None) => None,
    };
    Ok(Visitor { secret, csrf, theme, user })
}

/// Whose session it is; one that is in use goes on.
async fn session(studio: &Studio, secret: &str) -> Result<Option<User>, Refusal> {
    let user = studio.store.admit(secret, AccessKind::Session).await?;
    if user.is_some() && studio.prolongs(secret) {
        studio.store.prolong(secret, now() + cookie::DAYS * DAY_MS).await?;
    }
    Ok(user)
}

/// What somebody is in a project. Whether there is a project that they have no part in, nobody is told.
async fn member(studio: &Studio, caller: &Caller, name: &str) -> Result<Member, Refusal> {
    let none = || Refusal::NotFound("there is no such project, or you have no part in it".to_owned());
    let project: Project = match studio.store.project_by_name(name).await {
        Ok(project) => project,
        Err(StoreError::NotFound(_)) => return Err(none()),
        Err(error) => return Err(error.into()),
    };
    let role = match caller.by {
        By::Local => Role::Owner,
        _ => studio.store.role(project.id, caller.user.id).await?.ok_or_else(none)?,
    };
    Ok(Member { caller: caller.clone(), project: Arc::new(project), role })
}

async fn owns(studio: &Studio, caller: &Caller) -> Result<bool, Refusal> {
    if caller.by == By::Local {
        return Ok(true);
    }
    for project in studio.store.projects().await? {
        if studio.store.role(project.id, caller.user.id).await? == Some(Role::Owner) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The request, if it carries the token of the page that it says it comes from: in a header, or as a form's field.
async fn from_our_page(request: Request, visitor: &Visitor) -> Result<Request, Refusal> {
    let refused = || {
        Refusal::Forbidden(
            "the page that this comes from is too old, or none of the studio; load it again (what you wrote is kept as a draft)"
                .to_owned(),
        )
    };
    if let Some(token) = request.headers().get("x-csrf-token") {
        let is_ours = token.to_str().is_ok_and(|token| secret::same(token, &visitor.csrf));
        return if is_ours { Ok(request) } else { Err(refused()) };
    }
    let kind = request.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    if !kind.starts_with("application/x-www-form-urlencoded") {
        return Err(refused());
    }
    let (parts, rest) = request.into_parts();
    let bytes = body::whole(rest, FORM).await?;
    let fields: HashMap<_, _> = url::form_urlencoded::parse(&bytes).collect();
    match fields.get("csrf") {
        Some(token) if secret::same(token, &visitor.csrf) => Ok(Request::from_parts(parts, Body::from(bytes))),
        _ => Err(refused()),
    }
}

/// Whether a proxy says that it was asked by TLS. It can only make a cookie stricter, so anybody may say it.
pub fn forwarded_by_tls(headers: &HeaderMap) -> bool {
    headers.get("x-forwarded-proto").is_some_and(|scheme| scheme.as_bytes().eq_ignore_ascii_case(b"https"))
}
