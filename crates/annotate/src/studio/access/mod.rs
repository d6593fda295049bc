//! Who asks, and what they may: every route says what it needs, and [`guard::guarded`] stands before all of them.

pub mod attempts;
pub mod cookie;
pub mod guard;
pub mod password;
pub mod secret;

use std::sync::Arc;

use axum::{extract::FromRequestParts, http::request::Parts};
use store::{Project, Role, User};

use super::{Refusal, page::Theme};

/// What a route needs of whoever asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Needs {
    /// Nothing: there is nothing of anybody's in the answer.
    Nothing,
    /// Somebody who has logged in.
    Person,
    /// Somebody who owns a project, whichever.
    Owner,
    /// At least this role in the project that the path names.
    Role(Role),
}

/// How somebody was known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum By {
    /// As the person at this machine.
    Local,
    /// By a session's cookie.
    Session,
    /// By a token, as programs are.
    Token,
}

/// Whoever asks, before anything is known of them.
#[derive(Debug, Clone)]
pub struct Visitor {
    /// The secret of the browser's cookie, logged in or not; empty for programs.
    pub secret: String,
    /// The token of their forms.
    pub csrf: String,
    /// Light or dark.
    pub theme: Theme,
    /// Who it is, where that is known.
    pub user: Option<(User, By)>,
}

/// Somebody who has logged in.
#[derive(Debug, Clone)]
pub struct Caller {
    /// Who.
    pub user: User,
    /// How they were known.
    pub by: By,
    /// The token of their forms.
    pub csrf: String,
    /// Light or dark.
    pub theme: Theme,
}

/// Somebody who asks for something of a project that they have a part in.
#[derive(Debug, Clone)]
pub struct Member {
    /// Who.
    pub caller: Caller,
    /// The project.
    pub project: Arc<Project>,
    /// What they are in it.
    pub role: Role,
}

impl Member {
    /// Who it is.
    pub fn user(&self) -> store::UserId {
        self.caller.user.id
    }
}

macro_rules! told_by_the_guard {
    ($($type:ty),+) => {$(
        impl<S: Send + Sync> FromRequestParts<S> for $type {
            type Rejection = Refusal;

            async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Refusal> {
                parts.extensions.get::<Self>().cloned().ok_or(Refusal::Unauthorized)
            }
        }
    )+};
}
told_by_the_guard!(Visitor, Caller, Member);
