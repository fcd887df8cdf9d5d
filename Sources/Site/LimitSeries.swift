import Quantities

/// What somebody outside has set for a circuit: bounds over time, and what holds when they end or their sender falls silent.
public struct LimitSeries: Hashable, Sendable, Codable {
  public struct Block: Hashable, Sendable, Codable {
    public var from: Instant
    /// nil: until withdrawn or replaced.
    public var until: Instant?
    public var amount: Limit.Amount
    public init(from: Instant, until: Instant?, amount: Limit.Amount) {
      (self.from, self.until, self.amount) = (from, until, amount)
    }
  }
  /// What holds when nothing is heard of the sender any more.
  public struct Silence: Hashable, Sendable, Codable {
    /// Nothing heard for longer than this is silence.
    public var after: TimeSpan
    /// In rising order, without overlap; the last has no end, so that silence never means that anything goes.
    public var fallback: [Block]
    /// A heartbeat alone does not end the silence: the limit has to be set anew.
    public var needsFreshLimit: Bool
    public init(after: TimeSpan, fallback: [Block], needsFreshLimit: Bool = false) {
      (self.after, self.fallback, self.needsFreshLimit) = (after, fallback, needsFreshLimit)
    }
  }
  /// How a bound is left for a higher one, so that a neighbourhood sees no rebound: held for `delay`, then let up in steps over `ramp`.
  /// Drawn by the house; it never delays a decrease.
  public struct Relaxing: Hashable, Sendable, Codable {
    public var delay: TimeSpan
    public var ramp: TimeSpan
    public init(delay: TimeSpan = .zero, ramp: TimeSpan = .zero) { (self.delay, self.ramp) = (delay, ramp) }
    public static let atOnce = Relaxing()
  }

  public var id: String
  /// Who set it, in words that a screen can show.
  public var source: String
  /// Who may change it: the name of a token, or of a door.
  public var owner: String
  /// Index into `Hub.circuits`.
  public var circuit: Int
  /// In rising order, without overlap; at least one. Only the last may be without an end.
  public var blocks: [Block]
  /// Holds from the end of the last block until the series is withdrawn; nil: nothing.
  public var afterwards: Limit.Amount?
  /// nil: nobody expects to hear of the sender.
  public var silence: Silence?
  public var relaxing: Relaxing
  /// It was set for so long from when it came, not until a date; nil: by its blocks' dates, or without an end.
  public var lasts: TimeSpan?

  public init(
    id: String, source: String, owner: String, circuit: Int, blocks: [Block], afterwards: Limit.Amount? = nil,
    silence: Silence? = nil, relaxing: Relaxing = .atOnce, lasts: TimeSpan? = nil
  ) {
    (self.id, self.source, self.owner, self.circuit, self.blocks) = (id, source, owner, circuit, blocks)
    (self.afterwards, self.silence, self.relaxing, self.lasts) = (afterwards, silence, relaxing, lasts)
  }

  /// The blocks, with what holds afterwards as the last.
  public var allBlocks: [Block] {
    guard let afterwards, let end = blocks.last?.until else { return blocks }
    return blocks + [Block(from: end, until: nil, amount: afterwards)]
  }

  /// Whether the blocks are in order, do not overlap, and end where they must.
  public var isOrderly: Bool {
    Self.isOrderly(blocks) && (silence.map { Self.isOrderly($0.fallback) && $0.fallback.last?.until == nil } ?? true)
  }
  private static func isOrderly(_ blocks: [Block]) -> Bool {
    guard !blocks.isEmpty else { return false }
    for (i, block) in blocks.enumerated() {
      if let until = block.until, until <= block.from { return false }
      guard i + 1 < blocks.count else { continue }
      guard let until = block.until, until <= blocks[i + 1].from else { return false }
    }
    return true
  }
}
