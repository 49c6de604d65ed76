//! Misbehaviour by plan, the same for every sink.

use std::str::FromStr;

use serde::Serialize;

use crate::http1::{Answer, Request};

/// Something a sink does wrong on purpose to the next requests that fit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SinkFault<R> {
    /// Only requests to this route; any when `None`.
    pub route: Option<R>,
    /// What happens.
    pub kind: FaultKind,
    /// How many requests it happens to before the fault is used up.
    pub times: u32,
}

/// What a [`SinkFault`] does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum FaultKind {
    /// 429, with `Retry-After` when it has seconds.
    TooManyRequests {
        /// Seconds to wait; `None` leaves the header out.
        retry_after: Option<u32>,
    },
    /// 500, nothing was done.
    ServerError,
    /// No answer and nothing done; the connection stays open.
    Stall,
    /// The connection is reset, nothing was done.
    CutBefore,
    /// The request is carried out, then the connection is reset: the client cannot know and asks again.
    CutAfter,
    /// The credentials are refused although they were good; a Zendesk access token stays refused.
    Expired,
}

impl<R> SinkFault<R> {
    /// Happens once, to the next request of any route.
    pub fn once(kind: FaultKind) -> Self {
        Self {
            route: None,
            kind,
            times: 1,
        }
    }

    /// Restricts the fault to one route.
    #[must_use]
    pub fn on(mut self, route: R) -> Self {
        self.route = Some(route);
        self
    }

    /// Repeats the fault on that many requests.
    #[must_use]
    pub fn times(mut self, times: u32) -> Self {
        self.times = times;
        self
    }
}

/// One request a sink answered, for its log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RequestLine {
    /// Method.
    pub method: String,
    /// Path without the query.
    pub path: String,
    /// Status of the answer; `None` when a fault left the request without one.
    pub status: Option<u16>,
    /// The fault that happened to it.
    pub fault: Option<FaultKind>,
}

impl RequestLine {
    /// Notes a request under the path that may be shown, with what it got.
    pub(super) fn of(
        request: &Request,
        path: String,
        answer: &Answer,
        fault: Option<FaultKind>,
    ) -> Self {
        Self {
            method: request.method.clone(),
            path,
            status: match answer {
                Answer::Respond(response) => Some(response.status),
                Answer::Cut | Answer::Stall => None,
            },
            fault,
        }
    }
}

/// Uses up one occurrence of the first fault that fits.
pub(super) fn take<R: PartialEq>(faults: &mut [SinkFault<R>], route: &R) -> Option<FaultKind> {
    let fits = |fault: &&mut SinkFault<R>| {
        fault.times > 0 && fault.route.as_ref().is_none_or(|only| only == route)
    };
    let fault = faults.iter_mut().find(fits)?;
    fault.times -= 1;
    Some(fault.kind)
}

/// How faults are written on a command line.
pub const FAULT_GRAMMAR: &str = "[ROUTE:]KIND[*TIMES] with KIND one of 429, 429@SECONDS, 500, stall, cut-before, \
     cut-after, answer-twice (the same as cut-after), expired";

/// A fault written on a command line cannot be understood.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a fault; write {FAULT_GRAMMAR}")]
pub struct ParseFaultError(String);

impl<R: FromStr> FromStr for SinkFault<R> {
    type Err = ParseFaultError;

    fn from_str(text: &str) -> Result<Self, ParseFaultError> {
        parse(text).ok_or_else(|| ParseFaultError(text.to_owned()))
    }
}

fn parse<R: FromStr>(text: &str) -> Option<SinkFault<R>> {
    let (route, rest) = match text.split_once(':') {
        Some((route, rest)) => (Some(route.parse().ok()?), rest),
        None => (None, text),
    };
    let (kind, times) = match rest.split_once('*') {
        Some((kind, times)) => (kind, times.parse().ok()?),
        None => (rest, 1),
    };
    let kind = match kind {
        "429" => FaultKind::TooManyRequests { retry_after: None },
        "500" => FaultKind::ServerError,
        "stall" => FaultKind::Stall,
        "cut-before" => FaultKind::CutBefore,
        "cut-after" | "answer-twice" => FaultKind::CutAfter,
        "expired" => FaultKind::Expired,
        other => FaultKind::TooManyRequests {
            retry_after: Some(other.strip_prefix("429@")?.parse().ok()?),
        },
    };
    Some(SinkFault { route, kind, times })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sinks::zendesk::Route;

    #[test]
    fn faults_are_read_from_their_written_form() {
        let limited = SinkFault {
            route: Some(Route::CreateTicket),
            kind: FaultKind::TooManyRequests {
                retry_after: Some(7),
            },
            times: 2,
        };
        assert_eq!("create-ticket:429@7*2".parse(), Ok(limited));
        assert_eq!(
            "answer-twice".parse(),
            Ok(SinkFault::<Route>::once(FaultKind::CutAfter))
        );
    }

    #[test]
    fn unknown_faults_are_refused() {
        for text in ["", "teapot", "nowhere:500", "429@soon", "500*x"] {
            assert!(text.parse::<SinkFault<Route>>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_fault_is_used_up() {
        let mut plan = [SinkFault::once(FaultKind::ServerError).on(Route::CreateTicket)];
        assert_eq!(take(&mut plan, &Route::UploadFile), None);
        assert_eq!(
            take(&mut plan, &Route::CreateTicket),
            Some(FaultKind::ServerError)
        );
        assert_eq!(take(&mut plan, &Route::CreateTicket), None);
    }
}
