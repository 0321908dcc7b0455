//! Prints the JSON Schema of `easrig matrix --format json`, to be published in `docs/schema/matrix.schema.json`.

fn main() {
    print!("{}", easrig_report::servers_schema());
}
