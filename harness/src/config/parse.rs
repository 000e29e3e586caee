use std::path::PathBuf;

use jiff::{SignedDuration, Span, SpanRelativeTo};

use super::model::{
    Configuration, HostSettings, Policy, Written, WrittenDowntime, WrittenHost, WrittenPolicy,
    WrittenTimes,
};
use super::{probes, seeds, suppressions};
use crate::receipt::{KeyError, PublicKey};
use crate::vocabulary::{Downtime, Suppression, Times, size};

/// Why a text is no `bootproof.toml`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConfigurationError {
    #[error("{message}{nearest}")]
    Malformed { message: String, nearest: String },
    #[error("it has format_version {0}, and this bootproof reads 1")]
    Version(u32),
    #[error("trusted_keys: entry {number}: {source}")]
    Key { number: usize, source: KeyError },
    #[error("{place}: max_age = \"{text}\" is no length of time: write `14 days` or `36 hours`")]
    MaxAge { place: String, text: String },
    #[error(
        "{place} = \"{text}\" is no length of time up to {most}: write `20 seconds` or `2 minutes`"
    )]
    Length {
        place: String,
        text: String,
        most: &'static str,
    },
    #[error("cache_size: {0}")]
    CacheSize(String),
    #[error("{place}: {reason}")]
    Policy { place: String, reason: &'static str },
    /// An entry of a list, counted from 1.
    #[error("{place}: entry {number}: {reason}")]
    Entry {
        place: String,
        number: usize,
        reason: String,
    },
}

/// Reads the text of a `bootproof.toml`.
///
/// # Errors
/// When it is malformed, has an unknown key, or asks for what no receipt can show.
pub fn parse(text: &str) -> Result<Configuration, ConfigurationError> {
    let written: Written = toml::from_str(text).map_err(|error| malformed(&error))?;
    if written.format_version != 1 {
        return Err(ConfigurationError::Version(written.format_version));
    }
    let keys = written.trusted_keys.iter().enumerate();
    let trusted_keys = keys
        .map(|(n, text)| {
            let number = n + 1;
            PublicKey::parse(text).map_err(|source| ConfigurationError::Key { number, source })
        })
        .collect::<Result<_, _>>()?;
    let policy = over(&Policy::default(), &written.policy, "policy")?;
    let for_all = suppressions::read(&written.suppressions, "suppressions")?;
    let hosts = written
        .hosts
        .into_iter()
        .map(|(name, host)| Ok((name.clone(), of_host(&name, host, &policy, &for_all)?)))
        .collect::<Result<_, ConfigurationError>>()?;
    Ok(Configuration {
        receipts: written
            .receipts
            .unwrap_or_else(|| PathBuf::from("receipts")),
        trusted_keys,
        cache_size: written
            .cache_size
            .as_deref()
            .map(size::parse)
            .transpose()
            .map_err(ConfigurationError::CacheSize)?,
        policy,
        suppressions: for_all,
        hosts,
    })
}

fn of_host(
    name: &str,
    written: WrittenHost,
    policy: &Policy,
    for_all: &[Suppression],
) -> Result<HostSettings, ConfigurationError> {
    let place = |table: &str| format!("hosts.{name}.{table}");
    let own = suppressions::read(&written.suppressions, &place("suppressions"))?;
    Ok(HostSettings {
        ssh: written.ssh,
        expect_system: written.expect_system,
        target: written.target,
        policy: over(policy, &written.policy, &place("policy"))?,
        suppressions: for_all.iter().cloned().chain(own).collect(),
        downtime: downtime(&written.downtime, &place("downtime"))?,
        times: times(&written.rehearsal, &place("rehearsal"))?,
        probes: probes::read(&written.probes, &place("probes"))?,
        files: seeds::read(&written.files, &place("files"))?,
    })
}

fn downtime(written: &WrittenDowntime, place: &str) -> Result<Downtime, ConfigurationError> {
    Ok(Downtime {
        switch: seconds(place, "switch", written.switch.as_ref(), DAY)?,
        reboot: seconds(place, "reboot", written.reboot.as_ref(), DAY)?,
    })
}

fn times(written: &WrittenTimes, place: &str) -> Result<Times, ConfigurationError> {
    Ok(Times {
        start_seconds: seconds(place, "start", written.start.as_ref(), DAY)?,
        window_seconds: seconds(place, "window", written.window.as_ref(), HOUR)?,
    })
}

const HOUR: u32 = 3600;
const DAY: u32 = 24 * HOUR;

/// A length of time that people write, in whole seconds, up to `most`.
fn seconds(
    place: &str,
    key: &str,
    text: Option<&String>,
    most: u32,
) -> Result<Option<u32>, ConfigurationError> {
    let Some(text) = text else {
        return Ok(None);
    };
    let length = age(text).and_then(|length| u32::try_from(length.as_secs()).ok());
    match length.filter(|seconds| *seconds <= most) {
        Some(seconds) => Ok(Some(seconds)),
        None => Err(ConfigurationError::Length {
            place: format!("{place}.{key}"),
            text: text.clone(),
            most: if most == HOUR { "an hour" } else { "a day" },
        }),
    }
}

