//! The clock.

use std::time::{SystemTime, UNIX_EPOCH};

/// Milliseconds since the first of January 1970, UTC.
pub type Millis = i64;

/// The time by the clock of this machine; 0 where it stands before 1970.
pub fn now() -> Millis {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |past| past.as_millis() as Millis)
}
