use std::net::SocketAddr;

use easrig_exchange::Timestamp;

/// One end of a connection, by the order of the two addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    Low,
    High,
}

impl Side {
    pub(crate) fn other(self) -> Self {
        match self {
            Self::Low => Self::High,
            Self::High => Self::Low,
        }
    }

    /// What belongs to this side.
    pub(crate) fn of<T>(self, both: &[T; 2]) -> &T {
        let [low, high] = both;
        match self {
            Self::Low => low,
            Self::High => high,
        }
    }

    /// What belongs to this side, to change it.
    pub(crate) fn of_mut<T>(self, both: &mut [T; 2]) -> &mut T {
        let [low, high] = both;
        match self {
            Self::Low => low,
            Self::High => high,
        }
    }
}

/// The two ends, in order, so that both directions have one name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Both<T> {
    pub(crate) low: T,
    pub(crate) high: T,
}

impl Both<SocketAddr> {
    /// The pair, and the side on which `source` is.
    pub(crate) fn ordered(source: SocketAddr, destination: SocketAddr) -> (Self, Side) {
        if source <= destination {
            (Self { low: source, high: destination }, Side::Low)
        } else {
            (Self { low: destination, high: source }, Side::High)
        }
    }

    pub(crate) fn of(&self, side: Side) -> SocketAddr {
        match side {
            Side::Low => self.low,
            Side::High => self.high,
        }
    }
}

/// What both sides said, by its time; what one side said stays in its order, whatever the times in it.
pub(crate) fn in_turn<T>(low: Vec<T>, high: Vec<T>, at: impl Fn(&T) -> Timestamp) -> Vec<T> {
    let (mut low, mut high) = (low.into_iter().peekable(), high.into_iter().peekable());
    let next = || match (low.peek(), high.peek()) {
        (Some(one), Some(other)) if at(other) < at(one) => high.next(),
        (None, _) => high.next(),
        _ => low.next(),
    };
    std::iter::from_fn(next).collect()
}
