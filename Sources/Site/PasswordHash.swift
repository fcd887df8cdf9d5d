/// The stored form of a station's Basic password: `pbkdf2$sha256$ROUNDS$SALT$HASH` or `scrypt$N$R$P$SALT$HASH`, salt and hash in
/// hexadecimal. A leading `$` is allowed. Sources: RFC 8018 §5.2, RFC 7914.
public struct PasswordHash: Hashable, Sendable {
  public enum Method: Hashable, Sendable {
    case pbkdf2(rounds: Int)
    case scrypt(n: Int, r: Int, p: Int)
  }
  public var method: Method
  public var salt: [UInt8]
  public var hash: [UInt8]

  /// - Returns: nil for a text of another form, or one whose cost is out of bounds.
  public init?(_ text: String) {
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

  public init(method: Method, salt: [UInt8], hash: [UInt8]) { (self.method, self.salt, self.hash) = (method, salt, hash) }
  public var text: String {
    let digits = [salt, hash].map { $0.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined() }.joined(
      separator: "$")
    return switch method {
    case .pbkdf2(let rounds): "pbkdf2$sha256$\(rounds)$\(digits)"
    case .scrypt(let n, let r, let p): "scrypt$\(n)$\(r)$\(p)$\(digits)"
    }
  }
  /// What the form is, for whoever wrote another one.
  public static let form =
    "pbkdf2$sha256$ROUNDS$SALT$HASH or scrypt$N$R$P$SALT$HASH, salt and hash in hexadecimal, as `sluice password` prints it"

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
