//! `easrig baseline`: a run that was looked at and approved, and later runs held against it.

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
};

use easrig_report::{Approved, Checked, Difference, Exit, Snapshot, check};
use miette::{IntoDiagnostic as _, WrapErr as _, miette};

use crate::{
    args::{ApproveArgs, BASELINES, BaselineArgs, BaselineCommand, BaselineName, CheckArgs, baseline_name},
    output::Output,
    report::{Recorded, read_known, write_file},
};

/// The deepest folder below a baseline, the most files in it, and the largest of them in bytes.
const MAX_DEPTH: usize = 16;
const MAX_FILES: usize = 200_000;
const MAX_FILE: u64 = 16 << 20;

pub(crate) fn baseline(args: &BaselineArgs, output: &Output) -> miette::Result<Exit> {
    match &args.command {
        BaselineCommand::Approve(args) => approve(args, output),
        BaselineCommand::Check(args) => check_run(args, output),
    }
}

/// Makes the baseline say what the run says.
fn approve(args: &ApproveArgs, output: &Output) -> miette::Result<Exit> {
    let folder = Folder::of(&args.baseline);
    let recorded = Recorded::read(&args.run)?;
    if recorded.run.finished.is_none() {
        let help = "finish it with `easrig run --resume`, or run again";
        return Err(miette!(help = help, "a run that was cut short is no baseline"));
    }
    let snapshots = recorded.snapshots()?;
    let approved = folder.approved()?;
    let checked = check(&snapshots, &approved);
    for difference in &checked.differences {
        if let Difference::Gone(path) = difference {
            folder.remove(path, SNAP)?;
        }
    }
    // Where it comes from may be otherwise also where it says the same.
    let is_there = |snapshot: &&Snapshot| approved.get(snapshot.path.as_str()) == Some(&snapshot.to_text());
    snapshots.iter().filter(|one| !is_there(one)).try_for_each(|snapshot| folder.write(snapshot, SNAP))?;
    snapshots.iter().try_for_each(|snapshot| folder.remove(snapshot.path.as_str(), PENDING))?;
    folder.clear_pending()?;
    output.write(amounts(&checked, &folder).as_bytes())?;
    Ok(Exit::Well)
}

/// Holds the run against the baseline; what differs is written beside it as `.snap.new`.
fn check_run(args: &CheckArgs, output: &Output) -> miette::Result<Exit> {
    let folder = Folder::of(&args.baseline);
    let known = args.known.as_deref().map(read_known).transpose()?;
    let mut recorded = Recorded::read(&args.run)?;
    if let Some(known) = &known {
        recorded.hold_against(known, output);
    }
    let approved = folder.approved()?;
    if approved.is_empty() {
        let name = &args.baseline.name;
        let help =
            format!("`easrig baseline approve {} --name {name}` makes this run the baseline", args.run.display());
        return Err(miette!(help = help, "there is no baseline in `{}`", folder.path.display()));
    }
    let snapshots = recorded.snapshots()?;
    let checked = check(&snapshots, &approved);
    folder.clear_pending()?;
    for difference in &checked.differences {
        if let Difference::Changed { snapshot, .. } | Difference::New(snapshot) = difference {
            folder.write(snapshot, PENDING)?;
        }
    }
    output.write(checked.draw(&recorded.run, output.palette()).as_bytes())?;
    if !checked.differences.is_empty() {
        let (run, BaselineName { name, dir }) = (args.run.display(), &args.baseline);
        output.say(&format!(
            "what is new stands beside the approved snapshots, as .snap.new; to approve it all:\n\
             easrig baseline approve {run} --name {name} --dir {}",
            dir.display()
        ));
    }
    Ok(checked.exit(&recorded.run))
}

/// Where a path leads that stands for a baseline: a folder that holds one and no run, or a name in the folder of all
/// baselines; `None` when it stands for something else.
pub(crate) fn folder_of(path: &Path) -> Option<PathBuf> {
    let holds_one = |folder: &Path| folder.join(OVERVIEW).is_file() && !folder.join("run.jsonl").exists();
    if path.exists() {
        return holds_one(path).then(|| path.to_owned());
    }
    let name = path.to_str().filter(|name| baseline_name(name).is_ok())?;
    Some(Path::new(BASELINES).join(name)).filter(|folder| holds_one(folder))
}

/// The file that every baseline has.
const OVERVIEW: &str = "verdicts.snap";

