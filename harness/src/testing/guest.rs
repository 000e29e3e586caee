use std::collections::BTreeMap;

use crate::vocabulary::{Dump, HttpAnswer, HttpEndpoint, Observation, Plan, ProbeRoute, State};

use super::endpoints;

pub(crate) const X86_64_HEADER: &str = "7f454c4602010100000000000000000003003e00";
pub(crate) const I386_HEADER: &str = "7f454c4601010100000000000000000003000300";

type Properties = BTreeMap<String, String>;

/// What a guest says in one state, as its own tools print it.
#[derive(Debug, Clone)]
pub(crate) struct Guest {
    pub(crate) identity: BTreeMap<&'static str, String>,
    pub(crate) system_state: String,
    pub(crate) jobs: String,
    /// `PATH=LINE` lines of ldd; empty where it was not asked.
    pub(crate) ldd: String,
    pub(crate) first: BTreeMap<String, Properties>,
    pub(crate) last: BTreeMap<String, Properties>,
    pub(crate) journal: Vec<String>,
    /// None was seen to listen where it is empty.
    pub(crate) listeners: String,
    /// Of df; it was not asked where it is empty.
    pub(crate) file_systems: String,
    /// Not dumped where it is empty.
    pub(crate) boot_facts: String,
    pub(crate) http: Vec<(u32, HttpEndpoint, ProbeRoute, HttpAnswer)>,
    /// Dumps that were not taken.
    pub(crate) without: Vec<Dump>,
}

impl Guest {
    /// A guest in which everything is as it must be in `state`.
    pub(crate) fn healthy(plan: &Plan, state: State, boot_id: &str) -> Self {
        let current = plan.closure_in(state).toplevel.to_string();
        let identity = BTreeMap::from([
            ("machine", "x86_64".to_owned()),
            ("release", "6.1.0".to_owned()),
            ("boot_id", boot_id.to_owned()),
            ("booted", plan.booted_in(state).to_string()),
            ("current", current),
            ("profile", plan.default_in(state).toplevel.to_string()),
            ("system", "x86_64-linux".to_owned()),
            ("pid1", X86_64_HEADER.to_owned()),
            ("cmdline", "console=ttyS0,115200".to_owned()),
        ]);
        let mut guest = Self {
            identity,
            system_state: "running".to_owned(),
            jobs: String::new(),
            ldd: String::new(),
            first: BTreeMap::new(),
            last: BTreeMap::new(),
            journal: vec![
                r#"{"MESSAGE":"Linux version 6.1.0","_TRANSPORT":"kernel","__MONOTONIC_TIMESTAMP":"10"}"#.to_owned(),
            ],
            listeners: String::new(),
            file_systems: String::new(),
            boot_facts: String::new(),
            http: Vec::new(),
            without: Vec::new(),
        };
        let wants = "alpha.service beta.service gamma.service nginx.service";
        guest.set_unit(
            "multi-user.target",
            &[
                ("Names", "multi-user.target default.target"),
                ("SubState", "active"),
                ("Wants", wants),
            ],
        );
        for service in wants.split(' ') {
            guest.set_unit(
                service,
                &[
                    ("Type", "simple"),
                    ("NRestarts", "0"),
                    ("ExecMainStatus", "0"),
                ],
            );
        }
        for endpoint in endpoints() {
            guest.answer(1, endpoint, status(200));
        }
        guest
    }

    /// Sets properties of a unit in both samples.
    pub(crate) fn set_unit(&mut self, id: &str, properties: &[(&str, &str)]) {
        for sample in [&mut self.first, &mut self.last] {
            let unit = sample.entry(id.to_owned()).or_insert_with(|| {
                [
                    ("Id", id),
                    ("LoadState", "loaded"),
                    ("ActiveState", "active"),
                    ("SubState", "running"),
                    ("Result", "success"),
                ]
                .map(|(k, v)| (k.to_owned(), v.to_owned()))
                .into()
            });
            unit.extend(
                properties
                    .iter()
                    .map(|(k, v)| ((*k).to_owned(), (*v).to_owned())),
            );
        }
    }

    /// Sets a property of a unit at the end of the window only.
    pub(crate) fn set_last(&mut self, id: &str, key: &str, value: &str) {
        let unit = self.last.entry(id.to_owned()).or_default();
        unit.insert(key.to_owned(), value.to_owned());
    }

    /// Adds a message that systemd writes about a unit.
    pub(crate) fn log_unit(&mut self, unit: &str, message: &str) {
        self.journal.push(format!(
            r#"{{"MESSAGE":"{message}","UNIT":"{unit}","PRIORITY":"3","__MONOTONIC_TIMESTAMP":"2000"}}"#
        ));
    }

    /// Adds a message of the kernel.
    pub(crate) fn log_kernel(&mut self, message: &str) {
        self.journal.push(format!(
            r#"{{"MESSAGE":"{message}","_TRANSPORT":"kernel","__MONOTONIC_TIMESTAMP":"2000"}}"#
        ));
    }

    pub(crate) fn answer(&mut self, round: u32, endpoint: HttpEndpoint, answer: HttpAnswer) {
        self.http
            .push((round, endpoint, ProbeRoute::Outside, answer));
    }

    pub(super) fn observations(&self, state: State) -> Vec<Observation> {
        let identity: String = self
            .identity
            .iter()
            .map(|(k, v)| format!("{k}={v}\n"))
            .collect();
        let exit_code = i32::from(self.system_state != "running");
        let dumps = [
            (Dump::Identity, 0, identity),
            (
                Dump::SystemState,
                exit_code,
                format!("{}\n", self.system_state),
            ),
            (Dump::Jobs, 0, self.jobs.clone()),
            (Dump::UnitsFirst, 0, show(&self.first)),
            (Dump::UnitsLast, 0, show(&self.last)),
            (Dump::Journal, 0, self.journal.join("\n")),
            (Dump::Listeners, 0, self.listeners.clone()),
            (Dump::FileSystems, 0, self.file_systems.clone()),
            (Dump::Fingerprint, 0, self.boot_facts.clone()),
        ];
        let dumps = dumps
            .into_iter()
            .chain((!self.ldd.is_empty()).then(|| (Dump::Ldd, 0, self.ldd.clone())))
            .filter(|(dump, ..)| !self.without.contains(dump))
            .filter(|(dump, _, output)| {
                let may_lack = matches!(
                    dump,
                    Dump::Listeners | Dump::FileSystems | Dump::Fingerprint
                );
                !(may_lack && output.is_empty())
            })
            .map(|(dump, exit_code, output)| Observation::Dumped {
                state,
                dump,
                exit_code,
                output,
                truncated: false,
            });
        let http = self
            .http
            .iter()
            .cloned()
            .map(|(round, endpoint, route, answer)| Observation::Http {
                state,
                round,
                endpoint,
                route,
                answer,
            });
        dumps.chain(http).collect()
    }
}

pub(crate) fn status(code: u16) -> HttpAnswer {
    HttpAnswer::Status {
        code,
        body_bytes: 100,
    }
}

fn show(units: &BTreeMap<String, Properties>) -> String {
    let block = |unit: &Properties| {
        unit.iter()
            .map(|(k, v)| format!("{k}={v}\n"))
            .collect::<String>()
    };
    units.values().map(block).collect::<Vec<_>>().join("\n")
}
