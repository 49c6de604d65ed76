//! When a target is open, written as OpenStreetMap writes opening hours.
//!
//! Language: <https://wiki.openstreetmap.org/wiki/Key:opening_hours/specification> (read
//! 2026-11-21), of which this is a part:
//!
//! ```text
//! hours = part { ";" part }               Mo-Fr 09:00-17:30; Sa 10:00-14:00
//! part  = "24/7" | [days] ( spans | "off" | "closed" )
//! days  = day or range { "," … }          Mo,We-Fr    Sa-Mo    none: every day
//! spans = time "-" time { "," … }         09:00-12:00,13:00-17:30    00:00-24:00    22:00-06:00
//! ```
//!
//! A later part takes the place of earlier ones on its days. A span belongs to the day on which it
//! begins: unlike there, what is said about Saturday does not cut short Friday's night.

use std::collections::BTreeSet;

use super::civil::{Date, LocalTime, MINUTES_A_DAY, Weekday};

/// The opening hours of a target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hours {
    /// By day of the week, from Monday.
    week: [Vec<Span>; 7],
    /// Dates on which no span begins. One that began the evening before runs to its end.
    pub closed: BTreeSet<Date>,
}

/// Minutes after the midnight in which its day begins; `end` is not in it, and may be on the next
/// day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Span {
    start: u16,
    end: u16,
}

/// Why opening hours could not be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HoursError {
    /// There is nothing between two `;`, or nothing at all.
    #[error("a part is empty; write days and times as in `Mo-Fr 09:00-17:30`, or `24/7`")]
    EmptyPart,
    /// A word is no day of the week.
    #[error("`{word}` is no day; write Mo, Tu, We, Th, Fr, Sa or Su")]
    UnknownDay {
        /// The word as written.
        word: String,
    },
    /// A word stands for dates, not for days of the week.
    #[error("`{word}` stands for dates; hours have days of the week only, list dates as closed")]
    Dates {
        /// The word as written.
        word: String,
    },
    /// Days come without times.
    #[error("`{days}` has no times; write them as in `{days} 09:00-17:30`, or `{days} off`")]
    NoTimes {
        /// The days as written.
        days: String,
    },
    /// Where a span is expected, there is none.
    #[error("`{text}` is no span; write its two ends as in 09:00-17:30")]
    NoSpan {
        /// The text as written.
        text: String,
    },
    /// Days follow a comma after times.
    #[error("`{text}` has days after a comma; begin other days with `;`")]
    DaysAfterTimes {
        /// The text as written.
        text: String,
    },
    /// A text is no time of day.
    #[error("`{text}` is no time; write 00:00 to 23:59, or 24:00 where a span ends at midnight")]
    NoTime {
        /// The text as written.
        text: String,
    },
    /// A span ends in the minute in which it begins.
    #[error("`{text}` ends where it begins; write 00:00-24:00 for all day, `off` for never")]
    EmptySpan {
        /// The span as written.
        text: String,
    },
}

impl Hours {
    /// Reads opening hours; no date is closed.
    ///
    /// # Errors
    ///
    /// The first thing that is wrong, and what would be right.
    pub fn parse(text: &str) -> Result<Self, HoursError> {
        let mut hours = Self {
            week: Default::default(),
            closed: BTreeSet::new(),
        };
        for part in text.split(';') {
            let (days, spans) = read_part(part.trim())?;
            for day in days {
                hours.week[day as usize].clone_from(&spans);
            }
        }
        Ok(hours)
    }

    /// Whether it is open in that minute, by the clock where the target is.
    pub fn is_open(&self, local: LocalTime) -> bool {
        let (today, minute) = (local.date(), local.minute_of_day());
        self.covers(today, minute)
            || (today.day_before())
                .is_some_and(|yesterday| self.covers(yesterday, minute + MINUTES_A_DAY))
    }

    /// Whether a span that begins on `date` has `minute`, counted from the midnight of that date.
    fn covers(&self, date: Date, minute: u16) -> bool {
        let mut spans = self.week[date.weekday() as usize].iter();
        !self.closed.contains(&date) && spans.any(|span| (span.start..span.end).contains(&minute))
    }
}

