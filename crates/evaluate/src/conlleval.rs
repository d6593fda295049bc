//! The scores of the shared tasks of CoNLL-2000 to 2003.

use schema::tags::{Tag, decode};

use crate::{LengthError, TagScores};

/// Scores tag sequences as `conlleval` does, the evaluation script of the CoNLL-2000 to 2003 shared tasks:
/// chunks by its rules ([`schema::tags::decode`]), correct where tokens and label agree.
///
/// The script knows the prefixes `B`, `I` and `E`, for which the figures are equal to its own. `S`, `U` and `L`
/// are read as their schemes mean them.
///
/// # Errors
/// Gold and predicted tags differ in number.
pub fn conlleval(gold: &[Vec<Tag>], predicted: &[Vec<Tag>]) -> Result<TagScores, LengthError> {
    TagScores::of(gold, predicted, |_, tags| Ok(decode(tags)))
}
