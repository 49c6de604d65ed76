//! Reading what any vendor answers: never trusted to be JSON, complete or short.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Response, header};
use serde::de::DeserializeOwned;

/// No `Retry-After` is believed beyond this: a mistaken header may not silence a sink for a day.
const LONGEST_WAIT: Duration = Duration::from_secs(3_600);

/// The pause a vendor asks for: `Retry-After` in seconds, as Zendesk and Slack give it. Dates and
/// nonsense read as `None`, which leaves the pause to the worker's schedule.
pub(super) fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let seconds: f64 = headers
        .get(header::RETRY_AFTER)?
        .to_str()
        .ok()?
        .trim()
        .parse()
        .ok()?;
    let asked = Duration::try_from_secs_f64(seconds).ok()?;
    Some(asked.min(LONGEST_WAIT))
}

/// The body as the given shape, or `None` if it is anything else (empty, HTML, cut off).
pub(super) fn json<T: DeserializeOwned>(answer: &Response<Bytes>) -> Option<T> {
    serde_json::from_slice(answer.body()).ok()
}

/// Whether a vendor's error is one word, which is safe to keep: free text could repeat what was
/// sent.
pub(super) fn is_code(text: &str) -> bool {
    (1..=64).contains(&text.len())
        && text
            .bytes()
            .all(|b| b.is_ascii_alphabetic() || matches!(b, b'_' | b'-' | b'.'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    #[test]
    fn only_words_count_as_error_codes() {
        assert!(is_code("RecordInvalid") && is_code("channel_not_found"));
        assert!(!is_code("") && !is_code("Email dana@example.com is invalid") && !is_code("+1555"));
        assert!(!is_code(&"x".repeat(65)));
    }

    #[test]
    fn retry_after_is_seconds_within_reason() {
        let check = |value: &'static str| {
            let headers =
                HeaderMap::from_iter([(header::RETRY_AFTER, HeaderValue::from_static(value))]);
            retry_after(&headers)
        };
        assert_eq!(check("30"), Some(Duration::from_secs(30)));
        assert_eq!(check("0"), Some(Duration::ZERO));
        assert_eq!(check("1.5"), Some(Duration::from_millis(1_500)));
        assert_eq!(check("999999999999"), Some(LONGEST_WAIT));
        assert_eq!(check("-1"), None);
        assert_eq!(check("NaN"), None);
        assert_eq!(check("Sat, 21 Nov 2026 12:00:00 GMT"), None);
        assert_eq!(retry_after(&HeaderMap::new()), None);
    }
}
