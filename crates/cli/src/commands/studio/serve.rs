//! The studio itself.

use std::{sync::Arc, thread, time::Duration};

use annotate::studio::{self, Port, Settings, Studio};
use tokio::sync::watch;

use super::{
    Arguments,
    place::{self, Opened},
    starts::Starts,
};
use crate::{output, progress::note, signals::Signals};

/// Between two looks whether the process has been asked to leave.
const TICK: Duration = Duration::from_millis(50);

pub fn run(arguments: &Arguments) -> anyhow::Result<()> {
    if arguments.openapi {
        return output::print_json(&studio::openapi());
    }
    let runtime = place::runtime()?;
    let signals = Signals::listen()?;
    let (asked, stop) = watch::channel(false);
    // Ends with the process.
    thread::spawn(move || {
        while signals.leave().is_none() {
            thread::sleep(TICK);
        }
        note("stopping when what is under way is answered and runs have saved; once more ends at once");
        asked.send_replace(true);
    });
    runtime.block_on(serve(arguments, stop))
}

async fn serve(arguments: &Arguments, stop: watch::Receiver<bool>) -> anyhow::Result<()> {
    let Opened { store, project, user, runs } = arguments.place.open().await?;
    let has_accounts = store.users().await?.iter().any(studio::logs_in);
    let mut settings = Settings {
        addr: arguments.addr,
        hosts: arguments.host.clone(),
        local: (!has_accounts).then(|| user.name.clone()),
        tls: arguments.certificate.clone().zip(arguments.key.clone()),
        runs,
    };
    let port = Port::bind(&settings)?;
    settings.addr = port.addr();
    let scheme = if settings.tls.is_some() { "https" } else { "http" };
    if settings.tls.is_none() && !settings.addr.ip().is_loopback() {
        note("passwords travel as they are typed: put TLS before the studio, or give it --certificate and --key");
    }
    let starts = Arc::new(Starts::new()?);
    let studio = Studio::new(store.clone(), settings, starts, |problem| note(&format!("studio: {problem}"))).await?;
    let page = studio::address::page(&project.name, "annotate");
    let who = if has_accounts { "everybody logs in".to_owned() } else { format!("you are {}", user.name) };
    note(&format!("the studio is open at {scheme}://{}{page} ({who})", port.addr()));
    let studio = Arc::new(studio);
    if let Some(learning) = arguments.learning.of(project.id) {
        note(&format!("a run is started whenever {} more documents are accepted", learning.every));
        tokio::spawn(studio::learn(Arc::clone(&studio), learning, stop.clone()));
    }
    port.serve(studio, stop).await;
    store.close().await;
    Ok(())
}
