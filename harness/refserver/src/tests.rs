//! The core as phones see it: whole commands, no sockets, the time handed in.

mod folders;
mod hostile;
mod items;
mod mail;
mod meetings;
mod ping;
mod rig;
mod switches;
mod sync;
mod versions;
