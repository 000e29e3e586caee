//! Reads `systemctl show` of many units.
//!
//! Called by `dump`. Properties that a version of systemd does not print are absent, not wrong: 249 to 258 differ.

use std::collections::BTreeMap;

use super::sanitise;

/// The properties that are read, for the command that asks for them (`org.freedesktop.systemd1(5)`).
pub const PROPERTIES: &[&str] = &[
    "Id",
    "Names",
    "LoadState",
    "ActiveState",
    "SubState",
    "Result",
    "Type",
    "RemainAfterExit",
    "NRestarts",
    "ExecMainCode",
    "ExecMainStatus",
    "ConditionResult",
    "ConditionTimestampMonotonic",
    "InactiveExitTimestampMonotonic",
    "TimeoutStartUSec",
    "Wants",
    "Requires",
    "BindsTo",
    "Upholds",
    "Requisite",
    "TriggeredBy",
    "OnFailure",
    "OnSuccess",
    "BusName",
    "Transient",
    "Description",
];

/// Units of this name were added by bootproof and are no part of the closure.
pub const OWN_UNIT_PREFIX: &str = "bootproof";

/// More units than any machine has; the rest of a dump is not read.
const UNIT_LIMIT: usize = 20_000;
/// More dependencies than any unit has.
const DEPENDENCY_LIMIT: usize = 5_000;

/// One unit, as one `systemctl show` saw it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Unit {
    pub id: String,
    /// Other names of it; `default.target` is one of some target's.
    pub names: Vec<String>,
    pub load_state: String,
    pub active_state: ActiveState,
    pub sub_state: String,
    /// `success`, `exit-code`, `start-limit-hit`, …; empty where the unit's type has none.
    pub result: String,
    /// `Type=` of a service.
    pub service_type: String,
    pub remain_after_exit: bool,
    /// `NRestarts=`: automatic restarts since the unit was last started by a job.
    pub restarts: Option<u64>,
    /// `ExecMainCode=`: how the main process ended, as `si_code` of waitid(2); 0 before its end, 1 for an exit.
    pub exec_main_code: Option<i64>,
    pub exec_main_status: Option<i64>,
    /// Whether the unit's conditions held; `None` where they were not looked at yet.
    pub condition_held: Option<bool>,
    /// `Requires=` and `BindsTo=`.
    pub requires: Vec<String>,
    /// `Wants=` and `Upholds=`.
    pub wants: Vec<String>,
    /// `Requisite=`: what must be up already, and is not started for it.
    pub requisites: Vec<String>,
    pub triggered_by: Vec<String>,
    /// `OnFailure=` and `OnSuccess=`: what it starts as it ends.
    pub starts_at_end: Vec<String>,
    /// `BusName=`: D-Bus starts it when somebody asks for that name. Empty where it has none.
    pub bus_name: String,
    /// Whether a program made it while the system ran (`systemd-run`); `None` where the dump does not say.
    pub transient: Option<bool>,
    /// When it last left the state `inactive`, in microseconds since the boot began; `None` where it never did, or the dump does not say.
    pub began_us: Option<u64>,
    /// `TimeoutStartSec=`, as systemd writes it: `1min 30s`, `infinity`.
    pub timeout_start: String,
    /// `Description=`, by which systemd calls it on the console.
    pub description: String,
}

/// `ActiveState=`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum ActiveState {
    Active,
    Reloading,
    #[default]
    Inactive,
    Failed,
    Activating,
    Deactivating,
    /// Any that a later systemd may add.
    Other(String),
}

impl ActiveState {
    fn parse(text: &str) -> Self {
        match text {
            "active" => Self::Active,
            "reloading" | "refreshing" => Self::Reloading,
            "inactive" => Self::Inactive,
            "failed" => Self::Failed,
            "activating" => Self::Activating,
            "deactivating" => Self::Deactivating,
            other => Self::Other(other.to_owned()),
        }
    }
}

impl ActiveState {
    pub fn as_str(&self) -> &str {
        match self {
            Self::Active => "active",
            Self::Reloading => "reloading",
            Self::Inactive => "inactive",
            Self::Failed => "failed",
            Self::Activating => "activating",
            Self::Deactivating => "deactivating",
            Self::Other(other) => other,
        }
    }
}

impl Unit {
    /// Whether its main process ran, and is no more (`ExecMainCode=`).
    pub fn has_ended(&self) -> bool {
        self.exec_main_code.is_some_and(|code| code != 0)
    }

    /// Whether it waits for its next automatic restart.
    pub fn awaits_restart(&self) -> bool {
        self.sub_state.starts_with("auto-restart")
    }