/// A policy, with what another says laid over it.
fn over(base: &Policy, written: &WrittenPolicy, place: &str) -> Result<Policy, ConfigurationError> {
    let refuse = |reason| ConfigurationError::Policy {
        place: place.to_owned(),
        reason,
    };
    let max_age = match &written.max_age {
        Some(text) => age(text).ok_or_else(|| ConfigurationError::MaxAge {
            place: place.to_owned(),
            text: text.clone(),
        })?,
        None => base.max_age,
    };
    let policy = Policy {
        steps: written.steps.clone().unwrap_or_else(|| base.steps.clone()),
        cycles: written.cycles.unwrap_or(base.cycles),
        max_age,
        accelerators: written
            .accelerators
            .clone()
            .unwrap_or_else(|| base.accelerators.clone()),
        approved: written.approved.unwrap_or(base.approved),
    };
    if policy.steps.is_empty() {
        return Err(refuse(
            "steps = [] would let everything through: name at least one",
        ));
    }
    if policy.accelerators.is_empty() {
        return Err(refuse(
            "accelerators = [] lets nothing through: name at least one",
        ));
    }
    if policy.cycles > 0 && !policy.steps.iter().any(|step| step.is_reboot()) {
        return Err(refuse(
            "cycles asks for reboots, and steps has no warm-reboot: add it, or write cycles = 0",
        ));
    }
    Ok(policy)
}

/// A length of time that is more than none, with days of 24 hours.
fn age(text: &str) -> Option<SignedDuration> {
    let span: Span = text.parse().ok()?;
    let duration = span.to_duration(SpanRelativeTo::days_are_24_hours()).ok()?;
    (duration > SignedDuration::ZERO).then_some(duration)
}

/// The words of the TOML reader, with the key that was probably meant.
fn malformed(error: &toml::de::Error) -> ConfigurationError {
    let message = error.to_string().trim_end().to_owned();
    ConfigurationError::Malformed {
        nearest: nearest(error.message())
            .map_or_else(String::new, |key| format!("\ndid you mean `{key}`?")),
        message,
    }
}

/// Of the words that serde names in backticks, the first is the unknown one, the others those that it expects.
fn nearest(message: &str) -> Option<String> {
    let mut words = message.split('`').skip(1).step_by(2);
    let unknown = words.next().filter(|_| message.starts_with("unknown"))?;
    let distance = |word: &str| strsim::damerau_levenshtein(unknown, word);
    let best = words.min_by_key(|word| distance(word))?;
    (distance(best) <= 1 + unknown.len() / 3).then(|| best.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::receipt::testing::key;
    use crate::vocabulary::{Accelerator, System};

    const HEAD: &str = "format_version = 1\n";

    fn read(text: &str) -> Configuration {
        parse(&format!("{HEAD}{text}")).unwrap()
    }

    fn told(text: &str) -> String {
        parse(&format!("{HEAD}{text}")).unwrap_err().to_string()
    }

    #[test]
    fn a_host_has_the_policy_of_all_but_for_what_it_says_itself() {
        let key = key("ci-1", 1).public();
        let config = read(&format!(
            "receipts = \"proofs\"\ntrusted_keys = [\"{key}\"]\ncache_size = \"5G\"\n\
             [policy]\nmax_age = \"2 days\"\naccelerators = [\"kvm\"]\n\
             [hosts.web]\nssh = \"root@web\"\nexpect_system = \"x86_64-linux\"\n\
             [hosts.web.target]\nmemory_mib = 2048\n\
             [hosts.web.policy]\ncycles = 3\n"
        ));
        assert_eq!(config.trusted_keys, [key]);
        assert_eq!(config.receipts, PathBuf::from("proofs"));
        assert_eq!(config.cache_size, Some(5 << 30));
        let web = config.host("web").unwrap().settings;
        assert_eq!(web.ssh.as_deref(), Some("root@web"));
        assert_eq!(web.expect_system, Some(System::X86_64Linux));
        assert_eq!(web.target.memory_mib, 2048);
        assert_eq!(web.policy.cycles, 3);
        assert_eq!(web.policy.max_age, SignedDuration::from_hours(48));
        assert_eq!(web.policy.accelerators, [Accelerator::Kvm]);
        assert!(!web.policy.approved);
        let strict = read("[policy]\napproved = true\n[hosts.web]\n");
        assert!(strict.host("web").unwrap().settings.policy.approved);
        assert_eq!(config.any_host().settings.policy.cycles, 1);
        assert_eq!(config.host("wob"), None);
    }

    #[test]
    fn an_unknown_key_is_refused_with_the_one_that_was_meant() {
        let text = told("[policy]\nmax_aeg = \"2 days\"\n");
        assert!(text.contains("did you mean `max_age`?"), "{text}");
        let text = told("[hosts.web.target]\nmemory = 2048\n");
        assert!(text.contains("memory_mib"), "{text}");
        let text = told("[policy]\nsteps = [\"reboot\"]\n");
        assert!(text.contains("warm-reboot"), "{text}");
        let text = told("[hosts.web]\nxyzzy = 1\n");
        assert!(!text.contains("did you mean"), "{text}");
    }

    #[test]
    fn what_lets_everything_or_nothing_through_is_refused() {
        for text in [
            "[policy]\nsteps = []\n",
            "[policy]\naccelerators = []\n",
            "[policy]\nsteps = [\"boot\"]\n",
            "[policy]\nmax_age = \"0 days\"\n",
            "[policy]\nmax_age = \"soon\"\n",
            "[policy]\nmax_age = \"-3 days\"\n",
            "trusted_keys = [\"nonsense\"]\n",
            "cache_size = \"much\"\n",
        ] {
            assert!(!told(text).is_empty(), "{text}");
        }
        assert_eq!(
            parse("format_version = 2\n"),
            Err(ConfigurationError::Version(2))
        );
        assert!(parse("").is_err());
    }
}
