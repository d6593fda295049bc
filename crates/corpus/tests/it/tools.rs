//! What annotation tools write, and what is taken from it.

use nomen_corpus::{Format, LeftOut, ReadOptions, Report, read_with};
use schema::{Document, offset::Unit};

use crate::{error_of, read_bytes};

fn read(text: &str, options: &ReadOptions) -> Result<(Vec<Document>, Report), String> {
    let mut reader = read_with(text.as_bytes(), "data", options).map_err(|error| error.to_string())?;
    let documents = reader.by_ref().collect::<Result<Vec<_>, _>>().map_err(|error| error.to_string())?;
    Ok((documents, reader.into_report()))
}

fn quotes(document: &Document) -> Vec<(&str, &str)> {
    document.entities().iter().map(|e| (e.span.quote(document.text()), e.label.as_str())).collect()
}

#[test]
fn of_prodigy_only_what_was_accepted_is_gold_and_the_rest_is_counted() {
    let text = concat!(
        r#"{"text":"Anna met Bo","spans":[{"start":0,"end":4,"label":"PER","token_start":0,"token_end":0}],"answer":"accept","_task_hash":-7}"#,
        "\n",
        r#"{"text":"b","spans":[],"answer":"reject"}"#,
        "\n",
        r#"{"text":"c","spans":[],"answer":"ignore"}"#,
        "\n",
        r#"{"text":"d"}"#,
        "\n"
    );
    let (documents, report) = read_bytes(text.as_bytes(), Format::Prodigy).unwrap();
    assert_eq!(documents.len(), 2);
    assert_eq!(quotes(&documents[0]), [("Anna", "PER")]);
    assert_eq!(documents[0].meta["_task_hash"], -7);
    assert!(documents[1].partial && !documents[0].partial);
    assert_eq!(report.left_out.into_iter().collect::<Vec<_>>(), [(LeftOut::Rejected, 1), (LeftOut::Ignored, 1)]);
}

