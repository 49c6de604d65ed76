//! The commands. Each wires the rest together for one purpose; nothing imports them.

mod args;
mod check;
mod demo;
mod doctor;
mod entrance;
mod process;
mod receive_mark;
mod replay;
mod ringing;
mod serve;
mod stage;
mod standing;
mod wiring;

pub use args::main;
