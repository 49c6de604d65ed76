//! What can go wrong with a connection, and what follows from it.
//!
//! Close codes and handshake errors are those of Deepgram's pages `errors` and
//! `stt-troubleshooting-websocket-data-and-net-errors` (read 2026-11-21).

use std::io;
use std::time::Duration;

use thiserror::Error;

use super::options::Reconnect;
use super::request::RequestError;
use crate::recognizer::LostReason;

/// Why a connection was not made, or ended before it was meant to.
///
/// Texts of the server are not kept: they are not ours to log.
#[derive(Debug, Error)]
pub(super) enum Failure {
    #[error("connect request not built")]
    Request(#[from] RequestError),
    #[error("handshake refused: {0}")]
    Handshake(Refusal),
    #[error("not connected within the deadline")]
    ConnectTimedOut,
    #[error("transport failed: {}", .0.kind())]
    Transport(#[source] io::Error),
    #[error("TLS failed")]
    Tls,
    #[error("WebSocket protocol broken")]
    Protocol,
    #[error("closed by the server: {0}")]
    Closed(CloseReason),
    #[error("ended without a close frame")]
    Cut,
    #[error("nothing came within the deadline")]
    Silent,
    #[error("the server does not read")]
    Stalled,
}

/// The server's answer to an upgrade that it did not grant.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub(super) enum Refusal {
    #[error("bad parameters or model (400)")]
    BadRequest,
    #[error("bad credentials (401)")]
    Unauthorized,
    #[error("payment required (402)")]
    PaymentRequired,
    #[error("no access to the model (403)")]
    Forbidden,
    #[error("no such address (404)")]
    NotFound,
    #[error("too many connections (429)")]
    TooMany,
    #[error("server error ({0})")]
    Server(u16),
    #[error("unexpected status ({0})")]
    Unexpected(u16),
}

/// What the server said as it closed.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub(super) enum CloseReason {
    #[error("normal (1000)")]
    Normal,
    #[error("audio not decodable (1008)")]
    Undecodable,
    #[error("the server had nothing to send (1011 NET-0000)")]
    NothingSent,
    #[error("the server received nothing (1011 NET-0001)")]
    NothingReceived,
    #[error("internal error (1011)")]
    Internal,
    #[error("code {0}")]
    Other(u16),
    #[error("no code")]
    Unspecified,
}

/// What a failure means for the call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Verdict {
    pub(super) retry: Retry,
    /// What the call is told if words stay away.
    pub(super) lost: LostReason,
}

/// Whether connecting again can help.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Retry {
    Later,
    Never,
}

impl Failure {
    pub(super) fn verdict(&self) -> Verdict {
        let (retry, lost) = match self {
            Self::Request(_) => (Retry::Never, LostReason::Undecodable),
            Self::Handshake(refusal) => return refusal.verdict(),
            Self::Closed(reason) => return reason.verdict(),
            Self::ConnectTimedOut
            | Self::Transport(_)
            | Self::Tls
            | Self::Protocol
            | Self::Cut
            | Self::Silent
            | Self::Stalled => (Retry::Later, LostReason::Unreachable),
        };
        Verdict { retry, lost }
    }

    /// The word for it in metric labels.
    pub(super) fn as_label(&self) -> &'static str {
        match self {
            Self::Request(_) => "request",
            Self::Handshake(refusal) => match refusal.verdict().lost {
                LostReason::Busy => "busy",
                LostReason::Refused => "refused",
                LostReason::Undecodable => "bad_request",
                LostReason::Unreachable | LostReason::Failed => "handshake",
            },
            Self::ConnectTimedOut => "connect_timed_out",
            Self::Transport(_) => "transport",
            Self::Tls => "tls",
            Self::Protocol => "protocol",
            Self::Closed(_) => "closed",
            Self::Cut => "cut",
            Self::Silent => "silent",
            Self::Stalled => "stalled",
        }
    }
}

impl Refusal {
    /// Reads the status; a known error code in `told` (the `dg-error` header or the body) wins
    /// over it, because gateways in front of the API rewrite statuses.
    pub(super) fn from_handshake(status: u16, told: &str) -> Self {
        for (code, refusal) in [
            ("INVALID_AUTH", Self::Unauthorized),
            ("INSUFFICIENT_PERMISSIONS", Self::Unauthorized),
            ("ASR_PAYMENT_REQUIRED", Self::PaymentRequired),
            ("TOO_MANY_REQUESTS", Self::TooMany),
        ] {
            if told.contains(code) {
                return refusal;
            }
        }
        match status {
            400 => Self::BadRequest,
            401 => Self::Unauthorized,
            402 => Self::PaymentRequired,
            403 => Self::Forbidden,
            404 => Self::NotFound,
            429 => Self::TooMany,
            500..=599 => Self::Server(status),
            other => Self::Unexpected(other),
        }
    }

    fn verdict(self) -> Verdict {
        let (retry, lost) = match self {
            Self::BadRequest | Self::NotFound => (Retry::Never, LostReason::Undecodable),
            Self::Unauthorized | Self::PaymentRequired | Self::Forbidden => {
                (Retry::Never, LostReason::Refused)
            }
            Self::TooMany => (Retry::Later, LostReason::Busy),
            Self::Server(_) | Self::Unexpected(_) => (Retry::Later, LostReason::Unreachable),
        };
        Verdict { retry, lost }
    }
}

