//! `scenario.toml`: the systems that the lab builds, the machine, the steps, and what must come out.
//!
//! The command line and the lab's builder read scenarios here; the lab's Nix expressions read the same files. A scenario with
//! a `base` is what that one is, but for what it says itself.

mod model;
mod mutation;
mod read;

pub use model::{
    Architecture, Expectation, InspectionSpec, InstalledBootLoader, NetworkSpec, Rehearsal,
    Scenario, ServiceSpec, Stage1, SystemSpec, VirtualHostSpec,
};
pub use mutation::{Mutation, Part};
pub use read::{ScenarioError, file, names};
