//! `<Stream>` in the course of a document: what runs beside it, and what after it.

use tokio::sync::{mpsc, watch};

use super::call::{Order, RunningStream, Source};
use super::executor::{Executor, Flow};
use super::media;
use super::options::TransferFetch;
use super::xml::Stream;
use crate::carrier::callback::Callback;
use crate::carrier::event::Purpose;
use crate::carrier::lock::lock;

impl Executor {
    /// Begins the stream. Unless it keeps the call alive, the document goes on at once.
    pub(super) async fn stream(&mut self, stream: Stream) -> Result<Flow, Order> {
        let runs = |stream: &RunningStream| !*stream.ended.borrow();
        if lock(&self.stage.call.state)
            .stream
            .as_ref()
            .is_some_and(runs)
        {
            self.stage
                .violation("a second <Stream> in a call that has one; Plivo takes one");
            return Ok(Flow::Next);
        }
        let id = self.stage.account.new_uuid();
        let (control, stop) = mpsc::channel(1);
        let (end, ended) = watch::channel(false);
        lock(&self.stage.call.state).stream = Some(RunningStream {
            id: id.clone(),
            _control: control,
            ended: ended.clone(),
        });
        let blocks = stream.keep_call_alive;
        self.stage.call.view.send_modify(|view| {
            view.playing += 1;
            view.busy &= !blocks;
        });
        let stage = self.stage.clone();
        self.stage.in_background(async move {
            media::run(&stage, &stream, &id, stop).await;
            end.send_replace(true);
        });
        if !blocks {
            return Ok(Flow::Next);
        }
        self.until_stream_ends(ended).await
    }

    /// Waits for the end of a stream that keeps the call alive. A transfer meanwhile is executed then.
    async fn until_stream_ends(&mut self, mut ended: watch::Receiver<bool>) -> Result<Flow, Order> {
        let mut next = Flow::Next;
        loop {
            let order = tokio::select! {
                // A transfer that came before the socket was closed is seen before its end.
                biased;
                order = self.orders.recv() => order,
                // The sender lives until the stream has ended.
                _ = ended.wait_for(|ended| *ended) => return Ok(next),
            };
            next = match order {
                Some(Order::Transfer(callback)) => Flow::Replace(self.transferred(callback)),
                Some(order @ Order::End(_)) => return Err(order),
                None => return Ok(next),
            };
        }
    }

    fn transferred(&self, callback: Callback) -> Source {
        let source = Source::Fetch {
            purpose: Purpose::Rewrite,
            callback: callback.clone(),
            parameters: Vec::new(),
        };
        match self.stage.account.options.transfer_fetch {
            TransferFetch::WhenStreamEnds => source,
            TransferFetch::AtOnce => {
                let stage = self.stage.clone();
                let document = self.stage.begin(async move {
                    let parameters = stage.parameters();
                    stage.fetch(Purpose::Rewrite, &callback, &parameters).await
                });
                Source::Fetching(document)
            }
        }
    }
}
