import Glibc
import Threads

/// Numbers of descriptors that libmodbus can wait for, kept while others open as many sockets as they like.
///
/// libmodbus waits with `select`, whose sets end at 1024: with a higher descriptor the C library ends the process, or memory is written
/// that is somebody else's. A hub with a thousand stations, or whoever opens a thousand connections, takes all lower ones.
/// - Source: select(2), "FD_SETSIZE"; libmodbus 3.1, `_modbus_tcp_select`.
final class LowDescriptors: Sendable {
  static let shared = LowDescriptors()
  /// The lowest number that `select` cannot wait for.
  private static let bound: Int32 = 1024
  /// More are not kept.
  private static let most = 256
  private let kept = Locked<[Int32]>([])
  /// What lies at the kept numbers; -1: the process had no descriptor left from the start.
  private let nothing = open("/dev/null", O_RDONLY | O_CLOEXEC)

  init() {}

  /// Keeps at least so many numbers from now on, as far as there are low ones.
  func reserve(_ count: Int) {
    kept.with { kept in
      while kept.count < min(count, Self.most) {
        let fresh = fcntl(nothing, F_DUPFD_CLOEXEC, 0)
        guard fresh >= 0, fresh < Self.bound else {
          if fresh >= 0 { close(fresh) }
          return
        }
        kept.append(fresh)
      }
    }
  }

  /// Gives an open descriptor a low number; its own is closed then.
  /// - Returns: nil: none is left, and it is closed.
  func lower(_ descriptor: Int32) -> Int32? {
    guard descriptor >= Self.bound else { return descriptor }
    defer { close(descriptor) }
    guard let low = kept.with({ $0.popLast() }) else { return nil }
    guard Self.put(descriptor, at: low) else {
      close(low)
      return nil
    }
    return low
  }

  /// Closes what lies at a low number, and keeps the number.
  func giveBack(_ low: Int32) {
    let isKept = kept.with { kept in
      guard kept.count < Self.most, Self.put(nothing, at: low) else { return false }
      kept.append(low)
      return true
    }
    if !isKept { close(low) }
  }

  /// In one step: nobody else gets the number in between.
  private static func put(_ descriptor: Int32, at low: Int32) -> Bool {
    while dup2(descriptor, low) < 0 {
      guard errno == EINTR || errno == EBUSY else { return false }
    }
    return fcntl(low, F_SETFD, FD_CLOEXEC) == 0
  }
}

/// Keeps low descriptors for so many Modbus connections, whatever else the process opens later: before it listens.
public func reserveModbusDescriptors(_ count: Int) { LowDescriptors.shared.reserve(count) }
