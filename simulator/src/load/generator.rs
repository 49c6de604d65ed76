//! The generator: plain threads that write frames to many sockets.
//!
//! At real-time pace calls are independent of each other: they are spread over the 20 ms between frames,
//! and they begin within a second, so that what a server does every 100 ms or every second for a call it
//! does not do for all at once. A socket that does not take a frame at once keeps it and is tried again at its next turn, so one
//! slow call never holds up the others.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use super::frames::{FRAMES_PER_SECOND, Frames, StreamTag};

/// Slots into which the 20 ms between frames are divided.
const SLOTS: usize = 20;
const SLOT: Duration = Duration::from_millis((1000 / FRAMES_PER_SECOND / SLOTS) as u64);
/// Ticks over which the calls begin.
const BEGINNINGS: usize = FRAMES_PER_SECOND;
/// Turns of a call after which what the server sent is read away.
const DRAIN_EVERY: usize = 50;

/// One open media socket.
#[derive(Debug)]
pub struct Line {
    stream: TcpStream,
    tag: StreamTag,
    unsent: Vec<u8>,
    broken: bool,
}

/// What a run of the generator did.
#[derive(Debug, Clone, Copy, Default)]
pub struct Sent {
    /// Frames written, or kept to be written at the end.
    pub frames: u64,
    /// Frames that a socket did not take at once.
    pub delayed: u64,
    /// Calls whose socket broke.
    pub broken: u64,
    /// How late the generator itself was, at its worst.
    pub latest: Duration,
    /// From the first frame to the last.
    pub took: Duration,
}

impl Line {
    /// Takes over a connected socket.
    pub fn new(stream: TcpStream, tag: StreamTag) -> Self {
        Self {
            stream,
            tag,
            unsent: Vec::new(),
            broken: false,
        }
    }

    /// Writes everything, waiting as long as it takes; for messages outside the measurement.
    ///
    /// # Errors
    /// The connection is gone.
    pub fn write_all(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        self.stream.set_nonblocking(false)?;
        self.stream.write_all(&std::mem::take(&mut self.unsent))?;
        self.stream.write_all(bytes)
    }

    /// Writes as much as the socket takes and keeps the rest; says whether a rest was kept.
    fn offer(&mut self, bytes: &[u8]) -> bool {
        if !self.unsent.is_empty() {
            self.unsent.extend_from_slice(bytes);
            let waiting = std::mem::take(&mut self.unsent);
            let written = self.write_some(&waiting);
            self.unsent.extend_from_slice(&waiting[written..]);
        } else {
            let written = self.write_some(bytes);
            self.unsent.extend_from_slice(&bytes[written..]);
        }
        !self.unsent.is_empty()
    }

    fn write_some(&mut self, bytes: &[u8]) -> usize {
        match self.stream.write(bytes) {
            Ok(written) => written,
            Err(error)
                if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) =>
            {
                0
            }
            Err(_) => {
                self.broken = true;
                bytes.len()
            }
        }
    }

    fn drain(&mut self) {
        let mut discard = [0; 4096];
        while self.stream.read(&mut discard).is_ok_and(|read| read > 0) {}
    }
}

/// Sends all frames to all sockets at real-time pace.
///
/// # Errors
/// A socket cannot be made non-blocking.
pub fn pace(lines: &mut [Line], frames: &Frames, threads: usize) -> std::io::Result<Sent> {
    for line in lines.iter_mut() {
        line.stream.set_nonblocking(true)?;
    }
    Ok(spread(lines, threads, |lines| pace_some(lines, frames)))
}

/// Sends all frames to all sockets as fast as they take them, one frame a write.
///
/// # Errors
/// A socket cannot be made blocking.
pub fn flood(lines: &mut [Line], frames: &Frames, threads: usize) -> std::io::Result<Sent> {
    for line in lines.iter_mut() {
        line.stream.set_nonblocking(false)?;
    }
    Ok(spread(lines, threads, |lines| flood_some(lines, frames)))
}

fn spread(lines: &mut [Line], threads: usize, send: impl Fn(&mut [Line]) -> Sent + Sync) -> Sent {
    let share = lines.len().div_ceil(threads.max(1)).max(1);
    let parts: Vec<Sent> = std::thread::scope(|scope| {
        let running: Vec<_> = lines
            .chunks_mut(share)
            .map(|lines| scope.spawn(|| send(lines)))
            .collect();
        running
            .into_iter()
            .filter_map(|thread| thread.join().ok())
            .collect()
    });
    parts.into_iter().fold(Sent::default(), |total, part| Sent {
        frames: total.frames + part.frames,
        delayed: total.delayed + part.delayed,
        broken: total.broken + part.broken,
        latest: total.latest.max(part.latest),
        took: total.took.max(part.took),
    })
}

