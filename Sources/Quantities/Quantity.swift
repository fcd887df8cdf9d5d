/// A physical quantity held as a whole number of its smallest unit: sums are exact, `==` can be trusted, and the order of
/// addition cannot matter.
public protocol Quantity: Hashable, Comparable, Sendable, Codable, AdditiveArithmetic {
  /// The quantity in its smallest unit (each type says which).
  var raw: Int { get }
  init(raw: Int)
}

extension Quantity {
  @inlinable public static var zero: Self { Self(raw: 0) }
  @inlinable public static func < (a: Self, b: Self) -> Bool { a.raw < b.raw }
  @inlinable public static func + (a: Self, b: Self) -> Self { Self(raw: a.raw + b.raw) }
  @inlinable public static func - (a: Self, b: Self) -> Self { Self(raw: a.raw - b.raw) }
  @inlinable public static prefix func - (a: Self) -> Self { Self(raw: -a.raw) }
  @inlinable public static func * (a: Self, b: Int) -> Self { Self(raw: a.raw * b) }
  /// Truncates towards zero.
  @inlinable public static func / (a: Self, b: Int) -> Self { Self(raw: a.raw / b) }
  @inlinable public var magnitude: Self { Self(raw: abs(raw)) }
  /// The quantity multiplied by `numerator / denominator`, truncated towards zero; the product is formed in 128 bits.
  @inlinable public func scaled(_ numerator: Int, over denominator: Int) -> Self {
    let product = raw.multipliedFullWidth(by: numerator)
    return Self(raw: denominator.dividingFullWidth(product).quotient)
  }

  @inlinable public init(from decoder: any Decoder) throws {
    self.init(raw: try decoder.singleValueContainer().decode(Int.self))
  }
  @inlinable public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(raw)
  }
}
