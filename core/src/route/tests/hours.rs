//! When a target is open.

use crate::route::{Date, DateError, Hours, HoursError, LocalTime, Weekday};

fn date(text: &str) -> Date {
    Date::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

/// Takes a time for what `2026-11-23 09:30` says.
pub(super) fn at(text: &str) -> LocalTime {
    let (day, time) = text.split_once(' ').unwrap();
    let (hour, minute) = time.split_once(':').unwrap();
    let minute_of_day = 60 * hour.parse::<u16>().unwrap() + minute.parse::<u16>().unwrap();
    LocalTime::new(date(day), minute_of_day).unwrap()
}

pub(super) fn hours(text: &str) -> Hours {
    Hours::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn hours_but(text: &str, closed: &[&str]) -> Hours {
    let mut hours = hours(text);
    hours.closed.extend(closed.iter().map(|text| date(text)));
    hours
}

#[test]
fn a_date_knows_its_weekday() {
    for (text, weekday) in [
        ("0001-01-01", Weekday::Monday),
        ("1900-02-28", Weekday::Wednesday),
        ("1900-03-01", Weekday::Thursday),
        ("1970-01-01", Weekday::Thursday),
        ("2000-02-29", Weekday::Tuesday),
        ("2024-02-29", Weekday::Thursday),
        ("2026-11-21", Weekday::Saturday),
        ("2026-12-31", Weekday::Thursday),
        ("2100-03-01", Weekday::Monday),
        ("9999-12-31", Weekday::Friday),
    ] {
        assert_eq!(date(text).weekday(), weekday, "{text}");
        assert_eq!(date(text).to_string(), text);
    }
}

#[test]
fn four_centuries_of_days_follow_each_other() {
    let (mut day, mut days) = (date("2400-01-01"), 0);
    while day != date("2000-01-01") {
        let before = day.day_before().unwrap();
        assert!(before < day);
        let onward = (before.weekday() as usize + 1) % 7;
        assert_eq!(onward, day.weekday() as usize, "{day}");
        (day, days) = (before, days + 1);
    }
    assert_eq!(days, 146_097);
    assert_eq!(date("0001-01-01").day_before(), None);
}

#[test]
fn what_is_no_date_is_refused() {
    for (text, error) in [
        ("2026-02-29", DateError::NoSuchDay),
        ("1900-02-29", DateError::NoSuchDay),
        ("2026-04-31", DateError::NoSuchDay),
        ("2026-13-01", DateError::NoSuchDay),
        ("2026-00-10", DateError::NoSuchDay),
        ("2026-01-00", DateError::NoSuchDay),
        ("0000-01-01", DateError::NoSuchDay),
        ("", DateError::Form),
        ("2026-1-1", DateError::Form),
        ("26-12-25", DateError::Form),
        ("25.12.2026", DateError::Form),
        ("2026-12-25 ", DateError::Form),
        ("2026-12-+5", DateError::Form),
        ("2026-12-é", DateError::Form),
    ] {
        assert_eq!(Date::parse(text), Err(error), "{text}");
    }
    assert!(LocalTime::new(date("2026-11-21"), 1439).is_some());
    assert_eq!(LocalTime::new(date("2026-11-21"), 1440), None);
}

/// Counts the minutes of a week in which it is open.
fn open_minutes_a_week(hours: &Hours) -> usize {
    let days = (23..=29).map(|day| Date::new(2026, 11, day).unwrap());
    let minutes = days.flat_map(|day| (0..1440).map(move |minute| LocalTime::new(day, minute)));
    minutes
        .filter(|local| hours.is_open(local.unwrap()))
        .count()
}

#[test]
fn a_week_is_open_for_as_long_as_its_spans_say() {
    for (text, minutes) in [
        ("24/7", 7 * 1440),
        ("00:00-24:00", 7 * 1440),
        ("24/7; Su off", 6 * 1440),
        ("Mo-Fr 09:00-17:30; Sa 10:00-14:00", 5 * 510 + 240),
        ("Mo-Fr 09:00-12:00,13:00-17:30", 5 * (180 + 270)),
        ("09:00-17:00", 7 * 480),
        ("Mo,We,Fr 08:00-09:00", 3 * 60),
        ("Mo,We-Fr,Su 08:00-09:00", 5 * 60),
        ("Sa-Mo 08:00-09:00", 3 * 60),
        ("Tu-Mo 08:00-09:00", 7 * 60),
        ("We-We 08:00-09:00", 60),
        ("22:00-06:00", 7 * 480),
        ("Su 22:00-06:00", 480),
        ("Sa,Su 22:00-00:00", 240),
        ("Fr 18:00-17:59", 1439),
        // Spans that overlap are open once.
        ("Mo 09:00-12:00,11:00-15:00", 6 * 60),
        ("Mo 22:00-06:00; Tu 04:00-08:00", 10 * 60),
        // A later part takes the place of an earlier one, on its own days only.
        ("Mo-Fr 09:00-17:00; We 10:00-12:00", 4 * 480 + 120),
        ("Mo-Fr 09:00-17:00; We off", 4 * 480),
        ("Mo-Fr 09:00-17:00; We closed", 4 * 480),
        ("We 10:00-12:00; Mo-Fr 09:00-17:00", 5 * 480),
        ("off", 0),
        // Blanks are free.
        (
            "  Mo - Fr  09:00 - 17:00 ; Sa , Su 10:00-11:00 , 12:00-13:00  ",
            5 * 480 + 240,
        ),
        ("Mo-Fr 09:00-17:00;Sa 10:00-11:00", 5 * 480 + 60),
        ("Mo-Fr09:00-17:00", 5 * 480),
    ] {
        assert_eq!(open_minutes_a_week(&hours(text)), minutes, "{text}");
    }
}

/// Hours, dates on which they are closed, times at which it is open and at which it is not.
type OpenAndClosed = (
    &'static str,
    &'static [&'static str],
    &'static [&'static str],
    &'static [&'static str],
);

