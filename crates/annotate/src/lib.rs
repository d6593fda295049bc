//! Labelling: suggestions, queues, review and the studio in the browser.

pub mod generate;
pub mod queue;
pub mod studio;
pub mod suggest;
