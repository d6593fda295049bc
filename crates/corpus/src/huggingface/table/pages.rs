//! Pages, looked through before the `parquet` crate unpacks them: it asks for as much memory as a header claims, or keeps what a page
//! unpacks to without looking at the claim.

use std::{
    fs::File,
    io::{self, BufReader, Read, Seek as _, SeekFrom},
};

use flate2::read::MultiGzDecoder;
use parquet::{basic::Compression, file::metadata::ColumnChunkMetaData};

use super::{open::damaged, page_header::PageHeader};
use crate::ReadErrorKind;

/// Most bytes of a page, unpacked; writers end one at about 1 MiB.
const PAGE: i64 = 256 << 20;
/// Bytes that one packed byte becomes at most: a copy of Snappy's has three bytes for 64.
const SNAPPY: i64 = 22;

/// Looks through the pages of a column.
///
/// # Errors
/// A page claims more than it can hold, is longer than its column, or unpacks to another length than it claims.
pub(super) fn check(file: &File, column: &ColumnChunkMetaData) -> Result<(), ReadErrorKind> {
    let (start, length) = column.byte_range();
    let mut reader = BufReader::new(file.try_clone()?);
    reader.seek(SeekFrom::Start(start))?;
    let mut remaining = length;
    while remaining > 0 {
        let (header, read) = PageHeader::read(&mut reader).map_err(|error| damaged(error.to_string()))?;
        let PageHeader { unpacked, packed, plain, .. } = header;
        let inside =
            remaining.checked_sub(read).filter(|behind| u64::try_from(packed).is_ok_and(|packed| packed <= *behind));
        let Some(behind) = inside else { return Err(damaged("a page is longer than its column")) };
        if unpacked < 0 || plain < 0 || plain > packed || plain > unpacked {
            return Err(damaged("a page contradicts its header"));
        }
        if unpacked > PAGE {
            return Err(ReadErrorKind::Limit { what: "a page, unpacked,", limit: PAGE as usize, unit: "bytes" });
        }
        let page = (&mut reader).take(packed.unsigned_abs());
        if header.is_packed && unpacked > plain {
            look_at(page, &header, column.compression())?;
        } else {
            step_over(page)?;
        }
        remaining = behind - packed.unsigned_abs();
    }
    Ok(())
}

/// Whether a page unpacks to what its header claims.
fn look_at(mut page: io::Take<impl Read>, header: &PageHeader, compression: Compression) -> Result<(), ReadErrorKind> {
    step_over((&mut page).take(header.plain.unsigned_abs()))?;
    let claimed = header.unpacked - header.plain;
    let fits = match compression {
        // How long a page is, is proved by the crate before it writes; that a claim is possible at all is not.
        Compression::SNAPPY => claimed <= (header.packed - header.plain).saturating_mul(SNAPPY),
        Compression::GZIP(_) => holds(MultiGzDecoder::new(&mut page), claimed)?,
        Compression::ZSTD(_) => holds(zstd::Decoder::new(&mut page)?, claimed)?,
        // Pages that are not packed are not copied, and any other way of packing is one that the crate was built without.
        _ => true,
    };
    if !fits {
        return Err(damaged("a page claims another length than it has"));
    }
    step_over(page)
}

/// Whether there is exactly as much to read as this.
fn holds(unpacked: impl Read, claimed: i64) -> Result<bool, ReadErrorKind> {
    let most = claimed.unsigned_abs();
    let length = io::copy(&mut unpacked.take(most + 1), &mut io::sink())
        .map_err(|error| damaged(format!("a page cannot be unpacked: {error}")))?;
    Ok(length == most)
}

fn step_over(mut page: io::Take<impl Read>) -> Result<(), ReadErrorKind> {
    let left = page.limit();
    if io::copy(&mut page, &mut io::sink())? < left {
        return Err(damaged("it ends before a page does"));
    }
    Ok(())
}
