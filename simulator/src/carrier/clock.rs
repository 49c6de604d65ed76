//! Calendar time as carriers write it in their callbacks.

use std::time::{SystemTime, UNIX_EPOCH};

const MONTHS: [&str; 12] = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
];
const WEEKDAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];

/// A point in UTC, to the second.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Utc {
    days: u64,
    year: u64,
    month: u64,
    day: u64,
    seconds: u64,
}

impl Utc {
    pub(super) fn now() -> Self {
        let since = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        Self::from_unix(since.as_secs())
    }

    /// Converts days since 1970 to a date: the civil-from-days algorithm, in eras of 400 years that
    /// begin on 1 March so that the leap day is the last.
    fn from_unix(unix: u64) -> Self {
        let days = unix / 86_400;
        let shifted = days + 719_468;
        let era = shifted / 146_097;
        let day_of_era = shifted % 146_097;
        let year_of_era =
            (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let shifted_month = (5 * day_of_year + 2) / 153;
        let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
        let month = if shifted_month < 10 {
            shifted_month + 3
        } else {
            shifted_month - 9
        };
        let year = era * 400 + year_of_era + u64::from(month <= 2);
        Self {
            days,
            year,
            month,
            day,
            seconds: unix % 86_400,
        }
    }

    /// As in `Sat, 21 Nov 2026 11:31:04 +0000`.
    pub(super) fn rfc2822(self) -> String {
        let Self {
            days,
            year,
            month,
            day,
            ..
        } = self;
        let weekday = WEEKDAYS[usize::try_from(days % 7).unwrap_or_default()];
        let month = MONTHS[usize::try_from(month - 1).unwrap_or_default()];
        format!("{weekday}, {day:02} {month} {year} {} +0000", self.time())
    }

    /// As in `2026-11-21T11:31:04Z`.
    pub(super) fn iso8601(self) -> String {
        format!(
            "{}-{:02}-{:02}T{}Z",
            self.year,
            self.month,
            self.day,
            self.time()
        )
    }

    fn time(self) -> String {
        format!(
            "{:02}:{:02}:{:02}",
            self.seconds / 3600,
            self.seconds / 60 % 60,
            self.seconds % 60
        )
    }
}

#[cfg(test)]
mod tests {
    use super::Utc;

    #[test]
    fn dates_are_written_as_carriers_write_them() {
        for (unix, rfc2822, iso8601) in [
            (0, "Thu, 01 Jan 1970 00:00:00 +0000", "1970-01-01T00:00:00Z"),
            (
                951_782_399,
                "Mon, 28 Feb 2000 23:59:59 +0000",
                "2000-02-28T23:59:59Z",
            ),
            (
                951_782_400,
                "Tue, 29 Feb 2000 00:00:00 +0000",
                "2000-02-29T00:00:00Z",
            ),
            (
                1_795_260_664,
                "Sat, 21 Nov 2026 11:31:04 +0000",
                "2026-11-21T11:31:04Z",
            ),
        ] {
            assert_eq!(Utc::from_unix(unix).rfc2822(), rfc2822);
            assert_eq!(Utc::from_unix(unix).iso8601(), iso8601);
        }
    }
}
