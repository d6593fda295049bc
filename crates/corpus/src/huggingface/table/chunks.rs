//! A file as the `parquet` crate reads it, with an end that cannot be read past.

use std::{
    fs::File,
    io::{self, BufReader, Read, Seek as _, SeekFrom},
};

use bytes::Bytes;
use parquet::{
    errors::{ParquetError, Result},
    file::reader::{ChunkReader, Length},
};

/// A file whose end is an error. The crate skips what a page's header does not need without looking whether it is there, and a header
/// may claim more of it than there are bytes in the world: each step would ask the end of the file once more.
pub(super) struct Chunks(pub File);

/// What is read from a place on; beyond the end of the file it is an error.
pub(super) struct Chunk(BufReader<File>);

impl Read for Chunk {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.0.read(buffer)?;
        if read == 0 && !buffer.is_empty() {
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "it ends before a page does"));
        }
        Ok(read)
    }
}

impl Length for Chunks {
    fn len(&self) -> u64 {
        self.0.metadata().map_or(0, |metadata| metadata.len())
    }
}

impl ChunkReader for Chunks {
    type T = Chunk;

    fn get_read(&self, start: u64) -> Result<Chunk> {
        let mut file = self.0.try_clone()?;
        file.seek(SeekFrom::Start(start))?;
        Ok(Chunk(BufReader::new(file)))
    }

    fn get_bytes(&self, start: u64, length: usize) -> Result<Bytes> {
        if start.checked_add(length as u64).is_none_or(|end| end > self.len()) {
            return Err(ParquetError::EOF("it ends before a page does".to_owned()));
        }
        let mut bytes = vec![0; length];
        let mut file = self.0.try_clone()?;
        file.seek(SeekFrom::Start(start))?;
        file.read_exact(&mut bytes)?;
        Ok(bytes.into())
    }
}
