//! Training runs: started, watched, compared.

use std::sync::Arc;

use axum::{extract::State, response::Response};
use maud::{Markup, html};
use store::{Role, RunState};

use super::{field, grouped, login::to, of_project, token};
use crate::queue::Order;
use crate::studio::{
    Refusal, Studio,
    access::Member,
    address,
    api::{
        queue,
        runs::{self, Run},
        wire::moment,
    },
    assets,
    body::Fields,
    page::Section,
    path::Path,
    runs::{Wanted, Worst},
};

/// Runs whose curves are drawn above each other: as many as a browser asks at once.
const CHARTED: usize = 5;

/// The runs of a project, their curves above each other, and a form for a new one.
pub async fn list(State(studio): State<Arc<Studio>>, member: Member) -> Result<Markup, Refusal> {
    let all: Vec<Run> = studio.store.runs(member.project.id).await?.iter().map(runs::told).collect();
    let api = |run: &Run| address::api(&member.project.name, &format!("runs/{}/events", run.id));
    let body = html! {
        h1 { "Runs" }
        @if all.is_empty() { div.empty { h2 { "No run yet" } p { "A run learns from what is accepted and is judged on a fifth of it." } } }
        @else {
            (charts(all.iter().take(CHARTED).map(|run| Charted::of(run, api(run)))))
            table {
                thead { tr { th { "Run" } th { "State" } th { "Begun" } th.n { "Steps" } th.n { "Loss" } th.n.whole { "Best F1" } th { "Settings" } } }
                tbody { @for run in &all { tr {
                    td.whole { a href=(address::page(&member.project.name, &format!("runs/{}", run.id))) { "Run " (run.id) } }
                    td { (state(&run.state)) }
                    td.whole { (moment(run.begun)) }
                    td.n { (grouped(run.steps)) }
                    td.n { (figure(run.loss)) }
                    td.n { (figure(run.best)) }
                    td.small { code { (settings(run)) } }
                } } }
            }
        }
        @if member.role >= Role::Owner {
            h2 { "New run" }
            form.card.form method="post" action=(address::page(&member.project.name, "runs")) {
                (token(&member.caller))
                (field("base", "Base model; the default where it is empty", ""))
                div {
                    label for="settings" { "Settings, one a line" }
                    textarea #settings name="settings" spellcheck="false" placeholder="max_steps=200" {}
                    small.quiet { "What is left out is chosen from the data." }
                }
                div {
                    label for="order" { "The queue afterwards" }
                    (orders(true))
                    small.quiet { "The new model tags what is open; what it finds is suggested, and what it doubts comes first." }
                }
                button.primary { "Start" }
            }
        }
        h2 { "Order of the queue" }
        form.row method="post" action=(address::page(&member.project.name, "queue/order")) {
            (token(&member.caller))
            (orders(false))
            button { "Rank what is open" }
            small.quiet { "By what was suggested so far and what is annotated." }
        }
        script type="module" src=(assets::path("runs.js")) {}
    };
    Ok(of_project(&member, Section::Runs, body))
}

/// A choice of orders.
fn orders(may_stay: bool) -> Markup {
    let name = |order: Order| match order {
        Order::Mixed => "Doubtful and unlike what is annotated",
        Order::Uncertainty => "Doubtful first",
        Order::Diversity => "Unlike what is annotated first",
        Order::Random => "By chance",
    };
    html! {
        select id=[may_stay.then_some("order")] name="order" aria-label="Order of the queue" {
            @if may_stay { option value="" { "Stays as it is" } }
            @for order in [Order::Mixed, Order::Uncertainty, Order::Diversity, Order::Random] {
                option value=(order.as_str()) { (name(order)) }
            }
        }
    }
}

/// One run: live curves, and the worst errors in their text.
pub async fn show(State(studio): State<Arc<Studio>>, member: Member, path: Path) -> Result<Markup, Refusal> {
    let stored = runs::of(&studio, &member, &path).await?;
    let run = runs::told(&stored);
    let worst = runs::worst(&stored).await?;
    let here = |rest: &str| address::page(&member.project.name, &format!("runs/{}{rest}", run.id));
    let events = address::api(&member.project.name, &format!("runs/{}/events", run.id));
    let body = html! {
        div.row {
            h1 { "Run " (run.id) }
            (state(&run.state))
            span.quiet { "begun " (moment(run.begun)) @if let Some(ended) = run.ended { ", ended " (moment(ended)) } }
            @if stored.state == RunState::Running && member.role >= Role::Owner {
                form.end method="post" action=(here("/stop")) { (token(&member.caller))
                    button.danger data-confirm="Save what it has and stop?" { "Stop" } }
            }
        }
        div.figures {
            div.figure { b data-live="step" { (grouped(run.steps)) } span { "steps" } }
            div.figure { b data-live="loss" { (figure(run.loss)) } span { "loss" } }
            div.figure { b data-live="best" { (figure(run.best)) } span { "best F1 on dev" } }
        }
        (charts([Charted::of(&run, events)]))
        @if !run.told.is_empty() { div.notice.bad { pre { (run.told) } } }
        (errors(&member, &here, worst.as_ref()))
        details { summary { "Command" } pre { (run.command.join(" ")) } p { small.quiet { "in " (stored.started.folder) } } }
        script type="module" src=(assets::path("runs.js")) {}
    };
    Ok(of_project(&member, Section::Runs, body))
}

