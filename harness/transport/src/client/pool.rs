use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use easrig_exchange::Failure;
use url::Url;

use super::connection::Connection;

/// How many idle connections to one endpoint are kept; phones hold few.
const MAX_IDLE: usize = 4;

/// Where a request goes: what must be equal for a connection to be used again.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Endpoint {
    pub(super) tls: bool,
    pub(super) host: String,
    pub(super) port: u16,
}

impl Endpoint {
    pub(super) fn of(url: &Url) -> Result<Self, Failure> {
        let unreachable = |detail: &str| Failure::Unreachable {
            host: url.host_str().unwrap_or_default().to_owned(),
            port: url.port().unwrap_or_default(),
            detail: detail.to_owned(),
        };
        let tls = match url.scheme() {
            "https" => true,
            "http" => false,
            other => return Err(unreachable(&format!("`{other}` is neither http nor https"))),
        };
        let host = url.host_str().ok_or_else(|| unreachable("the URL names no host"))?;
        let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
        Ok(Self { tls, host, port: url.port_or_known_default().unwrap_or(if tls { 443 } else { 80 }) })
    }
}

/// Idle connections of one device.
#[derive(Debug, Default)]
pub(super) struct Pool {
    idle: Mutex<HashMap<Endpoint, Vec<Connection>>>,
}

impl Pool {
    /// The connection used last that is still open; closed ones are dropped on the way.
    pub(super) fn take(&self, endpoint: &Endpoint) -> Option<Connection> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = idle.get_mut(endpoint)?;
        while let Some(mut connection) = kept.pop() {
            if connection.is_quiet() {
                return Some(connection);
            }
        }
        None
    }

    pub(super) fn put(&self, endpoint: Endpoint, connection: Connection) {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = idle.entry(endpoint).or_default();
        if kept.len() >= MAX_IDLE {
            kept.remove(0);
        }
        kept.push(connection);
    }
}
