"""The dashboard in headless Chromium: it shows the hub, in both languages, light and dark, on a phone and on a wall; each interactive
element has a name and is reached by keyboard; nothing overflows; the console is silent. Writes screenshots.

usage: browser.py PATH_OF_SLUICE [FOLDER]      FOLDER: for the screenshots; without it they go"""
import asyncio, base64, json, os, re, shutil, signal, subprocess, sys, tempfile, threading, time, urllib.request
import websockets

from checks import check

SLUICE = os.path.abspath(sys.argv[1])
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")


class Page:
    """One tab, over the DevTools protocol."""

    async def open(self, endpoint):
        self.socket = await websockets.connect(endpoint, max_size=None)
        self.last, self.answers, self.complaints = 0, {}, []
        self.reader = asyncio.create_task(self.read())
        for domain in ["Page", "Runtime", "Log", "Network"]: await self.call(domain + ".enable")
        await self.call("Emulation.setScrollbarsHidden", hidden=True)

    async def read(self):
        async for text in self.socket:
            message = json.loads(text)
            if "id" in message: self.answers[message["id"]].set_result(message)
            elif message["method"] == "Runtime.exceptionThrown": self.complaints.append(str(message["params"]["exceptionDetails"])[:400])
            elif message["method"] == "Log.entryAdded" and message["params"]["entry"]["level"] == "error":
                self.complaints.append(message["params"]["entry"]["text"] + " " + message["params"]["entry"].get("url", ""))

    async def call(self, method, **parameters):
        self.last += 1
        answer = self.answers[self.last] = asyncio.get_running_loop().create_future()
        await self.socket.send(json.dumps({"id": self.last, "method": method, "params": parameters}))
        message = await asyncio.wait_for(answer, 60)
        assert "error" not in message, message
        return message["result"]

    async def run(self, script):
        result = await self.call("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in result, result
        return result["result"].get("value")

    async def becomes(self, script, patience=40):
        end = time.time() + patience
        while time.time() < end:
            if await self.run(script): return True
            await asyncio.sleep(0.3)
        return False

    async def size(self, width, height):
        await self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < 600)

    async def theme(self, name):
        await self.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": name}])

    async def shot(self, name):
        picture = await self.call("Page.captureScreenshot", format="png", captureBeyondViewport=True)
        if len(sys.argv) > 2:
            os.makedirs(sys.argv[2], exist_ok=True)
            open(os.path.join(sys.argv[2], name + ".png"), "wb").write(base64.b64decode(picture["data"]))

    async def key(self, key):
        for kind in ["keyDown", "keyUp"]:
            await self.call("Input.dispatchKeyEvent", type=kind, key=key, code=key, windowsVirtualKeyCode={"Tab": 9, "Enter": 13, "Escape": 27}[key], **({"text": "\r"} if key == "Enter" and kind == "keyDown" else {}))


NAMELESS = """[...document.querySelectorAll('a,button,input,select,[role=meter],[role=img],svg')].filter(e => e.checkVisibility()
  && !(e.getAttribute('aria-label') || e.textContent.trim() || e.labels?.length || e.getAttribute('aria-labelledby'))).map(e => e.outerHTML.slice(0, 80))"""
WIDE = """[...document.querySelectorAll('body *')].filter(e => e.checkVisibility() && !e.closest('.skip') && !e.closest('svg')
  && e.getBoundingClientRect().right > Math.min(innerWidth, e.parentElement.closest('section, article')?.getBoundingClientRect().right ?? innerWidth) + 1).map(e => e.tagName + '.' + e.className + ' ' + e.textContent.slice(0, 40))"""
CONTRAST = """(() => {
  const rgb = c => (c.match(/[\\d.]+/g) || []).map(Number), lum = c => { const [r, g, b] = c.slice(0, 3).map(v => { v /= 255; return v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4; }); return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
  const back = e => { for (; e; e = e.parentElement) { const c = rgb(getComputedStyle(e).backgroundColor); if (c.length && (c.length < 4 || c[3] > 0)) return c; } return [255, 255, 255]; };
  return [...document.querySelectorAll('p,span,b,h1,h2,h3,dt,dd,button,a,label')].filter(e => e.checkVisibility() && !e.closest('.skip') && e.textContent.trim()).map(e => {
    const a = lum(rgb(getComputedStyle(e).color)), b = lum(back(e)); return [(Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05), e.textContent.slice(0, 30)]; }).filter(x => x[0] < 4.5).slice(0, 5);
})()"""


