//! How long a server wants to be left alone.

use crate::model::Timestamp;

/// Reads `Retry-After`: seconds, or a date (RFC 9110, section 10.2.3), by the server's own clock.
pub(crate) fn rest_seconds(text: &str, date: Option<Timestamp>) -> Option<u64> {
    let text = text.trim();
    text.parse().ok().or_else(|| {
        let seconds = http_date(text)?.seconds() - date?.seconds();
        Some(u64::try_from(seconds).unwrap_or(0))
    })
}

/// Reads the `Date` of an answer (RFC 9110, section 5.6.7).
pub(crate) fn http_date(text: &str) -> Option<Timestamp> {
    let parsed = jiff::fmt::rfc2822::parse(text).ok()?;
    Some(Timestamp::from_seconds(parsed.timestamp().as_second()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_of_answers_are_read() {
        let date = http_date("Tue, 14 Nov 2023 22:13:20 GMT").unwrap();
        assert_eq!(date.seconds(), 1_700_000_000);
        assert_eq!(http_date("soon"), None);
    }

    #[test]
    fn a_rest_is_asked_for_in_seconds_or_by_a_date() {
        let date = http_date("Tue, 14 Nov 2023 22:13:20 GMT");
        assert_eq!(rest_seconds(" 30 ", None), Some(30));
        assert_eq!(rest_seconds("Tue, 14 Nov 2023 22:13:50 GMT", date), Some(30));
        assert_eq!(rest_seconds("Tue, 14 Nov 2023 22:13:00 GMT", date), Some(0));
        assert_eq!(rest_seconds("Tue, 14 Nov 2023 22:13:50 GMT", None), None);
        assert_eq!(rest_seconds("soon", date), None);
    }
}
