import Quantities

/// A current transformer as a step test shows it: what the meter counts for one ampere that flows.
public struct Transformer: Hashable, Sendable {
  /// Meter over truth, in thousandths; negative: turned round.
  public var permille: Int
  public init(permille: Int) { self.permille = permille }

  public var isTurned: Bool { permille < 0 }
  /// Within a tenth of one to one, whichever way round.
  public var isOneToOne: Bool { (900...1100).contains(abs(permille)) }
  public var isRight: Bool { isOneToOne && !isTurned }

  /// The wrong ratio that explains the size: the configured primary current over the real one; nil: one to one, or none that is common.
  public var likelyRatio: (numerator: Int, denominator: Int)? {
    let size = abs(permille)
    guard !isOneToOne else { return nil }
    var (best, distance) = (Self.common[0], Int.max)
    for ratio in Self.common {
      // Thousandths of the ratio that the size is away from it.
      let away = abs(size * ratio.1 - 1000 * ratio.0) / ratio.0
      if away < distance { (best, distance) = (ratio, away) }
    }
    return distance <= 100 ? (best.0, best.1) : nil
  }
  /// Steps between common transformers (50, 60, 75, 100, 150, 200, 250, 300, 400 A; /1 A and /5 A secondaries; two and five turns).
  private static let common = [
    (1, 20), (1, 10), (1, 5), (1, 4), (1, 3), (1, 2), (2, 3), (4, 5), (5, 4), (3, 2), (2, 1), (5, 2), (3, 1), (4, 1), (5, 1),
    (10, 1), (20, 1),
  ]
}
