//! A room in which the caller waits for a human who is called apart
//! ([`create_call`](crate::carrier::plivo::rest::create_call)).
//!
//! The caller alone starts nothing; the human who comes does. Whoever leaves ends it for both, and then
//! the caller's document goes on at its action URL. Nothing here ends the wait: whoever gave the caller this
//! document has to.

use crate::carrier::argument::WebUrl;
use crate::carrier::document::{HandoffUrls, RoomName};
use crate::carrier::markup::Xml;

/// The room of a handoff, for the human's side.
#[derive(Clone, Copy, Debug)]
pub struct Room<'a> {
    /// What it is called.
    pub name: &'a RoomName,
    /// What it is.
    pub kind: RoomKind,
    /// Where Plivo reports that the human came and left
    /// ([`LegReport`](crate::carrier::plivo::webhook::LegReport)).
    pub leg_url: &'a WebUrl,
}

/// What a room is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RoomKind {
    /// A `<Conference>`.
    Conference,
    /// A `<MultiPartyCall>`.
    MultiPartyCall,
}

impl RoomKind {
    /// Writes the element that has the caller wait.
    pub(super) fn admit_caller(self, xml: &mut Xml, name: &RoomName, urls: &HandoffUrls) {
        let (wait, after, leg) = (urls.wait.as_str(), urls.after.as_str(), urls.leg.as_str());
        match self {
            Self::Conference => {
                let attributes = [
                    ("startConferenceOnEnter", "false"),
                    ("endConferenceOnExit", "true"),
                    ("waitSound", wait),
                    ("action", after),
                    ("method", "POST"),
                    ("redirect", "true"),
                    ("callbackUrl", leg),
                    ("callbackMethod", "POST"),
                ];
                xml.element("Conference", attributes, |xml| xml.text(name.as_str()));
            }
            Self::MultiPartyCall => {
                let attributes = [
                    ("role", "customer"),
                    ("startMpcOnEnter", "false"),
                    ("endMpcOnExit", "true"),
                    ("waitMusicUrl", wait),
                    ("waitMusicMethod", "POST"),
                    ("customerHoldMusicUrl", wait),
                    ("customerHoldMusicMethod", "POST"),
                    ("enterSound", "none"),
                    ("exitSound", "none"),
                    ("onExitActionUrl", after),
                    ("onExitActionMethod", "POST"),
                    ("statusCallbackUrl", leg),
                    ("statusCallbackMethod", "POST"),
                    ("statusCallbackEvents", "participant-state-changes"),
                ];
                xml.element("MultiPartyCall", attributes, |xml| {
                    xml.text(name.as_str());
                });
            }
        }
    }
}

impl Room<'_> {
    /// Writes the element that joins the human with the caller.
    pub(super) fn admit_human(&self, xml: &mut Xml) {
        match self.kind {
            RoomKind::Conference => {
                let attributes = [
                    ("startConferenceOnEnter", "true"),
                    ("endConferenceOnExit", "true"),
                    ("callbackUrl", self.leg_url.as_str()),
                    ("callbackMethod", "POST"),
                ];
                xml.element("Conference", attributes, |xml| {
                    xml.text(self.name.as_str());
                });
            }
            RoomKind::MultiPartyCall => {
                // What is reported of a multi-party call was said when the caller made it.
                let attributes = [
                    ("role", "agent"),
                    ("startMpcOnEnter", "true"),
                    ("endMpcOnExit", "true"),
                    ("enterSound", "none"),
                    ("exitSound", "none"),
                ];
                xml.element("MultiPartyCall", attributes, |xml| {
                    xml.text(self.name.as_str());
                });
            }
        }
    }
}
