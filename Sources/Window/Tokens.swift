import Documents
import Quantities
import Record
import Site

/// Who may come to the window: names and roles, and of each token its digest, never the token itself.
///
/// A token is 32 random bytes: a digest of SHA-256 cannot be turned round, and needs no salt and no slow hash.
public struct Tokens: Hashable, Sendable {
  public struct Holder: Hashable, Sendable {
    public var name: String
    public var role: Role
    /// SHA-256 of the token's text.
    public var digest: [UInt8]
    public var made: Instant
    public init(name: String, role: Role, digest: [UInt8], made: Instant) {
      (self.name, self.role, self.digest, self.made) = (name, role, digest, made)
    }
  }
  public var holders: [Holder]
  public init(_ holders: [Holder] = []) { self.holders = holders }

  /// The text of a token of 32 random bytes.
  public static func text(of secret: [UInt8]) -> String { "sluice_" + hexadecimal(secret) }
  public static func digest(of token: String) -> [UInt8] { SHA256.digest(Array(token.utf8)) }

  /// Who holds a token. The time it takes tells neither which digests there are nor how far one agrees.
  public func holder(of token: String) -> Holder? {
    let digest = Self.digest(of: token)
    var found: Holder?
    for holder in holders where Self.areEqual(holder.digest, digest) { found = holder }
    return found
  }

  static func areEqual(_ a: [UInt8], _ b: [UInt8]) -> Bool {
    guard a.count == b.count else { return false }
    var difference: UInt8 = 0
    for i in a.indices { difference |= a[i] ^ b[i] }
    return difference == 0
  }

  // MARK: As a file

  public init(json text: String, name: String) throws(DocumentErrors) {
    let findings = Findings()
    let document: Document
    do throws(DocumentError) { document = try Document(json5: text, name: name) } catch { throw DocumentErrors([error]) }
    let reader = ObjectReader(document.root, findings: findings)
    let digest = Shape<[UInt8]>("64 hexadecimal digits") { $0.string.flatMap(Self.bytes) }
    let time = Shape<Instant>("a time with its zone") { node in
      node.string.flatMap { Timestamp($0) }.map { Instant(milliseconds: $0.milliseconds) }
    }
    holders = reader.objects("tokens").compactMap { token in
      let name = token.required("name", .text), role: Role? = token.required("role", .word())
      let digest = token.required("sha256", digest), made = token.required("made", time)
      token.finish()
      guard let name, let role, let digest, let made else { return nil }
      return Holder(name: name, role: role, digest: digest, made: made)
    }
    reader.finish()
    try findings.throwIfAny()
  }

  public var json: String {
    var writer = JSONWriter()
    writer.object {
      $0.array("tokens", holders) { writer, holder in
        writer.object {
          $0.member("name", holder.name)
          $0.member("role", holder.role.rawValue)
          $0.member("sha256", Self.hexadecimal(holder.digest))
          $0.member("made", holder.made)
        }
      }
    }
    return writer.text + "\n"
  }

  private static func bytes(_ text: String) -> [UInt8]? {
    let digits = text.utf8.compactMap { Character(UnicodeScalar($0)).hexDigitValue }
    guard digits.count == 64, text.utf8.count == 64 else { return nil }
    return stride(from: 0, to: 64, by: 2).map { UInt8(digits[$0] << 4 | digits[$0 + 1]) }
  }
  static func hexadecimal(_ bytes: [UInt8]) -> String {
    let digits = Array("0123456789abcdef".utf8)
    return String(decoding: bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
  }
}
