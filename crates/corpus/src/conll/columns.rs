//! Which column of a CoNLL file holds what, and what a line of it is.

use schema::tags::Tag;

use crate::{Columns, ReadErrorKind, Separator};

/// How many rows are looked at to find the columns.
const SAMPLE: usize = 1000;

/// What a line of a CoNLL file is.
#[derive(Debug)]
pub(super) enum Line<'l> {
    Blank,
    /// Without its mark.
    Comment(&'l str),
    /// `-DOCSTART-`: a new document begins.
    DocumentStart,
    /// A multi-word token or an empty node, whose words have rows of their own.
    Skipped,
    Row {
        token: &'l str,
        tag: &'l str,
    },
    Wrong(ReadErrorKind),
}

fn cells(separator: Separator, line: &str) -> impl Iterator<Item = &str> {
    let spaces = separator == Separator::Spaces;
    let between = move |character: char| character == '\t' || (spaces && character == ' ');
    line.split(between).filter(move |cell| !spaces || !cell.is_empty())
}

fn is_blank(line: &str) -> bool {
    line.bytes().all(|byte| byte == b' ' || byte == b'\t')
}

fn is_document_start(line: &str) -> bool {
    let rest = line.strip_prefix("-DOCSTART-");
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with([' ', '\t']))
}

/// Looks like a comment; it is one unless it has the form of the file's rows (a tweet can start with `#`).
fn comment(line: &str) -> Option<&str> {
    let rest = line.strip_prefix('#')?;
    if rest.is_empty() || rest.starts_with("begin ") || rest.starts_with("end ") {
        return Some(rest);
    }
    rest.strip_prefix(' ')
}

fn is_tag(cell: &str) -> bool {
    cell.trim_matches(' ').parse::<Tag>().is_ok()
}

/// A token's number in its sentence, or a range or a decimal of such numbers as CoNLL-U has them.
fn is_index(cell: &str) -> bool {
    !cell.is_empty() && cell.split(['-', '.']).all(|part| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit()))
}

fn is_compound_index(cell: &str) -> bool {
    cell.contains(['-', '.']) && is_index(cell)
}

/// The lines that are rows with certainty, with their numbers.
fn rows(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let lines = text.lines().enumerate().map(|(at, line)| (at + 1, line));
    lines.filter(|(_, line)| !is_blank(line) && !is_document_start(line) && comment(line).is_none()).take(SAMPLE)
}

impl Columns {
    /// The columns of a file that starts with `text`, its first line being `first_line`; `None` without a row.
    ///
    /// The first row says what separates the columns and how many there are. The tag column is the last one in
    /// which at least half of the rows hold a tag, so that a column of notes behind it does no harm, and one bad
    /// tag does not make another column the tag column.
    pub(super) fn find(text: &str, first_line: usize) -> Option<Self> {
        let (line, first) = rows(text).next()?;
        let separator = if first.contains('\t') { Separator::Tab } else { Separator::Spaces };
        let count = cells(separator, first).count();
        let (mut tags, mut numbered, mut seen) = (vec![0usize; count], true, 0usize);
        for (_, row) in rows(text) {
            if cells(separator, row).count() != count {
                continue;
            }
            seen += 1;
            for (at, cell) in cells(separator, row).enumerate() {
                tags[at] += usize::from(is_tag(cell));
                numbered &= at > 0 || is_index(cell);
            }
        }
        let first_is_one = cells(separator, first).next().is_some_and(|cell| cell == "1" || cell.starts_with("1-"));
        let token = usize::from(count > 2 && numbered && first_is_one);
        let mostly_tags = |at: &usize| tags[*at] * 2 >= seen;
        let tag = if token == 1 {
            // Files that number their tokens have the tag right behind them and may repeat it with a remark.
            (token + 1..count).find(mostly_tags)
        } else {
            (token + 1..count).rev().find(mostly_tags)
        };
        let tag = tag.unwrap_or(count - 1);
        Some(Self { separator, count, token, tag, first_line: first_line + line - 1 })
    }

