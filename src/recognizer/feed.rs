//! How windows reach a recognizer: bounded, never waited for, and in memory only while they wait.
//!
//! A call has two feeds that are empty nearly always. A channel of the runtime keeps room for
//! dozens of windows in each; this queue keeps room for what lies in it.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};

use bytes::Bytes;
use handoff_core::time::MediaTime;

/// Windows a feed holds before it drops: 6.4 s of audio at 100 ms a window.
pub const FEED_CAPACITY: usize = 64;

/// Room that an empty feed keeps.
const KEPT_ROOM: usize = 8;

/// What goes to a recognizer. Dropping the [`Feed`] ends the recognition.
#[derive(Debug)]
pub enum Feeding {
    /// A run of mu-law samples, usually 100 ms (800 bytes). `start` is on the call's media clock
    /// and jumps where audio is missing.
    Window {
        /// Position of the first sample.
        start: MediaTime,
        /// The samples, one byte each.
        mulaw: Bytes,
    },
    /// Give the words heard so far as final, now.
    Flush,
}

/// The sending side of one speaker's recognition.
#[derive(Debug)]
pub struct Feed(Arc<Queue>);

/// The side that the recognizer drains.
#[derive(Debug)]
pub struct Feedings(Arc<Queue>);

#[derive(Debug, Default)]
struct Queue(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    waiting: VecDeque<Feeding>,
    /// One side is gone.
    closed: bool,
    receiver: Option<Waker>,
}

impl Feed {
    /// Makes a feed and the receiving side that the recognizer drains.
    pub fn new() -> (Self, Feedings) {
        let queue = Arc::<Queue>::default();
        (Self(Arc::clone(&queue)), Feedings(queue))
    }

    /// Whether the next push will be taken, for those who can wait.
    pub fn has_room(&self) -> bool {
        self.0.lock().waiting.len() < FEED_CAPACITY
    }

    /// Passes something on without waiting. `false` means that it was dropped: the recognizer is
    /// gone or lags by more than [`FEED_CAPACITY`] windows.
    #[must_use]
    pub fn push(&self, feeding: Feeding) -> bool {
        let mut state = self.0.lock();
        if state.closed || state.waiting.len() >= FEED_CAPACITY {
            return false;
        }
        state.waiting.push_back(feeding);
        state.wake();
        true
    }
}

impl Drop for Feed {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        state.closed = true;
        state.wake();
    }
}

impl Feedings {
    /// The next one, or `None` once the feed was dropped and all is taken. Nothing is lost if the
    /// future is dropped.
    pub async fn recv(&mut self) -> Option<Feeding> {
        poll_fn(|cx| self.poll_recv(cx)).await
    }

    /// The same for a thread of its own.
    pub fn blocking_recv(&mut self) -> Option<Feeding> {
        let waker = Waker::from(Arc::new(Unpark(thread::current())));
        let mut next = pin!(self.recv());
        loop {
            match next.as_mut().poll(&mut Context::from_waker(&waker)) {
                Poll::Ready(next) => return next,
                Poll::Pending => thread::park(),
            }
        }
    }

    fn poll_recv(&mut self, cx: &mut Context<'_>) -> Poll<Option<Feeding>> {
        let mut state = self.0.lock();
        if let Some(next) = state.waiting.pop_front() {
            if state.waiting.is_empty() && state.waiting.capacity() > KEPT_ROOM {
                state.waiting.shrink_to(KEPT_ROOM);
            }
            return Poll::Ready(Some(next));
        }
        if state.closed {
            return Poll::Ready(None);
        }
        match &mut state.receiver {
            Some(receiver) => receiver.clone_from(cx.waker()),
            none => *none = Some(cx.waker().clone()),
        }
        Poll::Pending
    }
}

impl Drop for Feedings {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        state.closed = true;
        state.waiting = VecDeque::new();
    }
}

impl Queue {
    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing under the lock can panic half way, so a poisoned queue is still whole.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn wake(&mut self) {
        if let Some(receiver) = &self.receiver {
            receiver.wake_by_ref();
        }
    }
}

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn window(start: u64) -> Feeding {
        Feeding::Window {
            start: MediaTime(start),
            mulaw: Bytes::from_static(&[0xff; 800]),
        }
    }

    fn start(feeding: Option<Feeding>) -> Option<u64> {
        match feeding? {
            Feeding::Window { start, .. } => Some(start.0),
            Feeding::Flush => None,
        }
    }

    #[tokio::test]
    async fn windows_come_in_order_and_the_end_after_them() {
        let (feed, mut feedings) = Feed::new();
        assert!(feed.push(window(0)) && feed.push(window(800)));
        drop(feed);
        assert_eq!(start(feedings.recv().await), Some(0));
        assert_eq!(start(feedings.recv().await), Some(800));
        assert!(feedings.recv().await.is_none());
    }

    #[tokio::test]
    async fn a_window_wakes_who_waits_for_it() {
        let (feed, mut feedings) = Feed::new();
        let (received, pushed) = tokio::join!(feedings.recv(), async { feed.push(window(7)) });
        assert!(pushed);
        assert_eq!(start(received), Some(7));
    }

    #[test]
    fn a_thread_is_woken_by_windows_and_by_the_end() {
        let (feed, mut feedings) = Feed::new();
        let listener = thread::spawn(move || {
            std::iter::from_fn(|| start(feedings.blocking_recv())).collect::<Vec<_>>()
        });
        for start in 0..10 {
            assert!(feed.push(window(start)));
        }
        drop(feed);
        assert_eq!(listener.join().unwrap(), (0..10).collect::<Vec<_>>());
    }

    #[test]
    fn a_full_feed_drops_and_an_empty_one_keeps_little_room() {
        let (feed, mut feedings) = Feed::new();
        let taken = (0..100).filter(|start| feed.push(window(*start))).count();
        assert_eq!(taken, FEED_CAPACITY);
        for expected in 0..FEED_CAPACITY as u64 {
            assert_eq!(start(feedings.blocking_recv()), Some(expected));
        }
        assert!(feed.0.lock().waiting.capacity() <= KEPT_ROOM);
        assert!(feed.push(window(0)));
    }

    #[test]
    fn a_recognizer_that_is_gone_takes_nothing() {
        let (feed, feedings) = Feed::new();
        assert!(feed.push(window(0)));
        drop(feedings);
        assert!(!feed.push(window(1)));
    }
}
