//! Every dialect's requests and answers, to the letter of its tools.

use serde_json::{Value, json};

use crate::sample::{ask, get, post, serve};

const TEXT: &str = "né 👋🏽 Anna met Ole in Oslo.";

#[test]
fn nomen_answers_with_entities_in_the_unit_that_is_asked_for() {
    let server = serve(|_| ());
    let reply = post(server.addr, "/v1/tag", &json!({"texts": [TEXT, "", "nothing here"]}));
    let answer = reply.json();
    assert_eq!(reply.status, 200);
    assert!(answer["model"].as_str().unwrap().starts_with("news@0000"));
    let first = &answer["results"][0]["entities"];
    assert_eq!(first[0], json!({"start": 6, "end": 10, "label": "NAME", "text": "Anna", "score": 0.75}));
    assert_eq!(first[2]["label"], "PLACE");
    assert_eq!(answer["results"][1], json!({"entities": [], "windows": 1}));
    for (unit, start) in [("codepoints", 6), ("utf16", 8), ("bytes", 13)] {
        let answer = post(server.addr, &format!("/v1/tag?offsets={unit}"), &json!({"texts": [TEXT]})).json();
        assert_eq!(answer["results"][0]["entities"][0]["start"], start, "{unit}");
    }
    assert_eq!(post(server.addr, "/v1/tag?offsets=chars", &json!({"texts": []})).status, 422);
}

