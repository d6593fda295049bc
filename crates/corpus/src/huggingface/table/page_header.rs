//! What the header of a page says of the page's size: a structure in Thrift's compact protocol
//! (<https://github.com/apache/thrift/blob/master/doc/specs/thrift-compact-protocol.md>), of which everything else is stepped over.

use std::io::{self, Read};

/// Most levels of structures and lists inside a header; the format itself has four.
const DEPTH: usize = 16;
/// Most bytes of a header. It may carry the least and the largest value of its page.
const LONGEST: u64 = 16 << 20;

/// Sizes that a page claims, in bytes.
#[derive(Debug, Default, PartialEq)]
pub(super) struct PageHeader {
    /// Unpacked, without the header.
    pub unpacked: i64,
    /// In the file, without the header.
    pub packed: i64,
    /// What stands before the packed part as it is: levels of a page of version 2.
    pub plain: i64,
    /// The page is packed as its column is, which one of version 2 need not be.
    pub is_packed: bool,
}

impl PageHeader {
    /// The header that begins here, and how many bytes it has.
    ///
    /// # Errors
    /// It ends before it is complete, or is none.
    pub fn read(from: &mut impl Read) -> io::Result<(Self, u64)> {
        let mut header = Self { is_packed: true, ..Self::default() };
        let mut compact = Compact { from: from.take(LONGEST) };
        let mut previous = 0;
        while let Some((id, kind)) = compact.field(&mut previous)? {
            match (id, kind) {
                (2, Kind::Number) => header.unpacked = compact.number()?,
                (3, Kind::Number) => header.packed = compact.number()?,
                (8, Kind::Structure) => header.second_version(&mut compact)?,
                (_, kind) => compact.skip(kind, DEPTH)?,
            }
        }
        Ok((header, LONGEST - compact.from.limit()))
    }

    fn second_version(&mut self, compact: &mut Compact<impl Read>) -> io::Result<()> {
        let (mut previous, mut levels) = (0, [0; 2]);
        while let Some((id, kind)) = compact.field(&mut previous)? {
            match (id, kind) {
                (5, Kind::Number) => levels[0] = compact.number()?,
                (6, Kind::Number) => levels[1] = compact.number()?,
                (7, Kind::Bool(is_packed)) => self.is_packed = is_packed,
                (_, kind) => compact.skip(kind, DEPTH)?,
            }
        }
        self.plain = levels.iter().copied().fold(0, i64::saturating_add);
        Ok(())
    }
}

/// How a value is written.
#[derive(Debug, Clone, Copy)]
enum Kind {
    /// In the type itself where it is a field.
    Bool(bool),
    Byte,
    Number,
    Double,
    Binary,
    List,
    Map,
    Structure,
}

impl Kind {
    fn of(code: u8) -> io::Result<Self> {
        Ok(match code {
            1 => Self::Bool(true),
            2 => Self::Bool(false),
            3 => Self::Byte,
            4..=6 => Self::Number,
            7 => Self::Double,
            8 => Self::Binary,
            9 | 10 => Self::List,
            11 => Self::Map,
            12 => Self::Structure,
            _ => return Err(malformed()),
        })
    }
}

fn malformed() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "the header of a page cannot be read")
}

struct Compact<R> {
    from: io::Take<R>,
}

impl<R: Read> Compact<R> {
    fn byte(&mut self) -> io::Result<u8> {
        let mut byte = [0];
        self.from.read_exact(&mut byte)?;
        Ok(byte[0])
    }

