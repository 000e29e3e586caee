use crate::closure::{Census, ElfCounts};
use crate::inspect::rules::{Outcome, Subject};
use crate::vocabulary::ElfClass;

/// Store paths that a note names for each class.
const MAX_NAMED: usize = 4;
const CLASSES: &[(ElfClass, &str)] = &[
    (ElfClass::X86_64, "x86_64"),
    (ElfClass::I386, "i386"),
    (ElfClass::Other, "of another machine"),
];

/// A mix is told and never blamed: closures rightly hold firmware, boot loaders, ROMs of emulators, 32-bit games and
/// cross compilers, and which of their files is executed is not for a count to say.
pub(super) fn rule(subject: &Subject, outcome: &mut Outcome) {
    let census = &subject.survey.census;
    outcome.notes.extend(mix(census, subject.facts.userland));
    if census.unread > 0 {
        let reason = format!(
            "{} files or directories of the closure could not be read",
            census.unread
        );
        outcome.unproven("files", reason, false);
    }
}

/// One sentence, where whole store paths are of another class: a few images of GRUB's or of an emulator's in a package are data of it.
fn mix(census: &Census, userland: Option<ElfClass>) -> Option<String> {
    let counts = &census.programs;
    let most = CLASSES
        .iter()
        .map(|(class, _)| *class)
        .max_by_key(|class| counts.of(*class))?;
    let native = userland.unwrap_or(most);
    let foreign: Vec<String> = CLASSES
        .iter()
        .filter(|(class, _)| *class != native)
        .filter_map(|(class, word)| {
            let paths = paths_of(census, *class);
            let count: u64 = paths.iter().map(|(_, count)| count).sum();
            (count > 0).then(|| format!("; {count} {word} in {}", named(&paths)))
        })
        .collect();
    if foreign.is_empty() {
        return None;
    }
    let as_userland = match userland {
        Some(_) => ", as the userland is",
        None => "",
    };
    Some(format!(
        "of {} programs and libraries {} are {}{as_userland}{}",
        counts.total(),
        counts.of(native),
        word(native),
        foreign.concat()
    ))
}

fn word(class: ElfClass) -> &'static str {
    CLASSES
        .iter()
        .find(|(of, _)| *of == class)
        .map_or("of another machine", |(_, word)| word)
}

/// The store paths of which most programs and libraries are of a class, those with the most first, and how many these are.
fn paths_of(census: &Census, class: ElfClass) -> Vec<(&str, u64)> {
    let mut paths: Vec<(&str, u64)> = census
        .by_path
        .iter()
        .filter(|(_, counts)| 2 * counts.of(class) > counts.total())
        .map(|(path, counts): (_, &ElfCounts)| (path.name(), counts.of(class)))
        .collect();
    paths.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(b.0)));
    paths
}

/// `alpha-x86_64, glibc-2.40 and 3 more store paths`.
fn named(paths: &[(&str, u64)]) -> String {
    let more = paths.len().saturating_sub(MAX_NAMED);
    let named: Vec<&str> = paths
        .iter()
        .take(MAX_NAMED)
        .map(|(name, _)| *name)
        .collect();
    let named = named.join(", ");
    match more {
        0 => named,
        1 => format!("{named} and 1 more store path"),
        more => format!("{named} and {more} more store paths"),
    }
}

#[cfg(test)]
mod tests {
    use crate::closure::testing::elf;
    use crate::inspect::testing::{inspected, server};
    use crate::vocabulary::{ElfClass, Verdict};

    fn library(class: ElfClass) -> Vec<u8> {
        let mut header = elf(class);
        header[16] = 3;
        header
    }

    fn notes(fake: &crate::closure::testing::FakeClosure) -> Vec<String> {
        let inspection = inspected(fake);
        assert_eq!(inspection.verdict, Verdict::Pass);
        assert!(inspection.findings.is_empty());
        inspection.notes
    }

    #[test]
    fn a_mix_is_told_and_passes() {
        let fake = server();
        for file in ["a.so", "b.so"] {
            fake.store_file("native", file, library(ElfClass::X86_64));
            fake.store_file("steam", file, library(ElfClass::I386));
        }
        for path in ["wine", "nvidia-32", "mesa-32", "alsa-32", "glibc-32"] {
            fake.store_file(path, "x.so", library(ElfClass::I386));
        }
        fake.store_file("seabios", "vga.elf", library(ElfClass::Other));
        assert_eq!(
            notes(&fake),
            [
                "of 10 programs and libraries 2 are x86_64, as the userland is; \
                 7 i386 in steam, alsa-32, glibc-32, mesa-32 and 2 more store paths; \
                 1 of another machine in seabios"
            ]
        );
    }

    #[test]
    fn one_class_is_no_news() {
        let fake = server();
        fake.store_file("native", "a.so", library(ElfClass::X86_64));
        // An object file, such as an eBPF program or a module of GRUB, is none that runs.
        fake.store_file("grub", "normal.mod", elf(ElfClass::I386));
        // Nor is an image among a package's programs news.
        fake.store_file("native", "b.so", library(ElfClass::X86_64));
        fake.store_file(
            "native",
            "lib/grub/i386-pc/kernel.img",
            library(ElfClass::I386),
        );
        assert!(notes(&fake).is_empty());
    }
}
