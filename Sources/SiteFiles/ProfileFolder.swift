import Documents
import FoundationEssentials
import Metering
import Site

/// A file that could not be read.
public struct FileError: Error, Hashable, Sendable, CustomStringConvertible {
  public var path: String
  public var reason: String
  public init(path: String, reason: String) { (self.path, self.reason) = (path, reason) }
  public var description: String { "\(path): \(reason)" }
}

/// The folder with the register maps (`meters`), station models (`stations`) and grid rules (`limits`).
public struct ProfileFolder: Hashable, Sendable {
  /// Without a slash at its end.
  public let path: String
  public init(path: String) { self.path = path }

  /// The name of the environment variable that names the folder.
  public static let variable = "SLUICE_PROFILES"

  /// The first of these that exists: what the caller names, `SLUICE_PROFILES`, `Profiles` beside the executable's build tree, and in the
  /// folders above the executable and the working directory.
  /// - Throws: when a folder is named that is none, or nothing is found.
  public static func locate(named: String? = nil) throws(FileError) -> ProfileFolder {
    if let named = named ?? ProcessInfo.processInfo.environment[variable], !named.isEmpty {
      guard isFolder(named) else { throw FileError(path: named, reason: "no folder with profiles") }
      return ProfileFolder(path: named)
    }
    let executable = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? ""
    for start in [executable, FileManager.default.currentDirectoryPath + "/."] {
      var parts = start.split(separator: "/")
      while !parts.isEmpty {
        parts.removeLast()
        for candidate in ["/" + parts.joined(separator: "/") + "/Profiles", "/" + parts.joined(separator: "/") + "/share/sluice"]
        where isFolder(candidate + "/stations") { return ProfileFolder(path: candidate) }
      }
    }
    throw FileError(path: "Profiles", reason: "not found; name the folder in \(variable)")
  }

  /// Names of the files in `meters`, `stations` or `limits`, without their ending, sorted.
  public func names(in kind: String) -> [String] {
    let files = (try? FileManager.default.contentsOfDirectory(atPath: "\(path)/\(kind)")) ?? []
    return files.filter { $0.hasSuffix(".json5") }.map { String($0.dropLast(6)) }.sorted()
  }
  /// The text of one file.
  public func text(_ kind: String, _ name: String) throws(FileError) -> String {
    guard !name.contains("/") else { throw FileError(path: name, reason: "a profile is named without its folder") }
    return try Self.read("\(path)/\(kind)/\(name).json5")
  }

  /// The whole of a file as text.
  public static func read(_ path: String) throws(FileError) -> String {
    guard let data = FileManager.default.contents(atPath: path) else {
      let why =
        isFolder(path)
        ? "it is a folder" : FileManager.default.fileExists(atPath: path) ? "it may not be read" : "there is no such file"
      throw FileError(path: path, reason: "cannot be read: \(why)")
    }
    guard let text = String(bytes: data, encoding: .utf8) else { throw FileError(path: path, reason: "is not UTF-8") }
    return text
  }
  private static func isFolder(_ path: String) -> Bool {
    var isDirectory = false
    return FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory) && isDirectory
  }

  /// All that a site file can refer to.
  /// - Throws: what is wrong with the first file that is wrong.
  public func catalogue() throws(SiteFileError) -> Catalogue {
    var stations: [StationProfile] = []
    for name in names(in: "stations") {
      let file: String
      do throws(FileError) { file = try text("stations", name) } catch { throw .unreadable(error) }
      do throws(DocumentErrors) { stations.append(try StationProfile(text: file, name: name)) } catch { throw .wrong(error) }
    }
    var meters: [MeterProfile] = []
    for name in names(in: "meters") { meters.append(try meter(named: name)) }
    var presets: [LimitPreset] = []
    for name in names(in: "limits") {
      let file: String
      do throws(FileError) { file = try text("limits", name) } catch { throw .unreadable(error) }
      do throws(DocumentErrors) { presets.append(try LimitPreset(text: file, name: name)) } catch { throw .wrong(error) }
    }
    return Catalogue(stations: stations, meters: meters, presets: presets)
  }

  /// One register map.
  public func meter(named name: String) throws(SiteFileError) -> MeterProfile {
    let file: String
    do throws(FileError) { file = try text("meters", name) } catch { throw .unreadable(error) }
    do throws(DocumentErrors) { return try MeterProfile(json5: file, name: name) } catch { throw .wrong(error) }
  }
}

/// Why a site file could not be used.
public enum SiteFileError: Error, Hashable, Sendable, CustomStringConvertible {
  case unreadable(FileError)
  case wrong(DocumentErrors)
  public var description: String {
    switch self {
    case .unreadable(let error): error.description
    case .wrong(let errors): errors.description
    }
  }
}

/// The profiles that a site file can name.
public struct Catalogue: Hashable, Sendable {
  public var stations: [StationProfile]
  public var meters: [MeterProfile]
  public var presets: [LimitPreset]
  public init(stations: [StationProfile], meters: [MeterProfile], presets: [LimitPreset] = []) {
    (self.stations, self.meters, self.presets) = (stations, meters, presets)
  }
}
