/// A switch that has two spellings for *on*: phones differ in which they send.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Flag {
    /// The empty element, which means on.
    Empty,
    /// `0` or `1`.
    Value(bool),
}

impl Flag {
    /// What the switch says, whichever way it is spelt.
    pub const fn is_on(self) -> bool {
        match self {
            Self::Empty => true,
            Self::Value(value) => value,
        }
    }
}

impl From<bool> for Flag {
    fn from(value: bool) -> Self {
        Self::Value(value)
    }
}