    /// What `line` is.
    pub(super) fn read<'l>(&self, line: &'l str) -> Line<'l> {
        if is_blank(line) {
            return Line::Blank;
        }
        if is_document_start(line) {
            return Line::DocumentStart;
        }
        let (mut count, mut index, mut token, mut tag) = (0, "", "", "");
        for cell in cells(self.separator, line) {
            match count {
                at if at == self.tag => tag = cell.trim_matches(' '),
                at if at == self.token => token = cell,
                0 => index = cell,
                _ => {}
            }
            count += 1;
        }
        if let Some(comment) = comment(line)
            && (count != self.count || !is_tag(tag))
        {
            return Line::Comment(comment);
        }
        if self.count == 1 {
            Line::Wrong(ReadErrorKind::OneColumn)
        } else if count != self.count {
            let (expected, first_line) = (self.count, self.first_line);
            Line::Wrong(ReadErrorKind::Columns { found: count, expected, first_line })
        } else if self.token == 1 && is_compound_index(index) {
            Line::Skipped
        } else if token.trim_matches(' ').is_empty() {
            Line::Wrong(ReadErrorKind::EmptyToken)
        } else {
            Line::Row { token, tag }
        }
    }
}

/// Whether nearly every row has the same number of columns and a tag.
pub(crate) fn looks_like(text: &str) -> bool {
    // The last line of the sample may be cut; it counts only where it is the only one.
    let sample = text.rsplit_once('\n').map_or(text, |(lines, _)| lines);
    let Some(columns) = Columns::find(sample, 1) else { return false };
    let (mut rows_seen, mut fitting) = (0usize, 0usize);
    for (_, row) in rows(sample) {
        rows_seen += 1;
        fitting += usize::from(matches!(columns.read(row), Line::Row { tag, .. } if is_tag(tag)));
    }
    columns.count > 1 && fitting * 10 >= rows_seen * 9
}

#[cfg(test)]
mod tests {
    use super::*;

    fn columns(text: &str) -> (Separator, usize, usize, usize) {
        let Columns { separator, count, token, tag, .. } = Columns::find(text, 1).unwrap();
        (separator, count, token, tag)
    }

    #[test]
    fn columns_are_found_by_what_they_hold() {
        assert_eq!(columns("a\tO\nb c\tB-X\n"), (Separator::Tab, 2, 0, 1));
        assert_eq!(columns("-DOCSTART- -X- O O\n\nEU NNP I-NP I-ORG\n. . O O\n"), (Separator::Spaces, 4, 0, 3));
        assert_eq!(columns("# text = a b\n1\ta\tO\tO#O\ts\n2\tb\tB-L\tB-L#O\ts\n"), (Separator::Tab, 5, 1, 2));
        assert_eq!(columns("EU NNP I-NP I-ORG\nx NN I-NP bad\ny NN I-NP O\n"), (Separator::Spaces, 4, 0, 3));
    }

    #[test]
    fn a_hash_is_a_token_where_its_line_is_a_row() {
        let spaces = Columns::find("a O\nb I-X\n", 1).unwrap();
        assert!(matches!(spaces.read("# O"), Line::Row { token: "#", tag: "O" }));
        assert!(matches!(spaces.read("# a comment O"), Line::Comment("a comment O")));
        assert!(matches!(spaces.read("#tag O"), Line::Row { token: "#tag", .. }));
        let tabs = Columns::find("a\tO\n", 1).unwrap();
        assert!(matches!(tabs.read("#\tO"), Line::Row { token: "#", .. }));
        assert!(matches!(tabs.read("# sent_id = 1"), Line::Comment("sent_id = 1")));
        assert!(matches!(tabs.read("#tag"), Line::Wrong(ReadErrorKind::Columns { found: 1, expected: 2, .. })));
    }

    #[test]
    fn prose_is_not_a_token_table() {
        assert!(!looks_like("Take vitamin B-12\nwith water.\nTwice a day.\n"));
        assert!(!looks_like("word\nword\n"));
        assert!(looks_like("a O\nb I-X\n\nc O\n"));
    }
}
