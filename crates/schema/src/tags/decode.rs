//! From tags to chunks of tokens and back, with what had to be repaired.

use std::ops::Range;

use super::scheme::{Prefix, Scheme, Tag};
use crate::Label;

/// A labelled, non-empty range of tokens.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Chunk {
    /// The tokens, half-open.
    pub tokens: Range<usize>,
    /// Their label.
    pub label: Label,
}

/// A tag that its scheme would have written differently.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Repair {
    /// Position of the token in its sequence.
    pub token: usize,
    /// The tag that stood there.
    pub found: Tag,
    /// The tag that the scheme writes for the chunk that was understood.
    pub taken_as: Tag,
}

/// The chunks of a tag sequence, by the rules of the CoNLL-2000 evaluation script.
///
/// The rules read all schemes alike: a chunk starts at `B`, `S` and `U`, after `E`, `L`, `S`, `U` and `O`, and
/// wherever the label changes; it ends at `E`, `L`, `S`, `U`, before `B`, `S`, `U` and `O`, and where the label
/// changes. Every token that carries a label ends up in exactly one chunk.
pub fn decode(tags: &[Tag]) -> Vec<Chunk> {
    use Prefix::{B, E, L, S, U};
    let mut chunks: Vec<Chunk> = Vec::new();
    let mut open = false; // whether the chunk before this token may go on
    for (token, tag) in tags.iter().enumerate() {
        let Tag::Part(prefix, label) = tag else {
            open = false;
            continue;
        };
        match chunks.last_mut() {
            Some(chunk) if open && !matches!(prefix, B | S | U) && chunk.label == *label => {
                chunk.tokens.end = token + 1;
            }
            _ => chunks.push(Chunk { tokens: token..token + 1, label: label.clone() }),
        }
        open = !matches!(prefix, E | L | S | U);
    }
    chunks
}

/// The tags that `scheme` writes for these chunks over `len` tokens.
///
/// # Panics
/// The chunks are not sorted, overlap, or reach past `len`.
pub fn encode(scheme: Scheme, len: usize, chunks: &[Chunk]) -> Vec<Tag> {
    let mut tags = vec![Tag::Outside; len];
    for (index, chunk) in chunks.iter().enumerate() {
        let touches = |other: Option<&Chunk>, edge: fn(&Chunk) -> usize, at: usize| {
            other.is_some_and(|other| edge(other) == at && other.label == chunk.label)
        };
        let after_twin = touches(index.checked_sub(1).map(|i| &chunks[i]), |c| c.tokens.end, chunk.tokens.start);
        let before_twin = touches(chunks.get(index + 1), |c| c.tokens.start, chunk.tokens.end);
        for token in chunk.tokens.clone() {
            let (first, last) = (token == chunk.tokens.start, token + 1 == chunk.tokens.end);
            let prefix = prefix(scheme, &Position { first, last, after_twin, before_twin });
            debug_assert_eq!(tags[token], Tag::Outside, "chunks overlap");
            tags[token] = Tag::Part(prefix, chunk.label.clone());
        }
    }
    tags
}

/// Where a token stands in its chunk, and whether the chunk touches another of the same label.
#[allow(clippy::struct_excessive_bools)] // four independent facts
struct Position {
    first: bool,
    last: bool,
    after_twin: bool,
    before_twin: bool,
}

fn prefix(scheme: Scheme, at: &Position) -> Prefix {
    use Prefix::{B, E, I, L, S, U};
    match scheme {
        Scheme::Iob1 if at.first && at.after_twin => B,
        Scheme::Iob2 if at.first => B,
        Scheme::Ioe1 if at.last && at.before_twin => E,
        Scheme::Ioe2 if at.last => E,
        Scheme::Iob1 | Scheme::Iob2 | Scheme::Ioe1 | Scheme::Ioe2 => I,
        Scheme::Iobes | Scheme::Bilou => {
            let (end, single) = if scheme == Scheme::Iobes { (E, S) } else { (L, U) };
            match (at.first, at.last) {
                (true, true) => single,
                (true, false) => B,
                (false, true) => end,
                (false, false) => I,
            }
        }
    }
}

/// The tags that `scheme` would have written differently for the chunks that [`decode`] understands.
pub fn repairs(scheme: Scheme, tags: &[Tag]) -> Vec<Repair> {
    let correct = encode(scheme, tags.len(), &decode(tags));
    let differs = |(token, (found, taken_as)): (usize, (&Tag, Tag))| {
        (*found != taken_as).then(|| Repair { token, found: found.clone(), taken_as })
    };
    tags.iter().zip(correct).enumerate().filter_map(differs).collect()
}

