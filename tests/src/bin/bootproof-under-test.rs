//! bootproof's own `main`, built with this package: a test can never run an older build of it.

use bootproof::cli::{self, Exit};

fn main() -> Exit {
    cli::main()
}
