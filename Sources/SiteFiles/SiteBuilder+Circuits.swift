import Documents
import Quantities
import Site

extension SiteBuilder {
  /// Reads a circuit and all below it; a parent stands before its children.
  mutating func readCircuit(_ reader: ObjectReader, parent: Int?) {
    let id = reader.required("id", .identifier) ?? ""
    let rating = reader.required("limit_a", .amperesPerPhase(1...10_000)) ?? PerPhase(all: .amperes(10_000))
    var circuit = Circuit(id: id, parent: parent, rating: rating)
    circuit.curve = reader.object("curve").map(Self.curve) ?? .standard
    circuit.contract = reader.object("contract").map { self.contract($0) }
    circuit.baseWorst = reader.required("base_worst_a", .amperesPerPhase()) ?? .zero
    circuit.generation = reader.optional("generation_a", .amperesPerPhase(), else: .zero)
    circuit.firmGeneration = reader.optional("count_generation_a", .amperesPerPhase(), else: .zero)
    circuit.conductorRating = reader.optional("conductor_a", .amperesPerPhase(1...10_000))
    circuit.measurement = reader.object("meter").flatMap { self.measurement($0) }
    circuit.unbalanceLimit = reader.optional("unbalance_a", .amperes(1...1000))
    circuit.manualCap = reader.optional("manual_cap_a", .amperesPerPhase())
    circuit.maintenance = reader.optional("maintenance", .flag, else: false)
    circuit.margin = reader.optional("margin_a", .amperes(0...1000), else: .zero)
    circuit.arrivalReserve = reader.optional("arrival_reserve_a", .amperes(0...1000))
    let failsafe = reader.optional("failsafe_a", .amperesPerPhase())
    circuit.failsafe = failsafe
    circuit.shuntTrip = reader.object("shunt_trip").map(Self.shuntTrip)
    if circuit.shuntTrip != nil, circuit.measurement == nil {
      reader.complain(about: "shunt_trip", expected: "a circuit with a `meter`: only what is measured is switched off")
    }
    for phase in Phase.allCases where circuit.firmGeneration[phase] > circuit.generation[phase] {
      reader.complain(about: "count_generation_a", expected: "at most `generation_a` on \(phase.name)")
      break
    }
    for phase in Phase.allCases where circuit.margin >= circuit.rating[phase] {
      reader.complain(about: "margin_a", expected: "less than `limit_a`")
      break
    }
    hub.circuits.append(circuit)
    self.failsafe.append(failsafe)
    let index = hub.circuits.count - 1
    for child in reader.objects("circuits") { readCircuit(child, parent: index) }
    reader.finish()
  }

  private func measurement(_ reader: ObjectReader) -> Circuit.Measurement? {
    let id = reader.required("id", .identifier)
    let rotation: PhaseRotation = reader.optional("phases", .word(), else: .rst)
    let inverted = reader.optional("inverted", .flag, else: false)
    reader.finish()
    guard let id else { return nil }
    guard let index = hub.meters.firstIndex(where: { $0.id == id }) else {
      reader.complain(about: "id", expected: "a meter of this file: \(hub.meters.map(\.id).joined(separator: ", "))")
      return nil
    }
    if let unfit = catalogue.meters.first(where: { $0.name == hub.meters[index].profile })?.unfit {
      reader.complain(
        about: "id", found: "a meter that cannot guard phases (\(unfit))", expected: "a meter with a current per phase")
    }
    return Circuit.Measurement(meter: index, rotation: rotation, inverted: inverted)
  }

  private static func shuntTrip(_ reader: ObjectReader) -> ShuntTrip {
    let address = reader.required("tcp", address) ?? ("", 502)
    let trip = ShuntTrip(
      host: address.0, port: address.1, unit: reader.optional("unit", .whole(0...255), else: 1),
      coil: reader.required("coil", .whole(0...65_535)) ?? 0,
      after: reader.optional("after_s", .seconds(5...3600), else: .seconds(30)),
      pulse: reader.optional("pulse_s", .seconds(0...60), else: .seconds(1)))
    reader.finish()
    return trip
  }

  private static func curve(_ reader: ObjectReader) -> TripCurve {
    let points = reader.objects("points").map { point in
      let value = TripCurve.Point(
        permille: point.required("times", .scaled(3, 1...20, "a multiple of `limit_a`")) ?? 1000,
        time: point.required("for_s", .seconds(0...86_400)) ?? .zero)
      point.finish()
      return value
    }
    let beyond = reader.required("beyond_s", .seconds(0...3600)) ?? .zero
    for i in points.indices.dropFirst() where points[i].permille <= points[i - 1].permille || points[i].time > points[i - 1].time {
      reader.complain(about: "points", expected: "points with rising `times` and falling `for_s`")
      break
    }
    if let last = points.last, last.time < beyond {
      reader.complain(about: "beyond_s", expected: "at most the last point's `for_s`")
    }
    reader.finish()
    return TripCurve(points: points, beyond: beyond)
  }

