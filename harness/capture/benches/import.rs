//! Bytes of capture per second, on the committed captures. `benches/peers.sh` measures against other tools on large ones.

use std::hint::black_box;
use std::io::Cursor;

use divan::Bencher;
use divan::counter::BytesCount;
use easrig_capture::{Options, ServerKey, import};

const PLAIN: &[u8] = include_bytes!("../../../captures/cooked.pcapng");
const TLS_13: &[u8] = include_bytes!("../../../captures/tls13-keys-inside.pcapng");
const TLS_10_CBC: &[u8] = include_bytes!("../../../captures/tls10-rsa-cbc.pcap");
const SERVER_KEY: &str = include_str!("../../../captures/server-key.pem");

fn main() {
    divan::main();
}

fn measure(bencher: Bencher<'_, '_>, capture: &'static [u8], options: &Options) {
    bencher.counter(BytesCount::of_slice(capture)).bench(|| {
        let tally = import(Cursor::new(capture), options, &mut |exchange| {
            black_box(exchange);
            Ok(())
        });
        black_box(tally.is_ok_and(|tally| tally.is_complete()))
    });
}

#[divan::bench]
fn plain(bencher: Bencher<'_, '_>) {
    measure(bencher, PLAIN, &Options::default());
}

#[divan::bench]
fn tls_13_key_log(bencher: Bencher<'_, '_>) {
    measure(bencher, TLS_13, &Options::default());
}

#[divan::bench]
fn tls_10_server_key(bencher: Bencher<'_, '_>) {
    let server_keys = ServerKey::from_pem(SERVER_KEY).into_iter().collect();
    measure(bencher, TLS_10_CBC, &Options { server_keys, ..Options::default() });
}
