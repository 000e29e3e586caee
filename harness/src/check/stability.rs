//! How each unit fared over time: two samples of systemd's properties, and the journal between the boot and the second.
//!
//! Shared by the check of flapping and by `report`. A sample shows a moment; the journal has every start and restart. What neither could
//! show in so short a time is `unproven`, and never stable.

use std::collections::BTreeMap;

use crate::fold::{ActiveState, JournalEntry, StateRecord, Unit};
use crate::vocabulary::Stability;

use super::is_looping;
use super::restart_loop::has_given_up;

/// A unit that is not stable, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unstable {
    pub unit: String,
    pub stability: Stability,
    /// Lower case, without a period.
    pub why: String,
}

/// Starts after a stop that are too many for a service that is to run on. A switch makes one of each that it changes.
const CYCLES: usize = 2;
const CYCLES_OF_A_SWITCH: usize = 3;

/// Every loaded unit that is not stable, by name; `None` where the state was not sampled twice.
pub fn unstable(record: &StateRecord, was_switched: bool) -> Option<Vec<Unstable>> {
    let first = record.units_first.as_ref()?;
    let last = record.units_last.as_ref()?;
    let lives = lives(record);
    let nothing = Life::default();
    let units = last.values().filter(|unit| unit.load_state == "loaded");
    let found = units.filter_map(|unit| {
        let life = lives.get(unit.id.as_str()).unwrap_or(&nothing);
        let (stability, why) = judge(record, first.get(&unit.id), unit, life, was_switched)?;
        Some(Unstable {
            unit: unit.id.clone(),
            stability,
            why,
        })
    });
    Some(found.collect())
}

/// `None` for what is stable.
fn judge(
    record: &StateRecord,
    first: Option<&Unit>,
    last: &Unit,
    life: &Life,
    was_switched: bool,
) -> Option<(Stability, String)> {
    if has_given_up(last) && last.result.ends_with("limit-hit") {
        let why = format!("systemd gave up: Result={}", last.result);
        return Some((Stability::StartLimitHit, why));
    }
    if is_looping(record, &last.id) {
        let count = |unit: Option<&Unit>| {
            let restarts = unit.and_then(|unit| unit.restarts);
            restarts.map_or_else(|| "unknown".to_owned(), |n| n.to_string())
        };
        let why = format!("NRestarts={}, then {}", count(first), count(Some(last)));
        return Some((Stability::Looping, why));
    }
    if last.active_state == ActiveState::Activating && !last.awaits_restart() {
        return Some(starting(first, last));
    }
    let most = match was_switched {
        true => CYCLES_OF_A_SWITCH,
        false => CYCLES,
    };
    if runs_on(last) && life.cycles >= most {
        let why = format!(
            "stopped and started {} times, and not for its failures",
            life.cycles
        );
        return Some((Stability::Flapping, why));
    }
    recovering(last, life, record.journal.is_some()).map(|why| (Stability::Unproven, why))
}

fn starting(first: Option<&Unit>, last: &Unit) -> (Stability, String) {
    let since = |unit: &Unit| unit.began_us;
    let whole_window = first.is_some_and(|first| {
        first.active_state == ActiveState::Activating && since(first) == since(last)
    });
    if !whole_window {
        let why = "it began to start while it was watched".to_owned();
        return (Stability::Unproven, why);
    }
    let limit = match last.timeout_start.as_str() {
        "" => String::new(),
        limit => format!(", and may for {limit} (TimeoutStartSec)"),
    };
    let why = format!("starting for as long as it was watched{limit}");
    (Stability::StuckActivating, why)
}

/// A service that was restarted, and whose quiet since then is too short to show that it recovered.
fn recovering(last: &Unit, life: &Life, with_journal: bool) -> Option<String> {
    if last.restarts.is_none_or(|n| n == 0) {
        return None;
    }
    let restarts = last.restarts.unwrap_or_default();
    let Some((&latest, earlier)) = life.restarts.split_last() else {
        // A switch's journal does not tell of the boot before it.
        return (!with_journal)
            .then(|| format!("restarted {restarts} times, and no journal says when"));
    };
    let before = earlier.iter().copied().chain([latest]);
    let from = life.first_start.into_iter().chain(earlier.iter().copied());
    let apart = from.zip(before.skip(usize::from(life.first_start.is_none())));
    let longest = apart.map(|(a, b)| b.saturating_sub(a)).max()?;
    let quiet = life.end.saturating_sub(latest);
    (quiet <= longest.saturating_mul(2)).then(|| {
        format!(
            "restarted {restarts} times, up to {} s apart, and then watched for {} s only",
            longest / 1_000_000,
            quiet / 1_000_000
        )
    })
}

/// A service that is to run until it is stopped, and that nobody starts by asking for it.
fn runs_on(unit: &Unit) -> bool {
    unit.id.ends_with(".service")
        && !unit.service_type.is_empty()
        && unit.service_type != "oneshot"
        && unit.triggered_by.is_empty()
        && unit.bus_name.is_empty()
        && unit.transient != Some(true)
        && !unit.id.contains('@')
}

/// What the journal tells of one unit; times in microseconds since the boot began.
#[derive(Debug, Default)]
struct Life {
    first_start: Option<u64>,
    restarts: Vec<u64>,
    /// Starts after a stop, but for automatic restarts.
    cycles: usize,
    is_stopped: bool,
    is_restarting: bool,
    /// The journal's last entry.
    end: u64,
}

/// More restarts of one unit than tell anything.
const RESTARTS: usize = 10_000;

fn lives(record: &StateRecord) -> BTreeMap<&str, Life> {
    let mut lives: BTreeMap<&str, Life> = BTreeMap::new();
    let mut end = 0;
    for entry in record.journal.iter().flatten() {
        let Some(at) = entry.monotonic_us else {
            continue;
        };
        end = end.max(at);
        let Some((unit, news)) = entry.unit.as_deref().zip(news(entry)) else {
            continue;
        };
        let life = lives.entry(unit).or_default();
        match news {
            News::Started => {
                life.first_start.get_or_insert(at);
                life.cycles += usize::from(life.is_stopped && !life.is_restarting);
                (life.is_stopped, life.is_restarting) = (false, false);
            }
            News::Stopped => life.is_stopped = true,
            News::Restarting => {
                life.is_restarting = true;
                if life.restarts.len() < RESTARTS {
                    life.restarts.push(at);
                }
            }
        }
    }
    for life in lives.values_mut() {
        life.end = end;
    }
    lives
}

enum News {
    Started,
    Stopped,
    Restarting,
}

/// By the id of the message (systemd's `sd-messages.h`); a recording without ids has the words.
fn news(entry: &JournalEntry) -> Option<News> {
    const STARTED: &str = "39f53479d3a045ac8e11786248231fbf";
    const STOPPED: &str = "9d1aaa27d60140bd96365438aad20286";
    const RESTARTING: &str = "5eb03494b6584870a536b337290809b3";
    if entry.identifier.as_deref() != Some("systemd") {
        return None;
    }
    match entry.message_id.as_deref() {
        Some(STARTED) => Some(News::Started),
        Some(STOPPED) => Some(News::Stopped),
        Some(RESTARTING) => Some(News::Restarting),
        Some(_) => None,
        None if entry.message.starts_with("Started ") => Some(News::Started),
        None if entry.message.starts_with("Stopped ") => Some(News::Stopped),
        None if entry.message.contains(": Scheduled restart job") => Some(News::Restarting),
        None => None,
    }
}

#[cfg(test)]
mod tests;
