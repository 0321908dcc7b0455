/// What a device has of one folder.
#[derive(Clone, Debug)]
pub(crate) struct CollectionState {}
