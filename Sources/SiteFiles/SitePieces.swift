import Documents
import Site

/// Parts of a site file that other files hold as well.
public enum SitePieces {
  /// A whole site, as in a file of its own; what is wrong goes to the findings.
  public static func site(_ reader: ObjectReader, catalogue: Catalogue) -> SiteFile {
    var builder = SiteBuilder(findings: reader.findings, catalogue: catalogue)
    return builder.build(reader)
  }

  /// The object under `planning`, and the tariff file that it names.
  public static func planning(_ reader: ObjectReader) -> (PlanningPolicy, tariff: String?) { SiteBuilder.planning(reader) }

  /// The object under `settings`.
  public static func settings(_ reader: ObjectReader) -> Settings { SiteBuilder.settings(reader) }
}
