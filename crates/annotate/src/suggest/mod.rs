//! A first pass over texts by an LLM, a model or a lexicon, and one judgement of all of them.
//!
//! Every source gives [`Suggestion`]s: a label, where it stands, how it was found there ([`Grounding`]) and whose it is
//! ([`Origin`]). [`ground`] finds the places of quotes, [`llm`] asks a server, [`lexicon`] looks entries up,
//! [`recognized`] asks whatever implements [`schema::Recognize`], and [`weigh`] estimates how far each source can be
//! believed and joins them. [`record`] is how suggestions travel in files.

pub mod ground;
pub mod lexicon;
pub mod llm;
mod recognized;
pub mod record;
mod tally;
pub mod weigh;

pub use recognized::recognized;
pub use schema::{Grounding, Origin, OriginKind, Suggestion};
pub use tally::Tally;
