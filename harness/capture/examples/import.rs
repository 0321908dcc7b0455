//! Imports a file and prints its tally: `cargo run --release --example import -- FILE [KEYLOG | SERVER-KEY.pem]`.

use std::error::Error;
use std::fs::File;
use std::io::BufReader;

use easrig_capture::{KeyLog, Options, ServerKey, import};
use easrig_exchange::Exchange;
use easrig_wbxml::Document;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args_os().skip(1);
    let file = File::open(arguments.next().ok_or("which file?")?)?;
    let mut options = Options::default();
    if let Some(keys) = arguments.next() {
        match ServerKey::from_pem(&std::fs::read_to_string(&keys)?) {
            Ok(key) => options.server_keys.push(key),
            Err(_) => options.key_log = KeyLog::read(BufReader::new(File::open(&keys)?))?,
        }
    }
    let mut documents = 0;
    let tally = import(file, &options, &mut |exchange| {
        documents += wbxml_documents(&exchange);
        Ok(())
    })?;
    println!("{tally}\n{documents} WBXML documents");
    tally.gaps.iter().take(20).for_each(|gap| println!("{gap}"));
    Ok(())
}

fn wbxml_documents(exchange: &Exchange) -> usize {
    let answer = exchange.response().map(|response| response.body.as_slice()).unwrap_or_default();
    [exchange.request.body.as_slice(), answer].into_iter().filter(|body| Document::decode(body).is_ok()).count()
}
