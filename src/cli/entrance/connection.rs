//! Connections that can be told how much must come before they are read.

use std::cell::RefCell;
use std::io::{self, IoSlice};
use std::ops::Range;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

use crate::cli::receive_mark;
use crate::session::LowWater;

/// Read at once where much is waited for: a little more than a window of both tracks.
const READ_AHEAD: usize = 5 * 1024;

/// An accepted connection. It owns its socket alone: who wants the mark moved holds the
/// [`LowWater`] and no second descriptor, which would keep the connection half open.
pub(super) struct Connection {
    stream: TcpStream,
    low_water: LowWater,
    /// The mark that the kernel has.
    applied: usize,
    ahead: Ahead,
}

impl Connection {
    /// Reads what comes as it comes, until the mark is moved.
    pub(super) fn new(stream: TcpStream) -> Self {
        Self {
            stream,
            low_water: LowWater::new(),
            applied: 1,
            ahead: Ahead::default(),
        }
    }

    /// The mark, for who wants it moved.
    pub(super) fn low_water(&self) -> LowWater {
        self.low_water.clone()
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let Self {
            stream,
            low_water,
            applied,
            ahead,
        } = self.get_mut();
        if !ahead.unread.is_empty() {
            ahead.give(buf);
            return Poll::Ready(Ok(()));
        }
        let wanted = low_water.bytes();
        if wanted != *applied {
            *applied = wanted;
            // A kernel that refuses wakes us too often, which is all that is lost.
            if let Err(error) = receive_mark::set(&*stream, wanted) {
                tracing::debug!(%error, "the receive mark of a media socket stays where it is");
            }
        }
        if wanted == 1 || buf.remaining() >= READ_AHEAD {
            return Pin::new(stream).poll_read(cx, buf);
        }
        ready!(ahead.poll_fill(stream, cx))?;
        ahead.give(buf);
        Poll::Ready(Ok(()))
    }
}

/// What was read beyond what was asked for. tungstenite asks for what its buffer has left, often
/// for a single message, and each read is a system call.
///
/// All of it is asked for within a turn of the call's task, so the memory is on loan from the
/// thread: a few blocks for thousands of connections.
#[derive(Default)]
struct Ahead {
    memory: Option<Block>,
    unread: Range<usize>,
}

type Block = Box<[u8; READ_AHEAD]>;

/// Blocks that a thread keeps for the next connection that reads.
const SPARE_BLOCKS: usize = 16;

thread_local! {
    static SPARE: RefCell<Vec<Block>> = const { RefCell::new(Vec::new()) };
}

fn lend() -> Block {
    let spare = SPARE.with_borrow_mut(Vec::pop);
    spare.unwrap_or_else(|| Box::new([0; READ_AHEAD]))
}

fn give_back(block: Block) {
    SPARE.with_borrow_mut(|spare| {
        if spare.len() < SPARE_BLOCKS {
            spare.push(block);
        }
    });
}

impl Ahead {
    fn poll_fill(&mut self, stream: &mut TcpStream, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut block = lend();
        let mut memory = ReadBuf::new(&mut *block);
        let read = Pin::new(stream).poll_read(cx, &mut memory);
        self.unread = 0..memory.filled().len();
        if self.unread.is_empty() {
            give_back(block);
        } else {
            self.memory = Some(block);
        }
        read
    }

    /// Gives what fits.
    fn give(&mut self, buf: &mut ReadBuf<'_>) {
        let Some(block) = &self.memory else {
            return;
        };
        let given = self.unread.len().min(buf.remaining());
        buf.put_slice(&block[self.unread.start..][..given]);
        self.unread.start += given;
        if self.unread.is_empty()
            && let Some(block) = self.memory.take()
        {
            give_back(block);
        }
    }
}

impl AsyncWrite for Connection {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().stream).poll_write(cx, buf)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().stream).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(cx)
    }
}

#[cfg(target_os = "linux")]
#[cfg(test)]
mod tests {
    use std::future::poll_fn;
    use std::time::Duration;

    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;

    use super::*;

    const DEADLINE: Duration = Duration::from_secs(10);

    async fn connected() -> (TcpStream, Connection) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let peer = TcpStream::connect(listener.local_addr().unwrap())
            .await
            .unwrap();
        let (stream, _) = listener.accept().await.unwrap();
        (peer, Connection::new(stream))
    }

    /// Reads once; says how much there was, or `None` if nobody is to be woken yet.
    async fn read_now(connection: &mut Connection) -> Option<usize> {
        let mut buffer = [0; 4096];
        poll_fn(|cx| {
            let mut buffer = ReadBuf::new(&mut buffer);
            Poll::Ready(
                match Pin::new(&mut *connection).poll_read(cx, &mut buffer) {
                    Poll::Ready(read) => read.map(|()| Some(buffer.filled().len())).unwrap(),
                    Poll::Pending => None,
                },
            )
        })
        .await
    }

    #[tokio::test]
    async fn nobody_is_woken_below_the_mark() {
        let (mut peer, mut connection) = connected().await;
        connection.low_water.set(1_000);
        assert_eq!(read_now(&mut connection).await, None);
        let mut buffer = [0; 4096];
        let reading = tokio::time::timeout(DEADLINE, connection.read(&mut buffer));
        let writing = async {
            for _ in 0..10 {
                peer.write_all(&[0; 100]).await.unwrap();
                // Time for a wake-up that must not come.
                for _ in 0..50 {
                    tokio::task::yield_now().await;
                }
            }
        };
        let (read, ()) = tokio::join!(reading, writing);
        assert_eq!(read.unwrap().unwrap(), 1_000);
    }

    #[tokio::test]
    async fn lowering_the_mark_tells_what_lies_below_it() {
        let (mut peer, mut connection) = connected().await;
        connection.low_water.set(1_000);
        assert_eq!(read_now(&mut connection).await, None);
        peer.write_all(&[0; 100]).await.unwrap();
        connection.low_water.set(1);
        let mut buffer = [0; 4096];
        let read = tokio::time::timeout(DEADLINE, connection.read(&mut buffer));
        assert_eq!(read.await.unwrap().unwrap(), 100);
    }

    #[tokio::test]
    async fn a_peer_that_goes_is_seen_at_once_and_leaves_nothing_open() {
        let (mut peer, mut connection) = connected().await;
        connection.low_water.set(1_000);
        assert_eq!(read_now(&mut connection).await, None);
        let kept = connection.low_water.clone();
        peer.shutdown().await.unwrap();
        let mut buffer = [0; 16];
        let read = tokio::time::timeout(DEADLINE, connection.read(&mut buffer));
        assert_eq!(read.await.unwrap().unwrap(), 0);
        drop(connection);
        let read = tokio::time::timeout(DEADLINE, peer.read(&mut buffer));
        assert_eq!(read.await.unwrap().unwrap(), 0);
        drop(kept);
    }
}
