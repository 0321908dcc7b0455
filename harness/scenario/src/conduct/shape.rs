//! Every element of a request stands where the standard puts it.

use easrig_eas::schema::{self, Direction};

use super::{Conduct, Remark, Seen, Watch};
use crate::{Level, invariant::answer_shape::is_filler};

pub(super) const CONDUCT: Conduct = Conduct {
    name: "request-shape",
    title: "Every element of a request stands in its place, with a value of its type, in a version that has it",
    why: "A strict server refuses the whole request; a lenient one leaves out what it does not expect.",
    watch: || Box::new(Shape),
};

#[derive(Debug)]
struct Shape;

impl Watch for Shape {
    fn look(&mut self, seen: &Seen<'_>, out: &mut Vec<Remark>) {
        let decoded = seen.decoded;
        let (Some(document), Some(command), Some(version), true) =
            (decoded.request.document(), decoded.command(), decoded.version, seen.whole)
        else {
            return;
        };
        let problems = schema::check(document, command, Direction::Request, version);
        out.push(Remark::Kept);
        let told = |problem| Remark::broken(Level::Must, "the shape that the standard gives", format!("{problem}"));
        out.extend(problems.into_iter().filter(|problem| !is_filler(problem)).map(told));
    }
}
