import Testing
@testable import StationLink
