//! The Robots Exclusion Protocol, RFC 9309.

use std::time::Duration;

use super::pattern;

/// How much of a file is parsed; the RFC asks for at least 500 KiB.
pub(super) const MOST_BYTES: usize = 500 << 10;

/// What a host's robots.txt says to one crawler.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Robots {
    rules: Vec<Rule>,
    /// How long the host asks to wait between two requests; not part of the RFC.
    pub(super) delay: Option<Duration>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Rule {
    allow: bool,
    /// Percent-encoded as RFC 9309 2.2.2 says.
    path: Vec<u8>,
}

impl Robots {
    /// Nothing is forbidden.
    pub(super) fn everything() -> Self {
        Self::default()
    }

    /// Reads a file for the crawler called `product`, a name of letters, `-` and `_`.
    ///
    /// The groups of that name are merged; where there are none, those of `*` count.
    pub(super) fn parse(file: &[u8], product: &str) -> Self {
        let mut file = &file[..file.len().min(MOST_BYTES)];
        file = file.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(file);
        let (mut own, mut others) = (Self::default(), Self::default());
        let mut own_group = false;
        // Whether the group that is being read is for us, and for everybody.
        let (mut ours, mut everybodys) = (false, false);
        let mut in_names = false;
        for line in file.split(|byte| matches!(byte, b'\n' | b'\r')) {
            let line = line.split(|byte| *byte == b'#').next().unwrap_or_default();
            let Some(colon) = line.iter().position(|byte| *byte == b':') else { continue };
            let (key, value) = (line[..colon].trim_ascii().to_ascii_lowercase(), line[colon + 1..].trim_ascii());
            if key == b"user-agent" {
                if !in_names {
                    (ours, everybodys, in_names) = (false, false, true);
                }
                ours |= names(value, product);
                everybodys |= value == b"*";
                own_group |= ours;
                continue;
            }
            let mut groups = Vec::new();
            if ours {
                groups.push(&mut own);
            }
            if everybodys {
                groups.push(&mut others);
            }
            match key.as_slice() {
                b"allow" | b"disallow" => {
                    in_names = false;
                    // A rule without a path says nothing.
                    if !value.is_empty() {
                        let rule = Rule { allow: key == b"allow", path: encoded(value) };
                        for group in groups {
                            group.rules.push(rule.clone());
                        }
                    }
                }
                b"crawl-delay" => {
                    in_names = false;
                    let seconds = std::str::from_utf8(value).ok().and_then(|value| value.parse::<f64>().ok());
                    let delay = seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
                    for group in groups {
                        group.delay = group.delay.max(delay);
                    }
                }
                // Other records, such as `Sitemap`, belong to no group and end none.
                _ => {}
            }
        }
        if own_group { own } else { others }
    }

    /// Whether a path with its query may be asked for: the longest rule that matches decides, `allow` where two are
    /// equally long, and without a rule it may.
    pub(super) fn allows(&self, path: &str) -> bool {
        if path == "/robots.txt" {
            return true;
        }
        let path = encoded(path.as_bytes());
        let matching = self.rules.iter().filter(|rule| pattern::starts(&path, &rule.path));
        matching.max_by_key(|rule| (rule.path.len(), rule.allow)).is_none_or(|rule| rule.allow)
    }
}

/// Whether a `user-agent` line names the product, ignoring case and a version behind it.
fn names(value: &[u8], product: &str) -> bool {
    let is_name = |byte: &u8| byte.is_ascii_alphabetic() || matches!(byte, b'-' | b'_');
    let length = value.iter().take_while(|byte| is_name(byte)).count();
    value[..length].eq_ignore_ascii_case(product.as_bytes())
}

