//! What all routes share.

use std::{
    collections::HashMap,
    fmt,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use store::{Store, StoreError, User};
use transport::Names;

use super::{
    Settings,
    access::{attempts::Attempts, cookie},
    runs::{Runs, StartRun},
};

/// A session that is in use is prolonged this often, so that not every request writes.
const PROLONGED_EVERY: Duration = Duration::from_secs(86_400);
/// Sessions that are remembered as prolonged.
const REMEMBERED: usize = 10_000;

/// A studio's parts.
pub struct Studio {
    /// The project database.
    pub store: Store,
    pub(super) settings: Settings,
    pub(super) names: Names,
    /// The name of the cookie with a session's secret.
    pub(super) cookie: String,
    /// The person at this machine, where nobody logged in when it was started.
    local: Option<User>,
    /// There is an account, or was one: nobody gets in without a login any more.
    has_accounts: AtomicBool,
    pub(super) attempts: Attempts,
    pub(super) runs: Arc<Runs>,
    failed: Box<dyn Fn(&str) + Send + Sync>,
    prolonged: Mutex<HashMap<String, Instant>>,
}

impl fmt::Debug for Studio {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Studio").field("settings", &self.settings).finish_non_exhaustive()
    }
}

impl Studio {
    /// A studio over a database. `starts` makes the commands of runs, and `failed` is told of failures that are no request's
    /// fault; no text and no secret is in what it is told.
    ///
    /// # Errors
    /// The database fails.
    pub async fn new(
        store: Store,
        settings: Settings,
        starts: Arc<dyn StartRun>,
        failed: impl Fn(&str) + Send + Sync + 'static,
    ) -> Result<Self, StoreError> {
        let local = match &settings.local {
            Some(name) => Some(store.user_named(name).await?),
            None => None,
        };
        let hosts = match &settings.hosts[..] {
            [] => Names::of_address(settings.addr.ip()),
            hosts => Some(hosts.to_vec()),
        };
        let runs = Arc::new(Runs::new(store.clone(), settings.runs.clone(), starts));
        runs.settle().await?;
        Ok(Self {
            names: Names::new(hosts, Vec::new()),
            cookie: cookie::session(settings.addr.port()),
            local,
            has_accounts: AtomicBool::new(false),
            attempts: Attempts::default(),
            runs,
            failed: Box::new(failed),
            prolonged: Mutex::default(),
            settings,
            store,
        })
    }

    /// Ends the runs that it started, in a way that lets them save what they have.
    pub async fn end(&self) {
        self.runs.end().await;
    }

    /// The person at this machine, as long as nobody has an account. Accounts are also made by other processes, so the database is
    /// asked; once there was one, it is not asked again.
    pub(super) async fn local(&self) -> Result<Option<&User>, StoreError> {
        let Some(local) = &self.local else { return Ok(None) };
        if !self.has_accounts.load(Ordering::Relaxed) {
            if !self.store.users().await?.iter().any(logs_in) {
                return Ok(Some(local));
            }
            self.has_accounts.store(true, Ordering::Relaxed);
        }
        Ok(None)
    }

    pub(super) fn failed(&self, problem: &str) {
        (self.failed)(problem);
    }

    /// Whether it is time to prolong a session.
    pub(super) fn prolongs(&self, secret: &str) -> bool {
        let mut prolonged = self.prolonged.lock().unwrap_or_else(PoisonError::into_inner);
        if prolonged.len() >= REMEMBERED {
            prolonged.clear();
        }
        let now = Instant::now();
        let due = prolonged.get(secret).is_none_or(|last| now.duration_since(*last) >= PROLONGED_EVERY);
        if due {
            prolonged.insert(secret.to_owned(), now);
        }
        due
    }
}

/// Whether somebody has an account that can be logged in with. As soon as there is one, a studio asks everybody for a login.
pub fn logs_in(user: &User) -> bool {
    user.password.is_some() && !user.disabled
}
