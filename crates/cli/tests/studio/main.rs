//! `nomen studio` as its users have it: the program as a process of its own, a real project, and people at browsers.
//!
//! `cargo test -p nomen --test studio -- --ignored`; needs `chromium` and `chromedriver` in the path (Debian: the packages `chromium`
//! and `chromium-driver`).

#![allow(clippy::unwrap_used)]

// What the tests of the pages need of the browser, these do not need all.
#[allow(dead_code)]
#[path = "../../../annotate/tests/browser/driver.rs"]
mod driver;
mod files;
mod flow;
mod opened;
mod screens;
