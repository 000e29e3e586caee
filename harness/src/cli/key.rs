//! `bootproof key`: keys for receipts, where there is no Nix to make them.

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use super::args::{KeyArgs, KeyCommand};
use super::{Exit, Failure, tell};
use crate::receipt::SecretKey;

/// Makes a key, or tells the public half of one.
pub(super) fn run(args: &KeyArgs) -> Result<Exit, Failure> {
    match &args.command {
        KeyCommand::Generate { name, file } => generate(name, file)?,
        KeyCommand::Public { file } => print_public(&read_secret(file)?)?,
    }
    Ok(Exit::Pass)
}

/// Reads a secret key, of bootproof's or of Nix's making.
pub(super) fn read_secret(file: &Path) -> Result<SecretKey, Failure> {
    let text = fs::read_to_string(file)
        .map_err(|error| format!("failed to read the key {}: {error}", file.display()))?;
    SecretKey::parse(&text)
        .map_err(|error| format!("{} holds no secret key: {error}", file.display()).into())
}

fn generate(name: &str, file: &Path) -> Result<(), Failure> {
    let mut seed = [0; 32];
    getrandom::fill(&mut seed)
        .map_err(|error| format!("the system gives no random numbers: {error}"))?;
    let key = SecretKey::from_seed(name, &seed).map_err(|_| {
        format!("`{name}` is no name for a key: take printable characters without a colon, such as ci.example.org-1")
    })?;
    // A key that exists has signed something: it is never written over.
    let written = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(file)
        .and_then(|mut out| out.write_all(key.to_secret_text().as_bytes()));
    if let Err(error) = written {
        let why = match error.kind() {
            io::ErrorKind::AlreadyExists => "it exists, and a key is never written over".to_owned(),
            _ => error.to_string(),
        };
        return Err(format!("failed to write the key {}: {why}", file.display()).into());
    }
    tell(&format!(
        "the secret key is in {}; its public half, for trusted_keys of bootproof.toml:\n",
        file.display()
    ));
    print_public(&key)
}

fn print_public(key: &SecretKey) -> Result<(), Failure> {
    let line = format!("{}\n", key.public());
    Ok(io::stdout().write_all(line.as_bytes())?)
}
