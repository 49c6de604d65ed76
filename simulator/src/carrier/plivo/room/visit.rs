//! A call's visit to a room, from entering to what follows, whichever element leads there.

use std::time::Duration;

use super::rooms::{Manners, Presence, RoomCallback, RoomKind, Step};
use crate::carrier::callback::Callback;
use crate::carrier::clock::Utc;
use crate::carrier::event::{CarrierEvent, Purpose};
use crate::carrier::plivo::call::Order;
use crate::carrier::plivo::executor::{Executor, Flow};
use crate::carrier::plivo::leg_callbacks::LegCallbacks;
use crate::carrier::plivo::stage::{Stage, bare, owned};
use crate::carrier::plivo::xml::{Conference, MultiPartyCall};

/// A visit to a room.
#[derive(Debug)]
pub(in crate::carrier::plivo) struct Visit {
    kind: RoomKind,
    name: String,
    manners: Manners,
    most_members: usize,
    time_limit: Duration,
    wait_music: Option<Callback>,
    role: Option<&'static str>,
    callback: Option<RoomCallback>,
    action: Option<Callback>,
    redirect: bool,
}

impl From<Conference> for Visit {
    fn from(conference: Conference) -> Self {
        Self {
            kind: RoomKind::Conference,
            name: conference.room,
            manners: Manners {
                starts: conference.starts_on_enter,
                ends: conference.ends_on_exit,
                stays_alone: conference.stays_alone,
            },
            most_members: conference.most_members,
            time_limit: conference.time_limit,
            wait_music: conference.wait_sound,
            role: None,
            callback: conference.callback.map(|callback| RoomCallback {
                callback,
                steps: vec![Step::Entered, Step::Left],
            }),
            action: conference.action,
            redirect: conference.redirect,
        }
    }
}

impl From<MultiPartyCall> for Visit {
    fn from(entry: MultiPartyCall) -> Self {
        let mut steps = Vec::new();
        if entry.tells_of_call {
            steps.extend([Step::Made, Step::Started, Step::Over]);
        }
        if entry.tells_of_participants {
            steps.extend([Step::Entered, Step::Left]);
        }
        Self {
            kind: RoomKind::MultiPartyCall,
            name: entry.room,
            manners: Manners {
                starts: entry.starts_on_enter,
                ends: entry.ends_on_exit,
                stays_alone: entry.stays_alone,
            },
            most_members: entry.most_participants,
            time_limit: entry.max_duration,
            wait_music: entry.wait_music,
            role: Some(entry.role.as_str()),
            callback: entry
                .status_callback
                .map(|callback| RoomCallback { callback, steps }),
            action: entry.on_exit,
            redirect: true,
        }
    }
}

impl Executor {
    /// Enters the room, stays there, leaves it and goes on with what the action says.
    pub(in crate::carrier::plivo) async fn visit(&mut self, visit: Visit) -> Result<Flow, Order> {
        self.stage.call.bears_whisper()?;
        let key = (visit.kind, visit.name.clone());
        let most = visit.most_members;
        let Some(presence) = Presence::enter(&self.stage.account, key, visit.manners, most) else {
            // UNCONFIRMED what Plivo does with one too many; here the document goes on.
            return Ok(Flow::Next);
        };
        let room_uuid = presence.room_uuid().to_owned();
        self.stage.record(CarrierEvent::ConferenceEntered {
            conference_sid: room_uuid.clone(),
            conference: visit.name.clone(),
            label: visit.role.map(str::to_owned),
        });
        let teller = Teller::of(&self.stage, &visit, &presence);
        if presence.is_first {
            teller.tell(Step::Made);
        }
        if presence.starts {
            teller.tell(Step::Started);
        }
        teller.tell(Step::Entered);
        let parameters = teller.parameters();
        let music = visit.wait_music.as_ref();
        let stayed = self.stay(&presence, visit.time_limit, music, &parameters);
        let stayed = stayed.await;
        let is_over = presence.leave();
        self.stage.record(CarrierEvent::ConferenceLeft {
            conference_sid: room_uuid,
            conference: visit.name.clone(),
        });
        teller.tell(Step::Left);
        if is_over {
            teller.tell(Step::Over);
        }
        let told = teller.of_room;
        match stayed {
            Ok(()) => {
                let purpose = Purpose::ConferenceAction;
                Ok(self.after(purpose, visit.action, visit.redirect, told))
            }
            Err(order) => {
                // UNCONFIRMED whether the action of an interrupted visit is asked for; as with a <Dial>,
                // it is told and the answer ignored.
                if let Some(action) = visit.action {
                    self.notify(Purpose::ConferenceAction, action, told);
                }
                Err(order)
            }
        }
    }
}

/// Tells the callback of a room what happens there.
struct Teller {
    stage: Stage,
    kind: RoomKind,
    callback: Option<RoomCallback>,
    of_room: Vec<(String, String)>,
    callbacks: LegCallbacks,
}

impl Teller {
    fn of(stage: &Stage, visit: &Visit, presence: &Presence) -> Self {
        Self {
            stage: stage.clone(),
            kind: visit.kind,
            callback: match visit.kind {
                RoomKind::Conference => visit.callback.clone(),
                RoomKind::MultiPartyCall => presence.shared(visit.callback.clone()),
            },
            of_room: of_room(stage, visit, presence),
            callbacks: LegCallbacks::start(stage),
        }
    }

    fn parameters(&self) -> Vec<(String, String)> {
        let mut parameters = self.stage.parameters();
        parameters.extend(self.of_room.iter().cloned());
        parameters
    }

    fn tell(&self, step: Step) {
        let callback = match &self.callback {
            Some(told) if told.steps.contains(&step) => &told.callback,
            Some(_) | None => return,
        };
        let mut parameters = self.parameters();
        parameters.extend(match self.kind {
            RoomKind::Conference => owned(&[("ConferenceAction", conference_action(step))]),
            RoomKind::MultiPartyCall => owned(&[
                ("EventName", event_name(step)),
                ("EventTimestamp", &Utc::now().iso8601()),
            ]),
        });
        self.callbacks
            .tell(Some(callback), Purpose::ConferenceStatus, &parameters);
    }
}

/// The parameters of every request about the room. UNCONFIRMED: their names.
fn of_room(stage: &Stage, visit: &Visit, presence: &Presence) -> Vec<(String, String)> {
    let member = presence.member_id().to_string();
    match visit.kind {
        RoomKind::Conference => owned(&[
            ("ConferenceMemberID", &member),
            ("ConferenceName", &visit.name),
            ("ConferenceUUID", presence.room_uuid()),
        ]),
        RoomKind::MultiPartyCall => owned(&[
            ("MPCName", &visit.name),
            ("MPCUUID", presence.room_uuid()),
            ("ParticipantCallFrom", bare(&stage.call.from)),
            ("ParticipantCallTo", bare(&stage.call.to)),
            ("ParticipantCallUUID", &stage.call.uuid),
            ("ParticipantRole", visit.role.unwrap_or_default()),
            ("ParticipantUUID", &member),
        ]),
    }
}

fn conference_action(step: Step) -> &'static str {
    match step {
        Step::Made | Step::Started | Step::Entered => "enter",
        Step::Left | Step::Over => "exit",
    }
}

/// UNCONFIRMED: the words.
fn event_name(step: Step) -> &'static str {
    match step {
        Step::Made => "MPCInitialized",
        Step::Started => "MPCStarted",
        Step::Entered => "ParticipantJoined",
        Step::Left => "ParticipantLeft",
        Step::Over => "MPCEnded",
    }
}
