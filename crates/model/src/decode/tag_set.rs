//! The tags that a model chooses from, and which may follow which.

use std::{collections::HashMap, ops::Range};

use schema::{
    Label, LabelError, Schema,
    tags::{self, Chunk, Prefix, Scheme, Tag},
};
use thiserror::Error;

/// The tags of a model in the order of its logits.
///
/// The scheme follows from the names (`id2label` of a `config.json`): those with `B` and `I` are IOB2, or IOB1
/// where a label has an `I` but no `B`; `E`, `S`, `L` and `U` tell the others. A label whose tags have no prefix
/// (`PER`), or that occurs with no prefix but `I` in the whole set, is plain: neighbouring slots of it are one
/// entity.
#[derive(Debug, Clone)]
pub struct TagSet {
    names: Vec<String>,
    parts: Vec<Option<(Part, u32)>>,
    labels: Vec<Label>,
    scheme: Scheme,
    outside: u32,
    by_part: HashMap<(Part, u32), u32>,
    /// For each tag the list in `predecessors` of the tags that may stand before it.
    class: Vec<u32>,
    predecessors: Vec<Vec<u32>>,
}

/// How a tag belongs to its label.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Part {
    Plain,
    Prefixed(Prefix),
}

/// Why names are not a tag set.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum TagSetError {
    /// No name is `O`.
    #[error(
        "no tag is named `O`, so every word would be an entity; found {}; give the tag of words outside entities the name `O` in `id2label` of config.json",
        .0.join(", ")
    )]
    NoOutside(Vec<String>),
    /// Two ids share a name.
    #[error("the tag `{0}` occurs twice in `id2label`; names must differ")]
    Twice(String),
    /// A name holds no usable label.
    #[error("the tag `{name}`: {error}")]
    Label {
        /// The tag.
        name: String,
        /// What is wrong with its label.
        error: LabelError,
    },
    /// Prefixes of two schemes.
    #[error("the tags mix schemes: `{0}` belongs to BILOU and `{1}` does not")]
    Mixed(String, String),
}

impl TagSet {
    /// A tag set from the names of a configuration, in the order of their ids.
    ///
    /// # Errors
    /// `O` is missing, a name occurs twice or names no label, or prefixes contradict one another.
    pub fn from_names<N: Into<String>>(names: impl IntoIterator<Item = N>) -> Result<Self, TagSetError> {
        let names: Vec<String> = names.into_iter().map(Into::into).collect();
        let mut read = Vec::with_capacity(names.len());
        for (id, name) in names.iter().enumerate() {
            if names[..id].contains(name) {
                return Err(TagSetError::Twice(name.clone()));
            }
            read.push(match name.parse() {
                Ok(Tag::Outside) => None,
                Ok(Tag::Part(prefix, label)) => Some((Part::Prefixed(prefix), label)),
                Err(_) => {
                    let label = Label::new(name).map_err(|error| TagSetError::Label { name: name.clone(), error })?;
                    Some((Part::Plain, label))
                }
            });
        }
        let Some(outside) = read.iter().position(Option::is_none) else {
            return Err(TagSetError::NoOutside(names));
        };
        let scheme = scheme(&names, &read)?;
        let mut set = Self {
            parts: Vec::with_capacity(names.len()),
            labels: Vec::new(),
            scheme: scheme.unwrap_or(Scheme::Iob2),
            outside: outside as u32,
            by_part: HashMap::new(),
            class: Vec::new(),
            predecessors: Vec::new(),
            names,
        };
        for (id, tag) in read.into_iter().enumerate() {
            let tag = tag.map(|(part, label)| {
                let index = set.label_index(&label).unwrap_or_else(|| {
                    set.labels.push(label);
                    set.labels.len() as u32 - 1
                });
                (if scheme.is_none() { Part::Plain } else { part }, index)
            });
            if let Some(tag) = tag {
                set.by_part.insert(tag, id as u32);
            }
            set.parts.push(tag);
        }
        set.index_predecessors();
        Ok(set)
    }

    /// `O`, and `B-` and `I-` for every label of a schema, in its order: IOB2.
    #[allow(clippy::missing_panics_doc)] // labels differ, so their tags do, and each can follow a prefix
    pub fn for_schema(schema: &Schema) -> Self {
        let parts = schema.labels().flat_map(|label| [format!("B-{label}"), format!("I-{label}")]);
        Self::from_names(std::iter::once("O".to_owned()).chain(parts)).expect("tags of different labels differ")
    }

    fn index_predecessors(&mut self) {
        let len = self.len() as u32;
        for next in 0..len {
            let allowed: Vec<u32> = (0..len).filter(|previous| self.allows(Some(*previous), Some(next))).collect();
            let known = self.predecessors.iter().position(|list| *list == allowed);
            self.class.push(known.unwrap_or(self.predecessors.len()) as u32);
            if known.is_none() {
                self.predecessors.push(allowed);
            }
        }
    }

