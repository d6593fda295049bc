//! How much and how long, and who is told.

use std::time::Duration;

/// How many connections, and how long is waited for a client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// Connections at once; those beyond wait in the system's queue.
    pub connections: usize,
    /// For a TLS handshake, and for a request's header.
    pub header: Duration,
    /// For the next request on a connection.
    pub idle: Duration,
    /// For a client to take what it is sent.
    pub write: Duration,
    /// For requests that are under way when the server is stopped.
    pub drain: Duration,
}

/// Is told of connections.
pub trait Watch: Send + Sync + 'static {
    /// A connection began.
    fn opened(&self) {}
    /// A connection ended.
    fn closed(&self) {}
}

impl Watch for () {}
