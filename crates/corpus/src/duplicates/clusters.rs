//! Texts grouped by what they repeat.

use std::collections::{BTreeMap, HashMap};

use super::{fold::fold, minhash::Bands, parallel, shingles::Shingles, similarity::Similarity, union::Union};

/// With how many texts of its bucket a text is compared at most, the nearest before it. Only buckets of many texts
/// that share some shingles and yet are no near duplicates come to it; without a limit they would take a time that
/// grows with the square of their number.
const COMPARED: usize = 200;

/// Texts that repeat each other.
#[derive(Debug, Clone, PartialEq)]
pub struct Cluster {
    /// Positions of the texts, ascending, two or more.
    pub members: Vec<usize>,
    /// All are equal once case and white space are folded.
    pub exact: bool,
    /// The lowest Jaccard similarity of the pairs that tie the cluster together; 1 where it is exact. Members that
    /// are tied only through others may be less alike.
    pub similarity: f64,
}

/// The clusters of a list of texts.
#[derive(Debug, Clone, PartialEq)]
pub struct Clusters {
    clusters: Vec<Cluster>,
    heads: Vec<usize>,
}

impl Clusters {
    /// Every cluster of two or more, by its first member.
    pub fn clusters(&self) -> &[Cluster] {
        &self.clusters
    }

    /// For every text the position of the first text of its cluster; its own where nothing repeats it.
    pub fn heads(&self) -> &[usize] {
        &self.heads
    }

    /// How many texts could go if one of each cluster stayed.
    pub fn repeats(&self) -> usize {
        self.clusters.iter().map(|cluster| cluster.members.len() - 1).sum()
    }

    fn new(mut union: Union, firsts: &[usize], links: &[(usize, f64)]) -> Self {
        let heads: Vec<usize> = (0..firsts.len()).map(|text| union.head(text)).collect();
        let mut members: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for (text, head) in heads.iter().enumerate() {
            members.entry(*head).or_default().push(text);
        }
        let mut weakest: HashMap<usize, f64> = HashMap::new();
        for (text, similarity) in links {
            let weakest = weakest.entry(heads[*text]).or_insert(1.0);
            *weakest = weakest.min(*similarity);
        }
        let cluster = |(head, members): (usize, Vec<usize>)| Cluster {
            exact: members.iter().all(|member| firsts[*member] == head),
            similarity: weakest.get(&head).copied().unwrap_or(1.0),
            members,
        };
        let several = members.into_iter().filter(|(_, members)| members.len() > 1);
        Self { clusters: several.map(cluster).collect(), heads }
    }
}

/// The clusters of texts that are equal once case and white space are folded.
pub fn exact(texts: &[&str]) -> Clusters {
    let folded = parallel::map(texts, |text| fold(text));
    let (firsts, union) = equal(&folded);
    Clusters::new(union, &firsts, &[])
}

/// The clusters of texts that repeat each other, exactly or with at least this similarity, directly or through
/// others of the cluster (single linkage).
///
/// Every pair that ties a cluster together is verified. A pair just at the threshold is found with a probability of
/// at least 0.995, a more similar one with a higher. The same texts give the same clusters on every machine.
pub fn clusters(texts: &[&str], similarity: Similarity) -> Clusters {
    let folded = parallel::map(texts, |text| fold(text));
    let (firsts, mut union) = equal(&folded);
    let distinct: Vec<usize> = (0..texts.len()).filter(|text| firsts[*text] == *text).collect();
    let bands = Bands::finding(similarity);
    let sets = parallel::map(&distinct, |text| {
        let shingles = Shingles::of(&folded[*text]);
        let bands = bands.of(&shingles);
        (shingles, bands)
    });
    drop(folded);

    let mut links = Vec::new();
    for band in 0..bands.count {
        let mut bucketed: Vec<(u64, usize)> =
            sets.iter().enumerate().map(|(set, (_, bands))| (bands[band], set)).collect();
        bucketed.sort_unstable();
        for bucket in bucketed.chunk_by(|a, b| a.0 == b.0) {
            for (at, (_, one)) in bucket.iter().enumerate() {
                for (_, other) in bucket[..at].iter().rev().take(COMPARED) {
                    let [a, b] = [*one, *other].map(|set| &sets[set].0);
                    let [one, other] = [*one, *other].map(|set| distinct[set]);
                    if a.bound(b) < similarity.get() || union.head(one) == union.head(other) {
                        continue;
                    }
                    let found = a.jaccard(b);
                    if found >= similarity.get() {
                        union.join(one, other);
                        links.push((one, found));
                    }
                }
            }
        }
    }
    Clusters::new(union, &firsts, &links)
}

/// For every text the first that is equal to it, and these together.
fn equal(folded: &[String]) -> (Vec<usize>, Union) {
    let mut seen: HashMap<&str, usize> = HashMap::with_capacity(folded.len());
    let mut union = Union::new(folded.len());
    let firsts = folded.iter().enumerate().map(|(text, folded)| {
        let first = *seen.entry(folded).or_insert(text);
        union.join(first, text);
        first
    });
    (firsts.collect(), union)
}
