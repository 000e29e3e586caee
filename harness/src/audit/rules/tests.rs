use crate::audit::testing::{NEW, OLD, Recorded, WANTS, audited, grub_cfg, healthy, outage, runs};
use crate::audit::{Audit, human, markdown};
use crate::inspect::human::Style;
use crate::vocabulary::{ElfClass, Severity, Verdict};

fn ids(audit: &Audit) -> Vec<String> {
    let mark = |severity| match severity {
        Severity::Error => "",
        Severity::Warning => "~",
    };
    let findings = audit.findings.iter();
    findings
        .map(|finding| format!("{}{}", mark(finding.severity), finding.id()))
        .collect()
}

fn with(change: impl FnOnce(&mut Recorded)) -> Audit {
    let mut machine = healthy();
    change(&mut machine);
    audited(&machine)
}

#[test]
fn a_healthy_machine_passes_and_is_told_shortly() {
    let audit = with(|_| {});
    assert_eq!(audit.verdict, Verdict::Pass, "{audit:#?}");
    assert_eq!(ids(&audit), [""; 0]);
    assert!(audit.unproven.is_empty(), "{:#?}", audit.unproven);
    assert!(audit.notes.is_empty(), "{:#?}", audit.notes);
    insta::assert_snapshot!(human::render(&audit, Style::default()));
}

#[test]
fn the_outage_is_told_in_the_week_before_it() {
    let audit = audited(&outage());
    assert_eq!(audit.verdict, Verdict::Fail);
    assert_eq!(
        ids(&audit),
        [
            "next-kernel/kernel",
            "next-executability/alpha.service",
            "next-executability/beta.service",
            "next-executability/gamma.service"
        ]
    );
    assert_eq!(
        audit.headline,
        "fail: one reboot away from an outage: the next boot starts an i686-linux kernel where an x86_64-linux kernel runs now, \
         and these 3 units cannot run: alpha.service, beta.service and gamma.service (x86_64) [root@web]"
    );
    insta::assert_snapshot!(human::render(&audit, Style::default()));
    insta::assert_snapshot!(markdown::render(&audit));
}

#[test]
fn after_its_reboot_the_outage_is_one_already() {
    let mut machine = outage();
    runs(&mut machine, NEW, NEW);
    machine.say("uname-m", "i686");
    let audit = audited(&machine);
    assert!(
        audit
            .headline
            .starts_with("fail: an outage already: the next boot starts an i686-linux kernel, and"),
        "{}",
        audit.headline
    );
}

#[test]
fn a_64_bit_kernel_runs_a_32_bit_userland() {
    let audit = with(|machine| {
        machine.service("nginx", ElfClass::I386);
        machine.service("old", ElfClass::I386);
    });
    assert_eq!(audit.verdict, Verdict::Pass, "{audit:#?}");
}

#[test]
fn a_systemd_of_another_class_is_an_outage() {
    let mut machine = outage();
    machine.toplevel(NEW, ElfClass::I386);
    let systemd = crate::audit::testing::hex(&crate::closure::testing::elf(ElfClass::X86_64));
    machine.say(&format!("systemd {NEW}"), systemd);
    assert!(ids(&audited(&machine)).contains(&"next-executability/systemd".to_owned()));
}

#[test]
fn a_service_that_nothing_starts_is_a_warning() {
    let mut machine = outage();
    machine.say(WANTS, "nginx.service\n");
    let audit = audited(&machine);
    assert_eq!(audit.verdict, Verdict::Fail);
    assert_eq!(ids(&audit)[1], "~next-executability/alpha.service");
    machine.units(
        "Id=alpha.service\nActiveState=active\n",
        "Id=alpha.service\nActiveState=active\n",
    );
    assert_eq!(
        ids(&audited(&machine))[1],
        "next-executability/alpha.service"
    );
}

#[test]
fn a_program_that_is_gone_is_found() {
    let program = "program /nix/store/33333333333333333333333333333333-nginx/bin/nginx";
    let audit = with(|machine| {
        machine.end(program, "absent");
    });
    assert_eq!(ids(&audit), ["next-executability/nginx.service"]);
    let audit = with(|machine| {
        machine.end(program, "unreadable");
    });
    assert_eq!(audit.verdict, Verdict::Pass);
}

