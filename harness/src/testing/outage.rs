use crate::vocabulary::{
    Check, ElfClass, Finding, Inspected, Plan, Recorded, State, StaticCause, System,
};

use super::{I386_HEADER, Recording, endpoint, plan, status};

/// The outage of 2023-08-08: an i686 system is deployed to an x86_64 server, and its services stay x86_64.
pub(crate) fn outage_recording() -> (Plan, Recording) {
    let mut plan = plan();
    plan.scenario = Some("outage-2023-08-08".to_owned());
    plan.candidate.system = Some(System::I686Linux);
    plan.candidate.kernel = Some(System::I686Linux);
    plan.candidate.userland = Some(ElfClass::I386);
    let nginx = "nginx.service".to_owned();
    plan.candidate
        .unit_executables
        .insert(nginx, ElfClass::I386);

    let mut recording = Recording::healthy(&plan);
    recording.inspected = inspected();
    for state in [State::Switched, State::Rebooted] {
        let identity = &mut recording.guest(state).identity;
        identity.insert("system", "i686-linux".to_owned());
        identity.insert("pid1", I386_HEADER.to_owned());
    }
    let rebooted = recording.guest(State::Rebooted);
    rebooted.identity.insert("machine", "i686".to_owned());
    rebooted.http.clear();
    for (name, port) in [("alpha", 8081), ("beta", 8082), ("gamma", 8083)] {
        let unit = format!("{name}.service");
        rebooted.set_unit(
            &unit,
            &[
                ("ActiveState", "activating"),
                ("SubState", "auto-restart"),
                ("Result", "exit-code"),
                ("NRestarts", "4"),
                ("ExecMainCode", "1"),
                ("ExecMainStatus", "203"),
            ],
        );
        rebooted.set_last(&unit, "NRestarts", "7");
        let program =
            format!("/nix/store/3333333333333333333333333333333d-{name}-1.0/bin/darkhttpd");
        for message in [
            format!("Started {unit} - Backend {name}."),
            format!("{unit}: Failed to execute {program}: Exec format error"),
            format!("{unit}: Failed at step EXEC spawning {program}: Exec format error"),
            format!("{unit}: Main process exited, code=exited, status=203/EXEC"),
            format!("{unit}: Failed with result 'exit-code'."),
            format!("{unit}: Scheduled restart job, restart counter is at 3."),
        ] {
            rebooted.log_unit(&unit, &message);
        }
        rebooted.answer(1, endpoint(name, port), status(502));
    }
    (plan, recording)
}

/// What its files say beforehand.
fn inspected() -> Inspected {
    let found = |unit: &str| {
        let text = "will die with 203/EXEC: its ExecStart is an x86_64 executable under an i686-linux kernel";
        Finding::new(Check::Executability, State::Inspected, unit, text)
    };
    let dying = ["alpha.service", "beta.service", "gamma.service"].map(found);
    let text = "the kernel is i686-linux, and x86_64-linux is expected by the scenario";
    let kernel = Finding::new(Check::Architecture, State::Inspected, "kernel", text);
    let cause = |headline: &str, findings: &[Finding]| StaticCause {
        headline: headline.to_owned(),
        next: "build the whole system for one platform".to_owned(),
        findings: findings.iter().map(Finding::id).collect(),
    };
    Inspected {
        units: 41,
        commands: 60,
        causes: vec![
            cause(
                "after the next boot these 3 units will die with 203/EXEC",
                &dying,
            ),
            cause(text, std::slice::from_ref(&kernel)),
        ],
        findings: dying.into_iter().chain([kernel]).collect(),
        ..Inspected::default()
    }
}

pub(crate) fn outage() -> (Plan, Vec<Recorded>) {
    let (plan, recording) = outage_recording();
    let observations = recording.observations_of(&plan);
    (plan, observations)
}
