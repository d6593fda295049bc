//! Text out of bytes of unknown encoding.

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{Encoding, ISO_2022_JP, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252, X_USER_DEFINED};

/// How much of a page is searched for the `meta` element that names its encoding.
const META: usize = 4096;
/// How much is looked at where nothing names the encoding.
const DETECT: usize = 1 << 20;

/// Bytes as text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decoded {
    /// The text, without a byte order mark.
    pub text: String,
    /// The encoding's name in the WHATWG Encoding Standard, such as `UTF-8` or `windows-1252`.
    pub encoding: &'static str,
    /// Some bytes are none of that encoding; U+FFFD stands in their place.
    pub malformed: bool,
}

/// Decodes bytes by their byte order mark, by `declared` (the `charset` of an HTTP header), by the page's own `meta`
/// element, or else by their statistics.
///
/// What the bytes prove beats what is said of them: bytes that are valid UTF-8 beyond ASCII are UTF-8, and a name
/// under which some bytes mean nothing is tried last.
pub fn decode(bytes: &[u8], declared: Option<&str>) -> Decoded {
    if let Some((encoding, mark)) = Encoding::for_bom(bytes) {
        return with(encoding, &bytes[mark..]);
    }
    let declared = declared.and_then(|label| Encoding::for_label(label.trim().as_bytes())).or_else(|| meta(bytes));
    let wide = declared.is_some_and(|encoding| [UTF_16LE, UTF_16BE, ISO_2022_JP].contains(&encoding));
    if !wide && std::str::from_utf8(bytes).is_ok() {
        let encoding = match declared {
            Some(encoding) if bytes.is_ascii() && encoding.is_ascii_compatible() => encoding,
            _ => UTF_8,
        };
        return with(encoding, bytes);
    }
    let Some(declared) = declared else { return with(detect(bytes), bytes) };
    let decoded = with(declared, bytes);
    if !decoded.malformed {
        return decoded;
    }
    let detected = with(detect(bytes), bytes);
    if detected.malformed { decoded } else { detected }
}

fn with(encoding: &'static Encoding, bytes: &[u8]) -> Decoded {
    let (text, malformed) = encoding.decode_without_bom_handling(bytes);
    Decoded { text: text.into_owned(), encoding: encoding.name(), malformed }
}

fn detect(bytes: &[u8]) -> &'static Encoding {
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Allow);
    detector.feed(&bytes[..bytes.len().min(DETECT)], bytes.len() <= DETECT);
    detector.guess(None, Utf8Detection::Allow)
}

/// The encoding that the first `meta` element with a `charset` names, as the HTML standard's prescan finds it.
fn meta(bytes: &[u8]) -> Option<&'static Encoding> {
    let head = bytes[..bytes.len().min(META)].to_ascii_lowercase();
    let mut rest = head.as_slice();
    while let Some(start) = find(rest, b"<meta") {
        rest = &rest[start + 5..];
        let tag = &rest[..find(rest, b">").unwrap_or(rest.len())];
        let Some(place) = find(tag, b"charset") else { continue };
        let value = tag[place + 7..].trim_ascii_start();
        let Some(value) = value.strip_prefix(b"=") else { continue };
        let value = value.trim_ascii_start();
        let value = value.strip_prefix(b"\"").or_else(|| value.strip_prefix(b"'")).unwrap_or(value);
        let ends = |byte: &u8| matches!(byte, b'"' | b'\'' | b';' | b'/' | b' ' | b'\t' | b'\n' | b'\r');
        let label = &value[..value.iter().position(ends).unwrap_or(value.len())];
        if let Some(encoding) = Encoding::for_label(label) {
            // A page that could be read so far is none of these.
            return Some(match encoding {
                _ if encoding == UTF_16LE || encoding == UTF_16BE => UTF_8,
                _ if encoding == X_USER_DEFINED => WINDOWS_1252,
                encoding => encoding,
            });
        }
    }
    None
}

fn find(text: &[u8], part: &[u8]) -> Option<usize> {
    text.windows(part.len()).position(|window| window == part)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(bytes: &[u8], declared: Option<&str>) -> (String, &'static str, bool) {
        let Decoded { text, encoding, malformed } = decode(bytes, declared);
        (text, encoding, malformed)
    }

    #[test]
    fn the_byte_order_mark_comes_first_then_the_header_then_the_page() {
        assert_eq!(said(b"\xEF\xBB\xBF\xC3\xA9", Some("latin1")), ("é".into(), "UTF-8", false));
        assert_eq!(said(b"\xFF\xFE\xE9\x00", Some("utf-8")), ("é".into(), "UTF-16LE", false));
        let page = b"<meta http-equiv=Content-Type content='text/html; charset=iso-8859-2'>\xB1";
        assert!(said(page, Some("windows-1252")).0.ends_with('±'));
        assert!(said(page, None).0.ends_with('ą'));
        assert!(said(b"<META CHARSET = \"Shift_JIS\"/>\x83\x6E", None).0.ends_with('ハ'));
    }

    #[test]
    fn a_wrong_name_loses_against_what_the_bytes_prove() {
        assert_eq!(said("naïve Ærø".as_bytes(), Some("iso-8859-1")), ("naïve Ærø".into(), "UTF-8", false));
        let latin = b"Les \xE9l\xE8ves fran\xE7ais \xE9taient tr\xE8s contents de la journ\xE9e.";
        let (text, encoding, malformed) = said(latin, Some("utf-8"));
        assert_eq!((text.as_str(), malformed), ("Les élèves français étaient très contents de la journée.", false));
        assert_eq!(encoding, "windows-1252");
        assert_eq!(said(b"plain", Some("no-such-charset")).1, "UTF-8");
    }

    #[test]
    fn bytes_of_no_encoding_are_replaced_and_told() {
        let (text, _, malformed) = said(b"<meta charset=utf-16>ab\x00\xFF\xFE\xC3", Some("utf-8"));
        assert!(text.starts_with("<meta"));
        assert_eq!(malformed, text.contains('\u{FFFD}'));
        assert_eq!(said(b"", None), (String::new(), "UTF-8", false));
    }
}
