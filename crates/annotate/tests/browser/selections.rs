//! What is selected in the browser is exactly what is stored, in every script.

use serde_json::json;
use unicode_segmentation::UnicodeSegmentation as _;

use crate::{driver::Browser, host::Host};

/// Texts, and whether their lines run from right to left.
const TEXTS: [(&str, bool); 8] = [
    (
        "Ada Lovelace wrote to Charles Babbage in London; the engine's plans (and a \"note G\") went to Turin in 1842.",
        false,
    ),
    ("👩‍👩‍👧‍👦 went to 🇩🇰 with 👍🏽 and 🏳️‍🌈, then 🇯🇵🇰🇷 called; 👨🏿‍🚒 stayed at home 🤷‍♀️ alone 🧑‍🔬.", false),
    (
        "Cafe\u{301} Mu\u{308}nchen, Vie\u{302}\u{323}t Nam, na\u{303}o, A\u{30a}rhus, Z\u{335}\u{327}\u{300}a\u{334}lgo, नमस्ते दुनिया, กำลังใจ ที่นี่.",
        false,
    ),
    ("אדה לאבלייס כתבה לצ׳ארלס בבג׳ בלונדון בשנת אלף שמונה מאות ארבעים ושתיים, והמכתב נשלח לטורינו.", true),
    ("كتبت آدا لوفلايس إلى تشارلز باباج في لندن، ثم سافرت الرسالة إلى تورينو مع السيدة مُحَمَّد.", true),
    (
        "阿達·洛芙萊斯寫信給倫敦的查爾斯·巴貝奇。東京大学の山田太郎さんは𠮷野家で𩸽を食べた。서울에서 김철수가 왔다。",
        false,
    ),
    ("First line.\r\nSecond line of Windows text,\r\n\r\nwith an empty one; é😀 at\r\nthe end\tand a tab.\r\n", false),
    (
        "A zero\u{200d}width joiner, a soft\u{ad}hyphen, a non\u{a0}breaking space, 𝔘𝔫𝔦𝔠𝔬𝔡𝔢 letters, ﬁ ligature and <b>markup</b> &amp; co.",
        false,
    ),
];

/// The texts, each three times over, so that there is room for many selections.
fn texts() -> Vec<String> {
    TEXTS.iter().map(|(text, _)| [*text; 3].join(" ")).collect()
}

/// A little generator (xorshift), so that every run selects the same.
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % limit as u64).unwrap()
    }
}

/// Two points of the window: a little behind the start of one grapheme and before the end of another, whose UTF-16 offsets are given.
const POINTS: &str = r"
    const [first, last, rtl] = arguments;
    const point = ([start, end], fromEnd) => {
        const walker = document.createTreeWalker(document.querySelector('#text .flow'), NodeFilter.SHOW_TEXT);
        const range = document.createRange();
        let at = 0;
        for (let node = walker.nextNode(); node; node = walker.nextNode()) {
            if (start >= at && start < at + node.length) range.setStart(node, start - at);
            if (end > at && end <= at + node.length) { range.setEnd(node, end - at); break; }
            at += node.length;
        }
        const rect = range.getClientRects()[0];
        return [rect.x + rect.width * (fromEnd !== rtl ? 0.85 : 0.15), rect.y + rect.height / 2];
    };
    return [point(first, false), point(last, true)];
";

struct Cut<'t> {
    text: &'t str,
    rtl: bool,
    /// Graphemes with their start in code points and in UTF-16 units.
    clusters: Vec<(&'t str, usize, usize)>,
}

