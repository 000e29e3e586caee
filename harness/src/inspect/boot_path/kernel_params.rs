//! The kernel parameters start this system, and all of it.

use super::{NEXT, error, root, warning};
use crate::inspect::rules::{Outcome, Subject};

/// Parameters after which a boot stops at a prompt: of systemd (kernel-command-line(7)), and of NixOS's scripted stage 1.
const STOPS: &[&str] = &[
    "single",
    "s",
    "S",
    "1",
    "rescue",
    "emergency",
    "-b",
    "rd.emergency",
    "rd.rescue",
    "rd.break",
    "boot.debug1",
    "boot.debug1devices",
    "boot.debug1mounts",
];

/// Units that are no normal boot.
const TARGETS: &[&str] = &[
    "rescue.target",
    "emergency.target",
    "poweroff.target",
    "halt.target",
    "reboot.target",
    "shutdown.target",
];

/// `COMMAND_LINE_SIZE` of x86 is 2048 with the NUL (`arch/x86/include/asm/setup.h`).
const LONGEST: usize = 2047;

pub(super) fn rule(subject: &Subject, outcome: &mut Outcome) {
    init(subject, outcome);
    for param in &subject.facts.kernel_params {
        if stops(param) {
            let summary = format!("the kernel parameters ask for no normal boot: {param}");
            warning(outcome, "kernel-params", summary);
        }
    }
    root_param(subject, outcome);
    read_only_root(subject, outcome);
    blacklist(subject, outcome);
    length(subject, outcome);
    console(subject, outcome);
}

/// Boot entries begin with `init=TOPLEVEL/init`, and the last `init=` counts.
fn init(subject: &Subject, outcome: &mut Outcome) {
    const PROFILE: &str = "/nix/var/nix/profiles/system/init";
    let own = format!("{}/init", subject.facts.toplevel);
    for param in &subject.survey.boot.kernel_params {
        let Some(init) = param.strip_prefix("init=") else {
            continue;
        };
        if init.starts_with("/nix/store/") && init != own {
            let summary = format!("the kernel parameters start another system: {param}");
            error(outcome, "kernel-params", summary, NEXT);
        } else if init != own && init != PROFILE {
            let summary = format!("the kernel parameters start something else than NixOS: {param}");
            warning(outcome, "kernel-params", summary);
        }
    }
}

fn stops(param: &str) -> bool {
    let unit = ["systemd.unit=", "rd.systemd.unit="]
        .iter()
        .find_map(|prefix| param.strip_prefix(prefix));
    STOPS.contains(&param) || unit.is_some_and(|unit| TARGETS.contains(&unit))
}

/// `root=fstab` and the like leave the choice to stage 1; a device of the same kind of name must be the fstab's.
fn root_param(subject: &Subject, outcome: &mut Outcome) {
    let mut params = subject.facts.kernel_params.iter().rev();
    let told = params.find_map(|param| param.strip_prefix("root="));
    let (Some(told), Some(root)) = (told, root(subject)) else {
        return;
    };
    let (told, listed) = (kind_and_name(told), kind_and_name(&root.device));
    if told.0 == listed.0 && told.0.is_some() && !told.1.eq_ignore_ascii_case(listed.1) {
        let summary = format!(
            "`root=` names {}, and the fstab's root is {}",
            told.1, listed.1
        );
        warning(outcome, "kernel-params", summary);
    }
}

/// What `root=` names is mounted read-only by systemd in the initrd, unless `rw` says otherwise (systemd-fstab-generator(8)). The scripted
/// stage 2 mounts it again; what systemd runs there to activate the system does not.
fn read_only_root(subject: &Subject, outcome: &mut Outcome) {
    let params = &subject.facts.kernel_params;
    let last = |is_it: fn(&str) -> bool| params.iter().rev().map(String::as_str).find(|p| is_it(p));
    let is_device = |root: &str| {
        kind_and_name(root).0.is_some() || (root.starts_with("/dev/") && root != "/dev/nfs")
    };
    let root = last(|param| param.starts_with("root=")).and_then(|p| p.strip_prefix("root="));
    let flags =
        last(|param| param.starts_with("rootflags=")).and_then(|p| p.strip_prefix("rootflags="));
    let is_writable = last(|param| ["ro", "rw"].contains(&param)) == Some("rw")
        || flags.is_some_and(|flags| flags.split(',').any(|flag| flag == "rw"));
    // NixOS copies systemd to `init` where it is stage 1.
    let init = subject.survey.boot.init.first();
    let is_systemds = init.is_some_and(|hop| hop.class.is_some());
    if is_systemds && root.is_some_and(is_device) && !is_writable {
        let summary = "`root=` names a device, and nothing says `rw`: systemd in the initrd mounts it read-only, and the activation there cannot write";
        warning(outcome, "kernel-params", summary.to_owned());
    }
}

/// What a device is named by, where two names of the same kind that differ are two devices.
fn kind_and_name(device: &str) -> (Option<&'static str>, &str) {
    const KINDS: &[(&str, &str)] = &[
        ("UUID=", "uuid"),
        ("LABEL=", "label"),
        ("PARTUUID=", "partuuid"),
        ("PARTLABEL=", "partlabel"),
        ("/dev/disk/by-uuid/", "uuid"),
        ("/dev/disk/by-label/", "label"),
        ("/dev/disk/by-partuuid/", "partuuid"),
        ("/dev/disk/by-partlabel/", "partlabel"),
    ];
    KINDS
        .iter()
        .find_map(|(prefix, kind)| Some((Some(*kind), device.strip_prefix(prefix)?)))
        .unwrap_or((None, device))
}

