import COpenSSL
import Site

extension PasswordHash {
  /// Compares in a time that does not depend on where they differ. Takes long, as it is meant to: never on a loop.
  func matches(_ password: String) -> Bool {
    guard let derived = Self.derive(password, method, salt, count: hash.count) else { return false }
    return CRYPTO_memcmp(hash, derived, hash.count) == 0
  }

  /// A hash with a salt of its own, by scrypt with 16 MiB.
  /// - Returns: nil: the library refuses.
  public static func made(of password: String) -> PasswordHash? {
    var random = SystemRandomNumberGenerator()
    let salt = (0..<16).map { _ in UInt8.random(in: 0...255, using: &random) }
    let method = Method.scrypt(n: 1 << 14, r: 8, p: 1)
    return derive(password, method, salt, count: 32).map { PasswordHash(method: method, salt: salt, hash: $0) }
  }

  private static func derive(_ password: String, _ method: Method, _ salt: [UInt8], count: Int) -> [UInt8]? {
    var derived = [UInt8](repeating: 0, count: count)
    let text = Array(password.utf8).map { CChar(bitPattern: $0) }
    let status: Int32 =
      switch method {
      case .pbkdf2(let rounds):
        PKCS5_PBKDF2_HMAC(
          text, Int32(text.count), salt, Int32(salt.count), Int32(rounds), EVP_sha256(), Int32(derived.count), &derived)
      case .scrypt(let n, let r, let p):
        EVP_PBE_scrypt(
          text, text.count, salt, salt.count, UInt64(n), UInt64(r), UInt64(p), UInt64(n * r * 256 + (1 << 20)), &derived,
          derived.count)
      }
    return status == 1 ? derived : nil
  }
}
