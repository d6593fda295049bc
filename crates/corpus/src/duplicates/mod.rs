//! Texts that stand in a corpus twice, word for word or nearly so.
//!
//! Two texts are *exact* duplicates when they are equal once case and white space are folded ([`fold`]). They are
//! *near* duplicates when their sets of word shingles have at least a certain Jaccard similarity ([`jaccard`]).
//! Pairs that may be near are found by MinHash with banded locality-sensitive hashing (Broder, 1997: *On the
//! resemblance and containment of documents*; Indyk and Motwani, 1998) and each is verified by its exact
//! similarity, so nothing below the threshold is reported.
//!
//! ```
//! use nomen_corpus::duplicates::{Similarity, clusters};
//!
//! let texts = ["Rust is fast.", "Tea is hot.", "rust  is FAST.", "Rust is fast!"];
//! let found = clusters(&texts, Similarity::default());
//! assert_eq!(found.clusters().len(), 1);
//! assert_eq!(found.clusters()[0].members, [0, 2, 3]);
//! assert!(!found.clusters()[0].exact);
//! ```

mod clusters;
mod fold;
mod minhash;
mod parallel;
mod shingles;
mod similarity;
mod text_hash;
mod union;

pub use clusters::{Cluster, Clusters, clusters, exact};
pub use fold::fold;
pub use shingles::{SHINGLE, jaccard};
pub use similarity::{NotASimilarity, Similarity};
pub use text_hash::{NotATextHash, TextHash};
pub(crate) use union::Union;
