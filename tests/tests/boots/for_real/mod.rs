//! All of them are in one module, so that they can be left out by its name.

mod over_ssh;
mod scenarios;