    /// The names, in the order of the ids.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// The tag of a name, or the one that stands for all tags of its label.
    pub fn tag(&self, name: &str) -> Option<u32> {
        let of = |name: &str| self.names.iter().position(|known| known == name).map(|id| id as u32);
        of(name).or_else(|| match name.parse() {
            Ok(Tag::Part(_, label)) => of(label.as_str()),
            _ => None,
        })
    }

    /// The labels, in the order in which tags name them.
    pub fn labels(&self) -> &[Label] {
        &self.labels
    }

    /// How many tags there are.
    #[allow(clippy::len_without_is_empty)] // there is always `O`
    pub fn len(&self) -> usize {
        self.names.len()
    }

    /// The id of `O`.
    pub fn outside(&self) -> u32 {
        self.outside
    }

    /// The label of a tag, `None` for `O`.
    pub fn label(&self, tag: u32) -> Option<&Label> {
        self.label_of(tag).map(|label| &self.labels[label as usize])
    }

    /// Position of a label in [`TagSet::labels`].
    pub fn label_index(&self, label: &Label) -> Option<u32> {
        self.labels.iter().position(|known| known == label).map(|index| index as u32)
    }

    /// Whether `next` may stand right behind `previous`; `None` is the edge of the text.
    pub fn allows(&self, previous: Option<u32>, next: Option<u32>) -> bool {
        // A plain tag is to the tags of a scheme what `O` is: it neither opens nor closes anything of theirs.
        let part = |tag: Option<u32>| match self.parts[tag? as usize]? {
            (Part::Plain, _) => None,
            (Part::Prefixed(prefix), label) => Some((prefix, label)),
        };
        self.scheme.allows(part(previous), part(next))
    }

    /// The lists of tags that may stand before a tag, and for each tag which list is its own.
    pub(super) fn predecessors(&self) -> (&[Vec<u32>], &[u32]) {
        (&self.predecessors, &self.class)
    }

    pub(super) fn label_of(&self, tag: u32) -> Option<u32> {
        self.parts[tag as usize].map(|(_, label)| label)
    }

    /// Whether `next` belongs to the entity that `previous`, right before it, is part of.
    pub(super) fn continues(&self, previous: u32, next: u32) -> bool {
        use Prefix::{B, E, L, S, U};
        let (Some((before, left)), Some((after, right))) = (self.parts[previous as usize], self.parts[next as usize])
        else {
            return false;
        };
        left == right && !matches!(before, Part::Prefixed(E | L | S | U)) && !matches!(after, Part::Prefixed(B | S | U))
    }

    /// The tags over `len` slots for sorted runs of slots and the positions of their labels; `None` where the set
    /// lacks the tag that the scheme wants.
    pub(crate) fn encode(&self, len: usize, runs: impl Iterator<Item = (Range<usize>, u32)>) -> Vec<Option<u32>> {
        let mut indices = vec![None; len];
        let chunks: Vec<Chunk> = runs
            .map(|(tokens, label)| {
                indices[tokens.clone()].fill(Some(label));
                Chunk { tokens, label: self.labels[label as usize].clone() }
            })
            .collect();
        let written = tags::encode(self.scheme, len, &chunks);
        let id = |(tag, label): (Tag, Option<u32>)| match tag.part().zip(label) {
            None => Some(self.outside),
            Some(((prefix, _), label)) => {
                let id = |part| self.by_part.get(&(part, label)).copied();
                id(Part::Prefixed(prefix)).or_else(|| id(Part::Plain))
            }
        };
        written.into_iter().zip(indices).map(id).collect()
    }
}

/// The scheme of these tags, `None` where all of them are plain.
fn scheme(names: &[String], tags: &[Option<(Part, Label)>]) -> Result<Option<Scheme>, TagSetError> {
    use Prefix::{B, E, I, L, S, U};
    let prefixed = || {
        names.iter().zip(tags).filter_map(|(name, tag)| match tag {
            Some((Part::Prefixed(prefix), label)) => Some((name, *prefix, label)),
            _ => None,
        })
    };
    let first = |wanted: &[Prefix]| prefixed().find(|(_, prefix, _)| wanted.contains(prefix)).map(|(name, ..)| name);
    let has = |wanted: Prefix| first(&[wanted]).is_some();
    // Whether every label with an `I` also has this prefix.
    let always = |wanted: Prefix| {
        prefixed()
            .filter(|(_, prefix, _)| *prefix == I)
            .all(|(.., label)| prefixed().any(|(_, prefix, other)| prefix == wanted && other == label))
    };
    if let (Some(bilou), Some(other)) = (first(&[L, U]), first(&[E, S])) {
        return Err(TagSetError::Mixed(bilou.clone(), other.clone()));
    }
    Ok(if has(L) || has(U) {
        Some(Scheme::Bilou)
    } else if has(S) || (has(B) && has(E)) {
        Some(Scheme::Iobes)
    } else if has(E) {
        Some(if always(E) { Scheme::Ioe2 } else { Scheme::Ioe1 })
    } else if has(B) {
        Some(if always(B) { Scheme::Iob2 } else { Scheme::Iob1 })
    } else {
        None
    })
}
