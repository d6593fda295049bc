//! `events.jsonl`: what happened in a run, one object a line. `time` is in milliseconds since 1970 (UTC).

use std::{
    fs::{self, File, OpenOptions},
    io::{self, BufRead, BufReader, BufWriter, Write},
    path::{Path, PathBuf},
    time::{SystemTime, UNIX_EPOCH},
};

use serde_json::{Value, json};

use crate::{End, StepReport};

/// Beginnings of the names that files bear until they are whole.
pub(crate) const UNFINISHED: &str = ".events-";

/// Appends to a run's `events.jsonl`.
#[derive(Debug)]
pub struct Events {
    file: BufWriter<File>,
    path: PathBuf,
}

impl Events {
    /// Starts an empty file.
    ///
    /// # Errors
    /// The file cannot be made.
    pub fn create(path: &Path) -> io::Result<Self> {
        Ok(Self { file: BufWriter::new(File::create(path)?), path: path.to_owned() })
    }

    /// Goes on behind a step: lines of later steps, which a resumed run takes again, are left out.
    ///
    /// # Errors
    /// The file cannot be read or written.
    pub fn resume(path: &Path, step: u64) -> io::Result<Self> {
        if path.exists() {
            let folder = path.parent().unwrap_or(Path::new("."));
            let mut kept = BufWriter::new(tempfile::Builder::new().prefix(UNFINISHED).tempfile_in(folder)?);
            for line in BufReader::new(File::open(path)?).split(b'\n') {
                let line = line?;
                // A line that a crash cut short, even inside of a character, belongs to a step that is taken again.
                let Ok(event) = serde_json::from_slice::<Value>(&line) else { continue };
                if event.get("step").and_then(Value::as_u64).is_none_or(|at| at <= step)
                    && !matches!(event["event"].as_str(), Some("end" | "scores"))
                {
                    kept.write_all(&line)?;
                    kept.write_all(b"\n")?;
                }
            }
            let kept = kept.into_inner().map_err(io::IntoInnerError::into_error)?;
            kept.as_file().sync_all()?;
            kept.persist(path).map_err(|error| error.error)?;
        }
        Self::reopen(path)
    }

    /// Goes on behind the last line.
    ///
    /// # Errors
    /// The file cannot be opened.
    pub fn reopen(path: &Path) -> io::Result<Self> {
        let file = OpenOptions::new().create(true).append(true).open(path)?;
        Ok(Self { file: BufWriter::new(file), path: path.to_owned() })
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Records that the run starts, or goes on.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn started(&mut self, about: Value) -> io::Result<()> {
        self.write(with(json!({"event": "start"}), about))
    }

    /// Records what a reader wants to know of the run beside its settings: its base, its data, its steps.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn described(&mut self, about: Value) -> io::Result<()> {
        self.write(with(json!({"event": "about"}), about))
    }

    /// Records a step and the evaluation that followed it.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn step(&mut self, report: &StepReport) -> io::Result<()> {
        self.write(json!({
            "event": "step",
            "step": report.step,
            "epoch": report.epoch,
            "loss": report.loss,
            "learning_rate": report.rate,
            "gradient_norm": report.gradient_norm,
            "pieces": report.pieces,
            "pieces_per_s": report.pieces as f64 / report.elapsed.as_secs_f64(),
        }))?;
        if let Some(evaluation) = &report.evaluation {
            let line = json!({"event": "evaluation", "step": report.step, "is_best": evaluation.is_best});
            let mut line = with(line, serde_json::to_value(&evaluation.scores)?);
            if let Some(old) = &evaluation.old {
                line["old"] = json!(old);
            }
            line["seconds"] = json!(evaluation.elapsed.as_secs_f64());
            self.write(line)?;
        }
        // Whoever watches the run reads this file; a write costs microseconds, a step takes milliseconds.
        self.file.flush()
    }

    /// Records how the run ended.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn ended(&mut self, step: u64, end: End) -> io::Result<()> {
        self.write(json!({"event": "end", "step": step, "reason": end}))?;
        self.flush()
    }

    /// Records the scores of the best model after a run, by set (`dev`, `test`). `best` is the step that it was left by.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn judged(&mut self, best: Option<u64>, sets: Value) -> io::Result<()> {
        self.write(with(json!({"event": "scores", "best": best}), sets))?;
        self.flush()
    }

    /// Waits until everything recorded is on disk.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn flush(&mut self) -> io::Result<()> {
        self.file.flush()?;
        self.file.get_ref().sync_data()
    }

    /// All events of a file, in order, without a line that a crash cut short.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn read(path: &Path) -> io::Result<Vec<Value>> {
        let lines = fs::read(path)?;
        Ok(lines.split(|byte| *byte == b'\n').filter_map(|line| serde_json::from_slice(line).ok()).collect())
    }

    fn write(&mut self, mut line: Value) -> io::Result<()> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        line["time"] = json!(now.as_millis() as u64);
        writeln!(self.file, "{line}")
    }
}

/// An object with the fields of another.
fn with(mut line: Value, fields: Value) -> Value {
    if let (Value::Object(line), Value::Object(fields)) = (&mut line, fields) {
        line.extend(fields);
    }
    line
}
