//! The inputs that fuzzing starts from: a few awkward documents in every format, one file a document and one with all.
//!
//! `cargo run -p nomen-corpus --example fuzz_seeds -- FOLDER` writes them to `FOLDER/TARGET/`, as `fuzz/run` wants them.
#![allow(clippy::doc_markdown)]

use std::{
    env, fs,
    io::{Read as _, Write as _},
    path::Path,
};

use nomen_corpus::{Format, WriteOptions, Writer, read};
use schema::{Document, offset::Unit, tags::Scheme};

/// Everything that a document can say, in our own format.
const DOCUMENTS: &str = r#"{"id":"1","text":"é Anna 👩‍🔬 met\r\nBo Li","entities":[{"start":2,"end":6,"label":"PER","score":0.5,"source":"m"},{"start":16,"end":21,"label":"B-X"}],"meta":{"a":[1,{"b":null}]}}
{"text":"Paris, e\u0301t\u00e9","entities":[{"start":0,"end":5,"label":"LOC"}],"tokens":[[0,5],[5,6],[7,11]],"labels":["LOC"],"complete":false}
{"id":"3","text":"EU says no","entities":[{"start":0,"end":2,"label":"ORG"},{"start":3,"end":7,"label":"ORG"}],"tokens":[[0,2],[3,7],[8,10]]}
{"text":"","entities":[]}
{"text":"=cmd() \"quoted\", [x](y) # \t-DOCSTART-","entities":[],"complete":false}
"#;
const MARKDOWN: &str = "---\ntitle: é\n---\n# Head *one*\n\n- a [link](http://x.y) `code`\n- b\n\n| a | b |\n|---|---|\n| 1 | 👩‍🔬 |\n\n> quote\n\n```rust\nfn a() {}\n```\n<b>html</b> &amp; \\* ![i](u)\n";
const HTML: &str = "<!doctype html><html lang=en><head><meta charset=utf-8><title>T &amp; x</title><script>if (a<b) {}</script></head><body><nav><a href=/>menu</a></nav><main><article><h1>Head</h1><p>A paragraph, long enough to count as text &#233; <b>bold</b>.<p>Another<br>one<table><tr><td>1<td>2</table><ul><li>x</ul><pre> a\n b</pre></article></main><!-- c --></body></html>\n";
const CONLL_U: &str = "# sent_id = 1\n1-2\tdon't\t_\tO\n1\tdo\t_\tO\n2\tn't\t_\tO\n3\tAnna\t_\tU-PER\n\n-DOCSTART-\t-X-\t-X-\tO\n\n1\tEU\t_\tL-ORG\n";
const TASKS: &str = r#"[{"id":1,"data":{"text":"é Anna"},"annotations":[{"id":7,"result":[{"from_name":"l","to_name":"t","type":"labels","value":{"start":2,"end":6,"text":"Anna","labels":["PER"]}},{"type":"relation","from_id":"a"}],"was_cancelled":false,"ground_truth":true}],"predictions":[{"model_version":"m","score":0.5,"result":[]}]}]"#;
const RECORDS: &str = r#"{"id":"a","fields":{"text":"é Anna"},"metadata":{"k":1},"responses":{"q":[{"user_id":"u","value":[{"start":2,"end":6,"label":"PER"}],"status":"submitted"}]},"suggestions":{"q":{"value":[{"start":0,"end":1,"label":"X"}],"score":0.5,"agent":"m"}}}"#;
const RELATIONS: &str = r#"{"id":2,"text":"Paris 👩‍🔬","entities":[{"id":0,"label":"LOC","start_offset":0,"end_offset":5}],"relations":[],"Comments":[]}"#;
const EXAMPLES: &str = r#"{"text":"é Anna","tokens":[{"text":"é","start":0,"end":1,"id":0},{"text":"Anna","start":2,"end":6,"id":1}],"spans":[{"start":2,"end":6,"token_start":1,"token_end":1,"label":"PER"}],"answer":"accept","_input_hash":-5}"#;
const NUMBERED: &str = r#"{"id":2,"tokens":["Paris","\r\n"],"tags":[1,2]}"#;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = env::args().nth(1).ok_or("name the folder to write to")?;
    let folder = Path::new(&folder);
    let documents = read(DOCUMENTS.as_bytes(), "documents", Format::Jsonl)?.collect::<Result<Vec<_>, _>>()?;
    for format in Format::ALL.into_iter().filter(|format| format.is_written()) {
        for (index, document) in documents.iter().enumerate() {
            write(folder, format.name(), &index.to_string(), &written(std::slice::from_ref(document), format, "out")?)?;
        }
        write(folder, format.name(), "all", &written(&documents, format, "out")?)?;
    }
    for (name, bytes) in [("all", &documents[..]), ("one", &documents[2..3])] {
        write(folder, "parquet", name, &written(bytes, Format::Huggingface, "out.parquet")?)?;
        let packed = written(bytes, Format::SpacyDocbin, "out")?;
        let mut unpacked = Vec::new();
        flate2::read::ZlibDecoder::new(&packed[..]).read_to_end(&mut unpacked)?;
        write(folder, "spacy-docbin", &format!("{name}-unpacked"), &unpacked)?;
    }
    for (target, bytes) in [
        ("markdown", MARKDOWN),
        ("html", HTML),
        ("conll", CONLL_U),
        ("label-studio", TASKS),
        ("argilla", RECORDS),
        ("doccano", RELATIONS),
        ("prodigy", EXAMPLES),
        ("huggingface", NUMBERED),
    ] {
        write(folder, target, "tool", bytes.as_bytes())?;
    }
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    packed.write_all(DOCUMENTS.as_bytes())?;
    write(folder, "jsonl", "gzip", &packed.finish()?)?;
    write(folder, "jsonl", "zstandard", &zstd::encode_all(DOCUMENTS.as_bytes(), 3)?)?;
    Ok(())
}

/// A file of these documents, without those that the format cannot hold.
fn written(documents: &[Document], format: Format, name: &str) -> Result<Vec<u8>, nomen_corpus::WriteError> {
    let options = WriteOptions { scheme: Scheme::Iobes, quote: true, unit: Unit::CodePoints };
    let mut writer = Writer::new(Vec::new(), name, format, options);
    for document in documents {
        // Refused only by formats for which another of these documents is made.
        let _ = writer.write(document);
    }
    Ok(writer.finish()?.0)
}

/// A seed of a target; every target's seeds are also inputs of which the format is to be detected.
fn write(folder: &Path, target: &str, name: &str, bytes: &[u8]) -> std::io::Result<()> {
    for (target, name) in [(target, format!("seed-{name}")), ("detect", format!("seed-{target}-{name}"))] {
        fs::create_dir_all(folder.join(target))?;
        fs::write(folder.join(target).join(name), bytes)?;
    }
    Ok(())
}
