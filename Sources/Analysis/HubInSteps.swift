import Quantities
import Site

extension Hub {
  /// The hub as the controller is told it at analyst fidelity: loads and currents hold for a whole step, so that whatever takes seconds
  /// takes no time. No rule is another; only the times are, within which stations answer, vehicles follow and meters tell. How long a vehicle
  /// stays on or off at least is not among them: without it a vehicle could be paused and resumed many times within one moment.
  /// - Parameter step: how long everything holds.
  func inSteps(of step: TimeSpan) -> Hub {
    var hub = self
    for m in hub.meters.indices { hub.meters[m].period = step }
    for s in hub.stations.indices {
      // One millisecond before nothing: what is accepted is followed within the same instant.
      hub.stations[s].traits.reaction = .milliseconds(-1)
      hub.stations[s].traits.sampleInterval = .zero
      hub.stations[s].traits.minimumInterval = .zero
      hub.stations[s].traits.reportsCurrent = true
      hub.stations[s].traits.boot = .announces
    }
    var settings = hub.settings
    // Profiles end as they do on a real hub, at the first step after H. Longer ones would have to fit below limits of later hours.
    settings.horizon = max(settings.horizon, step * 2)
    settings.guardTime = .zero
    settings.vehicleReaction = .milliseconds(1)
    settings.sharingInterval = .zero
    settings.followTolerance = .zero
    settings.giveBackAfter = .zero
    settings.excessPatience = .zero
    settings.increaseStep = .zero
    settings.stalePeriods = 1
    settings.frozenAfter = .days(4000)
    hub.settings = settings
    return hub
  }
}
