//! `<Number>`, `<Sip>` and `<Client>`: phones that ring.

use super::callee::{Address, LegEvent, Phone, StatusCallback};
use super::reader::{Reader, attribute};
use crate::carrier::callback::Callback;
use crate::carrier::element::Element;

/// Attributes of every phone.
const OF_PHONES: &[&str] = &[
    "url",
    "method",
    "statusCallback",
    "statusCallbackMethod",
    "statusCallbackEvent",
];
const OF_MACHINE_DETECTION: &[&str] = &[
    "machineDetection",
    "machineDetectionTimeout",
    "machineDetectionSpeechThreshold",
    "machineDetectionSpeechEndThreshold",
    "machineDetectionSilenceTimeout",
    "amdStatusCallback",
    "amdStatusCallbackMethod",
];

impl Reader<'_> {
    pub(super) fn phone(&mut self, element: &Element) -> Option<Phone> {
        let address = match element.name.as_str() {
            "Number" => self.number_noun(element),
            "Sip" => self.sip_noun(element),
            _ => self.client_noun(element),
        };
        let whisper = self.callback(element, "url", "method");
        let status_callback =
            self.status_callback(element, LegEvent::named, &[LegEvent::Completed]);
        Some(Phone {
            address: address?,
            whisper,
            status_callback,
        })
    }

    fn number_noun(&mut self, element: &Element) -> Option<Address> {
        self.attributes_of(
            element,
            &[OF_PHONES, OF_MACHINE_DETECTION, &["sendDigits", "byoc"]],
        );
        self.machine_detection(element);
        self.no_children(element);
        self.number(element.text.trim(), attribute(element, "sendDigits"))
    }

    fn sip_noun(&mut self, element: &Element) -> Option<Address> {
        self.attributes_of(
            element,
            &[OF_PHONES, OF_MACHINE_DETECTION, &["username", "password"]],
        );
        self.machine_detection(element);
        if attribute(element, "username").is_some() != attribute(element, "password").is_some() {
            self.fault("a <Sip> needs both username and password, or neither");
        }
        self.no_children(element);
        self.sip(element.text.trim()).map(Address::Sip)
    }

    fn client_noun(&mut self, element: &Element) -> Option<Address> {
        self.attributes_of(element, &[OF_PHONES, &["clientNotificationUrl"]]);
        let mut identities = Vec::new();
        let mut parameters = Vec::new();
        for child in &element.children {
            match child.name.as_str() {
                "Identity" => {
                    self.attributes(child, &[]);
                    self.no_children(child);
                    identities.push(child.text.trim());
                }
                _ => parameters.extend(self.parameter(element, child)),
            }
        }
        let text = element.text.trim();
        if !text.is_empty() {
            identities.push(text);
        }
        let [identity] = identities.as_slice() else {
            self.fault("a <Client> has its identity once, as text or as <Identity>");
            return None;
        };
        self.identity(identity).map(|identity| Address::Client {
            identity,
            parameters,
        })
    }

    fn machine_detection(&mut self, element: &Element) {
        self.one_of(element, "machineDetection", &["Enable", "DetectMessageEnd"]);
        for (name, least, most) in [
            ("machineDetectionTimeout", 3, 60),
            ("machineDetectionSpeechThreshold", 1000, 6000),
            ("machineDetectionSpeechEndThreshold", 500, 5000),
            ("machineDetectionSilenceTimeout", 2000, 10_000),
        ] {
            self.integer(element, name, least, most);
        }
    }

    /// `statusCallback`, `statusCallbackMethod` and `statusCallbackEvent` of a noun.
    pub(super) fn status_callback<E: Clone>(
        &mut self,
        element: &Element,
        named: impl Fn(&str) -> Option<E>,
        default: &[E],
    ) -> Option<StatusCallback<E>> {
        let callback = self.callback(element, "statusCallback", "statusCallbackMethod");
        let written = attribute(element, "statusCallbackEvent");
        if callback.is_none() && written.is_some() && attribute(element, "statusCallback").is_none()
        {
            self.fault(format!(
                "a <{}> has statusCallbackEvent but no statusCallback",
                element.name
            ));
        }
        let events = match written {
            None => default.to_vec(),
            Some(names) => names
                .split(' ')
                .filter_map(|name| {
                    let event = named(name);
                    if event.is_none() {
                        self.fault(format!(
                            "statusCallbackEvent has {name:?}, which is no event of a {}",
                            if element.name == "Conference" {
                                "conference"
                            } else {
                                "leg"
                            }
                        ));
                    }
                    event
                })
                .collect(),
        };
        callback.map(|callback: Callback| StatusCallback { callback, events })
    }
}
