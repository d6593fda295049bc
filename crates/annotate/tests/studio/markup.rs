//! Markup in texts, labels and names is text: fault row F1.

use axum::http::header;
use nomen_annotate::studio::ROUTES;
use schema::{Entity, Grounding, Label, Origin, OriginKind, Span, Suggestion};
use store::{Finding, Layer, NewRevision, Provenance, Role, Verdict};

use crate::fixture::{Fixture, Script, run};

const HOSTILE: &str = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>";

#[test]
fn hostile_markup_is_shown_as_text_on_every_page() {
    run(async {
        let script = Script { train: "exit 1".to_owned(), tag: "exit 1".to_owned() };
        let fixture = Fixture::with(HOSTILE, None, script).await;
        let (store, project) = (&fixture.store, fixture.project.id);
        fixture.person(HOSTILE, Some(Role::Annotator)).await;
        fixture.add([HOSTILE]).await;
        let owner = store.user_named("olga").await.unwrap();
        let label = Label::new(HOSTILE).unwrap();
        let mut labels: Vec<schema::LabelDefinition> = fixture.project.schema.definitions().to_vec();
        labels.push(schema::LabelDefinition {
            definition: HOSTILE.to_owned(),
            examples: vec![HOSTILE.to_owned()],
            ..schema::LabelDefinition::undefined(label.clone())
        });
        store.define(project, 1, &schema::Schema::new(labels).unwrap(), HOSTILE, owner.id).await.unwrap();
        let hostile = store.user_named(HOSTILE).await.unwrap();
        let number = 4;
        let entity = Entity::new(Span::new(0, HOSTILE.len()).unwrap(), label.clone());
        let revision = |key: &str, entities| NewRevision {
            parent: 0,
            verdict: Verdict::Flagged,
            entities,
            note: HOSTILE.to_owned(),
            origin: Provenance::Relabel { what: HOSTILE.to_owned() },
            key: key.to_owned(),
        };
        store.ask_twice(project, &[number]).await.unwrap();
        store.save(project, number, Layer::First, revision("a", vec![entity.clone()]), hostile.id).await.unwrap();
        store.save(project, number, Layer::Second, revision("b", Vec::new()), owner.id).await.unwrap();
        store.save(project, number, Layer::First, revision("c", Vec::new()), hostile.id).await.unwrap_err();
        let finding = Finding {
            document: number,
            rule: HOSTILE.to_owned(),
            message: HOSTILE.to_owned(),
            span: Some(entity.span),
        };
        store.set_findings(project, &[finding]).await.unwrap();
        let origin = Origin { version: HOSTILE.to_owned(), ..Origin::new(OriginKind::Llm, HOSTILE) };
        let suggestion = Suggestion {
            span: None,
            label,
            score: Some(0.5),
            status: Grounding::Ungrounded,
            quote: HOSTILE.to_owned(),
            edits: 0,
            verified: Some(false),
            origin: origin.clone(),
        };
        store.suggest(project, &origin, &[(number, vec![suggestion])]).await.unwrap();

        let segment: String =
            url::form_urlencoded::byte_serialize(HOSTILE.as_bytes()).collect::<String>().replace('+', "%20");
        let mut looked = 0;
        for route in ROUTES.iter().filter(|route| route.method == "get" && !route.path.starts_with("/api/")) {
            let path = route.path.replace("{project}", &segment).replace("{number}", "4").replace("{run}", "1");
            let queries = ["", "?text=%3Cscript%3Ealert(1)", "?layer=first"];
            for query in queries {
                let reply = fixture.get(&fixture.session("olga").await, &format!("{path}{query}")).await;
                for hostile in ["<script>alert", "<img src=x", "'><img"] {
                    assert!(!reply.text.contains(hostile), "{path}{query} has {hostile}: {}", reply.text);
                }
                inert(&path, &reply.text);
                let policy = reply.headers[header::CONTENT_SECURITY_POLICY].to_str().unwrap();
                for part in ["default-src 'none'", "script-src 'self'", "style-src 'self'", "frame-ancestors 'none'"] {
                    assert!(policy.contains(part), "{path}: {policy}");
                }
                assert!(!policy.contains("unsafe"), "{path}: {policy}");
                assert_eq!(reply.headers[header::X_CONTENT_TYPE_OPTIONS], "nosniff");
                looked += usize::from(reply.text.contains("&lt;script&gt;alert(1)"));
            }
        }
        assert!(looked > 15, "only {looked} pages showed what they should escape");
    });
}

/// Nothing in a page runs but the files that it names: no inline script, style or handler.
#[track_caller]
fn inert(path: &str, page: &str) {
    for tag in page.split('<').skip(1) {
        let tag = tag.split('>').next().unwrap_or_default();
        // What stands between quotes is a value.
        let names: String = tag.split('"').step_by(2).collect();
        assert!(!names.contains(" style=") && !names.contains(" on"), "{path}: <{tag}>");
        if tag.starts_with("script") {
            assert!(tag.contains(" src=\"/assets/") || tag.contains("type=\"application/json\""), "{path}: <{tag}>");
        }
        assert!(!tag.starts_with("style"), "{path}: <{tag}>");
        assert!(!tag.contains("javascript:"), "{path}: <{tag}>");
    }
}
