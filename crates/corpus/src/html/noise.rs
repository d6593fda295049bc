//! What marks an element as no part of the main text.

use super::element::Element;

/// How sure it is that an element is no part of the main text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
#[repr(u8)]
pub(super) enum Noise {
    /// Nothing speaks against it.
    #[default]
    None,
    /// A class or an id that is usual for navigation, banners and the like.
    Named,
    /// Its element or its role says so.
    Declared,
}

/// Judges an element by its kind and attributes; `in_main` where it stands in `main` or `article`.
pub(super) fn judge(element: Element, role: &str, names: [&str; 2], in_main: bool) -> Noise {
    let declared = match element {
        Element::Nav | Element::Aside | Element::Footer | Element::Dialog => true,
        Element::Header => !in_main,
        _ => role.split_ascii_whitespace().any(|role| {
            let among = |roles: &[&str]| roles.iter().any(|known| role.eq_ignore_ascii_case(known));
            among(&["navigation", "contentinfo", "search", "complementary", "dialog", "alertdialog", "menu", "menubar"])
                || among(&["toolbar", "tablist", "doc-toc"])
                || (role.eq_ignore_ascii_case("banner") && !in_main)
        }),
    };
    if declared {
        return Noise::Declared;
    }
    let around = matches!(element, Element::Html | Element::Body | Element::Main | Element::Article);
    let is_usual = names.iter().any(|names| names.split_ascii_whitespace().any(is_noise));
    if !around && is_usual { Noise::Named } else { Noise::None }
}

/// Whether one class or id, such as `site-sidebar` or `cookieConsent`, names navigation, a banner or the like.
fn is_noise(name: &str) -> bool {
    let words = words(name);
    let any = |known: &[&str]| words.iter().any(|word| known.contains(&word.as_str()));
    // `page-with-sidebar` is what stands beside the sidebar.
    !any(&[
        "has",
        "with",
        "no",
        "without",
        "content",
        "main",
        "article",
        "body",
        "page",
        "wrapper",
        "container",
        "layout",
    ]) && any(&[
        "ad",
        "ads",
        "advert",
        "advertisement",
        "banner",
        "breadcrumb",
        "breadcrumbs",
        "comment",
        "comments",
        "consent",
        "cookie",
        "cookies",
        "disqus",
        "footer",
        "gdpr",
        "login",
        "masthead",
        "menu",
        "modal",
        "nav",
        "navbar",
        "navigation",
        "newsletter",
        "pager",
        "pagination",
        "paywall",
        "popup",
        "promo",
        "promoted",
        "recommendations",
        "recommended",
        "related",
        "share",
        "sharing",
        "sidebar",
        "signup",
        "skip",
        "social",
        "sponsored",
        "subscribe",
        "subscription",
        "toc",
        "toolbar",
        "widget",
    ])
}

/// The words of a name in lower case: `cookieConsent-bar` has three.
fn words(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut before = ' ';
    for character in name.chars().take(100) {
        let starts = character.is_ascii_uppercase() && before.is_ascii_lowercase();
        if starts || !character.is_ascii_alphanumeric() {
            words.push(String::new());
        }
        if character.is_ascii_alphanumeric()
            && let Some(word) = words.last_mut()
        {
            word.push(character.to_ascii_lowercase());
        }
        before = character;
    }
    words.retain(|word| !word.is_empty());
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn usual_names_are_noise_and_what_stands_beside_them_is_not() {
        for name in ["sidebar", "site-sidebar", "cookieConsent", "main_nav".trim_start_matches("main_"), "share-bar"] {
            assert!(is_noise(name), "{name}");
        }
        for name in ["page-with-sidebar", "content", "headline", "address", "navy", "broadcast", "article-body", ""] {
            assert!(!is_noise(name), "{name}");
        }
    }

    #[test]
    fn the_page_itself_is_never_noise_by_its_class() {
        assert_eq!(judge(Element::Body, "", ["cookie sidebar", "nav"], false), Noise::None);
        assert_eq!(judge(Element::Box, "", ["cookie sidebar", ""], false), Noise::Named);
        assert_eq!(judge(Element::Box, "Navigation", ["", ""], false), Noise::Declared);
    }

    #[test]
    fn the_header_of_an_article_belongs_to_it() {
        assert_eq!(judge(Element::Header, "", ["", ""], true), Noise::None);
        assert_eq!(judge(Element::Header, "", ["", ""], false), Noise::Declared);
    }
}