/// The kernel refuses a module of `module_blacklist=` whoever loads it.
fn blacklist(subject: &Subject, outcome: &mut Outcome) {
    let Some(modules) = &subject.survey.boot.modules else {
        return;
    };
    let refused: Vec<String> = subject
        .facts
        .kernel_params
        .iter()
        .filter_map(|param| param.strip_prefix("module_blacklist="))
        .flat_map(|list| list.split(','))
        .map(|name| name.replace('-', "_"))
        .filter(|name| !modules.built_in.contains(name))
        .collect();
    let Some(root) = root(subject) else {
        return;
    };
    let driver = modules.file_system_module(&root.fs_type);
    if refused.iter().any(|name| name == driver) {
        let summary = format!(
            "the root file system is {}, and `module_blacklist=` keeps its driver out",
            root.fs_type
        );
        error(
            outcome,
            "kernel-params",
            summary,
            "leave it out of the list",
        );
    }
}

fn length(subject: &Subject, outcome: &mut Outcome) {
    let init = format!("init={}/init", subject.facts.toplevel).len();
    let params = &subject.facts.kernel_params;
    let length = init + params.iter().map(|param| param.len() + 1).sum::<usize>();
    if length > LONGEST {
        let summary = format!(
            "the kernel parameters have {length} bytes with `init=`: the kernel cuts off what is beyond {LONGEST}"
        );
        warning(outcome, "kernel-params", summary);
    }
}

fn console(subject: &Subject, outcome: &mut Outcome) {
    let facts = subject.facts;
    let is_read = !facts.unreadable.iter().any(|(s, _)| s == "kernel-params");
    if is_read && subject.survey.boot.kernel.is_some() && !facts.has_serial_console() {
        outcome.notes.push(
            "no serial console (`console=ttyS0`): a rehearsal sees less of a boot that fails early"
                .to_owned(),
        );
    }
}

#[cfg(test)]
mod tests {
    use crate::closure::testing::elf;
    use crate::inspect::Inspection;
    use crate::inspect::testing::{ids, inspected, server};
    use crate::vocabulary::{ElfClass, Verdict};

    const FOUND: [&str; 1] = ["inspected/boot-path/kernel-params"];

    fn with(params: &str) -> Inspection {
        let fake = server();
        fake.file("etc/fstab", "LABEL=nixos / ext4 defaults 0 1\n");
        fake.file("kernel-params", format!("console=ttyS0 {params}"));
        inspected(&fake)
    }

    #[test]
    fn another_systems_init_is_found() {
        let inspection = with("init=/nix/store/0fqyhyvhx6pzd1v5cv2x0rjx1ia4zgc5-other/init");
        assert_eq!(ids(&inspection), FOUND);
        assert_eq!(inspection.verdict, Verdict::Fail);
    }

    #[test]
    fn a_root_that_systemd_mounts_read_only_is_a_warning() {
        let with = |params: &str| {
            let fake = server();
            fake.program("toplevel", "init", elf(ElfClass::X86_64));
            fake.file("etc/fstab", "LABEL=nixos / ext4 defaults 0 1\n");
            fake.file("kernel-params", params);
            inspected(&fake)
        };
        for params in ["root=LABEL=nixos", "root=/dev/vda1 rw ro"] {
            assert_eq!(ids(&with(params)), FOUND, "{params}");
            assert_eq!(with(params).verdict, Verdict::Pass);
        }
        for params in [
            "",
            "root=fstab",
            "root=gpt-auto",
            "root=LABEL=nixos rw",
            "root=LABEL=nixos rootflags=noatime,rw",
        ] {
            assert_eq!(ids(&with(params)), [""; 0], "{params}");
        }
    }

    #[test]
    fn a_driver_of_the_root_that_is_kept_out_is_found() {
        let inspection = with("module_blacklist=pcspkr,ext4");
        assert_eq!(ids(&inspection), FOUND);
        assert_eq!(inspection.verdict, Verdict::Fail);
    }

    #[test]
    fn what_is_no_normal_boot_is_a_warning() {
        let long = "x".repeat(2048);
        for params in [
            "systemd.unit=rescue.target",
            "emergency",
            "boot.debug1mounts",
            "init=/bin/sh",
            "root=/dev/disk/by-label/other",
            &long,
        ] {
            let inspection = with(params);
            assert_eq!(ids(&inspection), FOUND, "{params}");
            assert_eq!(inspection.verdict, Verdict::Pass);
        }
    }

    #[test]
    fn usual_parameters_are_silent() {
        for params in [
            "root=fstab quiet splash loglevel=4 lsm=landlock,yama,bpf",
            "root=LABEL=nixos",
            "root=/dev/disk/by-label/nixos",
            "root=/dev/vda1",
            "systemd.unit=graphical.target init=/nix/var/nix/profiles/system/init",
            "module_blacklist=nouveau",
        ] {
            let inspection = with(params);
            assert_eq!(ids(&inspection), [""; 0], "{params}");
            assert_eq!(inspection.notes, [""; 0]);
        }
    }

    #[test]
    fn a_system_without_a_serial_console_is_noted() {
        let fake = server();
        fake.file("kernel-params", "quiet");
        let inspection = inspected(&fake);
        assert_eq!(ids(&inspection), [""; 0]);
        assert!(inspection.notes[0].contains("no serial console"));
    }
}
