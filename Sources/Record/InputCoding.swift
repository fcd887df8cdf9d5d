import Control
import Quantities
import Site

/// The form of the blocks with inputs. Frozen: they are read for two years, by later versions too. Another form gets another number.
/// Points in time are written as such, not as ages, so that what stands still has the same bytes.
///
/// Each kind of block has a form of its own.
enum InputCoding {
  /// The hub is written with the names of its members: a later version reads what it shares. 1 and 2 were written by position, as `Hub`
  /// was then, and cannot be read any more.
  static let formOfHub: UInt8 = 3
  /// 1: each number written out. 2: `InputModel`.
  static let formOfCircuits: UInt8 = 2
  /// 1: each number written out. 2: `InputModel`, with what the plan can do for each session. 3: without that: it is a block of its own.
  static let formOfConnectors: UInt8 = 3
  static let formOfOutlooks: UInt8 = 1
  static let formOfMoment: UInt8 = 1
  /// 1 said nothing of a station's trust and capabilities.
  static let formOfSurroundings: UInt8 = 2
  static let connectorsPerBlock = 64
  /// With more stations than that, the surroundings are several blocks: so many stations in each, and in the last, which has no station,
  /// the limits and alarms.
  static let stationsPerBlock = 64

  // MARK: Hub

  static func bytes(_ hub: Hub) throws -> [UInt8] { [formOfHub] + (try BinaryEncoder.encodeNamed(hub)) }
  static func hub(_ bytes: [UInt8]) throws(RecordFault) -> Hub {
    _ = try opened(bytes, formOfHub)
    return try BinaryDecoder.decodeNamed(Hub.self, from: Array(bytes.dropFirst()))
  }

  // MARK: Circuits

  static func bytes(_ circuits: [HubView.CircuitView], at stamp: EventStamp) throws -> [UInt8] {
    var (model, encoder) = (InputModel(), RangeEncoder())
    _ = try model.codeCircuits(circuits, at: stamp, &encoder)
    return [formOfCircuits] + encoder.finish()
  }
  static func circuits(_ bytes: [UInt8], at stamp: EventStamp) throws(RecordFault) -> [HubView.CircuitView] {
    if bytes.first != 1 {
      return try newer(bytes, formOfCircuits) { model, decoder in try model.codeCircuits([], at: stamp, &decoder) }
    }
    var reader = try opened(bytes, 1)
    var result: [HubView.CircuitView] = []
    for _ in 0..<(try reader.count()) {
      let mask = try reader.byte()
      let limit: PerPhase<Current> = try phases(&reader)
      let source = try reader.text()
      let measured: PerPhase<Current>? = mask & 1 == 0 ? nil : try phases(&reader)
      let age = mask & 2 == 0 ? nil : stamp.monotonic - Monotonic(milliseconds: try reader.integer())
      let worst = Phases(rawValue: try reader.byte())
      result.append(
        HubView.CircuitView(
          limit: limit, limitSource: source, measured: measured, readingAge: age, base: try phases(&reader),
          baseForCuts: try phases(&reader), worst: worst, committed: try phases(&reader), reserve: try phases(&reader)))
    }
    try reader.finish()
    return result
  }

  // MARK: Connectors

