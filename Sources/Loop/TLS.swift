import COpenSSL
import Glibc

/// The certificate chain and private key with which a server shows who it is. TLS 1.2 or newer.
public final class ServerCredentials: @unchecked Sendable {
  let context: OpaquePointer

  /// - Parameters:
  ///   - certificateFile: PEM, the server's own certificate first, then those that vouch for it.
  ///   - keyFile: PEM, not encrypted.
  /// - Throws: `LoopFault.certificate` with the file at fault, `.library`.
  public init(certificateFile: String, keyFile: String) throws(LoopFault) {
    let fresh = try newContext(TLS_server_method())
    do throws(LoopFault) {
      try load(certificateFile: certificateFile, keyFile: keyFile, into: fresh)
    } catch {
      SSL_CTX_free(fresh)
      throw error
    }
    let name = Array("sluice".utf8)
    // Without it every resumed handshake dies once client certificates are asked for.
    SSL_CTX_set_session_id_context(fresh, name, UInt32(name.count))
    context = fresh
  }

  deinit {
    SSL_CTX_free(context)
  }

  /// A new TLS state for one accepted connection; the caller owns it.
  public func newSession() -> OpaquePointer? {
    ERR_clear_error()
    return SSL_new(context)
  }
}

/// Whom a client of TLS believes. TLS 1.2 or newer.
public final class ClientTrust: @unchecked Sendable {
  public enum Anchor: Hashable, Sendable {
    /// The authorities that the system knows.
    case system
    /// The certificates of one PEM file.
    case file(String)
    /// Anybody: for tests and emulated stations only.
    case anyone
  }

  let context: OpaquePointer
  private let checksName: Bool

  /// - Throws: `LoopFault.certificate` with the file at fault, `.library`.
  public init(_ anchor: Anchor) throws(LoopFault) {
    let fresh = try newContext(TLS_client_method())
    SSL_CTX_set_verify(fresh, anchor == .anyone ? SSL_VERIFY_NONE : SSL_VERIFY_PEER, nil)
    switch anchor {
    case .anyone: break
    case .system: SSL_CTX_set_default_verify_paths(fresh)
    case .file(let path):
      guard SSL_CTX_load_verify_locations(fresh, path, nil) == 1 else {
        let reason = lastReason()
        SSL_CTX_free(fresh)
        throw .certificate(file: path, reason: "not a PEM file of certificates (\(reason))")
      }
    }
    context = fresh
    checksName = anchor != .anyone
  }

  deinit {
    SSL_CTX_free(context)
  }

  /// A new TLS state for one connection to `host`; the caller owns it.
  public func newSession(host: String) -> OpaquePointer? {
    ERR_clear_error()
    guard let session = SSL_new(context) else { return nil }
    sluice_ssl_name_server(session, host)
    if checksName { SSL_set1_host(session, host) }
    return session
  }
}

private func newContext(_ method: OpaquePointer?) throws(LoopFault) -> OpaquePointer {
  ERR_clear_error()
  guard let context = SSL_CTX_new(method) else { throw .library(call: "SSL_CTX_new") }
  guard sluice_ssl_require_tls12(context) == 1 else {
    SSL_CTX_free(context)
    throw .library(call: "SSL_CTX_set_min_proto_version")
  }
  sluice_ssl_release_buffers(context)
  sluice_ssl_keep_no_sessions(context)
  sluice_ssl_tolerate_abrupt_end(context)
  return context
}

private func load(certificateFile: String, keyFile: String, into context: OpaquePointer) throws(LoopFault) {
  try mustBeReadable(certificateFile)
  try mustBeReadable(keyFile)
  guard SSL_CTX_use_certificate_chain_file(context, certificateFile) == 1 else {
    throw .certificate(file: certificateFile, reason: "not a PEM certificate chain (\(lastReason()))")
  }
  guard SSL_CTX_use_PrivateKey_file(context, keyFile, SSL_FILETYPE_PEM) == 1 else {
    throw .certificate(file: keyFile, reason: "not an unencrypted PEM key for \(certificateFile) (\(lastReason()))")
  }
}

private func mustBeReadable(_ file: String) throws(LoopFault) {
  guard access(file, R_OK) == 0 else { throw .certificate(file: file, reason: String(cString: strerror(errno))) }
}

/// The first reason in OpenSSL's queue of this thread, in words; the queue is empty afterwards.
private func lastReason() -> String {
  let code = ERR_get_error()
  ERR_clear_error()
  guard code != 0, let text = ERR_reason_error_string(code) else { return "no reason given" }
  return String(cString: text)
}
