import Analysis
import Dispatch
import Foundation
import Quantities
import Scenarios
import Synchronization

/// Lives all runs of a study on several threads, shows how far it is, and stops in good order when it is told to.
final class SimulateWork: Sendable {
  typealias Result = (Outcome, Figures)
  private let wish: SimulateCommand.Wish
  private let plan: [(strategy: Strategy, seed: UInt64)]
  private let results: Mutex<[Result?]>
  private let nextRun = Atomic<Int>(0)
  private let livedDays = Atomic<Int>(0)
  private let isStopped = Atomic<Bool>(false)
  private let output: SimulateOutput

  /// - Parameter plan: the runs to be lived.
  init(_ wish: SimulateCommand.Wish, _ plan: [(strategy: Strategy, seed: UInt64)]) throws {
    (self.wish, self.plan) = (wish, plan)
    results = Mutex(Array(repeating: nil, count: plan.count))
    output = try SimulateOutput(folder: wish.folder)
  }

  /// - Returns: the exit status.
  func run() throws -> Int32 {
    var study = wish.study
    study.take(live())
    return try finish(study)
  }

  /// Lives the runs.
  /// - Returns: in the order of the plan; nil: that run was never begun.
  func live() -> [Result?] {
    let watch = watchForSignals()
    let progress = showProgress()
    DispatchQueue.concurrentPerform(iterations: max(1, min(wish.jobs, plan.count))) { _ in work() }
    progress.cancel()
    watch.forEach { $0.cancel() }
    if isatty(2) == 1 { StandardError.writeRaw("\r\u{1B}[K") }
    return results.withLock { $0 }
  }

  /// Writes and tells.
  /// - Returns: the exit status.
  func finish(_ study: Study) throws -> Int32 {
    try output.write(study, events: wish.tellsEvents ? plan.indices.filter { plan[$0].seed == wish.seeds[0] } : [])
    return report(study)
  }

  private func work() {
    while !isStopped.load(ordering: .relaxed) {
      let number = nextRun.add(1, ordering: .relaxed).oldValue
      guard number < plan.count else { return }
      live(number)
    }
  }

  private func live(_ number: Int) {
    let (strategy, seed) = plan[number]
    let story = Story(wish.scenario, seed: seed)
    var options = Run.Options()
    options.keepsDetails = seed == wish.seeds[0]
    let part = options.keepsDetails && wish.tellsEvents ? openPart(number) : nil
    if let part { options.tell = { part.add($0) } }
    let run = Run(wish.scenario, story, strategy, options)
    while !run.isDone, !isStopped.load(ordering: .relaxed) {
      run.live(steps: wish.scenario.stepsPerDay)
      livedDays.add(1, ordering: .relaxed)
    }
    if !run.isDone { run.finish() }
    part?.close()
    var outcome = run.outcome
    let figures = Figures(outcome, wish.scenario, story)
    if !options.keepsDetails { outcome.forgetSteps() }
    results.withLock { $0[number] = (outcome, figures) }
  }

  private func openPart(_ number: Int) -> EventPart? {
    do { return try output.part(number) } catch {
      StandardError.write("sluice: the events of this run cannot be written: \(error)")
      return nil
    }
  }

  // MARK: Telling

  private func report(_ study: Study) -> Int32 {
    let kind = study.scenario.days == 1 ? "day" : "days"
    print(
      "\(study.name): \(study.scenario.hub.connectors.count) connectors, \(study.scenario.days) \(kind), fidelity analyst, \(study.seeds.count) seeds"
    )
    for line in study.table { print(line) }
    let broken = study.promises.filter { !$0.holds }
    if !study.promises.isEmpty { print("must hold: \(study.promises.count - broken.count) of \(study.promises.count) do") }
    for result in broken.prefix(20) {
      print("BROKEN \(result.promise.kind.rawValue) under \(result.strategy.rawValue), seed \(result.seed): \(result.words)")
      print("       wanted, so that \(result.promise.kind.reason)")
    }
    if !study.isComplete { print("PARTIAL: stopped after \(study.days) of \(study.scenario.days) days of the shortest run") }
    print("written to \(wish.folder): \(output.names.joined(separator: ", "))")
    if !study.isComplete { return 130 }
    return broken.isEmpty ? 0 : 1
  }

  private func watchForSignals() -> [any DispatchSourceSignal] {
    [SIGINT, SIGTERM].map { number in
      signal(number, SIG_IGN)
      let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
      source.setEventHandler { [self] in isStopped.store(true, ordering: .relaxed) }
      source.activate()
      return source
    }
  }

  /// In a terminal a line that changes each second, elsewhere a line every ten.
  private func showProgress() -> any DispatchSourceTimer {
    let (isTerminal, begin) = (isatty(2) == 1, ContinuousClock.now)
    let total = plan.count * wish.scenario.days
    let timer = DispatchSource.makeTimerSource(queue: .global())
    timer.schedule(deadline: .now() + 1, repeating: isTerminal ? 1 : 10)
    timer.setEventHandler { [self] in
      let lived = livedDays.load(ordering: .relaxed)
      guard lived > 0 else { return }
      let spent = Double(begin.duration(to: .now).components.seconds)
      let left = Int(spent * Double(total - lived) / Double(lived))
      let text = "\(lived) of \(total) days lived, about \(left / 60) min \(left % 60) s left"
      if isTerminal { StandardError.writeRaw("\r\u{1B}[K\(text)") } else { StandardError.write(text) }
    }
    timer.activate()
    return timer
  }
}
