//! What a `<Dial>` rings.

use crate::carrier::argument::WebUrl;
use crate::carrier::markup::Xml;
use crate::carrier::number::E164;
use crate::carrier::target::{ClientIdentity, Keys, ParameterName, Reach, SipTarget};
use crate::carrier::template::Template;
use crate::carrier::twilio::sip;

/// The most characters of a `<Parameter>`, name and value together. Documented for `<Stream>`
/// (<https://www.twilio.com/docs/voice/twiml/stream>, read 2026-11-21); that it holds for `<Client>` is
/// UNCONFIRMED.
const PARAMETER_LIMIT_CHARS: usize = 499;

/// Where Twilio asks and reports about the leg of somebody who is rung.
pub(super) struct LegUrls<'a> {
    /// What they hear before they have the caller.
    pub(super) whisper: Option<&'a WebUrl>,
    /// How far the leg is.
    pub(super) status: &'a WebUrl,
}

impl<'a> LegUrls<'a> {
    fn attributes(&self) -> impl Iterator<Item = (&'a str, &'a str)> {
        let whisper = (self.whisper.iter()).flat_map(|url| [("url", url.as_str()), METHOD]);
        whisper.collect::<Vec<_>>().into_iter().chain([
            ("statusCallback", self.status.as_str()),
            ("statusCallbackMethod", "POST"),
            (
                "statusCallbackEvent",
                "initiated ringing answered completed",
            ),
        ])
    }
}

const METHOD: (&str, &str) = ("method", "POST");

/// Writes who is rung: nobody for a way that is not a ring. `fill` gives the text of a template, or `None`
/// where it cannot be known.
///
/// What is Plivo's alone rings as what comes nearest. The configuration refuses it at Twilio, but if one
/// came here all the same a caller would wait behind it.
pub(super) fn rung(
    xml: &mut Xml,
    reach: &Reach,
    urls: Option<&LegUrls<'_>>,
    fill: impl Fn(&Template) -> Option<String>,
) {
    let leg = urls.map(LegUrls::attributes);
    let leg: Vec<_> = leg.into_iter().flatten().collect();
    match reach {
        Reach::Number { number, extension } => {
            write_number(xml, number, extension.as_ref(), leg);
        }
        Reach::Conference { number } | Reach::MultiPartyCall { number } => {
            write_number(xml, number, None, leg);
        }
        Reach::Sip(target) | Reach::User(target) => write_sip(xml, target, leg, fill),
        Reach::Client {
            identity,
            parameters,
        } => write_client(xml, identity, parameters, leg, fill),
        Reach::Refer(_) | Reach::Queue(_) | Reach::TaskRouter { .. } => {}
    }
}

type Attributes<'a> = Vec<(&'a str, &'a str)>;

fn write_number(xml: &mut Xml, number: &E164, extension: Option<&Keys>, leg: Attributes<'_>) {
    let keys = extension.map(|keys| ("sendDigits", keys.expose()));
    xml.element("Number", keys.into_iter().chain(leg), |xml| {
        xml.text(number.expose());
    });
}

fn write_sip(
    xml: &mut Xml,
    target: &SipTarget,
    leg: Attributes<'_>,
    fill: impl Fn(&Template) -> Option<String>,
) {
    let credentials = target.credentials.iter().flat_map(|known| {
        [
            ("username", known.username()),
            ("password", known.password().expose()),
        ]
    });
    xml.element("Sip", credentials.chain(leg), |xml| {
        xml.text(&sip::address(target, fill));
    });
}

fn write_client(
    xml: &mut Xml,
    identity: &ClientIdentity,
    parameters: &[(ParameterName, Template)],
    leg: Attributes<'_>,
    fill: impl Fn(&Template) -> Option<String>,
) {
    xml.element("Client", leg, |xml| {
        xml.element("Identity", [], |xml| xml.text(identity.expose()));
        for (name, template) in parameters {
            let value = fill(template).unwrap_or_default();
            let value = value.replace(char::is_control, " ");
            let room = PARAMETER_LIMIT_CHARS - name.as_str().len();
            let value: String = value.trim().chars().take(room).collect();
            if !value.is_empty() {
                xml.empty("Parameter", [("name", name.as_str()), ("value", &value)]);
            }
        }
    });
}