fn pace_some(lines: &mut [Line], frames: &Frames) -> Sent {
    let mut sent = Sent::default();
    let mut buffer = Vec::new();
    let start = Instant::now();
    let ticks = frames.list.len() / frames.per_tick;
    let beginnings = lines.len().div_ceil(SLOTS).clamp(1, BEGINNINGS);
    for tick in 0..ticks + beginnings - 1 {
        for slot in 0..SLOTS {
            let due = start + SLOT * (tick * SLOTS + slot) as u32;
            match due.checked_duration_since(Instant::now()) {
                #[expect(
                    clippy::disallowed_methods,
                    reason = "this thread is the pacing itself"
                )]
                Some(early) => std::thread::sleep(early),
                None => sent.latest = sent.latest.max(due.elapsed()),
            }
            let due_lines = lines.iter_mut().skip(slot).step_by(SLOTS).enumerate();
            for (place, line) in due_lines.filter(|(_, line)| !line.broken) {
                // What of the call is due: it began `place` ticks after the first.
                let Some(own) = tick
                    .checked_sub(place % beginnings)
                    .filter(|own| *own < ticks)
                else {
                    continue;
                };
                for frame in &frames.list[own * frames.per_tick..][..frames.per_tick] {
                    frame.render(&line.tag, &mut buffer);
                    sent.delayed += u64::from(line.offer(&buffer));
                    sent.frames += 1;
                }
                if own % DRAIN_EVERY == 0 {
                    line.drain();
                }
            }
        }
    }
    sent.took = start.elapsed();
    sent.broken = lines.iter().filter(|line| line.broken).count() as u64;
    sent
}

fn flood_some(lines: &mut [Line], frames: &Frames) -> Sent {
    let mut sent = Sent::default();
    let mut buffer = Vec::new();
    let start = Instant::now();
    for frame in &frames.list {
        for line in lines.iter_mut().filter(|line| !line.broken) {
            frame.render(&line.tag, &mut buffer);
            line.broken = line.stream.write_all(&buffer).is_err();
            sent.frames += 1;
        }
    }
    sent.took = start.elapsed();
    sent.broken = lines.iter().filter(|line| line.broken).count() as u64;
    sent
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;
    use crate::load::carrier::Carrier;
    use crate::load::frames::{CallIds, Tracks};

    fn tag(number: u128) -> StreamTag {
        let carrier = Carrier::Twilio;
        StreamTag::new(carrier, &CallIds::new(carrier, number), &[])
    }

    /// Runs `send` over three sockets and returns what arrived on each.
    fn arrived(
        send: impl Fn(&mut [Line], &Frames) -> std::io::Result<Sent>,
        frames: &Frames,
    ) -> (Sent, Vec<Vec<u8>>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let mut lines = Vec::new();
        let mut readers = Vec::new();
        for number in 0..3 {
            let stream = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
            lines.push(Line::new(stream, tag(number)));
            let (mut peer, _) = listener.accept().unwrap();
            readers.push(std::thread::spawn(move || {
                let mut all = Vec::new();
                peer.read_to_end(&mut all).unwrap();
                all
            }));
        }
        let sent = send(&mut lines, frames).unwrap();
        lines
            .iter_mut()
            .for_each(|line| line.write_all(b"end").unwrap());
        drop(lines);
        (
            sent,
            readers
                .into_iter()
                .map(|reader| reader.join().unwrap())
                .collect(),
        )
    }

    #[test]
    fn every_frame_arrives_in_order_on_every_socket() {
        let frames = Frames::new(Carrier::Twilio, Tracks::Both, 1);
        for (sent, streams) in [
            arrived(|lines, frames| pace(lines, frames, 2), &frames),
            arrived(|lines, frames| flood(lines, frames, 2), &frames),
        ] {
            assert_eq!((sent.frames, sent.broken), (300, 0));
            for (number, stream) in streams.iter().enumerate() {
                let mut expected = Vec::new();
                let mut buffer = Vec::new();
                for frame in &frames.list {
                    frame.render(&tag(number as u128), &mut buffer);
                    expected.extend_from_slice(&buffer);
                }
                expected.extend_from_slice(b"end");
                assert_eq!(*stream, expected);
            }
        }
    }

    #[test]
    fn pace_is_real_time() {
        let (sent, _) = arrived(
            |lines, frames| pace(lines, frames, 1),
            &Frames::new(Carrier::Twilio, Tracks::Inbound, 1),
        );
        assert!(sent.took >= Duration::from_millis(980), "{:?}", sent.took);
    }
}
