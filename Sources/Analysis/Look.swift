import Scenarios

/// How something is drawn: a colour that colour-blind readers can tell from the others, and a dash or shape that says the same without
/// colour. Source of the colours: Okabe & Ito, "Color Universal Design" (2008).
struct Look {
  enum Shape { case none, circle, square, diamond, triangle, cross, ring, bar }
  var colour: String
  var dash = ""
  var shape = Shape.none
  var isArea = false

  static let base = Look(colour: "#d9d9d9", isArea: true)
  static let limit = Look(colour: "#000000", dash: "5 3")

  static func of(_ strategy: Strategy) -> Look {
    switch strategy {
    case .optimal: Look(colour: "#0072B2", shape: .circle)
    case .sharing: Look(colour: "#56B4E9", dash: "6 2", shape: .ring)
    case .equalShare: Look(colour: "#009E73", dash: "2 2", shape: .square)
    case .firstCome: Look(colour: "#E69F00", dash: "8 2 2 2", shape: .triangle)
    case .earliestDeadline: Look(colour: "#CC79A7", dash: "4 2", shape: .diamond)
    case .leastLaxity: Look(colour: "#666666", dash: "1 2", shape: .bar)
    case .uncontrolled: Look(colour: "#D55E00", dash: "10 3", shape: .cross)
    }
  }

  func mark(_ x: Double, _ y: Double, _ r: Double) -> String {
    func n(_ value: Double) -> String { Decimal.text(value, 1) }
    let thin = "stroke='\(colour)' stroke-width='1.6' fill='none'"
    switch shape {
    case .none, .circle: return "<circle cx='\(n(x))' cy='\(n(y))' r='\(n(r))' fill='\(colour)'/>"
    case .ring: return "<circle cx='\(n(x))' cy='\(n(y))' r='\(n(r))' \(thin)/>"
    case .square: return "<rect x='\(n(x - r))' y='\(n(y - r))' width='\(n(2 * r))' height='\(n(2 * r))' fill='\(colour)'/>"
    case .diamond:
      return
        "<polygon points='\(n(x)),\(n(y - r * 1.3)) \(n(x + r * 1.3)),\(n(y)) \(n(x)),\(n(y + r * 1.3)) \(n(x - r * 1.3)),\(n(y))' fill='\(colour)'/>"
    case .triangle:
      return
        "<polygon points='\(n(x)),\(n(y - r * 1.2)) \(n(x + r * 1.2)),\(n(y + r)) \(n(x - r * 1.2)),\(n(y + r))' fill='\(colour)'/>"
    case .cross:
      return "<path d='M\(n(x - r)) \(n(y - r))L\(n(x + r)) \(n(y + r))M\(n(x + r)) \(n(y - r))L\(n(x - r)) \(n(y + r))' \(thin)/>"
    case .bar: return "<rect x='\(n(x - r * 0.5))' y='\(n(y - r * 1.3))' width='\(n(r))' height='\(n(r * 2.6))' fill='\(colour)'/>"
    }
  }

  /// From little to much, told apart by lightness alone. Source: Nuñez, Anderton, Renslow, "cividis", PLOS ONE 13 (2018).
  static func shade(_ part: Double) -> String {
    let stops = [
      (0xFE, 0xF8, 0xE0), (0xE5, 0xD9, 0x8A), (0xBF, 0xB2, 0x6D), (0x8B, 0x89, 0x7A), (0x57, 0x60, 0x77), (0x12, 0x35, 0x70),
    ]
    let place = max(0, min(1, part)) * Double(stops.count - 1)
    let below = min(stops.count - 2, Int(place))
    let rest = place - Double(below)
    func mix(_ a: Int, _ b: Int) -> Int { Int((Double(a) + (Double(b) - Double(a)) * rest).rounded()) }
    let (a, b) = (stops[below], stops[below + 1])
    return "rgb(\(mix(a.0, b.0)),\(mix(a.1, b.1)),\(mix(a.2, b.2)))"
  }
}