#[test]
fn nomen_gives_the_labels_and_scores_that_are_asked_for_only() {
    let server = serve(|_| ());
    let labels = |request: Value| -> Vec<String> {
        let answer = post(server.addr, "/v1/tag", &request).json();
        let entities = answer["results"][0]["entities"].as_array().unwrap().clone();
        entities.iter().map(|entity| entity["label"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(labels(json!({"texts": [TEXT], "labels": ["PLACE"]})), ["PLACE"]);
    assert_eq!(labels(json!({"texts": [TEXT], "threshold": 0.75})).len(), 3);
    assert!(labels(json!({"texts": [TEXT], "threshold": 0.76})).is_empty());
    let reply = post(server.addr, "/v1/tag", &json!({"texts": [TEXT], "labels": ["DRUG"]}));
    assert_eq!((reply.status, reply.json()["error_type"].as_str()), (422, Some("invalid")));
    assert!(reply.json()["error"].as_str().unwrap().contains("NAME, PLACE"));
}

#[test]
fn hugging_face_answers_one_text_or_several_by_every_strategy() {
    let server = serve(|_| ());
    let ask = |inputs: Value, strategy: &str| {
        post(server.addr, "/", &json!({"inputs": inputs, "parameters": {"aggregation_strategy": strategy}})).json()
    };
    let one = ask(json!(TEXT), "simple");
    assert_eq!(one[0]["entity_group"], "NAME");
    assert_eq!(
        (one[0]["word"].as_str(), one[0]["start"].as_u64(), one[0]["end"].as_u64()),
        (Some("Anna"), Some(6), Some(10))
    );
    assert!(one[0].get("index").is_none());
    let several = ask(json!([TEXT, "none"]), "max");
    assert_eq!((several[0].as_array().unwrap().len(), several[1].as_array().unwrap().len()), (3, 0));
    let pieces = ask(json!(TEXT), "none");
    assert_eq!(pieces[0]["entity"], "B-NAME");
    assert!(pieces[0]["index"].is_u64());
    let named = post(server.addr, "/models/news", &json!({"inputs": TEXT}));
    assert_eq!(named.json(), one);
    assert_eq!(post(server.addr, "/models/other", &json!({"inputs": TEXT})).status, 404);
    let wrong = post(server.addr, "/", &json!({"inputs": TEXT, "parameters": {"aggregation_strategy": "best"}}));
    assert_eq!(wrong.status, 422);
}

#[test]
fn open_inference_answers_json_and_binary_tensors() {
    let server = serve(|_| ());
    assert_eq!(get(server.addr, "/v2").json()["name"], "nomen");
    assert_eq!(get(server.addr, "/v2/health/ready").status, 200);
    assert_eq!(get(server.addr, "/v2/models/news").json()["inputs"][0]["datatype"], "BYTES");
    assert_eq!(get(server.addr, "/v2/models/news/ready").json()["ready"], true);
    assert_eq!(get(server.addr, "/v2/models/none/ready").status, 404);
    let input = json!({"name": "text", "shape": [2], "datatype": "BYTES", "data": [TEXT, "Oslo"]});
    let answer = post(server.addr, "/v2/models/news/infer", &json!({"id": "7", "inputs": [input]})).json();
    assert_eq!((answer["id"].as_str(), &answer["outputs"][0]["shape"]), (Some("7"), &json!([2])));
    let second: Value = serde_json::from_str(answer["outputs"][0]["data"][1].as_str().unwrap()).unwrap();
    assert_eq!(second["entities"][0]["label"], "PLACE");

    let text = TEXT.as_bytes();
    let mut tensor = (text.len() as u32).to_le_bytes().to_vec();
    tensor.extend_from_slice(text);
    let head = json!({
        "inputs": [{"name": "text", "shape": [1, 1], "datatype": "BYTES", "parameters": {"binary_data_size": tensor.len()}}],
        "outputs": [{"name": "entities", "parameters": {"binary_data": true}}],
    })
    .to_string();
    let body = [head.as_bytes(), &tensor].concat();
    let length = format!("Inference-Header-Content-Length: {}", head.len());
    let reply = ask(server.addr, "POST /v2/models/news/infer", &[&length], &body);
    assert_eq!(reply.status, 200);
    let json_length: usize = reply.header("inference-header-content-length").unwrap().parse().unwrap();
    let answer: Value = serde_json::from_slice(&reply.body[..json_length]).unwrap();
    let tensor = &reply.body[json_length..];
    assert_eq!(answer["outputs"][0]["parameters"]["binary_data_size"], tensor.len());
    let of_text: Value = serde_json::from_slice(&tensor[4..]).unwrap();
    assert_eq!(of_text["entities"][0]["text"], "Anna");

    for wrong in [
        json!({"inputs": [{"name": "text", "shape": [3], "datatype": "BYTES", "data": ["a"]}]}),
        json!({"inputs": [{"name": "text", "shape": [1], "datatype": "FP32", "data": ["a"]}]}),
        json!({"inputs": [{"name": "text", "shape": [1], "datatype": "BYTES"}]}),
        json!({"inputs": [{"name": "text", "shape": [4_294_967_296_u64, 4_294_967_296_u64], "datatype": "BYTES", "data": ["a"]}]}),
        json!({"inputs": [{"name": "text", "shape": [1], "datatype": "BYTES", "parameters": {"binary_data_size": 9}}]}),
    ] {
        assert_eq!(post(server.addr, "/v2/models/news/infer", &wrong).status, 422, "{wrong}");
    }
}

#[test]
fn label_studio_gets_regions_by_the_names_of_its_configuration() {
    let server = serve(|_| ());
    assert_eq!(get(server.addr, "/label-studio/health").json()["status"], "UP");
    let xml = r#"<View><Labels name="ner" toName="body"><Label value="Name"/></Labels><Text name="body" value="$content"/></View>"#;
    let setup =
        post(server.addr, "/label-studio/setup", &json!({"project": "3.1700000000", "schema": xml, "hostname": "x"}));
    assert!(setup.json()["model_version"].as_str().unwrap().starts_with("news@"));
    let tasks = json!([{"id": 5, "data": {"content": TEXT}}]);
    for request in [json!({"tasks": tasks, "project": "3.17"}), json!({"tasks": tasks, "label_config": xml})] {
        let answer = post(server.addr, "/label-studio/predict", &request).json();
        let region = &answer["results"][0]["result"][0];
        assert_eq!((region["from_name"].as_str(), region["to_name"].as_str()), (Some("ner"), Some("body")));
        assert_eq!(region["value"], json!({"start": 6, "end": 10, "text": "Anna", "labels": ["Name"]}));
        assert_eq!(answer["results"][0]["result"].as_array().unwrap().len(), 2);
        assert_eq!(answer["labels_left_out"], json!(["PLACE"]));
    }
    let reply = post(server.addr, "/label-studio/predict", &json!({"tasks": [{"data": {"body": TEXT}}], "project": 3}));
    assert_eq!(reply.status, 422);
    assert!(reply.json()["error"].as_str().unwrap().contains("data.content"));
}

#[test]
fn label_studio_stores_what_annotators_submit() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("deep/annotations.jsonl");
    let server = serve(|config| config.annotations = Some(path.clone()));
    let event = |action: &str| {
        json!({
            "action": action, "project": {"id": 3}, "task": {"id": 5, "data": {"text": TEXT}},
            "annotation": {"id": 9, "result": [{"from_name": "label", "to_name": "text", "type": "labels",
                "value": {"start": 6, "end": 10, "text": "Anna", "labels": ["NAME"]}}]},
        })
    };
    for (action, stored) in [("ANNOTATION_CREATED", 1), ("PROJECT_UPDATED", 0), ("ANNOTATION_UPDATED", 1)] {
        assert_eq!(post(server.addr, "/label-studio/webhook", &event(action)).json()["stored"], stored);
    }
    let lines: Vec<Value> =
        std::fs::read_to_string(&path).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 2);
    assert_eq!((lines[0]["id"].as_u64(), lines[0]["annotations"][0]["id"].as_u64()), (Some(5), Some(9)));
    drop(server);
    let without = serve(|_| ());
    assert_eq!(post(without.addr, "/label-studio/webhook", &event("ANNOTATION_CREATED")).status, 404);
}

#[test]
fn doccano_gets_spans() {
    let server = serve(|_| ());
    let answer = post(server.addr, "/doccano", &json!({"text": TEXT})).json();
    assert_eq!(answer[0], json!({"start_offset": 6, "end_offset": 10, "label": "NAME"}));
}

#[test]
fn a_stream_answers_line_by_line_and_goes_on_behind_a_bad_one() {
    let server = serve(|_| ());
    let body = format!("{}\n\n{{\"text\": 1}}\nno json\n{}", json!({"text": TEXT, "id": "a"}), json!({"text": "Oslo"}));
    let reply = ask(server.addr, "POST /v1/tag/stream", &[], body.as_bytes());
    let lines: Vec<Value> = reply
        .body
        .split(|byte| *byte == b'\n')
        .filter(|line| !line.is_empty())
        .map(|line| serde_json::from_slice(line).unwrap())
        .collect();
    assert_eq!(lines.len(), 4);
    assert_eq!((lines[0]["id"].as_str(), lines[0]["entities"][0]["text"].as_str()), (Some("a"), Some("Anna")));
    assert_eq!((lines[1]["line"].as_u64(), lines[1]["error_type"].as_str()), (Some(3), Some("invalid")));
    assert_eq!((lines[2]["line"].as_u64(), lines[2]["error_type"].as_str()), (Some(4), Some("malformed")));
    assert_eq!(lines[3]["entities"][0]["label"], "PLACE");
}

#[test]
fn a_stream_takes_more_than_the_queue_has_room_for() {
    let server = serve(|config| config.limits.queue_pieces = 64);
    let line = |index: usize| json!({"text": format!("Anna {index} went to Oslo"), "id": index}).to_string();
    let body = (0..2_000).map(line).collect::<Vec<_>>().join("\n");
    let reply = ask(server.addr, "POST /v1/tag/stream", &[], body.as_bytes());
    let ids: Vec<u64> = reply
        .body
        .split(|byte| *byte == b'\n')
        .filter(|line| !line.is_empty())
        .map(|line| {
            let line: Value = serde_json::from_slice(line).unwrap();
            assert_eq!(line["entities"].as_array().unwrap().len(), 2, "{line}");
            line["id"].as_u64().unwrap()
        })
        .collect();
    assert_eq!(ids, (0..2_000).collect::<Vec<_>>());
}

#[test]
fn every_route_is_described_and_metrics_have_their_names() {
    let server = serve(|_| ());
    post(server.addr, "/v1/tag", &json!({"texts": [TEXT]}));
    let api = get(server.addr, "/openapi.json").json();
    assert!(api["openapi"].as_str().unwrap().starts_with("3.1"));
    for path in [
        "/",
        "/models/{name}",
        "/v1/tag",
        "/v1/tag/stream",
        "/v2/models/{name}/infer",
        "/label-studio/predict",
        "/doccano",
        "/admin/models/{name}/load",
    ] {
        assert!(api["paths"][path].is_object(), "{path}");
    }
    let text = String::from_utf8(get(server.addr, "/metrics").body).unwrap();
    for line in [
        r#"nomen_http_requests_total{route="/v1/tag",code="200"} 1"#,
        r#"nomen_entities_total{label="NAME"} 2"#,
        r#"nomen_entities_total{label="PLACE"} 1"#,
        "nomen_request_duration_seconds_count",
        "nomen_queue_duration_seconds_count 1",
        "nomen_tokenize_duration_seconds_count 1",
        "nomen_inference_duration_seconds_count 1",
        "nomen_batch_tokens_sum 6.0",
        "nomen_entity_confidence_count 3",
        "nomen_windowed_texts_total 0",
        r#"nomen_model_info{model="news",version="0000"#,
        "nomen_ready 1",
    ] {
        assert!(text.contains(line), "{line}\n{text}");
    }
    assert!(!text.contains("Anna"));
    assert!(String::from_utf8(get(server.addr, "/").body).unwrap().contains("<title>Nomen</title>"));
}