/// The path in the form in which paths are compared: characters beyond ASCII are percent-encoded, encoded characters
/// that need no encoding are decoded, and hexadecimal digits are in upper case.
fn encoded(path: &[u8]) -> Vec<u8> {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    let mut encoded = Vec::with_capacity(path.len());
    let mut rest = path;
    while let Some((&byte, behind)) = rest.split_first() {
        rest = behind;
        let digit = |index: usize| behind.get(index).and_then(|byte| char::from(*byte).to_digit(16));
        let code = match (byte, digit(0), digit(1)) {
            (b'%', Some(high), Some(low)) => {
                rest = &behind[2..];
                let code = (high * 16 + low) as u8;
                if code.is_ascii_alphanumeric() || matches!(code, b'-' | b'.' | b'_' | b'~') {
                    encoded.push(code);
                    continue;
                }
                code
            }
            _ if byte.is_ascii() => {
                encoded.push(byte);
                continue;
            }
            _ => byte,
        };
        encoded.extend([b'%', HEX[usize::from(code >> 4)], HEX[usize::from(code & 15)]]);
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    fn robots(file: &str) -> Robots {
        Robots::parse(file.as_bytes(), "nomen")
    }

    #[test]
    fn the_simple_example_of_the_rfc() {
        let file = "User-Agent: *\nDisallow: *.gif$\nDisallow: /example/\nAllow: /publications/\n\n\
                    User-Agent: foobot\nDisallow:/\nAllow:/example/page.html\nAllow:/example/allowed.gif\n\n\
                    User-Agent: barbot\nUser-Agent: bazbot\nDisallow: /example/page.html\n\nUser-Agent: quxbot\n";
        let of = |product| Robots::parse(file.as_bytes(), product);
        let [other, foobot, bazbot, quxbot] = ["nomen", "foobot", "BazBot", "quxbot"].map(of);
        assert!(!other.allows("/a.gif") && !other.allows("/example/x") && other.allows("/publications/x"));
        assert!(!foobot.allows("/x") && foobot.allows("/example/page.html") && foobot.allows("/example/allowed.gif"));
        assert!(!bazbot.allows("/example/page.html") && bazbot.allows("/example/y") && bazbot.allows("/a.gif"));
        assert!(quxbot.allows("/example/x"), "a group without rules allows everything");
    }

    #[test]
    fn the_longest_match_decides_and_allow_where_two_are_equal() {
        let rules = robots("User-Agent: nomen\nAllow: /example/page/\nDisallow: /example/page/disallowed.gif\n");
        assert!(rules.allows("/example/page/x") && !rules.allows("/example/page/disallowed.gif"));
        assert!(robots("user-agent:*\ndisallow:/a\nallow:/a").allows("/a"));
        assert!(robots("user-agent:*\nallow:/a\ndisallow:/a").allows("/a"));
    }

    #[test]
    fn groups_of_one_name_are_merged_and_comments_and_case_do_not_matter() {
        let rules = robots(
            "# hello\nuser-agent: x\ndisallow: /x\nUSER-AGENT: Nomen/2.0 # ours\nDisAllow : /b # no\r\nuser-agent: *\n\
             disallow: /\nuser-agent: nomen\ndisallow: /c\n",
        );
        assert!(!rules.allows("/b") && !rules.allows("/c") && rules.allows("/x") && rules.allows("/d"));
        assert!(!robots("user-agent: nom\nuser-agent: *\ndisallow: /").allows("/"));
        assert!(robots("user-agent: nomenclature\ndisallow: /").allows("/"));
    }

    #[test]
    fn other_records_end_no_group() {
        let rules = robots("User-Agent: nomen\nSitemap: https://a/s.xml\nUser-Agent: foo\nDisallow: /a\n");
        assert!(!rules.allows("/a"));
    }

    #[test]
    fn paths_are_compared_in_one_encoding() {
        let rules =
            robots("user-agent: *\ndisallow: /foo/bar/ツ\ndisallow: /%62%61z\ndisallow: /p%2fq\ndisallow: /%2a");
        assert!(!rules.allows("/foo/bar/%E3%83%84") && !rules.allows("/foo/bar/%e3%83%84"));
        assert!(!rules.allows("/baz") && !rules.allows("/%62az"));
        assert!(rules.allows("/p/q") && !rules.allows("/p%2Fq"));
        assert!(rules.allows("/x"), "an encoded star is no star");
    }

    #[test]
    fn a_delay_is_read_and_the_file_itself_is_always_allowed() {
        assert_eq!(robots("user-agent: *\ncrawl-delay: 2.5").delay, Some(Duration::from_millis(2500)));
        for delay in ["-1", "nan", "1e99", "soon", ""] {
            assert_eq!(robots(&format!("user-agent: *\ncrawl-delay: {delay}")).delay, None, "{delay}");
        }
        let nothing = robots("user-agent: *\ndisallow: /");
        assert!(nothing.allows("/robots.txt") && !nothing.allows("/"));
        assert!(Robots::everything().allows("/anything?at=all"));
    }

    #[test]
    fn what_stands_behind_500_kib_is_not_read() {
        let filled = |bytes: usize| "#".repeat(bytes - 1) + "\n";
        let rule = "user-agent: *\ndisallow: /";
        assert!(!robots(&(filled(MOST_BYTES - rule.len()) + rule)).allows("/"));
        assert!(robots(&(filled(600 << 10) + rule)).allows("/"));
        assert!(!robots(&(rule.to_owned() + "\n" + &filled(600 << 10))).allows("/"));
    }

    #[test]
    fn any_bytes_are_a_file() {
        for file in [&b"\xFF\xFE:\x00"[..], b":::", b"user-agent", b"\xEF\xBB\xBFuser-agent:*\ndisallow:/"] {
            let rules = Robots::parse(file, "nomen");
            assert_eq!(rules.allows("/"), !file.starts_with(b"\xEF"));
        }
    }
}
