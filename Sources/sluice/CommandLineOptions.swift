/// Words of a command line: `--name value`, flags, and what stands alone.
struct CommandLineOptions {
  struct Misuse: Error, CustomStringConvertible {
    var description: String
  }
  private(set) var words: [String] = []
  private var values: [(name: String, value: String)] = []

  /// - Throws: `Misuse` for an option that is not in `names` or `flags`, or that lacks its value.
  init(_ arguments: [String], names: [String], flags: [String]) throws {
    var rest = arguments[...]
    while let word = rest.popFirst() {
      guard word.hasPrefix("--") else {
        words.append(word)
        continue
      }
      let name = String(word.dropFirst(2))
      if flags.contains(name) {
        values.append((name, ""))
      } else if names.contains(name) {
        guard let value = rest.popFirst() else { throw Misuse(description: "\(word) needs a value") }
        values.append((name, value))
      } else {
        throw Misuse(description: "unknown option \(word); known: \((names + flags).map { "--\($0)" }.joined(separator: ", "))")
      }
    }
  }

  func has(_ name: String) -> Bool { values.contains { $0.name == name } }
  func text(_ name: String) -> String? { values.last { $0.name == name }?.value }
  /// Every value given under this name, in order.
  func all(_ name: String) -> [String] { values.filter { $0.name == name }.map(\.value) }
  func whole(_ name: String, in range: ClosedRange<Int>) throws -> Int? {
    guard let text = text(name) else { return nil }
    guard let value = Int(text), range.contains(value) else {
      throw Misuse(description: "--\(name) is `\(text)`; expected a whole number in \(range.lowerBound)...\(range.upperBound)")
    }
    return value
  }
  func real(_ name: String, in range: ClosedRange<Double>) throws -> Double? {
    guard let text = text(name) else { return nil }
    guard let value = Double(text), range.contains(value) else {
      throw Misuse(description: "--\(name) is `\(text)`; expected a number in \(range.lowerBound)...\(range.upperBound)")
    }
    return value
  }
}
