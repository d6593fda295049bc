//! From a port to HTTP requests, for every server of Nomen: an accept loop of our own, because none that is at hand bounds how
//! long a client may take.
//!
//! What is bounded, by [`Bounds`]: connections at once; the time for a TLS handshake and for a request's header; the time between
//! two requests; the time for a client to take what it is sent; the time for requests that are under way when the server stops.
//! A header is at most 64 KiB. Not bounded here, because only the routes know what they take: the size of a body and the time
//! for it, and the time for an answer.
//!
//! [`Names`] refuses hosts and origins that are none of the server's, so that a page from elsewhere cannot ask in a user's name.

mod accept;
mod bounds;
mod names;
mod patient;
mod tls;

pub use accept::{accept, listen};
pub use bounds::{Bounds, Watch};
pub use names::{Foreign, Names};
pub use tls::{TlsError, acceptor};
pub use tokio_rustls::TlsAcceptor;