impl<'t> Cut<'t> {
    fn of(text: &'t str, rtl: bool) -> Self {
        let (mut points, mut units) = (0, 0);
        let cluster = |cluster: &'t str| {
            let found = (cluster, points, units);
            points += cluster.chars().count();
            units += cluster.encode_utf16().count();
            found
        };
        Self { text, rtl, clusters: text.graphemes(true).map(cluster).collect() }
    }

    /// Whether the mouse can aim at a cluster: it is seen, and we know which way it runs.
    fn is_target(&self, index: usize) -> bool {
        let first = self.clusters[index].0.chars().next().unwrap();
        let invisible = first.is_whitespace() || "\u{ad}\u{200d}\u{a0}".contains(first);
        !invisible && (!self.rtl || first.is_alphabetic())
    }

    /// Code points from one cluster to the end of another.
    fn points(&self, from: usize, to: usize) -> (usize, usize) {
        (self.clusters[from].1, self.clusters[to].1 + self.clusters[to].0.chars().count())
    }

    fn quote(&self, (start, end): (usize, usize)) -> String {
        self.text.chars().skip(start).take(end - start).collect()
    }

    fn aim(&self, browser: &Browser, from: usize, to: usize) -> ((f64, f64), (f64, f64)) {
        let units = |index: usize| {
            let (cluster, _, start) = self.clusters[index];
            [start, start + cluster.encode_utf16().count()]
        };
        let found = browser.run(POINTS, &json!([units(from), units(to), self.rtl]));
        let number = |point: usize, part: usize| found[point][part].as_f64().unwrap();
        ((number(0, 0), number(0, 1)), (number(1, 0), number(1, 1)))
    }

    fn two_clusters(&self, dice: &mut Dice, free: impl Fn(&Self, usize) -> bool) -> (usize, usize) {
        loop {
            let from = dice.below(self.clusters.len());
            let to = (from + dice.below(12)).min(self.clusters.len() - 1);
            if free(self, from) && free(self, to) {
                return (from, to);
            }
        }
    }
}

/// What the window shows as selected, and the code points that the page says it is; nothing where nothing is selected.
fn shown(browser: &Browser) -> Option<(String, (usize, usize))> {
    // `toString` of a selection leaves out what is not shown, such as a carriage return; the nodes have it.
    let found = browser.value(
        "[getSelection().getRangeAt(0).cloneContents().textContent, document.querySelector('#chosen .small')?.textContent ?? '']",
    );
    let (start, end) = found[1].as_str().unwrap().strip_prefix("Characters ")?.split_once(" to ")?;
    Some((found[0].as_str().unwrap().to_owned(), (start.parse().unwrap(), end.parse().unwrap())))
}

/// One selection on a page, to be read by [`shown`].
struct Selection {
    /// The code points that were aimed at, where that is known.
    aimed: Option<(usize, usize)>,
    /// Whether what is selected may be more, because it goes to the ends of words.
    grows: bool,
}

/// Drags over some clusters that nothing was selected in; `None` where this try is none.
fn by_mouse(
    browser: &Browser,
    cut: &Cut<'_>,
    dice: &mut Dice,
    exactly: bool,
    taken: &[(usize, usize, String)],
) -> Option<Selection> {
    let (from, to) = cut.two_clusters(dice, Cut::is_target);
    let aimed = cut.points(from, to);
    if taken.iter().any(|(start, end, _)| *start < aimed.1 && aimed.0 < *end) {
        return None;
    }
    let (start, end) = cut.aim(browser, from, to);
    // A drag this short is a click.
    if (start.0 - end.0).hypot(start.1 - end.1) < 4.0 {
        return None;
    }
    browser.drag(start, end, exactly);
    Some(Selection { aimed: Some(aimed), grows: !exactly })
}

/// Goes on from the caret at cluster `at`, which moves along; `None` at the end of the text.
fn by_keyboard(browser: &Browser, cut: &Cut<'_>, dice: &mut Dice, exactly: bool, at: &mut usize) -> Option<Selection> {
    let forward = if cut.rtl { "ArrowLeft" } else { "ArrowRight" };
    let (moves, steps) =
        if exactly { (dice.below(6), 1 + dice.below(9)) } else { (1 + dice.below(2), 1 + dice.below(3)) };
    if exactly && *at + moves + steps > cut.clusters.len() {
        return None;
    }
    let by = if exactly { "Alt+" } else { "" };
    browser.press_often(&[("Escape", 1), (&format!("{by}{forward}"), moves), (&format!("{by}Shift+{forward}"), steps)]);
    let aimed = exactly.then(|| cut.points(*at + moves, *at + moves + steps - 1));
    *at += moves + steps;
    Some(Selection { aimed, grows: false })
}

