//! The connections that are no media sockets, in the order in which they have to go.
//!
//! Whoever asked for something longest ago goes first, answered or not. A webhook is answered within
//! milliseconds of its arrival, so a stranger would have to fill the whole crowd anew within these
//! milliseconds to have it sent away.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;

/// Everyone in the door.
#[derive(Debug, Default)]
pub(super) struct Crowd(Mutex<Order>);

#[derive(Debug, Default)]
struct Order {
    next: u64,
    /// By the turn in which they came or last asked.
    present: BTreeMap<u64, oneshot::Sender<()>>,
}

/// One connection's place in the crowd, until it is dropped.
#[derive(Debug)]
pub(super) struct Visitor {
    crowd: Arc<Crowd>,
    turn: Mutex<u64>,
    asked: AtomicBool,
}

impl Crowd {
    /// Takes a connection in. The receiver tells when it has to go.
    pub(super) fn enter(self: &Arc<Self>) -> (Visitor, oneshot::Receiver<()>) {
        let (sender, sent_away) = oneshot::channel();
        let mut order = lock(&self.0);
        let turn = order.take_turn();
        order.present.insert(turn, sender);
        let visitor = Visitor {
            crowd: Arc::clone(self),
            turn: Mutex::new(turn),
            asked: AtomicBool::new(false),
        };
        (visitor, sent_away)
    }

    /// Sends the first in the order away. `false` if nobody is there.
    pub(super) fn send_one_away(&self) -> bool {
        let Some((_, sender)) = lock(&self.0).present.pop_first() else {
            return false;
        };
        // A visitor who is just leaving does not hear it, and goes all the same.
        let _ = sender.send(());
        true
    }

    /// How many are there.
    pub(super) fn len(&self) -> usize {
        lock(&self.0).present.len()
    }
}

impl Order {
    fn take_turn(&mut self) -> u64 {
        self.next += 1;
        self.next
    }
}

impl Visitor {
    /// The head of a request came: the connection goes to the end of the order.
    pub(super) fn on_request(&self) {
        self.asked.store(true, Ordering::Relaxed);
        let mut turn = lock(&self.turn);
        let mut order = lock(&self.crowd.0);
        let next = order.take_turn();
        if let Some(sender) = order.present.remove(&turn) {
            order.present.insert(next, sender);
            *turn = next;
        }
    }

    /// Whether the connection ever asked for anything.
    pub(super) fn has_asked(&self) -> bool {
        self.asked.load(Ordering::Relaxed)
    }
}

impl Drop for Visitor {
    fn drop(&mut self) {
        let turn = *lock(&self.turn);
        lock(&self.crowd.0).present.remove(&turn);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Whole at every point where a panic could begin.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_sent_away(sent_away: &mut oneshot::Receiver<()>) -> bool {
        sent_away.try_recv().is_ok()
    }

    #[test]
    fn who_asked_longest_ago_goes_first() {
        let crowd = Arc::new(Crowd::default());
        let (first, mut first_away) = crowd.enter();
        let (_second, mut second_away) = crowd.enter();
        first.on_request();
        assert!(crowd.send_one_away());
        assert!(is_sent_away(&mut second_away));
        assert!(!is_sent_away(&mut first_away));
        assert!(crowd.send_one_away());
        assert!(is_sent_away(&mut first_away));
        assert!(!crowd.send_one_away());
    }

    #[test]
    fn who_leaves_has_no_place_and_who_was_sent_away_gets_none_again() {
        let crowd = Arc::new(Crowd::default());
        let (first, _first_away) = crowd.enter();
        let (second, _second_away) = crowd.enter();
        assert!(crowd.send_one_away());
        first.on_request();
        assert_eq!(crowd.len(), 1);
        drop(first);
        assert_eq!(crowd.len(), 1, "another one's place was given up");
        drop(second);
        assert_eq!(crowd.len(), 0);
    }
}
