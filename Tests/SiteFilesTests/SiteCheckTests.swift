import Quantities
import Site
import Testing

@testable import SiteFiles

@Suite struct SiteCheckTests {
  private func check(_ text: String) throws -> SiteCheck { SiteCheck(try site(text)) }

  @Test func `fallbacks and the worst base load of all circuits below stand against the limit`() throws {
    let check = try check(siteText(base: "[20, 21, 22]"))
    #expect(check.circuits[0].unheard == PerPhase(all: .amperes(12)))
    #expect(check.circuits[0].margin == PerPhase(.amperes(8), .amperes(7), .amperes(6)))
    #expect(check.circuits[1].margin == PerPhase(all: .amperes(20)))
    #expect(check.fits)
  }

  @Test func `a single-phase connector counts where it is wired, an unknown one on all phases`() throws {
    let known = try check(siteText(second: "conductors: 1, rotation: 'SRT', maximum_a: 16, fallback_a: 6"))
    #expect(known.circuits[1].unheard == PerPhase(.amperes(6), .amperes(12), .amperes(6)))
    let unknown = try check(siteText(second: "conductors: 1, rotation: 'unknown', maximum_a: 16, fallback_a: 6"))
    #expect(unknown.circuits[1].unheard == PerPhase(all: .amperes(12)))
  }

  @Test(arguments: ["accepted", "none"]) func `a fallback that is not proven counts at the hardware maximum`(_ trust: String) throws
  {
    let check = try check(siteText(station: "model: 'able', trust: '\(trust)'"))
    #expect(check.circuits[0].unheard == PerPhase(all: .amperes(32)))
    #expect(!check.fits)
    #expect(
      check.refusals.first?.remedies.first
        == "prove the fallback of A (`sluice commission`): until then each counts at its hardware maximum, and proof frees 20 A, "
        + "which is enough")
    let capped = try self.check(siteText(station: "model: 'able', trust: '\(trust)', static_maximum_a: 10"))
    #expect(capped.circuits[0].unheard == PerPhase(all: .amperes(20)))
  }

  @Test func `a site that does not fit is refused with what would make it fit`() throws {
    let check = try check(siteText(base: "30"))
    #expect(check.refusals.count == 1)
    let refusal = try #require(check.refusals.first)
    #expect(refusal.problem.contains("L1 L2 L3: 12 A unheard + 30 A base is 2 A above 40 A (fuse)"))
    #expect(
      refusal.remedies == [
        "lower the fallback of A/2 to 0 A (models that honour it: Able), which is enough",
        "or a limit of at least L1 42 A, L2 42 A, L3 42 A",
      ])
    let fitting = siteText(base: "30", second: "rotation: 'RST', maximum_a: 16, fallback_a: 0")
    #expect(try self.check(fitting).fits)
  }

  @Test func `the boundary itself fits, a milliampere more does not`() throws {
    #expect(try check(siteText(base: "28")).fits)
    #expect(try !check(siteText(base: "28.001")).fits)
    #expect(try !check(siteText(base: "[28, 28, 28.001]")).fits)
  }

  @Test(arguments: [
    ("failsafe_a: 11", "failsafe"), ("manual_cap_a: [32, 11, 32]", "manual cap"), ("contract: {mean_a: 11}", "contract"),
    ("contract: {mean_kw: 8}", "contract"),
  ])
  func `the lowest limit counts, whoever set it`(_ feeder: String, _ source: String) throws {
    let check = try check(siteText(feeder: feeder))
    #expect(check.circuits[1].limit.l2.source == source)
    #expect(check.refusals.map(\.circuit) == [1])
  }

  @Test func `a scheduled limit counts, however far away`() throws {
    let more = "limits: [{circuit: 'grid', limit_a: 30, source: 'grid operator', from: '2030-01-01T00:00:00Z'}]"
    let check = try check(siteText(more: more))
    #expect(check.circuits[0].limit.l1 == SiteCheck.Bound(current: .amperes(30), source: "grid operator"))
    #expect(!check.fits)
  }

  @Test func `generation gives no room except its firm share, and needs a conductor for the sum`() throws {
    let wide = "generation_a: 20, conductor_a: 52"
    #expect(try check(siteText(feeder: wide)).circuits[1].margin == PerPhase(all: .amperes(20)))
    #expect(try check(siteText(feeder: wide + ", count_generation_a: 5")).circuits[1].margin == PerPhase(all: .amperes(25)))
    #expect(try check(siteText(feeder: "generation_a: 20")).refusals.map(\.circuit) == [1])
    #expect(try !check(siteText(feeder: "generation_a: 20, conductor_a: 51")).fits)
  }

  @Test func `a model that does not rotate holds its minimum for the session`() throws {
    let check = try check(siteText(station: "model: 'plain', trust: 'proven'"))
    #expect(check.circuits[1].unheard == PerPhase(all: .amperes(12)))
  }

  @Test func `planned stations count nothing, idle currents of installed ones do`() throws {
    #expect(try check(siteText(station: "model: 'able', state: 'planned'")).circuits[0].unheard == .zero)
    let idle = try check(siteText(station: "model: 'able', trust: 'proven', idle_a: 1.5"))
    #expect(idle.circuits[1].unheard == PerPhase(all: .milliamperes(13_500)))
  }

  @Test func `R is meter period, guard, one time-out per retry, station and vehicle`() throws {
    let reaction = try check(siteText()).circuits[0].reaction
    // 0.5 s meter + 1 s guard + 30 s time-out + 10 s station + 30 s vehicle
    #expect(reaction.total == .milliseconds(71_500))
  }

  @Test func `the worst after the controller's death stands against the time-current points`() throws {
    let check = try check(siteText())
    // Two connectors of 16 A in full, then 20 A of base load: 52 A on a fuse of 40 A are 1.3 times, borne for 20 s.
    #expect(check.circuits[0].afterDeath.l1 == SiteCheck.Overload(current: .amperes(52), borne: .seconds(20)))
    // Without a meter the worst base load was counted all the time: 20 A for vehicles, then 20 A of base load.
    let blind = try self.check(siteText().replacing("meter: { id: \"grid\", phases: \"STR\", inverted: true },", with: ""))
    #expect(blind.circuits[0].afterDeath.l1 == SiteCheck.Overload(current: .amperes(40), borne: nil))
    #expect(check.circuits[1].afterDeath.l1 == SiteCheck.Overload(current: .amperes(32), borne: nil))
  }
}
