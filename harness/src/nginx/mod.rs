//! Reads nginx configurations: the text into directives, the directives into what the server can be asked for.
//!
//! `closure` calls it with the configuration of a closure's `nginx.service`; files are read by its callback only. It knows no store and
//! no VM, runs no nginx, and never fails: what it does not understand is named as a problem.

mod endpoints;
pub(crate) mod fuzzing;
mod lexer;
mod listen;
mod location;
mod tree;
mod upstream;

pub use endpoints::{Endpoints, endpoints};
pub use tree::{Directive, Include, Included, Parsed, parse};