  static func bytes(_ connectors: ArraySlice<HubView.ConnectorView>, at stamp: EventStamp) throws -> [UInt8] {
    var (model, encoder) = (InputModel(), RangeEncoder())
    _ = try model.codeConnectors(connectors, at: stamp, &encoder)
    return [formOfConnectors] + encoder.finish()
  }
  static func connectors(_ bytes: [UInt8], at stamp: EventStamp) throws(RecordFault) -> [HubView.ConnectorView] {
    if bytes.first == 2 {
      return try newer(bytes, 2) { model, decoder in try model.codeConnectors([], at: stamp, withOutlooks: true, &decoder) }
    }
    if bytes.first != 1 {
      return try newer(bytes, formOfConnectors) { model, decoder in try model.codeConnectors([], at: stamp, &decoder) }
    }
    var reader = try opened(bytes, 1)
    var result: [HubView.ConnectorView] = []
    for _ in 0..<(try reader.count()) { result.append(try connector(&reader, at: stamp)) }
    try reader.finish()
    return result
  }
  private static func connector(_ reader: inout ByteReader, at stamp: EventStamp) throws(RecordFault) -> HubView.ConnectorView {
    let mask = try reader.byte()
    var status: ConnectorStatus?
    if mask & 1 != 0 {
      let at = reader.position
      let text = try reader.text()
      status = ConnectorStatus(rawValue: text)
      if status == nil { throw .badValue("status \(text)", at: at) }
    }
    let transaction = mask & 2 == 0 ? nil : try reader.integer()
    let energy = mask & 2 == 0 ? .zero : Energy(raw: try reader.integer())
    let offered = mask & 4 == 0 ? nil : Current(raw: try reader.integer())
    let ends = mask & 8 == 0 ? nil : Monotonic(milliseconds: try reader.integer())
    let measured: PerPhase<Current>? = mask & 16 == 0 ? nil : try phases(&reader)
    let age = mask & 32 == 0 ? nil : stamp.monotonic - Monotonic(milliseconds: try reader.integer())
    let charge = mask & 64 == 0 ? nil : try reader.integer()
    let committed: PerPhase<Current> = mask & 128 == 0 ? .zero : try phases(&reader)
    return HubView.ConnectorView(
      status: status, transaction: transaction, idTag: nil, offered: offered, offerEnds: ends, measured: measured, measuredAge: age,
      committed: committed, reason: try BinaryDecoder.decode(Reason.self, from: &reader), energy: energy, stateOfCharge: charge)
  }

  // MARK: Circuits and connectors together

  static func moment(
    circuits: [HubView.CircuitView], connectors: ArraySlice<HubView.ConnectorView>, at stamp: EventStamp
  ) throws -> [UInt8] {
    var (model, encoder) = (InputModel.experienced, RangeEncoder())
    _ = try model.codeCircuits(circuits, at: stamp, &encoder)
    _ = try model.codeConnectors(connectors, at: stamp, &encoder)
    return [formOfMoment] + encoder.finish()
  }
  static func moment(
    _ bytes: [UInt8], at stamp: EventStamp
  ) throws(RecordFault) -> (circuits: [HubView.CircuitView], connectors: [HubView.ConnectorView]) {
    try newer(bytes, formOfMoment, .experienced) { model, decoder in
      let circuits = try model.codeCircuits([], at: stamp, &decoder)
      return (circuits, try model.codeConnectors([], at: stamp, &decoder))
    }
  }

  // MARK: Outlooks

  static func bytes(_ outlooks: [(transaction: Int, outlook: Outlook)]) throws -> [UInt8] {
    var (model, encoder) = (InputModel(), RangeEncoder())
    _ = try model.codeOutlooks(outlooks, &encoder)
    return [formOfOutlooks] + encoder.finish()
  }
  static func outlooks(_ bytes: [UInt8]) throws(RecordFault) -> [(transaction: Int, outlook: Outlook)] {
    try newer(bytes, formOfOutlooks) { model, decoder in try model.codeOutlooks([], &decoder) }
  }

  // MARK: Surroundings

