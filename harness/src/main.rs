use bootproof::cli::{self, Exit};

fn main() -> Exit {
    cli::main()
}