#[test]
fn a_prodigy_token_whose_offsets_do_not_cover_it_is_refused() {
    let error = error_of(r#"{"text":"Anna","tokens":[{"text":"An","start":0,"end":4,"id":0}]}"#, Format::Prodigy);
    assert_eq!(error, "data:1: field `tokens[0]`: its offsets cover \"Anna\" and not its text");
}

#[test]
fn doccano_offsets_that_could_count_two_units_are_refused_until_somebody_says_which() {
    let line = r#"{"id":1,"text":"👩 Anna Berg","label":[[2,6,"PER"]]}"#;
    let error = error_of(line, Format::Doccano);
    assert!(
        error.contains("could count Unicode code points or UTF-16 units") && error.contains("--offsets"),
        "{error}"
    );
    for (unit, expected) in [(Unit::CodePoints, "Anna"), (Unit::Utf16, " Ann")] {
        let options = ReadOptions { format: Some(Format::Doccano), unit: Some(unit), ..ReadOptions::default() };
        assert_eq!(quotes(&read(line, &options).unwrap().0[0]), [(expected, "PER")]);
    }
    // Where one of both is impossible, the other is proven; where both say the same, nothing has to be.
    let past_the_end = r#"{"text":"👩Anna","label":[[2,6,"PER"]]}"#;
    let (documents, report) = read_bytes(past_the_end.as_bytes(), Format::Doccano).unwrap();
    assert_eq!(quotes(&documents[0]), [("Anna", "PER")]);
    assert_eq!(report.units.total, 1);
    let before = r#"{"text":"é Anna 👩","label":[[2,6,"PER"]]}"#;
    assert_eq!(quotes(&read_bytes(before.as_bytes(), Format::Doccano).unwrap().0[0]), [("Anna", "PER")]);
}

#[test]
fn doccano_is_written_in_the_unit_that_the_caller_names() {
    let document = crate::document("👩 Anna", vec![crate::entity(5, 9, "PER")]);
    for (unit, offsets) in [(Unit::CodePoints, "[2,6,"), (Unit::Utf16, "[3,7,"), (Unit::Bytes, "[5,9,")] {
        let options = nomen_corpus::WriteOptions { unit, ..nomen_corpus::WriteOptions::default() };
        let bytes = crate::write_bytes(std::slice::from_ref(&document), Format::Doccano, options);
        assert!(String::from_utf8(bytes.clone()).unwrap().contains(offsets));
        let read_options = ReadOptions { format: Some(Format::Doccano), unit: Some(unit), ..ReadOptions::default() };
        let (read, _) = read(&String::from_utf8(bytes).unwrap(), &read_options).unwrap();
        assert_eq!(quotes(&read[0]), [("Anna", "PER")]);
    }
}

#[test]
fn doccano_has_three_names_for_its_annotations() {
    let text = concat!(
        r#"{"id":1,"text":"Anna","label":[[0,4,"PER"]],"Comments":[]}"#,
        "\n",
        r#"{"id":2,"data":"Anna","labels":[[0,4,"PER"]],"source":"x"}"#,
        "\n",
        r#"{"id":3,"text":"Anna","entities":[{"id":9,"label":"PER","start_offset":0,"end_offset":4}],"relations":[]}"#,
        "\n"
    );
    let (documents, _) = read_bytes(text.as_bytes(), Format::Doccano).unwrap();
    assert!(documents.iter().all(|document| quotes(document) == [("Anna", "PER")]));
    assert_eq!(documents[0].meta.len() + documents[2].meta.len(), 0);
    assert_eq!((documents[1].id.as_deref(), &documents[1].meta["source"]), (Some("2"), &"x".into()));
}

const TASK: &str = r#"{"from_name":"label","to_name":"text","type":"labels","value":"#;

#[test]
fn of_label_studio_the_ground_truth_goes_before_the_first_that_was_not_cancelled() {
    let region = |start: usize, end: usize, quote: &str, label: &str| {
        format!(r#"{TASK}{{"start":{start},"end":{end},"text":"{quote}","labels":["{label}"]}}}}"#)
    };
    let (wrong, right) = (region(0, 4, "Anna", "ORG"), region(0, 4, "Anna", "PER"));
    let choice = r#"{"from_name":"c","to_name":"text","type":"choices","value":{"choices":["a"]}}"#;
    let text = format!(
        r#"[{{"id":4,"data":{{"text":"Anna","page":3}},"annotations":[{{"result":[{wrong}],"was_cancelled":true}},
        {{"result":[{wrong}]}},{{"result":[{right},{choice}],"ground_truth":true}}],"predictions":[{{"result":[]}}]}},
        {{"id":5,"data":{{"body":"Anna"}},"annotations":[],"predictions":[{{"model_version":"v2","score":0.5,"result":[{right}]}}]}}]"#
    );
    let (documents, report) = read_bytes(text.as_bytes(), Format::LabelStudio).unwrap();
    assert_eq!((quotes(&documents[0]), documents[0].partial), (vec![("Anna", "PER")], false));
    assert_eq!((documents[0].id.as_deref(), &documents[0].meta["page"]), (Some("4"), &3.into()));
    assert_eq!((documents[1].entities()[0].source.as_deref(), documents[1].partial), (Some("v2"), true));
    let left_out: Vec<_> = report.left_out.into_iter().collect();
    assert_eq!(left_out, [(LeftOut::Cancelled, 1), (LeftOut::OtherAnnotation, 1), (LeftOut::NotSpan, 1)]);
}

#[test]
fn label_studio_quotes_prove_the_unit_and_may_show_white_space_their_own_way() {
    let task = |text: &str, start: usize, end: usize, quote: &str| {
        format!(
            r#"[{{"data":{{"text":"{text}"}},"annotations":[{{"result":[{TASK}{{"start":{start},"end":{end},"text":"{quote}","labels":["PER"]}}}}]}}]}}]"#
        )
    };
    let (documents, report) = read_bytes(task("👩 Anna", 3, 7, "Anna").as_bytes(), Format::LabelStudio).unwrap();
    assert_eq!((quotes(&documents[0]), report.units.total), (vec![("Anna", "PER")], 1));
    let (documents, _) = read_bytes(task(r"Anna\n Berg", 0, 10, "Anna Berg").as_bytes(), Format::LabelStudio).unwrap();
    assert_eq!(quotes(&documents[0]), [("Anna\n Berg", "PER")]);
    let error = error_of(&task("👩 Anna", 3, 7, "Bo"), Format::LabelStudio);
    assert!(error.contains("do not cover \"Bo\""), "{error}");
}

#[test]
fn a_label_studio_task_of_several_texts_asks_which() {
    let text = r#"[{"data":{"title":"a","body":"Anna"},"annotations":[]}]"#;
    let error = error_of(text, Format::LabelStudio);
    assert!(error.contains("(`title`, `body`); say which it is (`nomen convert --text-field`)"), "{error}");
    let field = Some("body".to_owned());
    let options = ReadOptions { format: Some(Format::LabelStudio), text_field: field, ..ReadOptions::default() };
    assert_eq!(read(text, &options).unwrap().0[0].text(), "Anna");
}

