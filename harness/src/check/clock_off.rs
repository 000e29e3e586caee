//! The guest's clock must be the host's: it begins with the VM's real-time clock, which is the host's in UTC.
//!
//! There is no network time in a VM, so that what is off was set so by the closure: a kernel parameter, a unit, or a real-time clock that
//! is read as local time. Certificates, tickets and tokens fail by it, and logs lie.

use crate::vocabulary::{Check, Finding};

use super::Scene;

/// What Kerberos bears by default (`clockskew`, krb5.conf(5)), and more than any answer of the guest takes.
const BORNE_SECONDS: i64 = 300;
/// Offsets from UTC are multiples of a quarter of an hour, and at most fourteen hours.
const QUARTER: i64 = 900;
const FARTHEST_ZONE: i64 = 14 * 3600;
/// How far a clock that is set by a real-time clock of whole seconds may be from the offset.
const SLACK: i64 = 60;

pub(super) fn check(scene: &Scene<'_>) -> Vec<Finding> {
    let Some(clock) = scene.record.clock else {
        return Vec::new();
    };
    let off = clock.guest.saturating_sub(clock.host);
    if off.saturating_abs() <= BORNE_SECONDS {
        return Vec::new();
    }
    let direction = if off > 0 { "fast" } else { "slow" };
    let summary = format!("the clock is {} {direction}", spoken(off.unsigned_abs()));
    let shown = format!(
        "date +%s said {}, when it was {} on the host",
        clock.guest, clock.host
    );
    let mut finding =
        Finding::new(Check::ClockOff, scene.state, "clock", summary).with_evidence("guest", shown);
    if is_an_offset_of_a_zone(off) {
        // Right on a machine whose hardware clock is in local time; the VM's is in UTC.
        finding.summary.push_str(
            ", as of a system that takes the hardware clock for local time (the VM's is in UTC)",
        );
        return vec![finding.as_warning()];
    }
    vec![finding]
}

fn is_an_offset_of_a_zone(off: i64) -> bool {
    let rest = off.rem_euclid(QUARTER);
    off.saturating_abs() <= FARTHEST_ZONE + SLACK && rest.min(QUARTER - rest) <= SLACK
}

/// `7 minutes`, `3 hours`, `2 days`, `5 years`: whole ones of the largest unit that fits twice.
fn spoken(seconds: u64) -> String {
    const UNITS: [(u64, &str); 4] = [
        (365 * 86_400, "years"),
        (86_400, "days"),
        (3600, "hours"),
        (60, "minutes"),
    ];
    let fitting = UNITS.iter().find(|(length, _)| seconds >= 2 * length);
    match fitting {
        Some((length, name)) => format!("{} {name}", seconds / length),
        None => format!("{seconds} seconds"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;
    use crate::vocabulary::{Observation, Severity, State};

    const NOW: i64 = 1_795_000_000;

    fn found(off: i64) -> Vec<Finding> {
        let (plan, mut recording) = testing::healthy_recording();
        recording.more.push(Observation::Clock {
            state: State::Rebooted,
            guest: NOW.saturating_add(off),
            host: NOW,
        });
        testing::findings(&plan, &recording)
    }

    #[test]
    fn a_clock_that_is_years_off_is_found_with_its_distance() {
        let findings = found(9 * 365 * 86_400 + 17);
        assert_eq!(findings[0].id(), "rebooted/clock-off/clock");
        assert_eq!(findings[0].summary, "the clock is 9 years fast");
        assert_eq!(findings[0].severity, Severity::Error);
        assert_eq!(found(-431)[0].summary, "the clock is 7 minutes slow");
    }

    #[test]
    fn what_a_busy_host_makes_of_it_is_silent() {
        for off in [0, 5, -5, 200, -300] {
            assert_eq!(found(off), []);
        }
    }

    #[test]
    fn a_hardware_clock_in_local_time_is_a_warning() {
        for off in [3600, -7200, 20_700 + 3, -18_000 - 30] {
            assert_eq!(found(off)[0].severity, Severity::Warning, "{off}");
        }
        assert_eq!(found(3600 + 300)[0].severity, Severity::Error);
    }

    #[test]
    fn absurd_times_do_not_overflow() {
        assert_eq!(found(i64::MAX).len(), 1);
        assert_eq!(found(i64::MIN).len(), 1);
    }
}
