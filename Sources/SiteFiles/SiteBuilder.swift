import Documents
import Quantities
import Site

/// Turns the objects of a site file into nouns. What is wrong goes to the findings, and something harmless stands in its place.
struct SiteBuilder {
  let findings: Findings
  let catalogue: Catalogue
  var hub = Hub(id: "", circuits: [])
  var failsafe: [PerPhase<Current>?] = []

  init(findings: Findings, catalogue: Catalogue) { (self.findings, self.catalogue) = (findings, catalogue) }

  mutating func build(_ reader: ObjectReader) -> SiteFile {
    hub.id = reader.required("id", .identifier) ?? ""
    hub.name = reader.optional("name", .anyText, else: hub.id)
    if let (name, localTime) = reader.optional("time_zone", TimeZoneFile.shape) {
      (hub.timeZone, hub.localTime) = (name, localTime)
    }
    readSupply(reader)
    hub.nominalVoltage = reader.optional(
      "nominal_voltage_v", Shape<Int>.whole(100...400).map { Voltage.volts($0) }, else: .volts(230))
    hub.meters = reader.objects("meters").map { self.meter($0) }
    complainAboutRepeats(hub.meters.map(\.id), under: "meters", of: reader)
    complainAboutSharedUnits(reader)
    if let connection = reader.object("connection") {
      readCircuit(connection, parent: nil)
    } else {
      reader.complain(about: "connection", found: "no `connection`", expected: "`connection`: the circuit at the grid")
    }
    complainAboutRepeats(hub.circuits.map(\.id), under: "connection", of: reader)
    for station in reader.objects("stations") { readStation(station) }
    complainAboutRepeats(hub.stations.map(\.id), under: "stations", of: reader)
    readAccess(reader)
    if let settings = reader.object("settings") { hub.settings = Self.settings(settings) }
    let tariff = readPlanning(reader)
    let listeners = reader.objects("listen").map(Self.listener)
    complainAboutSharedPorts(listeners, reader)
    let relaxing = Self.relaxing(reader)
    let limitServer = reader.object("limit_server").flatMap { self.limitServer($0) }
    let oscp = reader.object("oscp").flatMap { self.oscp($0) }
    let calendar = reader.objects("calendar").compactMap { calendarLimit($0) }
    complainAboutRepeats(calendar.map(\.id), under: "calendar", of: reader)
    let state = reader.optional("state", .text)
    let journal = reader.object("journal")
    let rawDays = journal?.optional("raw_days", .whole(1...3650)) ?? 7
    let inputDays = journal?.optional("input_days", .whole(1...36500)) ?? 731
    if inputDays < rawDays {
      journal?.complain(about: "input_days", expected: "at least `raw_days`, \(rawDays): inputs outlive the raw readings")
    }
    journal?.finish()
    let limits = reader.objects("limits").enumerated().compactMap { self.limit($0.element, number: $0.offset + 1) }
    reader.finish()
    return SiteFile(
      hub: hub, listeners: listeners.isEmpty ? [.init(address: "0.0.0.0", port: 8887)] : listeners, stateFolder: state,
      rawDays: rawDays, inputDays: inputDays, limits: limits, failsafe: failsafe, tariff: tariff, relaxing: relaxing,
      calendar: calendar,
      limitServer: limitServer, oscp: oscp)
  }

  /// - Returns: the path of the tariff file, as written.
  private mutating func readPlanning(_ reader: ObjectReader) -> String? {
    guard let planning = reader.object("planning") else { return nil }
    let (policy, tariff) = Self.planning(planning)
    hub.planning = policy
    return tariff
  }