#[test]
fn an_update_that_waits_for_its_reboot_passes_with_a_note() {
    let audit = with(|machine| {
        runs(machine, OLD, NEW);
        machine.toplevel(NEW, ElfClass::X86_64);
    });
    assert_eq!(audit.verdict, Verdict::Pass, "{audit:#?}");
    assert!(audit.notes[0].starts_with("a reboot is pending: kernel, initrd"));
    assert_eq!(ids(&audit), [""; 0]);
}

#[test]
fn a_deploy_for_the_next_boot_passes_and_a_test_is_a_warning() {
    let boot = |booted: &str| {
        with(|machine| {
            runs(machine, booted, NEW);
            machine.toplevel(NEW, ElfClass::X86_64);
            machine.say("link /run/current-system", OLD);
        })
    };
    let audit = boot(OLD);
    assert_eq!(audit.verdict, Verdict::Pass);
    assert!(ids(&audit).is_empty());
    assert!(
        audit.notes.iter().any(|n| n.contains("is not active yet")),
        "{:?}",
        audit.notes
    );
    let audit = boot(NEW);
    assert_eq!(ids(&audit), [format!("~next-generation/{OLD}")]);
}

#[test]
fn a_bootloader_that_kept_the_old_system_is_found_unless_it_was_chosen() {
    let stale = |machine: &mut Recorded| {
        runs(machine, OLD, NEW);
        machine.toplevel(NEW, ElfClass::X86_64);
        let old = grub_cfg(OLD, &format!("{NEW}-kernel/bzImage"));
        machine.say("text /boot/grub/grub.cfg", old);
    };
    let audit = with(stale);
    assert_eq!(ids(&audit), [format!("next-generation/{OLD}")]);
    let audit = with(|machine| {
        stale(machine);
        let old = grub_cfg(NEW, &format!("{NEW}-kernel/bzImage"));
        machine.say(
            "text /boot/grub/grub.cfg",
            format!(
                "set default=\"${{saved_entry}}\"\n{}",
                old.replace("\"0\"", "\"${saved_entry}\"")
            ),
        );
        machine.say("text /boot/grub/grubenv", "saved_entry=1>0\n");
        machine.say("link /nix/var/nix/profiles/system", NEW);
        machine.say("link /run/current-system", NEW);
    });
    assert_eq!(ids(&audit), [format!("~next-generation/{OLD}")]);
}

#[test]
fn an_entry_that_leads_nowhere_is_an_outage() {
    let kernel = format!("{OLD}-kernel/bzImage");
    for (name, subject) in [
        (format!("size {kernel}"), kernel.clone()),
        (format!("size {kernel}-initrd"), format!("{kernel}-initrd")),
        (format!("init {OLD}"), OLD.to_owned()),
    ] {
        let audit = with(|machine| {
            machine.end(&name, "absent");
        });
        assert_eq!(ids(&audit), [format!("next-entry/{subject}")], "{audit:#?}");
    }
    let empty = with(|machine| {
        machine.say(&format!("size {kernel}"), "0");
    });
    assert_eq!(empty.verdict, Verdict::Fail);
}

#[test]
fn failed_units_and_loops_are_told_by_name() {
    let loops = "Id=a.service\nActiveState=activating\nSubState=auto-restart\nNRestarts=4\nExecMainStatus=203\n\n\
                 Id=b.service\nActiveState=active\nSubState=running\nNRestarts=2\nResult=signal\n\n\
                 Id=c.service\nActiveState=failed\nResult=exit-code\n\n\
                 Id=d.service\nActiveState=active\nNRestarts=12\n";
    let later = loops.replace("NRestarts=2\n", "NRestarts=3\n");
    let audit = with(|machine| {
        machine.units(loops, &later);
    });
    assert_eq!(
        ids(&audit),
        [
            "restart-loop/a.service",
            "restart-loop/b.service",
            "unit-failed/c.service",
            "~restart-loop/d.service"
        ]
    );
    assert!(
        audit
            .headline
            .contains("a.service and b.service are restarted again and again now"),
        "{}",
        audit.headline
    );
    assert!(audit.findings[0].summary.contains("203/EXEC"));
}

