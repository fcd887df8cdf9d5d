import Glibc
import Testing

@testable import LiveHub

@Suite struct SigningTests {
  private func bytes(_ text: String) -> [UInt8] {
    let digits = text.compactMap(\.hexDigitValue)
    return stride(from: 0, to: digits.count, by: 2).map { UInt8(digits[$0] << 4 | digits[$0 + 1]) }
  }
  private func folder() throws -> String {
    var template = Array("/tmp/sluice-key-XXXXXX".utf8CString)
    try #require(mkdtemp(&template) != nil)
    return String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  /// RFC 8032 §7.1, test 1.
  @Test func `a key and its signatures are those of RFC 8032`() throws {
    let state = try folder()
    let seed = bytes("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60")
    let file = open(state + "/limit-key", O_WRONLY | O_CREAT, 0o600)
    #expect(write(file, seed, 32) == 32)
    close(file)
    let key = try SigningKey(state: state, makes: false)
    #expect(key.publicKey == bytes("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"))
    let signature = try #require(key.signature(of: []))
    #expect(
      signature
        == bytes(
          "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b"
        ))
    #expect(SigningKey.verifies(signature, of: [], by: key.publicKey))
    #expect(!SigningKey.verifies(signature, of: [1], by: key.publicKey))
    unlink(state + "/limit-key")
    rmdir(state)
  }

  @Test func `a key is made once, may be read by its owner only, and none is made by who only reads`() throws {
    let state = try folder()
    #expect(throws: SigningKey.Flaw.self) { try SigningKey(state: state, makes: false) }
    let first = try SigningKey(state: state, makes: true).publicKey
    #expect(try SigningKey(state: state, makes: true).publicKey == first)
    var status = stat()
    #expect(stat(state + "/limit-key", &status) == 0 && status.st_mode & 0o077 == 0)
    unlink(state + "/limit-key")
    rmdir(state)
  }
}