  static func planning(_ planning: ObjectReader) -> (PlanningPolicy, tariff: String?) {
    var policy = PlanningPolicy()
    policy.horizon = planning.optional("horizon_h", Shape<Int>.whole(1...48).map { TimeSpan.hours($0) }, else: policy.horizon)
    let slots = Shape<Int>.whole(5...60).map("a number of minutes that divides an hour: 5, 6, 10, 12, 15, 20, 30 or 60") {
      60 % $0 == 0 ? TimeSpan.minutes($0) : nil
    }
    policy.slot = planning.optional("slot_min", slots, else: policy.slot)
    policy.peakPrice = planning.optional("peak_eur_per_kw", .scaled(6, 0...10_000, "a price in EUR per kW"), else: policy.peakPrice)
    policy.carbonPrice = planning.optional(
      "co2_eur_per_kg", .scaled(6, 0...1000, "a price in EUR per kg of CO2"), else: policy.carbonPrice)
    policy.price = .microEuros(
      planning.optional("eur_per_kwh", .scaled(6, -100...100, "a price in EUR per kWh"), else: policy.price.raw))
    policy.feedIn = planning.optional("feed_in_eur_per_kwh", .scaled(6, -100...100, "a price in EUR per kWh")).map {
      .microEuros($0)
    }
    policy.assumedStay = planning.optional("assumed_stay_min", .minutes(15...2880), else: policy.assumedStay)
    policy.assumedEnergy = planning.optional("assumed_energy_kwh", .kilowattHours(1...1000), else: policy.assumedEnergy)
    let tariff = planning.optional("tariff", .text)
    planning.finish()
    return (policy, tariff)
  }

  private func readSupply(_ reader: ObjectReader) {
    guard let supply = reader.required("supply", .text), supply != "3x230/400 V" else { return }
    let refused = [
      "3x230 V IT": "a 3x230 V IT net has no neutral, and stations there charge between phases",
      "3x230 V delta": "a delta net has no neutral, and stations there charge between phases",
      "3x133/230 V": "stations there charge between phases",
      "120/240 V split phase": "a split-phase supply has two phases against each other",
      "1x230 V": "a hub needs three phases",
    ]
    if let reason = refused[supply] {
      reader.complain(about: "supply", found: "\"\(supply)\", which Sluice cannot handle: \(reason)", expected: "\"3x230/400 V\"")
    } else {
      reader.complain(about: "supply", expected: "\"3x230/400 V\" (three phases and neutral; nothing else can be handled)")
    }
  }

  /// Of a Modbus TCP device.
  static let address = Shape<String>.text.map("\"host:port\"") { text -> (String, Int)? in
    guard let colon = text.lastIndex(of: ":"), colon != text.startIndex else { return nil }
    let port = Int(text[text.index(after: colon)...])
    return port.flatMap { (1...65535).contains($0) ? (String(text[..<colon]), $0) : nil }
  }

  private func meter(_ reader: ObjectReader) -> Meter {
    let id = reader.required("id", .identifier) ?? ""
    let profile = reader.required("profile", .text) ?? ""
    let model = catalogue.meters.first { $0.name == profile }
    if !profile.isEmpty && model == nil {
      let known = catalogue.meters.map(\.name).joined(separator: ", ")
      reader.complain(about: "profile", expected: "a file of Profiles/meters: \(known)")
    }
    let unit = reader.optional("unit", .whole(0...255), else: model?.defaultUnit ?? 1)
    let period = reader.optional("period_s", .seconds(0...3600), else: .seconds(1))
    if period < .milliseconds(100) { reader.complain(about: "period_s", expected: "at least 0.1 s") }
    var bus = Meter.Bus.tcp(host: "", port: 502)
    let tcp = reader.optional("tcp", Self.address)
    let rtu = reader.object("rtu")
    if let tcp { bus = .tcp(host: tcp.0, port: tcp.1) }
    if let rtu {
      bus = .rtu(
        device: rtu.required("device", .text) ?? "", baud: rtu.optional("baud", .whole(1200...921_600), else: 9600),
        parity: rtu.optional("parity", .oneOf(["N": "N", "E": "E", "O": "O"]), else: "N"),
        stopBits: rtu.optional("stop_bits", .whole(1...2), else: 1))
      rtu.finish()
    }
    if (reader.node["tcp"] == nil) == (reader.node["rtu"] == nil) {
      reader.complain(about: "id", found: "a meter with both or neither of `tcp` and `rtu`", expected: "exactly one of them")
    }
    reader.finish()
    return Meter(id: id, profile: profile, bus: bus, unit: unit, period: max(period, .milliseconds(100)))
  }

