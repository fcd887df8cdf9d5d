import Documents
import Quantities
import Scheduling

/// Writes a plan as a file (`sluice-plan-1`).
struct PlanWriter {
  private let file: ProblemFile
  private let policy: Policy
  private let threads: Int

  init(_ file: ProblemFile, _ policy: Policy, _ threads: Int) { (self.file, self.policy, self.threads) = (file, policy, threads) }

  /// - Parameter outcome: what another policy than `optimal` makes of the problem, to be set against the plan's bound.
  func written(_ plan: Plan, _ outcome: PolicyOutcome?, times: [(String, Double)]) -> [UInt8] {
    var json = JSONWriter(reserving: 1 << 20)
    let objective = outcome?.objective ?? plan.objective
    json.beginObject()
    head(bound: plan.bound, relaxed: plan.relaxed, relaxedGap: plan.relaxedGap, &json)
    json.real("objective_eur", objective)
    json.real("gap", (plan.bound - objective) / max(abs(objective), 1e-9))
    measured(times, plan.iterations, &json)
    if let overload = outcome?.overload { write(overload, &json) }
    sessions(&json) { i, json in
      let energy = outcome?.energy[i] ?? plan.energy[i]
      json.real("wh", (energy * 1000).rounded() / 1000)
      json.real("unserved_wh", (max(0, file.problem.sessions[i].demand - energy) * 1000).rounded() / 1000)
      json.key("amps")
      json.beginArray()
      for current in outcome?.currents[i] ?? plan.currents[i] { json.decimal(current.milliamperes, 3) }
      json.endArray()
      if outcome == nil && !plan.heldBack[i].isEmpty { heldBack(plan.heldBack[i], &json) }
    }
    necks("binding", plan.binding, &json)
    json.endObject()
    return json.bytes
  }

  func written(_ outcome: RelaxedOutcome, times: [(String, Double)]) -> [UInt8] {
    var json = JSONWriter(reserving: 1 << 20)
    json.beginObject()
    head(bound: outcome.bound, relaxed: outcome.value, relaxedGap: outcome.gap, &json)
    json.key("relaxed")
    json.bool(true)
    measured(times, outcome.iterations, &json)
    sessions(&json) { i, json in
      json.real("wh", (outcome.energy[i] * 1000).rounded() / 1000)
      json.real("unserved_wh", (max(0, file.problem.sessions[i].demand - outcome.energy[i]) * 1000).rounded() / 1000)
      json.key("amps")
      json.beginArray()
      for current in outcome.amps[i] { json.real(current) }
      json.endArray()
    }
    necks("binding", outcome.binding, &json)
    json.endObject()
    return json.bytes
  }

  private func head(bound: Double, relaxed: Double, relaxedGap: Double, _ json: inout JSONWriter) {
    json.text("format", "sluice-plan-1")
    json.text("policy", policy.rawValue)
    json.real("bound_eur", bound)
    json.real("relaxed_eur", relaxed)
    json.real("relaxed_gap", relaxedGap)
  }

  private func measured(_ times: [(String, Double)], _ iterations: Int, _ json: inout JSONWriter) {
    json.key("cpu_ms")
    json.beginObject()
    for (name, value) in times { json.real(name, (value * 1000).rounded() / 1000) }
    json.endObject()
    json.whole("iterations", iterations)
    json.whole("threads", threads)
  }

  private func write(_ overload: PolicyOutcome.Overload, _ json: inout JSONWriter) {
    json.key("overload")
    json.beginObject()
    json.text("circuit", file.circuitNames[overload.circuit])
    json.whole("phase", overload.phase.rawValue + 1)
    json.whole("slot", overload.slot)
    json.real("excess_a", overload.excess.amperes)
    json.endObject()
  }

  private func sessions(_ json: inout JSONWriter, _ write: (Int, inout JSONWriter) -> Void) {
    json.key("sessions")
    json.beginArray()
    for i in file.sessionNames.indices {
      json.beginObject()
      json.text("id", file.sessionNames[i])
      write(i, &json)
      json.endObject()
    }
    json.endArray()
  }

  private func heldBack(_ stretches: [Plan.Stretch], _ json: inout JSONWriter) {
    json.key("held_back")
    json.beginArray()
    for stretch in stretches {
      json.beginObject()
      json.text("circuit", file.circuitNames[stretch.circuit])
      json.whole("phase", stretch.phase.rawValue + 1)
      json.whole("slot", stretch.slots.lowerBound)
      json.whole("slots", stretch.slots.count)
      json.real("shadow_eur_per_a", stretch.euroPerAmpere)
      json.endObject()
    }
    json.endArray()
  }

  private func necks(_ key: String, _ necks: [Plan.Neck], _ json: inout JSONWriter) {
    json.key(key)
    json.beginArray()
    for neck in necks {
      json.beginObject()
      json.text("circuit", file.circuitNames[neck.circuit])
      json.whole("phase", neck.phase.rawValue + 1)
      json.whole("slot", neck.slot)
      json.real("shadow_eur_per_a", neck.euroPerAmpere)
      json.endObject()
    }
    json.endArray()
  }
}
