//! Real Nix on the stores of sandboxes: closures that are registered, exported, signed and put into binary caches.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::FakeToplevel;

/// A chroot store with a database.
#[derive(Debug)]
pub struct NixStore {
    root: PathBuf,
}

impl NixStore {
    /// The store of these toplevels, which refer to whatever else is in it.
    pub fn of(toplevels: &[&FakeToplevel]) -> Self {
        let root = toplevels[0].root().to_owned();
        let mut others: Vec<String> = fs::read_dir(root.join("nix/store"))
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .filter(|name| !name.starts_with('.'))
            .map(|name| format!("/nix/store/{name}"))
            .collect();
        others.retain(|path| !toplevels.iter().any(|toplevel| toplevel.path == *path));
        let record = |path: &str, references: &[String]| {
            let place = root.join(path.trim_start_matches('/'));
            let ask = |program: &str, arguments: &[&str]| {
                let mut command = plain(program);
                command.args(arguments).arg(&place);
                run(command)
            };
            let hash = String::from_utf8(ask("nix-hash", &["--type", "sha256"])).unwrap();
            let hash = hash.trim();
            let size = ask("nix-store", &["--dump"]).len();
            let lines: String = references.iter().map(|path| format!("{path}\n")).collect();
            format!(
                "{path}\nsha256:{hash}\n{size}\n\n{}\n{lines}",
                references.len()
            )
        };
        let parts: String = others.iter().map(|path| record(path, &[])).collect();
        let tops = toplevels.iter().map(|top| record(&top.path, &others));
        let records = root.with_extension("records");
        fs::write(&records, parts + &tops.collect::<String>()).unwrap();
        let store = Self { root };
        let mut load = store.nix("nix-store");
        load.arg("--load-db").stdin(File::open(&records).unwrap());
        run(load);
        store
    }

    pub fn root(&self) -> &Path {
        &self.root
    }

    /// A program of Nix on this store, without anybody's configuration.
    pub fn nix(&self, program: &str) -> Command {
        let mut command = plain(program);
        command.arg("--store").arg(&self.root);
        command.args(["--option", "build-users-group", ""]);
        command
    }

    /// Every path of a closure, references first.
    pub fn closure(&self, toplevel: &str) -> Vec<String> {
        let mut query = self.nix("nix-store");
        query.args(["-qR", toplevel]);
        let paths = String::from_utf8(run(query)).unwrap();
        paths.lines().map(str::to_owned).collect()
    }

    /// Writes what `nix-store --export` gives of a closure.
    pub fn export(&self, toplevel: &str, file: &Path) {
        let mut export = self.nix("nix-store");
        export.arg("--export").args(self.closure(toplevel));
        fs::write(file, run(export)).unwrap();
    }

    /// Makes a binary cache of a closure in a directory, signed by a new key, whose public half is returned.
    pub fn binary_cache(&self, toplevel: &str, directory: &Path, key: &Path) -> String {
        let public = key.with_extension("public");
        let mut generate = plain("nix-store");
        generate
            .args(["--generate-binary-cache-key", "test-1"])
            .args([key, &public]);
        run(generate);
        let mut copy = self.nix("nix");
        copy.args([
            "--extra-experimental-features",
            "nix-command",
            "copy",
            "--to",
        ])
        .arg(format!(
            "file://{}?secret-key={}",
            directory.display(),
            key.display()
        ))
        .arg(toplevel);
        run(copy);
        fs::read_to_string(public).unwrap().trim().to_owned()
    }
}

fn plain(program: &str) -> Command {
    let mut command = Command::new(program);
    command
        .env_remove("NIX_REMOTE")
        .env_remove("NIX_CONFIG")
        .env("NIX_CONF_DIR", "/no-nix-configuration")
        .env("NIX_USER_CONF_FILES", "")
        .stdin(Stdio::null());
    command
}

/// What it prints.
fn run(mut command: Command) -> Vec<u8> {
    let output = command.output().unwrap_or_else(|error| {
        panic!("{command:?}: {error}: `cargo xtask test` installs it");
    });
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {told}");
    output.stdout
}
