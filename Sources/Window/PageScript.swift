/// The dashboard's script: it asks for the picture once a second and shows it.
enum PageScript {
  static let text = #"""
    const $ = id => document.getElementById(id);
    const keep = (() => {
      const read = store => { try { return store(); } catch { return null; } };
      return {
        get: name => read(() => sessionStorage.getItem(name)) ?? read(() => localStorage.getItem(name)),
        set: (name, value, long) => read(() => (long ? localStorage : sessionStorage).setItem(name, value)),
        drop: name => { read(() => sessionStorage.removeItem(name)); read(() => localStorage.removeItem(name)); }
      };
    })();
    let language = keep.get("language") ?? ((navigator.language || "en").startsWith("nl") ? "nl" : "en");
    let site = null, plan = null, reports = [], lastHeard = null, span = "hour", shownCircuit = null, history = null, shownReport = null;
    /// Reports that were asked for, by name; one that is over does not change.
    const details = new Map();

    const locale = () => language === "en" ? "en-GB" : "nl";
    function word(name, ...values) {
      let text = WORDS[language][name] ?? WORDS.en[name] ?? name;
      values.forEach((value, i) => { text = text.replace(`{${i}}`, value); });
      return text;
    }
    function element(tag, attributes = {}, ...children) {
      const svg = ["svg", "path", "line", "rect", "text", "g"].includes(tag);
      const node = svg ? document.createElementNS("http://www.w3.org/2000/svg", tag) : document.createElement(tag);
      for (const [name, value] of Object.entries(attributes)) {
        if (value === null || value === undefined || value === false) continue;
        if (name === "width%") node.style.width = value + "%";
        else if (name === "left%") node.style.left = value + "%";
        else if (name === "indent") node.style.marginLeft = value + "rem";
        else if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
        else node.setAttribute(name, value);
      }
      node.append(...children.filter(child => child !== null && child !== undefined));
      return node;
    }
    const badge = (kind, text) => element("span", {class: "badge " + kind}, text);
    const amperes = value => value === null || value === undefined ? "\u2013" : (Math.round(value * 10) / 10).toLocaleString(locale(), {minimumFractionDigits: 1});
    const kilo = value => (Math.round(value / 100) / 10).toLocaleString(locale(), {minimumFractionDigits: 1});
    const time = text => {
      const at = new Date(text), sameDay = at.toDateString() === new Date(site ? site.at : Date.now()).toDateString();
      const zone = site ? {timeZone: site.time_zone} : {};
      try {
        return at.toLocaleString(locale(), {hour: "2-digit", minute: "2-digit", ...(sameDay ? {} : {weekday: "short"}), ...zone});
      } catch { return at.toLocaleString(locale()); }
    };
    const age = seconds => seconds < 100 ? word("seconds", Math.round(seconds)) : seconds < 6000 ? word("minutesShort", Math.round(seconds / 60)) : word("hoursShort", Math.round(seconds / 3600));
    const limitText = block => "limit_w" in block ? kilo(block.limit_w) + " kW" : phasesText(block.limit_a) + " A";
    const phasesText = three => three[0] === three[1] && three[1] === three[2] ? amperes(three[0]) : three.map(amperes).join(" / ");
    const sourceText = name => WORDS[language].source[name] ?? name;

    /// Puts new children in place unless they are the same; what had the focus keeps it.
    function show(place, ...children) {
      const fresh = document.createDocumentFragment();
      fresh.append(...children.flat().filter(child => child));
      const box = document.createElement("div");
      box.append(fresh.cloneNode(true));
      if (place.dataset.shown === box.innerHTML) return;
      place.dataset.shown = box.innerHTML;
      const focused = place.contains(document.activeElement) ? document.activeElement.dataset.key : null;
      place.replaceChildren(fresh);
      if (focused) place.querySelector(`[data-key="${CSS.escape(focused)}"]`)?.focus();
    }

    // MARK: Asking

