//! The rooms of an account by name, and who is in them.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, OnceLock};

use tokio::sync::watch;

use crate::carrier::callback::Callback;
use crate::carrier::lock::lock;
use crate::carrier::plivo::account::Account;

/// The two kinds of room; each has names of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum RoomKind {
    Conference,
    MultiPartyCall,
}

/// What a member's coming and going does to the room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Manners {
    /// The room starts when they enter.
    pub(super) starts: bool,
    /// The room is over when they leave.
    pub(super) ends: bool,
    /// They stay when everybody else has left.
    pub(super) stays_alone: bool,
}

/// How a member stands in a room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    /// Nobody hears them.
    Waits,
    /// They and the others hear each other.
    Joined,
    /// The room is over for them.
    Removed,
}

/// Something that happens in a room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// Somebody entered an empty room.
    Made,
    /// Somebody with whom the room starts entered.
    Started,
    Entered,
    Left,
    Over,
}

/// Who is told what of a room.
#[derive(Debug, Clone)]
pub(super) struct RoomCallback {
    pub(super) callback: Callback,
    pub(super) steps: Vec<Step>,
}

/// The rooms that somebody is in.
#[derive(Debug, Default)]
pub(in crate::carrier::plivo) struct Rooms {
    open: Mutex<BTreeMap<(RoomKind, String), Arc<Room>>>,
}

#[derive(Debug)]
struct Room {
    uuid: String,
    /// Who is told of the room as a whole: the first that a member names.
    callback: OnceLock<RoomCallback>,
    state: watch::Sender<RoomState>,
}

#[derive(Debug, Default)]
pub(super) struct RoomState {
    members: Vec<Member>,
    entered: u64,
    started: bool,
    over: bool,
}

#[derive(Debug)]
struct Member {
    id: u64,
    manners: Manners,
    /// Whether they were joined to somebody.
    met: bool,
}

/// Somebody's place in a room. Dropping it leaves the room.
#[derive(Debug)]
pub(super) struct Presence {
    account: Arc<Account>,
    key: (RoomKind, String),
    room: Arc<Room>,
    id: u64,
    /// Whether the room was empty before.
    pub(super) is_first: bool,
    /// Whether the room started when they entered.
    pub(super) starts: bool,
}

impl Presence {
    /// Enters a room, which is made when nobody is in it. `None` when it is full.
    pub(super) fn enter(
        account: &Arc<Account>,
        key: (RoomKind, String),
        manners: Manners,
        most: usize,
    ) -> Option<Self> {
        let mut open = lock(&account.rooms.open);
        let room = open.entry(key.clone()).or_insert_with(|| {
            Arc::new(Room {
                uuid: account.new_uuid(),
                callback: OnceLock::new(),
                state: watch::Sender::default(),
            })
        });
        if room.state.borrow().members.len() >= most {
            return None;
        }
        let mut presence = Self {
            account: Arc::clone(account),
            key,
            room: Arc::clone(room),
            id: 0,
            is_first: false,
            starts: false,
        };
        room.state.send_modify(|state| {
            state.entered += 1;
            presence.id = state.entered;
            presence.is_first = state.members.is_empty();
            presence.starts = manners.starts && !state.started;
            state.started |= manners.starts;
            state.members.push(Member {
                id: state.entered,
                manners,
                met: false,
            });
            if state.started && state.members.len() > 1 {
                for member in &mut state.members {
                    member.met = true;
                }
            }
        });
        Some(presence)
    }

    pub(super) fn room_uuid(&self) -> &str {
        &self.room.uuid
    }

    /// Who is told of the room: this one, unless another member named one before. UNCONFIRMED: whether
    /// the first counts.
    pub(super) fn shared(&self, own: Option<RoomCallback>) -> Option<RoomCallback> {
        if let Some(own) = own {
            self.room.callback.get_or_init(|| own);
        }
        self.room.callback.get().cloned()
    }

    pub(super) fn member_id(&self) -> u64 {
        self.id
    }

    pub(super) fn watch(&self) -> watch::Receiver<RoomState> {
        self.room.state.subscribe()
    }

    pub(super) fn standing(&self, state: &RoomState) -> Standing {
        let own = state.members.iter().find(|member| member.id == self.id);
        let Some(own) = own.filter(|_| !state.over) else {
            return Standing::Removed;
        };
        match state.members.len() {
            1 if own.met && !own.manners.stays_alone => Standing::Removed,
            1 => Standing::Waits,
            _ if state.started => Standing::Joined,
            _ => Standing::Waits,
        }
    }

    /// Leaves the room. Whether it is over with that.
    pub(super) fn leave(self) -> bool {
        self.remove()
    }

    fn remove(&self) -> bool {
        let mut open = lock(&self.account.rooms.open);
        let mut is_last = false;
        self.room.state.send_modify(|state| {
            let Some(index) = state.members.iter().position(|member| member.id == self.id) else {
                return;
            };
            let left = state.members.remove(index);
            let was_over = state.over;
            state.over |= left.manners.ends || state.members.is_empty();
            is_last = state.over && !was_over;
        });
        // Whoever comes while the others leave a room that is over finds a new one.
        if is_last {
            open.remove(&self.key);
        }
        is_last
    }
}

impl Drop for Presence {
    fn drop(&mut self) {
        self.remove();
    }
}
