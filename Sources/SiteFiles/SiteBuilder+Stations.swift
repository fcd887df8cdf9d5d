import Documents
import Quantities
import Site

extension SiteBuilder {
  mutating func readStation(_ reader: ObjectReader) {
    let id = reader.required("id", .identifier) ?? ""
    var traits = StationTraits(model: "generic")
    if let model = reader.required("model", .text) {
      if let profile = catalogue.stations.first(where: { $0.name == model }) {
        traits = profile.traits
      } else {
        let known = catalogue.stations.map(\.name).joined(separator: ", ")
        reader.complain(about: "model", expected: "a file of Profiles/stations: \(known)")
      }
    }
    let own = reader.optional("static_maximum_a", Shape<Current>.amperes(1...1000))
    traits.staticMaximum = own ?? traits.staticMaximum
    let state = reader.optional("state", .oneOf(["planned": Station.State.planned, "installed": .installed]), else: .installed)
    let trust = reader.optional(
      "trust", .oneOf(["proven": FallbackTrust.proven, "accepted": .accepted, "none": .none]), else: FallbackTrust.none)
    let idle = reader.optional("idle_a", .amperes(0...100), else: .zero)
    let hash = Shape<String>.text.map("the hash of a password, never the password itself: \(PasswordHash.form)") { text in
      PasswordHash(text) == nil ? nil : text
    }
    let password = reader.optional("password_hash", hash)
    let place = reader.optional("circuit", .identifier).map { circuit($0, reader) }
    let first = hub.connectors.count
    let departure = reader.optional("depart", .timeOfDay)
    let connectors = reader.objects("connectors")
    for connector in connectors { readConnector(connector, station: hub.stations.count, traits: traits, place: place) }
    for c in first..<hub.connectors.count where hub.connectors[c].usualDeparture == nil {
      hub.connectors[c].usualDeparture = departure
    }
    if connectors.isEmpty {
      reader.complain(about: "connectors", found: "no connectors", expected: "at least one under `connectors`")
    }
    let numbers = hub.connectors[first...].map(\.number)
    if numbers != Array(1...max(1, numbers.count)) && !numbers.isEmpty {
      reader.complain(
        about: "connectors", found: "the numbers \(numbers.map(String.init).joined(separator: ", "))",
        expected: "1, 2, ... in this order, as OCPP counts them")
    }
    reader.finish()
    hub.stations.append(
      Station(
        id: id, state: state, traits: traits, trust: trust, connectors: first..<hub.connectors.count, idleCurrent: idle,
        passwordHash: password))
  }

  /// - Parameter place: the station's circuit; nil: not given, .some(nil): given but wrong.
  private mutating func readConnector(_ reader: ObjectReader, station: Int, traits: StationTraits, place: Int??) {
    let number = reader.required("number", .whole(1...100)) ?? 0
    var circuit = reader.optional("circuit", .identifier).map { self.circuit($0, reader) } ?? place
    if circuit == nil {
      reader.complain(about: "circuit", found: "no `circuit`, here or at the station", expected: "`circuit`: where it is connected")
      circuit = .some(0)
    }
    let supply = reader.optional("supply", .oneOf(["ac": Connector.Supply.ac, "dc": .dc]), else: .ac)
    let conductors = reader.optional("conductors", .oneOfWhole([1: Phases.l1, 2: [.l1, .l2], 3: .all]), else: Phases.all)
    let rotation = reader.required(
      "rotation",
      .oneOf([
        "RST": PhaseRotation?.some(.rst), "RTS": .some(.rts), "SRT": .some(.srt), "STR": .some(.str), "TRS": .some(.trs),
        "TSR": .some(.tsr), "unknown": .none,
      ]))
    let wiring = (rotation ?? nil).map { Connector.Wiring(conductors: conductors, rotation: $0) }
    let maximum = reader.required("maximum_a", .amperes(1...1000)) ?? .amperes(32)
    let minimum = reader.optional("minimum_a", .amperes(0...1000), else: .smallestOffer)
    let fallback = reader.required("fallback_a", .amperes(0...1000)) ?? .zero
    if supply == .ac && minimum < .smallestOffer {
      reader.complain(about: "minimum_a", expected: "at least 6 A (IEC 61851-1)")
    }
    if maximum < minimum { reader.complain(about: "maximum_a", expected: "at least the minimum of \(minimum.text)") }
    if fallback != .zero && (fallback < minimum || fallback > maximum) {
      reader.complain(about: "fallback_a", expected: "0, or from the minimum of \(minimum.text) to the maximum of \(maximum.text)")
    }
    if fallback == .zero && reader.node["fallback_a"] != nil && !traits.honoursZeroFallback {
      let able = catalogue.stations.filter(\.traits.honoursZeroFallback).map(\.name).joined(separator: ", ")
      reader.complain(
        about: "fallback_a",
        expected:
          "at least \(minimum.text), as the model \"\(traits.model)\" is not known to honour a fallback of 0 A (these are: \(able))"
      )
    }
    var connector = Connector(
      station: station, number: number, circuit: (circuit ?? nil) ?? 0, supply: supply, wiring: wiring, maximum: maximum,
      minimum: minimum, fallback: fallback, weight: reader.optional("weight", .whole(1...1000), else: 100),
      priority: reader.optional("priority", .whole(1...1000), else: 100))
    connector.usualStay = reader.optional("usual_stay_min", .minutes(15...2880))
    connector.usualEnergy = reader.optional("usual_energy_kwh", .kilowattHours(1...1000))
    connector.usualDeparture = reader.optional("depart", .timeOfDay)
    if connector.usualDeparture != nil && connector.usualStay != nil {
      reader.complain(
        about: "depart", found: "both `depart` and `usual_stay_min`",
        expected: "one of them: when vehicles leave, or how long they stay")
    }
    reader.finish()
    hub.connectors.append(connector)
  }
}

extension Shape where Value == Phases {
  static func oneOfWhole(_ values: KeyValuePairs<Int, Phases>) -> Shape {
    let pairs = values.map { ($0.key, $0.value) }
    return Shape("one of " + pairs.map { "\($0.0)" }.joined(separator: ", ")) { node in
      node.integer.flatMap { number in pairs.first { $0.0 == number }?.1 }
    }
  }
}

extension Current {
  /// `16 A`, `6.5 A`.
  var text: String { "\(ExactNumberText.amperes(milliamperes)) A" }
}

/// Milliamperes as amperes, exactly.
enum ExactNumberText {
  static func amperes(_ milliamperes: Int) -> String { ExactNumber(milliamperes, decimals: 3).description }
}
