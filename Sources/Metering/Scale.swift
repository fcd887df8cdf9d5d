/// An exact factor between a raw number and thousandths of a unit: numerator / denominator, in lowest terms.
public struct Scale: Hashable, Sendable {
  /// Not zero; its sign turns the value round.
  public let numerator: Int
  /// Positive.
  public let denominator: Int

  /// - Precondition: neither is zero, and the denominator is positive.
  public init(_ numerator: Int, over denominator: Int = 1) {
    precondition(numerator != 0 && denominator > 0)
    var (a, b) = (numerator.magnitude, denominator.magnitude)
    while b != 0 { (a, b) = (b, a % b) }
    self.numerator = numerator / Int(a)
    self.denominator = denominator / Int(a)
  }

  /// The factor from a raw number in `unitMillis` thousandths of the base unit, with `decimals` as the map states it.
  /// - Returns: nil when the factor is zero or beyond 10^12.
  init?(significand: Int, exponent: Int, unitMillis: Int) {
    guard significand != 0, significand.magnitude < 1_000_000_000, abs(exponent) <= 12 else { return nil }
    let (product, overflow) = significand.multipliedReportingOverflow(by: unitMillis)
    guard !overflow, product.magnitude < 1 << 50 else { return nil }
    if exponent < 0 {
      self.init(product, over: Self.powerOfTen(-exponent))
    } else {
      let (whole, tooLarge) = product.multipliedReportingOverflow(by: Self.powerOfTen(exponent))
      guard !tooLarge else { return nil }
      self.init(whole)
    }
  }

  /// 10^`exponent`, for exponents 0...18.
  static func powerOfTen(_ exponent: Int) -> Int {
    var result = 1
    for _ in 0..<exponent { result *= 10 }
    return result
  }

  /// Thousandths of the unit, rounded to the nearest, halves away from zero; nil when it is not finite or does not fit.
  /// - Parameter power: an additional power of ten, -10...10 (SunSpec's scale factor).
  public func milli(_ raw: RawNumber, power: Int = 0) -> Int? {
    switch raw {
    case .absent: return nil
    case .integer(let value):
      let up = Int128(numerator) * Int128(Self.powerOfTen(max(0, power)))
      let (product, overflow) = value.multipliedReportingOverflow(by: up)
      guard !overflow else { return nil }
      return Int(exactly: Self.rounded(product, over: Int128(denominator) * Int128(Self.powerOfTen(max(0, -power)))))
    case .real(let value):
      let scaled = value * Double(numerator) / Double(denominator)
      guard scaled.isFinite else { return nil }
      return Int(exactly: scaled.rounded(.toNearestOrAwayFromZero))
    }
  }

  /// The raw number nearest to `milli` thousandths of the unit.
  func raw(_ milli: Int, power: Int, isFloat: Bool) -> RawNumber {
    if isFloat { return .real(Double(milli) * Double(denominator) / Double(numerator)) }
    let sign: Int128 = numerator < 0 ? -1 : 1
    let up = Int128(milli) * Int128(denominator) * Int128(Self.powerOfTen(max(0, -power))) * sign
    let down = Int128(numerator.magnitude) * Int128(Self.powerOfTen(max(0, power)))
    return .integer(Self.rounded(up, over: down))
  }

  private static func rounded(_ value: Int128, over divisor: Int128) -> Int128 {
    let half = divisor / 2
    return value >= 0 ? (value + half) / divisor : (value - half) / divisor
  }
}
