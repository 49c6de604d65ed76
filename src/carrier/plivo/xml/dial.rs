//! A human's phone that rings in the caller's call.

use super::element::{hang_up, speak};
use crate::carrier::document::{ACCEPT_KEY, Acceptance, DeadManTail, Handoff};
use crate::carrier::markup::Xml;
use crate::carrier::number::E164;
use crate::carrier::plivo::number::digits;
use crate::carrier::plivo::sip;
use crate::carrier::target::{Keys, Reach, SipTarget};
use crate::carrier::template::Template;

/// How long a human has for the key, from their answer on. Two sentences, said twice, take about 25
/// seconds. Plivo's own default of 120 would have the caller wait out a voicemail.
const CONFIRM_SECONDS: &str = "30";

/// Who rings.
#[derive(Clone, Copy)]
pub(super) enum Rung<'a> {
    Number(&'a E164, Option<&'a Keys>),
    User(&'a SipTarget),
}

impl<'a> Rung<'a> {
    /// Whoever Plivo can ring in the caller's call.
    pub(super) fn of(reach: &'a Reach) -> Option<Self> {
        match reach {
            Reach::Number { number, extension } => Some(Self::Number(number, extension.as_ref())),
            Reach::Sip(target) | Reach::User(target) => Some(Self::User(target)),
            Reach::Conference { .. }
            | Reach::MultiPartyCall { .. }
            | Reach::Refer(_)
            | Reach::Queue(_)
            | Reach::TaskRouter { .. }
            | Reach::Client { .. } => None,
        }
    }

    fn write(self, xml: &mut Xml, fill: impl Fn(&Template) -> Option<String>) {
        match self {
            Self::Number(number, extension) => {
                // `w` is half a second in every source, `W` a whole one only in that of the REST API.
                let keys = extension.map(Keys::in_half_seconds);
                let attributes = keys.iter().map(|keys| ("sendDigits", keys.as_str()));
                xml.element("Number", attributes, |xml| xml.text(digits(number)));
            }
            Self::User(target) => {
                let headers = sip::headers(&target.headers, fill);
                let headers = (!headers.is_empty()).then_some(("sipHeaders", headers.as_str()));
                let credentials = target.credentials.iter().flat_map(|known| {
                    [
                        ("sipAuthUsername", known.username()),
                        ("sipAuthPassword", known.password().expose()),
                    ]
                });
                xml.element("User", headers.into_iter().chain(credentials), |xml| {
                    xml.text(target.uri.expose());
                });
            }
        }
    }
}

/// Writes the `<Dial>` of a handoff. Nothing may follow it: its action URL decides.
pub(super) fn dial(xml: &mut Xml, handoff: &Handoff<'_>, rung: Rung<'_>) {
    let ring = handoff.ring.get().to_string();
    let key = ACCEPT_KEY.to_string();
    let sound = ("confirmSound", handoff.urls.whisper.as_str());
    // `digitsMatchBLeg` would tell us of the key, but may keep it from `confirmKey`.
    let confirm: &[_] = match handoff.acceptance {
        Acceptance::Key => &[
            sound,
            ("confirmKey", &key),
            ("confirmTimeout", CONFIRM_SECONDS),
        ],
        Acceptance::Answer if handoff.whisper => &[sound],
        Acceptance::Answer => &[],
    };
    let attributes = dial_attributes(&ring, handoff.caller_id.as_ref())
        .chain([
            ("action", handoff.urls.after.as_str()),
            ("method", "POST"),
            ("redirect", "true"),
            ("callbackUrl", handoff.urls.leg.as_str()),
            ("callbackMethod", "POST"),
        ])
        .chain(confirm.iter().copied());
    xml.element("Dial", attributes, |xml| {
        rung.write(xml, |template| Some(template.render(handoff.brief)));
    });
}

/// Writes the dead-man tail. Of a header it has what no handoff changes.
pub(super) fn tail(xml: &mut Xml, tail: &DeadManTail) {
    let reach = tail.reach.without_us();
    if let Some(rung) = reach.as_ref().and_then(Rung::of) {
        let ring = tail.ring.get().to_string();
        let attributes = dial_attributes(&ring, tail.caller_id.as_ref());
        xml.element("Dial", attributes, |xml| {
            rung.write(xml, |template| template.constant().map(str::to_owned));
        });
    }
    speak(xml, &tail.apology, &tail.voice);
    hang_up(xml);
}

fn dial_attributes<'a>(
    ring: &'a str,
    caller_id: Option<&'a E164>,
) -> impl Iterator<Item = (&'a str, &'a str)> {
    let caller_id = caller_id.map(|number| ("callerId", digits(number)));
    [("timeout", ring)].into_iter().chain(caller_id)
}
