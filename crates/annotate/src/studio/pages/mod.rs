//! The pages, made on the server. One file a page.

pub mod account;
pub mod annotate;
pub mod assets;
pub mod data;
pub mod document;
pub mod home;
pub mod label_errors;
pub mod login;
pub mod people;
pub mod quality;
mod relabel;
pub mod review;
pub mod runs;
pub mod schema;

use maud::{Markup, html};
use store::Role;

use super::{
    access::{By, Caller, Member},
    page::{self, Head, Project, Section, User},
};

/// What somebody may open in a project.
fn sections(role: Role) -> &'static [Section] {
    match role {
        Role::Annotator => &[Section::Annotate],
        Role::Reviewer => {
            &[Section::Annotate, Section::Review, Section::Data, Section::Schema, Section::Quality, Section::Runs]
        }
        Role::Owner => &Section::ALL,
    }
}

/// A page of a project.
fn of_project(member: &Member, section: Section, body: Markup) -> Markup {
    let head = Head {
        title: section.title(),
        active: Some(section),
        user: Some(user(&member.caller)),
        project: Some(Project { name: &member.project.name, sections: sections(member.role) }),
        csrf: &member.caller.csrf,
        theme: member.caller.theme,
    };
    page::layout(head, body)
}

/// A page of no project.
fn of_caller(caller: &Caller, title: &str, body: Markup) -> Markup {
    let head =
        Head { title, active: None, user: Some(user(caller)), project: None, csrf: &caller.csrf, theme: caller.theme };
    page::layout(head, body)
}

fn user(caller: &Caller) -> User<'_> {
    User { name: &caller.user.name, signed_in: caller.by == By::Session }
}

/// The field that every form carries.
fn token(caller: &Caller) -> Markup {
    html! { input type="hidden" name="csrf" value=(caller.csrf); }
}

/// A field of a form with its name.
fn field(id: &str, title: &str, value: &str) -> Markup {
    html! { div { label for=(id) { (title) } input id=(id) name=(id) value=(value); } }
}

/// A choice between words.
fn choice<'a>(id: &str, title: &str, options: impl IntoIterator<Item = (&'a str, &'a str)>, chosen: &str) -> Markup {
    html! {
        div {
            label for=(id) { (title) }
            select id=(id) name=(id) {
                @for (value, shown) in options { option value=(value) selected[value == chosen] { (shown) } }
            }
        }
    }
}

/// A count with its word.
fn count(number: u64, one: &str, many: &str) -> String {
    if number == 1 { format!("1 {one}") } else { format!("{} {many}", grouped(number)) }
}

/// A number with its digits in groups.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut shown = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            shown.push('\u{202f}');
        }
        shown.push(digit);
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped_by_three() {
        for (number, shown) in [(0, "0"), (999, "999"), (1_000, "1 000"), (1_234_567, "1 234 567")] {
            assert_eq!(grouped(number).replace('\u{202f}', " "), shown);
        }
    }
}
