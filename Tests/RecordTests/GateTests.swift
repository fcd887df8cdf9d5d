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

  @Test func `what could raise a current waits though it is routine`() {
    var gate = Gate()
    let clear = Effect.command(CommandID(1), station: 0, .clearProfiles(ProfileFilter()), .routine)
    let ask = Effect.command(CommandID(2), station: 0, .trigger(.heartbeat), .routine)
    #expect(gate.admit([clear, ask], sequence: 1).released == [ask])
  }
}
