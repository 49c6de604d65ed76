//! `SO_RCVLOWAT`, which no crate in the tree sets.
#![cfg_attr(
    target_os = "linux",
    expect(unsafe_code, reason = "the option has no safe interface")
)]

use std::io;
use std::os::fd::AsFd;

/// Has the kernel call a socket readable only once so many bytes have come, or its peer has gone.
///
/// Source: socket(7) and tcp(7); a mark that is lowered below what lies ready is told at once
/// (Linux, `tcp_set_rcvlowat`). Elsewhere the mark is left alone.
#[cfg(target_os = "linux")]
pub(super) fn set(socket: impl AsFd, bytes: usize) -> io::Result<()> {
    use std::os::fd::AsRawFd as _;

    let bytes = libc::c_int::try_from(bytes).unwrap_or(libc::c_int::MAX);
    let size = size_of::<libc::c_int>() as libc::socklen_t;
    let descriptor = socket.as_fd();
    // SAFETY: the descriptor is borrowed, so it is open throughout, and the pointer is to a live
    // integer of the size that is named.
    let result = unsafe {
        libc::setsockopt(
            descriptor.as_raw_fd(),
            libc::SOL_SOCKET,
            libc::SO_RCVLOWAT,
            (&raw const bytes).cast(),
            size,
        )
    };
    if result == 0 {
        Ok(())
    } else {
        Err(io::Error::last_os_error())
    }
}

#[cfg(not(target_os = "linux"))]
pub(super) fn set(_socket: impl AsFd, _bytes: usize) -> io::Result<()> {
    Ok(())
}
