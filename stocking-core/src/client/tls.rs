//! Whom a client trusts.

use std::sync::Arc;

use rustls::{ClientConfig, RootCertStore, crypto::ring};

use super::UrlError;

/// TLS 1.2 and 1.3, to whom the operating system trusts.
pub(super) fn config() -> Result<Arc<ClientConfig>, UrlError> {
    let found = rustls_native_certs::load_native_certs();
    let mut roots = RootCertStore::empty();
    let (trusted, _) = roots.add_parsable_certificates(found.certs);
    if trusted == 0 {
        let errors: Vec<_> = found.errors.iter().map(ToString::to_string).collect();
        return Err(UrlError::NobodyToTrust(errors.join("; ")));
    }
    // Named, where rustls would ask for a default of the whole process.
    let mut config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| UrlError::NobodyToTrust(error.to_string()))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}
