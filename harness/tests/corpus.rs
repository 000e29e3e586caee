//! Every file of the fuzz targets' corpus, whole and damaged in ways that are the same each time, through every promise of
//! `bootproof::fuzzing`. The fuzzer finds; this keeps what it found.

#[path = "corpus/damage.rs"]
mod damage;
#[path = "corpus/memory.rs"]
mod memory;

use std::fs;
use std::panic;
use std::path::{Path, PathBuf};

use bootproof::fuzzing::{TARGETS, Target};

#[global_allocator]
static MEMORY: memory::Counting = memory::Counting::new();

/// What a parser may hold for a few kilobytes of input. Dictionaries of `xz -9` and `zstd --ultra` are most of it.
const MEMORY_LIMIT: usize = 256 << 20;

#[test]
fn no_file_of_the_corpus_whole_or_damaged_breaks_a_promise() {
    let mut runs = 0;
    for target in TARGETS {
        for file in corpus(target.name) {
            let bytes = fs::read(&file).unwrap();
            for (how, bytes) in damage::variants(&bytes) {
                run(target, &file, &how, &bytes);
                runs += 1;
            }
        }
    }
    assert!(runs > 10_000, "{runs}");
}

#[test]
fn every_target_is_a_row_a_program_and_a_directory_of_the_corpus() {
    let rows: Vec<&str> = TARGETS.iter().map(|target| target.name).collect();
    assert_eq!(names(&fuzz("corpus")), rows);
    assert_eq!(names(&fuzz("fuzz_targets")), rows);
    let manifest = fs::read_to_string(fuzz("Cargo.toml")).unwrap();
    for name in rows {
        let bin = format!("[[bin]]\nname = \"{name}\"\npath = \"fuzz_targets/{name}.rs\"\n");
        assert!(manifest.contains(&bin), "{name}");
        let program = fs::read_to_string(fuzz("fuzz_targets").join(name).with_extension("rs"));
        let call = format!("bootproof::fuzzing::{name}(bytes)");
        assert!(program.unwrap().contains(&call), "{name}");
    }
}

fn run(target: &Target, file: &Path, how: &str, bytes: &[u8]) {
    let place = || format!("{} of {}, {how}", target.name, file.display());
    MEMORY.forget_peak();
    let result = panic::catch_unwind(|| (target.run)(bytes));
    assert!(result.is_ok(), "{}: see the panic above", place());
    let peak = MEMORY.peak();
    assert!(peak < MEMORY_LIMIT, "{}: {peak} bytes", place());
}

fn corpus(target: &str) -> Vec<PathBuf> {
    let dir = fuzz("corpus").join(target);
    let mut files: Vec<PathBuf> = fs::read_dir(dir)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    assert!(!files.is_empty(), "{target} has no corpus");
    files
}

fn names(dir: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(dir)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned())
        .collect();
    names.sort();
    names
}

fn fuzz(below: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("fuzz")
        .join(below)
}
