//! Prints the JSON Schema of `easrig compare --format json`, to be published in `docs/schema/compare.schema.json`.

fn main() {
    print!("{}", easrig_report::compare_schema());
}
