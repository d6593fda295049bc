//! Pairs of texts that are nearly the same.

use super::{Data, data::Located, duplicate::is_long};
use crate::duplicates::{Similarity, clusters, fold, jaccard};

/// A text, an earlier one that it nearly repeats, and how alike they are.
pub(super) struct Pair<'d> {
    pub(super) text: Located<'d>,
    pub(super) earlier: Located<'d>,
    pub(super) similarity: f64,
}

/// Texts of a cluster that a text is compared with to find the one that it repeats.
const COMPARED: usize = 50;

/// Each text that nearly repeats an earlier one for which `counts` holds, with that one. Texts that are equal but for
/// case and white space are no such pair, and short texts, which are alike by nature, are not compared.
pub(super) fn pairs<'d>(data: &Data<'d>, counts: impl Fn(Located<'d>, Located<'d>) -> bool) -> Vec<Pair<'d>> {
    let wanted = Similarity::default();
    let texts: Vec<Located<'d>> = data.documents_by_role().filter(|located| is_long(located.document.text())).collect();
    let content: Vec<&str> = texts.iter().map(|located| located.document.text()).collect();
    let mut pairs = Vec::new();
    for cluster in clusters(&content, wanted).clusters().iter().filter(|cluster| !cluster.exact) {
        for (at, member) in cluster.members.iter().enumerate() {
            let text = texts[*member];
            let own = fold(text.document.text());
            let earlier = cluster.members[..at].iter().map(|earlier| texts[*earlier]).filter(|e| counts(*e, text));
            let alike = earlier.take(COMPARED).find_map(|earlier| {
                let similarity = jaccard(text.document.text(), earlier.document.text());
                let near = similarity >= wanted.get() && fold(earlier.document.text()) != own;
                near.then_some(Pair { text, earlier, similarity })
            });
            pairs.extend(alike);
        }
    }
    pairs.sort_by_key(|pair| (pair.text.file, pair.text.index));
    pairs
}