  private func complainAboutRepeats(_ ids: [String], under key: String, of reader: ObjectReader) {
    for (i, id) in ids.enumerated() where !id.isEmpty && ids[..<i].contains(id) {
      reader.complain(about: key, found: "\"\(id)\" twice", expected: "each id once under `\(key)`")
    }
  }
  private func complainAboutSharedPorts(_ listeners: [SiteFile.Listener], _ reader: ObjectReader) {
    /// `::` hears both families.
    func covers(_ a: String, _ b: String) -> Bool { a == b || a == "::" || a == "0.0.0.0" && !b.contains(":") }
    for (i, listener) in listeners.enumerated() where listener.port != 0 {
      let other = listeners[..<i].first { other in
        other.port == listener.port && (covers(other.address, listener.address) || covers(listener.address, other.address))
      }
      guard let other else { continue }
      reader.complain(
        about: "listen", found: "port \(listener.port) for \(other.address) and \(listener.address)",
        expected: "a port for each listener; one listener may be `for` several purposes")
    }
  }
  private func complainAboutSharedUnits(_ reader: ObjectReader) {
    for (i, meter) in hub.meters.enumerated() {
      guard let other = hub.meters[..<i].first(where: { $0.bus == meter.bus && $0.unit == meter.unit }) else { continue }
      reader.complain(
        about: "meters", found: "unit \(meter.unit) of the same bus for \"\(other.id)\" and \"\(meter.id)\"",
        expected: "one meter each")
    }
  }

  private mutating func readAccess(_ reader: ObjectReader) {
    guard let access = reader.object("access") else {
      reader.complain(about: "access", found: "no `access`", expected: "`access`: {tags: [...]} or {accept: \"any\"}")
      return
    }
    let any = access.optional("accept", .oneOf(["any": true]))
    let tag = Shape<String>.text.map("an id tag of 1 to 20 characters") { $0.unicodeScalars.count <= 20 ? $0 : nil }
    let tags = access.optional("tags", .list(tag))
    if (access.node["accept"] == nil) == (access.node["tags"] == nil) {
      reader.complain(about: "access", expected: "either `tags` or `accept: \"any\"`")
    }
    hub.access = any == true ? .anyone : .tags(tags ?? [])
    access.finish()
  }

  private static func listener(_ reader: ObjectReader) -> SiteFile.Listener {
    let tls = reader.object("tls").map { files in
      let value = SiteFile.TLS(certificate: files.required("certificate", .text) ?? "", key: files.required("key", .text) ?? "")
      files.finish()
      return value
    }
    var listener = SiteFile.Listener(
      address: reader.optional("address", .text, else: "0.0.0.0"), port: reader.required("port", .whole(0...65535)) ?? 0, tls: tls)
    let purposes: [Purpose] = reader.optional("for", .list(.word()), else: [.stations])
    if purposes.isEmpty { reader.complain(about: "for", expected: "at least one of \"stations\", \"people\", \"grid-operator\"") }
    listener.purposes = purposes.isEmpty ? [.stations] : Set(purposes)
    listener.loopbackRole = reader.optional("loopback_without_token", .word())
    if listener.loopbackRole != nil, listener.purposes == [.stations] {
      reader.complain(about: "loopback_without_token", expected: "a listener `for` people or the grid operator")
    }
    listener.requestsPerSecond = reader.optional("requests_per_s", .whole(1...100_000), else: listener.requestsPerSecond)
    reader.finish()
    return listener
  }

