//! Prints the JSON Schema of `summary.json`, to be published in `docs/schema/summary.schema.json`.

fn main() {
    print!("{}", easrig_report::summary_schema());
}
