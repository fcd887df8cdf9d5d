import Testing
@testable import SiteFiles
