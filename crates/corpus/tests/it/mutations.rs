//! Ten thousand broken files a format: an error with file and line, or documents; never a panic.

use nomen_corpus::{Format, ReadOptions, read, read_with};

/// A small generator, so that a failing case has a number (SplitMix64, Steele et al., 2014).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound.max(1) as u64) as usize
    }
}

const INSERTS: [&[u8]; 16] = [
    b"[",
    b"]",
    b"{",
    b"}",
    b"\"",
    b"\\",
    b",",
    b"\n",
    b"\r",
    b"\t",
    b" ",
    b"\n\n",
    b"#",
    b"\xFF",
    b"\xEF\xBB\xBF",
    b"-1",
];

fn mutate(valid: &[u8], random: &mut Random) -> Vec<u8> {
    let mut bytes = valid.to_vec();
    for _ in 0..=random.below(4) {
        let (at, len) = (random.below(bytes.len()), 1 + random.below(20));
        let end = (at + len).min(bytes.len());
        match random.below(6) {
            0 if !bytes.is_empty() => bytes[at] ^= 1 << random.below(8),
            1 => drop(bytes.drain(at..end)),
            2 => {
                let piece = bytes[at..end].to_vec();
                let to = random.below(bytes.len());
                bytes.splice(to..to, piece);
            }
            3 => bytes.truncate(at),
            4 if !bytes.is_empty() => bytes[at] = random.next() as u8,
            _ => drop(bytes.splice(at..at, INSERTS[random.below(INSERTS.len())].iter().copied())),
        }
    }
    bytes
}

const JSONL: &str = r#"{"id":"1","text":"é Anna 👩‍🔬","entities":[{"start":2,"end":6,"label":"PER","text":"Anna","score":0.5}],"meta":{"a":[1,{"b":null}]},"complete":true}
{"text":"Paris\r\n","entities":[{"start":0,"end":5,"label":"LOC"}],"tokens":[[0,5]],"labels":["LOC"],"complete":false}

{"text":"","entities":[]}
"#;
const SPACY_LIST: &str = r#"[["é Anna 👩‍🔬", {"entities": [[2, 6, "PER"], [7, 10, "EMOJI"]]}],
 ["Paris \"x\" [", {"entities": [], "cats": {"a": 1.5}}]
]
"#;
const CONLL: &str = "# sent_id = 1\nEU\tNNP\tB-ORG\nsays\tVBZ\tO\n\n-DOCSTART-\t-X-\tO\n\nAnna\tNNP\tB-PER\nSmith\tNNP\tI-PER\n#\tNN\tO\n👩‍🔬\tNN\tS-creative-work\n";
const PRODIGY: &str = r#"{"text":"é Anna 👩‍🔬","tokens":[{"text":"é","start":0,"end":1,"id":0},{"text":"Anna","start":2,"end":6,"id":1}],"spans":[{"start":2,"end":6,"token_start":1,"token_end":1,"label":"PER"}],"meta":{"a":1},"answer":"accept"}
{"text":"b","spans":[],"answer":"reject","_input_hash":-5}
"#;
const DOCCANO: &str = r#"{"id":1,"text":"é Anna","label":[[2,6,"PER"]],"Comments":[]}
{"id":2,"text":"Paris","entities":[{"id":0,"label":"LOC","start_offset":0,"end_offset":5}],"relations":[]}
"#;
const LABEL_STUDIO: &str = r#"[{"id":1,"data":{"text":"é Anna 👩‍🔬"},"annotations":[{"result":[{"from_name":"label","to_name":"text","type":"labels","value":{"start":2,"end":6,"text":"Anna","labels":["PER"]}}],"was_cancelled":false}],"predictions":[]},
 {"id":2,"data":{"text":"b","x":1},"annotations":[],"predictions":[{"model_version":"m","score":0.5,"result":[]}]}]
