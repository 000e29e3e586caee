//! The ways down and up: each takes the machine down in its own way, and waits until it is up again.
//!
//! What happens in between is the guest's. What a guest cannot do, such as a soft reboot without a systemd that has it, is told and
//! left out.

use std::time::Duration;

use tokio::time::Instant;

use super::choose::BootRoute;
use super::guest::{Down, Guest, Happened, PanicSeen, TroubleKind, Waited};
use super::run_disk::{RunDisk, Writes};
use super::senses::Heard;
use super::steps::{Progressed, Stepped, Steps};
use crate::vocabulary::{Observation, State, Step};

/// A short question to the guest's shell.
const QUESTION: Duration = Duration::from_secs(60);

impl Steps<'_> {
    /// Takes the machine down and up as `step` says, and looks at it.
    pub(super) async fn reboot(
        &self,
        step: Step,
        guest: &mut Guest<'_, '_>,
        progressed: &mut Progressed,
        disk: &mut RunDisk,
    ) -> Stepped {
        let down = match step {
            Step::ColdReboot => self.power_down(guest).await?,
            Step::Reset => guest.reset(self.deadlines.scale(RESET)).await?,
            Step::Panic => self.panic(guest).await?,
            Step::Rollback => {
                if let Err(trouble) = self.choose_the_baseline(guest).await? {
                    return Ok(Err(trouble));
                }
                self.order_reboot(guest).await?
            }
            Step::SoftReboot => return self.soft_reboot(guest, progressed, disk).await,
            _ => self.order_reboot(guest).await?,
        };
        let down = match down {
            Ok(down) => down,
            Err(trouble) => return Ok(Err(trouble)),
        };
        if down == Down::Off {
            self.power_on_again(guest, disk, Writes::Stay).await?;
        }
        let state = self.state_after(step, progressed);
        self.continuity.ask(&self.plan.closure_in(state).http);
        if let Err(trouble) = self.comes_up(guest, progressed).await? {
            return Ok(Err(trouble));
        }
        self.look(guest, progressed, disk, state, None).await
    }

    /// The state that a way down and up leads to: the baseline's own, as long as nothing was switched to.
    pub(super) fn state_after(&self, step: Step, progressed: &Progressed) -> State {
        let is_candidate = progressed.switched || self.plan.baseline.is_none();
        step.state_after_reboot()
            .filter(|_| is_candidate)
            .unwrap_or(State::Before)
    }

    pub(super) async fn power_down(&self, guest: &mut Guest<'_, '_>) -> Waited<Down> {
        guest.send_last("systemctl poweroff -i").await?;
        let off = guest.wait_for_exit(self.deadlines.power_off()).await?;
        Ok(off.map(|()| Down::Off))
    }

    /// Where QEMU starts the kernel itself, the reboot ends it.
    pub(super) async fn order_reboot(&self, guest: &mut Guest<'_, '_>) -> Waited<Down> {
        guest.send_last(REBOOT).await?;
        match self.route {
            BootRoute::Bootloader => Ok(Ok(Down::StartsOver)),
            BootRoute::Direct { .. } => {
                let off = guest.wait_for_exit(self.deadlines.power_off()).await?;
                Ok(off.map(|()| Down::Off))
            }
        }
    }

    /// Has the kernel panic. One that does not reboot by itself then (`panic=`) is reset from outside, as a person would.
    async fn panic(&self, guest: &mut Guest<'_, '_>) -> Waited<Down> {
        let asked = guest.run("tell what it does at a panic", PANIC_QUESTION, QUESTION);
        let answer = match asked.await? {
            Ok(answer) => answer,
            Err(trouble) => return Ok(Err(trouble)),
        };
        let mut words = answer.output.split_whitespace();
        if words.next() != Some("sysrq") {
            let reason = "its kernel has no sysrq to panic by".to_owned();
            return Ok(Err(guest.trouble(reason).of_kind(TroubleKind::NotOffered)));
        }
        // Seconds until it reboots; 0 for never, less for at once (kernel's `Documentation/admin-guide/sysctl/kernel.rst`).
        let seconds: i64 = words.next().and_then(|word| word.parse().ok()).unwrap_or(0);
        let has_crash_kernel = words.next() == Some("1");
        guest.send_last("echo c > /proc/sysrq-trigger").await?;
        let seen = match guest.wait_for_panic(self.deadlines.scale(PANIC)).await? {
            PanicSeen::Down(down) => return by_itself(guest, down),
            PanicSeen::OnConsole => "",
            PanicSeen::Nothing => {
                let alive = guest.run("say whether it panicked", ":", self.deadlines.scale(PANIC));
                if alive.await?.is_ok() {
                    let reason = "the kernel did not panic at sysrq c".to_owned();
                    return Ok(Err(guest.trouble(reason)));
                }
                ", which its console did not show"
            }
        };
        let patience = match (has_crash_kernel, u64::try_from(seconds)) {
            (true, _) => Some(self.deadlines.boot()),
            (false, Ok(0)) => None,
            (false, seconds) => Some(
                self.deadlines.scale(PANIC)
                    + Duration::from_secs(seconds.unwrap_or(0).min(PANIC_SECONDS)),
            ),
        };
        if let Some(patience) = patience
            && let Some(down) = guest
                .wait_for_down("the panicked kernel to reboot", patience)
                .await?
        {
            return by_itself(guest, down);
        }
        let text = format!(
            "the kernel stays in its panic{seen} (kernel.panic = {seconds}): the machine was reset from outside, and stands still until \
             somebody does that; `panic=` among the kernel parameters has it reboot by itself"
        );
        guest.recorder().record(Observation::Note { text })?;
        guest.reset(self.deadlines.scale(RESET)).await
    }

    /// A new userspace on the same kernel, which keeps its boot id: systemd's own clock of its targets tells it from the old one.
    async fn soft_reboot(
        &self,
        guest: &mut Guest<'_, '_>,
        progressed: &mut Progressed,
        disk: &RunDisk,
    ) -> Stepped {
        let asked = guest.run(
            "tell whether it can reboot its userspace",
            SOFT_QUESTION,
            QUESTION,
        );
        let answer = match asked.await? {
            Ok(answer) => answer,
            Err(trouble) => return Ok(Err(trouble)),
        };
        let Some(old) = answer
            .output
            .strip_prefix("soft-reboot\n")
            .map(str::to_owned)
        else {
            let reason = "its systemctl has no soft-reboot (systemd has it since 254)".to_owned();
            return Ok(Err(guest.trouble(reason).of_kind(TroubleKind::NotOffered)));
        };
        let since = match guest.run("tell its time", "date +%s", QUESTION).await? {
            Ok(answer) => answer.output.trim().parse().ok(),
            Err(trouble) => return Ok(Err(trouble)),
        };
        guest.send_last("systemctl soft-reboot -i").await?;
        if let Err(trouble) = self.wait_for_userspace(guest, &old).await? {
            return Ok(Err(trouble));
        }
        let state = self.state_after(Step::SoftReboot, progressed);
        self.look(guest, progressed, disk, state, since).await
    }

    /// Waits for the greeting of a shell whose systemd tells other times of its start than `old`.
    async fn wait_for_userspace(&self, guest: &mut Guest<'_, '_>, old: &str) -> Stepped {
        let deadline = self.deadlines.boot();
        let until = Instant::now() + deadline;
        loop {
            let happened = match guest
                .happens_until(until, "the shell of the new userspace")
                .await?
            {
                Some(happened) => happened,
                None => {
                    let seconds = deadline.as_secs();
                    let reason = format!("no new userspace within {seconds} s");
                    return Ok(Err(guest.trouble(reason)));
                }
            };
            match happened {
                Happened::Heard(Heard::Greeted(..)) => {}
                Happened::Heard(_) => continue,
                Happened::Reset(_) => {
                    let reason = "the machine was reset instead of its userspace".to_owned();
                    return Ok(Err(guest.trouble(reason)));
                }
                Happened::Exited(how) => {
                    return Ok(Err(guest.trouble(format!("the machine went off ({how})"))));
                }
            }
            match guest
                .run("tell when it started", SOFT_QUESTION, QUESTION)
                .await?
            {
                Ok(answer) if answer.output.strip_prefix("soft-reboot\n") != Some(old) => {
                    return Ok(Ok(()));
                }
                // The old userspace, whose shell was started again on its way down, or one that goes away.
                Ok(_) => {}
                Err(trouble) if trouble.machine_runs_on() => {}
                Err(gone) => return Ok(Err(gone)),
            }
        }
    }
}

