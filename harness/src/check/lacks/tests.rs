use super::*;
use crate::testing;
use crate::vocabulary::{HttpAnswer, Severity};

fn finding_of(unit: &str, more: &[(&str, &str)]) -> Finding {
    let (plan, mut recording) = testing::healthy_recording();
    let guest = recording.guest(State::Rebooted);
    let mut properties = vec![("ActiveState", "failed"), ("Result", "exit-code")];
    properties.extend(more);
    guest.set_unit(unit, &properties);
    testing::findings(&plan, &recording).remove(0)
}

#[test]
fn what_needs_what_no_vm_has_is_told_with_the_reason() {
    for (unit, reason) in [
        ("systemd-networkd-wait-online.service", "network"),
        ("network-addresses-enp9s0f7.service", "network"),
        ("br0-netdev.service", "network"),
        ("acme-www.example.org.service", "internet"),
        ("acme-order-renew-www.example.org.service", "internet"),
        ("podman-app.service", "internet"),
        ("fetch-ec2-metadata.service", "metadata"),
        ("smartd.service", "hardware"),
    ] {
        let finding = finding_of(unit, &[]);
        assert_eq!(finding.severity, Severity::Warning, "{unit}");
        assert!(finding.summary.contains(reason), "{}", finding.summary);
    }
}

#[test]
fn what_needs_nothing_but_the_closure_is_held_against_it() {
    for unit in [
        "alpha.service",
        "acme-selfsigned-www.example.org.service",
        "acme-setup.service",
        "docker.service",
        "wireguard.service",
    ] {
        assert_eq!(finding_of(unit, &[]).severity, Severity::Error, "{unit}");
    }
}

#[test]
fn a_unit_bound_to_a_missing_device_or_to_an_excused_unit_is_excused() {
    let bound = [("BindsTo", "sys-subsystem-net-devices-enp9s0f7.device")];
    let finding = finding_of("radio.service", &bound);
    assert_eq!(finding.severity, Severity::Warning);
    assert!(finding.summary.contains("device"), "{}", finding.summary);
    let requires = [("Requires", "fetch-ec2-metadata.service")];
    assert_eq!(
        finding_of("keys.service", &requires).severity,
        Severity::Warning
    );
    let cycle = [("Requires", "loop.service")];
    assert_eq!(finding_of("loop.service", &cycle).severity, Severity::Error);
}

#[test]
fn an_nginx_that_wants_a_name_of_the_internet_is_unproven_and_not_at_fault() {
    let plan = testing::without_baseline();
    let mut recording = testing::Recording::healthy(&plan);
    let down = [("ActiveState", "failed"), ("Result", "exit-code")];
    for guest in recording.guests.values_mut() {
        guest.set_unit("nginx.service", &down);
        for endpoint in testing::endpoints() {
            guest.answer(2, endpoint, HttpAnswer::Refused);
        }
    }
    let findings = testing::findings(&plan, &recording);
    assert!(findings.iter().all(|f| f.severity == Severity::Error));
    for guest in recording.guests.values_mut() {
        let line = "nginx: [emerg] host not found in upstream api.example.org";
        guest.log_unit("nginx.service", line);
    }
    let findings = testing::findings(&plan, &recording);
    assert!(findings.iter().all(|f| f.severity == Severity::Warning));
    let gaps = crate::check::coverage::unproven(&plan, &recording.run(&plan));
    assert!(gaps.iter().any(|gap| gap.decisive && gap.subject == "http"));
}

#[test]
fn a_unit_that_came_up_with_the_baseline_is_not_excused() {
    let (plan, mut recording) = testing::healthy_recording();
    let unit = "podman-app.service";
    recording.guest(State::Before).set_unit(unit, &[]);
    let guest = recording.guest(State::Rebooted);
    guest.set_unit(unit, &[("ActiveState", "failed")]);
    let findings = testing::findings(&plan, &recording);
    assert_eq!(findings[0].severity, Severity::Error);
}
