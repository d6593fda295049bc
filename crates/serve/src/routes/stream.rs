//! Any number of texts, a line of JSON each, answered in their order while they come.

use std::{convert::Infallible, sync::Arc, time::Instant};

use axum::{
    body::Body,
    extract::{Request, State},
    http::header,
    response::{IntoResponse, Response},
};
use bytes::{Buf as _, Bytes, BytesMut};
use futures_util::{Stream, StreamExt as _, stream};
use http_body_util::BodyExt as _;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::sync::mpsc;
use utoipa::ToSchema;

use super::{
    asked::{json, unit},
    nomen::{TextAnswer, Wanted},
};
use crate::{
    App, Live, Refusal,
    app::{Judged, Worked, too_long},
    config::Timeouts,
    queue::{Answer, Found, Reply, Want},
};

/// Texts of a stream that are under way at once.
const AHEAD: usize = 256;

/// A line of a stream.
#[derive(Debug, Deserialize, ToSchema)]
pub(crate) struct StreamLine {
    /// The text.
    text: String,
    /// Comes back with the answer.
    id: Option<Value>,
}

/// The answer to a line: entities, or why there are none.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct StreamAnswer {
    /// The number of the line, from 1.
    line: usize,
    /// What came with the text.
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<Value>,
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    found: Option<TextAnswer>,
    /// Why there are none.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    /// The same in a word.
    #[serde(skip_serializing_if = "Option::is_none")]
    error_type: Option<&'static str>,
}

/// A line that is under way.
struct Sent {
    line: usize,
    id: Option<Value>,
    text: String,
    judged: Result<(Reply, usize, usize), Refusal>,
}

/// The entities of any number of texts
///
/// One JSON object a line in, one a line out, in the same order and while more come: `{"text": "...", "id": ...}`. A line that
/// cannot be judged gets an answer with `error`, and the others go on.
#[utoipa::path(
    post, path = "/v1/tag/stream", tag = "Nomen",
    request_body(content = StreamLine, content_type = "application/x-ndjson"),
    params(("offsets" = Option<super::operations::OffsetUnit>, Query, description = "Unit of start and end")),
    responses((status = 200, body = StreamAnswer, content_type = "application/x-ndjson"), super::operations::Refusals)
)]
pub(crate) async fn tag_stream(State(app): State<Arc<App>>, request: Request) -> Result<Response, Refusal> {
    let unit = unit(request.uri().query().unwrap_or_default())?;
    let model = app.model(None)?;
    let wanted = Wanted::new(&model, None, None)?;
    let worked = request.extensions().get::<Worked>().cloned().unwrap_or_default();
    worked.change(|work| work.model = Some(model.name.clone()));
    let (sender, sent) = mpsc::channel::<Sent>(AHEAD);
    // Ends by itself when the client has left, because then nobody takes what it sends.
    tokio::spawn(read(Arc::clone(&app), Arc::clone(&model), request.into_body(), sender));
    let answers = received(sent).then(move |sent| {
        let (app, model, worked) = (Arc::clone(&app), Arc::clone(&model), worked.clone());
        async move { answer(&app, &model, sent, &worked).await }
    });
    let lines = answers.map(move |(sent, judged)| {
        let (found, error, error_type) = match &judged {
            Ok(judged) => (Some(wanted.of(&sent.text, judged, unit)), None, None),
            Err(refusal) => (None, Some(refusal.to_string()), Some(refusal.status().1)),
        };
        let answer = StreamAnswer { line: sent.line, id: sent.id, found, error, error_type };
        let mut line = serde_json::to_vec(&answer).unwrap_or_default();
        line.push(b'\n');
        Ok::<_, Infallible>(Bytes::from(line))
    });
    Ok(([(header::CONTENT_TYPE, "application/x-ndjson")], Body::from_stream(lines)).into_response())
}

fn received(receiver: mpsc::Receiver<Sent>) -> impl Stream<Item = Sent> {
    stream::unfold(receiver, |mut receiver| async move { receiver.recv().await.map(|sent| (sent, receiver)) })
}

