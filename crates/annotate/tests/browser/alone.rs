//! What is measured in a browser, in a program of its own: tests of one program run side by side, those of two do not.

#![allow(clippy::unwrap_used)]
// What the other tests need of the browser and of the host.
#![allow(dead_code)]

mod driver;
mod host;
mod speed;
