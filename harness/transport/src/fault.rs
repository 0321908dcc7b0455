use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::task::{JoinHandle, JoinSet};

use crate::server::ServerTls;
use crate::wire;

/// One thing a bad server does with a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Act {
    /// Reads until the blank line after the headers.
    ReadHead,
    /// Sends these bytes.
    Send(Vec<u8>),
    /// Sends these bytes one by one with a pause after each.
    Drip(Vec<u8>, Duration),
    /// Sends these bytes again and again until the client has had enough.
    Repeat(Vec<u8>),
    /// Says nothing for a while.
    Wait(Duration),
    /// Says nothing until the client leaves.
    Hang,
    /// Closes with a TCP reset.
    Reset,
}

impl Act {
    /// Cuts `good`, a whole answer, at a place chosen by `seed`, then closes or resets: the same seed, the same fault.
    pub fn seeded_cut(good: &[u8], seed: u64) -> Vec<Self> {
        let draw = mix(seed);
        let length = u64::try_from(good.len()).unwrap_or(u64::MAX).max(1);
        let at = usize::try_from(draw % length).unwrap_or(0);
        let mut acts = vec![Self::ReadHead, Self::Send(good.get(..at).unwrap_or_default().to_vec())];
        if mix(draw) & 1 == 1 {
            acts.push(Self::Reset);
        }
        acts
    }

    /// Damages one byte of `good` at a place chosen by `seed`.
    pub fn seeded_damage(good: &[u8], seed: u64) -> Vec<Self> {
        let draw = mix(seed);
        let mut bytes = good.to_vec();
        let length = u64::try_from(good.len()).unwrap_or(u64::MAX).max(1);
        if let Some(byte) = usize::try_from(draw % length).ok().and_then(|at| bytes.get_mut(at)) {
            *byte ^= mix(draw).to_le_bytes()[0] | 1;
        }
        vec![Self::ReadHead, Self::Send(bytes)]
    }
}

/// A scrambler of numbers (the finisher of SplitMix64).
fn mix(seed: u64) -> u64 {
    let mut z = seed.wrapping_add(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

/// A server on the loopback that does the same bad thing on every connection, for tests of everything that talks to servers.
#[derive(Debug)]
pub struct BadServer {
    address: SocketAddr,
    task: JoinHandle<()>,
}

impl BadServer {
    /// Plays `acts` in order on every connection, then closes it.
    ///
    /// # Errors
    /// When no port of the loopback is free.
    pub async fn start(acts: Vec<Act>) -> io::Result<Self> {
        Self::with(acts, None).await
    }

    /// The same inside TLS.
    ///
    /// # Errors
    /// When no port of the loopback is free.
    pub async fn start_tls(acts: Vec<Act>, tls: ServerTls) -> io::Result<Self> {
        Self::with(acts, Some(tls)).await
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    async fn with(acts: Vec<Act>, tls: Option<ServerTls>) -> io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let address = listener.local_addr()?;
        let acts = Arc::new(acts);
        let task = tokio::spawn(async move {
            let mut running = JoinSet::new();
            while let Ok((tcp, _)) = listener.accept().await {
                let (acts, tls) = (Arc::clone(&acts), tls.clone());
                running.spawn(async move {
                    // The end of a bad connection is no news to anybody but the client.
                    let _ = match tls {
                        None => play(tcp, &acts, |tcp| tcp.set_zero_linger()).await,
                        Some(tls) => match tls.acceptor().accept(tcp).await {
                            Ok(stream) => play(stream, &acts, |stream| stream.get_ref().0.set_zero_linger()).await,
                            Err(error) => Err(error),
                        },
                    };
                });
            }
        });
        Ok(Self { address, task })
    }
}

impl Drop for BadServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn play<T: AsyncRead + AsyncWrite + Unpin>(
    mut stream: T,
    acts: &[Act],
    linger: impl Fn(&T) -> io::Result<()>,
) -> io::Result<()> {
    for act in acts {
        match act {
            Act::ReadHead => read_head(&mut stream).await?,
            Act::Send(bytes) => {
                stream.write_all(bytes).await?;
                stream.flush().await?;
            }
            Act::Drip(bytes, pause) => {
                for byte in bytes {
                    stream.write_all(&[*byte]).await?;
                    stream.flush().await?;
                    tokio::time::sleep(*pause).await;
                }
            }
            Act::Repeat(bytes) => loop {
                stream.write_all(bytes).await?;
            },
            Act::Wait(pause) => tokio::time::sleep(*pause).await,
            Act::Hang => {
                let mut sink = [0_u8; 1024];
                while stream.read(&mut sink).await? > 0 {}
            }
            Act::Reset => {
                linger(&stream)?;
                return Ok(());
            }
        }
    }
    stream.shutdown().await
}

async fn read_head<T: AsyncRead + Unpin>(stream: &mut T) -> io::Result<()> {
    let mut incoming = wire::Incoming::new(stream);
    while wire::head_end(incoming.buffered(), 0).is_none() {
        if incoming.fill().await? == 0 || incoming.buffered().len() > 1 << 20 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
    Ok(())
}
