//! Suggestions of a language model behind any server that speaks OpenAI's chat completions.
//!
//! A [`Pass`] makes the prompt of the schema ([`Prompt`]), shows labelled texts that are like the one in question
//! ([`Shots`]), asks a [`Desk`], and finds the places of the quotes that come back ([`super::ground`]). The desk answers
//! from its [`Cache`] what was answered before, keeps to a [`Budget`], asks again what a [`Server`] did not answer, and can
//! write what is to be asked as lines of a [`batch`].
//!
//! A text is data, whatever it says: it stands between marks that it cannot contain, and whatever comes back is held to
//! the schema and to the text. An answer that was cut off or is no JSON is asked for again, never repaired.

mod answer;
pub mod batch;
mod budget;
mod cache;
mod desk;
mod key;
mod outcome;
mod pass;
mod pieces;
mod prompt;
mod request;
mod retry_after;
mod run;
mod server;
mod shots;
mod verify;
mod votes;

pub use answer::{Broken, Quotes};
pub(crate) use answer::{Row, entities_schema, object};
pub use budget::{Budget, Estimate, Prices, Spent};
pub use cache::{Cache, CacheError};
pub use desk::{Desk, Mode, Patience, Unanswered};
pub use key::{Key, KeyError};
pub use outcome::{Outcome, State};
pub use pass::{Pass, PassOptions};
pub use prompt::Prompt;
pub(crate) use prompt::{fenced, labels};
pub use request::{Message, Request};
pub use run::{Halted, in_parallel};
pub use server::{Finish, Reply, Server, ServerError, Usage};
pub use shots::Shots;
