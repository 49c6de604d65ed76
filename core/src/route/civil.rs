//! Dates and times as a clock on the wall of the target's office shows them.
//!
//! There is no time zone here: whoever knows the zone and the instant says what that clock shows.
//! A change to or from summer time makes it skip an hour or show one twice, and nothing else.

use std::fmt;

pub(super) const MINUTES_A_DAY: u16 = 24 * 60;

/// A day of the Gregorian calendar, from the year 1 to 9999.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Date {
    year: u16,
    month: u8,
    day: u8,
}

/// Why a text or three numbers are no date.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DateError {
    /// The text is not written as a date.
    #[error("not a date; write year, month and day as in 2026-12-25")]
    Form,
    /// The calendar has no such day.
    #[error("the calendar has no such day")]
    NoSuchDay,
}

/// A day of the week.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Weekday {
    /// Mo.
    Monday,
    /// Tu.
    Tuesday,
    /// We.
    Wednesday,
    /// Th.
    Thursday,
    /// Fr.
    Friday,
    /// Sa.
    Saturday,
    /// Su.
    Sunday,
}

/// What a clock and a calendar show somewhere, to the minute.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LocalTime {
    date: Date,
    minute_of_day: u16,
}

impl Date {
    /// Takes a day by its numbers, month and day from 1.
    ///
    /// # Errors
    ///
    /// [`DateError::NoSuchDay`], as for the 29th of February of most years.
    pub fn new(year: u16, month: u8, day: u8) -> Result<Self, DateError> {
        let exists = (1..=9999).contains(&year)
            && (1..=12).contains(&month)
            && (1..=days_in(year, month)).contains(&day);
        if exists {
            Ok(Self { year, month, day })
        } else {
            Err(DateError::NoSuchDay)
        }
    }

    /// Reads a day in the form of ISO 8601, `2026-12-25`.
    ///
    /// # Errors
    ///
    /// [`DateError::Form`] if it is written otherwise, [`DateError::NoSuchDay`] if it does not exist.
    pub fn parse(text: &str) -> Result<Self, DateError> {
        let is_formed = text.len() == 10
            && text.bytes().enumerate().all(|(place, byte)| match place {
                4 | 7 => byte == b'-',
                _ => byte.is_ascii_digit(),
            });
        if !is_formed {
            return Err(DateError::Form);
        }
        let number = |digits: &str| digits.parse::<u16>().map_err(|_| DateError::Form);
        let small = |digits: &str| digits.parse::<u8>().map_err(|_| DateError::Form);
        Self::new(number(&text[..4])?, small(&text[5..7])?, small(&text[8..])?)
    }

    /// The day of the week it falls on.
    pub fn weekday(self) -> Weekday {
        // Day 1 of year 1 is a Monday in the calendar carried back.
        let years = u32::from(self.year) - 1;
        let before_year = years * 365 + years / 4 - years / 100 + years / 400;
        let before_month: u32 = (1..self.month)
            .map(|month| u32::from(days_in(self.year, month)))
            .sum();
        let days = before_year + before_month + u32::from(self.day) - 1;
        Weekday::ALL[(days % 7) as usize]
    }

    /// The day before, `None` for the first one there is.
    pub(super) fn day_before(self) -> Option<Self> {
        let (year, month) = match (self.month, self.day) {
            (month, 2..) => return Self::new(self.year, month, self.day - 1).ok(),
            (1, _) => (self.year - 1, 12),
            (month, _) => (self.year, month - 1),
        };
        Self::new(year, month, days_in(year, month)).ok()
    }
}

fn days_in(year: u16, month: u8) -> u8 {
    let is_leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    match month {
        2 if is_leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Prints as ISO 8601 has it: `2026-12-25`.
impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}-{:02}", self.year, self.month, self.day)
    }
}

impl fmt::Debug for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Weekday {
    /// The days as ISO 8601 counts them.
    pub const ALL: [Self; 7] = [
        Self::Monday,
        Self::Tuesday,
        Self::Wednesday,
        Self::Thursday,
        Self::Friday,
        Self::Saturday,
        Self::Sunday,
    ];

    /// The two letters that opening hours are written with.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Monday => "Mo",
            Self::Tuesday => "Tu",
            Self::Wednesday => "We",
            Self::Thursday => "Th",
            Self::Friday => "Fr",
            Self::Saturday => "Sa",
            Self::Sunday => "Su",
        }
    }
}

impl LocalTime {
    /// Takes a date and the minutes that the clock has gone past midnight, or `None` from 1440 on.
    /// They are what the clock shows (`60 * hour + minute`), also on a day that lacks an hour.
    pub fn new(date: Date, minute_of_day: u16) -> Option<Self> {
        (minute_of_day < MINUTES_A_DAY).then_some(Self {
            date,
            minute_of_day,
        })
    }

    /// The date.
    pub fn date(self) -> Date {
        self.date
    }

    /// The minutes that the clock has gone past midnight, 0..=1439.
    pub fn minute_of_day(self) -> u16 {
        self.minute_of_day
    }

    /// The day of the week.
    pub fn weekday(self) -> Weekday {
        self.date.weekday()
    }
}

/// Prints as `Fr 2026-12-25 09:30`.
impl fmt::Display for LocalTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (hour, minute) = (self.minute_of_day / 60, self.minute_of_day % 60);
        let day = self.weekday().as_str();
        write!(f, "{day} {} {hour:02}:{minute:02}", self.date)
    }
}

impl fmt::Debug for LocalTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
