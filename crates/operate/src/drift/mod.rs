//! How far what a model is given, and what it says, has moved from its own domain.
//!
//! Every [`Feature`](crate::profile::Feature) of the texts is compared with the model's [`Profile`](crate::profile::Profile),
//! window by window and over the whole log, by the population stability index ([`Stability`]). Its size says how much has
//! changed; below 0.1 is usually called little, above 0.25 much (Siddiqi, 2006, "Credit Risk Scorecards").
//!
//! # When the alarm is raised
//!
//! With enough texts *any* two samples differ, so a test of "nothing has changed" is no alarm. The alarm asks whether the change is
//! shown to be larger than a threshold: it is raised where the lower end of an index's interval lies above the threshold. The
//! intervals hold together (Bonferroni): that any of them, over all features and windows of a report, lies above the threshold although
//! no index does happens in at most a share `1 - confidence` of reports. So neither small windows nor many of them nor
//! many labels raise it by chance.

mod report;
mod stability;
mod window;

pub use report::{Compared, DriftReport, Verdict, WindowReport, compare};
pub use stability::Stability;
pub use window::{Window, WindowError};

use serde::Serialize;

/// What is asked of a log.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Policy {
    /// Population stability index above which something has drifted.
    pub threshold: f64,
    /// With which all intervals of a report hold together.
    pub confidence: f64,
}

impl Default for Policy {
    fn default() -> Self {
        Self { threshold: 0.25, confidence: 0.95 }
    }
}
