//! What `bootproof inspect` costs, as a whole process, on the lab's largest closure and on generated ones: against what an operator
//! would type (`find -type f -print0 | xargs -0 file`), and against the least that anything could take ([`floor`]). The rounds
//! are interleaved, so that each ratio is of measurements that were taken at nearly the same time.

mod cost;
pub(super) mod floor;
mod formats;
mod generated;
mod subject;
mod table;

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::{Context, bail};
use bootproof::closure::reading_threads;

use self::cost::Cost;
use self::subject::Subject;
use crate::{host_tools, lab};

/// Regular files of the generated closures.
const SIZES: &[u64] = &[10_000, 30_000, 100_000];
/// `bootproof inspect` has done its work with any of these: pass, fail, unproven.
const JUDGED: &[i32] = &[0, 1, 3];

/// What was measured of one closure.
struct Measured {
    subject: Subject,
    rounds: Vec<Round>,
}

/// One measurement of each.
struct Round {
    inspect: Cost,
    floor: Cost,
    /// `find … | xargs -0 file` takes minutes for a large closure: only the lab's have it in each round, and the largest once.
    file: Option<Cost>,
}

pub(super) fn run(root: &Path, rounds: u32, lab: Option<&Path>) -> anyhow::Result<ExitCode> {
    host_tools::ensure(host_tools::LAB)?;
    host_tools::ensure(host_tools::BENCH)?;
    let work = root.join("target/bootproof/bench");
    std::fs::create_dir_all(&work)?;
    let lab = match lab {
        Some(lab) => lab.to_owned(),
        None => lab::ensure(root, &[])?.root,
    };
    build(root)?;
    let mut subjects = subject::of_lab(&lab, &work)?;
    for files in SIZES {
        subjects.push(subject::generated(&work, *files)?);
    }

    let programs = root.join("target/release");
    let mut measured: Vec<Measured> = subjects
        .into_iter()
        .map(|subject| Measured {
            subject,
            rounds: Vec::new(),
        })
        .collect();
    for number in 0..=rounds {
        for entry in &mut measured {
            eprintln!("bench: round {number} of {rounds}, {}", entry.subject.name);
            let largest = Some(&entry.subject.files) == SIZES.last();
            let with_file = entry.subject.is_of_lab || (largest && number == rounds);
            let round = round(&programs, &entry.subject, with_file)?;
            // The first warms the page cache and the kernel's caches of names.
            if number > 0 {
                entry.rounds.push(round);
            }
        }
    }
    print!("{}", table::render(&measured, reading_threads()));
    let targets = table::targets(&measured);
    for target in &targets {
        println!("{}", target.line());
    }
    Ok(if targets.iter().all(|target| target.holds) {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn round(programs: &Path, subject: &Subject, with_file: bool) -> anyhow::Result<Round> {
    let mut floor = Command::new(programs.join("xtask"));
    floor
        .args(["bench", "floor", "--threads"])
        .arg(reading_threads().to_string())
        .arg(&subject.list);
    let mut inspect = Command::new(programs.join("bootproof"));
    inspect.arg("inspect").args(&subject.arguments);
    Ok(Round {
        floor: cost::of(&mut floor, &[0])?,
        inspect: cost::of(&mut inspect, JUDGED)?,
        file: with_file
            .then(|| cost::of(&mut subject.by_file(), &[0]))
            .transpose()?,
    })
}

/// Both programs as a user has them: the floor of a debug build would be none.
fn build(root: &Path) -> anyhow::Result<()> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let target: PathBuf = root.join("target");
    let status = Command::new(cargo)
        .current_dir(root)
        .args(["build", "--release", "--quiet"])
        .args(["--package", "bootproof", "--package", "xtask"])
        .arg("--target-dir")
        .arg(target)
        .status()
        .context("failed to start cargo")?;
    if !status.success() {
        bail!("bootproof and the floor could not be built");
    }
    Ok(())
}