fn check_hours(cases: &[OpenAndClosed]) {
    for (text, closed_dates, open, closed) in cases {
        let hours = hours_but(text, closed_dates);
        for time in *open {
            assert!(hours.is_open(at(time)), "`{text}` is closed at {time}");
        }
        for time in *closed {
            assert!(!hours.is_open(at(time)), "`{text}` is open at {time}");
        }
    }
}

#[test]
fn a_span_has_its_first_minute_and_not_its_last() {
    check_hours(&[
        (
            "Mo-Fr 09:00-17:30",
            &[],
            &["2026-11-23 09:00", "2026-11-23 17:29", "2026-11-27 17:29"],
            &[
                "2026-11-23 08:59",
                "2026-11-23 17:30",
                "2026-11-27 17:30",
                "2026-11-28 12:00",
                "2026-11-29 12:00",
            ],
        ),
        (
            "Tu 00:00-24:00",
            &[],
            &["2026-11-24 00:00", "2026-11-24 23:59"],
            &["2026-11-23 23:59", "2026-11-25 00:00"],
        ),
        (
            "Tu 20:00-00:00",
            &[],
            &["2026-11-24 20:00", "2026-11-24 23:59"],
            &["2026-11-24 00:00", "2026-11-25 00:00"],
        ),
    ]);
}

#[test]
fn a_span_past_midnight_belongs_to_the_day_on_which_it_begins() {
    check_hours(&[
        (
            "Fr 22:00-06:00",
            &[],
            &[
                "2026-11-27 22:00",
                "2026-11-27 23:59",
                "2026-11-28 00:00",
                "2026-11-28 05:59",
            ],
            &[
                "2026-11-27 05:59",
                "2026-11-27 21:59",
                "2026-11-28 06:00",
                "2026-11-28 22:00",
            ],
        ),
        // From Sunday to Monday the week begins anew.
        (
            "Su 22:00-06:00",
            &[],
            &["2026-11-22 22:00", "2026-11-23 00:00", "2026-11-23 05:59"],
            &["2026-11-22 05:59", "2026-11-23 06:00", "2026-11-23 22:00"],
        ),
        // What takes the place of Saturday's spans leaves Friday's night alone.
        (
            "Fr,Sa 22:00-06:00; Sa off",
            &[],
            &["2026-11-28 05:59"],
            &["2026-11-28 22:00", "2026-11-29 00:00"],
        ),
    ]);
}

