import Documents
import Quantities
import Site

/// A site file, read and checked: the hub, and what the house around the mind needs to know.
public struct SiteFile: Hashable, Sendable {
  public var hub: Hub
  /// Where stations connect.
  public var listeners: [Listener]
  /// Limits that come back by the clock on the wall.
  public var calendar: [CalendarLimit]
  /// Where a grid operator's terminal sets a limit by Modbus TCP; nil: nowhere.
  public var limitServer: LimitServer?
  /// The capacity provider with which the hub speaks OSCP 2.0; nil: none.
  public var oscp: OSCP?
  /// How limits from outside are let up, at most: the delay is drawn between nothing and this.
  public var relaxing: LimitSeries.Relaxing
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
    /// Never empty.
    public var purposes: Set<Purpose> = [.stations]
    /// What somebody on this machine may do without a token; nil: nothing.
    public var loopbackRole: Role?
    /// Of one address; more are answered with 429.
    public var requestsPerSecond = 50
  }
  /// A Modbus TCP server for the registers of `Profiles/limits/registers/modbus-limit.json5`.
  public struct LimitServer: Hashable, Sendable {
    public var address: String
    public var port: Int
    public var unit: Int
    /// Numeric addresses that are heard; all others are closed.
    public var allowed: [String]
    /// Index into `Hub.circuits`.
    public var circuit: Int
    public var source: String
    /// A watchdog that stands still for longer is silence.
    public var silentAfter: TimeSpan
    /// What holds then.
    public var fallback: Limit.Amount
    /// A watchdog that moves again does not end the silence: the limit has to be written anew.
    public var needsFreshLimit: Bool
  }
  /// How the hub is a flexibility provider of OSCP 2.0, at `/oscp/2.0` of the listeners for the grid operator.
  public struct OSCP: Hashable, Sendable {
    public var group: String
    /// Where the capacity provider reaches us, `/oscp/2.0` included.
    public var baseURL: String
    /// Path of the file with the token of the first registration, as written.
    public var tokenFile: String
    /// PEM file with the authorities to believe, as written; nil: the system's.
    public var trust: String?
    /// Index into `Hub.circuits`.
    public var circuit: Int
    public var source: String
    public var interval: TimeSpan
    public var measurement: TimeSpan
    public var fallback: Limit.Amount
  }
  /// Paths of PEM files, as written.
  public struct TLS: Hashable, Sendable {
    public var certificate: String
    public var key: String
  }

  /// What will bound circuits some time, as far as the file says: limits, those of the calendar, and what holds when a sender is silent.
  var announcedBounds: [(circuit: Int, amount: Limit.Amount, source: String)] {
    limits.map { ($0.circuit, $0.amount, $0.source) } + calendar.map { ($0.circuit, $0.amount, $0.source) }
      + (limitServer.map { [($0.circuit, $0.fallback, "\($0.source), silent")] } ?? [])
      + (oscp.map { [($0.circuit, $0.fallback, "\($0.source), silent")] } ?? [])
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
    failsafe: [PerPhase<Current>?], tariff: String?, relaxing: LimitSeries.Relaxing, calendar: [CalendarLimit],
    limitServer: LimitServer?, oscp: OSCP?
  ) {
    (self.hub, self.listeners, self.stateFolder) = (hub, listeners, stateFolder)
    (self.rawDays, self.inputDays) = (rawDays, inputDays)
    (self.limits, self.failsafe, self.tariff, self.relaxing) = (limits, failsafe, tariff, relaxing)
    (self.calendar, self.limitServer, self.oscp) = (calendar, limitServer, oscp)
  }
}
