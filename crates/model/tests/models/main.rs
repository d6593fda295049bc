//! Models: encoders compute what transformers computes, folders in disagreement are refused, bundles come back bit for
//! bit, and what is recognized depends on nothing but the text.
#![allow(clippy::unwrap_used)] // the helpers of tests are tests too
#![allow(clippy::float_cmp)] // the same numbers in the same order give the same bits

mod disagree;
mod fixture;
mod golden;
mod pieces;
mod recognize;
mod save;
mod spellings;
