/// What a cipher suite means for the records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Suite {
    /// Its name in the registry, without the leading `TLS_`.
    name: &'static str,
    pub(super) cipher: Cipher,
    /// Hash of the MAC, for suites that have one.
    pub(super) mac: Hash,
    /// Hash of the key derivation from TLS 1.2 on.
    pub(super) prf: Hash,
}

impl Suite {
    /// The suite with this number, if its records can be opened.
    pub(super) fn of_number(number: u16) -> Option<Self> {
        let (_, name, cipher, mac) = SUITES.iter().find(|(known, ..)| *known == number)?;
        let prf = if name.ends_with("SHA384") { Hash::Sha384 } else { Hash::Sha256 };
        Some(Self { name, cipher: *cipher, mac: *mac, prf })
    }

    pub(super) fn name(&self) -> String {
        format!("TLS_{}", self.name)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cipher {
    Aes128Gcm,
    Aes256Gcm,
    ChaCha20,
    Aes128Cbc,
    Aes256Cbc,
    TripleDesCbc,
    Rc4,
}

impl Cipher {
    /// Length of the key in bytes.
    pub(super) fn key(self) -> usize {
        match self {
            Self::Aes128Gcm | Self::Aes128Cbc | Self::Rc4 => 16,
            Self::TripleDesCbc => 24,
            Self::Aes256Gcm | Self::ChaCha20 | Self::Aes256Cbc => 32,
        }
    }

    /// Length of the fixed part of the IV, as the key block of TLS 1.2 holds it.
    pub(super) fn fixed_iv(self) -> usize {
        match self {
            Self::Aes128Gcm | Self::Aes256Gcm => 4,
            Self::ChaCha20 => 12,
            Self::Aes128Cbc | Self::Aes256Cbc | Self::TripleDesCbc | Self::Rc4 => 0,
        }
    }

    /// Length of a block, for CBC.
    pub(super) fn block(self) -> usize {
        match self {
            Self::Aes128Cbc | Self::Aes256Cbc => 16,
            Self::TripleDesCbc => 8,
            _ => 0,
        }
    }

    pub(super) fn is_aead(self) -> bool {
        matches!(self, Self::Aes128Gcm | Self::Aes256Gcm | Self::ChaCha20)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Hash {
    Md5,
    Sha1,
    Sha256,
    Sha384,
}

impl Hash {
    /// Length of its output in bytes.
    pub(super) fn length(self) -> usize {
        match self {
            Self::Md5 => 16,
            Self::Sha1 => 20,
            Self::Sha256 => 32,
            Self::Sha384 => 48,
        }
    }
}

type Row = (u16, &'static str, Cipher, Hash);

/// Number, name, cipher, hash of the MAC (of the transcript where there is no MAC).
const SUITES: &[Row] = &[
    (0x0004, "RSA_WITH_RC4_128_MD5", Cipher::Rc4, Hash::Md5),
    (0x0005, "RSA_WITH_RC4_128_SHA", Cipher::Rc4, Hash::Sha1),
    (0x000A, "RSA_WITH_3DES_EDE_CBC_SHA", Cipher::TripleDesCbc, Hash::Sha1),
    (0x0013, "DHE_DSS_WITH_3DES_EDE_CBC_SHA", Cipher::TripleDesCbc, Hash::Sha1),
    (0x0016, "DHE_RSA_WITH_3DES_EDE_CBC_SHA", Cipher::TripleDesCbc, Hash::Sha1),
    (0x002F, "RSA_WITH_AES_128_CBC_SHA", Cipher::Aes128Cbc, Hash::Sha1),
    (0x0032, "DHE_DSS_WITH_AES_128_CBC_SHA", Cipher::Aes128Cbc, Hash::Sha1),
    (0x0033, "DHE_RSA_WITH_AES_128_CBC_SHA", Cipher::Aes128Cbc, Hash::Sha1),
    (0x0035, "RSA_WITH_AES_256_CBC_SHA", Cipher::Aes256Cbc, Hash::Sha1),
    (0x0038, "DHE_DSS_WITH_AES_256_CBC_SHA", Cipher::Aes256Cbc, Hash::Sha1),
    (0x0039, "DHE_RSA_WITH_AES_256_CBC_SHA", Cipher::Aes256Cbc, Hash::Sha1),
    (0x003C, "RSA_WITH_AES_128_CBC_SHA256", Cipher::Aes128Cbc, Hash::Sha256),
    (0x003D, "RSA_WITH_AES_256_CBC_SHA256", Cipher::Aes256Cbc, Hash::Sha256),
    (0x0067, "DHE_RSA_WITH_AES_128_CBC_SHA256", Cipher::Aes128Cbc, Hash::Sha256),
    (0x006B, "DHE_RSA_WITH_AES_256_CBC_SHA256", Cipher::Aes256Cbc, Hash::Sha256),
    (0x009C, "RSA_WITH_AES_128_GCM_SHA256", Cipher::Aes128Gcm, Hash::Sha256),
    (0x009D, "RSA_WITH_AES_256_GCM_SHA384", Cipher::Aes256Gcm, Hash::Sha384),
    (0x009E, "DHE_RSA_WITH_AES_128_GCM_SHA256", Cipher::Aes128Gcm, Hash::Sha256),
    (0x009F, "DHE_RSA_WITH_AES_256_GCM_SHA384", Cipher::Aes256Gcm, Hash::Sha384),
    (0x1301, "AES_128_GCM_SHA256", Cipher::Aes128Gcm, Hash::Sha256),
    (0x1302, "AES_256_GCM_SHA384", Cipher::Aes256Gcm, Hash::Sha384),
    (0x1303, "CHACHA20_POLY1305_SHA256", Cipher::ChaCha20, Hash::Sha256),
    (0xC007, "ECDHE_ECDSA_WITH_RC4_128_SHA", Cipher::Rc4, Hash::Sha1),
    (0xC008, "ECDHE_ECDSA_WITH_3DES_EDE_CBC_SHA", Cipher::TripleDesCbc, Hash::Sha1),
    (0xC009, "ECDHE_ECDSA_WITH_AES_128_CBC_SHA", Cipher::Aes128Cbc, Hash::Sha1),
    (0xC00A, "ECDHE_ECDSA_WITH_AES_256_CBC_SHA", Cipher::Aes256Cbc, Hash::Sha1),
    (0xC011, "ECDHE_RSA_WITH_RC4_128_SHA", Cipher::Rc4, Hash::Sha1),
    (0xC012, "ECDHE_RSA_WITH_3DES_EDE_CBC_SHA", Cipher::TripleDesCbc, Hash::Sha1),
    (0xC013, "ECDHE_RSA_WITH_AES_128_CBC_SHA", Cipher::Aes128Cbc, Hash::Sha1),
    (0xC014, "ECDHE_RSA_WITH_AES_256_CBC_SHA", Cipher::Aes256Cbc, Hash::Sha1),
    (0xC023, "ECDHE_ECDSA_WITH_AES_128_CBC_SHA256", Cipher::Aes128Cbc, Hash::Sha256),
    (0xC024, "ECDHE_ECDSA_WITH_AES_256_CBC_SHA384", Cipher::Aes256Cbc, Hash::Sha384),
    (0xC027, "ECDHE_RSA_WITH_AES_128_CBC_SHA256", Cipher::Aes128Cbc, Hash::Sha256),
    (0xC028, "ECDHE_RSA_WITH_AES_256_CBC_SHA384", Cipher::Aes256Cbc, Hash::Sha384),
    (0xC02B, "ECDHE_ECDSA_WITH_AES_128_GCM_SHA256", Cipher::Aes128Gcm, Hash::Sha256),
    (0xC02C, "ECDHE_ECDSA_WITH_AES_256_GCM_SHA384", Cipher::Aes256Gcm, Hash::Sha384),
    (0xC02F, "ECDHE_RSA_WITH_AES_128_GCM_SHA256", Cipher::Aes128Gcm, Hash::Sha256),
    (0xC030, "ECDHE_RSA_WITH_AES_256_GCM_SHA384", Cipher::Aes256Gcm, Hash::Sha384),
    (0xCCA8, "ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256", Cipher::ChaCha20, Hash::Sha256),
    (0xCCA9, "ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256", Cipher::ChaCha20, Hash::Sha256),
    (0xCCAA, "DHE_RSA_WITH_CHACHA20_POLY1305_SHA256", Cipher::ChaCha20, Hash::Sha256),
];