    async function ask(path, options = {}) {
      const token = keep.get("token");
      const headers = {...(options.headers ?? {})};
      if (token) headers.Authorization = "Bearer " + token;
      if (options.body) headers["Content-Type"] = "application/json";
      const answer = await fetch(path, {...options, headers, signal: AbortSignal.timeout(20000)});
      if (answer.status === 401) { askForToken(!!token); throw new Error("401"); }
      const body = await answer.json();
      if (!answer.ok) throw Object.assign(new Error(body.detail ?? body.title), {status: answer.status});
      return body;
    }
    function askForToken(wasWrong) {
      keep.drop("token");
      $("login").hidden = false;
      $("main").hidden = true;
      if (wasWrong) notice(word("wrongToken"));
    }
    function notice(text) {
      $("notice").hidden = !text;
      if ($("notice").textContent !== (text ?? "")) $("notice").textContent = text ?? "";
    }
    let noticeUntil = 0;
    function say(text) { notice(text); noticeUntil = Date.now() + 6000; }
    async function order(path, method, body) {
      try {
        await ask(path, {method, ...(body === undefined ? {} : {body: JSON.stringify(body)})});
        say(word("done"));
      } catch (problem) { say(word("refused", problem.message)); }
      refresh();
    }

    // MARK: The hub

