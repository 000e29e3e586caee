//! The JSON Schema of the lines, which is made of their types and kept beside them.

use super::event::{FORMAT_VERSION, Line};
use crate::testing::published;

#[test]
fn the_schema_of_the_lines_that_is_published_is_that_of_their_types() {
    let title = "a line of bootproof --format json-lines";
    published::holds::<Line>("progress.schema.json", title, FORMAT_VERSION);
}