fn read_part(part: &str) -> Result<(Vec<Weekday>, Vec<Span>), HoursError> {
    if part.is_empty() {
        return Err(HoursError::EmptyPart);
    }
    if part == "24/7" {
        let all_day = Span {
            start: 0,
            end: MINUTES_A_DAY,
        };
        return Ok((Weekday::ALL.to_vec(), vec![all_day]));
    }
    if let Some(days) = part.strip_suffix("off").or(part.strip_suffix("closed"))
        && !days.ends_with(char::is_alphanumeric)
    {
        return Ok((read_days(days.trim())?, Vec::new()));
    }
    let times = part.find(|first: char| first.is_ascii_digit());
    let (days, spans) = part.split_at(times.unwrap_or(part.len()));
    let (days, written) = (read_days(days.trim())?, days.trim());
    if spans.is_empty() {
        return Err(HoursError::NoTimes {
            days: written.to_owned(),
        });
    }
    let spans: Result<_, _> = spans
        .split(',')
        .map(|span| read_span(span.trim()))
        .collect();
    Ok((days, spans?))
}

fn read_days(text: &str) -> Result<Vec<Weekday>, HoursError> {
    if text.is_empty() {
        return Ok(Weekday::ALL.to_vec());
    }
    let mut days = Vec::new();
    for range in text.split(',') {
        let (first, last) = range.split_once('-').unwrap_or((range, range));
        let (first, last) = (read_day(first.trim())?, read_day(last.trim())?);
        let onward = Weekday::ALL.iter().cycle().skip(first as usize);
        let length = (last as usize + 7 - first as usize) % 7 + 1;
        days.extend(onward.take(length));
    }
    Ok(days)
}

fn read_day(word: &str) -> Result<Weekday, HoursError> {
    const DATES: [&str; 16] = [
        "PH", "SH", "week", "easter", "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug",
        "Sep", "Oct", "Nov", "Dec",
    ];
    if let Some(day) = Weekday::ALL.into_iter().find(|day| day.as_str() == word) {
        return Ok(day);
    }
    let stands_for_dates =
        (word.split_whitespace().next()).is_some_and(|first| DATES.contains(&first));
    let word = word.to_owned();
    Err(if stands_for_dates {
        HoursError::Dates { word }
    } else {
        HoursError::UnknownDay { word }
    })
}

fn read_span(text: &str) -> Result<Span, HoursError> {
    if text.starts_with(|first: char| first.is_ascii_alphabetic()) {
        return Err(HoursError::DaysAfterTimes {
            text: text.to_owned(),
        });
    }
    let Some((start, end)) = text.split_once('-') else {
        return Err(HoursError::NoSpan {
            text: text.to_owned(),
        });
    };
    let (start, end) = (start.trim(), end.trim());
    let start = minute_of(start)
        .filter(|start| *start < MINUTES_A_DAY)
        .ok_or_else(|| no_time(start))?;
    let end = minute_of(end).ok_or_else(|| no_time(end))?;
    if start == end {
        return Err(HoursError::EmptySpan {
            text: text.to_owned(),
        });
    }
    let ends_next_day = end < start;
    Ok(Span {
        start,
        end: if ends_next_day {
            end + MINUTES_A_DAY
        } else {
            end
        },
    })
}

fn no_time(text: &str) -> HoursError {
    HoursError::NoTime {
        text: text.to_owned(),
    }
}

/// Reads `hh:mm` up to 24:00.
fn minute_of(text: &str) -> Option<u16> {
    let &[h1, h2, b':', m1, m2] = text.as_bytes() else {
        return None;
    };
    let number = |tens: u8, ones: u8| {
        let are_digits = tens.is_ascii_digit() && ones.is_ascii_digit();
        are_digits.then(|| u16::from(tens - b'0') * 10 + u16::from(ones - b'0'))
    };
    let (hour, minute) = (number(h1, h2)?, number(m1, m2)?);
    let exists = minute < 60 && 60 * hour + minute <= MINUTES_A_DAY;
    exists.then_some(60 * hour + minute)
}