/// Reads a baseline.
///
/// # Errors
/// When a file cannot be read, or is not what `easrig baseline approve` writes.
pub(crate) fn read(folder: &Path) -> miette::Result<Approved> {
    let files = Folder { path: folder.to_owned() }.approved()?;
    let name = folder.display().to_string();
    Approved::read(&name, &files).into_diagnostic().wrap_err_with(|| format!("cannot read the baseline `{name}`"))
}

fn amounts(checked: &Checked<'_>, folder: &Folder) -> String {
    let count = |of: fn(&Difference<'_>) -> bool| checked.differences.iter().filter(|d| of(d)).count();
    format!(
        "approved in {}: {} as before, {} changed, {} new, {} gone\n",
        folder.path.display(),
        checked.same,
        count(|d| matches!(d, Difference::Changed { .. })),
        count(|d| matches!(d, Difference::New(_))),
        count(|d| matches!(d, Difference::Gone(_))),
    )
}

/// How approved files end, and how those that wait to be looked at do.
const SNAP: &str = "";
const PENDING: &str = ".new";

/// The folder of one baseline.
struct Folder {
    path: PathBuf,
}

impl Folder {
    fn of(name: &BaselineName) -> Self {
        Self { path: name.dir.join(&name.name) }
    }

    /// The approved files by their paths; nothing when there is no such folder.
    fn approved(&self) -> miette::Result<BTreeMap<String, String>> {
        let mut files = BTreeMap::new();
        for path in self.files(".snap")? {
            let named = || format!("cannot read `{}`", path.display());
            let size = path.metadata().into_diagnostic().wrap_err_with(named)?.len();
            if size > MAX_FILE {
                return Err(miette!("`{}` has {size} bytes; a snapshot has at most {MAX_FILE}", path.display()));
            }
            let text = fs::read_to_string(&path).into_diagnostic().wrap_err_with(named)?;
            let below = path.strip_prefix(&self.path).unwrap_or(&path).to_string_lossy().replace('\\', "/");
            files.insert(below, text);
        }
        Ok(files)
    }

    /// Removes everything that waited to be looked at.
    fn clear_pending(&self) -> miette::Result<()> {
        self.files(".snap.new")?.iter().try_for_each(|path| self.remove_file(path))
    }

    fn write(&self, snapshot: &Snapshot, ending: &str) -> miette::Result<()> {
        let path = self.path.join(format!("{}{ending}", snapshot.path));
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent)
                .into_diagnostic()
                .wrap_err_with(|| format!("cannot make `{}`", parent.display()))?;
        }
        write_file(&path, &snapshot.to_text())
    }

    fn remove(&self, path: &str, ending: &str) -> miette::Result<()> {
        self.remove_file(&self.path.join(format!("{path}{ending}")))
    }

    /// A file that is not there is removed already; folders that become empty go with it.
    fn remove_file(&self, path: &Path) -> miette::Result<()> {
        if let Err(error) = fs::remove_file(path)
            && error.kind() != io::ErrorKind::NotFound
        {
            return Err(error).into_diagnostic().wrap_err_with(|| format!("cannot remove `{}`", path.display()));
        }
        // Fails at the first folder that is not empty, which is where it has to end.
        let folders = path.ancestors().skip(1).take_while(|folder| *folder != self.path);
        let _ = folders.map(fs::remove_dir).take_while(Result::is_ok).count();
        Ok(())
    }

    fn files(&self, ending: &str) -> miette::Result<Vec<PathBuf>> {
        let mut found = Vec::new();
        let mut folders = vec![(self.path.clone(), 0)];
        while let Some((folder, depth)) = folders.pop() {
            let entries = match fs::read_dir(&folder) {
                Err(error) if error.kind() == io::ErrorKind::NotFound && depth == 0 => return Ok(found),
                entries => entries,
            };
            let named = || format!("the folder `{}` cannot be read", folder.display());
            for entry in entries.into_diagnostic().wrap_err_with(named)? {
                let path = entry.into_diagnostic().wrap_err_with(named)?.path();
                if path.is_dir() && !path.is_symlink() && depth < MAX_DEPTH {
                    folders.push((path, depth + 1));
                } else if path.to_string_lossy().ends_with(ending) && path.is_file() {
                    found.push(path);
                }
                if found.len() > MAX_FILES {
                    return Err(miette!("`{}` has more than {MAX_FILES} files", self.path.display()));
                }
            }
        }
        Ok(found)
    }
}
