//! TLS and certificates, as the phones saw them.

use std::collections::BTreeSet;

use easrig_exchange::{Exchange, OfferAnswer, TlsOffer, TlsSession};
use easrig_scenario::event::TlsAsked;
use x509_parser::{extensions::GeneralName, prelude::FromDer, prelude::X509Certificate};

use crate::{html::Maker, told::Told};

pub(in crate::html) struct Endpoint {
    /// The host and port; several where they answer with the same.
    pub(in crate::html) host: String,
    pub(in crate::html) version: String,
    pub(in crate::html) suite: String,
    /// False when an untrusted chain was let pass.
    pub(in crate::html) verified: bool,
    pub(in crate::html) chain: Vec<Certificate>,
}

/// What a host made of the versions of TLS that it was asked for.
pub(in crate::html) struct Asked {
    pub(in crate::html) host: String,
    pub(in crate::html) offers: Vec<Offered>,
}

pub(in crate::html) struct Offered {
    pub(in crate::html) version: String,
    /// The key of the answer's word.
    pub(in crate::html) says: &'static str,
    pub(in crate::html) how: Told,
}

pub(in crate::html) struct Certificate {
    pub(in crate::html) subject: String,
    pub(in crate::html) issuer: String,
    pub(in crate::html) from: String,
    pub(in crate::html) to: String,
    pub(in crate::html) names: String,
    pub(in crate::html) key: String,
    /// It does not hold when the run began.
    pub(in crate::html) stale: bool,
}

/// How many exchanges of a phone are looked at: connections are made at the beginning.
const LOOKED_AT: usize = 12;

/// The most endpoints in the table.
const ENDPOINTS_MOST: usize = 24;

/// The most names of a certificate that are shown.
const NAMES_MOST: usize = 12;

pub(super) fn endpoints(maker: &Maker<'_>) -> Vec<Endpoint> {
    let mut seen: Vec<(TlsSession, BTreeSet<String>)> = Vec::new();
    for phone in crate::html::head::phones(maker.run) {
        let own = maker.run.exchanges.iter().filter(|exchange| exchange.cell.persona == phone);
        for exchange in own.take(LOOKED_AT).filter_map(|exchange| (maker.find)(exchange.number)) {
            let Some(tls) = &exchange.tls else { continue };
            let alike = |one: &TlsSession| {
                (&one.version, &one.cipher_suite, one.verified, &one.chain)
                    == (&tls.version, &tls.cipher_suite, tls.verified, &tls.chain)
            };
            match seen.iter().position(|(one, _)| alike(one)) {
                Some(place) => {
                    let hosts =
                        seen.get_mut(place).map(|(_, hosts)| hosts).filter(|hosts| hosts.len() < ENDPOINTS_MOST);
                    hosts.into_iter().for_each(|hosts| _ = hosts.insert(host(&exchange)));
                }
                None if seen.len() < ENDPOINTS_MOST => seen.push((tls.clone(), BTreeSet::from([host(&exchange)]))),
                None => {}
            }
        }
    }
    let endpoint = |(tls, hosts): (TlsSession, BTreeSet<String>)| {
        endpoint(hosts.into_iter().collect::<Vec<_>>().join(", "), &tls, maker)
    };
    seen.into_iter().map(endpoint).collect()
}

/// What each host takes of TLS.
pub(super) fn asked(maker: &Maker<'_>) -> Vec<Asked> {
    let offer = |offer: &TlsOffer| Offered {
        version: offer.version.to_string(),
        says: match offer.answer {
            OfferAnswer::Accepted => "tls.accepted",
            OfferAnswer::Refused => "tls.refused",
            OfferAnswer::Unclear => "tls.unclear",
        },
        how: maker.words.told(&offer.how),
    };
    let host =
        |asked: &TlsAsked| Asked { host: asked.endpoint.clone(), offers: asked.offers.iter().map(offer).collect() };
    maker.run.tls.iter().take(ENDPOINTS_MOST).map(host).collect()
}

fn host(exchange: &Exchange) -> String {
    let url = &exchange.request.url;
    let host = url.host_str().unwrap_or_default();
    url.port_or_known_default().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}

fn endpoint(host: String, tls: &TlsSession, maker: &Maker<'_>) -> Endpoint {
    let at = maker.run.started.at.0 / 1_000_000;
    Endpoint {
        host,
        version: tls.version.clone(),
        suite: tls.cipher_suite.clone(),
        verified: tls.verified,
        chain: tls.chain.iter().take(8).filter_map(|der| certificate(der, at)).collect(),
    }
}

/// What a certificate says of itself, at a time in seconds since 1970; `None` when it cannot be read.
fn certificate(der: &[u8], at: i64) -> Option<Certificate> {
    let (_, found) = X509Certificate::from_der(der).ok()?;
    let day = |seconds: i64| {
        jiff::Timestamp::from_second(seconds).map_or_else(|_| "?".to_owned(), |at| at.strftime("%Y-%m-%d").to_string())
    };
    let [from, to] = [found.validity().not_before.timestamp(), found.validity().not_after.timestamp()];
    let names = found.subject_alternative_name().ok().flatten();
    let names =
        names.map(|names| names.value.general_names.iter().filter_map(name).take(NAMES_MOST).collect::<Vec<_>>());
    let key = found.public_key().parsed().map(|key| match key {
        x509_parser::public_key::PublicKey::RSA(rsa) => format!("RSA {}", rsa.key_size()),
        x509_parser::public_key::PublicKey::EC(point) => format!("EC {}", point.key_size()),
        _ => String::new(),
    });
    Some(Certificate {
        subject: found.subject().to_string(),
        issuer: found.issuer().to_string(),
        from: day(from),
        to: day(to),
        names: names.unwrap_or_default().join(", "),
        key: key.unwrap_or_default(),
        stale: at < from || at > to,
    })
}

fn name(name: &GeneralName<'_>) -> Option<String> {
    match name {
        GeneralName::DNSName(name) => Some((*name).to_owned()),
        GeneralName::IPAddress([a, b, c, d]) => Some(format!("{a}.{b}.{c}.{d}")),
        _ => None,
    }
}
