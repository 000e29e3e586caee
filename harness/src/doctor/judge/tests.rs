use super::*;
use crate::doctor::{ProvenAccelerator, Tool};

/// A machine that has everything.
pub(in crate::doctor) fn healthy() -> Probed {
    let told = "version 99.1 --offset".to_owned();
    Probed {
        kvm: Kvm::Opens,
        accelerator: Ok(ProvenAccelerator {
            accelerator: Accelerator::Kvm,
            reason: "a tiny guest ran under it".to_owned(),
            factor: 0.25,
            qemu_version: "9.2.0".to_owned(),
        }),
        tools: TOOLS
            .iter()
            .map(|rule| (rule.name.to_owned(), Tool { told: told.clone() }))
            .collect(),
        firmware: Firmware {
            seabios: Some("/usr/share/seabios/bios-256k.bin".to_owned()),
            ovmf: Some("/usr/share/OVMF/OVMF_CODE_4M.fd".to_owned()),
            ovmf_ia32: Some("/usr/share/OVMF/OVMF32_CODE_4M.secboot.fd".to_owned()),
        },
        places: [Role::Cache, Role::Runs, Role::Temporary]
            .map(|role| with_free(role, 100 << 30))
            .into(),
        memory_available: Some(8 << 30),
        cores: 8,
        is_root: false,
        guest_memory_mib: 1024,
        guest_cores: 2,
    }
}

fn with_free(role: Role, free: u64) -> Place {
    Place {
        role,
        path: "/place".to_owned(),
        free: Ok(free),
    }
}

fn tcg(kvm: Kvm) -> Probed {
    let mut probed = healthy();
    let proven = probed.accelerator.unwrap();
    probed.accelerator = Ok(ProvenAccelerator {
        accelerator: Accelerator::Tcg,
        factor: 1.0,
        ..proven
    });
    Probed { kvm, ..probed }
}

#[test]
fn of_a_machine_that_has_everything_nothing_is_said_against() {
    let examination = examine(&healthy());
    assert!(examination.can_rehearse);
    assert!(examination.lines.iter().all(|line| line.level == Level::Ok));
    assert!(examination.rehearsal.later_seconds < examination.rehearsal.first_seconds);
}

#[test]
fn a_slow_accelerator_is_a_note_with_what_would_make_it_faster() {
    for (kvm, words) in [
        (Kvm::Absent, "nested virtualisation"),
        (Kvm::NotPermitted, "usermod"),
    ] {
        let line = accelerator(&tcg(kvm));
        assert_eq!(line.level, Level::Note);
        assert!(line.next.unwrap().contains(words));
    }
    assert_eq!(accelerator(&tcg(Kvm::Opens)).next, None);
    let (fast, slow) = (examine(&healthy()), examine(&tcg(Kvm::Absent)));
    assert!(slow.can_rehearse);
    assert!(fast.rehearsal.first_seconds < slow.rehearsal.first_seconds);
}

#[test]
fn where_no_guest_runs_no_rehearsal_does() {
    let mut probed = healthy();
    probed.accelerator = Err("it hung".to_owned());
    assert_eq!(accelerator(&probed).level, Level::Missing);
    assert_eq!(seabios(&probed).level, Level::Ok);
    probed.firmware.seabios = None;
    assert_eq!(seabios(&probed).level, Level::Missing);
    let examination = examine(&probed);
    assert!(!examination.can_rehearse);
    assert_eq!(examination.rehearsal.first_seconds, None);
}

#[test]
fn a_uefi_that_is_not_there_is_told_with_its_package_and_stands_against_no_other_rehearsal() {
    let mut probed = healthy();
    assert!(uefi(&UEFI[0], &probed).told.contains("OVMF_CODE_4M.fd"));
    probed.firmware.ovmf = None;
    let line = uefi(&UEFI[0], &probed);
    assert!(line.told.contains("systemd-boot"));
    assert!(line.next.unwrap().contains("apt-get install ovmf"));
    assert!(examine(&probed).can_rehearse);
}

#[test]
fn too_little_room_in_any_place_is_told_with_another() {
    for (role, words) in [
        (Role::Cache, "--cache-dir"),
        (Role::Runs, "--runs-dir"),
        (Role::Temporary, "TMPDIR"),
    ] {
        assert_eq!(place(&with_free(role, 100 << 30)).level, Level::Ok);
        let full = place(&with_free(role, 1 << 20));
        assert_eq!(full.level, Level::Missing);
        assert!(full.next.unwrap().contains(words));
    }
    assert_eq!(place(&with_free(Role::Cache, 2 << 30)).level, Level::Note);
    let refused = Place {
        free: Err("permission denied".to_owned()),
        ..with_free(Role::Runs, 0)
    };
    assert_eq!(place(&refused).level, Level::Missing);
}

#[test]
fn a_guest_that_does_not_fit_into_the_memory_is_told() {
    let with = |mib: Option<u64>| {
        let memory_available = mib.map(|mib| mib * MIB);
        memory(&Probed {
            memory_available,
            ..healthy()
        })
        .level
    };
    assert_eq!(with(Some(4096)), Level::Ok);
    assert_eq!(with(Some(1100)), Level::Note);
    assert_eq!(with(Some(900)), Level::Missing);
    assert_eq!(with(None), Level::Note);
}

#[test]
fn fewer_cores_than_the_guests_are_a_note_and_every_user_may_rehearse() {
    let one = Probed {
        cores: 1,
        ..healthy()
    };
    assert_eq!(cores(&one).level, Level::Note);
    assert_eq!(cores(&healthy()).level, Level::Ok);
    for is_root in [false, true] {
        let who = user(&Probed {
            is_root,
            ..healthy()
        });
        assert_eq!(who.level, Level::Ok);
        assert_eq!(who.told.starts_with("root"), is_root);
    }
}
