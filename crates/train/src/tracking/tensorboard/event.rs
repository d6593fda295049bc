//! Records of an event file.
//!
//! A file is TensorFlow's `TFRecord` format: for each record its length (8 bytes, the lowest first), the masked CRC-32C of
//! these bytes, the record, and the masked CRC-32C of the record. A record is a protocol buffer `Event` as `event.proto`
//! and `summary.proto` of TensorBoard define it; the numbers below are those of the fields there. What is written are the
//! parts that are needed: `file_version`, scalars by `simple_value`, and text by a string tensor of the plugin `text`.

use super::crc::masked;

/// The version that the first record of a file names.
const VERSION: &str = "brain.Event:2";
/// `DT_STRING` of `types.proto`.
const STRING: u64 = 7;
/// `DATA_CLASS_TENSOR` of `summary.proto`.
const TENSOR: u64 = 2;

/// A record around a message.
fn framed(message: &[u8]) -> Vec<u8> {
    let length = (message.len() as u64).to_le_bytes();
    let mut record = Vec::with_capacity(message.len() + 16);
    record.extend(length);
    record.extend(masked(&length).to_le_bytes());
    record.extend(message);
    record.extend(masked(message).to_le_bytes());
    record
}

/// The first record of a file. `time` is in seconds since 1970.
pub fn version(time: f64) -> Vec<u8> {
    let mut event = Message::default();
    event.double(1, time);
    event.bytes(3, VERSION.as_bytes());
    framed(&event.0)
}

/// Numbers at a step. The format keeps 32 bits of each.
pub fn scalars(time: f64, step: u64, values: &[(String, f64)]) -> Vec<u8> {
    let mut summary = Message::default();
    for (name, number) in values {
        let mut value = Message::default();
        value.bytes(1, name.as_bytes());
        value.float(2, *number as f32);
        summary.bytes(1, &value.0);
    }
    event(time, step, &summary)
}

/// A text in Markdown, at the beginning of a run.
pub fn text(time: f64, name: &str, text: &str) -> Vec<u8> {
    let mut plugin = Message::default();
    plugin.bytes(1, b"text");
    let mut metadata = Message::default();
    metadata.bytes(1, &plugin.0);
    metadata.number(4, TENSOR);
    // A tensor of one element has a shape without dimensions.
    let mut tensor = Message::default();
    tensor.number(1, STRING);
    tensor.bytes(2, &[]);
    tensor.bytes(8, text.as_bytes());
    let mut value = Message::default();
    value.bytes(1, name.as_bytes());
    value.bytes(8, &tensor.0);
    value.bytes(9, &metadata.0);
    let mut summary = Message::default();
    summary.bytes(1, &value.0);
    event(time, 0, &summary)
}

fn event(time: f64, step: u64, summary: &Message) -> Vec<u8> {
    let mut event = Message::default();
    event.double(1, time);
    if step > 0 {
        // A field that has its default is not written.
        event.number(2, step);
    }
    event.bytes(5, &summary.0);
    framed(&event.0)
}

/// A protocol buffer that is being written ("Encoding" of the Protocol Buffers documentation).
#[derive(Default)]
struct Message(Vec<u8>);

impl Message {
    fn varint(&mut self, mut number: u64) {
        while number >= 0x80 {
            self.0.push(number as u8 | 0x80);
            number >>= 7;
        }
        self.0.push(number as u8);
    }

    fn tag(&mut self, field: u64, wire: u64) {
        self.varint(field << 3 | wire);
    }

    fn number(&mut self, field: u64, number: u64) {
        self.tag(field, 0);
        self.varint(number);
    }

    fn double(&mut self, field: u64, number: f64) {
        self.tag(field, 1);
        self.0.extend(number.to_le_bytes());
    }

    fn float(&mut self, field: u64, number: f32) {
        self.tag(field, 5);
        self.0.extend(number.to_le_bytes());
    }

    fn bytes(&mut self, field: u64, bytes: &[u8]) {
        self.tag(field, 2);
        self.varint(bytes.len() as u64);
        self.0.extend(bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_encoded_as_the_documentation_of_protocol_buffers_shows() {
        let mut message = Message::default();
        message.number(1, 150);
        message.bytes(2, b"testing");
        assert_eq!(message.0, b"\x08\x96\x01\x12\x07testing");
    }

    #[test]
    fn the_first_record_is_as_tensorflow_writes_it() {
        // Length 24 and its sum, as at the beginning of every event file; then time 0, field 3.
        let record = version(0.0);
        assert_eq!(record[..12], [0x18, 0, 0, 0, 0, 0, 0, 0, 0xa3, 0x7f, 0x4b, 0x22]);
        assert_eq!(&record[12..36], b"\x09\0\0\0\0\0\0\0\0\x1a\x0dbrain.Event:2");
        assert_eq!(record[36..], masked(&record[12..36]).to_le_bytes());
    }
}
