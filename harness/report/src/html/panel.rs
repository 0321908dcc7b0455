//! What a run knows beside its verdicts; each panel is there only where the run holds its data.

mod coverage;
mod discovery;
mod offer;
mod policy;
mod status;
mod timing;
mod tls;

pub(super) use coverage::Coverage;
pub(super) use discovery::Path;
pub(super) use offer::Offer;
pub(super) use policy::Policies;
pub(super) use status::Statuses;
pub(super) use timing::Timing;
pub(super) use tls::{Asked, Endpoint};

use super::Maker;

pub(super) struct Panels {
    pub(super) paths: Vec<Path>,
    pub(super) endpoints: Vec<Endpoint>,
    pub(super) asked: Vec<Asked>,
    pub(super) offer: Offer,
    pub(super) policies: Option<Policies>,
    pub(super) statuses: Statuses,
    pub(super) coverage: Option<Coverage>,
    pub(super) timings: Vec<Timing>,
}

impl Panels {
    pub(super) fn of(maker: &Maker<'_>) -> Self {
        Self {
            paths: discovery::paths(maker),
            endpoints: tls::endpoints(maker),
            asked: tls::asked(maker),
            offer: Offer::of(maker),
            policies: Policies::of(maker),
            statuses: Statuses::of(maker),
            coverage: Coverage::of(maker),
            timings: timing::timings(maker.run),
        }
    }
}