fn by_itself(guest: &mut Guest<'_, '_>, down: Down) -> Waited<Down> {
    let text = "the kernel reboots by itself after a panic".to_owned();
    guest.recorder().record(Observation::Note { text })?;
    Ok(Ok(down))
}

/// From the reset button to the reset.
const RESET: Duration = Duration::from_secs(30);

/// A reboot through firmware and bootloader: without the variables systemctl takes a loaded kernel or a tree at
/// `/run/nextroot` for it (systemd's `docs/ENVIRONMENT.md`), and without `-i` somebody's inhibitor may hold it up.
const REBOOT: &str =
    "SYSTEMCTL_SKIP_AUTO_KEXEC=1 SYSTEMCTL_SKIP_AUTO_SOFT_REBOOT=1 systemctl reboot -i";

/// From the word to panic to the panic, or from a panic to the reset that follows at once.
const PANIC: Duration = Duration::from_secs(30);
/// A kernel that waits longer than this before it reboots is reset from outside.
const PANIC_SECONDS: u64 = 600;

/// `sysrq`, the seconds until a panicked kernel reboots, and `1` where another kernel is loaded for a panic. Root may write to the
/// trigger whatever `kernel.sysrq` says (kernel's `Documentation/admin-guide/sysrq.rst`).
const PANIC_QUESTION: &str = "[ -w /proc/sysrq-trigger ] && echo sysrq
read seconds </proc/sys/kernel/panic; echo \"${seconds:-0}\"
[ -r /sys/kernel/kexec_crash_loaded ] && read crash </sys/kernel/kexec_crash_loaded; echo \"${crash:-0}\"";

/// `soft-reboot` where systemctl lists that command, and when systemd and the first of its targets started, which no userspace has in
/// common with the one before.
const SOFT_QUESTION: &str =
    "case $(systemctl --help 2>/dev/null) in *soft-reboot*) echo soft-reboot;; esac
systemctl show --property=UserspaceTimestampMonotonic
systemctl show --property=ActiveEnterTimestampMonotonic sysinit.target";
