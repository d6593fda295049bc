//! Text from data and files, made safe to read.

use std::fmt::Write as _;

use maud::{Markup, html};

/// The text with every character that could hide, reorder or break what stands around it written out, so that a
/// reader sees what the model saw. Markup is not touched: the template escapes it.
pub fn visible(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '\n' => shown.push('↵'),
            '\t' => shown.push('⇥'),
            hidden if is_hidden(hidden) => {
                // Writing to a string cannot fail.
                let _ = write!(shown, "⟨U+{:04X}⟩", u32::from(hidden));
            }
            other => shown.push(other),
        }
    }
    shown
}

/// A name, [`visible`], that may go on in the next line behind each of its parts where there is no room.
pub fn breakable(name: &str) -> Markup {
    html! {
        @for part in name.split_inclusive(['_', '-', '.', '/', ':']) { (visible(part)) wbr; }
    }
}

/// Controls, bidirectional controls, and characters without width. Joiners belong to scripts and emoji and stay.
fn is_hidden(character: char) -> bool {
    character.is_control()
        || matches!(
            character,
            '\u{AD}' | '\u{61C}' | '\u{180E}' | '\u{200B}' | '\u{200E}' | '\u{200F}' | '\u{2028}'..='\u{202E}'
                | '\u{2060}'..='\u{206F}' | '\u{FEFF}' | '\u{FFF9}'..='\u{FFFB}'
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markup_and_quotes_are_text_in_content_and_attributes() {
        let hostile = r#"<script>alert("x")</script>' & "#;
        let page = html! { p title=(visible(hostile)) { (visible(hostile)) } }.into_string();
        let (attribute, content) = page.split_once('>').unwrap();
        assert!(!content.contains("<script") && content.contains("&lt;script&gt;"), "{page}");
        assert_eq!(attribute.matches('"').count(), 2, "{page}");
        assert!(content.contains("&amp;"), "{page}");
    }

    #[test]
    fn what_hides_or_reorders_text_is_written_out() {
        assert_eq!(visible("a\u{202E}b\u{2066}c\u{FEFF}"), "a⟨U+202E⟩b⟨U+2066⟩c⟨U+FEFF⟩");
        assert_eq!(visible("one\ntwo\tthree\0\u{1b}[31m"), "one↵two⇥three⟨U+0000⟩⟨U+001B⟩[31m");
    }

    #[test]
    fn text_of_any_script_stays_as_it_is() {
        for text in ["Ærø, naïve", "می‌خواهم", "עברית", "日本語", "👩‍🔬 🏴‍☠️", "e\u{301}"]
        {
            assert_eq!(visible(text), text);
        }
    }
}
