//! Numbers for a person to read.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// A score as a fraction.
pub fn fraction(score: f64) -> String {
    if score.is_finite() { format!("{score:.3}") } else { "–".to_owned() }
}

/// A count, its thousands set apart.
pub fn grouped(count: u64) -> String {
    let digits = count.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A count of weights.
pub fn millions(count: usize) -> String {
    match count {
        0..1_000_000 => grouped(count as u64),
        _ => format!("{:.1} million", count as f64 / 1e6),
    }
}

/// A learning rate: `2e-4`.
pub fn rate(rate: f64) -> String {
    let text = format!("{rate:.1e}");
    text.replace(".0e", "e")
}

/// A time span in its two largest units.
pub fn duration(time: Duration) -> String {
    let seconds = time.as_secs_f64();
    match time.as_secs() {
        0..10 => format!("{seconds:.1} s"),
        10..60 => format!("{seconds:.0} s"),
        60..3600 => format!("{} min {} s", time.as_secs() / 60, time.as_secs() % 60),
        _ => format!("{} h {} min", time.as_secs() / 3600, time.as_secs() / 60 % 60),
    }
}

/// A moment as date and time in UTC, by the calendar computation of Hinnant, "chrono-compatible low-level date
/// algorithms" (2014). Moments before 1970 count as its beginning.
pub fn moment(time: SystemTime) -> String {
    let seconds = time.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    // Years begin in March here, so that a leap day is the last of its year.
    let days = seconds / 86_400 + 719_468;
    let (era, of_era) = (days / 146_097, days % 146_097);
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * of_year + 2) / 153;
    let day = of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    let year = era * 400 + year_of_era + u64::from(month <= 2);
    format!("{year}-{month:02}-{day:02} {:02}:{:02} UTC", seconds / 3600 % 24, seconds / 60 % 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_dates_of_the_calendar() {
        // From `date -u -d @SECONDS`.
        for (seconds, expected) in [
            (0, "1970-01-01 00:00 UTC"),
            (951_782_399, "2000-02-28 23:59 UTC"),
            (951_782_400, "2000-02-29 00:00 UTC"),
            (1_709_251_199, "2024-02-29 23:59 UTC"),
            (4_107_542_400, "2100-03-01 00:00 UTC"),
        ] {
            assert_eq!(moment(UNIX_EPOCH + Duration::from_secs(seconds)), expected);
        }
    }

    #[test]
    fn numbers_read_as_people_write_them() {
        assert_eq!([0, 999, 1_000, 1_234_567].map(grouped), ["0", "999", "1,000", "1,234,567"]);
        assert_eq!([2e-4, 3.76e-5].map(rate), ["2e-4", "3.8e-5"]);
        assert_eq!(
            [0.26, 59.6, 192.0, 7_300.0].map(|s| duration(Duration::from_secs_f64(s))),
            ["0.3 s", "60 s", "3 min 12 s", "2 h 1 min"]
        );
        assert_eq!([f64::NAN, 0.8125].map(fraction), ["–", "0.812"]);
    }
}
