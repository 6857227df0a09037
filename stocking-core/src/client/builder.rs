//! A client to be.

use std::{fmt, sync::Arc};

use super::{Client, ClientConfig, ClientMachine, UrlError, shared::Shared};
use crate::driver::{ClientDriver, Connector, Runtime};

/// A client to be: where it connects to, what it says there, and its limits. A URL turns into one by itself.
///
/// ```
/// use std::time::Duration;
/// use stocking_core::client::{Client, ClientConfig};
///
/// let to = Client::builder("wss://example.org/ws")
///     .header("Authorization", "Bearer secret")
///     .config(ClientConfig::new().call_timeout(Duration::from_secs(5)));
/// # let _ = to;
/// ```
pub struct ClientBuilder {
    url: String,
    headers: Vec<(String, String)>,
    config: ClientConfig,
    random: Option<Fill>,
    #[cfg(feature = "tls")]
    tls: Option<Arc<rustls::ClientConfig>>,
}

/// Fills a buffer with random bytes.
type Fill = Box<dyn FnMut(&mut [u8]) + Send>;

impl ClientBuilder {
    pub(super) fn new(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            headers: Vec::new(),
            config: ClientConfig::default(),
            random: None,
            #[cfg(feature = "tls")]
            tls: None,
        }
    }

    /// Adds a header to the upgrade request, `Authorization` for one. It is that of every connection: a client that is to have
    /// another token is another client.
    #[must_use]
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// Replaces the limits and timeouts.
    #[must_use]
    pub fn config(mut self, config: ClientConfig) -> Self {
        self.config = config;
        self
    }

    /// Replaces the source of random bytes: for tests that repeat. By default it is the operating system's.
    #[must_use]
    pub fn random(mut self, fill: impl FnMut(&mut [u8]) + Send + 'static) -> Self {
        self.random = Some(Box::new(fill));
        self
    }

    /// Replaces whom the client trusts over TLS, and how it is known itself. By default it trusts whom the operating system
    /// does, where `SSL_CERT_FILE` and `SSL_CERT_DIR` have their usual meaning: for a try, these are enough.
    ///
    /// A certificate of one's own:
    ///
    /// ```
    /// use std::{path::Path, sync::Arc};
    /// use stocking_core::{
    ///     client::{Client, ClientBuilder},
    ///     tls::rustls::{
    ///         ClientConfig, RootCertStore,
    ///         crypto::ring,
    ///         pki_types::{CertificateDer, pem::PemObject},
    ///     },
    /// };
    ///
    /// fn to_our_server(certificate: &Path) -> Result<ClientBuilder, Box<dyn std::error::Error>> {
    ///     let mut trusted = RootCertStore::empty();
    ///     trusted.add(CertificateDer::from_pem_file(certificate)?)?;
    ///     // Named, where rustls would ask for a default of the whole process.
    ///     let tls = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
    ///         .with_safe_default_protocol_versions()?
    ///         .with_root_certificates(trusted)
    ///         .with_no_client_auth();
    ///     Ok(Client::builder("wss://localhost:12345/ws").tls(tls))
    /// }
    /// # assert!(to_our_server(Path::new("no such file")).is_err());
    /// ```
    ///
    /// The adapters re-export `rustls`. Where the server has the very certificate that is trusted, it must not be that of an
    /// authority: `openssl req -x509 … -addext basicConstraints=critical,CA:FALSE`.
    #[cfg(feature = "tls")]
    #[must_use]
    pub fn tls(mut self, config: impl Into<Arc<rustls::ClientConfig>>) -> Self {
        self.tls = Some(config.into());
        self
    }

    /// What TLS needs to know, where the URL asks for it: for adapters.
    ///
    /// # Errors
    ///
    /// Where the operating system has nobody to trust.
    #[cfg(feature = "tls")]
    pub fn tls_config(&self) -> Result<Option<Arc<rustls::ClientConfig>>, UrlError> {
        match &self.tls {
            Some(config) => Ok(Some(config.clone())),
            None if self.url.get(..4).is_some_and(|scheme| scheme.eq_ignore_ascii_case("wss:")) => {
                super::tls::config().map(Some)
            }
            None => Ok(None),
        }
    }

    /// Starts the client on a runtime, with what makes its connections: for adapters, whose `connect` does it.
    ///
    /// # Errors
    ///
    /// Where the URL or a header cannot be used.
    pub fn start<R: Runtime, C: Connector>(self, runtime: R, connector: C) -> Result<Client, UrlError> {
        let mut machine = ClientMachine::new(&self.url, self.config, runtime.now())?;
        for (name, value) in &self.headers {
            machine = machine.with_header(name, value)?;
        }
        if let Some(fill) = self.random {
            machine = machine.with_random(fill);
        }
        if machine.target().is_tls() && !connector.speaks_tls() {
            return Err(UrlError::NoTls);
        }
        let clock = runtime.clone();
        let shared = Arc::new(Shared::new(machine, move || clock.now()));
        runtime.spawn(ClientDriver::new(runtime.clone(), connector, shared.clone()));
        Ok(Client::new(shared))
    }
}

impl From<&str> for ClientBuilder {
    fn from(url: &str) -> Self {
        Self::new(url)
    }
}

impl From<&String> for ClientBuilder {
    fn from(url: &String) -> Self {
        Self::new(url)
    }
}

impl From<String> for ClientBuilder {
    fn from(url: String) -> Self {
        Self::new(url)
    }
}

impl fmt::Debug for ClientBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Headers may hold secrets.
        f.debug_struct("ClientBuilder")
            .field("url", &self.url)
            .field("config", &self.config)
            .finish_non_exhaustive()
    }
}
