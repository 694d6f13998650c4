//! Reading and writing of times, over all texts.

use proptest::prelude::*;

use super::{canonical, is_canonical};

#[track_caller]
fn reads(text: &str, expected: &str) {
    assert_eq!(canonical(text).as_deref(), Some(expected), "{text:?}");
}

#[test]
fn iso_8601_in_its_spellings() {
    reads("2024-01-02", "2024-01-02T00:00:00.000000+0000");
    reads("2024-01-02T03:04Z", "2024-01-02T03:04:00.000000+0000");
    reads("2024-01-02T03:04:05+01:00", "2024-01-02T03:04:05.000000+0100");
    reads("2024-01-02 03:04:05.5 -0230", "2024-01-02T03:04:05.500000-0230");
    reads("2024-01-02T03:04:05.123456789+02:00", "2024-01-02T03:04:05.123456+0200");
    reads("20240102", "2024-01-02T00:00:00.000000+0000");
    reads("20240102T030405", "2024-01-02T03:04:05.000000+0000");
    reads("2024-W01-1", "2024-01-01T00:00:00.000000+0000");
    reads("2024W017", "2024-01-07T00:00:00.000000+0000");
    reads("2024-060", "2024-02-29T00:00:00.000000+0000");
    reads("2024-05", "2024-05-01T00:00:00.000000+0000");
}

#[test]
fn dates_as_people_write_them() {
    reads("Tue, 02 Jan 2024 03:04:05 +0000", "2024-01-02T03:04:05.000000+0000");
    reads("January 2, 2024 3:04 PM", "2024-01-02T15:04:00.000000+0000");
    reads("2 jan 24", "2024-01-02T00:00:00.000000+0000");
    reads("1/2/2024 12:30am", "2024-01-02T00:30:00.000000+0000");
    reads("10/Oct/2000:13:55:36 -0700", "2000-10-10T13:55:36.000000-0700");
    reads("Monday 2024-01-02", "2024-01-08T00:00:00.000000+0000");
    reads("2024-01-31 +1 month", "2024-03-02T00:00:00.000000+0000");
    reads("2024-01-02 noon CET", "2024-01-02T12:00:00.000000+0100");
}

#[test]
fn days_and_years_that_carry_over() {
    reads("2024-02-30", "2024-03-01T00:00:00.000000+0000");
    reads("0000-00-00", "-0001-11-30T00:00:00.000000+0000");
    reads("2024-01-02T24:00:00Z", "2024-01-03T00:00:00.000000+0000");
    reads("10000-01-01", "2000-01-01T10:00:00.000000+0000");
    reads("-0044-03-15", "-0044-03-15T00:00:00.000000+0000");
}

#[test]
fn seconds_since_1970_need_an_at_sign() {
    reads("@1704164645", "2024-01-02T03:04:05.000000+0000");
    reads("@-1.5", "1969-12-31T23:59:58.500000+0000");
    assert_eq!(canonical("1704164645"), None);
    assert_eq!(canonical("@99999999999999999999999"), None);
}

#[test]
fn zones_by_name_follow_their_clocks() {
    reads("2024-07-02T03:04:05 Europe/Brussels", "2024-07-02T03:04:05.000000+0200");
    reads("2024-03-31T02:30:00 Europe/Brussels", "2024-03-31T03:30:00.000000+0200");
    reads("2024-01-02T03:04:05 America/Argentina/Ushuaia", "2024-01-02T03:04:05.000000-0300");
    assert_eq!(canonical("2024-01-02T03:04:05 Europe/Atlantis"), None);
}

#[test]
fn what_would_need_the_clock_is_not_read() {
    for text in ["yesterday", "10:00", "2024", "Jan 2", "next week", "+1 day", "now", "x"] {
        assert_eq!(canonical(text), None, "{text:?}");
    }
}

#[test]
fn nonsense_and_contradictions() {
    for text in
        ["", "plain", "2024-13-45", "2024-01-01 2024-01-02", "1:00 2:00 2024-01-01", "a|b", "é"]
    {
        assert_eq!(canonical(text), None, "{text:?}");
    }
}

#[test]
fn what_looks_canonical_is_what_is_read() {
    for text in [
        "2024-01-02T03:04:05.000000+0000",
        "2024-13-02T03:04:05.000000+0000",
        "2024-01-32T03:04:05.000000+0000",
        "2024-01-02T25:04:05.000000+0000",
        "2024-01-02T24:00:60.000000-2400",
        "2024-01-02T03:60:05.000000+0000",
        "2024-01-02T03:04:05.000000+0060",
        "0000-12-31T23:59:59.999999-1200",
    ] {
        let read = super::read(text).and_then(super::Moment::resolve).is_some();
        assert_eq!(super::has_canonical_shape(text), read, "{text:?}");
    }
}

proptest! {
    #[test]
    fn what_was_written_is_read_as_the_same(
        pieces in prop::collection::vec(prop::sample::select(vec![
            "2024", "-01", "-02", "T03", ":04", ":05", ".678", "Z", "+01:00", " ", "Jan", "Mon", "2nd", ", ",
            "@", "-", "99999999999999999", "9223372036854775807", "W01", "1", "0", "pm", "months", "years",
            "days", "sec", "Europe/Brussels", "/", "12", "CET", "noon", "\0", "(", "é", "GMT",
        ]), 0..9),
    ) {
        // PHP reads years beyond 9999 as something else, which may or may not be a date.
        if let Some(written) = canonical(&pieces.concat())
            && written.trim_start_matches('-').len() == "2024-01-02T03:04:05.000000+0000".len()
        {
            prop_assert!(is_canonical(&written), "{}", written);
            prop_assert_eq!(canonical(&written), None, "{}", written);
        }
    }
}