impl CloseReason {
    /// Reads a close frame. The reason is a code (`NET-0001`) or a sentence with a link to it
    /// (`https://dpgr.am/net0001`), as seen in deepgram-python-sdk issue 319.
    pub(super) fn from_close(code: u16, reason: &str) -> Self {
        let names = |digits: &str| {
            let lower = reason.to_ascii_lowercase();
            ["net-", "net"]
                .iter()
                .any(|prefix| lower.contains(&format!("{prefix}{digits}")))
        };
        match code {
            1000 => Self::Normal,
            1005 => Self::Unspecified,
            1008 => Self::Undecodable,
            1011 if names("0000") => Self::NothingSent,
            1011 if names("0001") => Self::NothingReceived,
            1011 => Self::Internal,
            other => Self::Other(other),
        }
    }

    fn verdict(self) -> Verdict {
        let (retry, lost) = match self {
            Self::Undecodable => (Retry::Never, LostReason::Undecodable),
            Self::Normal
            | Self::NothingSent
            | Self::NothingReceived
            | Self::Internal
            | Self::Other(_)
            | Self::Unspecified => (Retry::Later, LostReason::Unreachable),
        };
        Verdict { retry, lost }
    }
}

/// Waits between attempts: doubling, capped, with the upper half drawn at random so that calls
/// which broke together do not come back together.
#[derive(Debug)]
pub(super) struct Backoff {
    reconnect: Reconnect,
    random: u64,
}

impl Backoff {
    pub(super) fn new(reconnect: Reconnect, seed: u64) -> Self {
        Self {
            reconnect,
            random: seed,
        }
    }

    /// The wait after `failures` in a row, at least one.
    pub(super) fn delay(&mut self, failures: u32) -> Duration {
        let doublings = failures.saturating_sub(1).min(16);
        let whole = self
            .reconnect
            .first
            .saturating_mul(1 << doublings)
            .min(self.reconnect.max);
        let half = whole / 2;
        half + half.mul_f64(self.draw())
    }

    /// A number in 0..1 by SplitMix64 (Steele, Lea and Flood, 2014).
    fn draw(&mut self) -> f64 {
        self.random = self.random.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.random;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^= mixed >> 31;
        (mixed >> 11) as f64 / (1u64 << 53) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NEVER_REFUSED: Verdict = Verdict {
        retry: Retry::Never,
        lost: LostReason::Refused,
    };
    const NEVER_UNDECODABLE: Verdict = Verdict {
        retry: Retry::Never,
        lost: LostReason::Undecodable,
    };
    const LATER_UNREACHABLE: Verdict = Verdict {
        retry: Retry::Later,
        lost: LostReason::Unreachable,
    };
    const LATER_BUSY: Verdict = Verdict {
        retry: Retry::Later,
        lost: LostReason::Busy,
    };

    #[test]
    fn every_close_code_has_a_verdict() {
        use CloseReason::*;
        let net0001 = "Deepgram did not receive audio data or a text message within the timeout \
                       window. See https://dpgr.am/net0001";
        for (code, reason, expected, verdict) in [
            (1008, "DATA-0000", Undecodable, NEVER_UNDECODABLE),
            (1008, "", Undecodable, NEVER_UNDECODABLE),
            (1011, "NET-0000", NothingSent, LATER_UNREACHABLE),
            (1011, "NET-0001", NothingReceived, LATER_UNREACHABLE),
            (1011, net0001, NothingReceived, LATER_UNREACHABLE),
            (1011, "oops", Internal, LATER_UNREACHABLE),
            (1000, "", Normal, LATER_UNREACHABLE),
            (1005, "", Unspecified, LATER_UNREACHABLE),
            (1012, "restart", Other(1012), LATER_UNREACHABLE),
        ] {
            let close = CloseReason::from_close(code, reason);
            assert_eq!(close, expected, "{code} {reason}");
            assert_eq!(Failure::Closed(close).verdict(), verdict, "{code} {reason}");
        }
    }

    #[test]
    fn every_handshake_answer_has_a_verdict() {
        use Refusal::*;
        for (status, told, expected, verdict) in [
            (400, "", BadRequest, NEVER_UNDECODABLE),
            (401, "", Unauthorized, NEVER_REFUSED),
            (401, "INSUFFICIENT_PERMISSIONS", Unauthorized, NEVER_REFUSED),
            (402, "ASR_PAYMENT_REQUIRED", PaymentRequired, NEVER_REFUSED),
            (403, "", Forbidden, NEVER_REFUSED),
            (404, "", NotFound, NEVER_UNDECODABLE),
            (429, "", TooMany, LATER_BUSY),
            (
                503,
                r#"{"err_code":"TOO_MANY_REQUESTS"}"#,
                TooMany,
                LATER_BUSY,
            ),
            (500, "", Server(500), LATER_UNREACHABLE),
            (302, "", Unexpected(302), LATER_UNREACHABLE),
        ] {
            let refusal = Refusal::from_handshake(status, told);
            assert_eq!(refusal, expected, "{status} {told}");
            assert_eq!(
                Failure::Handshake(refusal).verdict(),
                verdict,
                "{status} {told}"
            );
        }
    }

    #[test]
    fn waits_double_to_the_cap_and_differ_by_seed() {
        let reconnect = Reconnect {
            first: Duration::from_millis(250),
            max: Duration::from_secs(4),
            lost_after: 4,
        };
        for seed in 0..100 {
            let mut backoff = Backoff::new(reconnect, seed);
            for (failures, whole) in [(1, 250), (2, 500), (3, 1_000), (5, 4_000), (999, 4_000)] {
                let delay = backoff.delay(failures);
                let whole = Duration::from_millis(whole);
                assert!(
                    delay >= whole / 2 && delay <= whole,
                    "{failures}: {delay:?}"
                );
            }
        }
        let first = |seed| Backoff::new(reconnect, seed).delay(5);
        assert_ne!(first(1), first(2));
        assert_eq!(first(1), first(1));
    }
}
