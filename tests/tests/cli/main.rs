//! The command line as a process: what it says, how it ends, and what it leaves behind.

mod approve;
mod audit;
mod bad_input;
mod bad_recording;
mod builds;
mod deploy;
mod deploy_to_host;
mod dry_run;
mod fetched;
mod first_stage;
mod forms;
mod gate;
mod guest_trouble;
mod healthy;
mod hold;
mod host_trouble;
mod init;
mod interrupted;
mod keys;
mod named;
mod page;
mod partition;
mod probes;
mod progress;
mod side_by_side;
mod suppressions;
