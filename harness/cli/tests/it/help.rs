use crate::easrig::easrig;

#[test]
fn the_help_of_every_command_is_read_before_it_changes() {
    for command in [
        "",
        "demo",
        "run",
        "compare",
        "matrix",
        "list",
        "explain",
        "serve",
        "decode",
        "encode",
        "report",
        "baseline",
        "baseline approve",
        "baseline check",
        "show",
        "judge",
        "to-scenario",
        "persona",
        "persona learn",
        "capture",
        "capture live",
        "import",
        "export",
        "scrub",
        "replay",
        "census",
        "completions",
    ] {
        for flag in ["-h", "--help"] {
            let args: Vec<&str> = command.split_whitespace().chain([flag]).collect();
            let ended = easrig(&args);
            assert_eq!(ended.code, 0, "{args:?}");
            let name = if command.is_empty() { "easrig".to_owned() } else { command.replace(' ', "_") };
            let form = if flag == "-h" { "short" } else { "long" };
            insta::assert_snapshot!(format!("{name}_{form}"), ended.text());
        }
    }
}

#[test]
fn an_unknown_flag_is_wrong_input() {
    let ended = easrig(&["run", "--personna", "wp7", "--target", "x.test"]);
    assert_eq!(ended.code, 2);
    assert!(ended.stderr.contains("--persona"), "{}", ended.stderr);
}

#[test]
fn every_shell_gets_its_completions() {
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let ended = easrig(&["completions", shell]);
        assert_eq!(ended.code, 0);
        assert!(ended.text().contains("easrig"), "{shell}");
    }
}
