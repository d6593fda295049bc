//! From a port to requests: an accept loop of our own, because none that is at hand bounds how long a client may take.

mod patient;
mod tls;

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use axum::{Router, extract::ConnectInfo};
use hyper::server::conn::http1;
use hyper_util::{rt::TokioIo, service::TowerToHyperService};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore, watch},
    task::JoinSet,
    time::{sleep, timeout},
};
use tokio_rustls::TlsAcceptor;
use tower::ServiceExt as _;

pub use tls::TlsError;
pub(crate) use {patient::Activity, tls::acceptor};

use crate::{
    App,
    config::Timeouts,
    transport::patient::{Patience, Patient, Watched},
};

/// Pause of the accept loop when the system has no more sockets to give.
const PAUSE: Duration = Duration::from_millis(50);

/// Accepts connections until it is told to stop, and then waits for requests that are under way.
pub(crate) async fn accept(
    listener: TcpListener,
    tls: Option<TlsAcceptor>,
    router: Router,
    app: Arc<App>,
    mut stop: watch::Receiver<bool>,
) {
    let limit = Arc::new(Semaphore::new(app.config.limits.connections));
    let timeouts = &app.config.timeouts;
    let mut connections = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            biased;
            _ = stop.wait_for(|stop| *stop) => break,
            accepted = next(&listener, &limit) => accepted,
        };
        match accepted {
            Ok((stream, peer, permit)) => {
                connections.spawn(served(&router, &app, &stop, tls.as_ref(), stream, peer, permit));
            }
            // No descriptors left, or the client left before it was there; others may come.
            Err(_) => sleep(PAUSE).await,
        }
        while connections.try_join_next().is_some() {}
    }
    // What the system had taken for the server before it was stopped is answered.
    while let Ok(Ok((stream, peer, permit))) = timeout(Duration::ZERO, next(&listener, &limit)).await {
        connections.spawn(served(&router, &app, &stop, tls.as_ref(), stream, peer, permit));
    }
    drop(listener);
    let drained = async { while connections.join_next().await.is_some() {} };
    let _ = timeout(Timeouts::of(timeouts.drain_s), drained).await;
}

/// A connection's whole life.
fn served(
    router: &Router,
    app: &Arc<App>,
    stop: &watch::Receiver<bool>,
    tls: Option<&TlsAcceptor>,
    stream: TcpStream,
    peer: SocketAddr,
    permit: OwnedSemaphorePermit,
) -> impl Future<Output = ()> + Send + 'static {
    let connection =
        Connection { peer, router: router.clone(), app: Arc::clone(app), stop: stop.clone(), tls: tls.cloned() };
    async move {
        connection.serve(stream).await;
        drop(permit);
    }
}

async fn next(
    listener: &TcpListener,
    limit: &Arc<Semaphore>,
) -> io::Result<(TcpStream, SocketAddr, OwnedSemaphorePermit)> {
    let permit = Arc::clone(limit).acquire_owned().await.map_err(io::Error::other)?;
    let (stream, peer) = listener.accept().await?;
    Ok((stream, peer, permit))
}

struct Connection {
    peer: SocketAddr,
    router: Router,
    app: Arc<App>,
    stop: watch::Receiver<bool>,
    tls: Option<TlsAcceptor>,
}

impl Connection {
    async fn serve(self, stream: TcpStream) {
        self.app.metrics.connected();
        let metrics = Arc::clone(&self.app);
        // Answers are small and leave at once.
        let _ = stream.set_nodelay(true);
        match &self.tls {
            None => self.speak(stream).await,
            Some(tls) => {
                let patience = Timeouts::of(self.app.config.timeouts.header_s);
                if let Ok(Ok(stream)) = timeout(patience, tls.accept(stream)).await {
                    self.speak(stream).await;
                }
            }
        }
        metrics.metrics.disconnected();
    }

    async fn speak<S: AsyncRead + AsyncWrite + Unpin + Send + 'static>(self, stream: S) {
        let Self { peer, router, app, mut stop, .. } = self;
        let activity = Activity::default();
        let patience = Patience::new(&app.config.timeouts);
        let patient = Patient::new(stream, patience, activity.clone());
        let service = router.map_request(move |mut request: hyper::Request<hyper::body::Incoming>| {
            request.extensions_mut().insert(ConnectInfo(peer));
            request.map(axum::body::Body::new)
        });
        let service = Watched::new(service, activity);
        let connection = http1::Builder::new()
            // `Patient` has the time of headers and of idling.
            .header_read_timeout(None)
            .max_buf_size(64 << 10)
            .serve_connection(TokioIo::new(patient), TowerToHyperService::new(service));
        tokio::pin!(connection);
        let stopped = tokio::select! {
            _ = connection.as_mut() => false,
            _ = stop.wait_for(|stop| *stop) => true,
        };
        if stopped {
            connection.as_mut().graceful_shutdown();
            let _ = connection.await;
        }
    }
}
