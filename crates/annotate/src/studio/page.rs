//! The frame of every page: head, navigation, theme.

use maud::{DOCTYPE, Markup, html};

use super::{address, assets};

/// What the frame of a page says.
#[derive(Debug, Clone, Copy)]
pub struct Head<'a> {
    /// What the page is, for the window and for screen readers.
    pub title: &'a str,
    /// The part of the project that the page belongs to.
    pub active: Option<Section>,
    /// Who looks at it; `None` before a login.
    pub user: Option<User<'a>>,
    /// The project, with the sections that this person may open.
    pub project: Option<Project<'a>>,
    /// The token that every form and every write of the script carries.
    pub csrf: &'a str,
    /// Light, dark, or as the system has it.
    pub theme: Theme,
}

/// Somebody who looks at a page.
#[derive(Debug, Clone, Copy)]
pub struct User<'a> {
    /// The name.
    pub name: &'a str,
    /// Whether there is a session to leave; the local user has none.
    pub signed_in: bool,
}

/// A project as the navigation shows it.
#[derive(Debug, Clone, Copy)]
pub struct Project<'a> {
    /// The name.
    pub name: &'a str,
    /// What the navigation offers, in this order.
    pub sections: &'a [Section],
}

/// A part of a project.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Section {
    /// Texts, one after the other.
    Annotate,
    /// What two people made of one text.
    Review,
    /// All documents.
    Data,
    /// Labels and their definitions.
    Schema,
    /// Agreement and findings.
    Quality,
    /// Training.
    Runs,
    /// Who may do what.
    People,
}

impl Section {
    /// Every section, as the navigation has them.
    pub const ALL: [Self; 7] =
        [Self::Annotate, Self::Review, Self::Data, Self::Schema, Self::Quality, Self::Runs, Self::People];

    /// How it is called.
    pub fn title(self) -> &'static str {
        match self {
            Self::Annotate => "Annotate",
            Self::Review => "Review",
            Self::Data => "Data",
            Self::Schema => "Schema",
            Self::Quality => "Quality",
            Self::Runs => "Runs",
            Self::People => "People",
        }
    }

    /// Its last part in the path `/p/PROJECT/...`.
    pub fn path(self) -> &'static str {
        match self {
            Self::Annotate => "annotate",
            Self::Review => "review",
            Self::Data => "data",
            Self::Schema => "schema",
            Self::Quality => "quality",
            Self::Runs => "runs",
            Self::People => "people",
        }
    }
}

/// Light or dark. The switch on the page keeps the choice in the cookie [`Theme::COOKIE`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Theme {
    /// As the system has it.
    #[default]
    System,
    /// Dark on light.
    Light,
    /// Light on dark.
    Dark,
}

impl Theme {
    /// Name of the cookie that keeps the choice.
    pub const COOKIE: &'static str = "nomen-theme";

    /// The theme by the value of its cookie; whatever is no theme is the system's.
    pub fn of_cookie(value: &str) -> Self {
        match value {
            "light" => Self::Light,
            "dark" => Self::Dark,
            _ => Self::System,
        }
    }

    fn attribute(self) -> Option<&'static str> {
        match self {
            Self::System => None,
            Self::Light => Some("light"),
            Self::Dark => Some("dark"),
        }
    }
}

/// A whole page around `body`, which stands in its `main`. Everything in `head` is shown as text.
#[allow(clippy::needless_pass_by_value)] // a page is made once, around what was made for it
pub fn layout(head: Head<'_>, body: Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" data-theme=[head.theme.attribute()] {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                meta name="csrf-token" content=(head.csrf);
                title { (head.title) @if let Some(project) = head.project { " · " (project.name) } " · Nomen" }
                link rel="icon" href=(assets::path("nomen.svg"));
                link rel="stylesheet" href=(assets::path("studio.css"));
                @if let Some(project) = head.project {
                    link rel="stylesheet" href=(address::page(project.name, "labels.css"));
                }
                script type="module" src=(assets::path("studio.js")) {}
            }
            body {
                a.skip href="#main" { "Skip to the content" }
                (top(&head))
                main #main tabindex="-1" { (body) }
            }
        }
    }
}

fn top(head: &Head<'_>) -> Markup {
    html! {
        header.top {
            a.brand href="/" { img src=(assets::path("nomen.svg")) alt="" width="22" height="22"; span { "Nomen" } }
            @if let Some(project) = head.project {
                span.project title=(project.name) { bdi { (project.name) } }
                nav aria-label="Project" {
                    @for section in project.sections {
                        a href=(address::page(project.name, section.path()))
                            aria-current=[(head.active == Some(*section)).then_some("page")] { (section.title()) }
                    }
                }
            }
            div.who {
                button.plain #theme type="button" aria-label="Light or dark" title="Light or dark" { span.sun aria-hidden="true" {} }
                @if let Some(user) = head.user {
                    span.user title=(user.name) { bdi { (user.name) } }
                    @if user.signed_in {
                        form method="post" action="/logout" {
                            input type="hidden" name="csrf" value=(head.csrf);
                            button.plain { "Sign out" }
                        }
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(theme: Theme) -> String {
        let head = Head {
            title: "<b>",
            active: Some(Section::Data),
            user: Some(User { name: "<i>", signed_in: true }),
            project: Some(Project { name: "\"><u>", sections: &[Section::Annotate, Section::Data] }),
            csrf: "token",
            theme,
        };
        layout(head, html! { p { "body" } }).into_string()
    }

    #[test]
    fn names_are_text() {
        let page = shown(Theme::System);
        assert!(!page.contains("<b>") && !page.contains("<i>") && !page.contains("<u>"), "{page}");
        assert!(page.contains("/p/%22%3E%3Cu%3E/labels.css"));
    }

    #[test]
    fn the_navigation_has_the_sections_that_are_given_and_marks_the_active_one() {
        let page = shown(Theme::System);
        assert!(
            page.contains("aria-current=\"page\">Data</a>")
                && page.contains(">Annotate</a>")
                && !page.contains(">Runs</a>")
        );
        assert_eq!(page.matches("aria-current").count(), 1);
    }

    #[test]
    fn the_theme_is_the_cookie_s_or_the_system_s() {
        assert!(shown(Theme::of_cookie("dark")).contains("data-theme=\"dark\""));
        assert!(shown(Theme::of_cookie("light")).contains("data-theme=\"light\""));
        assert!(!shown(Theme::of_cookie("\"><script>")).contains("data-theme"));
    }
}