    function bar(circuit, i) {
      const name = "L" + (i + 1), limit = circuit.limit_a[i], rating = Math.max(circuit.rating_a[i], 0.1);
      const other = Math.max(0, circuit.other_load_a[i]), counted = other + circuit.committed_a[i];
      const load = circuit.measured_a ? circuit.measured_a[i] : counted, scale = Math.max(rating, limit) * 1.08;
      const percent = value => Math.max(0, Math.min(100, value / scale * 100));
      const kind = load > limit ? " over" : load > limit * 0.9 ? " high" : "", free = circuit.headroom_a[i];
      return element("div", {class: "bar"},
        element("span", {}, name),
        element("div", {class: "track", role: "meter", "aria-label": `${circuit.id} ${name}`, "aria-valuemin": 0, "aria-valuemax": limit,
          "aria-valuenow": Math.max(0, load).toFixed(1), "aria-valuetext": `${amperes(load)} A, ${word("limit")} ${amperes(limit)} A, ${amperes(free)} A ${word("free")}`},
          element("div", {class: "held", "width%": percent(counted).toFixed(1)}),
          element("div", {class: "fill" + kind, "width%": percent(load).toFixed(1)}),
          element("div", {class: "mark", "left%": percent(limit).toFixed(1)})),
        element("span", {class: "amount"}, `${amperes(load)} / ${amperes(limit)} A `, element("span", {class: free > 0 ? "free" : "none"}, (free > 0 ? "+" : "") + amperes(free))));
    }
    function circuitView(circuit, depth) {
      const reading = !circuit.has_meter ? word("noMeter") : circuit.measured_a === null ? word("noReading") : word("ageNow", age(circuit.reading_age_s));
      return element("div", {class: "circuit", indent: Math.min(depth, 4)},
        element("div", {class: "row"}, element("h3", {}, circuit.id), circuit.has_meter && circuit.measured_a === null ? badge("bad", word("noReading")) : null),
        element("p", {class: "facts"}, `${word("limit")}: ${phasesText(circuit.limit_a)} A ${word("by")} ${sourceText(circuit.limit_source)}` +
          (circuit.limit_until ? ` ${word("until")} ${time(circuit.limit_until)}` : "") + ` \u00b7 ${reading}`),
        ...[0, 1, 2].map(i => bar(circuit, i)));
    }
    function tree() {
      const shown = [], add = (parent, depth) => {
        for (const circuit of site.circuits.filter(c => c.parent === parent)) { shown.push(circuitView(circuit, depth)); add(circuit.id, depth + 1); }
      };
      add(null, 0);
      show($("tree"), shown);
    }
    function whyText(reason) {
      let text = (WORDS[language].why[reason.code] ?? reason.sentence).replace("{c}", reason.circuit ?? "").replace("{p}", reason.phase ?? "");
      if (reason.next) text += "; " + (reason.code === "waiting" ? word("nextTurn", time(reason.next)) : word("later", time(reason.next)));
      return text;
    }
    const mayOrder = () => site.role === "operator" || site.role === "administrator";
    function sessions() {
      const all = site.connectors.filter(c => c.transaction !== null);
      $("session-count").textContent = all.length ? word("charging", all.filter(c => c.measured_a && Math.max(...c.measured_a) > 0.5).length, all.length) : "";
      show($("sessions"), all.length === 0 ? element("p", {class: "quiet"}, word("none")) : all.map(c => {
        const offer = c.offered_a ?? c.fallback_a, measured = c.measured_a ? Math.max(...c.measured_a) : null;
        const details = [`${kilo(c.energy_wh)} kWh`, c.state_of_charge === null ? null : `${c.state_of_charge} %`, c.id_tag,
          c.departure ? word("departs", time(c.departure)) : null, c.needed_wh === null ? null : word("wants", kilo(c.needed_wh)), c.circuit, c.phases.join(" ")];
        return element("div", {class: "session"},
          element("div", {}, element("b", {}, `${c.station}/${c.number}`)),
          element("div", {class: "figures"}, element("b", {}, amperes(offer) + " A "), element("span", {class: "quiet"}, c.offered_a === null ? word("fallback") : word("offered")),
            " ", amperes(measured) + " A ", element("span", {class: "quiet"}, word("measured"))),
          element("p", {class: "why"}, `${amperes(offer)} A: ${whyText(c.reason)}`),
          element("div", {class: "row last"}, element("p", {class: "small-print"}, details.filter(x => x).join(" \u00b7 ")), mayOrder() ? element("button", {type: "button", class: "small", "data-key": `act-${c.station}-${c.number}`, "data-act": `${c.station}/${c.number}`,
            "aria-label": `${word("act")} ${c.station}/${c.number}`}, word("act")) : null));
      }));
    }
    function alarms() {
      $("alarms").hidden = site.alarms.length === 0 && site.journal_ok;
      const groups = new Map();
      for (const a of site.alarms) {
        const known = groups.get(a.code + a.about);
        if (known && a.phase) known.phase += " " + a.phase; else groups.set(a.code + a.about, {...a});
      }
      show($("alarm-list"), [...groups.values()].map(a => {
        const [what, todo] = WORDS[language].alarm[a.code] ?? [a.sentence, ""];
        const fill = text => text.replace("{a}", a.about).replace("{p}", a.phase ?? "");
        return element("li", {}, element("b", {}, fill(what)), " ", fill(todo));
      }));
    }
    function limitView(limit, canWithdraw) {
      const block = limit.in_force ?? limit.blocks[0], isLater = !limit.in_force;
      return element("div", {class: "limit"},
        element("div", {class: "row"},
          element("span", {}, element("b", {}, `${limitText(block)}`), ` ${limit.circuit}`, isLater ? " " + word("later", time(block.from)) : "",
            " ", block.until ? `${word("until")} ${time(block.until)}` : word("openEnd")),
          canWithdraw ? element("button", {type: "button", class: "small", "data-key": "withdraw-" + limit.id, "data-withdraw": limit.id}, word("withdraw")) : null),
        element("p", {class: "quiet"}, `${limit.id} \u00b7 ${limit.source}` + (limit.blocks.length > 1 ? ` \u00b7 ${limit.blocks.length} \u00d7` : "")),
        limit.silent_since ? element("p", {}, badge("warn", word("silent", time(limit.silent_since)))) : null);
    }
    function limits() {
      const can = site.role !== "viewer";
      const views = site.limits.map(limit => limitView(limit, can));
      // What has ended may still be let up, in steps.
      const root = site.circuits[0], isLetUp = root && site.limits.every(l => !l.in_force || l.source !== root.limit_source) && !(root.limit_source in WORDS.en.source) && root.limit_until;
      const nothing = element("p", {class: "quiet"}, isLetUp ? word("lettingUp", root.limit_source) : word("noLimits"));
      show($("limits"), views.length ? views : [nothing]);
      show($("grid-limits"), site.limits.length ? site.limits.map(limit => limitView(limit, can)) : [nothing.cloneNode(true)]);
      $("grid-set").hidden = !can;
    }
    function grid() {
      const root = site.circuits[0];
      if (!root) return;
      show($("grid-now"), circuitView(root, 0));
    }

