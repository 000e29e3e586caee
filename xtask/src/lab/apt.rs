//! A private state of the ordinary apt client: its own lists, cache and empty package database, for amd64 and i386, with the
//! host's sources and keys. The host's own state is neither read nor changed.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, bail};

use super::sources;

/// Debian's names of the architectures that the lab is built for.
pub(super) const ARCHITECTURES: [&str; 2] = ["amd64", "i386"];

pub(super) struct Apt {
    directory: PathBuf,
    suite: String,
}

/// A package as apt would install it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Resolved {
    pub(super) package: String,
    pub(super) version: String,
    /// As apt names it in its cache.
    pub(super) file: String,
}

impl Apt {
    /// Writes the configuration, and nothing outside `directory`.
    pub(super) fn prepare(directory: &Path, suite: &str) -> anyhow::Result<Self> {
        let sources = sources::of_host(suite);
        if sources.is_empty() {
            bail!(
                "the lab is built from Debian's {suite}, which no source of this host serves; \
                 add one to /etc/apt/sources.list (`deb MIRROR {suite} main`)"
            );
        }
        for name in ["archives/partial", "sources", "preferences"] {
            create(&directory.join(name))?;
        }
        let apt = Self {
            directory: directory.to_owned(),
            suite: suite.to_owned(),
        };
        apt.write("status", "")?;
        apt.write("sources/debian.sources", &sources::render(&sources))?;
        apt.write(
            "preferences/debian.pref",
            "Package: *\nPin: release o=Debian\nPin-Priority: 990\n",
        )?;
        for architecture in ARCHITECTURES {
            create(&directory.join("lists").join(architecture).join("partial"))?;
            apt.write(
                &format!("{architecture}.conf"),
                &apt.configuration(architecture),
            )?;
        }
        Ok(apt)
    }

    /// Fetches the lists of packages. One that a mirror cannot serve right now is survived where the suite itself is there; the
    /// architectures are asked for apart, since apt drops a whole source when one of its lists cannot be had.
    pub(super) fn update(&self) -> anyhow::Result<()> {
        for architecture in ARCHITECTURES {
            let output = self.apt_get(architecture, &["update", "-qq"])?;
            if !self.has_list(architecture) {
                bail!(
                    "apt has no package list of {} for {architecture}: {}",
                    self.suite,
                    output.errors
                );
            }
            if !output.success {
                let reason = output.errors.lines().next().unwrap_or_default();
                eprintln!("lab: going on without a package list for {architecture}: {reason}");
            }
        }
        Ok(())
    }

    /// These packages and all that they depend on, of one architecture.
    pub(super) fn resolve(
        &self,
        architecture: &str,
        packages: &[String],
    ) -> anyhow::Result<Vec<Resolved>> {
        let mut arguments = vec!["install", "--simulate", "-y"];
        arguments.extend(packages.iter().map(String::as_str));
        let output = self.apt_get(architecture, &arguments)?;
        if !output.success {
            bail!(
                "apt cannot resolve the lab's packages for {architecture}: {}",
                output.errors
            );
        }
        Ok(output.text.lines().filter_map(parse_installation).collect())
    }

    pub(super) fn download(&self, architecture: &str, packages: &[String]) -> anyhow::Result<()> {
        let mut arguments = vec!["install", "--download-only", "-y", "-qq"];
        arguments.extend(packages.iter().map(String::as_str));
        let output = self.apt_get(architecture, &arguments)?;
        if !output.success {
            bail!(
                "apt could not download the lab's packages for {architecture}: {}",
                output.errors
            );
        }
        Ok(())
    }

    fn has_list(&self, architecture: &str) -> bool {
        let name = format!("_dists_{}_main_binary-{architecture}_Packages", self.suite);
        fs::read_dir(self.directory.join("lists").join(architecture))
            .into_iter()
            .flatten()
            .flatten()
            .any(|entry| entry.file_name().to_string_lossy().contains(&name))
    }

