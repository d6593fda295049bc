//! What augmenting a set came to.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{Augmented, Method};

/// Counts of a set of copies.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Summary {
    /// Copies.
    pub copies: usize,
    /// Copies that are equal to their source, because no method struck.
    pub unchanged: usize,
    /// What each method did, by its name; methods that did nothing are not there.
    pub methods: BTreeMap<&'static str, MethodSummary>,
}

/// What a method did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct MethodSummary {
    /// Copies that it changed.
    pub texts: usize,
    /// Places in which it changed them.
    pub places: usize,
}

impl Summary {
    /// Counts copies.
    pub fn of(copies: &[Augmented]) -> Self {
        let mut summary = Self { copies: copies.len(), ..Self::default() };
        for copy in copies {
            summary.unchanged += usize::from(copy.changes.is_empty());
            for (method, places) in &copy.changes {
                let counts = summary.methods.entry(method.name()).or_default();
                counts.texts += 1;
                counts.places += places;
            }
        }
        summary
    }

    /// The methods that did something, in the order in which they work.
    pub fn by_method(&self) -> impl Iterator<Item = (Method, MethodSummary)> {
        Method::ALL.into_iter().filter_map(|method| Some((method, *self.methods.get(method.name())?)))
    }
}
