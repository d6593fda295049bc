//! Offsets in code points, UTF-16 units or bytes: proven by the quoted text, else refused.

use nomen_corpus::Format::Jsonl;
use proptest::prelude::*;
use schema::{
    Document, Entity, Label, Span,
    offset::{Offsets, Unit},
};
use serde_json::json;

use crate::{error_of, read_bytes, round_trips::documents};

/// The document as a line whose offsets count `unit`.
fn line(document: &Document, unit: Unit, quoted: bool) -> String {
    let offsets = Offsets::new(document.text(), unit);
    let entity = |entity: &Entity| {
        let (start, end) = offsets.of(entity.span);
        let mut object = json!({"start": start, "end": end, "label": entity.label.as_str()});
        if quoted {
            object["text"] = json!(entity.span.quote(document.text()));
        }
        object
    };
    let entities: Vec<_> = document.entities().iter().map(entity).collect();
    json!({"text": document.text(), "entities": entities}).to_string() + "\n"
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(5000))]

    #[test]
    fn quoted_offsets_of_any_unit_give_the_quoted_text_or_nothing(document in documents()) {
        for unit in Unit::ALL {
            // Every document on its own: an earlier one must not help.
            match read_bytes(line(&document, unit, true).as_bytes(), Jsonl) {
                Ok((read, report)) => {
                    let quotes = |document: &Document| -> Vec<(String, Label)> {
                        let quote = |span: Span| span.quote(document.text()).to_owned();
                        document.entities().iter().map(|e| (quote(e.span), e.label.clone())).collect()
                    };
                    prop_assert_eq!(quotes(&read[0]), quotes(&document));
                    prop_assert_eq!(read[0].text(), document.text());
                    if unit == Unit::CodePoints {
                        prop_assert!(report.units.total == 0);
                        let spans = |document: &Document| document.entities().iter().map(|e| e.span).collect::<Vec<_>>();
                        prop_assert_eq!(spans(&read[0]), spans(&document));
                    }
                }
                Err(error) => {
                    prop_assert!(unit != Unit::CodePoints, "{}", error);
                    prop_assert!(error.to_string().starts_with("data:1: "));
                }
            }
        }
    }
}

#[test]
fn a_switch_of_units_is_reported_with_its_line() {
    let text = "{\"text\":\"a\",\"entities\":[]}\n{\"text\":\"😀 Anna\",\"entities\":[{\"start\":3,\"end\":7,\"label\":\"PER\",\"text\":\"Anna\"}]}\n";
    let (documents, report) = read_bytes(text.as_bytes(), Jsonl).unwrap();
    assert_eq!(documents[1].entities()[0].span.quote(documents[1].text()), "Anna");
    assert_eq!(report.units.first[0].to_string(), "line 2: offsets count UTF-16 units, converted");
}

#[test]
fn after_a_switch_offsets_that_could_mean_two_things_are_refused() {
    let switch = "{\"text\":\"😀 Anna\",\"entities\":[{\"start\":3,\"end\":7,\"label\":\"PER\",\"text\":\"Anna\"}]}\n";
    let unquoted =
        |text: &str| format!("{{\"text\":\"{text}\",\"entities\":[{{\"start\":3,\"end\":6,\"label\":\"PER\"}}]}}\n");
    let error = error_of(&(switch.to_owned() + &unquoted("😀 Annabel")), Jsonl);
    assert!(error.starts_with("data:2: the offsets could count Unicode code points or UTF-16 units"), "{error}");
    let repeated = "{\"text\":\"😀 aaaa\",\"entities\":[{\"start\":3,\"end\":5,\"label\":\"X\",\"text\":\"aa\"}]}\n";
    assert!(error_of(&(switch.to_owned() + repeated), Jsonl).starts_with("data:2: the offsets could count"));
    assert!(read_bytes(repeated.as_bytes(), Jsonl).is_ok());
    let (documents, _) = read_bytes((switch.to_owned() + &unquoted("So Ann")).as_bytes(), Jsonl).unwrap();
    assert_eq!(documents[1].entities()[0].span.quote(documents[1].text()), "Ann");
}

#[test]
fn without_a_quote_offsets_past_the_end_in_code_points_are_refused() {
    let error = error_of("{\"text\":\"😀 Anna\",\"entities\":[{\"start\":3,\"end\":7,\"label\":\"PER\"}]}", Jsonl);
    assert_eq!(
        error,
        "data:1: entity 1 (PER at 3..7): span ends at 7, past the end of the text at 6; \
         correct the offsets (code points, end exclusive)"
    );
}
