import Testing
@testable import ModbusLink
