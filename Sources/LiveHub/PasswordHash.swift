import COpenSSL

/// The stored form of a station's Basic password: `pbkdf2$sha256$ROUNDS$SALT$HASH` or `scrypt$N$R$P$SALT$HASH`, salt and hash in
/// hexadecimal. A leading `$` is allowed. Sources: RFC 8018 §5.2, RFC 7914.
struct PasswordHash: Hashable, Sendable {
  enum Method: Hashable, Sendable {
    case pbkdf2(rounds: Int)
    case scrypt(n: Int, r: Int, p: Int)
  }
  var method: Method
  var salt: [UInt8]
  var hash: [UInt8]

  /// - Returns: nil for a text of another form, or one whose cost is out of bounds.
  init?(_ text: String) {
    let parts = text.split(separator: "$").map(String.init)
    switch (parts.first, parts.count) {
    case ("pbkdf2", 5):
      guard parts[1] == "sha256", let rounds = Int(parts[2]), (1000...10_000_000).contains(rounds) else { return nil }
      method = .pbkdf2(rounds: rounds)
    case ("scrypt", 6):
      guard let n = Int(parts[1]), let r = Int(parts[2]), let p = Int(parts[3]), (2...1 << 20).contains(n), n & (n - 1) == 0,
        (1...32).contains(r), (1...16).contains(p)
      else { return nil }
      method = .scrypt(n: n, r: r, p: p)
    default: return nil
    }
    guard let salt = Self.bytes(parts[parts.count - 2]), let hash = Self.bytes(parts[parts.count - 1]), hash.count >= 16 else {
      return nil
    }
    (self.salt, self.hash) = (salt, hash)
  }

  /// Compares in a time that does not depend on where they differ.
  func matches(_ password: String) -> Bool {
    var derived = [UInt8](repeating: 0, count: hash.count)
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
    guard status == 1 else { return false }
    var difference: UInt8 = 0
    for i in hash.indices { difference |= hash[i] ^ derived[i] }
    return difference == 0
  }

  private static func bytes(_ text: String) -> [UInt8]? {
    let digits = Array(text)
    guard digits.count % 2 == 0, !digits.isEmpty else { return nil }
    var bytes: [UInt8] = []
    for i in stride(from: 0, to: digits.count, by: 2) {
      guard let byte = UInt8(String(digits[i...i + 1]), radix: 16) else { return nil }
      bytes.append(byte)
    }
    return bytes
  }
}