    fn unsigned(&mut self) -> io::Result<u64> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            value |= u64::from(byte & 0x7F) << shift;
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err(malformed())
    }

    /// Least significant bit first for the sign.
    fn number(&mut self) -> io::Result<i64> {
        let value = self.unsigned()?;
        Ok((value >> 1).cast_signed() ^ -(value & 1).cast_signed())
    }

    /// Number and kind of the next field, `None` behind the last.
    fn field(&mut self, previous: &mut i64) -> io::Result<Option<(i64, Kind)>> {
        let byte = self.byte()?;
        if byte == 0 {
            return Ok(None);
        }
        let step = i64::from(byte >> 4);
        *previous = if step == 0 { self.number()? } else { previous.saturating_add(step) };
        Ok(Some((*previous, Kind::of(byte & 0x0F)?)))
    }

    fn skip(&mut self, kind: Kind, depth: usize) -> io::Result<()> {
        let depth = depth.checked_sub(1).ok_or_else(malformed)?;
        match kind {
            Kind::Bool(_) => Ok(()),
            Kind::Byte => self.byte().map(drop),
            Kind::Number => self.unsigned().map(drop),
            Kind::Double => self.step_over(8),
            Kind::Binary => {
                let length = self.unsigned()?;
                self.step_over(length)
            }
            Kind::List => {
                let byte = self.byte()?;
                let length = if byte >> 4 == 0xF { self.unsigned()? } else { u64::from(byte >> 4) };
                self.elements(length, &[byte & 0x0F], depth)
            }
            Kind::Map => match self.unsigned()? {
                0 => Ok(()),
                length => {
                    let byte = self.byte()?;
                    self.elements(length, &[byte >> 4, byte & 0x0F], depth)
                }
            },
            Kind::Structure => {
                let mut previous = 0;
                while let Some((_, kind)) = self.field(&mut previous)? {
                    self.skip(kind, depth)?;
                }
                Ok(())
            }
        }
    }

    fn elements(&mut self, length: u64, kinds: &[u8], depth: usize) -> io::Result<()> {
        // Every element has at least a byte, so a list of more than there are ends with the input.
        for _ in 0..length {
            for kind in kinds {
                match Kind::of(*kind)? {
                    Kind::Bool(_) => self.step_over(1)?,
                    kind => self.skip(kind, depth)?,
                }
            }
        }
        Ok(())
    }

    fn step_over(&mut self, bytes: u64) -> io::Result<()> {
        let stepped = io::copy(&mut (&mut self.from).take(bytes), &mut io::sink())?;
        if stepped < bytes { Err(io::ErrorKind::UnexpectedEof.into()) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_found_among_everything_else() {
        // A data page of 300 bytes, 40 in the file, with a checksum and statistics; another byte behind it.
        let bytes = [
            0x15, 0x00, 0x15, 0xD8, 0x04, 0x15, 0x50, 0x15, 0x01, 0x1C, 0x15, 0x02, 0x5C, 0x18, 0x01, b'z', 0x11, 0x00,
            0x00, 0x00, 0xFF,
        ];
        let (header, length) = PageHeader::read(&mut &bytes[..]).unwrap();
        assert_eq!(header, PageHeader { unpacked: 300, packed: 40, plain: 0, is_packed: true });
        assert_eq!(length, 20);
    }

    #[test]
    fn levels_of_the_second_version_stand_unpacked() {
        let bytes = [0x15, 0x06, 0x15, 0x14, 0x15, 0x10, 0x5C, 0x55, 0x04, 0x15, 0x06, 0x12, 0x00, 0x00];
        let (header, length) = PageHeader::read(&mut &bytes[..]).unwrap();
        assert_eq!(header, PageHeader { unpacked: 10, packed: 8, plain: 5, is_packed: false });
        assert_eq!(length, bytes.len() as u64);
    }

    #[test]
    fn what_is_cut_off_nested_without_end_or_longer_than_it_can_be_is_an_error() {
        let good = [0x15, 0x00, 0x15, 0xD8, 0x04, 0x15, 0x50, 0x00];
        for end in 0..good.len() {
            assert!(PageHeader::read(&mut &good[..end]).is_err(), "{end}");
        }
        assert!(PageHeader::read(&mut &[0x1C; 1_000][..]).is_err());
        assert!(PageHeader::read(&mut &[0x19; 1_000][..]).is_err());
        assert!(
            PageHeader::read(&mut &[0x15, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x00][..])
                .is_err()
        );
        // A list of bools that claims 2^60 of them.
        let list = [0x19, 0xF1, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x10, 0x01];
        assert!(PageHeader::read(&mut &list[..]).is_err());
    }
}
