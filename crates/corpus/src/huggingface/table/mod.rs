//! Rows as Parquet (<https://parquet.apache.org/docs/file-format/>).

mod chunks;
mod open;
mod page_header;
mod pages;
mod rows;
mod write;

pub(crate) use self::write::Writer;
pub(super) use self::{open::Table, rows::ParquetRows};

/// The entry of the file's metadata that describes the columns to `datasets`.
const DESCRIPTION: &str = "huggingface";
