// OpenSSL 3 as Debian ships it, and the function macros that Swift cannot import.
#pragma once
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

static inline int sluice_ssl_require_tls12(SSL_CTX *context) { return (int)SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION); }
static inline void sluice_ssl_release_buffers(SSL_CTX *context) { SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS); }
// A peer that drops TCP without close_notify is an end of file, not an error of the library.
static inline void sluice_ssl_tolerate_abrupt_end(SSL_CTX *context) { SSL_CTX_set_options(context, SSL_OP_IGNORE_UNEXPECTED_EOF); }
static inline int sluice_ssl_name_server(SSL *ssl, const char *name) { return (int)SSL_set_tlsext_host_name(ssl, name); }
// Sessions resume by tickets that the client keeps; a table of them on the server would cost memory for each station.
static inline void sluice_ssl_keep_no_sessions(SSL_CTX *context) { SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF); }
