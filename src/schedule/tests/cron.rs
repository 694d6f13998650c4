//! Which texts are cron expressions, and what they mean.

use crate::schedule::{Cron, CronError};

use super::{by_cron, times};

#[test]
fn expressions_mean_what_cron_says() {
    let from = "2026-01-01T00:00:00Z"; // a Thursday
    for (text, expected) in [
        ("*/20 * * * *", ["2026-01-01T00:20:00Z", "2026-01-01T00:40:00Z", "2026-01-01T01:00:00Z"]),
        (
            "5 8-18/5 * * *",
            ["2026-01-01T08:05:00Z", "2026-01-01T13:05:00Z", "2026-01-01T18:05:00Z"],
        ),
        ("0 0 * * sun", ["2026-01-04T00:00:00Z", "2026-01-11T00:00:00Z", "2026-01-18T00:00:00Z"]),
        ("0 0 * * 7", ["2026-01-04T00:00:00Z", "2026-01-11T00:00:00Z", "2026-01-18T00:00:00Z"]),
        (
            "0 0 * * SAT-Sun",
            ["2026-01-03T00:00:00Z", "2026-01-04T00:00:00Z", "2026-01-10T00:00:00Z"],
        ),
        ("0 0 31 * *", ["2026-01-31T00:00:00Z", "2026-03-31T00:00:00Z", "2026-05-31T00:00:00Z"]),
        ("0 0 29 feb *", ["2028-02-29T00:00:00Z", "2032-02-29T00:00:00Z", "2036-02-29T00:00:00Z"]),
        ("0 0 13 * fri", ["2026-01-02T00:00:00Z", "2026-01-09T00:00:00Z", "2026-01-13T00:00:00Z"]),
        ("0 0 13 * */5", ["2026-02-13T00:00:00Z", "2026-03-13T00:00:00Z", "2026-09-13T00:00:00Z"]),
        (
            "0 0 1,15 jan,jul *",
            ["2026-01-15T00:00:00Z", "2026-07-01T00:00:00Z", "2026-07-15T00:00:00Z"],
        ),
        ("59 23 31 12 *", ["2026-12-31T23:59:00Z", "2027-12-31T23:59:00Z", "2028-12-31T23:59:00Z"]),
        ("0 0 29 2 */7", ["2032-02-29T00:00:00Z", "2060-02-29T00:00:00Z", "2088-02-29T00:00:00Z"]),
    ] {
        assert_eq!(times(&by_cron(text, "UTC"), from, 3), expected, "{text}");
    }
    let century = times(&by_cron("0 0 29 2 */7", "UTC"), "2088-03-01T00:00:00Z", 1);
    assert_eq!(century, ["2128-02-29T00:00:00Z"]);
}

#[test]
fn an_expression_is_shown_with_single_spaces() {
    assert_eq!(Cron::parse(" 0  2\t* * mon ").unwrap().to_string(), "0 2 * * mon");
}

#[test]
fn what_is_wrong_is_said() {
    for (text, words) in [
        ("", "has 0 fields instead of five"),
        ("* * * *", "has 4 fields"),
        ("0 0 * * * *", "has 6 fields"),
        ("@daily", "has 1 fields"),
        ("60 * * * *", "has \"60\" in the field of the minute, which takes 0 to 59"),
        ("* 24 * * *", "has \"24\" in the field of the hour, which takes 0 to 23"),
        ("* * 0 * *", "which takes 1 to 31"),
        ("* * * 13 *", "has \"13\" in the field of the month, which takes 1 to 12"),
        ("* * * * 8", "field of the day of the week, which takes 0 to 7"),
        ("* * * mon *", "has \"mon\" in the field of the month"),
        ("+1 * * * *", "has \"+1\""),
        ("1, * * * *", "has \"\""),
        ("? * * * *", "has \"?\""),
        ("-5 * * * *", "has \"\""),
        ("* 5-3 * * *", "has \"5-3\" in the field of the hour, a range that ends before it begins"),
        ("* * * * fri-mon", "a range that ends before it begins"),
        ("*/0 * * * *", "has \"*/0\" in the field of the minute: a step is a number from 1 up"),
        ("5/10 * * * *", "has \"5/10\" in the field of the minute: a step"),
        ("*/x * * * *", "a step is"),
        ("0 0 30 feb *", "names a day that none of its months has"),
        ("0 0 31 2,4,6,9,11 *", "names a day that none of its months has"),
    ] {
        let error = Cron::parse(text).unwrap_err().to_string();
        assert!(error.contains(words), "{text}: {error}");
    }
    assert_eq!(Cron::parse("0 0 30 2 *"), Err(CronError::NoDay));
    assert!(Cron::parse("0 0 31 2 mon").is_ok());
}

proptest::proptest! {
    #[test]
    fn no_text_makes_the_reader_panic(text in "([*0-9a-z/,-]{0,6}[ \t]?){0,6}", any in ".{0,20}") {
        for text in [text, any] {
            if let Ok(cron) = Cron::parse(&text) {
                assert_eq!(Cron::parse(&cron.to_string()), Ok(cron));
            }
        }
    }
}