    function reportViews() {
      show($("reports"), reports.length === 0 ? element("p", {class: "quiet"}, word("noReports")) : reports.slice(0, 12).map(r => element("div", {class: "limit"},
        element("div", {class: "row"}, element("span", {}, element("b", {}, r.limit), ` ${r.circuit} \u00b7 ${time(r.from)} \u2013 ${time(r.ended)}`),
          badge(r.verdict === "met" ? "good" : "warn", r.met_s === null ? word("notMet") : word("metAfter", Number(r.met_s).toLocaleString(locale())))),
        element("p", {class: "quiet"}, `${word("insideOf", r.quarters_inside, r.quarters)} \u00b7 ${word("aboveBy", (Number(r.above_wh) / 1000).toLocaleString(locale(), {maximumFractionDigits: 2}))} \u00b7 ${r.report}`),
        shownReport === r.report ? compliancePlot(r.report) : element("button", {type: "button", class: "small", "data-key": "plot-" + r.report, "data-plot": r.report, "aria-label": `${word("plot")} ${r.report}`}, word("plot")))));
    }
    /// Load against the limit of one event, from its signed report.
    function compliancePlot(name) {
      const report = details.get(name);
      if (!report) return element("p", {class: "quiet"}, word("loading"));
      const points = report.points, inPower = "limit_w" in report, unit = inPower ? "kW" : "A", scale = inPower ? 1000 : 1;
      if (points.length < 2) return element("p", {class: "quiet"}, word("noPoints"));
      const limit = inPower ? report.limit_w : Math.min(...report.limit_a), end = Math.max(1, points.at(-1)[0]);
      const width = roomOf($("reports")), height = 190, left = 44, bottom = 20, most = Math.max(limit, ...points.map(p => p[1]), 1) * 1.1;
      const x = at => left + (width - left - 4) * Math.max(0, at) / end, y = value => height - bottom - (height - bottom - 8) * Math.max(0, value) / most;
      // What a reading showed holds until the next one.
      const line = points.map(([at, load], i) => (i ? `H${x(at).toFixed(1)}V` : `M${x(at).toFixed(1)},`) + y(load).toFixed(1)).join("");
      const above = points.map(([at, load], i) => i + 1 < points.length && load > limit ? `M${x(at).toFixed(1)},${y(limit).toFixed(1)}V${y(load).toFixed(1)}H${x(points[i + 1][0]).toFixed(1)}V${y(limit).toFixed(1)}Z` : "").join("");
      const figure = value => (Math.round(value / scale * 10) / 10).toLocaleString(locale());
      const verdict = report.met_s === null ? word("notMet") : word("metAfter", Number(report.met_s).toLocaleString(locale()));
      const met = report.met_s === null ? null : element("line", {class: "met", x1: x(report.met_s), x2: x(report.met_s), y1: 8, y2: y(0)});
      const marks = [0, 0.5, 1].map(part => most / 1.1 * part).filter(value => Math.abs(y(value) - y(limit)) > 12 || value === limit).map(value =>
        element("g", {}, element("line", {class: "grid-line", x1: left, x2: width, y1: y(value), y2: y(value)}), element("text", {x: left - 5, y: y(value) + 4, "text-anchor": "end"}, figure(value))));
      const from = new Date(report.from).getTime(), times = [0, 0.5, 1].map(part => element("text", {x: x(end * part), y: height - 4, "text-anchor": ["start", "middle", "end"][part * 2]},
        new Date(from + end * part * 1000).toLocaleTimeString(locale(), {hour: "2-digit", minute: "2-digit", second: "2-digit", timeZone: site.time_zone})));
      return element("svg", {viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": `${word("plotOf", report.limit)}: ${word("limit")} ${figure(limit)} ${unit}, ${verdict}`},
        ...marks, ...times, element("path", {class: "plot-above", d: above}), element("path", {class: "plot-load", d: line}),
        element("path", {class: "plot-limit", d: `M${left},${y(limit).toFixed(1)}H${width}`}), met,
        element("text", {x: left - 5, y: y(limit) + 4, "text-anchor": "end", class: "strong"}, figure(limit)), element("text", {x: width - 4, y: 16, "text-anchor": "end"}, unit));
    }
    async function showReport(name) {
      shownReport = name;
      reportViews();
      if (details.has(name)) return;
      try {
        const report = await ask("v1/reports/" + encodeURIComponent(name));
        details.set(name, report);
        if (details.size > 20) details.delete(details.keys().next().value);
      } catch (problem) { say(problem.message); }
      reportViews();
    }

    // MARK: Plots

    /// How wide a drawing is for the place where it stands, so that its letters are as large on a phone as on a wall.
    const roomOf = place => Math.max(300, Math.min(900, Math.round(place.clientWidth || 640)));
    function plot(data, width) {
      const count = data ? data.load_a.length : 0;
      if (count < 2) return element("p", {class: "quiet"}, word("noHistory"));
      const height = 200, left = 36, bottom = 20, most = Math.max(1, ...data.limit_a.filter(x => x).map(x => Math.min(...x)), ...data.load_a.filter(x => x).map(x => Math.max(...x))) * 1.1;
      const slots = data.step_s < 60 ? 360 : 288;
      const x = i => left + (width - left) * (slots - count + i + 0.5) / slots, y = value => height - bottom - (height - bottom - 6) * Math.max(0, value) / most;
      let load = "", area = "", limit = "", pen = false, start = null;
      data.load_a.forEach((three, i) => {
        if (!three) { if (pen) area += `L${x(i - 1).toFixed(1)},${y(0)}Z`; pen = false; return; }
        const px = x(i).toFixed(1), py = y(Math.max(...three)).toFixed(1);
        load += (pen ? "L" : "M") + px + "," + py;
        area += pen ? `L${px},${py}` : `M${px},${y(0)}L${px},${py}`;
        limit += (pen ? "L" : "M") + px + "," + y(Math.min(...data.limit_a[i])).toFixed(1);
        pen = true;
      });
      if (pen) area += `L${x(count - 1).toFixed(1)},${y(0)}Z`;
      const marks = [0, 0.5, 1].map(part => {
        const value = most / 1.1 * part;
        return element("g", {}, element("line", {class: "grid-line", x1: left, x2: width, y1: y(value), y2: y(value)}), element("text", {x: left - 4, y: y(value) + 4, "text-anchor": "end"}, Math.round(value)));
      });
      const until = new Date(data.until).getTime(), total = data.step_s * slots * 1000;
      const parts = width < 420 ? 2 : 4, times = [...Array(parts + 1).keys()].map(i => element("text", {x: left + (width - left) * i / parts, y: height - 4,
        "text-anchor": i === 0 ? "start" : i === parts ? "end" : "middle"}, time(new Date(until - total * (1 - i / parts)))));
      const lastLoad = data.load_a.at(-1);
      return element("svg", {viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": `${data.circuit}: ${word("load")}, ${word("now")} ${lastLoad ? amperes(Math.max(...lastLoad)) : "\u2013"} A`},
        ...marks, ...times, element("path", {class: "plot-area", d: area}), element("path", {class: "plot-load", d: load}), element("path", {class: "plot-limit", d: limit}));
    }
    function choices(place, names, chosen, choose) {
      show(place, names.map(([key, text]) => element("button", {type: "button", class: "small", "data-key": place.id + key, "data-choice": key, "aria-pressed": key === chosen}, text)));
      place.onclick = event => { const key = event.target.closest("button")?.dataset.choice; if (key) choose(key); };
    }
    function load() {
      const spans = [["hour", word("hour")], ["day", word("day")]], circuits = site.circuits.map(c => [c.id, c.id]);
      choices($("load-choices"), [...circuits, ...spans], null, key => { if (key === "hour" || key === "day") span = key; else shownCircuit = key; refreshHistory(); });
      for (const button of $("load-choices").children) button.setAttribute("aria-pressed", button.dataset.choice === span || button.dataset.choice === shownCircuit);
      choices($("grid-choices"), spans, span, key => { span = key; refreshHistory(); });
      for (const button of $("grid-choices").children) button.setAttribute("aria-pressed", button.dataset.choice === span);
      show($("load"), plot(history?.[shownCircuit], roomOf($("load"))));
      show($("grid-load"), plot(history?.[site.circuits[0]?.id], roomOf($("grid-load"))));
    }
    function planStrip() {
      if (!plan || !plan.planning) return show($("plan"), element("p", {class: "quiet"}, word("noPlan")));
      if (!plan.plan || plan.plan.sessions.length === 0) return show($("plan"), element("p", {class: "quiet"}, word("noPlanYet")));
      const start = new Date(plan.plan.start).getTime(), step = plan.plan.slot_s, slots = Math.min(Math.round(12 * 3600 / step), Math.max(8, ...plan.plan.sessions.map(s => s.currents_a.length)));
      const width = roomOf($("plan")), left = 76, cell = (width - left) / slots;
      const rows = plan.plan.sessions.map((s, row) => {
        const most = site.connectors.find(c => c.station === s.station && c.number === s.number)?.maximum_a ?? 32, y = 18 + row * 20;
        const cells = [];
        for (let i = 0; i < slots; i++) {
          const value = s.currents_a[i] ?? 0, rect = element("rect", {x: (left + i * cell).toFixed(1), y, width: Math.max(1, cell - 1).toFixed(1), height: 15, class: value > 0 ? "slot" : "slot empty"});
          if (value > 0) rect.setAttribute("fill-opacity", (0.25 + 0.75 * Math.min(1, value / most)).toFixed(2));
          cells.push(rect);
        }
        const leave = left + (new Date(s.departure).getTime() - start) / 1000 / step * cell;
        return element("g", {role: "listitem", "aria-label": `${s.station}/${s.number}: ` + (s.unserved_wh > 100 ? word("lacks", kilo(s.unserved_wh), time(s.departure)) : word("fits", time(s.departure)))},
          element("text", {x: 0, y: y + 12}, `${s.station}/${s.number}`), ...cells, leave <= width ? element("line", {class: "leave", x1: leave, x2: leave, y1: y - 2, y2: y + 17}) : null);
      });
      const hours = [];
      for (let i = 0; left + i * cell < width - 56; i += Math.max(1, Math.round(slots / (width < 420 ? 3 : 6)))) hours.push(element("text", {x: left + i * cell, y: 11}, time(new Date(start + i * step * 1000))));
      const lacking = plan.plan.sessions.filter(s => s.unserved_wh > 100).sort((a, b) => b.unserved_wh - a.unserved_wh).slice(0, 5);
      show($("plan"), element("svg", {viewBox: `0 0 ${width} ${22 + rows.length * 20}`, role: "list", "aria-label": word("plan")}, ...hours, ...rows),
        ...lacking.map(s => element("p", {class: "quiet"}, `${s.station}/${s.number}: ${word("lacks", kilo(s.unserved_wh), time(s.departure))}` + (s.is_estimate ? ` (${word("assumed")})` : ""))));
    }
    function stations() {
      show($("stations"), site.stations.map(s => {
        const row = (name, value) => value === null || value === "" ? [] : [element("dt", {}, word(name)), element("dd", {}, value)];
        const clock = s.clock_offset_s === null ? null : Math.abs(s.clock_offset_s) < 2 ? word("right") : word("off", s.clock_offset_s.toFixed(0));
        const span = t => t < 1 ? `${Math.round(t * 1000)}\u00a0ms` : t < 120 ? `${t.toFixed(t < 10 ? 1 : 0)}\u00a0s` : t < 7200 ? `${Math.round(t / 60)}\u00a0min` : `${Math.round(t / 3600)}\u00a0h`;
        const link = [s.link.answer_s === null ? null : word("answers", span(s.link.answer_s), span(s.link.slowest_answer_s)),
          s.link.heard_s_ago === null ? null : word("heard", span(s.link.heard_s_ago)),
          s.link.lost_in_24_h ? word("lostTimes", s.link.lost_in_24_h) : null,
          s.link.unanswered_in_24_h ? word("unanswered", s.link.unanswered_in_24_h) : null].filter(x => x).join("; ");
        const trust = word(s.trust === "none" ? "noneTrust" : s.trust) + (s.commissioned ? ", " + word("tested") : "");
        return element("article", {class: "card", "aria-label": s.id},
          element("div", {class: "row"}, element("h3", {}, s.id), element("span", {},
            s.state === "planned" ? badge("warn", word("planned")) : badge(s.connected ? "good" : "bad", word(s.connected ? "connected" : "away")), " ",
            s.connected ? badge(s.controlled ? "good" : "warn", word(s.controlled ? "controlled" : "notControlled")) : null)),
          s.gap ? element("p", {class: "quiet"}, s.gap) : null,
          element("dl", {}, ...row("model", [s.vendor, s.model].filter(x => x).join(" ")), ...row("firmware", s.firmware), ...row("profile", s.profile),
            ...row("trust", trust), ...row("clock", clock), ...row("link", link), ...row("connectors", s.connectors.join(", ")), ...row("remarks", s.remarks.join("; "))));
      }));
    }

    // MARK: Changing

    function openSession(name) {
      const c = site.connectors.find(c => `${c.station}/${c.number}` === name);
      if (!c) return;
      const base = `v1/connectors/${encodeURIComponent(c.station)}/${c.number}`;
      const local = c.departure ? new Date(new Date(c.departure).getTime() - new Date().getTimezoneOffset() * 60000).toISOString().slice(0, 16) : "";
      const departure = element("input", {type: "datetime-local", value: local}), energy = element("input", {type: "number", min: 0, step: 0.5, value: c.needed_wh === null ? "" : c.needed_wh / 1000});
      const priority = element("input", {type: "number", min: 1, max: 1000, value: c.priority});
      const command = body => order(`v1/stations/${encodeURIComponent(c.station)}/commands`, "POST", body);
      const form = element("form", {method: "dialog"}, element("h2", {id: "dialog-head"}, word("session", name)),
        element("label", {}, word("departure"), departure), element("label", {}, word("energy"), energy), element("label", {}, word("priority"), priority),
        element("button", {type: "submit"}, word("save")),
        element("div", {class: "choices"},
          element("button", {type: "button", onclick: () => { $("dialog").close(); command({command: "remote_stop", transaction: c.transaction}); }}, word("stop")),
          element("button", {type: "button", onclick: () => { $("dialog").close(); command({command: "unlock", connector: c.number}); }}, word("unlock")),
          element("button", {type: "button", onclick: () => $("dialog").close()}, word("close"))));
      form.addEventListener("submit", () => {
        if (Number(priority.value) !== c.priority) order(base + "/priority", "PUT", {priority: Number(priority.value)});
        order(base + "/need", "PUT", {departure: departure.value ? new Date(departure.value).toISOString() : null, energy_wh: energy.value ? Number(energy.value) * 1000 : null});
      });
      $("dialog").replaceChildren(form);
      $("dialog").showModal();
    }
    document.addEventListener("click", event => {
      const act = event.target.closest("[data-act]"), withdraw = event.target.closest("[data-withdraw]");
      if (act) openSession(act.dataset.act);
      const plotted = event.target.closest("[data-plot]");
      if (plotted) showReport(plotted.dataset.plot);
      if (withdraw) order("v1/limits/" + encodeURIComponent(withdraw.dataset.withdraw), "DELETE");
    });

    // MARK: All together

    function render() {
      document.documentElement.lang = language;
      for (const node of document.querySelectorAll("[data-word]")) node.textContent = word(node.dataset.word);
      $("language").textContent = language === "en" ? "NL" : "EN";
      $("language").setAttribute("aria-label", language === "en" ? "Nederlands" : "English");
      $("theme").setAttribute("aria-label", word("theme"));
      if (!site) return;
      document.title = site.name + " \u2013 Sluice";
      $("name").textContent = site.name;
      $("clock").textContent = time(site.at) + " \u00b7 " + site.time_zone;
      const isGrid = site.role === "grid-operator";
      for (const link of document.querySelectorAll("nav a")) link.hidden = isGrid && link.hash !== "#grid";
      const page = isGrid ? "grid" : ["stations", "grid"].includes(location.hash.slice(1)) ? location.hash.slice(1) : "hub";
      for (const section of document.querySelectorAll(".page")) section.hidden = section.id !== "page-" + page;
      for (const link of document.querySelectorAll("nav a")) link.hash === "#" + page ? link.setAttribute("aria-current", "page") : link.removeAttribute("aria-current");
      if (!shownCircuit && site.circuits.length) { shownCircuit = site.circuits[0].id; refreshHistory(); }
      alarms(); limits(); grid(); load(); reportViews();
      if (page === "hub") { tree(); sessions(); planStrip(); }
      if (page === "stations") stations();
    }
    async function refresh() {
      try {
        site = await ask("v1/site");
        lastHeard = new Date();
        $("login").hidden = true;
        $("main").hidden = false;
        if (Date.now() > noticeUntil) notice(site.journal_ok ? null : word("journal"));
        render();
      } catch (problem) {
        if (problem.message !== "401" && Date.now() > noticeUntil && lastHeard && Date.now() - lastHeard > 3000) notice(word("lost", time(lastHeard)));
      }
    }
    async function refreshPlan() { if (site && site.role !== "grid-operator") { try { plan = await ask("v1/plan"); } catch { } } }
    async function refreshReports() { if (site) { try { reports = (await ask("v1/reports")).reports; if (!shownReport && reports.length) await showReport(reports[0].report); } catch { } } }
    async function refreshHistory() {
      if (!site) return;
      const names = new Set([shownCircuit, site.circuits[0]?.id].filter(x => x)), fresh = {};
      for (const name of names) { try { fresh[name] = await ask(`v1/circuits/${encodeURIComponent(name)}/history?span=${span}`); } catch { } }
      history = fresh;
      load();
    }
    async function loop(work, wait) { for (;;) { if (!document.hidden && $("login").hidden) await work(); await new Promise(go => setTimeout(go, wait)); } }

    $("login").addEventListener("submit", event => {
      event.preventDefault();
      keep.set("token", $("token").value.trim(), $("remember").checked);
      $("token").value = "";
      notice(null);
      $("login").hidden = true;
      refresh();
    });
    $("limit-form").addEventListener("submit", event => {
      event.preventDefault();
      const form = new FormData(event.target), value = Number(form.get("value")), minutes = Number(form.get("minutes"));
      const body = form.get("unit") === "kW" ? {limit_w: Math.round(value * 1000)} : {limit_a: value};
      if (minutes > 0) body.until = new Date(Date.now() + minutes * 60000).toISOString();
      order("v1/limits/" + encodeURIComponent(form.get("id")), "PUT", body);
    });
    $("language").addEventListener("click", () => { language = language === "en" ? "nl" : "en"; keep.set("language", language, true); render(); });
    $("theme").addEventListener("click", () => {
      const root = document.documentElement, isDark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
      root.dataset.theme = isDark ? "light" : "dark";
      keep.set("theme", root.dataset.theme, true);
    });
    addEventListener("hashchange", render);
    if (["light", "dark"].includes(keep.get("theme"))) document.documentElement.dataset.theme = keep.get("theme");
    render();
    refresh().then(refreshPlan).then(refreshHistory);
    loop(refresh, 1000);
    loop(refreshPlan, 10000);
    loop(refreshReports, 10000);
    loop(refreshHistory, 10000);
    """#
}
