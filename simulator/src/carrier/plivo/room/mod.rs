//! `<Conference>` and `<MultiPartyCall>`: who is in which room, what they hear there and what is told.

mod music;
mod rooms;
mod stay;
mod visit;

pub(super) use rooms::Rooms;
pub(super) use visit::Visit;
