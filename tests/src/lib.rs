//! What the tests of the command line share: a sandbox to run bootproof in, a toplevel to rehearse, and a QEMU that
//! plays a script.
//!
//! Nothing here boots anything: real boots are the lab's.

pub mod boots;
pub mod browser;
pub mod executable;
pub mod fake_formats;
pub mod fake_host;
pub mod fake_qemu;
pub mod fake_toplevel;
pub mod forms;
pub mod guests;
pub mod held;
pub mod lab;
pub mod nix_build;
pub mod nix_store;
pub mod sandbox;
pub mod terminal;
pub mod typed_terminal;

pub use fake_host::FakeHost;
pub use fake_toplevel::FakeToplevel;
pub use nix_store::NixStore;
pub use sandbox::Sandbox;