    fn parse(block: &str) -> Option<Self> {
        let mut unit = Self::default();
        let mut condition = None;
        let mut condition_seen = true;
        for (key, value) in block.lines().filter_map(|l| l.split_once('=')) {
            let text = || sanitise::line(value);
            match key {
                "Id" => unit.id = text(),
                "Names" => unit.names = list(value),
                "LoadState" => unit.load_state = text(),
                "ActiveState" => unit.active_state = ActiveState::parse(&text()),
                "SubState" => unit.sub_state = text(),
                "Result" => unit.result = text(),
                "Type" => unit.service_type = text(),
                "RemainAfterExit" => unit.remain_after_exit = value.trim() == "yes",
                "NRestarts" => unit.restarts = value.trim().parse().ok(),
                "ExecMainCode" => unit.exec_main_code = exit_code(value.trim()),
                "ExecMainStatus" => unit.exec_main_status = value.trim().parse().ok(),
                "ConditionResult" => condition = Some(value.trim() == "yes"),
                // systemd prints `ConditionResult=no` also for a unit that it never tried to start.
                "ConditionTimestampMonotonic" => condition_seen = value.trim() != "0",
                "Wants" | "Upholds" => unit.wants.extend(list(value)),
                "Requires" | "BindsTo" => unit.requires.extend(list(value)),
                "Requisite" => unit.requisites = list(value),
                "TriggeredBy" => unit.triggered_by = list(value),
                "OnFailure" | "OnSuccess" => unit.starts_at_end.extend(list(value)),
                "BusName" => unit.bus_name = text(),
                "Transient" => unit.transient = Some(value.trim() == "yes"),
                "InactiveExitTimestampMonotonic" => {
                    unit.began_us = value.trim().parse().ok().filter(|at| *at > 0);
                }
                "TimeoutStartUSec" => unit.timeout_start = text(),
                "Description" => unit.description = text(),
                _ => {}
            }
        }
        unit.condition_held = condition.filter(|_| condition_seen);
        (!unit.id.is_empty()).then_some(unit)
    }
}

/// `si_code` as a number or by its name.
fn exit_code(text: &str) -> Option<i64> {
    match text {
        "exited" => Some(1),
        "killed" => Some(2),
        "dumped" => Some(3),
        number => number.parse().ok(),
    }
}

fn list(value: &str) -> Vec<String> {
    value
        .split_ascii_whitespace()
        .take(DEPENDENCY_LIMIT)
        .map(sanitise::line)
        .collect()
}

/// Reads blocks that empty lines keep apart, by unit. Units that bootproof added are left out.
///
/// `None` where no block names a unit, which no running systemd gives.
pub fn parse(output: &str) -> Option<BTreeMap<String, Unit>> {
    let output = output.replace("\r\n", "\n");
    let units: BTreeMap<String, Unit> = output
        .split("\n\n")
        .filter_map(Unit::parse)
        .take(UNIT_LIMIT)
        .map(|unit| (unit.id.clone(), unit))
        .collect();
    (!units.is_empty()).then(|| {
        units
            .into_iter()
            .filter(|(id, _)| !id.starts_with(OWN_UNIT_PREFIX))
            .collect()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_become_units_and_absent_properties_stay_absent() {
        let units = parse(
            "Id=alpha.service\nActiveState=activating\nSubState=auto-restart\nNRestarts=4\nExecMainStatus=203\n\
             Wants=a.target b.target\n\nId=bootproof-shell.service\nActiveState=active\n\nId=b.target\nActiveState=weird\n",
        )
        .unwrap();
        assert_eq!(units.len(), 2);
        let alpha = &units["alpha.service"];
        assert_eq!(alpha.active_state, ActiveState::Activating);
        assert_eq!((alpha.restarts, alpha.exec_main_code), (Some(4), None));
        assert!(alpha.awaits_restart());
        assert_eq!(alpha.wants, ["a.target", "b.target"]);
        assert_eq!(
            units["b.target"].active_state,
            ActiveState::Other("weird".into())
        );
    }

    #[test]
    fn a_condition_that_nobody_looked_at_is_not_one_that_failed() {
        let show = |at: &str| {
            let text =
                format!("Id=a.service\nConditionResult=no\nConditionTimestampMonotonic={at}\n");
            parse(&text).unwrap()["a.service"].condition_held
        };
        assert_eq!(show("0"), None);
        assert_eq!(show("123"), Some(false));
    }

    #[test]
    fn absurd_dumps_give_no_units() {
        for text in [
            "",
            "\n\n\n",
            "No such file",
            "ActiveState=active\n\nNRestarts=x",
        ] {
            assert_eq!(parse(text), None);
        }
        let absurd = parse("Id=a.service\nNRestarts=99999999999999999999999\n").unwrap();
        assert_eq!(absurd["a.service"].restarts, None);
    }
}
