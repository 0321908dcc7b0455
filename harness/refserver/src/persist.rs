use crate::State;

/// Where the state of the server lives between runs.
///
/// The core never calls this: whoever starts the server loads, and saves when it likes.
pub trait Persistence {
    /// What can go wrong.
    type Error: std::error::Error;

    /// The state as last saved, or `None` when there is none.
    fn load(&mut self) -> Result<Option<State>, Self::Error>;

    /// Keeps the state.
    fn save(&mut self, state: &State) -> Result<(), Self::Error>;
}

/// Keeps the state as long as the value lives: the default, and all that tests and the demo need.
#[derive(Clone, Debug, Default)]
pub struct InMemory(Option<State>);

impl Persistence for InMemory {
    type Error = std::convert::Infallible;

    fn load(&mut self) -> Result<Option<State>, Self::Error> {
        Ok(self.0.clone())
    }

    fn save(&mut self, state: &State) -> Result<(), Self::Error> {
        self.0 = Some(state.clone());
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_saved_is_loaded_again() {
        let mut memory = InMemory::default();
        assert!(memory.load().is_ok_and(|state| state.is_none()));
        assert!(memory.save(&State::new(3, "Easrig.Test")).is_ok());
        assert!(memory.load().is_ok_and(|state| state.is_some_and(|state| state.domain == "easrig.test")));
    }

    #[test]
    fn the_state_can_be_shared_between_threads() {
        fn is_shareable<T: Send + Sync>() {}
        is_shareable::<State>();
    }
}
