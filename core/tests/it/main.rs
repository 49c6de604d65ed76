//! The call machine from outside: scenarios as scripts, and a reference model under disorder.

mod harness;
mod model;
mod scenario;
