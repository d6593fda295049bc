//! A stream that waits for its client for so long and no longer.
//!
//! How long depends on what is awaited: the rest of a header, the next request, or room for what is sent. While a request is being answered
//! nothing is awaited of the client; bodies have a time limit of their own where they are read.

use std::{
    future::Future as _,
    io,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll, ready},
};

use axum::{
    body::{Body, HttpBody},
    http::{Request, Response},
};
use bytes::Bytes;
use futures_util::task::AtomicWaker;
use http_body::{Frame, SizeHint};
use hyper::body::Incoming;
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::{Instant, Sleep, sleep_until},
};
use tower::Service;

use crate::Bounds;

/// Requests of a connection that are being answered.
#[derive(Debug, Clone, Default)]
pub(super) struct Activity(Arc<Counted>);

#[derive(Debug, Default)]
struct Counted {
    requests: AtomicUsize,
    /// All requests so far.
    begun: AtomicUsize,
    /// Whoever reads while nothing is awaited, and must look at the clock again when that changes.
    reader: AtomicWaker,
}

/// A request that is being answered, until it is dropped.
struct Active(Activity);

/// A stream with time limits.
pub(super) struct Patient<S> {
    stream: S,
    bounds: Bounds,
    activity: Activity,
    /// What is awaited of the client.
    awaited: Awaited,
    /// Requests that had begun when this was last looked at.
    begun: usize,
    read: Pin<Box<Sleep>>,
    write: Pin<Box<Sleep>>,
    is_writing: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Awaited {
    /// Nothing: a request is being answered.
    Nothing,
    /// The first byte of the next request.
    Request,
    /// The rest of a header.
    Header,
}

impl<S> Patient<S> {
    pub(super) fn new(stream: S, bounds: Bounds, activity: Activity) -> Self {
        let now = Instant::now();
        Self {
            stream,
            bounds,
            activity,
            // Who opens a connection has something to say.
            awaited: Awaited::Header,
            begun: 0,
            read: Box::pin(sleep_until(now + bounds.header)),
            write: Box::pin(sleep_until(now + bounds.write)),
            is_writing: false,
        }
    }

    fn awaits(&mut self, awaited: Awaited) {
        let patience = match awaited {
            Awaited::Nothing => return self.awaited = awaited,
            Awaited::Request => self.bounds.idle,
            Awaited::Header => self.bounds.header,
        };
        self.awaited = awaited;
        self.read.as_mut().reset(Instant::now() + patience);
    }

    fn written<T>(&mut self, context: &mut Context<'_>, result: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if result.is_ready() {
            self.is_writing = false;
            return result;
        }
        if !self.is_writing {
            self.is_writing = true;
            self.write.as_mut().reset(Instant::now() + self.bounds.write);
        }
        ready!(self.write.as_mut().poll(context));
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Patient<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        this.activity.0.reader.register(context.waker());
        let begun = this.activity.0.begun.load(Ordering::Acquire);
        if this.activity.0.requests.load(Ordering::Acquire) > 0 {
            this.awaits(Awaited::Nothing);
        } else if begun != this.begun {
            // A request may have come and gone between two looks.
            this.begun = begun;
            this.awaits(Awaited::Request);
        }
        let before = buffer.filled().len();
        match Pin::new(&mut this.stream).poll_read(context, buffer) {
            Poll::Ready(result) => {
                if buffer.filled().len() > before && this.awaited == Awaited::Request {
                    this.awaits(Awaited::Header);
                }
                Poll::Ready(result)
            }
            Poll::Pending if this.awaited == Awaited::Nothing => Poll::Pending,
            Poll::Pending => {
                ready!(this.read.as_mut().poll(context));
                Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
            }
        }
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Patient<S> {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let result = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.written(context, result)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffers: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let result = Pin::new(&mut self.stream).poll_write_vectored(context, buffers);
        self.written(context, result)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let result = Pin::new(&mut self.stream).poll_flush(context);
        self.written(context, result)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let result = Pin::new(&mut self.stream).poll_shutdown(context);
        self.written(context, result)
    }
}

/// A service that notes which requests are being answered, from their header to the last byte of the answer.
#[derive(Clone)]
pub(super) struct Watched<S> {
    service: S,
    activity: Activity,
}

impl<S> Watched<S> {
    pub(super) fn new(service: S, activity: Activity) -> Self {
        Self { service, activity }
    }
}

impl<S> Service<Request<Incoming>> for Watched<S>
where
    S: Service<Request<Incoming>, Response = Response<Body>>,
    S::Future: Send + 'static,
{
    type Response = Response<WatchedBody>;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, S::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.service.poll_ready(context)
    }

    fn call(&mut self, request: Request<Incoming>) -> Self::Future {
        self.activity.0.requests.fetch_add(1, Ordering::AcqRel);
        self.activity.0.begun.fetch_add(1, Ordering::AcqRel);
        let active = Active(self.activity.clone());
        let answer = self.service.call(request);
        Box::pin(async move { Ok(answer.await?.map(|body| WatchedBody { body, _active: active })) })
    }
}

/// The body of an answer.
pub(super) struct WatchedBody {
    body: Body,
    _active: Active,
}

impl Drop for Active {
    fn drop(&mut self) {
        self.0.0.requests.fetch_sub(1, Ordering::AcqRel);
        self.0.0.reader.wake();
    }
}

impl HttpBody for WatchedBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