/// Finds the scheme of a stream of tag sequences: the one that needs the fewest repairs.
#[derive(Debug, Clone, Default)]
pub struct Detector {
    repairs: [usize; Scheme::ALL.len()],
    tags: usize,
}

/// What a [`Detector`] concludes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Detection {
    /// The scheme with the fewest repairs; IOB2 where nothing tells.
    pub scheme: Scheme,
    /// How many tags that scheme would have written differently.
    pub repairs: usize,
    /// How many tags were seen.
    pub tags: usize,
}

impl Detector {
    /// Takes one sequence into account.
    pub fn see(&mut self, tags: &[Tag]) {
        self.tags += tags.len();
        if tags.iter().all(|tag| *tag == Tag::Outside) {
            return;
        }
        for (count, scheme) in self.repairs.iter_mut().zip(Scheme::ALL) {
            *count += repairs(scheme, tags).len();
        }
    }

    /// The conclusion so far.
    pub fn conclude(&self) -> Detection {
        let (index, repairs) =
            self.repairs.iter().copied().enumerate().min_by_key(|(_, count)| *count).unwrap_or((0, 0));
        Detection { scheme: Scheme::ALL[index], repairs, tags: self.tags }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn tags(text: &str) -> Vec<Tag> {
        text.split_whitespace().map(|tag| tag.parse().unwrap()).collect()
    }

    fn chunk(tokens: Range<usize>, label: &str) -> Chunk {
        Chunk { tokens, label: Label::new(label).unwrap() }
    }

    /// Sorted chunks with gaps of 0 to 2 tokens, so that touching twins occur, and the sequence's length.
    fn sequences() -> impl Strategy<Value = (usize, Vec<Chunk>)> {
        prop::collection::vec((0usize..3, 1usize..4, prop::sample::select(vec!["PER", "creative-work"])), 0..8)
            .prop_map(|parts| {
                let mut at = 0;
                let chunks = parts
                    .into_iter()
                    .map(|(gap, len, label)| {
                        let start = at + gap;
                        at = start + len;
                        chunk(start..at, label)
                    })
                    .collect();
                (at + 1, chunks)
            })
    }

    proptest! {
        #[test]
        fn decoding_gives_back_what_was_encoded_in_every_scheme((len, chunks) in sequences()) {
            for scheme in Scheme::ALL {
                let tags = encode(scheme, len, &chunks);
                prop_assert_eq!(&decode(&tags), &chunks);
                prop_assert!(repairs(scheme, &tags).is_empty());
            }
        }

        #[test]
        fn a_sequence_needs_repair_exactly_where_a_transition_is_forbidden(
            letters in prop::collection::vec((0usize..3, prop::sample::select(vec!["A", "B"])), 1..8)
        ) {
            for scheme in Scheme::ALL.into_iter().filter(|scheme| scheme.prefixes().len() == 2) {
                let tags: Vec<Tag> = letters.iter().map(|(letter, label)| match letter {
                    0 => Tag::Outside,
                    n => Tag::Part(scheme.prefixes()[n - 1], Label::new(label).unwrap()),
                }).collect();
                let mut path = vec![&Tag::Outside];
                path.extend(&tags);
                path.push(&Tag::Outside);
                let allowed = path.windows(2).all(|pair| scheme.allows(pair[0].part(), pair[1].part()));
                prop_assert_eq!(allowed, repairs(scheme, &tags).is_empty(), "{} {:?}", scheme, tags);
            }
        }
    }

    #[test]
    fn iob1_neighbours_of_different_labels_stay_apart() {
        assert_eq!(decode(&tags("I-PER I-LOC B-LOC O")), [chunk(0..1, "PER"), chunk(1..2, "LOC"), chunk(2..3, "LOC")]);
    }

    #[test]
    fn an_orphan_inside_tag_is_a_listed_repair() {
        let repairs = repairs(Scheme::Iob2, &tags("O I-PER I-PER O"));
        assert_eq!(repairs.len(), 1);
        assert_eq!((repairs[0].token, repairs[0].taken_as.to_string().as_str()), (1, "B-PER"));
    }

    #[test]
    fn each_scheme_is_recognized_from_its_own_tags() {
        let chunks = [chunk(0..1, "PER"), chunk(1..3, "PER"), chunk(4..7, "LOC"), chunk(7..8, "LOC")];
        for scheme in Scheme::ALL {
            let mut detector = Detector::default();
            detector.see(&encode(scheme, 9, &chunks));
            assert_eq!(detector.conclude(), Detection { scheme, repairs: 0, tags: 9 });
        }
    }
}
