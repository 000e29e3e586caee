use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::Verbosity;
use crate::shell::Destination;

/// Which machine to look at.
#[derive(Debug, Args)]
pub(in crate::cli) struct AuditArgs {
    /// The machine, as ssh takes it: root@web, ssh://root@web:2222
    #[arg(value_name = "HOST", required_unless_present = "local")]
    pub(in crate::cli) host: Option<Destination>,
    /// This machine
    #[arg(long, conflicts_with = "host")]
    pub(in crate::cli) local: bool,
    /// The root of a chroot store: where the next boot's closure is in it too, its files are inspected
    #[arg(long, value_name = "ROOT", default_value = "/")]
    pub(in crate::cli) store: PathBuf,
    /// Write metrics in Prometheus's text format to this file too, all at once
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) textfile: Option<PathBuf>,
    #[arg(long, value_enum, default_value_t = AuditFormat::Human)]
    pub(in crate::cli) format: AuditFormat,
    #[command(flatten)]
    pub(in crate::cli) verbosity: Verbosity,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum AuditFormat {
    /// For people, on stderr
    Human,
    /// On stdout
    Json,
    /// For a ticket, on stdout
    Markdown,
    /// An object a line, the verdict last, on stdout
    JsonLines,
}
