//! Dates as pages write them.

/// The date of ISO 8601 that a value starts with, with its time if it has one; `None` where there is none.
pub(super) fn iso(value: &str) -> Option<String> {
    let value = value.trim();
    let digits = |range: std::ops::Range<usize>| -> Option<u32> {
        let part = value.get(range)?;
        part.bytes().all(|byte| byte.is_ascii_digit()).then(|| part.parse().ok())?
    };
    let separator = value.as_bytes().get(4).filter(|byte| matches!(byte, b'-' | b'/' | b'.'))?;
    if value.as_bytes().get(7) != Some(separator) {
        return None;
    }
    let (year, month, day) = (digits(0..4)?, digits(5..7)?, digits(8..10)?);
    if year < 1000 || !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    let date = format!("{year:04}-{month:02}-{day:02}");
    let rest = value.get(10..)?;
    if rest.is_empty() {
        return Some(date);
    }
    let time = rest.strip_prefix(['T', 't', ' '])?;
    let is_time = time.len() >= 5
        && time.len() <= 24
        && time.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b':' | b'.' | b'+' | b'-' | b'Z' | b'z'))
        && time.as_bytes()[2] == b':';
    Some(if is_time { format!("{date}T{time}") } else { date })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_with_and_without_times_are_found() {
        assert_eq!(iso(" 2024-05-17 ").as_deref(), Some("2024-05-17"));
        assert_eq!(iso("2024/05/17").as_deref(), Some("2024-05-17"));
        assert_eq!(iso("2024-05-17T08:30:00+02:00").as_deref(), Some("2024-05-17T08:30:00+02:00"));
        assert_eq!(iso("2024-05-17 08:30").as_deref(), Some("2024-05-17T08:30"));
        assert_eq!(iso("2024-05-17 at noon").as_deref(), Some("2024-05-17"));
    }

    #[test]
    fn what_is_no_date_is_none() {
        for value in
            ["", "17.05.2024", "2024-13-01", "2024-05/17", "2024-05-1", "2024-0é-17", "20240517", "２０２４-05-17"]
        {
            assert_eq!(iso(value), None, "{value}");
        }
    }
}
