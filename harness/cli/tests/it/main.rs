//! The binary as its users meet it: arguments in, text, files and exit codes out.
#![expect(clippy::unwrap_used, reason = "a test that cannot start the binary or read its output must fail")]

mod baseline;
mod canary;
mod captures;
mod codec;
mod compare;
mod demo;
mod easrig;
mod export;
mod help;
mod judge;
mod knowledge;
mod learn;
mod replay;
mod report;
mod run;
mod scrub;
mod serve;
mod show;
mod to_scenario;
