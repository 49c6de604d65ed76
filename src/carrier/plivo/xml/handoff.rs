//! The document that moves a live call to a human.

use super::dial::{Rung, dial};
use super::element::{redirect, response, speak};
use super::room::RoomKind;
use crate::carrier::document::{Document, Handoff};
use crate::carrier::target::Reach;

/// How a reach is written.
enum Way<'a> {
    Dial(Rung<'a>),
    Room(RoomKind),
    /// Plivo has none, which [`Reach::possible_at`] tells whoever reads the configuration.
    None,
}

fn way(reach: &Reach) -> Way<'_> {
    match reach {
        Reach::Conference { .. } => Way::Room(RoomKind::Conference),
        Reach::MultiPartyCall { .. } => Way::Room(RoomKind::MultiPartyCall),
        Reach::Number { .. }
        | Reach::Sip(_)
        | Reach::User(_)
        | Reach::Refer(_)
        | Reach::Queue(_)
        | Reach::TaskRouter { .. }
        | Reach::Client { .. } => Rung::of(reach).map_or(Way::None, Way::Dial),
    }
}

/// Builds the document that moves the caller to a human. Nothing follows the element that does it: its
/// action URL decides.
///
/// By a way that Plivo does not have, the caller goes on to what comes after it at once, where
/// [`DialOutcome::parse`] finds nothing of a dial.
///
/// [`DialOutcome::parse`]: crate::carrier::plivo::webhook::DialOutcome::parse
pub fn handoff_document(handoff: &Handoff<'_>) -> Document {
    response(|xml| match way(handoff.reach) {
        Way::Dial(rung) => {
            speak(xml, handoff.announcement, handoff.voice);
            dial(xml, handoff, rung);
        }
        Way::Room(kind) => {
            speak(xml, handoff.announcement, handoff.voice);
            kind.admit_caller(xml, &handoff.room, &handoff.urls);
        }
        Way::None => redirect(xml, &handoff.urls.after),
    })
}