async def look(page, url):
    await page.call("Page.navigate", url=url)
    check("the page shows the circuits", await page.becomes("document.querySelectorAll('#tree .bar').length >= 12"))
    check("and the sessions with a sentence why", await page.becomes("document.querySelectorAll('#sessions .why').length >= 3", 90))
    await asyncio.sleep(25)  # for a load that has a history
    for width, height in [(390, 844), (1600, 1000)]:
        for theme in ["light", "dark"]:
            await page.size(width, height)
            await page.theme(theme)
            for name, hash in [("hub", "#hub"), ("stations", "#stations"), ("grid", "#grid")]:
                await page.run(f"location.hash = '{hash}'; render(); scrollTo(0, 0)")
                await asyncio.sleep(0.7)
                where = f"{name} at {width} px, {theme}"
                wide = await page.run(WIDE)
                check(f"nothing overflows: {where}", not wide, wide)
                weak = await page.run(CONTRAST)
                check(f"text is readable (4.5:1): {where}", not weak, weak)
                nameless = await page.run(NAMELESS)
                check(f"each control and figure has a name: {where}", not nameless, nameless)
                await page.shot(f"{name}-{width}-{theme}")
    await page.run("location.hash = '#hub'")
    before = await page.run("document.querySelector('#tree-head').textContent")
    await page.run("document.querySelector('#language').focus()")
    await page.key("Enter")
    check("the language changes by keyboard", await page.becomes(f"document.querySelector('#tree-head').textContent !== {json.dumps(before)} && document.documentElement.lang === 'nl'", 5))
    await page.size(1600, 1000)
    await page.shot("hub-1600-dutch")
    missing = await page.run("Object.keys(WORDS.en).filter(k => !(k in WORDS.nl)).concat(...['why','alarm','source'].map(g => Object.keys(WORDS.en[g]).filter(k => !(k in WORDS.nl[g]))))")
    check("every word is there in both languages", not missing, missing)
    await page.run("document.body.focus(); scrollTo(0, 0)")
    reached = set()
    for _ in range(40):
        await page.key("Tab")
        reached.add(await page.run("(document.activeElement.id || document.activeElement.hash || document.activeElement.dataset?.key || document.activeElement.tagName)"))
    check("links, buttons and sessions are reached by Tab", {"#hub", "#stations", "#grid", "theme"} <= reached and any(str(r).startswith("act-") for r in reached), reached)
    await page.run("document.querySelector('[data-act]').focus()")
    await page.key("Enter")
    check("a session opens by keyboard", await page.becomes("document.querySelector('#dialog').open", 5))
    await page.shot("dialog-1600")
    await page.key("Escape")
    check("and closes by Escape", await page.becomes("!document.querySelector('#dialog').open", 5))
    await page.run("location.hash = '#grid'; document.querySelector('#limit-form [name=value]').value = 40; document.querySelector('#limit-form [name=minutes]').value = 10")
    await page.run("document.querySelector('#limit-form').requestSubmit()")
    check("a limit that is set is shown", await page.becomes("document.querySelector('#grid-limits .limit') !== null && document.querySelector('#grid-limits').textContent.includes('40')", 10))
    check("and bounds the connection", await page.becomes("document.querySelector('#grid-now .facts').textContent.includes('this-machine')", 10), await page.run("document.querySelector('#grid-now').textContent"))
    await page.shot("grid-1600-limited")
    await asyncio.sleep(8)
    await page.run("document.querySelector('[data-withdraw]').click()")
    check("once it is withdrawn, how it was kept is plotted: load, limit, and when it was met", await page.becomes("document.querySelector('#reports svg .plot-load') !== null && document.querySelector('#reports svg .plot-limit') !== null", 30), await page.run("document.querySelector('#reports').textContent"))
    for width, height in [(390, 844), (1600, 1000)]:
        for theme in ["light", "dark"]:
            await page.size(width, height)
            await page.theme(theme)
            await asyncio.sleep(1.5)
            wide, weak, nameless = await page.run(WIDE), await page.run(CONTRAST), await page.run(NAMELESS)
            check(f"the plot fits, is readable and has a name at {width} px, {theme}", not wide and not weak and not nameless, (wide, weak, nameless))
            small = await page.run("[...document.querySelectorAll('#reports svg text, #grid-load svg text')].map(e => parseFloat(getComputedStyle(e).fontSize) * e.ownerSVGElement.getBoundingClientRect().width / e.ownerSVGElement.viewBox.baseVal.width).filter(size => size < 9)")
            check(f"and no letter in a drawing is smaller than 9 px at {width} px, {theme}", not small, small)
            await page.shot(f"grid-report-{width}-{theme}")
    check("the console is silent", not page.complaints, page.complaints[:5])


async def main():
    with tempfile.TemporaryDirectory() as folder:
        hub = subprocess.Popen([SLUICE, "demo", "--plain", "--window", "0", "--speed", "30"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        browser = None
        try:
            url = next(re.search(r"http://127.0.0.1:\d+/", line).group(0) for line in hub.stdout if "dashboard: " in line)
            threading.Thread(target=hub.stdout.read, daemon=True).start()
            browser = subprocess.Popen(
                [CHROMIUM, "--headless=new", "--no-sandbox", "--disable-gpu", "--remote-debugging-port=0", f"--user-data-dir={folder}/profile", "--lang=en", "about:blank"],
                stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True, env={**os.environ, "LANGUAGE": "en"})
            port = next(re.search(r"127.0.0.1:(\d+)/", line).group(1) for line in browser.stderr if "DevTools listening" in line)
            threading.Thread(target=browser.stderr.read, daemon=True).start()
            pages = json.load(urllib.request.urlopen(f"http://127.0.0.1:{port}/json"))
            page = Page()
            await page.open(next(p for p in pages if p["type"] == "page")["webSocketDebuggerUrl"])
            await look(page, url)
        finally:
            if browser:
                browser.terminate()
                browser.wait(20)
            hub.send_signal(signal.SIGTERM)
            hub.wait(30)


asyncio.run(main())
print(f"{check.failed} failed")
sys.exit(1 if check.failed else 0)
