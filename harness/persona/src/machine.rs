use std::{sync::Arc, time::Duration};

use easrig_eas::{DeviceId, Version};
use easrig_exchange::{Failure, Request, Response, Secret, Timestamp};
use url::Url;

use crate::{Confidence, DeviceError, Persona};

/// A machine without I/O: it is told what happened and says what to do next.
pub trait Machine {
    /// One thing happened at `now`; what is to be done is added to `out`.
    fn step(&mut self, input: Input, now: Timestamp, out: &mut Vec<Output>);
}

/// What happened.
#[derive(Clone, Debug)]
pub enum Input {
    /// A request was answered.
    Answered(RequestId, Box<Response>),
    /// A request has no answer.
    Failed(RequestId, Failure),
    /// A wait is over.
    TimerFired(TimerId),
    /// What the name service says; empty when it has nothing.
    SrvFound(RequestId, Vec<SrvTarget>),
}

/// What is to be done.
#[derive(Clone, Debug)]
pub enum Output {
    /// Send a request.
    Send {
        /// The name of the request.
        id: RequestId,
        /// The request, whole.
        request: Box<Request>,
        /// How long the device waits.
        patience: Patience,
        /// What it is for.
        task: TaskId,
    },
    /// Ask the name service for `_autodiscover._tcp.DOMAIN`.
    LookUpSrv {
        /// The name of the question.
        id: RequestId,
        /// The domain.
        domain: String,
    },
    /// Give up a request.
    Cancel(RequestId),
    /// Say when this time is over.
    Wait(TimerId, Duration),
    /// The owner sees an error.
    ShowOwner(DeviceError),
    /// A task is over.
    Done(TaskId, Ending),
}

/// The name of a request, unique in its phone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RequestId(pub u64);

/// The name of a wait, unique in its phone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TimerId(pub u64);

/// The name of a task, unique in its phone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TaskId(pub u64);

/// How long a device waits for the parts of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patience {
    /// For the connection.
    pub connect: Duration,
    /// For the TLS handshake.
    pub handshake: Duration,
    /// For the first byte of the answer.
    pub first_byte: Duration,
    /// For the rest of the answer.
    pub body: Duration,
}

/// A target of the name service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SrvTarget {
    /// Lowest first.
    pub priority: u16,
    /// Among equal priorities, highest first.
    pub weight: u16,
    /// The port.
    pub port: u16,
    /// The host.
    pub host: String,
}

/// How a task ended, and what that rests on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ending {
    /// How it ended.
    pub end: End,
    /// What it rests on.
    pub rests: Rests,
}

/// How a task ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    /// It is done.
    Finished,
    /// The owner sees an error.
    OwnerSees(DeviceError),
    /// It did not come about, without an error the facts give; the text says why.
    GaveUp(String),
    /// The device has no such ability; the text says which.
    CannotDo(String),
}

/// The worst evidence among the values a task rested on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rests {
    /// The worst confidence.
    pub lowest: Confidence,
    /// The keys of the values that are assumptions.
    pub assumed: Vec<String>,
}

/// What makes one phone out of a persona.
#[derive(Clone, Debug)]
pub struct Setup {
    /// Which device.
    pub persona: Arc<Persona>,
    /// The role in the scenario: `phone`, `tablet`, `partner`.
    pub role: String,
    /// The device's name, see [`Persona::device_id`].
    pub device_id: DeviceId,
    /// The account's user.
    pub user: String,
    /// The account's address, where it is known.
    pub address: Option<String>,
    /// The account's password, where it has one.
    pub secret: Option<Secret>,
    /// Where the server is.
    pub server: Server,
    /// The version to speak whatever the server offers.
    pub version: Option<Version>,
    /// The seed of everything that differs from run to run.
    pub seed: u64,
    /// A token; devices that can sign in with one do.
    pub bearer: Option<Secret>,
}

/// Where the server is.
#[derive(Clone, Debug)]
pub enum Server {
    /// Here; without a path, at the standard one.
    Url(Url),
    /// To be found by the address.
    Discover {
        /// The address.
        address: String,
    },
}