  /// - Parameter stations: what `bytes(_:)` wrote of each, one after the other.
  static func surroundings(
    storeFailed: Bool, count: Int, stations: [UInt8], limits: [Limit], alarms: [Alarm]
  ) throws -> [UInt8] {
    var writer = begun(formOfSurroundings)
    writer.put(byte: storeFailed ? 1 : 0)
    writer.put(unsigned: UInt64(count))
    writer.bytes += stations
    try BinaryEncoder.encode(limits, to: &writer)
    try BinaryEncoder.encode(alarms, to: &writer)
    return writer.bytes
  }
  /// One station of the surroundings.
  static func bytes(_ station: HubView.StationView) throws -> [UInt8] {
    var writer = ByteWriter()
    writer.put(
      byte: mask([
        station.connected, station.controlled, station.gap != nil, station.identity != nil, station.clockOffset != nil,
        station.capabilities != nil, station.isCommissioned,
      ]))
    writer.put(text: station.trust.rawValue)
    if let gap = station.gap { try BinaryEncoder.encode(gap, to: &writer) }
    if let identity = station.identity { try BinaryEncoder.encode(identity, to: &writer) }
    if let offset = station.clockOffset { writer.put(offset.raw) }
    if let capabilities = station.capabilities { try BinaryEncoder.encode(capabilities, to: &writer) }
    return writer.bytes
  }
  static func surroundings(_ bytes: [UInt8], into view: inout HubView) throws(RecordFault) {
    let form = bytes.first == 1 ? 1 : formOfSurroundings
    var reader = try opened(bytes, form)
    view.storeFailed = try reader.byte() != 0
    for _ in 0..<(try reader.count()) {
      let mask = try reader.byte()
      let trust = form == 1 ? .none : try trust(&reader)
      let gap = mask & 4 == 0 ? nil : try BinaryDecoder.decode(ControlGap.self, from: &reader)
      let identity = mask & 8 == 0 ? nil : try BinaryDecoder.decode(StationIdentity.self, from: &reader)
      let offset = mask & 16 == 0 ? nil : TimeSpan(raw: try reader.integer())
      let capabilities = mask & 32 == 0 ? nil : try BinaryDecoder.decode(StationCapabilities.self, from: &reader)
      view.stations.append(
        HubView.StationView(
          connected: mask & 1 != 0, controlled: mask & 2 != 0, gap: gap, identity: identity, clockOffset: offset,
          capabilities: capabilities, trust: trust, isCommissioned: mask & 64 != 0))
    }
    view.limits = try BinaryDecoder.decode([Limit].self, from: &reader)
    view.alarms = try BinaryDecoder.decode([Alarm].self, from: &reader)
    try reader.finish()
  }

  private static func trust(_ reader: inout ByteReader) throws(RecordFault) -> FallbackTrust {
    let at = reader.position
    let word = try reader.text()
    guard let trust = FallbackTrust(rawValue: word) else { throw .badValue("trust \(word)", at: at) }
    return trust
  }

  // MARK: Small parts

  private static func newer<Value>(
    _ bytes: [UInt8], _ form: UInt8, _ model: InputModel = InputModel(),
    _ read: (inout InputModel, inout RangeDecoder) throws -> Value
  ) throws(RecordFault) -> Value {
    _ = try opened(bytes, form)
    var (model, decoder) = (model, RangeDecoder(bytes, from: 1))
    do { return try read(&model, &decoder) } catch let fault as RecordFault { throw fault } catch {
      throw .badValue("\(error)", at: 0)
    }
  }
  private static func begun(_ form: UInt8) -> ByteWriter {
    var writer = ByteWriter()
    writer.put(byte: form)
    return writer
  }
  private static func opened(_ bytes: [UInt8], _ form: UInt8) throws(RecordFault) -> ByteReader {
    var reader = ByteReader(bytes)
    let found = try reader.byte()
    guard found == form else { throw .otherVersion(Int(found), known: Int(form)) }
    return reader
  }
  private static func mask(_ bits: [Bool]) -> UInt8 {
    var mask: UInt8 = 0
    for (place, bit) in bits.enumerated() where bit { mask |= 1 << UInt8(place) }
    return mask
  }
  private static func phases(_ reader: inout ByteReader) throws(RecordFault) -> PerPhase<Current> {
    PerPhase(Current(raw: try reader.integer()), Current(raw: try reader.integer()), Current(raw: try reader.integer()))
  }
}
