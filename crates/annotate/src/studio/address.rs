//! Paths of the studio, with names in them written so that no name can change where a path leads.

use std::fmt::{self, Write as _};

/// A name as one segment of a path: everything but letters, digits and `-._~` percent-encoded (RFC 3986, 2.3).
#[derive(Debug, Clone, Copy)]
pub struct Segment<'a>(pub &'a str);

impl fmt::Display for Segment<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A segment of dots only would be a step in the path, encoded or not: it becomes one that nothing is called.
        if matches!(self.0, "." | "..") {
            return write!(f, "{}%2F", self.0);
        }
        for byte in self.0.bytes() {
            if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
                f.write_char(char::from(byte))?;
            } else {
                write!(f, "%{byte:02X}")?;
            }
        }
        Ok(())
    }
}

/// The path of a page of a project, such as `/p/wnut/annotate`.
pub fn page(project: &str, page: &str) -> String {
    format!("/p/{}/{page}", Segment(project))
}

/// The path of something of a project in the JSON interface, such as `/api/v1/projects/wnut/queue/next`.
pub fn api(project: &str, rest: &str) -> String {
    format!("/api/v1/projects/{}/{rest}", Segment(project))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_stays_one_segment() {
        assert_eq!(page("news 2/3?#", "data"), "/p/news%202%2F3%3F%23/data");
        assert_eq!(api("é", "queue/next"), "/api/v1/projects/%C3%A9/queue/next");
        assert_eq!(page("a-b_c.d~e", "annotate"), "/p/a-b_c.d~e/annotate");
    }

    #[test]
    fn dots_alone_are_no_step_upwards() {
        assert_eq!(page("..", "data"), "/p/..%2F/data");
    }
}
