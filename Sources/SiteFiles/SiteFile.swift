import Documents
import Quantities
import Site

/// A site file, read and checked: the hub, and what the house around the mind needs to know.
public struct SiteFile: Hashable, Sendable {
  public var hub: Hub
  /// Where stations connect.
  public var listeners: [Listener]
  /// Where the journal lives, as written; nil: beside the site file.
  public var stateFolder: String?
  /// How many days raw readings are kept before they are thinned.
  public var rawDays: Int
  /// How many days the inputs of each transaction's profiles are kept.
  public var inputDays: Int
  /// Limits that are known in advance, to be announced to the mind at start.
  public var limits: [Limit]
  /// One for each circuit: the limit that holds when whoever sets limits from outside falls silent.
  public var failsafe: [PerPhase<Current>?]
  /// Path of the file with the prices of energy, as written; nil: there is none.
  public var tariff: String?

  public struct Listener: Hashable, Sendable {
    public var address: String
    public var port: Int
    public var tls: TLS?
  }
  /// Paths of PEM files, as written.
  public struct TLS: Hashable, Sendable {
    public var certificate: String
    public var key: String
  }

  /// - Parameters:
  ///   - name: for messages: the file's name.
  /// - Throws: everything that is wrong with the file, in the order of the text.
  public init(text: String, name: String, catalogue: Catalogue) throws(DocumentErrors) {
    let document: Document
    do throws(DocumentError) { document = try Document(json5: text, name: name) } catch { throw DocumentErrors([error]) }
    let findings = Findings()
    for problem in document.problems { findings.add(problem) }
    var builder = SiteBuilder(findings: findings, catalogue: catalogue)
    self = builder.build(ObjectReader(document.root, findings: findings))
    try findings.throwIfAny()
  }

  /// Reads the file at `path` with the profiles of `folder`.
  public static func read(_ path: String, profiles folder: ProfileFolder) throws(SiteFileError) -> SiteFile {
    let text: String
    do throws(FileError) { text = try ProfileFolder.read(path) } catch { throw .unreadable(error) }
    let catalogue = try folder.catalogue()
    do throws(DocumentErrors) { return try SiteFile(text: text, name: path, catalogue: catalogue) } catch { throw .wrong(error) }
  }

  init(
    hub: Hub, listeners: [Listener], stateFolder: String?, rawDays: Int, inputDays: Int, limits: [Limit],
    failsafe: [PerPhase<Current>?], tariff: String?
  ) {
    (self.hub, self.listeners, self.stateFolder) = (hub, listeners, stateFolder)
    (self.rawDays, self.inputDays) = (rawDays, inputDays)
    (self.limits, self.failsafe, self.tariff) = (limits, failsafe, tariff)
  }
}
