//! The `easrig` binary: flags, exit codes, progress and files.
//!
//! It reads the command line, hands everything to the rooms behind it and writes what they say: results to stdout,
//! progress and complaints to stderr. It judges nothing itself.

use std::process::ExitCode;

use clap::{CommandFactory as _, Parser as _};
use easrig_report::Exit;

mod accounts;
mod args;
mod baseline;
mod census;
mod compare;
mod decode;
mod demo;
mod embedded;
mod encode;
mod explain;
mod export;
mod import;
mod input;
mod judge;
mod learn;
mod library;
mod list;
mod live;
mod output;
mod output_file;
mod panic;
mod progress;
mod reach;
mod replay;
mod report;
mod run;
mod scrub;
mod serve;
mod show;
mod suggest;
mod target;
mod to_scenario;

use args::{CaptureCommand, Cli, Command, PersonaCommand};
use library::Library;
use output::Output;

fn main() -> ExitCode {
    panic::install();
    let cli = Cli::parse();
    let output = Output::new(cli.color);
    output.install_diagnostics();
    let exit = match dispatch(cli, &output) {
        Ok(exit) => exit,
        Err(report) => {
            eprintln!("{report:?}");
            Exit::Input
        }
    };
    ExitCode::from(exit.code())
}

fn dispatch(cli: Cli, output: &Output) -> miette::Result<Exit> {
    let library = || Library::open(cli.scenarios.as_deref(), cli.personas.as_deref());
    match cli.command {
        Command::Demo(args) => demo::demo(&args, &library()?, output),
        Command::Run(args) => run::run(*args, library()?, output),
        Command::Compare(args) => compare::compare(&args, output),
        Command::Matrix(args) => compare::matrix(&args, output),
        Command::List(args) => list::list(&args, &library()?, output),
        Command::Explain(args) => explain::explain(&args, &library()?, output),
        Command::Serve(args) => serve::serve(&args, &library()?, output),
        Command::Decode(args) => decode::decode(&args, output),
        Command::Encode(args) => encode::encode(&args, output),
        Command::Baseline(args) => baseline::baseline(&args, output),
        Command::Report(args) => report::report(&args, output),
        Command::Show(args) => show::show(&args, &library()?, output),
        Command::Judge(args) => judge::judge(&args, &library()?, output),
        Command::Persona(PersonaCommand::Learn(args)) => learn::learn(&args, &library()?, output),
        Command::ToScenario(args) => to_scenario::to_scenario(&args, output),
        Command::Capture { command: CaptureCommand::Live(args) } => live::live(&args, output),
        Command::Import(args) => import::import(&args, output),
        Command::Export(args) => export::export(&args, output),
        Command::Scrub(args) => scrub::scrub(&args, &library()?, output),
        Command::Replay(args) => replay::replay(*args, &library()?, output),
        Command::Census(args) => census::census(&args, output),
        Command::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Cli::command(), "easrig", &mut script);
            output.write(&script)?;
            Ok(Exit::Well)
        }
    }
}
