//! The commands, one file each.

mod carrier;

pub use carrier::CarrierCommand;
