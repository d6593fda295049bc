//! The accept loop.

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use axum::{Router, extract::ConnectInfo};
use hyper::server::conn::http1;
use hyper_util::{rt::TokioIo, service::TowerToHyperService};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpSocket, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore, watch},
    task::JoinSet,
    time::{sleep, timeout},
};
use tokio_rustls::TlsAcceptor;
use tower::ServiceExt as _;

use crate::{
    Bounds, Watch,
    patient::{Activity, Patient, Watched},
};

/// Connections that the system holds until they are accepted. With the usual 128, a burst leaves clients that believe themselves
/// connected to a server that never hears of them.
const WAITING: u32 = 4_096;
/// Bytes of a request's header at most.
const HEADER: usize = 64 << 10;
/// Pause of the accept loop when the system has no more sockets to give.
const PAUSE: Duration = Duration::from_millis(50);

/// Listens, with room for as many connections at once as a burst may bring. To be called inside a runtime.
///
/// # Errors
/// Another program listens there, or the address is not this machine's.
pub fn listen(addr: SocketAddr) -> io::Result<TcpListener> {
    let socket = if addr.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    // A server that was just stopped does not keep its address from the next one.
    #[cfg(unix)]
    socket.set_reuseaddr(true)?;
    socket.bind(addr)?;
    socket.listen(WAITING)
}

/// Accepts connections until it is told to stop, and then waits for requests that are under way, as long as `bounds` has it.
///
/// Requests carry the client's address as `ConnectInfo<SocketAddr>`.
pub async fn accept(
    listener: TcpListener,
    tls: Option<TlsAcceptor>,
    router: Router,
    bounds: Bounds,
    observer: Arc<dyn Watch>,
    mut stop: watch::Receiver<bool>,
) {
    let limit = Arc::new(Semaphore::new(bounds.connections.min(Semaphore::MAX_PERMITS)));
    let connection = Connection { router, bounds, observer, stop: stop.clone(), tls };
    let mut connections = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            biased;
            _ = stop.wait_for(|stop| *stop) => break,
            accepted = next(&listener, &limit) => accepted,
        };
        match accepted {
            Ok((stream, peer, permit)) => {
                connections.spawn(connection.clone().served(stream, peer, permit));
            }
            // No descriptors left, or the client left before it was there; others may come.
            Err(_) => sleep(PAUSE).await,
        }
        while connections.try_join_next().is_some() {}
    }
    // What the system had taken for the server before it was stopped is answered.
    while let Ok(Ok((stream, peer, permit))) = timeout(Duration::ZERO, next(&listener, &limit)).await {
        connections.spawn(connection.clone().served(stream, peer, permit));
    }
    drop(listener);
    let drained = async { while connections.join_next().await.is_some() {} };
    let _ = timeout(bounds.drain, drained).await;
}

async fn next(
    listener: &TcpListener,
    limit: &Arc<Semaphore>,
) -> io::Result<(TcpStream, SocketAddr, OwnedSemaphorePermit)> {
    let permit = Arc::clone(limit).acquire_owned().await.map_err(io::Error::other)?;
    let (stream, peer) = listener.accept().await?;
    Ok((stream, peer, permit))
}

/// What every connection is given.
#[derive(Clone)]
struct Connection {
    router: Router,
    bounds: Bounds,
    observer: Arc<dyn Watch>,
    stop: watch::Receiver<bool>,
    tls: Option<TlsAcceptor>,
}

impl Connection {
    /// A connection's whole life.
    async fn served(self, stream: TcpStream, peer: SocketAddr, permit: OwnedSemaphorePermit) {
        let observer = Arc::clone(&self.observer);
        observer.opened();
        // Answers are small and leave at once.
        let _ = stream.set_nodelay(true);
        match &self.tls {
            None => self.speak(stream, peer).await,
            Some(tls) => {
                if let Ok(Ok(stream)) = timeout(self.bounds.header, tls.accept(stream)).await {
                    self.speak(stream, peer).await;
                }
            }
        }
        observer.closed();
        drop(permit);
    }

    async fn speak<S: AsyncRead + AsyncWrite + Unpin + Send + 'static>(self, stream: S, peer: SocketAddr) {
        let Self { router, bounds, mut stop, .. } = self;
        let activity = Activity::default();
        let patient = Patient::new(stream, bounds, activity.clone());
        let service = router.map_request(move |mut request: hyper::Request<hyper::body::Incoming>| {
            request.extensions_mut().insert(ConnectInfo(peer));
            request.map(axum::body::Body::new)
        });
        let service = Watched::new(service, activity);
        let connection = http1::Builder::new()
            // `Patient` has the time of headers and of idling.
            .header_read_timeout(None)
            .max_buf_size(HEADER)
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