"#;
const ARGILLA: &str = r#"[{"id":"a","fields":{"text":"é Anna"},"metadata":{"k":1},"responses":{"q":[{"user_id":"u","value":[{"start":2,"end":6,"label":"PER"}],"status":"submitted"}]},"suggestions":{}},
{"id":"b","fields":{"text":"b"},"responses":[],"suggestions":{"q":{"value":[{"start":0,"end":1,"label":"X"}],"score":0.5,"agent":"m"}}}]
"#;
const GLINER: &str = r#"{"tokenized_text":["é","Anna","."],"ner":[[1,1,"person"],[2,2,"dot"]]}
{"tokenized_text":[],"ner":[]}
"#;
const CSV: &str = "id,text,entities,labels,complete,meta\n1,\"a, \"\"b\"\"\nc\",\"[{\"\"start\"\":0,\"\"end\"\":1,\"\"label\"\":\"\"A\"\"}]\",,true,\n2,'=x,[],,true,{}\n";
const TSV: &str = "text\tkind\né Anna \"x\tgreeting\nb\t\n";
const ROWS: &str = r#"{"id":"1","tokens":["é","Anna","👩‍🔬"],"ner_tags":["O","B-PER","I-PER"],"weight":0.5}
{"id":2,"tokens":["Paris","\r\n"],"tags":["B-LOC","O"]}

{"tokens":[],"ner_tags":[]}
"#;
const TEXT: &str = "é Anna 👩‍🔬\r\n\nParis\n";

const FILES: [(Format, &str); 12] = [
    (Format::Huggingface, ROWS),
    (Format::Jsonl, JSONL),
    (Format::SpacyList, SPACY_LIST),
    (Format::Conll, CONLL),
    (Format::Text, TEXT),
    (Format::Prodigy, PRODIGY),
    (Format::Doccano, DOCCANO),
    (Format::LabelStudio, LABEL_STUDIO),
    (Format::Argilla, ARGILLA),
    (Format::Gliner, GLINER),
    (Format::Csv, CSV),
    (Format::Tsv, TSV),
];

#[test]
fn broken_files_give_errors_with_file_and_line_or_documents() {
    for (format, valid) in FILES {
        assert!(read(valid.as_bytes(), "valid", format).unwrap().all(|document| document.is_ok()), "{format}");
        let (mut refused, mut read_whole) = (0, 0);
        for case in 0..10_000u64 {
            let bytes = mutate(valid.as_bytes(), &mut Random(case));
            let lines = bytes.split(|byte| *byte == b'\n').count();
            let reader = match read(&bytes[..], "broken", format) {
                Ok(reader) => reader,
                Err(error) => {
                    assert!(error.to_string().starts_with("broken: the file is UTF-16"), "{format} {case}: {error}");
                    continue;
                }
            };
            let mut errors = 0;
            for document in reader {
                match document {
                    Ok(document) => {
                        let entities = document.entities();
                        assert!(entities.iter().all(|entity| !entity.span.quote(document.text()).is_empty()));
                    }
                    Err(error) => {
                        errors += 1;
                        assert!((1..=lines).contains(&error.line), "{format} {case}: {error}");
                        assert!(error.to_string().starts_with(&format!("broken:{}: ", error.line)), "{error}");
                    }
                }
            }
            *(if errors == 0 { &mut read_whole } else { &mut refused }) += 1;
        }
        assert!(refused > 100 && read_whole > 100, "{format}: {refused} refused, {read_whole} read");
    }
}

#[test]
fn broken_files_of_unknown_format_are_read_as_something_or_refused() {
    for (number, (_, valid)) in FILES.into_iter().enumerate() {
        for case in 0..10_000u64 {
            let bytes = mutate(valid.as_bytes(), &mut Random(case + 100_000 * number as u64));
            match read_with(&bytes[..], "broken", &ReadOptions::default()) {
                Ok(reader) => drop(reader.count()),
                Err(error) => assert!(error.to_string().starts_with("broken: "), "{error}"),
            }
        }
    }
}
