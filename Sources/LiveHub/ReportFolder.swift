import Glibc
import Quantities
import SiteFiles

/// The signed compliance reports in a state directory: `reports/NAME.json` and `NAME.sig`.
public struct ReportFolder: Sendable {
  public let path: String
  public init(state: String) { path = state + "/reports" }

  /// How long they are kept.
  static let kept = TimeSpan.days(731)

  public struct Flaw: Error, CustomStringConvertible, Sendable {
    public var description: String
  }

  public static func isName(_ text: String) -> Bool {
    (1...100).contains(text.utf8.count) && text.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "-" || $0 == "_") }
  }

  /// Where that is kept which is not over yet.
  var underWay: String { path + "/under-way" }

  func keep(_ bytes: [UInt8]) throws {
    try make()
    try StateFile.replace(underWay, with: bytes)
  }

  private func make() throws {
    guard mkdir(path, 0o750) == 0 || errno == EEXIST else { throw flaw(path) }
  }

  func has(_ name: String) -> Bool { access("\(path)/\(name).json", F_OK) == 0 }

  /// Names, oldest first.
  public func names() -> [String] {
    guard let folder = opendir(path) else { return [] }
    defer { closedir(folder) }
    var names: [String] = []
    while let entry = readdir(folder) {
      let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
        pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
      }
      if name.hasSuffix(".json") { names.append(String(name.dropLast(5))) }
    }
    return names.sorted()
  }

  /// - Returns: the bytes that were signed, and the signature in hexadecimal.
  public func read(_ name: String) throws -> (json: String, signature: String) {
    let json = try ProfileFolder.read("\(path)/\(name).json")
    let signature = try ProfileFolder.read("\(path)/\(name).sig")
    return (json, String(signature.prefix { $0 != "\n" }))
  }

  func write(_ name: String, json: String, signature: String) throws {
    try make()
    // The signature first: a report without one is none.
    for (ending, text) in [("sig", signature + "\n"), ("json", json)] {
      let file = open("\(path)/\(name).\(ending)", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o640)
      guard file >= 0 else { throw flaw(name) }
      defer { close(file) }
      let bytes = Array(text.utf8)
      guard Glibc.write(file, bytes, bytes.count) == bytes.count, fsync(file) == 0 else { throw flaw(name) }
    }
  }

  /// So many are kept beside those of the last 31 days, and so many in all.
  static let most = 20_000
  static let mostYoung = 50_000
  static let young = TimeSpan.days(31)

  /// Takes away the oldest, by the dates in their names.
  /// - Parameters:
  ///   - day: all before it go; nil: nobody knows what is old.
  ///   - young: what began from that day on goes only beyond `mostYoung`; nil: that is all.
  func thin(before day: String?, sparing young: String?, most: Int = ReportFolder.most, mostYoung: Int = ReportFolder.mostYoung) {
    let names = names()
    let old = day.map { day in names.prefix { $0 < day }.count } ?? 0
    let notYoung = young.map { young in names.prefix { $0 < young }.count } ?? 0
    for name in names.prefix(max(old, min(names.count - most, notYoung), names.count - mostYoung)) {
      unlink("\(path)/\(name).json")
      unlink("\(path)/\(name).sig")
    }
  }
  private func flaw(_ what: String) -> Flaw { Flaw(description: "\(what): cannot be written: \(String(cString: strerror(errno)))") }
}
