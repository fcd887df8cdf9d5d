/// The dashboard's one page; its script fills it.
enum PageHTML {
  static let text = #"""
    <!doctype html>
    <html lang="en">
    <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <meta name="color-scheme" content="light dark">
    <title>Sluice</title>
    <link rel="icon" href="favicon.svg" type="image/svg+xml">
    <link rel="stylesheet" href="window.css">
    <script src="window.js" defer></script>
    </head>
    <body>
    <a class="skip" href="#main" data-word="skip">Skip to content</a>
    <header>
      <div class="title"><h1 id="name">Sluice</h1><p id="clock" class="quiet"></p></div>
      <nav aria-label="Pages">
        <a href="#hub" data-word="hub">Hub</a>
        <a href="#stations" data-word="stations">Stations</a>
        <a href="#grid" data-word="grid">Grid operator</a>
      </nav>
      <div class="tools">
        <button id="language" type="button" aria-label="Nederlands">NL</button>
        <button id="theme" type="button" data-label="theme" aria-label="Light or dark">&#9680;</button>
      </div>
    </header>
    <div id="notice" role="status" aria-live="polite" hidden></div>
    <form id="login" hidden>
      <h2 data-word="login">Token</h2>
      <p data-word="loginHelp">Made by <code>sluice token make</code>.</p>
      <label><span data-word="token">Token</span><input id="token" type="password" autocomplete="current-password" required></label>
      <label class="check"><input id="remember" type="checkbox"><span data-word="remember">Keep it in this browser</span></label>
      <button type="submit" data-word="enter">Enter</button>
    </form>
    <main id="main" tabindex="-1">
      <section class="page" id="page-hub">
        <section id="alarms" class="wide" aria-live="polite" aria-labelledby="alarms-head" hidden>
          <h2 id="alarms-head" data-word="alarms">Alarms</h2><ul id="alarm-list" class="alarms"></ul>
        </section>
        <div class="column a">
        <section id="tree-card" aria-labelledby="tree-head">
          <h2 id="tree-head" data-word="circuits">Circuits</h2><div id="tree"></div>
        </section>
        <section id="limit-card" aria-labelledby="limit-head">
          <h2 id="limit-head" data-word="limits">Limits from outside</h2><div id="limits"></div>
        </section>
        </div>
        <div class="column b">
        <section id="session-card" aria-labelledby="session-head">
          <h2 id="session-head"><span data-word="sessions">Sessions</span> <span id="session-count" class="quiet"></span></h2>
          <div id="sessions"></div>
        </section>
        </div>
        <div class="column c">
        <section id="load-card" aria-labelledby="load-head">
          <div class="row"><h2 id="load-head" data-word="load">Load against limit</h2><div class="choices" id="load-choices"></div></div>
          <div id="load"></div>
        </section>
        <section id="plan-card" aria-labelledby="plan-head">
          <h2 id="plan-head" data-word="plan">Plan for the next hours</h2><div id="plan"></div>
        </section>
        </div>
      </section>
      <section class="page" id="page-stations" hidden>
        <section class="wide" aria-labelledby="stations-head"><h2 id="stations-head" data-word="stations">Stations</h2><div id="stations" class="cards"></div></section>
      </section>
      <section class="page" id="page-grid" hidden>
        <section aria-labelledby="grid-head"><h2 id="grid-head" data-word="connection">Connection</h2><div id="grid-now"></div></section>
        <section aria-labelledby="grid-load-head">
          <div class="row"><h2 id="grid-load-head" data-word="load">Load against limit</h2><div class="choices" id="grid-choices"></div></div>
          <div id="grid-load"></div>
        </section>
        <section aria-labelledby="grid-limits-head"><h2 id="grid-limits-head" data-word="limits">Limits from outside</h2><div id="grid-limits"></div></section>
        <section aria-labelledby="reports-head"><h2 id="reports-head" data-word="reports">How limits were kept</h2><div id="reports"></div></section>
        <section id="grid-set" aria-labelledby="grid-set-head">
          <h2 id="grid-set-head" data-word="setLimit">Set a limit</h2>
          <form id="limit-form">
            <label><span data-word="name">Name</span><input name="id" required pattern="[A-Za-z0-9_.:\-]{1,48}" value="grid"></label>
            <label><span data-word="value">Value</span><input name="value" type="number" min="0" step="0.1" required></label>
            <label><span data-word="unit">Unit</span><select name="unit"><option value="kW">kW</option><option value="A">A</option></select></label>
            <label><span data-word="minutes">For minutes (empty: until withdrawn)</span><input name="minutes" type="number" min="1" step="1"></label>
            <button type="submit" data-word="set">Set</button>
          </form>
        </section>
      </section>
    </main>
    <dialog id="dialog" aria-labelledby="dialog-head"></dialog>
    <noscript>This page needs JavaScript; the same is at /v1/site.</noscript>
    </body>
    </html>
    """#
}
