//! What `nomen check` does around the checks: token boundaries and judgement of a model, and the findings as text, JSON and a web page.

mod boundaries;
mod excerpt;
mod json;
mod judge;
mod mending;
mod page;
mod text;

pub use self::{
    boundaries::Boundaries,
    json::answer,
    judge::{Judge, ModelSpec},
    mending::mend,
    page::page,
    text::{list, render},
};
