//! In which language a text is written.

use whatlang::Lang;

/// How much of a text is looked at, in bytes.
const LOOKED_AT: usize = 20_000;

/// The language's code of ISO 639-1, or of 639-3 where that has none; `None` where the text does not tell it reliably.
pub(super) fn of(text: &str) -> Option<&'static str> {
    let mut end = text.len().min(LOOKED_AT);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    let info = whatlang::detect(&text[..end])?;
    info.is_reliable().then(|| code(info.lang()))
}

fn code(language: Lang) -> &'static str {
    match language.code() {
        "epo" => "eo",
        "eng" => "en",
        "rus" => "ru",
        "cmn" => "zh",
        "spa" => "es",
        "por" => "pt",
        "ita" => "it",
        "ben" => "bn",
        "fra" => "fr",
        "deu" => "de",
        "ukr" => "uk",
        "kat" => "ka",
        "ara" => "ar",
        "hin" => "hi",
        "jpn" => "ja",
        "heb" => "he",
        "yid" => "yi",
        "pol" => "pl",
        "amh" => "am",
        "jav" => "jv",
        "kor" => "ko",
        "nob" => "nb",
        "dan" => "da",
        "swe" => "sv",
        "fin" => "fi",
        "tur" => "tr",
        "nld" => "nl",
        "hun" => "hu",
        "ces" => "cs",
        "ell" => "el",
        "bul" => "bg",
        "bel" => "be",
        "mar" => "mr",
        "kan" => "kn",
        "ron" => "ro",
        "slv" => "sl",
        "hrv" => "hr",
        "srp" => "sr",
        "mkd" => "mk",
        "lit" => "lt",
        "lav" => "lv",
        "est" => "et",
        "tam" => "ta",
        "vie" => "vi", // codespell:ignore
        "urd" => "ur",
        "tha" => "th", // codespell:ignore
        "guj" => "gu",
        "uzb" => "uz",
        "pan" => "pa",
        "aze" => "az",
        "ind" => "id",
        "tel" => "te", // codespell:ignore
        "pes" => "fa",
        "mal" => "ml",
        "ori" => "or",
        "mya" => "my",
        "nep" => "ne",
        "sin" => "si",
        "khm" => "km",
        "tuk" => "tk",
        "aka" => "ak",
        "zul" => "zu",
        "sna" => "sn",
        "afr" => "af",
        "lat" => "la",
        "slk" => "sk",
        "cat" => "ca",
        "tgl" => "tl",
        "hye" => "hy",
        "cym" => "cy",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_tells_its_language_where_it_is_long_enough() {
        let english = "The harbour was dredged in the spring, and the ships came back to the island before the summer.";
        assert_eq!(of(english), Some("en"));
        let german =
            "Der Hafen wurde im Frühjahr ausgebaggert, und die Schiffe kehrten im Sommer wieder zur Insel zurück.";
        assert_eq!(of(german), Some("de"));
        assert_eq!(of(&"港が春に浚渫され、船は夏の前に島に戻ってきた。".repeat(2000)), Some("ja"));
        assert_eq!(of("42"), None);
        assert_eq!(of(""), None);
    }

    #[test]
    fn every_language_has_a_short_code() {
        assert!(Lang::all().iter().all(|language| code(*language).len() == 2));
    }
}
