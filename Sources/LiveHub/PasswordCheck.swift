import COpenSSL
import Dispatch
import Site
import Threads

/// Whose password is known to be right, and whose is being worked out. On the hub's loop, but for the working out.
///
/// A hash is made to take long, 50 to 500 ms. Two hundred stations that come back at once, or one host that tries passwords, would stop the
/// guard for as long as that takes. So what matched last is remembered as a digest that is compared at once, under a key of this process,
/// and everything else is worked out beside the loop, one after the other.
final class PasswordCheck: @unchecked Sendable {
  /// Passwords that wait at one time, for half a minute at the worst; of each station there is one. More are not taken.
  static let mostWaiting = 64

  let queue = DispatchQueue(label: "passwords", qos: .utility)
  private let isStopped = Locked(false)
  private let key: [UInt8]
  /// By station: the hash of the site file and what matched it.
  private var matched: [String: (hash: PasswordHash, digest: [UInt8])] = [:]
  /// Stations whose passwords are being worked out.
  private(set) var waiting: Set<String> = []

  init() {
    var random = SystemRandomNumberGenerator()
    key = (0..<32).map { _ in UInt8.random(in: 0...255, using: &random) }
  }

  /// Whether it is what matched this hash last.
  func knows(_ password: String, of station: String, _ hash: PasswordHash) -> Bool {
    guard let last = matched[station], last.hash == hash else { return false }
    return CRYPTO_memcmp(last.digest, digest(of: password), last.digest.count) == 0
  }

  /// Works out whether a password matches; `checked` has to be called with what comes of it.
  /// - Parameter done: called beside the loop; not any more after `stop`.
  /// - Returns: whether it is being worked out; otherwise the station has one that is, or as many wait as may.
  func check(_ password: String, of station: String, _ hash: PasswordHash, _ done: @escaping @Sendable (Bool) -> Void) -> Bool {
    guard waiting.count < Self.mostWaiting, waiting.insert(station).inserted else { return false }
    queue.async { [isStopped] in
      guard !isStopped.with({ $0 }) else { return }
      done(hash.matches(password))
    }
    return true
  }

  func checked(_ password: String, of station: String, _ hash: PasswordHash, isRight: Bool) {
    waiting.remove(station)
    if isRight { matched[station] = (hash, digest(of: password)) }
  }

  /// Waits for the one that is being worked out, for the library must not end before it; those that wait are dropped. From any thread.
  func stop() {
    isStopped.with { $0 = true }
    queue.sync {}
  }

  /// HMAC-SHA256 under the key of this process. Source: RFC 2104.
  private func digest(of password: String) -> [UInt8] {
    var digest = [UInt8](repeating: 0, count: 32)
    let text = Array(password.utf8)
    let made = HMAC(EVP_sha256(), key, Int32(key.count), text, text.count, &digest, nil)
    precondition(made != nil, "OpenSSL has no SHA-256")
    return digest
  }
}
