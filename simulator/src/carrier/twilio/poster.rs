//! Callbacks that are posted one after the other.

use std::future::Future;

use tokio::sync::mpsc;

use super::stage::Stage;
use super::twiml::Callback;
use crate::carrier::event::Purpose;

/// Posts to one URL in the order in which it is told to.
#[derive(Debug)]
pub(super) struct Poster {
    sender: mpsc::UnboundedSender<Posting>,
}

#[derive(Debug)]
struct Posting {
    parameters: Vec<(String, String)>,
    held_back: bool,
}

impl Poster {
    /// A poster and its work, which ends after the poster was dropped.
    pub(super) fn new(
        stage: Stage,
        purpose: Purpose,
        callback: Callback,
    ) -> (Self, impl Future<Output = ()> + Send + 'static) {
        #[expect(
            clippy::disallowed_methods,
            reason = "a leg or a conference has a handful of events; nobody waits for their callbacks"
        )]
        let (sender, mut receiver) = mpsc::unbounded_channel::<Posting>();
        let work = async move {
            let mut late = None;
            while let Some(posting) = receiver.recv().await {
                if posting.held_back {
                    late = Some(posting);
                    continue;
                }
                stage.ask(purpose, &callback, &posting.parameters).await;
                if let Some(Posting { parameters, .. }) = late.take() {
                    stage.ask(purpose, &callback, &parameters).await;
                }
            }
            if let Some(Posting { parameters, .. }) = late {
                stage.ask(purpose, &callback, &parameters).await;
            }
        };
        (Self { sender }, work)
    }

    /// Posts these parameters, after the next ones when they are held back.
    pub(super) fn post(&self, parameters: Vec<(String, String)>, held_back: bool) {
        // The work ends only after this sender is dropped, or with the whole account.
        let _ = self.sender.send(Posting {
            parameters,
            held_back,
        });
    }
}