#[test]
fn argilla_answers_are_found_in_all_their_shapes() {
    let span = r#"[{"start":0,"end":4,"label":"PER"}]"#;
    let text = format!(
        r#"[{{"fields":{{"text":"Anna"}},"responses":[{{"user_id":"u","value":{span},"status":"draft"}},{{"user_id":"v","value":{span},"status":"submitted"}}]}},
        {{"fields":{{"text":"Anna"}},"responses":{{"q":[{{"user_id":"u","value":{span}}}],"other":[{{"user_id":"u","value":"yes"}}]}}}},
        {{"fields":{{"text":"Anna"}},"responses":[{{"user_id":"u","values":{{"q":{{"value":{span}}}}},"status":"submitted"}}]}},
        {{"fields":{{"text":"Anna"}},"suggestions":{{"q":{{"value":{span},"score":[0.25],"agent":"llm"}}}}}}]"#
    );
    let (documents, report) = read_bytes(text.as_bytes(), Format::Argilla).unwrap();
    assert!(documents.iter().all(|document| quotes(document) == [("Anna", "PER")]));
    assert_eq!(documents.iter().map(|document| document.partial).collect::<Vec<_>>(), [false, false, false, true]);
    let entity = &documents[3].entities()[0];
    assert_eq!((entity.score, entity.source.as_deref()), (Some(0.25), Some("llm")));
    assert_eq!(report.left_out.into_iter().collect::<Vec<_>>(), [(LeftOut::Unsubmitted, 1), (LeftOut::NotSpan, 1)]);
}

