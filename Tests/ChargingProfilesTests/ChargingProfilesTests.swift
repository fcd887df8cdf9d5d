import Testing
@testable import ChargingProfiles