#[test]
fn on_a_closed_date_no_span_begins_and_the_last_night_runs_out() {
    check_hours(&[
        (
            "22:00-06:00",
            &["2026-12-25"],
            &["2026-12-24 22:00", "2026-12-25 05:59", "2026-12-26 22:00"],
            &[
                "2026-12-25 06:00",
                "2026-12-25 22:00",
                "2026-12-25 23:59",
                "2026-12-26 00:00",
                "2026-12-26 05:59",
            ],
        ),
        (
            "24/7",
            &["2026-12-25"],
            &["2026-12-24 23:59", "2026-12-26 00:00"],
            &["2026-12-25 00:00", "2026-12-25 12:00", "2026-12-25 23:59"],
        ),
        // The year ends on a Thursday.
        (
            "Th 20:00-04:00; Fr 09:00-12:00",
            &["2027-01-01"],
            &["2026-12-31 20:00", "2027-01-01 03:59", "2027-01-08 09:00"],
            &["2027-01-01 04:00", "2027-01-01 09:00"],
        ),
        (
            "Th 20:00-04:00; Fr 09:00-12:00",
            &["2026-12-31"],
            &["2027-01-01 09:00", "2027-01-08 03:59"],
            &["2026-12-31 20:00", "2027-01-01 00:00", "2027-01-01 03:59"],
        ),
        // The day before the first of March is the 29th of February, or the 28th.
        (
            "22:00-02:00",
            &["2028-02-29"],
            &["2028-02-29 01:59", "2028-03-01 22:00", "2028-02-28 22:00"],
            &["2028-02-29 22:00", "2028-03-01 00:00", "2028-03-01 01:59"],
        ),
        (
            "22:00-02:00",
            &["2027-02-28"],
            &["2027-02-28 01:59", "2027-03-01 22:00"],
            &["2027-02-28 22:00", "2027-03-01 01:59"],
        ),
    ]);
}

#[test]
fn a_change_of_the_clock_moves_nothing() {
    check_hours(&[
        // Berlin, 2026-03-29: after 01:59 the clock shows 03:00.
        (
            "Sa 22:00-06:00; Su 10:00-18:00",
            &[],
            &[
                "2026-03-28 22:00",
                "2026-03-29 01:59",
                "2026-03-29 03:00",
                "2026-03-29 05:59",
                "2026-03-29 10:00",
                "2026-03-29 17:59",
            ],
            &[
                "2026-03-28 21:59",
                "2026-03-29 06:00",
                "2026-03-29 09:59",
                "2026-03-29 18:00",
            ],
        ),
        // What begins in the hour that is skipped is open as soon as the clock is past it.
        (
            "02:30-03:30",
            &[],
            &["2026-03-29 03:00", "2026-03-29 03:29"],
            &["2026-03-29 01:59", "2026-03-29 03:30"],
        ),
        // Berlin, 2026-10-25: after 02:59 the clock shows 02:00 once more.
        (
            "Sa 22:00-02:30; Su 10:00-18:00",
            &[],
            &[
                "2026-10-24 22:00",
                "2026-10-25 02:00",
                "2026-10-25 02:29",
                "2026-10-25 10:00",
                "2026-10-25 17:59",
            ],
            &[
                "2026-10-25 02:30",
                "2026-10-25 02:59",
                "2026-10-25 09:59",
                "2026-10-25 18:00",
            ],
        ),
    ]);
}

