//! Lines that many documents share.

use std::collections::{HashMap, HashSet};

use sha2::{Digest as _, Sha256};

use super::Mapped;

/// What stands for a line while lines are counted: 16 bytes of its SHA-256, so that two lines are never taken for one.
type Key = [u8; 16];

/// In how many documents each line occurs; memory grows with the number of different lines, not with their length.
#[derive(Debug, Clone, Default)]
pub struct LineCounts {
    documents: usize,
    lines: HashMap<Key, u32>,
}

/// The lines that are to be removed.
#[derive(Debug, Clone, Default)]
pub struct Boilerplate {
    lines: HashMap<Key, u32>,
}

impl LineCounts {
    /// Takes one more document into account.
    pub fn add(&mut self, text: &str) {
        self.documents += 1;
        let different: HashSet<Key> = text.lines().filter_map(key).collect();
        for line in different {
            *self.lines.entry(line).or_default() += 1;
        }
    }

    /// The lines that occur in at least this share of the documents, and in two of them.
    pub fn at_least(self, share: f64) -> Boilerplate {
        let enough = (share * self.documents as f64).max(2.0);
        let lines = self.lines.into_iter().filter(|(_, documents)| f64::from(*documents) >= enough).collect();
        Boilerplate { lines }
    }
}

impl Boilerplate {
    /// Number of different lines.
    pub fn len(&self) -> usize {
        self.lines.len()
    }

    /// Whether no line is shared.
    pub fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    /// In how many documents a line occurs, where it is one of these.
    pub fn documents(&self, line: &str) -> Option<usize> {
        self.lines.get(&key(line)?).map(|documents| *documents as usize)
    }

    /// The text without these lines and their line ends.
    pub fn remove(&self, text: &str) -> Mapped {
        let mut at = 0;
        let lines = text.split_inclusive('\n').map(|line| {
            at += line.len();
            (at - line.len()..at, line)
        });
        let shared = lines.filter(|(_, line)| self.documents(line).is_some());
        Mapped::new(text, shared.map(|(range, _)| (range, String::new())))
    }
}

/// White space at its ends is not part of a line, and a line of nothing else is none.
fn key(line: &str) -> Option<Key> {
    let line = line.trim();
    let mut key = Key::default();
    key.copy_from_slice(&Sha256::digest(line)[..16]);
    (!line.is_empty()).then_some(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_goes_where_enough_documents_share_it() {
        let texts = ["Menu\nAnna\n\nfooter", " Menu \nBo\n\nfooter\n", "Menu\nMenu\nCarl\n", "Dora\n"];
        let mut counts = LineCounts::default();
        for text in texts {
            counts.add(text);
        }
        let lines = counts.clone().at_least(0.75);
        assert_eq!((lines.len(), lines.documents("Menu"), lines.documents("footer")), (1, Some(3), None));
        assert_eq!(lines.remove(texts[0]).text(), "Anna\n\nfooter");
        assert_eq!(lines.remove(texts[2]).text(), "Carl\n");
        let lines = counts.clone().at_least(0.0);
        assert_eq!((lines.len(), lines.documents("Dora")), (2, None), "one document shares nothing");
        assert_eq!(lines.remove(texts[1]).text(), "Bo\n\n");
        assert!(counts.at_least(1.0).is_empty());
    }
}
