//! The binary as its users meet it: arguments in, text, files and exit codes out.

mod codec;
mod demo;
mod easrig;
mod help;
mod knowledge;
mod run;
mod serve;
