import ChargingProfiles
import Control
import Quantities
import Site
import Testing

@testable import Record

@Suite struct GateTests {
  func offer(_ id: UInt64, _ urgency: Urgency, station: Int = 0, connector: Int = 1) throws -> Effect {
    let schedule = try Schedule(unit: .amperes, periods: [.init(start: .zero, tenths: 160)])
    let profile = ChargingProfile(id: 1, stackLevel: 0, purpose: .transactionDefault, kind: .absolute, schedule: schedule)
    return .command(CommandID(id), station: station, .setProfile(connector: connector, profile), urgency)
  }

  @Test func `a decrease leaves at once, an increase and an answer when they are durable`() throws {
    var gate = Gate()
    let down = try offer(1, .decrease), up = try offer(2, .increase, station: 1)
    let answer = Effect.answer(station: 0, RequestID(3), .start(transaction: 4, .accepted))
    let now = gate.admit([down, up, answer], sequence: 10)
    #expect(now.released == [down] && now.cancelled.isEmpty)
    #expect(gate.release(through: 9) == [])
    #expect(gate.release(through: 10) == [up, answer])
    #expect(!gate.isWaiting)
  }

  @Test func `a later decrease anywhere cancels the increases still held, and no answers`() throws {
    var gate = Gate()
    let answer = Effect.answer(station: 0, RequestID(3), .stop(nil))
    _ = gate.admit([try offer(1, .increase, station: 1), try offer(2, .increase, station: 2), answer], sequence: 10)
    #expect(gate.admit([try offer(3, .decrease)], sequence: 11).cancelled == [CommandID(1), CommandID(2)])
    #expect(gate.release(through: 11) == [answer])
  }

  @Test func `a step of the clock withdraws the offers still held, and nothing else`() throws {
    var gate = Gate()
    let answer = Effect.answer(station: 0, RequestID(3), .stop(nil)), installed = try offer(4, .routine, station: 2)
    _ = gate.admit([try offer(1, .increase, station: 1), answer, installed], sequence: 10)
    #expect(gate.clockStepped() == [CommandID(1)])
    #expect(gate.release(through: 10) == [answer, installed])
  }

  @Test func `a newer offer cancels the one held for its connector and no other`() throws {
    var gate = Gate()
    let other = try offer(2, .increase, connector: 2), newer = try offer(3, .increase)
    _ = gate.admit([try offer(1, .increase), other], sequence: 10)
    #expect(gate.admit([newer], sequence: 11).cancelled == [CommandID(1)])
    #expect(gate.release(through: 11) == [other, newer])
  }

  @Test func `a store that fails frees what records nothing and drops what would rise`() throws {
    var gate = Gate()
    let boot = Effect.answer(station: 0, RequestID(1), .boot(accepted: true, interval: .seconds(300)))
    let start = Effect.answer(station: 0, RequestID(2), .start(transaction: 4, .accepted))
    _ = gate.admit([boot, start, try offer(9, .increase)], sequence: 10)
    let freed = gate.storeFailed()
    #expect(freed.released == [boot] && freed.cancelled == [CommandID(9)])
    #expect(gate.release(through: 10) == [start])
  }

  @Test func `of the answers that a failed store holds back the newest are kept`() {
    var gate = Gate()
    let answers = (0..<Gate.mostAnswers + 5).map { Effect.answer(station: 0, RequestID(UInt64($0)), .stop(nil)) }
    for (place, answer) in answers.enumerated() { _ = gate.admit([answer], sequence: UInt64(place + 1)) }
    #expect(gate.storeFailed().released.isEmpty)
    #expect(gate.release(through: .max) == Array(answers.dropFirst(5)))
  }

  @Test func `what could raise a current waits though it is routine`() {
    var gate = Gate()
    let clear = Effect.command(CommandID(1), station: 0, .clearProfiles(ProfileFilter()), .routine)
    let ask = Effect.command(CommandID(2), station: 0, .trigger(.heartbeat), .routine)
    #expect(gate.admit([clear, ask], sequence: 1).released == [ask])
  }

  @Test(arguments: 1...40) func `with random disk delays nothing rises by a decision that was superseded`(seed: UInt64) throws {
    var dice = Dice(seed: seed)
    var gate = Gate()
    var newest: [Int: UInt64] = [:]  // connector: the command of its newest offer
    var lastDecrease: UInt64 = 0
    var cancelled: Set<UInt64> = []
    var sent: Set<UInt64> = []
    var durable: UInt64 = 0
    var increases: Set<UInt64> = []
    func check(_ released: [Effect], at sequence: UInt64) {
      for case .command(let id, _, .setProfile(let connector, _), let urgency) in released {
        #expect(!cancelled.contains(id.value) && sent.insert(id.value).inserted, "seed \(seed)")
        guard urgency == .increase else { continue }
        #expect(newest[connector] == id.value, "seed \(seed): superseded by a newer offer")
        #expect(id.value / 10 >= lastDecrease, "seed \(seed): superseded by a decrease")
        #expect(id.value / 10 <= durable, "seed \(seed): not durable")
      }
    }
    for sequence in UInt64(1)...300 {
      var effects: [Effect] = []
      var hasDecrease = false
      for place in 0..<UInt64(dice.roll(4)) {
        let urgency: Urgency = dice.roll(3) == 0 ? .decrease : .increase
        let connector = 1 + Int(place)
        let id = sequence * 10 + place
        effects.append(try offer(id, urgency, connector: connector))
        newest[connector] = id
        if urgency == .decrease { hasDecrease = true } else { increases.insert(id) }
      }
      if hasDecrease { lastDecrease = sequence }
      let result = gate.admit(effects, sequence: sequence)
      cancelled.formUnion(result.cancelled.map(\.value))
      check(result.released, at: sequence)
      if dice.roll(5) == 0 {
        durable = sequence - UInt64(dice.roll(Int(min(sequence, 4))))
        check(gate.release(through: durable), at: sequence)
      }
    }
    durable = 300
    check(gate.release(through: durable), at: 300)
    #expect(increases == cancelled.union(sent.intersection(increases)), "seed \(seed): each rise was sent or said to be cancelled")
  }
}
