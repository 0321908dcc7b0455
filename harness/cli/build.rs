//! Tells cargo that a new scenario file is a change of the binary: the files themselves are watched, the folder is not.

fn main() {
    println!("cargo:rerun-if-changed=../../scenarios");
}
