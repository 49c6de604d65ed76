//! Locks that outlive a panic: what one call did must stay readable when another failed.

use std::sync::{Mutex, MutexGuard, PoisonError};

pub(in crate::carrier) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
