import Quantities
import Site
import Testing

@testable import GridLimits

@Suite struct LimitRegistersTests {
  private let shown = LimitRegisters.Shown(
    state: .inForce, limit: PerPhase(.amperes(100), .milliamperes(50_500), .amperes(63)),
    measured: PerPhase(.amperes(10), .amperes(-3), .amperes(20)),
    voltage: .volts(230), complies: true, uptime: .seconds(70_000))

  @Test func `a limit in amperes counts once it is enabled, with its duration`() {
    var registers = LimitRegisters()
    let first = registers.write(3, [1000, 500, 630]).changes
    #expect(first.isEmpty)
    let on = registers.write(0, [1, 1])
    #expect(on.exception == nil)
    #expect(on.changes == [.alive, .limit(.current(PerPhase(.amperes(100), .amperes(50), .amperes(63))), minutes: nil)])
    let timed = registers.write(8, [15]).changes
    #expect(timed == [.limit(.current(PerPhase(.amperes(100), .amperes(50), .amperes(63))), minutes: 15)])
    let second = registers.write(0, [2]).changes
    #expect(second == [.alive])
    let third = registers.write(0, [2]).changes
    #expect(third.isEmpty)
    // The same words again renew it.
    #expect(registers.write(8, [15]).changes == timed)
    let fourth = registers.write(1, [0]).changes
    #expect(fourth == [.withdrawn])
    #expect(registers.write(1, [0]).changes == [.withdrawn])
  }

  @Test func `after a restart the registers hold what still stands, and a part of it can be changed`() {
    var registers = LimitRegisters(standing: .current(PerPhase(.amperes(100), .amperes(50), .amperes(63))), minutes: 15)
    #expect(registers.read(0, 9, shown) == [0, 1, 0, 1000, 500, 630, 0, 0, 15])
    let lowered = registers.write(4, [400]).changes
    #expect(lowered == [.limit(.current(PerPhase(.amperes(100), .amperes(40), .amperes(63))), minutes: 15)])
    let power = LimitRegisters(standing: .power(.watts(150_000)), minutes: nil)
    #expect(power.read(1, 8, shown) == [1, 1, 0, 0, 0, 0x0002, 0x49F0, 0])
  }

  @Test func `a limit in watts is 32 bits, high word first`() {
    var registers = LimitRegisters()
    let all = registers.write(0, [9, 1, 1, 0, 0, 0, 0x0002, 0x49F0, 0])
    #expect(all.changes == [.alive, .limit(.power(.watts(150_000)), minutes: nil)])
  }

  @Test func `a write that means nothing is refused whole`() {
    var registers = LimitRegisters()
    let fifth = registers.write(9, [1]).exception
    #expect(fifth == 2)
    let sixth = registers.write(8, [1, 2]).exception
    #expect(sixth == 2)
    let seventh = registers.write(1, [2]).exception
    #expect(seventh == 3)
    let eighth = registers.write(0, [7, 1, 5]).exception
    #expect(eighth == 3)
    #expect(registers.read(0, 3, shown) == [0, 0, 0])
  }

  @Test func `what is in force and what flows can be read, and what is not known says so`() {
    let registers = LimitRegisters()
    #expect(registers.read(16, 5, shown) == [1, 1, 1000, 505, 630])
    #expect(registers.read(22, 3, shown) == [100, 0, 200])
    #expect(registers.read(26, 6, shown) == [0, 2300, 0xFFFF, 0xFD4E, 0, 4600])
    #expect(registers.read(32, 2, shown) == [1, 4464])
    var blind = shown
    blind.measured = nil
    #expect(registers.read(22, 1, blind) == [0xFFFF])
    #expect(registers.read(26, 2, blind) == [0x8000, 0])
    #expect(registers.read(39, 2, shown) == nil)
  }
}
