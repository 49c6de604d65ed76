//! The account's conferences: who is in them, when they start and when they end.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use tokio::sync::watch;

use super::flow::owned;
use super::poster::Poster;
use super::stage::Stage;
use super::twiml::{Conference, ConferenceEvent};
use crate::carrier::clock::Utc;
use crate::carrier::event::{CarrierEvent, Purpose};
use crate::carrier::lock::lock;

/// So many parties that let a conference start must be in it. The reference says so of Twilio;
/// UNCONFIRMED whether one of them may have `startConferenceOnEnter="false"`.
const STARTERS: usize = 2;

/// Conferences that are not over, by name.
#[derive(Debug, Default)]
pub(super) struct Rooms {
    by_name: Mutex<BTreeMap<String, Arc<Room>>>,
}

#[derive(Debug)]
struct Room {
    sid: String,
    name: String,
    state: watch::Sender<State>,
    told: Mutex<Told>,
}

#[derive(Debug, Default)]
struct State {
    started: bool,
    ended: bool,
    members: Vec<Member>,
}

#[derive(Debug, Clone)]
struct Member {
    call: Arc<str>,
    is_human: bool,
    starts: bool,
    ends_on_exit: bool,
    label: Option<String>,
}

/// Where progress is posted. UNCONFIRMED: the first party that has a `statusCallback` decides.
#[derive(Debug, Default)]
struct Told {
    poster: Option<(Poster, Vec<ConferenceEvent>)>,
    posted: u32,
}

/// A party's place in a conference. Dropping it leaves the conference.
#[derive(Debug)]
pub(super) struct Seat<'a> {
    stage: &'a Stage,
    room: Arc<Room>,
    member: Member,
}

impl<'a> Seat<'a> {
    /// Enters the conference, which is created if there is none of this name.
    pub(super) fn take(stage: &'a Stage, wanted: &Conference, is_human: bool) -> Self {
        let member = Member {
            call: Arc::clone(&stage.call.sid),
            is_human,
            starts: wanted.starts_on_enter,
            ends_on_exit: wanted.ends_on_exit,
            label: wanted.label.clone(),
        };
        let mut rooms = lock(&stage.account.rooms.by_name);
        let room = rooms.entry(wanted.name.clone()).or_insert_with(|| {
            let (state, _) = watch::channel(State::default());
            Arc::new(Room {
                sid: stage.account.new_sid("CF", &wanted.name),
                name: wanted.name.clone(),
                state,
                told: Mutex::default(),
            })
        });
        let room = Arc::clone(room);
        let mut starts = false;
        room.state.send_modify(|state| {
            state.members.push(member.clone());
            let starters = state.members.iter().filter(|member| member.starts).count();
            starts = !state.started && starters >= STARTERS;
            state.started |= starts;
        });
        drop(rooms);
        stage.record(CarrierEvent::ConferenceEntered {
            conference_sid: room.sid.clone(),
            conference: room.name.clone(),
            label: member.label.clone(),
        });
        room.listen(stage, wanted);
        let seat = Self {
            stage,
            room,
            member,
        };
        seat.tell(ConferenceEvent::Join, "participant-join");
        if starts {
            seat.tell(ConferenceEvent::Start, "conference-start");
        }
        seat
    }

    /// What a request about the party is told of the conference.
    pub(super) fn parameters(&self) -> Vec<(String, String)> {
        owned([
            ("ConferenceSid", &self.room.sid),
            ("FriendlyName", &self.room.name),
        ])
    }

    pub(super) fn has_started(&self) -> bool {
        self.room.state.borrow().started
    }

    pub(super) async fn started_or_ended(&self) {
        self.until(|state| state.started || state.ended).await;
    }

    pub(super) async fn ended(&self) {
        self.until(|state| state.ended).await;
    }

    /// The call of a human in the conference who is not among `met`, when there is one.
    pub(super) async fn stranger(&self, met: &[Arc<str>]) -> Arc<str> {
        let mut state = self.room.state.subscribe();
        let mut found = None;
        let waited = state
            .wait_for(|state| {
                let mut humans = state.members.iter().filter(|member| member.is_human);
                found = humans
                    .find(|human| !met.contains(&human.call))
                    .map(|human| Arc::clone(&human.call));
                found.is_some()
            })
            .await;
        drop(waited);
        match found {
            Some(call) => call,
            None => std::future::pending().await,
        }
    }

    async fn until(&self, wanted: impl FnMut(&State) -> bool) {
        // The sender lives in the room, and the room as long as this seat.
        let _ = self.room.state.subscribe().wait_for(wanted).await;
    }

    /// Posts progress of the conference. UNCONFIRMED: the reference has the names that a document asks
    /// for, and not those that are posted.
    fn tell(&self, event: ConferenceEvent, name: &str) {
        let mut told = lock(&self.room.told);
        let Some((poster, _)) = told
            .poster
            .as_ref()
            .filter(|(_, events)| events.contains(&event))
        else {
            return;
        };
        let mut parameters = self.parameters();
        parameters.extend(owned([
            ("AccountSid", &self.stage.account.options.account_sid),
            ("SequenceNumber", &told.posted.to_string()),
            ("StatusCallbackEvent", name),
            ("Timestamp", &Utc::now().rfc2822()),
        ]));
        let reason = match self.member.ends_on_exit {
            true => "participant-with-end-conference-on-exit-left",
            false => "last-participant-left",
        };
        match event {
            ConferenceEvent::Join | ConferenceEvent::Leave => {
                parameters.extend(owned([
                    ("CallSid", &self.member.call),
                    ("Coaching", "false"),
                    ("EndConferenceOnExit", &self.member.ends_on_exit.to_string()),
                    ("Hold", "false"),
                    ("Muted", "false"),
                    ("StartConferenceOnEnter", &self.member.starts.to_string()),
                ]));
                let label = self.member.label.clone();
                parameters.extend(label.map(|label| ("ParticipantLabel".to_owned(), label)));
            }
            ConferenceEvent::End => parameters.extend(owned([
                ("CallSidEndingConference", &self.member.call),
                ("ReasonConferenceEnded", reason),
            ])),
            ConferenceEvent::Start | ConferenceEvent::Unplayed => {}
        }
        poster.post(parameters, false);
        told.posted += 1;
    }
}

impl Drop for Seat<'_> {
    fn drop(&mut self) {
        let mut rooms = lock(&self.stage.account.rooms.by_name);
        let mut ends = false;
        self.room.state.send_modify(|state| {
            state
                .members
                .retain(|member| member.call != self.member.call);
            ends = !state.ended && (self.member.ends_on_exit || state.members.is_empty());
            state.ended |= ends;
        });
        if ends {
            rooms.remove(&self.room.name);
        }
        drop(rooms);
        self.stage.record(CarrierEvent::ConferenceLeft {
            conference_sid: self.room.sid.clone(),
            conference: self.room.name.clone(),
        });
        self.tell(ConferenceEvent::Leave, "participant-leave");
        if ends {
            self.tell(ConferenceEvent::End, "conference-end");
        }
    }
}

impl Room {
    fn listen(&self, stage: &Stage, wanted: &Conference) {
        let Some(wanted) = &wanted.status_callback else {
            return;
        };
        let mut told = lock(&self.told);
        if told.poster.is_none() {
            let callback = wanted.callback.clone();
            let (poster, work) = Poster::new(stage.clone(), Purpose::ConferenceStatus, callback);
            // A conference may outlast the call that named the URL.
            stage.account.spawn(work);
            told.poster = Some((poster, wanted.events.clone()));
        }
    }
}
