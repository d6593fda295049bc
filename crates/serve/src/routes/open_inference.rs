//! The Open Inference Protocol, version 2, over HTTP, with its extension for binary tensors, which Triton's client uses.

use std::sync::Arc;

use axum::{
    Json,
    extract::State,
    http::{HeaderMap, header},
    response::{IntoResponse, Response},
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::{
    Named,
    asked::{Asked, json},
    nomen::Wanted,
    operations::{Problem, Refusals, not_ready},
};
use crate::{App, Refusal};

/// Length of the JSON in front of binary tensors.
const JSON_LENGTH: &str = "inference-header-content-length";

/// What the server is.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ServerMetadata {
    name: &'static str,
    version: &'static str,
    extensions: Vec<&'static str>,
}

/// What a model takes and gives.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ModelMetadata {
    name: String,
    versions: Vec<String>,
    platform: &'static str,
    inputs: Vec<TensorMetadata>,
    outputs: Vec<TensorMetadata>,
}

/// A tensor of any number of texts.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct TensorMetadata {
    name: &'static str,
    datatype: &'static str,
    shape: Vec<i64>,
}

/// Texts to recognize.
#[derive(Debug, Deserialize, ToSchema)]
pub(crate) struct InferRequest {
    /// Comes back with the answer.
    id: Option<String>,
    /// One tensor of texts.
    inputs: Vec<InputTensor>,
    /// Which outputs are wanted, and whether as binary data.
    #[serde(default)]
    outputs: Vec<WantedTensor>,
    /// `binary_data_output` asks for binary data of all outputs.
    #[serde(default)]
    parameters: Parameters,
}

/// A tensor of texts.
#[derive(Debug, Deserialize, ToSchema)]
pub(crate) struct InputTensor {
    /// Any name.
    name: String,
    /// How many texts; may have more dimensions, of which all but one are 1.
    shape: Vec<usize>,
    /// `BYTES`.
    datatype: String,
    /// The texts, unless they follow as binary data.
    data: Option<Vec<String>>,
    /// `binary_data_size` says how many bytes of binary data there are.
    #[serde(default)]
    parameters: Parameters,
}

/// An output that is wanted.
#[derive(Debug, Deserialize, ToSchema)]
pub(crate) struct WantedTensor {
    /// `entities`.
    name: String,
    #[serde(default)]
    parameters: Parameters,
}

/// Parameters of the protocol that have a meaning here; others have none.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[expect(clippy::struct_field_names, reason = "they are the protocol's names")]
pub(crate) struct Parameters {
    binary_data_size: Option<usize>,
    binary_data: Option<bool>,
    binary_data_output: Option<bool>,
}

/// The entities.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct InferAnswer {
    model_name: String,
    model_version: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<String>,
    outputs: Vec<OutputTensor>,
}

/// A string of JSON a text.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct OutputTensor {
    name: &'static str,
    shape: Vec<usize>,
    datatype: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    parameters: Option<Value>,
}

/// What the server is
#[utoipa::path(get, path = "/v2", tag = "Open Inference Protocol", responses((status = 200, body = ServerMetadata), Refusals))]
pub(crate) async fn server() -> Json<ServerMetadata> {
    let version = env!("CARGO_PKG_VERSION");
    Json(ServerMetadata { name: "nomen", version, extensions: vec!["binary_tensor_data"] })
}

/// Whether the server lives
#[utoipa::path(
    get, path = "/v2/health/live", tag = "Open Inference Protocol",
    responses((status = 200, body = Value), (status = 403, body = Problem))
)]
pub(crate) async fn live() -> Json<Value> {
    Json(json!({"live": true}))
}

/// Whether requests are answered
#[utoipa::path(
    get, path = "/v2/health/ready", tag = "Open Inference Protocol",
    responses((status = 200, body = Value), (status = 403, body = Problem), (status = 503, body = Problem))
)]
pub(crate) async fn ready(State(app): State<Arc<App>>) -> Result<Json<Value>, Refusal> {
    if app.is_ready() { Ok(Json(json!({"ready": true}))) } else { Err(not_ready()) }
}

/// What a model takes and gives
#[utoipa::path(
    get, path = "/v2/models/{name}", tag = "Open Inference Protocol", params(("name" = String, Path)),
    responses((status = 200, body = ModelMetadata), Refusals)
)]
pub(crate) async fn model(State(app): State<Arc<App>>, Named(name): Named) -> Result<Json<ModelMetadata>, Refusal> {
    let model = app.model(Some(&name))?;
    let tensor = |name| vec![TensorMetadata { name, datatype: "BYTES", shape: vec![-1] }];
    Ok(Json(ModelMetadata {
        name,
        versions: vec![model.version.clone()],
        platform: "nomen",
        inputs: tensor("text"),
        outputs: tensor("entities"),
    }))
}

/// Whether a model answers
#[utoipa::path(
    get, path = "/v2/models/{name}/ready", tag = "Open Inference Protocol", params(("name" = String, Path)),
    responses((status = 200, body = Value), Refusals)
)]
pub(crate) async fn model_ready(State(app): State<Arc<App>>, Named(name): Named) -> Result<Json<Value>, Refusal> {
    app.model(Some(&name))?;
    Ok(Json(json!({"name": name, "ready": true})))
}

