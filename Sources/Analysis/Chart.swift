/// A drawing with axes as SVG. Its coordinates are made for a width of 420, so that it can be read on a phone as it is and grows on a
/// screen.
struct Chart {
  static let width = 420.0
  let height: Double
  /// The plot's edges.
  let left: Double
  let right = 408.0
  let top: Double
  let bottom: Double
  var x: ClosedRange<Double>
  var y: ClosedRange<Double>
  private var parts: [String] = []

  /// - Parameters:
  ///   - left: room for the labels of the y axis.
  ///   - top: room for what stands above the plot.
  init(height: Double = 250, left: Double = 42, top: Double = 20, x: ClosedRange<Double>, y: ClosedRange<Double>) {
    (self.height, self.left, self.top, bottom) = (height, left, top, height - 36)
    self.x = x.lowerBound < x.upperBound ? x : x.lowerBound...x.lowerBound + 1
    self.y = y.lowerBound < y.upperBound ? y : y.lowerBound...y.lowerBound + 1
  }

  func px(_ value: Double) -> Double { left + (value - x.lowerBound) / (x.upperBound - x.lowerBound) * (right - left) }
  func py(_ value: Double) -> Double { bottom - (value - y.lowerBound) / (y.upperBound - y.lowerBound) * (bottom - top) }

  mutating func add(_ element: String) { parts.append(element) }

  // MARK: Axes

  /// At most about `most` round values: 1, 2 or 5 times a power of ten apart.
  static func ticks(_ range: ClosedRange<Double>, most: Int) -> [Double] {
    let width = range.upperBound - range.lowerBound
    var step = 1e-6
    var factor = 0
    while width / step > Double(most) {
      step *= [2, 2.5, 2][factor % 3]
      factor += 1
    }
    var ticks: [Double] = []
    var place = (range.lowerBound / step - 1e-9).rounded(.up)
    while place * step <= range.upperBound + step * 1e-9 {
      ticks.append(place * step)
      place += 1
    }
    return ticks
  }

  mutating func yAxis(_ title: String, ticks most: Int = 5) {
    for tick in Self.ticks(y, most: most) {
      line(left, py(tick), right, py(tick), "grid")
      text(left - 4, py(tick) + 4, Decimal.text(tick, 3), anchor: "end")
    }
    text(left, top - 7, title, anchor: "start", style: "unit")
  }
  mutating func xAxis(_ title: String, ticks most: Int = 6) {
    for tick in Self.ticks(x, most: most) {
      line(px(tick), top, px(tick), bottom, "grid")
      text(px(tick), bottom + 14, Decimal.text(tick, 3), anchor: "middle")
    }
    xTitle(title)
  }
  mutating func xTitle(_ title: String) { text((left + right) / 2, height - 5, title, anchor: "middle", style: "unit") }
  mutating func frame() { line(left, bottom, right, bottom, "axis") }

  // MARK: Marks

  mutating func line(_ x1: Double, _ y1: Double, _ x2: Double, _ y2: Double, _ style: String) {
    add("<line x1='\(n(x1))' y1='\(n(y1))' x2='\(n(x2))' y2='\(n(y2))' class='\(style)'/>")
  }
  mutating func text(_ x: Double, _ y: Double, _ words: String, anchor: String, style: String = "label") {
    add("<text x='\(n(x))' y='\(n(y))' text-anchor='\(anchor)' class='\(style)'>\(Self.escaped(words))</text>")
  }
  mutating func rectangle(_ x: Double, _ y: Double, _ width: Double, _ height: Double, fill: String, more: String = "") {
    add("<rect x='\(n(x))' y='\(n(y))' width='\(n(max(0, width)))' height='\(n(max(0, height)))' fill='\(fill)'\(more)/>")
  }
  /// Straight lines through points of data.
  mutating func curve(_ points: [(Double, Double)], _ look: Look, width: Double = 1.6) {
    guard !points.isEmpty else { return }
    let path = points.map { "\(n(px($0.0))),\(n(py($0.1)))" }.joined(separator: " ")
    let dash = look.dash.isEmpty ? "" : " stroke-dasharray='\(look.dash)'"
    add(
      "<polyline points='\(path)' fill='none' stroke='\(look.colour)' stroke-width='\(n(width))' stroke-linejoin='round'\(dash)/>")
  }
  mutating func area(_ points: [(Double, Double)], fill: String) {
    guard let first = points.first, let last = points.last else { return }
    let zero = max(y.lowerBound, min(y.upperBound, 0))
    let all = [(first.0, zero)] + points + [(last.0, zero)]
    let path = all.map { "\(n(px($0.0))),\(n(py($0.1)))" }.joined(separator: " ")
    add("<polygon points='\(path)' fill='\(fill)'/>")
  }
  /// A mark at a place of the drawing.
  mutating func mark(_ x: Double, _ y: Double, _ look: Look, size: Double = 4) { add(look.mark(x, y, size)) }

  /// Entries below the plot, in columns; grows downwards from `y`.
  mutating func legend(_ entries: [(Look, String)], at y: Double, columns: Int = 3) {
    for (place, (look, words)) in entries.enumerated() {
      let x = left + Double(place % columns) * (right - left) / Double(columns)
      let line = y + Double(place / columns) * 15
      if look.isArea {
        rectangle(x, line - 8, 14, 8, fill: look.colour)
      } else {
        let dash = look.dash.isEmpty ? "" : " stroke-dasharray='\(look.dash)'"
        add(
          "<line x1='\(n(x))' y1='\(n(line - 4))' x2='\(n(x + 16))' y2='\(n(line - 4))' stroke='\(look.colour)' stroke-width='2'\(dash)/>"
        )
        if look.shape != .none { mark(x + 8, line - 4, look, size: 3.5) }
      }
      text(x + 20, line, words, anchor: "start")
    }
  }

  /// - Parameter extra: room below the axes, for a legend.
  func svg(_ title: String, extra: Double = 0) -> String {
    "<svg viewBox='0 0 \(n(Self.width)) \(n(height + extra))' role='img' aria-label='\(Self.escaped(title))'>"
      + parts.joined(separator: "\n") + "</svg>"
  }

  private func n(_ value: Double) -> String { Decimal.text(value, 1) }
  static func escaped(_ text: String) -> String {
    text.replacing("&", with: "&amp;").replacing("<", with: "&lt;").replacing(">", with: "&gt;").replacing("'", with: "&#39;")
  }
}
