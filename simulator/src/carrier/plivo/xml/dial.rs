//! `<Dial>` with `<Number>` and `<User>`.

use std::time::Duration;

use super::document::{Confirm, Dial, Target, TargetKind};
use super::reader::{Reader, attribute};
use crate::carrier::callback::{Callback, Method};
use crate::carrier::element::Element;

/// Prefixes of SIP header names that Plivo keeps for itself and drops.
const RESERVED: &[&str] = &["PH-", "Plivo", "FS-", "SipAuth", "Twilio"];
const MAX_CALLER_NAME_CHARACTERS: usize = 50;
const DAY: u64 = 86_400;
/// Keys of a telephone.
const KEYS: &str = "0123456789*#";

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
            timeout: timeout.unwrap_or(Duration::from_secs(120)),
        }
    }

    fn number(&mut self, element: &Element) -> Option<Target> {
        self.attributes(
            element,
            &["sendDigits", "sendOnPreanswer", "sendDigitsMode"],
        );
        self.no_children(element);
        self.send_digits(element);
        let number = element.text.trim();
        let digits = number.strip_prefix('+').unwrap_or(number);
        if !(7..=15).contains(&digits.len()) || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            self.fault(format!("{number:?} of <Number> is not an E.164 number"));
            return None;
        }
        Some(Target {
            kind: TargetKind::Number,
            address: number.to_owned(),
            sip_headers: Vec::new(),
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
        self.send_digits(element);
        if let Some(password) = attribute(element, "sipAuthPassword")
            && !(8..=128).contains(&password.chars().count())
        {
            self.fault("the sipAuthPassword of a <User> must have 8 to 128 characters");
        }
        let own = self.sip_headers(element);
        let address = element.text.trim();
        let is_uri = address
            .strip_prefix("sip:")
            .is_some_and(|rest| rest.contains('@'));
        if !is_uri {
            self.fault(format!("{address:?} of <User> is not a SIP URI"));
            return None;
        }
        Some(Target {
            kind: TargetKind::User,
            address: address.to_owned(),
            sip_headers: of_dial.iter().cloned().chain(own).collect(),
        })
    }

    fn send_digits(&mut self, element: &Element) {
        self.flag(element, "sendOnPreanswer", false);
        if let Some(digits) = attribute(element, "sendDigits")
            && !digits
                .chars()
                .all(|digit| KEYS.contains(digit) || "wWABCD".contains(digit))
        {
            self.fault(format!(
                "sendDigits of <{}> is {digits:?}, which no telephone can send",
                element.name
            ));
        }
    }

    fn sip_headers(&mut self, element: &Element) -> Vec<(String, String)> {
        let Some(written) = attribute(element, "sipHeaders") else {
            return Vec::new();
        };
        let mut headers = Vec::new();
        for (name, value) in self.pairs("sipHeaders", written) {
            if RESERVED.iter().any(|prefix| name.starts_with(prefix)) {
                self.fault(format!("sipHeaders has {name:?}, whose prefix Plivo drops"));
            } else {
                headers.push((format!("X-PH-{name}"), value));
            }
        }
        headers
    }
}
