//! Annotate and Review in a real browser: Chromium, driven over `WebDriver`, with a small host that keeps in memory what it is sent.
//!
//! `cargo test -p nomen-annotate --test browser -- --ignored`; needs `chromium` and `chromedriver` in the path (Debian: the packages
//! `chromium` and `chromium-driver`).

#![allow(clippy::unwrap_used)]

// It is also the driver of the tests of the whole studio (`crates/cli/tests/studio`), which need more of it.
#[allow(dead_code)]
mod driver;
mod faults;
mod host;
mod keyboard;
mod markup;
mod reviewing;
mod screens;
mod selections;