#[test]
fn hours_that_cannot_be_read_say_what_would_be_right() {
    let text = |text: &str| text.to_owned();
    for (source, expected, said) in [
        ("", HoursError::EmptyPart, "Mo-Fr 09:00-17:30"),
        ("Mo 09:00-17:00;", HoursError::EmptyPart, "a part is empty"),
        (
            "Mon 09:00-17:00",
            HoursError::UnknownDay { word: text("Mon") },
            "write Mo, Tu",
        ),
        (
            "mo 09:00-17:00",
            HoursError::UnknownDay { word: text("mo") },
            "write Mo, Tu",
        ),
        (
            "Mo-Fri 09:00-17:00",
            HoursError::UnknownDay { word: text("Fri") },
            "`Fri`",
        ),
        (
            "Mo–Fr 09:00-17:00",
            HoursError::UnknownDay {
                word: text("Mo–Fr"),
            },
            "`Mo–Fr`",
        ),
        (
            "Mo,,We 09:00-17:00",
            HoursError::UnknownDay { word: text("") },
            "write Mo, Tu",
        ),
        (
            "Mooff",
            HoursError::UnknownDay {
                word: text("Mooff"),
            },
            "`Mooff`",
        ),
        (
            "sunrise-sunset",
            HoursError::UnknownDay {
                word: text("sunrise"),
            },
            "`sunrise`",
        ),
        (
            "PH off",
            HoursError::Dates { word: text("PH") },
            "list dates as closed",
        ),
        (
            "Mo,PH 09:00-17:00",
            HoursError::Dates { word: text("PH") },
            "list dates as closed",
        ),
        (
            "24/7; Dec 25 off",
            HoursError::Dates {
                word: text("Dec 25"),
            },
            "list dates as closed",
        ),
        (
            "Dec 25 10:00-12:00",
            HoursError::Dates { word: text("Dec") },
            "list dates as closed",
        ),
        (
            "Mo-Fr",
            HoursError::NoTimes {
                days: text("Mo-Fr"),
            },
            "`Mo-Fr 09:00-17:30`",
        ),
        (
            "Mo 24/7",
            HoursError::NoSpan { text: text("24/7") },
            "09:00-17:30",
        ),
        (
            "Mo 09:00",
            HoursError::NoSpan {
                text: text("09:00"),
            },
            "09:00-17:30",
        ),
        (
            "Mo 17:00+",
            HoursError::NoSpan {
                text: text("17:00+"),
            },
            "09:00-17:30",
        ),
        (
            "Mo 09:00-12:00,",
            HoursError::NoSpan { text: text("") },
            "09:00-17:30",
        ),
        (
            "Mo 09:00-12:00, We 14:00-18:00",
            HoursError::DaysAfterTimes {
                text: text("We 14:00-18:00"),
            },
            "with `;`",
        ),
        (
            "Mo 9:00-17:00",
            HoursError::NoTime { text: text("9:00") },
            "00:00 to 23:59",
        ),
        (
            "Mo 09:00-17",
            HoursError::NoTime { text: text("17") },
            "00:00 to 23:59",
        ),
        (
            "Mo 09:00-17:60",
            HoursError::NoTime {
                text: text("17:60"),
            },
            "00:00 to 23:59",
        ),
        (
            "Mo 22:00-26:00",
            HoursError::NoTime {
                text: text("26:00"),
            },
            "00:00 to 23:59",
        ),
        (
            "Mo 22:00-24:01",
            HoursError::NoTime {
                text: text("24:01"),
            },
            "00:00 to 23:59",
        ),
        (
            "Mo 24:00-06:00",
            HoursError::NoTime {
                text: text("24:00"),
            },
            "00:00 to 23:59",
        ),
        (
            "Mo 09:00-17:00+",
            HoursError::NoTime {
                text: text("17:00+"),
            },
            "00:00 to 23:59",
        ),
        (
            "Mo 09:00-17:00 off",
            HoursError::UnknownDay {
                word: text("Mo 09:00"),
            },
            "",
        ),
        (
            "Mo 09:00-09:00",
            HoursError::EmptySpan {
                text: text("09:00-09:00"),
            },
            "00:00-24:00",
        ),
    ] {
        let error = Hours::parse(source).unwrap_err();
        assert_eq!(error, expected, "{source}");
        assert!(error.to_string().contains(said), "{source}: {error}");
    }
}