  private func oscp(_ reader: ObjectReader) -> SiteFile.OSCP? {
    let preset = preset(reader)
    let fallback = fallback(reader, preset)
    let place = reader.optional("circuit", .identifier).map { circuit($0, reader) } ?? 0
    let url = Shape<String>.text.map("a URL that ends in /oscp/2.0") { $0.hasSuffix("/oscp/2.0") ? $0 : nil }
    let oscp = SiteFile.OSCP(
      group: reader.required("group_id", .text) ?? "", baseURL: reader.required("base_url", url) ?? "",
      tokenFile: reader.required("token_file", .text) ?? "", trust: reader.optional("trust", .text), circuit: place ?? 0,
      source: preset.map { reader.optional("source", .label, else: $0.source) } ?? reader.required("source", .label) ?? "",
      interval: reader.optional("heartbeat_s", .seconds(1...86_400), else: preset?.silentAfter ?? .seconds(60)),
      measurement: reader.optional("measurement_s", .seconds(1...86_400), else: .minutes(15)), fallback: fallback ?? .power(.zero))
    reader.finish()
    return oscp
  }

  private func limitServer(_ reader: ObjectReader) -> SiteFile.LimitServer? {
    let preset = preset(reader)
    let fallback = fallback(reader, preset)
    let place = reader.optional("circuit", .identifier).map { circuit($0, reader) } ?? 0
    let port = reader.required("port", .whole(0...65535)), allowed = reader.required("allow", .list(.text))
    if let allowed, allowed.isEmpty { reader.complain(about: "allow", expected: "at least one numeric address") }
    let server = SiteFile.LimitServer(
      address: reader.optional("address", .text, else: "0.0.0.0"), port: port ?? 0,
      unit: reader.optional("unit", .whole(0...255), else: 1), allowed: allowed ?? [], circuit: place ?? 0,
      source: preset.map { reader.optional("source", .label, else: $0.source) } ?? reader.required("source", .label) ?? "",
      silentAfter: reader.optional("silent_after_s", .seconds(1...86_400), else: preset?.silentAfter ?? .seconds(60)),
      fallback: fallback ?? .power(.zero),
      needsFreshLimit: reader.optional("needs_fresh_limit", .flag, else: preset?.needsFreshLimit ?? false))
    reader.finish()
    return server
  }

  /// How limits from outside are let up.
  private static func relaxing(_ reader: ObjectReader) -> LimitSeries.Relaxing {
    guard let object = reader.object("relaxing") else { return .atOnce }
    let relaxing = LimitSeries.Relaxing(
      delay: object.optional("delay_s", .seconds(0...3600), else: .zero),
      ramp: object.optional("ramp_s", .seconds(0...3600), else: .zero))
    object.finish()
    return relaxing
  }

  private func limit(_ reader: ObjectReader, number: Int) -> Limit? {
    let id = reader.optional("id", .identifier, else: "file-\(number)")
    let circuit = reader.optional("circuit", .identifier).map { ($0, self.circuit($0, reader)) } ?? ("", 0)
    let current = reader.optional("limit_a", .amperesPerPhase())
    let power = reader.optional("limit_kw", Shape<Int>.scaled(3, 0...100_000, "a power in kilowatts").map { Power.watts($0) })
    if (reader.node["limit_a"] == nil) == (reader.node["limit_kw"] == nil) {
      reader.complain(
        about: "id", found: "a limit with both or neither of `limit_a` and `limit_kw`", expected: "exactly one of them")
    }
    let source = reader.required("source", .label)
    let from = reader.optional("from", .time, else: Instant(milliseconds: 0))
    let until = reader.optional("until", .time)
    if let until, until <= from { reader.complain(about: "until", expected: "a time after `from`") }
    reader.finish()
    guard let source, let index = circuit.1, let amount = current.map(Limit.Amount.current) ?? power.map(Limit.Amount.power) else {
      return nil
    }
    return Limit(id: id, source: source, circuit: index, amount: amount, from: from, until: until)
  }

  /// The index of the circuit of that name; a finding when there is none.
  func circuit(_ id: String, _ reader: ObjectReader, key: String = "circuit") -> Int? {
    if let index = hub.circuits.firstIndex(where: { $0.id == id }) { return index }
    reader.complain(about: key, expected: "a circuit of this file: \(hub.circuits.map(\.id).joined(separator: ", "))")
    return nil
  }
}
