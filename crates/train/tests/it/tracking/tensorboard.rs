//! Event files, against a file that TensorBoard's own writer made (`testdata/tensorboard/make_events.py`).

use std::{fs, path::Path};

use nomen_train::{
    Flow,
    tracking::{Environment, TrackError, sync},
};

use super::{PACE, destination, numbers, tracked};
use crate::sample::settings;

/// CRC-32C bit by bit, by its definition.
fn crc32c(bytes: &[u8]) -> u32 {
    let mut sum = !0u32;
    for byte in bytes {
        sum ^= u32::from(*byte);
        for _ in 0..8 {
            sum = (sum >> 1) ^ if sum & 1 == 1 { 0x82f6_3b78 } else { 0 };
        }
    }
    !sum
}

/// The records of a file; their sums are right.
fn records(mut bytes: &[u8]) -> Vec<&[u8]> {
    let mut found = Vec::new();
    let checked = |bytes: &[u8], sum: &[u8]| {
        let masked = u32::from_le_bytes(sum.try_into().unwrap());
        assert_eq!(masked.wrapping_sub(0xa282_ead8).rotate_left(15), crc32c(bytes));
    };
    while !bytes.is_empty() {
        let (head, rest) = bytes.split_at(12);
        checked(&head[..8], &head[8..]);
        let length = u64::from_le_bytes(head[..8].try_into().unwrap()) as usize;
        let (record, rest) = rest.split_at(length);
        checked(record, &rest[..4]);
        found.push(record);
        bytes = &rest[4..];
    }
    found
}

/// The only event file of a run.
fn event_file(run: &Path) -> std::path::PathBuf {
    let mut files = fs::read_dir(run.join("tensorboard")).unwrap().map(|entry| entry.unwrap().path());
    let file = files.next().unwrap();
    assert_eq!(files.next(), None);
    file
}

fn write(run: &Path) -> Result<(), TrackError> {
    sync(run, &[destination("tensorboard")], &Environment::default(), PACE).unwrap().remove(0).1
}

/// A run of two steps.
const EVENTS: &str = r#"{"event":"start","resumed":false,"identity":{"settings":{"lr_scheduler":"linear","seed":42},"base":{},"data":{},"labels":["PER","Ærø"]},"time":1700000000000}
{"event":"about","base":"minilm","steps":2,"time":1700000000001}
{"event":"step","step":1,"epoch":0,"loss":2.5,"learning_rate":0.001,"gradient_norm":1.5,"pieces":10,"pieces_per_s":100.0,"time":1700000000250}
{"event":"step","step":300,"epoch":0,"loss":null,"learning_rate":0.0,"gradient_norm":null,"pieces":10,"pieces_per_s":100.0,"time":1700000000500}
{"event":"evaluation","step":300,"is_best":true,"ents_p":1.0,"ents_r":0.5,"ents_f":0.625,"ents_per_type":{"PER":{"p":1.0,"r":0.5,"f":0.625},"Ærø":{"p":0.0,"r":0.0,"f":0.0}},"seconds":0.5,"time":1700000000750}
{"event":"end","step":300,"reason":"finished","time":1700000000800}
{"event":"scores","best":300,"test":{"ents_p":0.5,"ents_r":0.5,"ents_f":0.5,"ents_per_type":{}},"time":1700000001000}
"#;

#[test]
fn the_file_is_the_golden_one() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("events.jsonl"), EVENTS).unwrap();
    write(folder.path()).unwrap();
    let path = event_file(folder.path());
    assert_eq!(path.file_name().unwrap(), "events.out.tfevents.1700000000.nomen");
    let bytes = fs::read(&path).unwrap();
    let golden =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/tensorboard/events.out.tfevents.1700000000.nomen");
    assert!(bytes == fs::read(golden).unwrap(), "the bytes differ from those that TensorBoard's own writer makes");
    assert_eq!(records(&bytes).len(), 7);
    // Step 1: time 1700000000.25, step 1, a summary of four values, the first of them 2.5.
    let step = records(&bytes)[3];
    assert_eq!(&step[..9], [&[0x09][..], &1_700_000_000.25_f64.to_le_bytes()[..]].concat());
    assert_eq!(&step[9..12], [0x10, 1, 0x2a]);
    assert_eq!(&step[13..32], b"\x0a\x11\x0a\x0atrain/loss\x15\0\0\x20\x40".as_slice());
}

#[test]
fn what_a_dead_process_wrote_behind_its_note_is_written_again_once() {
    let folder = tempfile::tempdir().unwrap();
    let events = folder.path().join("events.jsonl");
    let lines: Vec<&str> = EVENTS.split_inclusive('\n').collect();
    fs::write(&events, lines[..3].concat()).unwrap();
    write(folder.path()).unwrap();
    let path = event_file(folder.path());
    let mut bytes = fs::read(&path).unwrap();
    bytes.extend(b"half a record");
    fs::write(&path, bytes).unwrap();
    fs::write(&events, EVENTS).unwrap();
    write(folder.path()).unwrap();
    assert_eq!(records(&fs::read(&path).unwrap()).len(), 7);
    // A file that lost what it had is not gone on with as if it had not.
    fs::write(&path, b"short").unwrap();
    fs::write(&events, EVENTS.to_owned() + &lines[2].replace("\"step\":1", "\"step\":301")).unwrap();
    let told = write(folder.path()).unwrap_err().to_string();
    assert!(told.contains("shorter") && told.contains("tensorboard.json"), "{told}");
}

#[test]
fn a_run_that_is_stopped_and_gone_on_with_has_one_file_with_each_step_once() {
    let folder = tempfile::tempdir().unwrap();
    let to = [destination("tensorboard")];
    for stop in [13, u64::MAX] {
        tracked(folder.path(), &settings(), &to, &Environment::default(), |step| {
            if step == stop { Flow::Stop } else { Flow::Continue }
        });
    }
    let bytes = fs::read(event_file(folder.path())).unwrap();
    // Version, settings, what it is about, 60 steps, 3 evaluations.
    assert_eq!(records(&bytes).len(), 66);
    for ((name, _), value) in numbers(folder.path()) {
        let value = [&[0x15][..], &(value as f32).to_le_bytes()[..]].concat();
        let expected = [name.as_bytes(), value.as_slice()].concat();
        assert!(bytes.windows(expected.len()).any(|window| window == expected), "{name}");
    }
}
