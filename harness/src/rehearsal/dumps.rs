//! What is dumped from the guest in every state, by the closure's own tools. `fold/` has the parsers.

use std::time::Duration;

use crate::fold;
use crate::vocabulary::Dump;

/// One dump: a script for the guest's shell.
pub(super) struct DumpCommand {
    pub(super) dump: Dump,
    /// For progress: "to …".
    pub(super) what: &'static str,
    pub(super) script: String,
    /// On the reference machine.
    pub(super) deadline: Duration,
}

/// Waits for systemd's own word on its start, for `startup` at most, in the host's time; timeout(1) keeps the shell usable where that
/// never comes.
pub(super) fn system_state(startup: Duration) -> DumpCommand {
    let seconds = startup.as_secs();
    DumpCommand {
        dump: Dump::SystemState,
        what: "finish its start",
        script: format!(
            "timeout {seconds} systemctl is-system-running --wait || {{ [ $? = 124 ] && systemctl is-system-running; }}; true"
        ),
        deadline: startup + Duration::from_secs(60),
    }
}

pub(super) fn identity() -> DumpCommand {
    // Each value stands on a line of its own; a link that cannot be resolved leaves its value empty.
    const SCRIPT: &str = "\
say() { printf '%s=%s\\n' \"$1\" \"$2\"; }
say machine \"$(uname -m)\"
say release \"$(uname -r)\"
say boot_id \"$(cat /proc/sys/kernel/random/boot_id)\"
say booted \"$(readlink -f /run/booted-system)\"
say current \"$(readlink -f /run/current-system)\"
say profile \"$(readlink -f /nix/var/nix/profiles/system)\"
say system \"$(cat /run/current-system/system)\"
say pid1 \"$(head -c 20 /proc/1/exe | od -An -v -tx1 | tr -d ' \\n')\"
say firmware \"$(cd /sys/class/dmi/id && cat bios_vendor bios_version | tr '\n' ' ')\"
say cmdline \"$(cat /proc/cmdline)\"
while IFS=: read -r key value; do
  case \"$key\" in
  'model name'*) say cpu \"$value\" ;;
  flags*) case \" $value \" in *' lm '*) say cpu_lm yes ;; esac; break ;;
  esac
done </proc/cpuinfo";
    DumpCommand {
        dump: Dump::Identity,
        what: "say what it runs",
        script: SCRIPT.to_owned(),
        deadline: Duration::from_secs(60),
    }
}

pub(super) fn jobs() -> DumpCommand {
    DumpCommand {
        dump: Dump::Jobs,
        what: "list its jobs",
        script: "systemctl list-jobs --no-legend --no-pager".to_owned(),
        deadline: Duration::from_secs(60),
    }
}

/// Who listens where, by nothing but the shell, ls and grep: not every system has ss(8).
pub(super) fn listeners() -> DumpCommand {
    // 0A is TCP_LISTEN, 00010000 __SO_ACCEPTCON; a process may go meanwhile.
    const SCRIPT: &str = "\
{
for table in /proc/net/tcp /proc/net/tcp6; do
while read -r _ local _ state _ _ _ _ _ inode _; do [ \"$state\" = 0A ] && echo \"tcp $local $inode\"; done < $table
done
while read -r _ _ _ flags _ _ inode path; do [ \"$flags\" = 00010000 ] && echo \"unix $inode $path\"; done < /proc/net/unix
for file in /proc/[0-9]*/cgroup; do
while read -r line; do case $line in 0::*|1:name=systemd:*) echo \"cgroup $file $line\";; esac; done < $file
done
ls -l /proc/[0-9]*/fd | grep -e ^/proc/ -e socket:
} 2>/dev/null
true";
    DumpCommand {
        dump: Dump::Listeners,
        what: "say who listens where",
        script: SCRIPT.to_owned(),
        deadline: Duration::from_secs(60),
    }
}

/// How full each local file system is; df exits with 1 where one cannot be asked.
pub(super) fn file_systems() -> DumpCommand {
    DumpCommand {
        dump: Dump::FileSystems,
        what: "say how full its disks are",
        script: "{ df -lPkT; df -lPiT; } 2>/dev/null; true".to_owned(),
        deadline: Duration::from_secs(60),
    }
}

/// What a boot came to, beside its units and sockets.
pub(super) fn fingerprint() -> DumpCommand {
    const SCRIPT: &str = "\
echo '== kernel'; uname -srvm
echo '== machine-id'; cat /etc/machine-id
echo '== users'; cut -d: -f1,3,4,6,7 /etc/passwd
echo '== groups'; cut -d: -f1,3,4 /etc/group
echo '== modules'; while read -r name _; do echo \"$name\"; done </proc/modules
echo '== mounts'; cat /proc/1/mountinfo
true";
    DumpCommand {
        dump: Dump::Fingerprint,
        what: "say what its boot came to",
        script: SCRIPT.to_owned(),
        deadline: Duration::from_secs(60),
    }
}

pub(super) fn units(dump: Dump) -> DumpCommand {
    DumpCommand {
        dump,
        what: "show its units",
        script: format!(
            "systemctl show --all --no-pager --property={} '*'",
            fold::PROPERTIES.join(",")
        ),
        deadline: Duration::from_secs(120),
    }
}

/// The journal of this boot, from `since` (seconds of the guest's clock) on.
pub(super) fn journal(since: Option<u64>) -> DumpCommand {
    let since = since.map(|s| format!(" --since=@{s}")).unwrap_or_default();
    DumpCommand {
        dump: Dump::Journal,
        what: "dump its journal",
        script: format!(
            "journalctl --boot --no-pager --quiet --output=json --lines=20000{since} \
             --output-fields=MESSAGE,MESSAGE_ID,PRIORITY,_SYSTEMD_UNIT,UNIT,SYSLOG_IDENTIFIER,_TRANSPORT"
        ),
        deadline: Duration::from_secs(180),
    }
}

/// What `ldd` says of executables that were refused: it is what an operator asks next, and it may mislead. A system without ldd says nothing.
///
/// The paths are plain ones (`fold::refused_executables`), so that quotes hold them.
pub(super) fn ldd(executables: &[String]) -> DumpCommand {
    let asked: Vec<String> = executables
        .iter()
        .map(|path| {
            format!("printf '%s=%s\\n' '{path}' \"$(timeout 10 ldd '{path}' 2>&1 | head -n 1)\"")
        })
        .collect();
    DumpCommand {
        dump: Dump::Ldd,
        what: "ask ldd about executables that were refused",
        script: format!(
            "if command -v ldd >/dev/null; then\n{}\nfi; true",
            asked.join("\n")
        ),
        deadline: Duration::from_secs(90),
    }
}
