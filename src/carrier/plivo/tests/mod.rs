//! Golden tests of every file here, both directions, with bad input.

mod creation;
mod human;
mod rest;
mod signature;
mod webhook;
mod wire;
mod xml;
