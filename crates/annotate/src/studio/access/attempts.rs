//! How often a login may be tried.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Mutex, PoisonError},
    time::Instant,
};

/// Names and addresses that are kept at once; the buckets that are full again go first.
const KEPT: usize = 10_000;

/// Counts tries by name and address in buckets that fill again with time, so that passwords cannot be tried in bulk, and nobody
/// locks another out for long.
#[derive(Default)]
pub struct Attempts(Mutex<HashMap<Tried, Bucket>>);

#[derive(Clone, PartialEq, Eq, Hash)]
enum Tried {
    Address(IpAddr),
    Name(String),
    Both(String, IpAddr),
}

struct Bucket {
    left: f64,
    filled: Instant,
}

impl Tried {
    /// Tries at once, and tries a second in the long run.
    fn allowance(&self) -> (f64, f64) {
        match self {
            Self::Both(..) => (8.0, 1.0 / 30.0),
            Self::Name(_) => (40.0, 1.0 / 10.0),
            Self::Address(_) => (80.0, 0.5),
        }
    }
}

impl Attempts {
    /// Counts a try.
    ///
    /// # Errors
    /// There were too many; in so many seconds the next one is let through.
    pub fn count(&self, name: &str, address: IpAddr) -> Result<(), u64> {
        self.count_at(name, address, Instant::now())
    }

    fn count_at(&self, name: &str, address: IpAddr, now: Instant) -> Result<(), u64> {
        // Long names would fill the memory; what differs behind so many characters shares a bucket.
        let name: String = name.chars().take(64).collect();
        let tried = [Tried::Both(name.clone(), address), Tried::Name(name), Tried::Address(address)];
        let mut buckets = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if buckets.len() + tried.len() > KEPT {
            buckets.retain(|tried, bucket| bucket.filled_at(tried, now) < tried.allowance().0);
            if buckets.len() + tried.len() > KEPT {
                buckets.clear();
            }
        }
        let mut after = 0;
        for tried in tried {
            let (most, rate) = tried.allowance();
            let bucket = buckets.entry(tried.clone()).or_insert(Bucket { left: most, filled: now });
            (bucket.left, bucket.filled) = (bucket.filled_at(&tried, now), now);
            if bucket.left < 1.0 {
                after = after.max(((1.0 - bucket.left) / rate).ceil() as u64);
            } else {
                bucket.left -= 1.0;
            }
        }
        if after == 0 { Ok(()) } else { Err(after) }
    }

    /// Forgets the tries of somebody who has logged in.
    pub fn forget(&self, name: &str, address: IpAddr) {
        let name: String = name.chars().take(64).collect();
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&Tried::Both(name, address));
    }
}

impl Bucket {
    fn filled_at(&self, tried: &Tried, now: Instant) -> f64 {
        let (most, rate) = tried.allowance();
        (self.left + now.saturating_duration_since(self.filled).as_secs_f64() * rate).min(most)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_password_is_tried_a_few_times_and_later_again() {
        let (attempts, now) = (Attempts::default(), Instant::now());
        let here = IpAddr::from([127, 0, 0, 1]);
        for _ in 0..8 {
            assert_eq!(attempts.count_at("ann", here, now), Ok(()));
        }
        assert_eq!(attempts.count_at("ann", here, now), Err(30));
        // Neither another person nor another address is locked out by it.
        assert_eq!(attempts.count_at("ben", here, now), Ok(()));
        assert_eq!(attempts.count_at("ann", IpAddr::from([127, 0, 0, 2]), now), Ok(()));
        assert_eq!(attempts.count_at("ann", here, now + Duration::from_secs(31)), Ok(()));
        attempts.forget("ann", here);
        assert_eq!(attempts.count_at("ann", here, now), Ok(()));
    }

    #[test]
    fn many_names_and_addresses_do_not_get_around_it() {
        let (attempts, now) = (Attempts::default(), Instant::now());
        let here = IpAddr::from([127, 0, 0, 1]);
        let let_through = (0..1_000).filter(|name| attempts.count_at(&name.to_string(), here, now).is_ok()).count();
        assert_eq!(let_through, 80);
        let let_through =
            (0..200_u8).filter(|last| attempts.count_at("eve", IpAddr::from([10, 0, 0, *last]), now).is_ok()).count();
        assert_eq!(let_through, 40);
    }
}
