//! Annotate and Review in a real browser: Chromium, driven over `WebDriver`, with a small host that keeps in memory what it is sent.
//!
//! `cargo test -p nomen-annotate --test browser -- --ignored`; needs `chromium` and `chromedriver` in the path (Debian: the packages
//! `chromium` and `chromium-driver`).

#![allow(clippy::unwrap_used)]

mod driver;
mod faults;
mod host;
mod keyboard;
mod markup;
mod reviewing;
mod screens;
mod selections;
