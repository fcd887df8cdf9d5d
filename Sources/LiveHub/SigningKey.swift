import COpenSSL
import Glibc

/// The Ed25519 key with which a hub signs its reports, made at the first start and kept in the state directory. Source: RFC 8032.
public struct SigningKey: Sendable {
  private let seed: [UInt8]

  /// Why there is no key.
  public struct Flaw: Error, CustomStringConvertible, Sendable {
    public var description: String
  }

  static func path(in state: String) -> String { state + "/limit-key" }

  /// Reads the key, or makes it if `makes` and there is none.
  public init(state: String, makes: Bool) throws(Flaw) {
    let path = Self.path(in: state)
    func flaw(_ what: String) -> Flaw { Flaw(description: "\(path): \(what): \(String(cString: strerror(errno)))") }
    let flags = O_RDWR | O_CLOEXEC | (makes ? O_CREAT : 0)
    let file = open(path, flags, 0o600)
    guard file >= 0 else { throw flaw("cannot be opened") }
    defer { close(file) }
    var bytes = [UInt8](repeating: 0, count: 32)
    let count = read(file, &bytes, 32)
    if count == 0, makes {
      var random = SystemRandomNumberGenerator()
      bytes = (0..<32).map { _ in UInt8.random(in: 0...255, using: &random) }
      guard write(file, bytes, 32) == 32, fsync(file) == 0 else { throw flaw("cannot be written") }
    } else if count != 32 {
      throw Flaw(description: "\(path): is no key of 32 bytes")
    }
    seed = bytes
  }

  /// 64 bytes.
  public func signature(of bytes: [UInt8]) -> [UInt8]? {
    guard let key = EVP_PKEY_new_raw_private_key(Int32(EVP_PKEY_ED25519), nil, seed, 32), let context = EVP_MD_CTX_new() else {
      return nil
    }
    defer {
      EVP_PKEY_free(key)
      EVP_MD_CTX_free(context)
    }
    var signature = [UInt8](repeating: 0, count: 64)
    var length = 64
    guard EVP_DigestSignInit(context, nil, nil, nil, key) == 1,
      EVP_DigestSign(context, &signature, &length, bytes, bytes.count) == 1
    else { return nil }
    return signature
  }

  /// 32 bytes, to check signatures with.
  public var publicKey: [UInt8] {
    guard let key = EVP_PKEY_new_raw_private_key(Int32(EVP_PKEY_ED25519), nil, seed, 32) else { return [] }
    defer { EVP_PKEY_free(key) }
    var bytes = [UInt8](repeating: 0, count: 32)
    var length = 32
    return EVP_PKEY_get_raw_public_key(key, &bytes, &length) == 1 ? bytes : []
  }

  /// Whether a signature is one of these bytes by the holder of a public key.
  public static func verifies(_ signature: [UInt8], of bytes: [UInt8], by publicKey: [UInt8]) -> Bool {
    guard publicKey.count == 32, signature.count == 64,
      let key = EVP_PKEY_new_raw_public_key(Int32(EVP_PKEY_ED25519), nil, publicKey, 32), let context = EVP_MD_CTX_new()
    else { return false }
    defer {
      EVP_PKEY_free(key)
      EVP_MD_CTX_free(context)
    }
    return EVP_DigestVerifyInit(context, nil, nil, nil, key) == 1
      && EVP_DigestVerify(context, signature, 64, bytes, bytes.count) == 1
  }
}
