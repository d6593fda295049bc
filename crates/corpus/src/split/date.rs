//! Dates as ISO 8601 writes them.

/// A point in time: seconds since the start of 1970 in UTC, and nanoseconds of the second.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Moment {
    seconds: i64,
    nanoseconds: u32,
}

impl Moment {
    /// The beginning of what a text names: a year, a month, a day (`2024-05-31` or `20240531`), or a day with a time
    /// (`T` or a space between them) and perhaps a zone; a time without a zone is taken as UTC.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        match text.split_once(['T', 't', ' ']) {
            None => Some(Self { seconds: days(text)? * 86_400, nanoseconds: 0 }),
            Some((date, time)) if date.len() >= 8 => {
                let (seconds, nanoseconds) = time_of_day(time)?;
                Some(Self { seconds: days(date)? * 86_400 + seconds, nanoseconds })
            }
            Some(_) => None,
        }
    }
}

/// A number of exactly so many digits.
fn digits(text: &str, count: usize) -> Option<i64> {
    let is_number = text.len() == count && text.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| text.parse().ok())?
}

/// Days since the start of 1970.
fn days(date: &str) -> Option<i64> {
    let mut fields = date.split('-');
    let (year, month, day) = match (fields.next()?, fields.next(), fields.next(), fields.next()) {
        (basic, None, None, None) if basic.len() == 8 && basic.is_ascii() => {
            (digits(&basic[..4], 4)?, digits(&basic[4..6], 2)?, digits(&basic[6..], 2)?)
        }
        (year, None, None, None) => (digits(year, 4)?, 1, 1),
        (year, Some(month), None, None) => (digits(year, 4)?, digits(month, 2)?, 1),
        (year, Some(month), Some(day), None) => (digits(year, 4)?, digits(month, 2)?, digits(day, 2)?),
        _ => return None,
    };
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let length = match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 => 28 + i64::from(leap),
        _ => return None,
    };
    if !(1..=length).contains(&day) {
        return None;
    }
    // Years that begin in March end with the leap day (Richards, 2013).
    let (year, month) = if month <= 2 { (year - 1, month + 9) } else { (year, month - 3) };
    let before = 365 * year + year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    Some(before + (153 * month + 2) / 5 + day - 1 - 719_468)
}

/// Seconds since midnight in UTC, and nanoseconds.
fn time_of_day(time: &str) -> Option<(i64, u32)> {
    let (clock, zone) = match time.find(['Z', 'z', '+', '-']) {
        Some(at) => time.split_at(at),
        None => (time, ""),
    };
    let (clock, fraction) = clock.split_once(['.', ',']).unwrap_or((clock, ""));
    let [hours, minutes, seconds] = clock_fields(clock)?;
    let seconds_missing = clock.len() < 6;
    if !(0..24).contains(&hours) || !(0..60).contains(&minutes) || !(0..=60).contains(&seconds) {
        return None;
    }
    if !fraction.bytes().all(|byte| byte.is_ascii_digit()) || (!fraction.is_empty() && seconds_missing) {
        return None;
    }
    let nanoseconds = format!("{fraction:0<9}")[..9].parse().ok()?;
    let offset = match zone {
        "" | "Z" | "z" => 0,
        zone => {
            let [hours, minutes, seconds] = clock_fields(&zone[1..])?;
            if hours > 23 || minutes > 59 || seconds != 0 {
                return None;
            }
            let east = if zone.starts_with('+') { 1 } else { -1 };
            east * (hours * 3600 + minutes * 60)
        }
    };
    Some((hours * 3600 + minutes * 60 + seconds - offset, nanoseconds))
}

/// Hours, minutes and seconds, of which the later may be missing; with colons or without.
fn clock_fields(clock: &str) -> Option<[i64; 3]> {
    if !clock.is_ascii() {
        return None;
    }
    let bare = match clock.len() {
        5 | 8 if clock.bytes().enumerate().all(|(at, byte)| (byte == b':') == (at % 3 == 2)) => clock.replace(':', ""),
        2 | 4 | 6 => clock.to_owned(),
        _ => return None,
    };
    let field = |at: usize| bare.get(at..at + 2).map_or(Some(0), |field| digits(field, 2));
    Some([field(0)?, field(2)?, field(4)?])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(text: &str) -> Option<i64> {
        Moment::parse(text).map(|moment| moment.seconds)
    }

    #[test]
    fn every_form_names_the_moment_that_it_means() {
        assert_eq!(seconds("1970-01-01"), Some(0));
        assert_eq!(seconds("2000-03-01"), Some(951_868_800));
        assert_eq!(seconds("20000301"), Some(951_868_800));
        assert_eq!(seconds("2024"), seconds("2024-01-01"));
        assert_eq!(seconds("2024-02"), seconds("2024-02-01T00:00Z"));
        assert_eq!(seconds("2024-02-29T12:30:15"), Some(1_709_209_815));
        assert_eq!(seconds("2024-02-29 14:30:15+02:00"), Some(1_709_209_815));
        assert_eq!(seconds("2024-02-29T07:00:15-0530"), Some(1_709_209_815));
        assert_eq!(seconds("2024-02-29T123015Z"), Some(1_709_209_815));
        assert_eq!(seconds("1969-12-31T23:59:59Z"), Some(-1));
        assert!(
            Moment::parse("2024-02-29T12:30:15.5").unwrap() > Moment::parse("2024-02-29T12:30:15.499999999").unwrap()
        );
    }

    #[test]
    fn what_is_no_date_is_refused() {
        for text in [
            "",
            "yesterday",
            "31.05.2024",
            "2024-5-31",
            "2024-13-01",
            "2023-02-29",
            "2024-00-10",
            "2024-01-00",
            "24-01-01",
            "2024-01-01T",
            "2024-01-01T25:00",
            "2024-01-01T12:00:00.x",
            "2024-01-01T12:00.5",
            "2024T12:00",
            "2024-01-01T12:00+",
            "2024-01-01T12:00é",
            "2024-01-01T1:2:3",
            "+2024",
            "１９７０",
            "2024-01-01-01",
            "1700000000",
        ] {
            assert_eq!(Moment::parse(text), None, "{text:?} was accepted");
        }
    }
}