  private func contract(_ reader: ObjectReader) -> ContractLimit {
    let preset = preset(reader)
    if let preset, preset.window == nil {
      reader.complain(about: "preset", expected: "a preset with a `window_min`, such as \"be-capacity-tariff\"")
    }
    let current = reader.optional("mean_a", .amperesPerPhase(1...10_000))
    let power = reader.optional("mean_kw", Shape<Int>.scaled(3, 0...100_000, "a power in kilowatts").map { Power.watts($0) })
    if (reader.node["mean_a"] == nil) == (reader.node["mean_kw"] == nil) {
      Self.findAmount(reader)
    }
    if let least = preset?.leastMean, let power, power < least {
      reader.complain(
        about: "mean_kw",
        expected:
          "at least \(least.raw / 1_000_000).\(least.raw / 100_000 % 10) kW: less gains nothing under \(preset?.source ?? "")")
    }
    let window = reader.optional("window_min", .minutes(1...1440), else: preset?.window ?? .minutes(15))
    let offset = reader.optional("offset_s", .seconds(0...86_400), else: .zero)
    reader.finish()
    return ContractLimit(
      amount: current.map(ContractLimit.Amount.current) ?? .power(power ?? .zero), window: window, offset: offset)
  }
  private static func findAmount(_ reader: ObjectReader) {
    reader.complain(
      about: "window_min", found: "a contract with both or neither of `mean_a` and `mean_kw`", expected: "exactly one of them")
  }

  static func settings(_ reader: ObjectReader) -> Settings {
    var settings = Settings()
    settings.horizon = reader.optional("horizon_s", .seconds(60...3600), else: settings.horizon)
    settings.guardTime = reader.optional("guard_s", .seconds(0...600), else: settings.guardTime)
    settings.vehicleReaction = reader.optional("vehicle_reaction_s", .seconds(0...300), else: settings.vehicleReaction)
    settings.deadBand = reader.optional("dead_band_a", .amperes(0...10), else: settings.deadBand)
    settings.sharingInterval = reader.optional("sharing_interval_s", .seconds(0...3600), else: settings.sharingInterval)
    settings.followTolerance = reader.optional("follow_tolerance_a", .amperes(0...5), else: settings.followTolerance)
    settings.increaseStep = reader.optional("increase_step_a", .amperes(0...100), else: settings.increaseStep)
    settings.increaseInterval = reader.optional("increase_interval_s", .seconds(0...3600), else: settings.increaseInterval)
    settings.giveBackAfter = reader.optional("give_back_after_s", .seconds(10...3600), else: settings.giveBackAfter)
    settings.giveBackMargin = reader.optional("give_back_margin_a", .amperes(0...32), else: settings.giveBackMargin)
    settings.rotationPeriod = reader.optional("rotation_min", .minutes(5...240), else: settings.rotationPeriod)
    settings.minimumOnOff = reader.optional("minimum_on_off_s", .seconds(0...3600), else: settings.minimumOnOff)
    settings.idlePause = reader.optional(
      "idle_pause_min", .minutes(5...240), else: min(settings.idlePause, settings.rotationPeriod * 2))
    settings.cyclesPerSession = reader.optional("cycles_per_session", .whole(0...1000), else: settings.cyclesPerSession)
    settings.lowestVoltage = reader.optional(
      "lowest_voltage_v", Shape<Int>.whole(80...400).map { Voltage.volts($0) }, else: settings.lowestVoltage)
    settings.largestSkew = reader.optional("largest_skew_s", .seconds(1...300), else: settings.largestSkew)
    settings.stalePeriods = reader.optional("stale_periods", .whole(2...60), else: settings.stalePeriods)
    settings.frozenAfter = reader.optional("frozen_after_s", .seconds(10...3600), else: settings.frozenAfter)
    settings.excessPatience = reader.optional("excess_patience_s", .seconds(0...60), else: settings.excessPatience)
    settings.narrowsPhases = reader.optional("narrows_phases", .flag, else: settings.narrowsPhases)
    settings.lastResorts = reader.optional("last_resorts", .list(lastResort), else: [])
    if settings.guardTime < settings.vehicleReaction {
      reader.complain(about: "guard_s", expected: "at least the vehicle's reaction, as it is that plus the clock skew")
    }
    reader.finish()
    return settings
  }

  private static var lastResort: Shape<Settings.LastResort> {
    .oneOf(["change_availability": .changeAvailability, "remote_stop": .remoteStop])
  }
}
