//! Posting with a bot: a card, the transcript in its thread, and at the end of the call the card
//! again with how it ended.
//!
//! `chat.postMessage` has no idempotency. A message is written down as sent before it is, and if
//! its answer is not known the channel or thread is searched for our metadata before it is posted
//! again. Where the search is not permitted or does not come to an end, the message is posted again
//! and the receipt says that it may be there twice. `chat.update` may be repeated freely.

mod bot;
mod state;
mod turn;

pub(super) use bot::Bot;
