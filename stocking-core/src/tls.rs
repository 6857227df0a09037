//! What a server over TLS needs to know: its certificate and its key.
//!
//! Only that. The bytes are the adapters' affair, which take the crate of their runtime for them. It is here so that it is
//! written once. [`TlsConfig::from_pem_files`] reads files, and so does a client that is to trust whom the operating system
//! does: these are the only things in this crate that do I/O, and they are done
//! before anything is served or asked.

use std::{
    fmt, fs, io,
    path::{Path, PathBuf},
    sync::Arc,
};

pub use rustls;
use rustls::{
    InconsistentKeys, ServerConfig,
    crypto::ring,
    pki_types::{
        CertificateDer, PrivateKeyDer,
        pem::{self, PemObject},
    },
    sign::{CertifiedKey, SingleCertAndKey},
};

/// A certificate and its key, for TLS 1.2 and 1.3, ready to be served.
///
/// Who wants more, such as certificates of clients, several host names or renewal without a restart, makes a configuration
/// of rustls, and a `TlsConfig` from that.
#[derive(Clone)]
pub struct TlsConfig(Arc<ServerConfig>);

impl TlsConfig {
    /// Reads two files: the certificate, with those between it and its root behind it, and its private key (PKCS #8,
    /// PKCS #1 or SEC 1, not encrypted). They may be the same file.
    ///
    /// # Errors
    ///
    /// [`TlsError`] says which file, and what is wrong with it.
    pub fn from_pem_files(
        certificates: impl AsRef<Path>,
        private_key: impl AsRef<Path>,
    ) -> Result<Self, TlsError> {
        let (certificates, private_key) = (certificates.as_ref(), private_key.as_ref());
        Self::parse(
            Pem { path: Some(certificates), bytes: &read(certificates)? },
            Pem { path: Some(private_key), bytes: &read(private_key)? },
        )
    }

    /// As [`from_pem_files`](Self::from_pem_files), of what such files hold.
    ///
    /// # Errors
    ///
    /// [`TlsError`] says what is wrong.
    pub fn from_pem(certificates: impl AsRef<[u8]>, private_key: impl AsRef<[u8]>) -> Result<Self, TlsError> {
        Self::parse(
            Pem { path: None, bytes: certificates.as_ref() },
            Pem { path: None, bytes: private_key.as_ref() },
        )
    }

    fn parse(certificates: Pem<'_>, private_key: Pem<'_>) -> Result<Self, TlsError> {
        let chain = CertificateDer::pem_slice_iter(certificates.bytes)
            .collect::<Result<Vec<_>, _>>()
            .map_err(|error| certificates.error(TlsFault::Malformed(error.to_string())))?;
        if chain.is_empty() {
            return Err(certificates.error(TlsFault::NoCertificate));
        }
        let key = PrivateKeyDer::from_pem_slice(private_key.bytes).map_err(|error| {
            private_key.error(match error {
                pem::Error::NoItemsFound => TlsFault::NoPrivateKey,
                error => TlsFault::Malformed(error.to_string()),
            })
        })?;
        // Named, where rustls would ask for a default of the whole process.
        let provider = Arc::new(ring::default_provider());
        let key = provider
            .key_provider
            .load_private_key(key)
            .map_err(|error| private_key.error(TlsFault::Unusable(error.to_string())))?;
        let certified = CertifiedKey::new(chain, key);
        match certified.keys_match() {
            Ok(()) | Err(rustls::Error::InconsistentKeys(InconsistentKeys::Unknown)) => {}
            Err(rustls::Error::InconsistentKeys(_)) => return Err(private_key.error(TlsFault::WrongKey)),
            Err(error) => return Err(certificates.error(TlsFault::Unusable(error.to_string()))),
        }
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| certificates.error(TlsFault::Unusable(error.to_string())))?
            .with_no_client_auth()
            .with_cert_resolver(Arc::new(SingleCertAndKey::from(certified)));
        // A browser that is offered HTTP/2 would ask for WebSocket in another way.
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Self(Arc::new(config)))
    }
}

/// A configuration of your own. To be safe with browsers its `alpn_protocols` should be `http/1.1`, or none.
impl From<Arc<ServerConfig>> for TlsConfig {
    fn from(config: Arc<ServerConfig>) -> Self {
        Self(config)
    }
}

impl From<TlsConfig> for Arc<ServerConfig> {
    fn from(config: TlsConfig) -> Self {
        config.0
    }
}

impl fmt::Debug for TlsConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TlsConfig").finish_non_exhaustive()
    }
}

/// Text with PEM in it, and where it is from.
#[derive(Clone, Copy)]
struct Pem<'a> {
    path: Option<&'a Path>,
    bytes: &'a [u8],
}

impl Pem<'_> {
    fn error(self, fault: TlsFault) -> TlsError {
        TlsError { path: self.path.map(Path::to_owned), fault }
    }
}

fn read(path: &Path) -> Result<Vec<u8>, TlsError> {
    fs::read(path)
        .map_err(|error| TlsError { path: Some(path.to_owned()), fault: TlsFault::Unreadable(error) })
}

/// Why there is no [`TlsConfig`].
#[derive(Debug)]
pub struct TlsError {
    path: Option<PathBuf>,
    fault: TlsFault,
}

/// What is wrong with a certificate or a private key.
#[derive(Debug)]
#[non_exhaustive]
pub enum TlsFault {
    /// The file cannot be read.
    Unreadable(io::Error),
    /// It begins as PEM, and goes on in another way.
    Malformed(String),
    /// It is without a certificate.
    NoCertificate,
    /// It is without a private key, or with an encrypted one only.
    NoPrivateKey,
    /// It is the private key of another certificate.
    WrongKey,
    /// The certificate or the key is not valid, or of an unknown kind.
    Unusable(String),
}

impl TlsError {
    /// The file in question; none where [`TlsConfig::from_pem`] was given its content.
    #[must_use]
    pub fn path(&self) -> Option<&Path> {
        self.path.as_deref()
    }

    /// What is wrong with it.
    #[must_use]
    pub fn fault(&self) -> &TlsFault {
        &self.fault
    }
}

impl fmt::Display for TlsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(path) = &self.path {
            write!(f, "{}: ", path.display())?;
        }
        match &self.fault {
            TlsFault::Unreadable(error) => write!(f, "cannot be read: {error}"),
            TlsFault::Malformed(reason) => write!(f, "malformed PEM: {reason}"),
            TlsFault::NoCertificate => f.write_str("no certificate in it (PEM is read, not DER)"),
            TlsFault::NoPrivateKey => {
                f.write_str("no private key in it (PEM is read, not DER), or an encrypted one")
            }
            TlsFault::WrongKey => f.write_str("the private key does not fit the certificate"),
            TlsFault::Unusable(reason) => write!(f, "cannot be used: {reason}"),
        }
    }
}

impl std::error::Error for TlsError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.fault {
            TlsFault::Unreadable(error) => Some(error),
            _ => None,
        }
    }
}

/// So that `?` will do in a `main` that returns [`io::Result`].
impl From<TlsError> for io::Error {
    fn from(error: TlsError) -> Self {
        let kind = match &error.fault {
            TlsFault::Unreadable(error) => error.kind(),
            _ => io::ErrorKind::InvalidInput,
        };
        Self::new(kind, error)
    }
}