/// Selects `count` times on one text, `exactly` or by words; every selection is labelled, saved and held against what was stored.
fn select(browser: &Browser, host: &Host, number: usize, dice: &mut Dice, count: usize, mouse: bool, exactly: bool) {
    let (text, rtl) = (&texts()[number - 1], TEXTS[number - 1].1);
    let cut = Cut::of(text, rtl);
    let mut done = 0;
    while done < count {
        host.desk().texts[number - 1].revisions.clear();
        browser.open(&host.url(&format!("annotate/{number}")));
        browser.wait_for_text(number);
        let mut expected: Vec<(usize, usize, String)> = Vec::new();
        let mut at = 0;
        for _ in 0..40 {
            if done == count {
                break;
            }
            let tried = if mouse {
                by_mouse(browser, &cut, dice, exactly, &expected)
            } else {
                by_keyboard(browser, &cut, dice, exactly, &mut at)
            };
            let Some(Selection { aimed, grows }) = tried else { continue };
            let Some((quote, range)) = shown(browser) else {
                assert!(!mouse && !exactly, "nothing was selected at {aimed:?} of {text:?}");
                // The end of the text.
                break;
            };
            assert_eq!(quote, cut.quote(range), "the window shows something else than the page says");
            if let Some(aimed) = aimed {
                let hit = if grows { range.0 <= aimed.0 && aimed.1 <= range.1 } else { range == aimed };
                assert!(hit, "in {text:?}: {:?} was aimed at, {quote:?} was selected", cut.quote(aimed));
            }
            if expected.iter().any(|(start, end, _)| *start < range.1 && range.0 < *end) {
                browser.press(&["Escape"]);
                continue;
            }
            browser.press(&["1"]);
            expected.push((range.0, range.1, quote));
            done += 1;
        }
        expected.sort();
        browser.press(&["Enter"]);
        browser.wait(&format!("document.getElementById('done') !== null || !location.pathname.endsWith('/{number}')"));
        let stored: Vec<_> = host.saved(number).into_iter().map(|(start, end, _, quote)| (start, end, quote)).collect();
        assert_eq!(stored, expected);
    }
}

fn all(mouse: bool, exactly: bool) {
    let host = Host::start(&texts().iter().map(String::as_str).collect::<Vec<_>>());
    let browser = Browser::start();
    let mut dice = Dice(0x9e37_79b9_7f4a_7c15);
    let each = 500_usize.div_ceil(TEXTS.len());
    for number in 1..=TEXTS.len() {
        select(&browser, &host, number, &mut dice, each, mouse, exactly);
    }
    assert_eq!(browser.log(), Vec::<String>::new());
}

#[test]
#[ignore = "needs Chromium"]
fn characters_selected_by_mouse_are_stored() {
    all(true, true);
}

#[test]
#[ignore = "needs Chromium"]
fn words_selected_by_mouse_are_stored() {
    all(true, false);
}

#[test]
#[ignore = "needs Chromium"]
fn characters_selected_by_keyboard_are_stored() {
    all(false, true);
}

#[test]
#[ignore = "needs Chromium"]
fn words_selected_by_keyboard_are_stored() {
    all(false, false);
}

#[test]
#[ignore = "needs Chromium"]
fn what_is_copied_is_the_text_selected_and_nothing_else() {
    let text = "Ada came.\n\nShe saw London,\nand Paris.";
    let host = Host::start(&[text]);
    host.desk().texts[0].suggestions = vec![(0, 3, "PERSON".to_owned(), 0.9, "minilm".to_owned())];
    let browser = Browser::start();
    browser.open(&host.url("annotate/1"));
    browser.wait_for_text(1);
    browser.press_often(&[("y", 1), ("Home", 1), ("Alt+ArrowRight", 1), ("Shift+ArrowDown", 3), ("Ctrl+c", 1)]);
    let (selected, (start, end)) = shown(&browser).unwrap();
    assert_eq!(selected, text[start..end]);
    assert!(selected.contains("\n\nShe saw London,\n"), "{selected:?}");
    browser.press(&["n", "Ctrl+v"]);
    assert_eq!(browser.value("document.getElementById('note').value"), json!(selected));
}
