//! What annotators submit, as lines that `nomen convert` reads.

use std::{
    fs::OpenOptions,
    io::{self, Write as _},
    path::Path,
    sync::{Mutex, PoisonError},
};

use serde_json::{Map, Value, json};

use crate::Refusal;

/// The lines of an event: its task with each annotation of it. Events of other kinds have none.
pub(super) fn lines(event: &Map<String, Value>) -> Result<Vec<Value>, Refusal> {
    let action = event.get("action").and_then(Value::as_str).unwrap_or_default();
    if !action.starts_with("ANNOTATION") {
        return Ok(Vec::new());
    }
    let missing = |what| Refusal::Invalid(format!("the event `{action}` has no `{what}`"));
    let annotations: Vec<Value> = match (event.get("annotation"), event.get("annotations")) {
        (Some(annotation), _) => vec![annotation.clone()],
        (None, Some(Value::Array(annotations))) => annotations.clone(),
        _ => return Err(missing("annotation")),
    };
    let task = event.get("task").and_then(Value::as_object);
    let is_gone = action.contains("DELETED");
    if task.is_none() && !is_gone {
        return Err(missing("task"));
    }
    let line = |annotation: Value| {
        let mut line = json!({"action": action, "project": event.get("project").and_then(|project| project.get("id"))});
        if let Some(task) = task {
            line["id"] = task.get("id").cloned().unwrap_or_default();
            line["data"] = task.get("data").cloned().unwrap_or_default();
        }
        // What was deleted is no annotation of the task any more, but what it was stays on record.
        line["annotations"] = if is_gone { json!([]) } else { json!([annotation.clone()]) };
        if is_gone {
            line["deleted"] = annotation;
        }
        line
    };
    Ok(annotations.into_iter().map(line).collect())
}

/// Appends lines to a file; when this returns they are on the disk.
pub(super) fn append(path: &Path, lines: &[Value]) -> io::Result<()> {
    // Lines of two requests do not mix.
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
    let mut bytes = Vec::new();
    for line in lines {
        serde_json::to_writer(&mut bytes, line)?;
        bytes.push(b'\n');
    }
    let _guard = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let mut file = OpenOptions::new().create(true).append(true).open(path)?;
    file.write_all(&bytes)?;
    file.sync_data()
}