fn errors(member: &Member, here: &dyn Fn(&str) -> String, worst: Option<&Worst>) -> Markup {
    let Some(worst) = worst else { return html! {} };
    html! {
        div.row {
            h2 { "Worst errors on dev" } span.quiet { (grouped(worst.total as u64)) " in all" }
            @if !worst.cases.is_empty() {
                span.end.row {
                    form method="post" action=(here("/label-errors")) { (token(&member.caller))
                        button title="On the page Quality: where this model is sure of something else than what is annotated" { "List as likely label errors" } }
                    form method="post" action=(here("/queue")) { (token(&member.caller)) button.primary { "Send them to the queue" } }
                }
            }
        }
        @if worst.cases.is_empty() { p.quiet { "It made none." } }
        @else { table {
            thead { tr { th.n { "Document" } th { "What" } th { "Annotated" } th { "Found" } th { "In the text" } } }
            tbody { @for (number, case) in &worst.cases { tr {
                td.n { a href=(address::page(&member.project.name, &format!("data/{number}"))) { (number) } }
                td { (serde_json::to_value(case.kind).unwrap_or_default().as_str().unwrap_or_default().replace('_', " ")) }
                @for mention in [&case.gold, &case.predicted] {
                    td { @if let Some(mention) = mention {
                        bdi { (mention.text) } " "
                        span class={ "chip " (crate::studio::colours::class(&member.project.schema, mention.label.as_str())) } { (mention.label) }
                    } }
                }
                td.text { (case.excerpt) }
            } } }
        } }
    }
}

/// A run whose curves are drawn.
struct Charted {
    name: String,
    /// Where its events are.
    events: String,
    is_going: bool,
}

impl Charted {
    fn of(run: &Run, events: String) -> Self {
        Self { name: format!("run {}", run.id), events, is_going: run.state == RunState::Running.as_str() }
    }
}

/// Curves that the script draws from the events of runs.
fn charts(runs: impl IntoIterator<Item = Charted>) -> Markup {
    html! {
        div.cards #charts {
            section.card { h3 { "Loss" } div data-chart="loss" role="img" aria-label="Loss by step" {} }
            section.card { h3 { "F1 on dev" } div data-chart="score" role="img" aria-label="F1 on dev by step" {} }
        }
        div hidden { @for Charted { name, events, is_going } in runs {
            span data-run=(name) data-events=(events) data-going=(if is_going { "yes" } else { "no" }) {}
        } }
    }
}

fn state(state: &str) -> Markup {
    let class = match state {
        "finished" => "state good",
        "failed" => "state bad",
        "running" => "state warn",
        _ => "state",
    };
    html! { span class=(class) { (state) } }
}

fn figure(figure: Option<f64>) -> String {
    figure.map_or_else(|| "–".to_owned(), |figure| format!("{figure:.4}"))
}

/// The settings among the words of a command.
fn settings(run: &Run) -> String {
    let words = run.command.windows(2).filter(|pair| matches!(&*pair[0], "--set" | "--base"));
    words.map(|pair| pair[1].clone()).collect::<Vec<_>>().join(" ")
}

/// Starts a run.
pub async fn start(State(studio): State<Arc<Studio>>, member: Member, form: Fields) -> Result<Response, Refusal> {
    let settings = form.get("settings");
    let settings = settings.lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned).collect();
    let order = queue::order_named(&form.get("order"))?;
    let wanted = Wanted { base: form.get("base").trim().to_owned(), settings, order };
    let run = studio.runs.start(&member.project, wanted).await?;
    Ok(to(&address::page(&member.project.name, &format!("runs/{}", run.id.0))))
}

/// Ranks what is open.
pub async fn order(State(studio): State<Arc<Studio>>, member: Member, form: Fields) -> Result<Response, Refusal> {
    let order = form.get("order").parse().map_err(Refusal::Invalid)?;
    queue::ranked(&studio, &member, order, 0).await?;
    Ok(to(&address::page(&member.project.name, "annotate")))
}

/// Asks a run to save and leave.
pub async fn stop(State(studio): State<Arc<Studio>>, member: Member, path: Path) -> Result<Response, Refusal> {
    let run = runs::of(&studio, &member, &path).await?;
    studio.runs.stop(run.id)?;
    Ok(to(&address::page(&member.project.name, &format!("runs/{}", run.id.0))))
}

/// Puts what the run was wrong about at the head of the queue.
pub async fn send(State(studio): State<Arc<Studio>>, member: Member, path: Path) -> Result<Response, Refusal> {
    let run = runs::of(&studio, &member, &path).await?;
    runs::send_errors(&studio, &member, &run).await?;
    Ok(to(&address::page(&member.project.name, "annotate")))
}
