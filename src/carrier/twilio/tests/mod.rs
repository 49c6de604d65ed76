//! Golden tests of every file here, both directions, with bad input.

mod rest;
mod signature;
mod twiml;
mod webhook;
mod wire;
