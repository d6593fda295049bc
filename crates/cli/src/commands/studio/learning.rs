//! How the studio learns while people annotate.

use std::num::NonZeroU32;

use annotate::{queue::Order, studio::Learning};
use clap::Args;
use store::ProjectId;

/// How the studio learns while people annotate.
#[derive(Args)]
#[group(skip)]
pub struct Arguments {
    /// Train in the background whenever N more documents are accepted, and rank what is open by the new model
    #[arg(long, value_name = "N", help_heading = LEARNING)]
    learn: Option<NonZeroU32>,
    /// What comes first: random, uncertainty, diversity, or mixed, which is both
    #[arg(long, value_name = "ORDER", default_value = Order::default().as_str(), requires = "learn", help_heading = LEARNING)]
    order: Order,
    /// Base model of these runs [default: as `nomen train`]
    #[arg(long, value_name = "SPEC", requires = "learn", help_heading = LEARNING)]
    base: Option<String>,
    /// One setting of these runs; may be repeated
    #[arg(long, value_name = "KEY=VALUE", requires = "learn", help_heading = LEARNING)]
    set: Vec<String>,
}

const LEARNING: &str = "Learning in the background";

impl Arguments {
    /// What was asked for, in a project.
    pub fn of(&self, project: ProjectId) -> Option<Learning> {
        let base = self.base.clone().unwrap_or_default();
        self.learn.map(|every| Learning { project, every, order: self.order, base, settings: self.set.clone() })
    }
}
