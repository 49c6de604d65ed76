//! Work that an order cuts short.

use std::future::Future;

use tokio::sync::mpsc::Receiver;

/// Does work unless an order comes first; the order wins when both are there.
pub(in crate::carrier) async fn interruptible<O, T>(
    orders: &mut Receiver<O>,
    work: impl Future<Output = T>,
) -> Result<T, O> {
    tokio::select! {
        biased;
        Some(order) = orders.recv() => Err(order),
        done = work => Ok(done),
    }
}
