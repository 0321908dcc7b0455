//! A file that is there when it is whole, and not before.

use std::{
    fs::File,
    io::{self, BufWriter, Write},
    path::{Path, PathBuf},
};

use miette::{IntoDiagnostic as _, WrapErr as _, miette};
use tempfile::NamedTempFile;

/// A new file under another name, readable by its owner alone; [`OutputFile::finish`] gives it its own.
#[derive(Debug)]
pub(crate) struct OutputFile {
    file: BufWriter<NamedTempFile<File>>,
    path: PathBuf,
}

impl OutputFile {
    /// Begins the file that will be `path`; `inputs` are the files it is made from.
    ///
    /// # Errors
    /// When `path` is a folder or one of the inputs, or nothing can be written beside it.
    pub(crate) fn begin(path: &Path, inputs: &[PathBuf]) -> miette::Result<Self> {
        check(path, inputs)?;
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let file = NamedTempFile::new_in(folder).into_diagnostic();
        let file = file.wrap_err_with(|| format!("cannot write `{}`", path.display()))?;
        Ok(Self { file: BufWriter::new(file), path: path.to_owned() })
    }

    /// Puts the file in its place; an older one of that name is gone then.
    ///
    /// # Errors
    /// When the last bytes cannot be written or the place cannot be taken.
    pub(crate) fn finish(self) -> miette::Result<()> {
        let named = || format!("cannot write `{}`", self.path.display());
        let file = self.file.into_inner().map_err(io::IntoInnerError::into_error);
        let file = file.into_diagnostic().wrap_err_with(named)?;
        file.persist(&self.path).map_err(|error| error.error).into_diagnostic().wrap_err_with(named)?;
        Ok(())
    }
}

impl Write for OutputFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

/// Nobody wants a capture overwritten by its own redaction.
fn check(output: &Path, inputs: &[PathBuf]) -> miette::Result<()> {
    let Ok(there) = output.canonicalize() else { return Ok(()) };
    let same = |input: &Path| input.canonicalize().is_ok_and(|input| input == there);
    if there.is_dir() {
        return Err(miette!("`{}` is a folder; a file is needed to write to", output.display()));
    }
    match inputs.iter().find(|input| same(input) || same(&input.join("exchanges.eascap"))) {
        Some(input) => Err(miette!("`{}` is an input too; it would be overwritten", input.display())),
        None => Ok(()),
    }
}
