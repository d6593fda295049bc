//! Cookies: the secret of a session, and the theme.

use axum::http::{HeaderMap, HeaderValue, header};

/// Days that a browser keeps a session's cookie.
pub const DAYS: i64 = 14;

/// The value of a cookie.
pub fn value<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    let all = headers.get_all(header::COOKIE).into_iter().filter_map(|line| line.to_str().ok());
    all.flat_map(|line| line.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(given, _)| *given == name)
        .map(|(_, value)| value)
}

/// The name of the cookie with a session's secret. Cookies do not know ports, so the port is in the name: two studios on one
/// machine would else log each other out.
pub fn session(port: u16) -> String {
    format!("nomen-session-{port}")
}

/// Keeps a session's secret where no script reads it and no other site's request carries it.
pub fn keep(name: &str, secret: &str, secure: bool) -> Option<HeaderValue> {
    let (seconds, secure) = (DAYS * 86_400, if secure { "; Secure" } else { "" });
    let cookie = format!("{name}={secret}; Path=/; HttpOnly; SameSite=Strict; Max-Age={seconds}{secure}");
    HeaderValue::from_str(&cookie).ok()
}

/// Forgets it.
pub fn forget(name: &str) -> Option<HeaderValue> {
    HeaderValue::from_str(&format!("{name}=; Path=/; HttpOnly; SameSite=Strict; Max-Age=0")).ok()
}

/// Whether a value is a secret as this server makes them.
pub fn is_secret(value: &str) -> bool {
    value.len() == 64 && value.bytes().all(|digit| digit.is_ascii_hexdigit())
}
