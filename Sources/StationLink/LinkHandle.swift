/// Names one connection of a station for as long as it lives; never names another one later.
public struct LinkHandle: Hashable, Sendable, CustomStringConvertible {
  /// Generation << 32 | slot of the table.
  public let raw: UInt64

  public init(raw: UInt64) { self.raw = raw }
  init(generation: UInt32, slot: Int) { raw = UInt64(generation) << 32 | UInt64(slot) }

  var slot: Int { Int(raw & 0xffff_ffff) }
  var generation: UInt32 { UInt32(raw >> 32) }

  public var description: String { "\(generation).\(slot)" }
}

/// What the house says to a station that knocks.
public enum Admission: Hashable, Sendable {
  case accept
  /// No such station, or one that is only planned: 404.
  case unknown
  /// Password wrong or missing: 401.
  case unauthorized
  /// Not now: 503.
  case later
}

/// A station that knocks, as the house sees it when it decides.
public struct Knock: Hashable, Sendable {
  /// Last segment of the path, percent-decoded.
  public let stationID: String
  /// From HTTP Basic authentication; `nil` when the station sent none, or nothing that can be read.
  public let user: String?, password: String?
  /// Numeric address of the peer.
  public let remote: String
}

/// What was out of the ordinary about a connection that was let in.
public struct LinkNotes: Hashable, Sendable {
  /// The station offered no sub-protocol at all; OCPP-J §3.1.2 wants one.
  public let lacksSubprotocol: Bool
  public let remote: String
}

/// Why a connection ended.
public enum LinkEnd: Hashable, Sendable {
  /// The peer sent a Close frame; no code when it gave none.
  case closedByPeer(code: UInt16?, reason: String)
  /// We sent a Close frame first: a violation of RFC 6455 (1002, 1003, 1007, 1009), or the house's wish.
  case closedByUs(code: UInt16)
  /// The same station connected anew.
  case replaced
  /// Two pings in a row without a sign of life.
  case silent
  /// More output waits than allowed, or none of it moved for too long.
  case congested
  /// TCP or TLS ended without a Close frame.
  case lost
}

public enum StationEvent: Hashable, Sendable {
  case opened(LinkHandle, stationID: String, LinkNotes)
  /// One text message, valid UTF-8, at most the message limit.
  case received(LinkHandle, [UInt8])
  /// The last event of a handle.
  case closed(LinkHandle, LinkEnd)
}