#[test]
fn a_service_that_ends_well_and_starts_again_is_no_fault() {
    let poller = "Id=poll.service\nActiveState=activating\nSubState=auto-restart\nResult=success\nNRestarts=500\nExecMainStatus=0\n";
    let audit = with(|machine| {
        machine.units(poller, poller);
    });
    assert_eq!(audit.verdict, Verdict::Pass);
    assert_eq!(ids(&audit), ["~restart-loop/poll.service"]);
    let once = "Id=a.service\nActiveState=activating\nSubState=auto-restart\nResult=exit-code\nNRestarts=0\nExecMainStatus=1\n";
    let audit = with(|machine| {
        machine.units(once, once);
    });
    assert_eq!(ids(&audit), ["~restart-loop/a.service"]);
}

#[test]
fn a_start_that_is_not_over_proves_nothing() {
    let audit = with(|machine| {
        machine.say("system-state", "starting");
    });
    assert_eq!(audit.verdict, Verdict::Unproven);
    let audit = with(|machine| {
        machine.say("system-state", "maintenance");
    });
    assert_eq!(ids(&audit), ["system-state/systemd"]);
    let audit = with(|machine| {
        machine.say("system-state", "degraded");
    });
    assert_eq!(ids(&audit), ["~system-state/systemd"]);
}

#[test]
fn a_full_boot_partition_is_a_warning_where_kernels_are_copied() {
    let audit = |available: &str| {
        with(|machine| {
            let cfg = grub_cfg(OLD, "($drive1)//kernels/abc-bzImage");
            machine
                .say("text /boot/grub/grub.cfg", cfg)
                .say("size /boot/kernels/abc-bzImage", "8000000")
                .say("size /boot/kernels/abc-bzImage-initrd", "8000000")
                .say(
                    "boot-space",
                    format!("Filesystem\n/dev/vda1 500000 1 {available} 99% /boot\n"),
                );
        })
    };
    assert_eq!(ids(&audit("10000")), ["~boot-space//boot"]);
    assert_eq!(ids(&audit("100000")), [""; 0]);
}

#[test]
fn what_was_not_told_is_unproven_and_never_passed() {
    for (gone, subject) in [
        ("uname-m", "kernel"),
        ("link /run/booted-system", "/run/booted-system"),
        ("units-first", "units-first"),
        ("system-state", "system-state"),
        ("text /boot/grub/grub.cfg", "next-boot"),
        ("units", "/etc/systemd/system"),
    ] {
        let audit = with(|machine| {
            machine.0.remove(gone);
        });
        assert_eq!(audit.verdict, Verdict::Unproven, "{gone}");
        let told = audit.unproven.iter().filter(|u| u.decisive);
        assert!(
            told.into_iter().any(|u| u.subject.ends_with(subject)),
            "{gone}: {:?}",
            audit.unproven
        );
    }
}

#[test]
fn without_a_menu_the_profile_is_presumed_and_it_is_said() {
    let mut machine = outage();
    machine.end("text /boot/grub/grub.cfg", "absent");
    let audit = audited(&machine);
    assert_eq!(audit.verdict, Verdict::Fail);
    assert!(
        audit
            .headline
            .contains("the next boot, if it is the system profile's, starts an i686-linux kernel"),
        "{}",
        audit.headline
    );
    assert_eq!(audit.unproven[0].subject, "next-boot");
}

#[test]
fn names_of_a_machine_cannot_steer_a_terminal() {
    let mut machine = outage();
    machine.service("\u{1b}]0;evil\u{7}\u{1b}[2J", ElfClass::X86_64);
    machine.say("uname-r", "\u{1b}[31m6.6");
    let audit = audited(&machine);
    for text in [
        human::render(&audit, Style::default()),
        markdown::render(&audit),
    ] {
        assert!(
            !text.contains('\u{1b}') && !text.contains('\u{7}'),
            "{text}"
        );
    }
}
