use std::fmt::Write as _;

use easrig_eas::Version;

use super::draft::Draft;

/// A scenario file that was written from recorded exchanges, and what is not in it.
#[derive(Debug)]
pub struct Authored {
    pub(super) version: Option<Version>,
    pub(super) draft: Draft,
    pub(super) steps: String,
    pub(super) commands: usize,
    pub(super) left_out: Vec<(u64, String)>,
    pub(super) unnamed: usize,
    pub(super) ladder: Option<Rung>,
}

/// What a recording of nothing but the ladder is about.
#[derive(Clone, Copy, Debug)]
pub(super) enum Rung {
    Options,
    Provision,
}

impl Authored {
    /// How many recorded requests became steps.
    pub fn written(&self) -> usize {
        self.commands + usize::from(self.ladder.is_some())
    }

    /// The exchanges that became no step, and why; beyond the first thousand they are only counted.
    pub fn left_out(&self) -> &[(u64, String)] {
        &self.left_out
    }

    /// How many more became no step.
    pub fn unnamed(&self) -> usize {
        self.unnamed
    }

    /// The text of the file.
    pub fn file(&self, id: &str) -> String {
        let mut out = String::from("# Written from recorded traffic.\n");
        for (number, why) in &self.left_out {
            let _ = writeln!(out, "# Left out: exchange {number}: {}", why.replace(char::is_control, " "));
        }
        if self.unnamed > 0 {
            let _ = writeln!(out, "# Left out: {} more", self.unnamed);
        }
        self.head(id, &mut out);
        out.push_str(&self.steps);
        match self.ladder {
            Some(Rung::Options) => out.push_str(OPTIONS),
            Some(Rung::Provision) => out.push_str(PROVISION),
            None => {}
        }
        self.cleanup(&mut out);
        out
    }

    fn head(&self, id: &str, out: &mut String) {
        let draft = &self.draft;
        let effects = match (draft.destroys, draft.writes) {
            (true, _) => "destroys",
            (false, true) => "writes",
            (false, false) => "reads",
        };
        let start = match (self.ladder, draft.foldered || draft.writes) {
            (Some(Rung::Options), _) => "none",
            (Some(Rung::Provision), _) => "options",
            (None, true) => "foldered",
            (None, false) => "provisioned",
        };
        let _ = writeln!(out, "id       = \"{id}\"\ntitle    = \"The server answers a recorded sequence as it did\"");
        out.push_str("req      = []\n");
        if let Some(version) = self.version {
            let _ = writeln!(out, "versions = [\"{version}\"]");
        }
        let _ = writeln!(out, "start    = \"{start}\"\neffects  = \"{effects}\"");
        let needs = [(draft.partner, "\"partner\""), (draft.tablet, "\"tablet\"")];
        let needs: Vec<_> = needs.into_iter().filter_map(|(needed, name)| needed.then_some(name)).collect();
        if !needs.is_empty() {
            let _ = writeln!(out, "needs    = [{}]", needs.join(", "));
        }
    }

    fn cleanup(&self, out: &mut String) {
        for folder in &self.draft.remains {
            let _ = write!(
                out,
                "\n[[cleanup]]\nsend = \"FolderDelete\"\nbody = '''\n<FolderDelete xmlns=\"FolderHierarchy\">\
                 <SyncKey>{{folder_key}}</SyncKey><ServerId>{{{folder}}}</ServerId></FolderDelete>\n'''\n"
            );
        }
        if self.draft.away {
            out.push_str(OOF_OFF);
        }
        if self.draft.writes {
            out.push_str("\n[[cleanup]]\ndo = \"tidy\"\n");
        }
    }
}

pub(super) const PROVISION: &str = "\n[[step]]\ndo = \"provision\"\n";

pub(super) const OPTIONS: &str = "\n[[step]]\nsend = \"OPTIONS\"\n[step.expect]\nhttp   = 200\nheader = [\n  \
                                  { name = \"MS-ASProtocolVersions\" },\n  { name = \"MS-ASProtocolCommands\" },\n]\n";

const OOF_OFF: &str = "\n[[cleanup]]\nsend = \"Settings\"\nbody = '''\n<Settings xmlns=\"Settings\"><Oof><Set>\
                       <OofState>0</OofState></Set></Oof></Settings>\n'''\n";