    fn apt_get(&self, configuration: &str, arguments: &[&str]) -> anyhow::Result<Output> {
        let output = Command::new("apt-get")
            .arg("--config-file")
            .arg(self.directory.join(format!("{configuration}.conf")))
            .args(arguments)
            .env("LC_ALL", "C")
            .env("DEBIAN_FRONTEND", "noninteractive")
            .output()
            .context("failed to start apt-get")?;
        Ok(Output {
            success: output.status.success(),
            text: String::from_utf8_lossy(&output.stdout).into_owned(),
            errors: String::from_utf8_lossy(&output.stderr).trim().to_owned(),
        })
    }

    /// Read after the host's configuration, so that its proxies stay and everything that names a place is replaced.
    fn configuration(&self, architecture: &str) -> String {
        let at = |name: &str| self.directory.join(name).display().to_string();
        let mut text = String::new();
        for (option, value) in [
            ("Dir::State", at("")),
            ("Dir::State::lists", at(&format!("lists/{architecture}"))),
            ("Dir::State::status", at("status")),
            ("Dir::Cache", at("")),
            ("Dir::Cache::archives", at("archives")),
            ("Dir::Etc::sourcelist", "/dev/null".to_owned()),
            ("Dir::Etc::sourceparts", at("sources")),
            ("Dir::Etc::preferences", "/dev/null".to_owned()),
            ("Dir::Etc::preferencesparts", at("preferences")),
            ("APT::Architecture", architecture.to_owned()),
            ("APT::Install-Recommends", "false".to_owned()),
            ("APT::Default-Release", String::new()),
            ("APT::Sandbox::User", "root".to_owned()),
            ("APT::Keep-Downloaded-Packages", "true".to_owned()),
            ("Acquire::Languages", "none".to_owned()),
            ("Acquire::Retries", "3".to_owned()),
            // Another release of a suite (oldstable, by now) is no reason to stop.
            ("Acquire::AllowReleaseInfoChange", "true".to_owned()),
        ] {
            let _ = writeln!(text, "{option} \"{value}\";");
        }
        // The host's hooks would act on the host's cache.
        text.push_str("#clear APT::Update;\n#clear DPkg;\n#clear APT::Architectures;\n");
        let _ = writeln!(text, "APT::Architectures {{ \"{architecture}\"; }};");
        text
    }

    fn write(&self, name: &str, text: &str) -> anyhow::Result<()> {
        let path = self.directory.join(name);
        fs::write(&path, text).with_context(|| format!("failed to write {}", path.display()))
    }
}

struct Output {
    success: bool,
    text: String,
    errors: String,
}

/// `Inst NAME (VERSION ORIGINS [ARCH])`, a line of apt's simulation.
fn parse_installation(line: &str) -> Option<Resolved> {
    let (package, rest) = line.strip_prefix("Inst ")?.split_once(" (")?;
    let version = rest.split_whitespace().next()?;
    let architecture = rest
        .split_once(')')?
        .0
        .rsplit_once('[')?
        .1
        .strip_suffix(']')?;
    Some(Resolved {
        package: package.to_owned(),
        version: version.to_owned(),
        file: format!(
            "{package}_{}_{architecture}.deb",
            version.replace(':', "%3a")
        ),
    })
}

fn create(directory: &Path) -> anyhow::Result<()> {
    fs::create_dir_all(directory)
        .with_context(|| format!("failed to create {}", directory.display()))
}

#[cfg(test)]
mod tests {
    use super::{Resolved, parse_installation};

    #[test]
    fn a_simulated_installation_names_the_file_in_the_cache() {
        let line = "Inst busybox-static (1:1.35.0-4+b1 Debian:12.15/oldstable, Debian-Security:12/oldstable-security [i386]) []";
        assert_eq!(
            parse_installation(line),
            Some(Resolved {
                package: "busybox-static".to_owned(),
                version: "1:1.35.0-4+b1".to_owned(),
                file: "busybox-static_1%3a1.35.0-4+b1_i386.deb".to_owned(),
            })
        );
        assert_eq!(
            parse_installation("Conf busybox-static (1:1.35.0-4+b1 Debian:12.15/oldstable [i386])"),
            None
        );
    }
}