/// The entities of texts, a string of JSON a text
#[utoipa::path(
    post, path = "/v2/models/{name}/infer", tag = "Open Inference Protocol", request_body = InferRequest,
    params(
        ("name" = String, Path),
        ("offsets" = Option<super::operations::OffsetUnit>, Query, description = "Unit of start and end")
    ),
    responses(
        (status = 200, content((InferAnswer = "application/json"), (Vec<u8> = "application/octet-stream"))),
        Refusals
    )
)]
pub(crate) async fn infer(State(app): State<Arc<App>>, Named(name): Named, asked: Asked) -> Result<Response, Refusal> {
    let model = app.model(Some(&name))?;
    let (head, binary) = parts(&asked.headers, &asked.body)?;
    let request: InferRequest = json(head)?;
    let is_binary = request.parameters.binary_data_output.unwrap_or(false)
        || request.outputs.iter().any(|output| output.parameters.binary_data.unwrap_or(false));
    if let Some(output) = request.outputs.iter().find(|output| output.name != "entities") {
        let name: String = output.name.chars().take(64).collect();
        return Err(Refusal::Invalid(format!("there is no output `{name}`; there is `entities`")));
    }
    let id = request.id.clone();
    let texts = Arc::new(texts(request, binary)?);
    let judged = app.entities(&model, &texts, &asked.worked).await?;
    let wanted = Wanted::new(&model, None, None)?;
    let answers = texts
        .iter()
        .zip(&judged)
        .map(|(text, judged)| serde_json::to_string(&wanted.of(text, judged, asked.unit)).map_err(|_| Refusal::Failed));
    let answers: Vec<String> = answers.collect::<Result<_, _>>()?;
    let mut output =
        OutputTensor { name: "entities", shape: vec![answers.len()], datatype: "BYTES", data: None, parameters: None };
    let tensor: Vec<u8> = if is_binary {
        let tensor = answers.iter().flat_map(|answer| {
            let length = u32::try_from(answer.len()).unwrap_or(u32::MAX).to_le_bytes();
            length.into_iter().chain(answer.bytes())
        });
        tensor.collect()
    } else {
        Vec::new()
    };
    if is_binary {
        output.parameters = Some(json!({"binary_data_size": tensor.len()}));
    } else {
        output.data = Some(answers);
    }
    let answer = InferAnswer { model_name: name, model_version: model.version.clone(), id, outputs: vec![output] };
    if !is_binary {
        return Ok(Json(answer).into_response());
    }
    let mut body = serde_json::to_vec(&answer).map_err(|_| Refusal::Failed)?;
    let length = body.len().to_string();
    body.extend(tensor);
    let kind = "application/octet-stream".to_owned();
    Ok(([(header::CONTENT_TYPE.as_str(), kind), (JSON_LENGTH, length)], body).into_response())
}

/// The JSON of a body, and the binary data behind it.
fn parts<'b>(headers: &HeaderMap, body: &'b [u8]) -> Result<(&'b [u8], &'b [u8]), Refusal> {
    let Some(length) = headers.get(JSON_LENGTH) else { return Ok((body, &[])) };
    let length = length.to_str().ok().and_then(|length| length.parse::<usize>().ok());
    length.and_then(|length| body.split_at_checked(length)).ok_or_else(|| {
        Refusal::Malformed("Inference-Header-Content-Length is no length of this body's JSON".to_owned())
    })
}

/// The texts of a request, all of its tensors one after the other.
fn texts(request: InferRequest, mut binary: &[u8]) -> Result<Vec<String>, Refusal> {
    let mut texts = Vec::new();
    for input in request.inputs {
        let name: String = input.name.chars().take(64).collect();
        let wrong = |problem: String| Refusal::Invalid(format!("the input `{name}`: {problem}"));
        if input.datatype != "BYTES" {
            return Err(wrong("its datatype must be BYTES".to_owned()));
        }
        let of_input = match (input.data, input.parameters.binary_data_size) {
            (Some(data), None) => data,
            (None, Some(size)) => {
                let (tensor, rest) = binary
                    .split_at_checked(size)
                    .ok_or_else(|| wrong("there are fewer bytes than binary_data_size says".to_owned()))?;
                binary = rest;
                elements(tensor).ok_or_else(|| wrong("its binary data is not what BYTES is".to_owned()))?
            }
            _ => return Err(wrong("it needs either data or binary_data_size".to_owned())),
        };
        let elements = input.shape.iter().try_fold(1_usize, |all, size| all.checked_mul(*size));
        if elements != Some(of_input.len()) {
            return Err(wrong(format!("its shape does not fit {} texts", of_input.len())));
        }
        texts.extend(of_input);
    }
    Ok(texts)
}

/// The elements of a binary tensor of BYTES: each has its length in front of it, four bytes, the lowest first.
fn elements(mut tensor: &[u8]) -> Option<Vec<String>> {
    let mut elements = Vec::new();
    while !tensor.is_empty() {
        let (length, rest) = tensor.split_first_chunk::<4>()?;
        let (element, rest) = rest.split_at_checked(u32::from_le_bytes(*length) as usize)?;
        elements.push(String::from_utf8(element.to_vec()).ok()?);
        tensor = rest;
    }
    Some(elements)
}
