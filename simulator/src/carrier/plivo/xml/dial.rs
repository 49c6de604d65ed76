//! `<Dial>` with `<Number>` and `<User>`.

use std::time::Duration;

use super::document::{Confirm, Dial, Target, TargetKind};
use super::reader::{Reader, attribute};
use crate::carrier::callback::{Callback, Method};
use crate::carrier::element::Element;
use crate::carrier::plivo::confirm::CONFIRM_TIMEOUT;

/// Prefixes of SIP header names that Plivo keeps for itself and drops.
const RESERVED: &[&str] = &["PH-", "Plivo", "FS-", "SipAuth", "Twilio"];
const MAX_CALLER_NAME_CHARACTERS: usize = 50;
const DAY: u64 = 86_400;
/// Keys of a telephone.
pub(super) const KEYS: &str = "0123456789*#";

impl Reader {
    pub(super) fn dial(&mut self, element: &Element) -> Option<Dial> {
        self.attributes(
            element,
            &[
                "action",
                "method",
                "redirect",
                "hangupOnStar",
                "timeLimit",
                "timeout",
                "callerId",
                "callerName",
                "confirmSound",
                "confirmKey",
                "confirmTimeout",
                "dialMusic",
                "callbackUrl",
                "callbackMethod",
                "digitsMatch",
                "digitsMatchBLeg",
                "sipHeaders",
            ],
        );
        self.no_text(element);
        self.flag(element, "hangupOnStar", false);
        if attribute(element, "callerName")
            .is_some_and(|name| name.chars().count() > MAX_CALLER_NAME_CHARACTERS)
        {
            self.fault("the callerName of a <Dial> has more than 50 characters");
        }
        if let Some(music) = attribute(element, "dialMusic").filter(|music| *music != "real") {
            self.url("dialMusic of <Dial>", music);
        }
        self.digits_match(element, "digitsMatch");
        let digits_match = self.digits_match(element, "digitsMatchBLeg");
        let sip_headers = self.sip_headers(element);
        let mut targets = Vec::new();
        for child in &element.children {
            match child.name.as_str() {
                "Number" => targets.extend(self.number(child)),
                "User" => targets.extend(self.user(child, &sip_headers)),
                _ => self.misplaced(child, element),
            }
        }
        let dial = Dial {
            timeout: self.seconds(element, "timeout", 1, DAY),
            caller_id: attribute(element, "callerId").map(str::to_owned),
            action: self.callback(element, "action", "method"),
            redirect: self.flag(element, "redirect", true),
            // A limit of a day and more is cut to a day.
            time_limit: self
                .seconds(element, "timeLimit", 1, u64::MAX)
                .unwrap_or(Duration::from_secs(14_400))
                .min(Duration::from_secs(DAY)),
            confirm: self.confirm(element),
            callback: self.callback(element, "callbackUrl", "callbackMethod"),
            digits_match,
            targets,
        };
        if element.children.is_empty() {
            self.fault("a <Dial> has nobody to ring");
        }
        (!dial.targets.is_empty()).then_some(dial)
    }

    fn confirm(&mut self, element: &Element) -> Confirm {
        let sound = attribute(element, "confirmSound")
            .and_then(|sound| self.url("confirmSound of <Dial>", sound))
            .map(|url| Callback {
                url,
                method: Method::Post,
            });
        let key = attribute(element, "confirmKey").and_then(|written| {
            let mut characters = written.chars();
            match (characters.next(), characters.next()) {
                (Some(key), None) if KEYS.contains(key) => Some(key),
                _ => {
                    self.fault(format!("confirmKey of <Dial> is {written:?}, not one key"));
                    None
                }
            }
        });
        if key.is_some() && sound.is_none() {
            self.fault("a <Dial> has confirmKey and no confirmSound: the human waits in silence");
        }
        let timeout = self.seconds(element, "confirmTimeout", 1, DAY);
        Confirm {
            sound,
            key,
            timeout: timeout.unwrap_or(CONFIRM_TIMEOUT),
        }
    }

    fn number(&mut self, element: &Element) -> Option<Target> {
        self.attributes(
            element,
            &["sendDigits", "sendOnPreanswer", "sendDigitsMode"],
        );
        self.no_children(element);
        let digits = self.send_digits(element);
        let number = element.text.trim();
        if !is_number(number) {
            self.fault(format!("{number:?} of <Number> is not an E.164 number"));
            return None;
        }
        Some(Target {
            kind: TargetKind::Number,
            address: number.to_owned(),
            sip_headers: Vec::new(),
            digits,
        })
    }

