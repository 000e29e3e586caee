//! `bootproof.toml` as a file: where it is, and what it says of one host.

use std::path::{Path, PathBuf};

use clap::Args;

use super::Failure;
use crate::config::{self, Configuration, Host};

/// Which configuration, and which of its hosts.
#[derive(Debug, Args)]
pub(super) struct HostArgs {
    /// A host of bootproof.toml: its machine, its expected system and its policy
    #[arg(long, value_name = "NAME")]
    pub(super) host: Option<String>,
    /// The configuration
    #[arg(
        long,
        value_name = "FILE",
        default_value = "bootproof.toml",
        env = "BOOTPROOF_CONFIG"
    )]
    pub(super) config: PathBuf,
}

/// A configuration that was read, and the host that is asked for.
pub(super) struct Chosen {
    pub(super) configuration: Configuration,
    pub(super) host: Host,
    /// Where receipts lie.
    pub(super) receipts: PathBuf,
    file: PathBuf,
}

impl Chosen {
    /// Without trusted keys no receipt can count.
    ///
    /// # Errors
    /// When the configuration names none.
    pub(super) fn require_trusted_keys(&self) -> Result<(), Failure> {
        match self.configuration.trusted_keys.is_empty() {
            false => Ok(()),
            true => Err(format!(
                "{} names no trusted_keys, so that no receipt can count: add the public key of whoever rehearses \
                 (`bootproof key public FILE`)",
                self.file.display()
            )
            .into()),
        }
    }
}

impl HostArgs {
    /// Reads the configuration.
    ///
    /// # Errors
    /// When there is none, it is malformed, or it has no such host.
    pub(super) fn read(&self) -> Result<Chosen, Failure> {
        let file = &self.config;
        let text = std::fs::read_to_string(file).map_err(|error| {
            format!(
                "failed to read the configuration {}: {error} (name one with --config)",
                file.display()
            )
        })?;
        let configuration =
            config::parse(&text).map_err(|error| format!("{}: {error}", file.display()))?;
        let host = match &self.host {
            None => configuration.any_host(),
            Some(name) => configuration.host(name).ok_or_else(|| {
                let known: Vec<&str> = configuration.hosts.keys().map(String::as_str).collect();
                format!(
                    "{} has no host `{name}`: it has {}",
                    file.display(),
                    if known.is_empty() {
                        "none".to_owned()
                    } else {
                        known.join(", ")
                    }
                )
            })?,
        };
        let beside = file.parent().unwrap_or(Path::new(""));
        Ok(Chosen {
            receipts: beside.join(&configuration.receipts),
            configuration,
            host,
            file: file.clone(),
        })
    }
}
