// swift-tools-version: 6.2
import PackageDescription

// The rooms stand in the order of the house: an import goes upwards in this list only (see Sources/README.md).

let strict: [SwiftSetting] = [.treatAllWarnings(as: .error)]
let pure: [SwiftSetting] = strict + [.strictMemorySafety()]
#if arch(x86_64)
  let wide: [SwiftSetting] = [.unsafeFlags(["-Xcc", "-march=x86-64-v3"])]
#else
  let wide: [SwiftSetting] = []
#endif

func library(_ name: String, package: String) -> Target {
  .systemLibrary(name: name, path: "Sources/\(name)", pkgConfig: package)
}
func room(_ name: String, imports: [Target.Dependency] = [], settings: [SwiftSetting] = pure) -> Target {
  .target(name: name, dependencies: imports, path: "Sources/\(name)", exclude: [], swiftSettings: settings)
}
func promises(of name: String, with others: [Target.Dependency] = []) -> Target {
  // The promises themselves need not be fast, and building them is a good part of a build: what they are about is optimised.
  .testTarget(
    name: "\(name)Tests", dependencies: [.byName(name: name)] + others, path: "Tests/\(name)Tests",
    swiftSettings: strict + [.unsafeFlags(["-Onone"])])
}

let package = Package(
  name: "sluice",
  products: [.executable(name: "sluice", targets: ["sluice"])],
  targets: [
    .systemLibrary(name: "CLinux", path: "Sources/CLinux"),
    library("CModbus", package: "libmodbus"),
    library("CSQLite", package: "sqlite3"),
    library("CZlib", package: "zlib"),
    library("CLibevent", package: "libevent"),
    .systemLibrary(name: "CWslay", path: "Sources/CWslay"),  // Debian ships it without a pkg-config file
    library("COpenSSL", package: "openssl"),

    .target(name: "CFaultyVFS", dependencies: ["CSQLite"], path: "Sources/CFaultyVFS"),

    room("Threads", settings: strict),
    room("Quantities"),
    room("Documents"),
    room("Site", imports: ["Quantities"]),
    room("ChargingProfiles", imports: ["Quantities", "Site"]),
    room("PlanningMemory"),
    room("PlanningKernels", imports: ["PlanningMemory"]),
    room("PlanningKernelsAVX2", imports: ["PlanningMemory"], settings: pure + wide),
    room("Scheduling", imports: ["Quantities", "PlanningMemory", "PlanningKernels", "PlanningKernelsAVX2", "CLinux"]),
    room("Control", imports: ["Quantities", "Site", "ChargingProfiles", "PlanningMemory", "Scheduling"]),
    room("Commissioning", imports: ["Quantities", "Site"]),
    room("Record", imports: ["Quantities", "Site", "ChargingProfiles", "Control"]),
    room("Metering", imports: ["Quantities", "Site", "Documents"]),
    room("OCPP", imports: ["Quantities", "Site", "ChargingProfiles", "Documents"]),
    room("SiteFiles", imports: ["Quantities", "Site", "Metering", "Documents"]),
    room("Explanation", imports: ["Quantities", "Documents", "Site", "ChargingProfiles", "Control", "Record"]),
    room(
      "Journal",
      imports: ["Threads", "Quantities", "Site", "ChargingProfiles", "Control", "Record", "Explanation", "CSQLite", "CZlib"],
      settings: strict),
    room("GridLimits", imports: ["Quantities", "Site", "Documents"]),
    room("Loop", imports: ["Threads", "CLinux", "CLibevent", "COpenSSL"], settings: strict),
    room("Window", imports: ["Quantities", "Documents", "Site", "ChargingProfiles", "Control", "Record", "Explanation", "Loop"]),
    room("ModbusLink", imports: ["Threads", "Quantities", "Site", "Metering", "CLinux", "CModbus"], settings: strict),
    room("StationLink", imports: ["Loop", "CLinux", "CLibevent", "CWslay", "COpenSSL"], settings: strict),
    room("WebLink", imports: ["Threads", "Loop", "CLibevent", "CZlib"], settings: strict),
    room(
      "LiveHub",
      imports: [
        "Threads", "Quantities", "Site", "ChargingProfiles", "Control", "Record", "Metering", "OCPP", "SiteFiles", "Journal",
        "Loop",
        "ModbusLink", "StationLink", "Documents", "Commissioning", "COpenSSL", "Explanation", "Window", "WebLink", "GridLimits",
      ], settings: strict),
    room(
      "Simulation",
      imports: [
        "Quantities", "Site", "ChargingProfiles", "Scheduling", "Control", "Record", "Metering", "OCPP", "SiteFiles", "Documents",
      ]),
    room("Scenarios", imports: ["Quantities", "Documents", "Site", "SiteFiles", "Scheduling", "Simulation"]),
    room(
      "Analysis",
      imports: [
        "Quantities", "Documents", "Site", "ChargingProfiles", "PlanningMemory", "Scheduling", "Control", "Simulation", "Scenarios",
      ]),
    room(
      "Rig",
      imports: [
        "Quantities", "Site", "ChargingProfiles", "Simulation", "Loop", "ModbusLink", "StationLink", "OCPP", "Metering",
        "Documents",
        "CLinux", "CModbus",
      ], settings: strict),
    .executableTarget(
      name: "sluice",
      dependencies: [
        "Threads", "Quantities", "Documents", "Site", "ChargingProfiles", "Scheduling", "Control", "Commissioning", "Record",
        "Metering", "OCPP", "SiteFiles",
        "Explanation", "Journal", "Window", "GridLimits", "ModbusLink", "StationLink", "Loop", "LiveHub", "Simulation", "Scenarios",
        "Analysis",
        "Rig",
      ],
      // Words and tables: what has to be fast is in the rooms above.
      path: "Sources/sluice", swiftSettings: strict + [.unsafeFlags(["-Onone"])]),

    .executableTarget(
      name: "planbench", dependencies: ["Quantities", "Scheduling", "PlanningMemory"], path: "Tests/PlanBench",
      swiftSettings: strict),
    .executableTarget(
      name: "victim", dependencies: ["Quantities", "Site", "ChargingProfiles", "Control", "Record", "Journal", "CFaultyVFS"],
      path: "Tests/Victim",
      swiftSettings: strict),
    .executableTarget(
      name: "fleet",
      dependencies: [
        "Threads", "Quantities", "Site", "ChargingProfiles", "OCPP", "Metering", "SiteFiles", "ModbusLink", "Loop", "StationLink",
      ],
      path: "Tests/Fleet", swiftSettings: strict),
    promises(of: "Quantities"),
    promises(of: "Documents"),
    promises(of: "Site", with: ["Quantities"]),
    promises(of: "ChargingProfiles", with: ["Quantities", "Site"]),
    promises(of: "Scheduling", with: ["Quantities", "PlanningMemory"]),
    promises(of: "Control", with: ["Quantities", "Site", "ChargingProfiles"]),
    promises(of: "Commissioning", with: ["Quantities", "Site"]),
    promises(of: "Record", with: ["Quantities", "Site", "ChargingProfiles", "Control", "Simulation"]),
    promises(of: "Metering", with: ["Quantities", "Site", "Documents"]),
    promises(of: "OCPP", with: ["Quantities", "Site", "ChargingProfiles", "Documents"]),
    promises(of: "SiteFiles", with: ["Quantities", "Site", "Metering", "Documents"]),
    promises(
      of: "Explanation",
      with: ["Threads", "Quantities", "Documents", "Site", "ChargingProfiles", "Control", "Record", "Simulation"]),
    promises(
      of: "Journal",
      with: [
        "Quantities", "Documents", "Site", "ChargingProfiles", "Control", "Record", "Explanation", "Simulation", "CFaultyVFS",
        "victim",
      ]),
    promises(of: "Loop", with: ["Threads"]),
    promises(of: "GridLimits", with: ["Quantities", "Site", "Documents"]),
    promises(
      of: "Window",
      with: ["Quantities", "Documents", "Site", "ChargingProfiles", "Control", "Record", "Explanation", "Loop"]),
    promises(of: "StationLink", with: ["Threads", "Loop"]),
    promises(of: "WebLink", with: ["Threads", "Loop"]),
    promises(of: "ModbusLink", with: ["Quantities", "Site", "Metering", "CModbus"]),
    promises(
      of: "LiveHub",
      with: [
        "Threads", "Quantities", "Site", "SiteFiles", "Metering", "ChargingProfiles", "OCPP", "Loop", "StationLink", "CFaultyVFS",
      ]),
    promises(
      of: "Simulation", with: ["Quantities", "Site", "ChargingProfiles", "Control", "Record", "Metering", "OCPP", "SiteFiles"]),
    promises(of: "Scenarios", with: ["Quantities", "Documents", "Site", "SiteFiles", "Scheduling", "Simulation"]),
    promises(
      of: "Analysis",
      with: ["Threads", "Quantities", "Documents", "Site", "SiteFiles", "Control", "Scheduling", "Scenarios", "Simulation"]),
  ],
  swiftLanguageModes: [.v6]
)
