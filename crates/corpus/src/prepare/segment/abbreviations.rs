//! What a full stop behind a word means.

/// Behind these something always follows in the same sentence: titles, references, `e.g.` and its like.
/// English, Danish, Norwegian, Swedish, German, French, Spanish; lower case, without the last full stop.
const LEADING: &str = "\
    abs adj adm adv afd anm approx asst bd bl bl.a brig bzw ca capt cf ch chap cmdr col d.h d.v.s dept dr dra drs \
    dvs e.g eds eg eks eq eqs esp evt f.eks f.ex ff fhv fig figs frk frl fx geb gen gov hon hr hrn hrsg i.e ibid ie \
    inkl insp jf kap kgl kl lic lieut lt messrs mfl mlle mme mr mrs ms msgr mt nr o.g opr p p.g.a pag pfc pkt pp \
    pres prof pvt refs resp rev s.k sci sect sen sgt skt sml sr sra st ste suppl supt tab tel tlf u.a univ v vedr \
    vgl viz vol vols vs z.b";

/// These may also be the last word of a sentence.
const TRAILING: &str = "\
    a.m a.s al apr art aug ave b.c bros cap cie co corp d.c dec dir e.v ed esq est et.c etc feb fol fr ft ill inc \
    ing jan jr jul jun kg km kr lat llc ltd m.fl m.m m.v mag maj max mia mill min mio mm mrd mv nat no nos nov o.a \
    o.l o.lign o.s.v obs oct okt op orig osv p.m par ph.d pl plc pt red ref rep s.a sec sep sept sign sog str tlr \
    u.k u.s u.s.a usw";

/// Words that far more often begin a sentence than a name, in the same languages; capitalized.
const STARTERS: &str = "\
    A According After Again Alle Also Although Among An And Another As At Auch Because Before Both But By Da Das De \
    Den Denne Der Derfor Det Dette Die Dies Diese Dog During Efter Ein Eine El Elle En Er Es Et Even First For Fra \
    From Før Han Hans He Her Here His How However Hun I If Il Im In Instead It Its Jeg La Later Le Les Los Man Many \
    Med Men Mit More Most My No Not Nous Now Nu Når Og Om On One Only Or Other Our Over På She Sie Since So Som Some \
    Such Så That The Their Then There These They This Those Though Through Thus To Two Und Under Une Unlike Until \
    Ved Vi We Wenn What When Where While Who Why Wir With Yes Yet You Your Zu";

fn is_one_of(words: &str, word: &str) -> bool {
    words.split(' ').any(|known| known == word)
}

/// What the word in front of a full stop says about the sentence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stop {
    /// The full stop ends a sentence.
    Ends,
    /// It belongs to the word, and the sentence goes on.
    Continues,
    /// Either; what follows must decide.
    Open,
}

/// What the full stop behind `word` is, given without it. `first` says that nothing of the sentence stands before.
pub(super) fn stop(word: &str, first: bool) -> Stop {
    let letters = || word.chars().filter(|character| *character != '.');
    if word.is_empty() || word.ends_with('.') {
        return Stop::Ends;
    }
    if word.chars().all(|character| character.is_ascii_digit()) {
        // A list's number, then a day or an ordinal, then a year.
        return match word.len() {
            1..=3 if first => Stop::Continues,
            1 | 2 => Stop::Open,
            _ => Stop::Ends,
        };
    }
    let lower = word.to_lowercase();
    // The second is the end of a German street.
    if is_one_of(LEADING, &lower) || lower.ends_with("str") {
        return Stop::Continues;
    }
    if is_one_of(TRAILING, &lower) {
        return Stop::Open;
    }
    let mut parts = word.split('.');
    let single = parts.all(|part| part.split('-').all(|part| part.chars().count() <= 1));
    if single && letters().all(|letter| letter.is_alphabetic() || letter == '-') {
        // An initial (`J.`, `J.-P.`), an acronym (`U.S.`), an abbreviation (`t.o.m.`) or a list's letter.
        return if first && letters().count() == 1 { Stop::Continues } else { Stop::Open };
    }
    if word.len() <= 5 && word.chars().all(|letter| "IVX".contains(letter)) {
        return Stop::Open;
    }
    Stop::Ends
}

/// Whether the text starts with a word that begins sentences.
pub(super) fn starts_sentence(text: &str) -> bool {
    let text = text.trim_start_matches(['"', '\'', '“', '”', '„', '«', '»', '‘', '(', '[']);
    let end = text.find(|character: char| !character.is_alphanumeric()).unwrap_or(text.len());
    // `A.` is an initial, not an article.
    !text[end..].starts_with('.') && is_one_of(STARTERS, &text[..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_stop_is_read_from_the_word_before_it() {
        let cases = [
            ("Rome", Stop::Ends),
            ("1999", Stop::Ends),
            ("..", Stop::Ends),
            ("Dr", Stop::Continues),
            ("e.g", Stop::Continues),
            ("J", Stop::Open),
            ("J.-P", Stop::Open),
            ("U.S", Stop::Open),
            ("Inc", Stop::Open),
            ("XIV", Stop::Open),
            ("5", Stop::Open),
            ("v1.2", Stop::Ends),
        ];
        for (word, expected) in cases {
            assert_eq!(stop(word, false), expected, "{word}");
        }
        assert_eq!((stop("1", true), stop("a", true)), (Stop::Continues, Stop::Continues));
    }

    #[test]
    fn an_article_begins_a_sentence_and_an_initial_does_not() {
        assert!(starts_sentence("The end") && starts_sentence("“A man") && starts_sentence("Det"));
        assert!(!starts_sentence("A. Smith") && !starts_sentence("Theodore") && !starts_sentence(""));
    }
}
