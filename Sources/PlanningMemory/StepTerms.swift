/// How far from the proposal of a step the next one stands, as a share of the way from the last restart (Halpern's mean).
@frozen public struct StepTerms: BitwiseCopyable, Sendable {
  public var omega: Float
  public var reflected: Float
  public var anchored: Float
  /// Just below one: the largest step that is known to converge.
  public static let caution: Float = 0.99
  public init(omega: Float, sinceRestart: Int) {
    self.omega = omega
    reflected = Float(sinceRestart + 1) / Float(sinceRestart + 2)
    anchored = 1 - reflected
  }
}
