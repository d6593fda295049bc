//! A server from its start to its stop.

use std::{
    io,
    net::SocketAddr,
    sync::Arc,
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use thiserror::Error;
use tokio::{
    net::{TcpListener, TcpSocket},
    runtime::Runtime,
    sync::watch,
};

use crate::{App, ConfigError, TlsError, routes, transport};

/// Between two looks whether the server is to stop, while it waits to look at models again.
const TICK: Duration = Duration::from_millis(100);
/// Connections that the system holds until they are accepted. With the usual 128, a burst leaves clients that believe themselves
/// connected to a server that never hears of them.
const WAITING: u32 = 4_096;

/// Why a server does not start.
#[derive(Debug, Error)]
pub enum StartError {
    /// Settings are wrong.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// Certificates cannot be used.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// Another program listens there, or the address is not this machine's.
    #[error("{addr}: cannot listen there: {error}; --addr HOST:PORT names another address")]
    Listen {
        /// The address.
        addr: SocketAddr,
        /// What the system said.
        error: io::Error,
    },
    /// The system gives no threads.
    #[error("the server's threads cannot be started: {0}")]
    Threads(io::Error),
}

/// A server that listens and does not answer yet.
pub struct Server {
    app: Arc<App>,
    listener: TcpListener,
    tls: Option<tokio_rustls::TlsAcceptor>,
    runtime: Runtime,
    addr: SocketAddr,
    stop: watch::Sender<bool>,
}

/// Stops a server, from any thread.
#[derive(Clone)]
pub struct Handle {
    app: Arc<App>,
    stop: watch::Sender<bool>,
}

impl Handle {
    /// Takes no new connections, and ends the server when the requests that are under way are answered.
    pub fn stop(&self) {
        self.app.stop();
        self.stop.send_replace(true);
    }
}

impl Server {
    /// Takes the address and looks through the settings; models may be loaded afterwards.
    ///
    /// # Errors
    /// Settings, certificates or the address are wrong.
    pub fn bind(app: App) -> Result<Self, StartError> {
        app.config.check()?;
        let tls = app.config.tls.as_ref().map(transport::acceptor).transpose()?;
        let addr = app.config.addr;
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .thread_name("nomen-http")
            .enable_all()
            .build()
            .map_err(StartError::Threads)?;
        let listener = {
            let _inside = runtime.enter();
            listen(addr).map_err(|error| StartError::Listen { addr, error })?
        };
        let addr = listener.local_addr().map_err(|error| StartError::Listen { addr, error })?;
        Ok(Self { app: Arc::new(app), listener, tls, runtime, addr, stop: watch::channel(false).0 })
    }

    /// Where it listens.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Its parts.
    pub fn app(&self) -> &Arc<App> {
        &self.app
    }

    /// What stops it.
    pub fn handle(&self) -> Handle {
        Handle { app: Arc::clone(&self.app), stop: self.stop.clone() }
    }

    /// Answers until it is stopped and all that it had taken is answered.
    ///
    /// # Errors
    /// The system gives no threads.
    pub fn run(self) -> Result<(), StartError> {
        let Self { app, listener, tls, runtime, stop, .. } = self;
        let computing = spawn("nomen-compute", {
            let app = Arc::clone(&app);
            move || app.queue.work()
        })?;
        let watching = app.config.reload_every_s > 0.0;
        let looking = if watching { Some(look(&app, stop.subscribe())?) } else { None };
        let router = routes::router(&app);
        let accepting = Arc::clone(&app);
        let stopped = stop.subscribe();
        runtime.block_on(transport::accept(listener, tls, router, accepting, stopped));
        app.queue.end();
        let _ = computing.join();
        if let Some(looking) = looking {
            let _ = looking.join();
        }
        runtime.shutdown_timeout(Duration::from_secs(1));
        Ok(())
    }
}

/// Listens, with room for as many connections at once as a burst may bring.
fn listen(addr: SocketAddr) -> io::Result<TcpListener> {
    let socket = if addr.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    // A server that was just stopped does not keep its address from the next one.
    #[cfg(unix)]
    socket.set_reuseaddr(true)?;
    socket.bind(addr)?;
    socket.listen(WAITING)
}

/// Loads models whose folders have changed.
fn look(app: &Arc<App>, stop: watch::Receiver<bool>) -> Result<JoinHandle<()>, StartError> {
    let app = Arc::clone(app);
    let every = crate::config::Timeouts::of(app.config.reload_every_s);
    spawn("nomen-models", move || {
        let mut last = Instant::now();
        while !*stop.borrow() {
            thread::sleep(TICK.min(every));
            if last.elapsed() >= every {
                app.refresh();
                last = Instant::now();
            }
        }
    })
}

fn spawn(name: &str, work: impl FnOnce() + Send + 'static) -> Result<JoinHandle<()>, StartError> {
    thread::Builder::new().name(name.to_owned()).spawn(work).map_err(StartError::Threads)
}
