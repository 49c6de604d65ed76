//! Golden tests of every file here, both directions, with bad input.

mod signature;
mod webhook;
mod wire;
mod xml;
