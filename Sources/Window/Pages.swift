/// The dashboard's files.
public enum Pages {
  public static let html = Array(PageHTML.text.utf8)
  public static let style = Array(PageStyle.text.utf8)
  public static let script = Array((PageWords.text + PageScript.text).utf8)
  public static let icon = Array(
    """
    <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect width="32" height="32" rx="7" fill="#0b6e99"/>\
    <path d="M8 9h16M8 16h10M8 23h5" stroke="#fff" stroke-width="3.5" stroke-linecap="round"/></svg>
    """.utf8)
}
