//! An account at a carrier: how its requests are signed and what they say of a call.
//!
//! Sources: Twilio's webhook request and security pages, Plivo's XML pages and its Python library
//! 4.63.0, read 2026-11-21.

use std::sync::atomic::{AtomicU64, Ordering};

use super::super::frames::CallIds;
use crate::carrier::{Method, plivo, twilio};

/// Over whose line the calls come in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Carrier {
    /// Twilio, with TwiML.
    Twilio,
    /// Plivo, with Plivo XML.
    Plivo,
}

impl Carrier {
    /// The name on the command line and in reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Twilio => "twilio",
            Self::Plivo => "plivo",
        }
    }

    /// Path of the webhook that a new call is announced to.
    pub fn voice_path(self) -> &'static str {
        match self {
            Self::Twilio => "/twilio/voice",
            Self::Plivo => "/plivo/answer",
        }
    }
}

/// The caller's number and the one that is called.
const NUMBERS: [&str; 2] = ["+15550100001", "+15550100002"];

/// The account whose calls they are, and the token that signs its requests.
#[derive(Debug)]
pub struct Account {
    carrier: Carrier,
    id: String,
    token: String,
    nonces: AtomicU64,
}

impl Account {
    /// Takes the account's id and token.
    pub fn new(carrier: Carrier, id: &str, token: &str) -> Self {
        Self {
            carrier,
            id: id.to_owned(),
            token: token.to_owned(),
            nonces: AtomicU64::new(0),
        }
    }

    /// Where the account is.
    pub fn carrier(&self) -> Carrier {
        self.carrier
    }

    /// Its id.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The headers that sign a POST of these parameters.
    pub fn sign_post(&self, url: &str, parameters: &[(String, String)]) -> Headers {
        match self.carrier {
            Carrier::Twilio => vec![(TWILIO, twilio::sign(&self.token, url, parameters))],
            Carrier::Plivo => self.sign_plivo(Method::Post, url, parameters),
        }
    }

    /// The headers that sign the upgrade of a media socket.
    pub fn sign_upgrade(&self, stream_url: &str) -> Headers {
        match self.carrier {
            Carrier::Twilio => vec![(TWILIO, twilio::sign(&self.token, stream_url, &[]))],
            Carrier::Plivo => {
                // Plivo signs the http form of the stream's URL, whatever its scheme.
                let rest = stream_url.split_once("://").map_or("", |(_, rest)| rest);
                self.sign_plivo(Method::Get, &format!("http://{rest}"), &[])
            }
        }
    }

    fn sign_plivo(&self, method: Method, url: &str, parameters: &[(String, String)]) -> Headers {
        let number = self.nonces.fetch_add(1, Ordering::Relaxed);
        let nonce = format!("{number:020}");
        let signature = plivo::sign(&self.token, method, url, parameters, &nonce);
        vec![
            ("x-plivo-signature-v3", signature.clone()),
            ("x-plivo-signature-ma-v3", signature),
            ("x-plivo-signature-v3-nonce", nonce),
        ]
    }

    /// What the webhook of a new call says.
    pub fn announcement(&self, ids: &CallIds) -> Vec<(String, String)> {
        let mut parameters = self.call(&ids.call, "ringing");
        if self.carrier == Carrier::Plivo {
            parameters.push(("Event".to_owned(), "StartApp".to_owned()));
        }
        parameters
    }

    /// What the fetch of a live call's next document says.
    pub fn live(&self, call: &str) -> Vec<(String, String)> {
        self.call(call, "in-progress")
    }

    fn call(&self, call: &str, status: &str) -> Vec<(String, String)> {
        let [from, to] = NUMBERS;
        match self.carrier {
            Carrier::Twilio => owned(&[
                ("AccountSid", &self.id),
                ("ApiVersion", "2010-04-01"),
                ("CallSid", call),
                ("CallStatus", status),
                ("Direction", "inbound"),
                ("From", from),
                ("To", to),
            ]),
            Carrier::Plivo => owned(&[
                ("ALegRequestUUID", call),
                ("ALegUUID", call),
                ("CallStatus", status),
                ("CallUUID", call),
                ("Direction", "inbound"),
                ("From", from.trim_start_matches('+')),
                ("To", to.trim_start_matches('+')),
            ]),
        }
    }

    /// What the callback of a ringing leg says, or `None` where the carrier's pages have no such callback.
    pub fn leg_rings(&self, call: &str) -> Option<Vec<(String, String)>> {
        let [_, called] = NUMBERS;
        match self.carrier {
            Carrier::Twilio => {
                // The leg is a call of its own; its id only has to differ from the caller's.
                let leg: String = call.chars().rev().take(32).collect();
                let leg = format!("CA{leg}");
                Some(owned(&[
                    ("AccountSid", &self.id),
                    ("ApiVersion", "2010-04-01"),
                    ("CallSid", &leg),
                    ("CallStatus", "ringing"),
                    ("CallbackSource", "call-progress-events"),
                    ("Direction", "outbound-dial"),
                    ("From", called),
                    ("ParentCallSid", call),
                    ("SequenceNumber", "1"),
                    ("To", "+15550100042"),
                ]))
            }
            Carrier::Plivo => None,
        }
    }
}

/// Names and values.
type Headers = Vec<(&'static str, String)>;

const TWILIO: &str = "x-twilio-signature";

fn owned(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_requests_to_plivo_have_the_same_nonce() {
        let account = Account::new(Carrier::Plivo, "MA0000000000000000000001", "token");
        let url = "https://handoff.example/plivo/answer";
        let nonces = [(); 2].map(|()| account.sign_post(url, &[]).pop().unwrap().1);
        assert_ne!(nonces[0], nonces[1]);
        assert!(nonces.iter().all(|nonce| nonce.len() == 20));
    }

    #[test]
    fn an_upgrade_at_plivo_is_signed_over_the_http_form_of_its_url() {
        let account = Account::new(Carrier::Plivo, "MA0000000000000000000001", "token");
        let headers = account.sign_upgrade("wss://bridge.example.com/plivo/media/abc123?k=v");
        let url = "http://bridge.example.com/plivo/media/abc123?k=v";
        let expected = plivo::sign("token", Method::Get, url, &[], &headers[2].1);
        assert_eq!(headers[0], ("x-plivo-signature-v3", expected));
    }

    #[test]
    fn the_humans_leg_is_not_the_callers() {
        let account = Account::new(
            Carrier::Twilio,
            "AC00000000000000000000000000000001",
            "token",
        );
        let ids = CallIds::new(Carrier::Twilio, 0x12);
        let told = account.leg_rings(&ids.call).unwrap();
        let value = |wanted: &str| {
            let found = told.iter().find(|(name, _)| name == wanted);
            found.unwrap().1.clone()
        };
        assert_eq!(value("ParentCallSid"), ids.call);
        assert_ne!(value("CallSid"), ids.call);
        assert_eq!(value("CallSid").len(), ids.call.len());
    }
}