async fn answer(
    app: &App,
    model: &Live,
    mut sent: Sent,
    worked: &Worked,
) -> (Sent, Result<Judged<Vec<schema::Entity>>, Refusal>) {
    let judged = std::mem::replace(&mut sent.judged, Err(Refusal::Failed));
    let judged = match judged {
        Err(refusal) => Err(refusal),
        Ok((reply, windows, pieces)) => match reply.await.unwrap_or(Err(Refusal::Failed)) {
            Ok(Answer { found: Found::Entities(found), queued, .. }) => {
                app.metrics.queued(queued);
                app.tell(model, &sent.text, &found, pieces);
                worked.change(|work| {
                    work.texts += 1;
                    work.pieces += pieces;
                    work.entities += found.len();
                });
                Ok(Judged { found, windows })
            }
            Ok(_) => Err(Refusal::Failed),
            Err(refusal) => Err(refusal),
        },
    };
    (sent, judged)
}

/// Reads lines and sends each into the queue, as long as somebody takes the answers.
async fn read(app: Arc<App>, model: Arc<Live>, body: Body, sender: mpsc::Sender<Sent>) {
    let mut lines =
        Lines { body, buffer: BytesMut::new(), most: app.config.limits.text_bytes * 6 + 1_024, is_over: false };
    let patience = Timeouts::of(app.config.timeouts.idle_s);
    let mut number = 0;
    loop {
        let line = tokio::time::timeout(patience, lines.next()).await;
        number += 1;
        let line = line.unwrap_or_else(|_| {
            lines.is_over = true;
            Some(Err(Refusal::Slow(app.config.timeouts.idle_s)))
        });
        let sent = match line {
            None => return,
            Some(Ok(line)) if line.iter().all(u8::is_ascii_whitespace) => continue,
            Some(line) => sent(&app, &model, number, line).await,
        };
        if sender.send(sent).await.is_err() {
            return;
        }
    }
}

async fn sent(app: &App, model: &Arc<Live>, line: usize, bytes: Result<Bytes, Refusal>) -> Sent {
    match bytes.and_then(|bytes| json::<StreamLine>(&bytes)) {
        Err(refusal) => Sent { line, id: None, text: String::new(), judged: Err(refusal) },
        Ok(StreamLine { text, id }) => {
            let judged = sent_text(app, model, line, &text).await;
            Sent { line, id, text, judged }
        }
    }
}

async fn sent_text(app: &App, model: &Arc<Live>, line: usize, text: &str) -> Result<(Reply, usize, usize), Refusal> {
    let most = app.config.limits.text_bytes;
    if text.len() > most {
        return Err(too_long(line, text.len(), most));
    }
    let owned = Arc::new(vec![text.to_owned()]);
    let encoded = app.encode(model, &owned, &[0], &Worked::default()).await?.pop().ok_or(Refusal::Failed)?;
    let (windows, pieces) = (encoded.windows, encoded.pieces);
    let room = app.queue.room_for_stream(pieces).await?;
    // A stream waits as long as its client does.
    let until = Instant::now() + Timeouts::of(86_400.0);
    Ok((app.queue.push(model, encoded, Want::Entities, until, room), windows, pieces))
}

/// The lines of a body, each of a bounded length.
struct Lines {
    body: Body,
    buffer: BytesMut,
    most: usize,
    is_over: bool,
}

impl Lines {
    async fn next(&mut self) -> Option<Result<Bytes, Refusal>> {
        let mut searched = 0;
        loop {
            if let Some(end) = self.buffer[searched..].iter().position(|byte| *byte == b'\n') {
                let line = self.buffer.split_to(searched + end).freeze();
                self.buffer.advance(1);
                return Some(Ok(line));
            }
            searched = self.buffer.len();
            if self.is_over {
                let rest = self.buffer.split().freeze();
                return (!rest.is_empty()).then_some(Ok(rest));
            }
            if searched > self.most {
                // Where the next line begins is not known without reading all of this one.
                self.is_over = true;
                self.buffer.clear();
                return Some(Err(Refusal::TooLarge(format!(
                    "a line has more than {} bytes; the stream ends here",
                    self.most
                ))));
            }
            match self.body.frame().await {
                Some(Ok(frame)) => {
                    if let Ok(data) = frame.into_data() {
                        self.buffer.extend_from_slice(&data);
                    }
                }
                Some(Err(_)) => {
                    self.is_over = true;
                    self.buffer.clear();
                    return Some(Err(Refusal::Malformed("the body ended too early".to_owned())));
                }
                None => self.is_over = true,
            }
        }
    }
}