    fn user(&mut self, element: &Element, of_dial: &[(String, String)]) -> Option<Target> {
        self.attributes(
            element,
            &[
                "sendDigits",
                "sendOnPreanswer",
                "sipHeaders",
                "sipAuthUsername",
                "sipAuthPassword",
            ],
        );
        self.no_children(element);
        let digits = self.send_digits(element);
        self.sip_auth(element);
        let own = self.sip_headers(element);
        let address = element.text.trim();
        if !is_sip_uri(address) {
            self.fault(format!("{address:?} of <User> is not a SIP URI"));
            return None;
        }
        Some(Target {
            kind: TargetKind::User,
            address: address.to_owned(),
            sip_headers: of_dial.iter().cloned().chain(own).collect(),
            digits,
        })
    }

    fn sip_auth(&mut self, element: &Element) {
        let user = attribute(element, "sipAuthUsername");
        let password = attribute(element, "sipAuthPassword");
        if password.is_some_and(|password| !(8..=128).contains(&password.chars().count())) {
            self.fault("the sipAuthPassword of a <User> must have 8 to 128 characters");
        }
        if user.is_some_and(str::is_empty) || user.is_some() != password.is_some() {
            self.fault("a <User> has one of sipAuthUsername and sipAuthPassword without the other");
        }
    }

    fn send_digits(&mut self, element: &Element) -> Option<String> {
        self.flag(element, "sendOnPreanswer", false);
        let digits = attribute(element, "sendDigits");
        let Some(digits) = digits else {
            if attribute(element, "sendOnPreanswer").is_some() {
                self.fault(format!(
                    "<{}> has sendOnPreanswer but no sendDigits",
                    element.name
                ));
            }
            return None;
        };
        if digits.is_empty() || !are_keys(digits, true) {
            self.fault(format!(
                "sendDigits of <{}> is {digits:?}, which no telephone can send",
                element.name
            ));
            return None;
        }
        Some(digits.to_owned())
    }

    /// Comma-separated keys that are told to the callback when they are pressed.
    pub(super) fn digits_match(&mut self, element: &Element, name: &str) -> Vec<String> {
        let Some(written) = attribute(element, name) else {
            return Vec::new();
        };
        let keys: Vec<_> = written.split(',').map(str::to_owned).collect();
        if keys
            .iter()
            .any(|keys| keys.is_empty() || !are_keys(keys, false))
        {
            self.fault(format!(
                "{name} of <{}> is {written:?}, not keys of a telephone",
                element.name
            ));
        }
        if attribute(element, "callbackUrl").is_none() {
            self.fault(format!("<{}> has {name} but no callbackUrl", element.name));
        }
        keys
    }

    fn sip_headers(&mut self, element: &Element) -> Vec<(String, String)> {
        let Some(written) = attribute(element, "sipHeaders") else {
            return Vec::new();
        };
        let mut headers = Vec::new();
        for (name, value) in self.pairs("sipHeaders", written) {
            if is_reserved(&name) {
                self.fault(format!("sipHeaders has {name:?}, whose prefix Plivo drops"));
            } else {
                headers.push((format!("X-PH-{name}"), value));
            }
        }
        headers
    }
}

/// Whether this is an E.164 number, with or without its plus.
pub(in crate::carrier::plivo) fn is_number(written: &str) -> bool {
    let digits = written.strip_prefix('+').unwrap_or(written);
    (7..=15).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit())
}

pub(in crate::carrier::plivo) fn is_sip_uri(written: &str) -> bool {
    let rest = written.strip_prefix("sip:");
    rest.is_some_and(|rest| rest.contains('@'))
}

/// Whether a telephone has all these keys; the carrier can press four more, and wait.
pub(in crate::carrier::plivo) fn are_keys(written: &str, by_carrier: bool) -> bool {
    let is_key = |key| KEYS.contains(key) || by_carrier && "wWABCD".contains(key);
    written.chars().all(is_key)
}

/// Whether Plivo drops a SIP header of this name.
pub(in crate::carrier::plivo) fn is_reserved(name: &str) -> bool {
    RESERVED.iter().any(|prefix| name.starts_with(prefix))
}
