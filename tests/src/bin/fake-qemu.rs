//! A `qemu-system-x86_64` that runs no guest: it plays the script that a test wrote.

fn main() {
    bootproof_tests::fake_qemu::main();
}
