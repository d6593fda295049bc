//! Collecting: files, folders, web pages, sitemaps and feeds into Nomen JSONL that nobody has annotated yet.
//!
//! A [`Collector`] works through its sources one after the other, so the same sources give the same rows in the same
//! order. What it did stands in a journal beside the output; a run that was ended at any point goes on where it was
//! when it is started again, and leaves the same file as one run.
//!
//! On the web it follows the Robots Exclusion Protocol (RFC 9309), asks each host one thing at a time with a pause in
//! between, and connects to public addresses only. It follows no links: pages are named by the caller, or by sitemaps
//! and feeds that the caller named.

mod address;
mod collector;
mod content;
mod error;
mod fetch;
mod host;
mod item;
mod journal;
mod language;
mod listing;
mod options;
mod pattern;
mod record;
mod robots;
mod summary;
mod walk;

pub use collector::{Collector, Step};
pub use error::CollectError;
pub use item::Source;
pub use options::CollectOptions;
pub use summary::{Named, Outcome, Reason, Skipped, Skips, Summary};
