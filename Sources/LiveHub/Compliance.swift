import ChargingProfiles
import Control
import Dispatch
import Documents
import GridLimits
import Quantities
import Record
import Site
import Threads

/// Watches how limits are kept, and signs and keeps a report of each when it is over. What is under way is kept too, at each milestone
/// and every minute, so that a controller that is started again, or was killed, goes on with it. On the hub's loop, but for the writing.
final class Compliance: @unchecked Sendable {
  private var tracker = ComplianceTracker()
  /// What of it is kept.
  private var kept: (milestones: Int, at: Instant)?
  /// To be written next; what comes before that has happened takes its place.
  private let waiting = Locked<ComplianceTracker?>(nil)
  private let folder: ReportFolder
  private let state: String
  private let writing = DispatchQueue(label: "reports", qos: .utility)
  /// When the folder is looked at again: after so many reports. On `writing`.
  private var untilThinning = 0
  /// The day from which on reports are young; nil: no clock is proven yet. On `writing`.
  private var young: String?
  private let log: @Sendable (String, String) -> Void
  /// Series whose sender is silent: their fallback is watched.
  private var silent: Set<String> = []

  init(state: String, log: @escaping @Sendable (String, String) -> Void) {
    (self.state, folder, self.log) = (state, ReportFolder(state: state), log)
    do {
      if let bytes = try StateFile.read(folder.underWay) {
        tracker = try BinaryDecoder.decodeNamed(ComplianceTracker.self, from: bytes)
      }
    } catch {
      log("report_not_resumed", "\(error)")
    }
  }

  /// Limits that were set before the controller was started go on being watched.
  func resume(_ series: [SiteController.SeriesView], _ hub: Hub, at now: Instant) {
    // A report that was written just before the end is better than what was kept before.
    let over = tracker.resume(Set(series.map(\.series.id)), names: hub.circuits.map(\.id), at: now)
    keep(over.filter { !folder.has($0.name) }, hub)
    for one in series {
      if one.silentSince != nil { silent.insert(one.series.id) }
      keep(
        tracker.set(inForce(one), names: hub.circuits.map(\.id), voltage: hub.nominalVoltage, at: now, isResumed: true), hub)
    }
  }

  /// Takes reports away that are older than they are kept, or too many.
  /// - Parameter present: not by a wall clock that nobody has proven (`LiveHub.thin`).
  func thin(at present: Instant) {
    func day(_ span: TimeSpan) -> String {
      String(Timestamp.text(max(0, (present - span).milliseconds)).filter { $0.isNumber }.prefix(8))
    }
    let (oldest, young) = (day(ReportFolder.kept), day(ReportFolder.young))
    writing.async { [self] in
      self.young = young
      folder.thin(before: oldest, sparing: young)
    }
  }

  /// What holds of a series: its fallback while its sender is silent.
  private func inForce(_ one: SiteController.SeriesView) -> LimitSeries {
    guard one.silentSince != nil, let silence = one.series.silence else { return one.series }
    var fallback = one.series
    (fallback.blocks, fallback.afterwards) = (silence.fallback, nil)
    fallback.source += ", silent"
    return fallback
  }

  /// Senders may have fallen silent, or be back: what holds now is what is watched. Within a second of it.
  func hear(_ series: [SiteController.SeriesView], _ hub: Hub, at now: Instant) {
    for one in series where (one.silentSince != nil) != silent.contains(one.series.id) {
      if one.silentSince != nil { silent.insert(one.series.id) } else { silent.remove(one.series.id) }
      keep(tracker.set(inForce(one), names: hub.circuits.map(\.id), voltage: hub.nominalVoltage, at: now), hub)
    }
  }

  func take(_ entry: Entry, _ hub: Hub) {
    let now = entry.stamp.utc
    var over: [ComplianceReport] = []
    switch entry.event {
    case .asked(let request):
      let isDone = entry.effects.contains { effect in
        if case .answered(let reply) = effect { reply.refusal == nil } else { false }
      }
      if isDone { over = take(request.order, hub, at: now) }
    case .order(let order): over = take(order, hub, at: now)
    case .reading(let reading): over = take(reading, hub, at: now)
    default: over = tracker.finish(at: now)
    }
    for case .command(_, _, .setProfile, .decrease) in entry.effects {
      tracker.lowered(at: now)
      break
    }
    keep(over, hub)
    let isOld = kept.map { (now - $0.at).magnitude >= Self.keeping } ?? true
    if tracker.milestones != kept?.milestones || tracker.isWatching && isOld { keepOpen(at: now) }
  }

  private static let keeping = TimeSpan.minutes(1)

  /// Writes what is under way, beside everything else.
  private func keepOpen(at now: Instant) {
    kept = (tracker.milestones, now)
    let isNext = waiting.with { waiting in
      defer { waiting = tracker }
      return waiting == nil
    }
    guard isNext else { return }
    writing.async { [folder, waiting, log] in
      let tracker = waiting.with { waiting in
        defer { waiting = nil }
        return waiting
      }
      guard let tracker else { return }
      do {
        try folder.keep(BinaryEncoder.encodeNamed(tracker))
      } catch {
        log("report_not_kept", "\(error)")
      }
    }
  }

  private func take(_ order: Order, _ hub: Hub, at now: Instant) -> [ComplianceReport] {
    switch order {
    case .limit(let series):
      silent.remove(series.id)
      return tracker.set(series, names: hub.circuits.map(\.id), voltage: hub.nominalVoltage, at: now)
    case .withdrawLimit(let id, _, _):
      silent.remove(id)
      return tracker.withdrawn(id, at: now)
    default: return []
    }
  }

  private func take(_ reading: MeterReading, _ hub: Hub, at now: Instant) -> [ComplianceReport] {
    guard let own = reading.current else { return [] }
    var over: [ComplianceReport] = []
    for (k, circuit) in hub.circuits.enumerated() {
      guard let measurement = circuit.measurement, measurement.meter == reading.meter else { continue }
      let turned = measurement.rotation.onCircuit(own)
      over += tracker.measured(measurement.inverted ? turned.map { -$0 } : turned, circuit: k, at: now - reading.age)
    }
    return over
  }

  /// Signs and writes reports, beside everything else.
  private func keep(_ reports: [ComplianceReport], _ hub: Hub) {
    guard !reports.isEmpty else { return }
    let name = hub.id
    writing.async { [self] in
      for report in reports {
        do {
          let json = report.json(hub: name)
          guard let signature = try SigningKey(state: state, makes: true).signature(of: Array(json.utf8)) else {
            throw SigningKey.Flaw(description: "Ed25519 gives no signature")
          }
          try folder.write(report.name, json: json, signature: Self.hexadecimal(signature))
        } catch {
          log("report_not_kept", "\(report.name): \(error)")
        }
      }
      thinIfMany(reports.count)
    }
  }

  /// A flood of limits must not fill the disk before the next thinning. On `writing`.
  private func thinIfMany(_ added: Int) {
    untilThinning -= added
    guard untilThinning <= 0 else { return }
    untilThinning = 500
    folder.thin(before: nil, sparing: young)
  }

  /// Waits until all that is over is written, and what is not.
  func close(at now: Instant) {
    keepOpen(at: now)
    writing.sync {}
  }

  static func hexadecimal(_ bytes: [UInt8]) -> String {
    let digits = Array("0123456789abcdef".utf8)
    return String(decoding: bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
  }
}
