import Documents
import Quantities
import Scenarios
import Site
import Testing

@Suite struct SessionRecordsTests {
  private func read(_ text: String) throws -> [RecordedVisit] {
    try SessionRecords.read(
      text: text, name: "s.csv", localTime: LocalTime(steps: [.init(from: Instant(milliseconds: 0), offset: .hours(1))]),
      hub: try World.scenario().hub)
  }

  @Test func `CSV with a head line is read in order of arrival, local times by the scenario's zone`() throws {
    let visits = try read(
      """
      "Start","End","Energy","station","phases"
      2025-01-06 09:00:00,2025-01-06 11:30:00,12.5,row-2,3
      2025-01-06T07:30:00Z,2025-01-06T08:00:00Z,"3",row-1,1

      """)
    #expect(
      visits.map(\.arrival)
        == ["2025-01-06T07:30:00Z", "2025-01-06T08:00:00Z"].map { Instant(milliseconds: Timestamp($0)!.milliseconds) })
    #expect(visits.map(\.connector) == [0, 1])
    #expect(visits.map(\.phases) == [1, 3])
    #expect(visits.map(\.energy) == [.wattHours(3000), .wattHours(12_500)])
    #expect(visits[1].departure - visits[1].arrival == .minutes(150))
  }

  @Test func `a stay in minutes does instead of a departure`() throws {
    let visits = try read("start,duration_min,kwh\n2025-01-06 09:00:00,90,5\n")
    #expect(visits.map { $0.departure - $0.arrival } == [.minutes(90)])
  }

  // The members are those of OCPI 2.2.1, mod_cdrs: CDR object.
  @Test func `OCPI charge detail records are read as they come from the interface`() throws {
    let visits = try read(
      """
      { "data": [{ "country_code": "BE", "party_id": "BEC", "id": "12345", "start_date_time": "2025-01-06T21:39:09Z",
        "end_date_time": "2025-01-06T23:37:32Z", "cdr_location": { "id": "LOC1", "evse_uid": "row-3", "connector_id": "1" },
        "currency": "EUR", "total_cost": { "excl_vat": 4.00 }, "total_energy": 15.342, "total_time": 1.973,
        "charging_periods": [] }], "status_code": 1000 }
      """)
    #expect(visits.map(\.energy) == [.wattHours(15_342)])
    #expect(visits.map(\.connector) == [2])
    #expect(visits[0].departure - visits[0].arrival == .milliseconds(7_103_000))
  }

  @Test func `a wrong cell is told with its line and column, a missing column with those that would do`() throws {
    func words(_ text: String) -> [String] {
      do { _ = try read(text) } catch let errors as DocumentErrors { return errors.errors.map(\.description) } catch {}
      return []
    }
    #expect(
      words(
        "arrival,departure,kwh\n2025-01-06 09:00:00,2025-01-06 08:00:00,5\n2025-01-06 09:00:00,later,5\n2025-01-06 09:00:00,2025-01-06 10:00:00,-1\n"
      )
        == [
          "s.csv:2:21: found departure `2025-01-06 08:00:00`, expected a departure after the arrival",
          "s.csv:3:21: found departure `later`, expected a time, like 2026-11-22T06:00:00Z or 2026-11-22 06:00:00 (local)",
          "s.csv:4:41: found kwh `-1`, expected a number of kWh from 0 to 100000",
        ])
    #expect(words("arrival,kwh\n2025-01-06 09:00:00,5\n").first?.contains("a column for the departure or the stay") ?? false)
    #expect(
      words("arrival,departure,kwh\n2025-01-06 09:00:00,2025-01-06 10:00:00\n") == [
        "s.csv:2:1: found 2 cells, expected 3, as in the head line"
      ])
  }
}
