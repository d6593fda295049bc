//! Models that recognize entities: base models and their weights, texts as pieces, tags as entities.

pub mod base;
pub mod bundle;
mod classifier;
mod codec;
pub mod decode;
pub mod encoder;
mod pieces;
mod recognize;
pub mod text;
pub mod weights;

pub use bundle::{Bundle, BundleError, Recognizer};
pub use classifier::{Head, OpenError, TokenClassifier};
pub use codec::{Codec, CodecSettings, Input};
pub use pieces::JudgedPiece;
pub use recognize::{RecognitionError, Workers};
