import Documents

/// A compliance report as it was signed, in other forms: read back from its JSON, so that nothing else can stand in them.
public struct ReportForms: Sendable {
  private let node: Node
  public init(json text: String, name: String) throws(DocumentError) { node = try Document(json: text, name: name).root }

  public func text(_ name: String) -> String { node[name].flatMap { $0.string ?? $0.number?.description } ?? "" }
  private var unit: String { node["limit_w"] == nil ? "A" : "W" }
  private var limit: Double {
    if let power = node["limit_w"]?.number { return power.double }
    return node["limit_a"]?.elements.compactMap { $0.number?.double }.min() ?? 0
  }
  private var points: [(at: Double, load: Double)] {
    node["points"]?.elements.compactMap { point in
      guard let at = point[0]?.number?.double, let load = point[1]?.number?.double else { return nil }
      return (at, load)
    } ?? []
  }
  /// In a word: met, met late, or not met. Late: later than half a minute, or not all quarter hours inside.
  public var verdict: String {
    guard let met = node["met_s"]?.number?.double else { return text("samples") == "0" ? "not measured" : "not met" }
    return met <= 30 && text("quarters") == text("quarters_inside") ? "met" : "met late or not throughout"
  }

  private static let rows: [(String, String)] = [
    ("report", "report"), ("hub", "hub"), ("limit", "limit"), ("source", "source"), ("circuit", "circuit"),
    ("received", "received"),
    ("from", "holds from"), ("until", "until"), ("ended", "ended"), ("first_profile", "first profile out"),
    ("first_profile_s", "first profile after, s"), ("met", "met at the meter"), ("met_s", "met after, s"),
    ("largest_excess_w", "largest excess, W"), ("largest_excess_a", "largest excess on a phase, A"),
    ("above_wh", "energy above, Wh"),
    ("quarters", "quarter hours"), ("quarters_inside", "of them inside"), ("samples", "readings"),
    ("unseen_s", "time without a reading, s"),
  ]
  /// Only where limits of the same id were replaced within seconds just before.
  private static let briefRows: [(String, String)] = [
    ("brief_limits", "limits replaced within seconds before"), ("brief_since", "the first of them from"),
    ("brief_largest_excess_w", "largest excess of those, W"), ("brief_above_wh", "energy above those, Wh"),
  ]
  private var rows: [(String, String)] { Self.rows + (node["brief_limits"] == nil ? [] : Self.briefRows) }

  /// A head line, then a line a point; figures of the event stand in front as comments.
  public var csv: String {
    var lines = rows.map { "# \($0.1),\(Self.cell(text($0.0)))" }
    lines.append("# limit \(unit),\(limit)")
    lines.append("# verdict,\(verdict)")
    lines.append("seconds,load_\(unit.lowercased()),limit_\(unit.lowercased())")
    lines += points.map { "\($0.at),\($0.load),\(limit)" }
    return lines.joined(separator: "\n") + "\n"
  }
  private static func cell(_ text: String) -> String {
    text.contains { $0 == "," || $0 == "\"" || $0 == "\n" }
      ? "\"" + text.map { $0 == "\"" ? "\"\"" : String($0) }.joined() + "\"" : text
  }

  /// A page to print, with the plot of load against limit.
  /// - Parameter signature: in hexadecimal, with the public key that it is checked by.
  public func html(signature: String, key: String) -> String {
    let table = rows.map { "<tr><th>\($0.1)</th><td>\(Self.escaped(text($0.0)))</td></tr>" }.joined(separator: "\n")
    return """
      <!doctype html><html lang="en"><meta charset="utf-8"><title>Limit \(Self.escaped(text("limit")))</title>
      <style>body{font:14px/1.4 system-ui,sans-serif;margin:2rem;max-width:60rem}th{text-align:left;font-weight:400;color:#555;padding-right:1rem}
      svg{width:100%;height:auto;border:1px solid #ccc}code{overflow-wrap:anywhere}</style>
      <h1>How a limit was kept: \(Self.escaped(verdict))</h1>
      <table>\(table)<tr><th>limit, \(unit)</th><td>\(limit)</td></tr></table>
      \(plot)
      <p>Signed with Ed25519 over the report's JSON. Public key <code>\(key)</code>, signature <code>\(signature)</code></p></html>
      """
  }

  private var plot: String {
    let points = points
    guard let last = points.last else { return "<p>No readings.</p>" }
    let most = max(limit, points.map(\.load).max() ?? 0) * 1.1
    guard most > 0 else { return "<p>No load.</p>" }
    func x(_ at: Double) -> Double { (50 + 740 * at / max(1, last.at)).rounded() }
    func y(_ value: Double) -> Double { (280 - 260 * value / most).rounded() }
    let path = points.enumerated().map { "\($0.offset == 0 ? "M" : "L")\(x($0.element.at)),\(y($0.element.load))" }.joined()
    return """
      <svg viewBox="0 0 800 310" role="img" aria-label="load against limit">
      <path d="\(path)" fill="none" stroke="#0b6e99" stroke-width="2"/>
      <path d="M50,\(y(limit))H790" stroke="#b3261e" stroke-dasharray="6 3"/>
      <text x="4" y="\(y(limit) + 4)" font-size="12">\(Int(limit)) \(unit)</text>
      <text x="50" y="300" font-size="12">0 s</text><text x="740" y="300" font-size="12">\(Int(last.at)) s</text></svg>
      """
  }
  private static func escaped(_ text: String) -> String {
    text.map { $0 == "&" ? "&amp;" : $0 == "<" ? "&lt;" : $0 == ">" ? "&gt;" : String($0) }.joined()
  }
}