#[test]
fn gliner_token_indices_that_are_none_are_refused() {
    for (ner, message) in [
        ("[[1,2,\"a\"]]", "entity 1 (a): tokens 1 to 2 of 2"),
        ("[[1,0,\"a\"]]", "entity 1 (a): tokens 1 to 0 of 2"),
        ("[[0,1,\"a\"],[1,1,\"b\"]]", "overlap"),
        ("[[0,\"a\"]]", "expected [start, end, label]"),
    ] {
        let error = error_of(&format!(r#"{{"tokenized_text":["x","y"],"ner":{ner}}}"#), Format::Gliner);
        assert!(error.contains(message), "{error}");
    }
    assert!(
        error_of(r#"{"tokenized_text":["x",""],"ner":[]}"#, Format::Gliner)
            .contains("tokenized_text[1]`: the token is empty")
    );
}

#[test]
fn a_foreign_table_is_text_with_metadata_and_asks_where_the_text_is() {
    let text = "nr,body,kind\n1,\"Anna, \"\"Bo\"\"\nand =x\",note\n2,'=x,\n";
    let error = error_of(text, Format::Csv);
    assert!(
        error.contains("data:1: field `text`: no column of this name; the first line names `nr`, `body`, `kind`"),
        "{error}"
    );
    let options = ReadOptions { format: Some(Format::Csv), text_field: Some("body".into()), ..ReadOptions::default() };
    let (documents, report) = read(text, &options).unwrap();
    assert_eq!(documents[0].text(), "Anna, \"Bo\"\nand =x");
    assert_eq!((documents[0].meta["nr"].as_str(), documents[1].text()), (Some("1"), "'=x"));
    assert!(report.unannotated == 2 && documents.iter().all(|document| document.partial));
    let error = error_of("text,b\nx,y\nx\n", Format::Csv);
    assert_eq!(error, "data:3: 1 cells, but the header has 2; quote cells that hold the separator");
    // Quotation marks of a foreign TSV are text.
    assert_eq!(read_bytes(b"text\tb\n\"Hi\" he said\t1\n", Format::Tsv).unwrap().0[0].text(), "\"Hi\" he said");
}

#[test]
fn no_cell_of_a_written_table_is_run_by_a_spreadsheet() {
    let documents: Vec<Document> = ["=cmd()", "+1", "-1", "@a", "\t=x", "'=x"].map(Document::new).into();
    for (format, separator) in [(Format::Csv, b','), (Format::Tsv, b'\t')] {
        let bytes = crate::write_bytes(&documents, format, nomen_corpus::WriteOptions::default());
        let mut rows = csv::ReaderBuilder::new().delimiter(separator).from_reader(&bytes[..]);
        for row in rows.records() {
            assert!(row.unwrap().iter().all(|cell| !cell.starts_with(['=', '+', '-', '@', '\t', '\r'])));
        }
        let (read, _) = read_bytes(&bytes, format).unwrap();
        assert!(read.iter().zip(&documents).all(|(read, document)| read.text() == document.text()));
    }
}

/// Selected with the pointer in the editor of Label Studio 1.23.2 and exported with its button: it counts code points, CRLF as two.
#[test]
fn what_the_editor_of_label_studio_exports_is_read_as_it_was_selected() {
    let export = include_bytes!("../fixtures/label_studio_export.json");
    let (documents, report) = read_bytes(export, Format::LabelStudio).unwrap();
    let selected = documents.iter().map(|document| quotes(document)[0].0);
    let within = ["Annabel", "Annabel", "Oslo", "Oslo"];
    let others = ["Anna\r\nBerg", "Anna   Berg", "Anna\tBerg", "אנה", "東京"];
    assert_eq!(selected.collect::<Vec<_>>(), [&within[..], &others[..]].concat());
    assert_eq!(report.units.total, 0);
}

/// Selected with the pointer in the editor of doccano 1.8.4, which counts UTF-16 units where a project does not count graphemes.
#[test]
fn what_the_editor_of_doccano_exports_is_read_as_it_was_selected_once_somebody_says_the_unit() {
    let export = include_str!("../fixtures/doccano_export.jsonl");
    let error = error_of(export, Format::Doccano);
    assert!(error.starts_with("data:1: ") && error.contains("--offsets"), "{error}");
    let options = ReadOptions { format: Some(Format::Doccano), unit: Some(Unit::Utf16), ..ReadOptions::default() };
    let (documents, _) = read(export, &options).unwrap();
    assert_eq!(documents.len(), 5);
    assert!(documents.iter().all(|document| quotes(document) == [("Annabel", "PER")]));
}

#[test]
fn label_studio_predictions_that_are_numbers_only_are_counted_and_the_text_is_partial() {
    let prediction = format!(
        r#"{{"model_version":"undefined","result":[{TASK}{{"start":0,"end":4,"text":"Anna","labels":["PER"]}}}}]}}"#
    );
    let text = format!(
        r#"[{{"id":1,"data":{{"text":"Anna"}},"annotations":[],"predictions":[5,6]}},
        {{"id":2,"data":{{"text":"Anna"}},"annotations":[],"predictions":[7,{prediction},{prediction}]}}]"#
    );
    let (documents, report) = read_bytes(text.as_bytes(), Format::LabelStudio).unwrap();
    assert!(documents.iter().all(|document| document.partial) && documents[0].entities().is_empty());
    assert_eq!((quotes(&documents[1]), &documents[1].entities()[0].source), (vec![("Anna", "PER")], &None));
    let left_out: Vec<_> = report.left_out.into_iter().collect();
    assert_eq!(left_out, [(LeftOut::OtherSuggestion, 1), (LeftOut::NumberedSuggestion, 3)]);
    let error = error_of(r#"[{"data":{"text":"a"},"annotations":[],"predictions":["x"]}]"#, Format::LabelStudio);
    assert!(error.contains("field `predictions[0]`: expected an object"), "{error}");
}

#[test]
fn doccano_offsets_that_could_count_grapheme_clusters_are_refused_until_somebody_says_that_they_do_not() {
    for text in ["First\\r\\nAnnabel\\r\\nlives", "e\u{301}t\u{301} Annabel lives", "क्षि Annabel lives"] {
        let line = format!(r#"{{"text":"{text}","label":[[7,12,"PER"]]}}"#);
        let error = error_of(&line, Format::Doccano);
        assert!(
            error.contains("grapheme clusters") && error.contains("`nomen convert --offsets code-points`"),
            "{error}"
        );
        let unit = Some(Unit::CodePoints);
        let options = ReadOptions { format: Some(Format::Doccano), unit, ..ReadOptions::default() };
        assert_eq!(read(&line, &options).unwrap().0[0].entities().len(), 1);
    }
    // No cluster before the end of the entity, or offsets that are past the end if they count clusters.
    for (text, span, quote) in [("Anna\\r\\n", "0,4", "Anna"), ("e\u{301} Anna", "3,7", "Anna")] {
        let line = format!(r#"{{"text":"{text}","label":[[{span},"PER"]]}}"#);
        assert_eq!(quotes(&read_bytes(line.as_bytes(), Format::Doccano).unwrap().0[0]), [(quote, "PER")]);
    }
}
