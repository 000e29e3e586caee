//! How much memory this machine has to spare.

use std::fs;
use std::path::Path;

/// The kernel's own estimate in bytes, bounded by the control group that this process is in.
pub(super) fn available() -> Option<u64> {
    let free = of_meminfo(&fs::read_to_string("/proc/meminfo").ok()?)?;
    let number = |name: &str| -> Option<u64> {
        let group = fs::read_to_string("/proc/self/cgroup").ok()?;
        let path = group.lines().find_map(|line| line.strip_prefix("0::/"))?;
        let file = Path::new("/sys/fs/cgroup").join(path).join(name);
        fs::read_to_string(file).ok()?.trim().parse().ok()
    };
    // `max` is no number.
    let left =
        number("memory.max").map(|most| most.saturating_sub(number("memory.current").unwrap_or(0)));
    Some(left.map_or(free, |left| left.min(free)))
}

/// `MemAvailable:    1234 kB` of `/proc/meminfo` (proc(5)), in bytes.
fn of_meminfo(meminfo: &str) -> Option<u64> {
    let line = meminfo
        .lines()
        .find_map(|line| line.strip_prefix("MemAvailable:"))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    kibibytes.checked_mul(1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernels_word_for_what_is_available_is_read() {
        let text = "MemTotal:  16 kB\nMemAvailable:   8 kB\n";
        assert_eq!(of_meminfo(text), Some(8192));
        for text in ["", "MemAvailable: much kB\n", "MemAvailable: 8\n"] {
            assert_eq!(of_meminfo(text), None);
        }
    }
}
