/// What the dashboard says, in English and Dutch.
enum PageWords {
  static let text = #"""
    "use strict";
    const WORDS = {
      en: {
        skip: "Skip to content", hub: "Hub", stations: "Stations", grid: "Grid operator", login: "Token",
        loginHelp: "Made on the controller by: sluice token make NAME --role viewer", token: "Token", remember: "Keep it in this browser",
        enter: "Enter", alarms: "Alarms", circuits: "Circuits", sessions: "Sessions", load: "Load against limit",
        plan: "Plan for the next hours", limits: "Limits from outside", connection: "Connection", setLimit: "Set a limit", name: "Name",
        value: "Value", unit: "Unit", minutes: "For minutes (empty: until withdrawn)", set: "Set", theme: "Light or dark",
        wrongToken: "This token is not known here, or was revoked.", lost: "No answer from the controller since {0}. What you see is old.",
        journal: "The journal cannot keep records: nothing rises.", limit: "limit", by: "by", until: "until", free: "free", over: "over",
        noMeter: "no meter: counted", noReading: "no reading: the worst load is counted", ageNow: "read {0} ago", vehicles: "vehicles",
        other: "other load", charging: "{0} of {1} charging", none: "No vehicle is charging.", offered: "offered", measured: "measured",
        fallback: "fallback", departs: "leaves {0}", wants: "wants {0} kWh", act: "Change", noPlan: "No plan: the hub shares the present moment.",
        noPlanYet: "There is nothing to plan yet.", lacks: "{0} kWh will be lacking at {1}", fits: "full by {0}", assumed: "assumed",
        noLimits: "Nobody limits this hub from outside.", lettingUp: "The limit of {0} has ended and is let up in steps.", silent: "its sender is silent since {0}: the fallback holds", openEnd: "until withdrawn",
        later: "from {0}", withdraw: "Withdraw", hour: "Hour", day: "Day", noHistory: "Nothing recorded since the start yet.",
        connected: "connected", away: "not connected", controlled: "controlled", notControlled: "not controlled", planned: "planned",
        firmware: "Firmware", clock: "Clock", trust: "Fallback", link: "Link", answers: "answers after {0}, {1} at the slowest", heard: "heard {0} ago", lostTimes: "lost {0}× in 24 h", unanswered: "{0}× no answer", remarks: "Found", profile: "Profile", connectors: "Connectors", model: "Model",
        proven: "proven", accepted: "accepted", noneTrust: "unknown", tested: "tested here", right: "right", off: "{0} s off",
        now: "Now", actual: "actual", headroom: "headroom", done: "Done.", refused: "Refused: {0}", close: "Close", save: "Save",
        departure: "Leaves at", energy: "Energy wanted (kWh)", priority: "Priority (smaller goes first)", stop: "Stop charging", unlock: "Unlock",
        reports: "How limits were kept", noReports: "No limit is over yet.", metAfter: "met after {0} s", notMet: "not met", insideOf: "{0} of {1} quarter hours inside", aboveBy: "{0} kWh above",
        plot: "Plot", plotOf: "Load while limit {0} held", loading: "Loading\u2026", noPoints: "No readings while it held.",
        session: "Session at {0}", nextTurn: "next turn {0}", phase: "phase", seconds: "{0} s", minutesShort: "{0} min", hoursShort: "{0} h",
        why: {
          idle: "no vehicle to charge", maximum: "has all that the connector lets through", demand: "the vehicle takes less than it could",
          full: "{c} {p} is full", waiting: "{c} {p} has not enough for all: waits for its turn", later: "the plan has it charge later",
          planned: "has what the plan gives it now", awaiting_room: "rises when a measurement confirms room on {c} {p}",
          store_failed: "the journal cannot keep records: nothing rises", held: "set by hand",
          not_controlled_disconnected: "the station is not connected", not_controlled_commissioning: "the station is being set up",
          not_controlled_fallback_refused: "the station refused its fallback", not_controlled_clock: "the station's clock is wrong",
          not_controlled_disobedient: "the station does not follow", not_controlled_planned: "the station is only planned"
        },
        source: {fuse: "its fuse", manual: "a cap set by hand", maintenance: "maintenance", contract: "the contract's window",
          unbalance: "the limit between phases", failsafe: "failsafe: nobody sets limits"},
        alarm: {
          meter_stale: ["Meter {a} gives no readings: the worst load is counted.", "Check its power, its cable and its address."],
          meter_frozen: ["Meter {a} always gives the same reading.", "Restart the meter or its gateway."],
          meter_suspect: ["The meter of {a} {p} shows less than the vehicles behind it draw.", "Check the current transformers and the phase order."],
          station_lost: ["Station {a} is not connected.", "Check its power and its network; it holds its fallback."],
          fallback_refused: ["Station {a} refused its fallback.", "Look at its firmware and its profile; it counts at its maximum."],
          not_following: ["Connector {a} draws more than it is offered.", "Look at the station; others are lowered meanwhile."],
          uncontrollable: ["Connector {a} follows nothing: it counts at its maximum.", "Restart the station, then commission it anew."],
          clock_wrong: ["The clock of station {a} is wrong.", "Set its time server; it is not steered until then."],
          base_above_limit: ["On {a} {p} the other load alone exceeds the limit.", "Switch other load off: vehicles are at their least."],
          over_limit: ["{a} {p} is over its limit.", "Vehicles are being lowered; if it lasts, switch other load off."],
          store_failed: ["The journal cannot keep records.", "Make room on the disk of the controller."],
          unknown_supply: ["It is not known on which phases {a} charges.", "Run: sluice commission."],
          sender_silent: ["Whoever limits {a} from outside is silent.", "The fallback limit holds; call the grid operator if it lasts."]
        }
      },
      nl: {
        skip: "Naar de inhoud", hub: "Laadplein", stations: "Laadstations", grid: "Netbeheerder", login: "Toegangscode",
        loginHelp: "Gemaakt op de regelaar met: sluice token make NAAM --role viewer", token: "Toegangscode", remember: "Bewaren in deze browser",
        enter: "Openen", alarms: "Meldingen", circuits: "Groepen", sessions: "Laadsessies", load: "Belasting en grens",
        plan: "Planning voor de komende uren", limits: "Grenzen van buitenaf", connection: "Aansluiting", setLimit: "Grens instellen", name: "Naam",
        value: "Waarde", unit: "Eenheid", minutes: "Aantal minuten (leeg: tot intrekking)", set: "Instellen", theme: "Licht of donker",
        wrongToken: "Deze toegangscode is hier niet bekend of is ingetrokken.", lost: "Geen antwoord van de regelaar sinds {0}. Wat u ziet is verouderd.",
        journal: "Het journaal kan niets bewaren: niets gaat omhoog.", limit: "grens", by: "door", until: "tot", free: "vrij", over: "te veel",
        noMeter: "geen meter: berekend", noReading: "geen meting: de zwaarste belasting telt", ageNow: "{0} geleden gemeten", vehicles: "voertuigen",
        other: "overige belasting", charging: "{0} van {1} laden", none: "Er laadt geen voertuig.", offered: "aangeboden", measured: "gemeten",
        fallback: "terugval", departs: "vertrekt {0}", wants: "wil {0} kWh", act: "Wijzigen", noPlan: "Geen planning: het plein verdeelt het huidige moment.",
        noPlanYet: "Er valt nog niets te plannen.", lacks: "{0} kWh te weinig om {1}", fits: "vol om {0}", assumed: "aangenomen",
        noLimits: "Niemand begrenst dit plein van buitenaf.", lettingUp: "De grens van {0} is voorbij en wordt stapsgewijs opgeheven.", silent: "de afzender zwijgt sinds {0}: de terugvalgrens geldt", openEnd: "tot intrekking",
        later: "vanaf {0}", withdraw: "Intrekken", hour: "Uur", day: "Dag", noHistory: "Sinds de start is nog niets vastgelegd.",
        connected: "verbonden", away: "niet verbonden", controlled: "geregeld", notControlled: "niet geregeld", planned: "gepland",
        firmware: "Firmware", clock: "Klok", trust: "Terugval", link: "Verbinding", answers: "antwoordt na {0}, hoogstens {1}", heard: "{0} geleden gehoord", lostTimes: "{0}× verbroken in 24 u", unanswered: "{0}× geen antwoord", remarks: "Gevonden", profile: "Profiel", connectors: "Aansluitpunten", model: "Type",
        proven: "bewezen", accepted: "aanvaard", noneTrust: "onbekend", tested: "hier getest", right: "goed", off: "{0} s ernaast",
        now: "Nu", actual: "werkelijk", headroom: "ruimte", done: "Gedaan.", refused: "Geweigerd: {0}", close: "Sluiten", save: "Bewaren",
        departure: "Vertrekt om", energy: "Gewenste energie (kWh)", priority: "Voorrang (kleiner gaat voor)", stop: "Laden stoppen", unlock: "Ontgrendelen",
        reports: "Hoe grenzen zijn nageleefd", noReports: "Nog geen grens is voorbij.", metAfter: "gehaald na {0} s", notMet: "niet gehaald", insideOf: "{0} van {1} kwartieren binnen", aboveBy: "{0} kWh erboven",
        plot: "Grafiek", plotOf: "Belasting terwijl grens {0} gold", loading: "Laden\u2026", noPoints: "Geen metingen terwijl zij gold.",
        session: "Sessie bij {0}", nextTurn: "volgende beurt {0}", phase: "fase", seconds: "{0} s", minutesShort: "{0} min", hoursShort: "{0} u",
        why: {
          idle: "geen voertuig om te laden", maximum: "heeft alles wat het aansluitpunt doorlaat", demand: "het voertuig neemt minder dan het mag",
          full: "{c} {p} is vol", waiting: "{c} {p} heeft niet genoeg voor iedereen: wacht op zijn beurt", later: "de planning laat het later laden",
          planned: "heeft wat de planning nu geeft", awaiting_room: "gaat omhoog zodra een meting ruimte op {c} {p} bevestigt",
          store_failed: "het journaal kan niets bewaren: niets gaat omhoog", held: "met de hand ingesteld",
          not_controlled_disconnected: "het station is niet verbonden", not_controlled_commissioning: "het station wordt ingericht",
          not_controlled_fallback_refused: "het station weigerde zijn terugval", not_controlled_clock: "de klok van het station loopt fout",
          not_controlled_disobedient: "het station gehoorzaamt niet", not_controlled_planned: "het station is alleen gepland"
        },
        source: {fuse: "de zekering", manual: "een handmatige grens", maintenance: "onderhoud", contract: "het contractvenster",
          unbalance: "de grens tussen fasen", failsafe: "noodgrens: niemand stelt grenzen"},
        alarm: {
          meter_stale: ["Meter {a} geeft geen metingen: de zwaarste belasting telt.", "Controleer voeding, kabel en adres."],
          meter_frozen: ["Meter {a} geeft steeds dezelfde meting.", "Herstart de meter of zijn gateway."],
          meter_suspect: ["De meter van {a} {p} toont minder dan de voertuigen erachter opnemen.", "Controleer stroomtransformatoren en fasevolgorde."],
          station_lost: ["Station {a} is niet verbonden.", "Controleer voeding en netwerk; het houdt zijn terugval."],
          fallback_refused: ["Station {a} weigerde zijn terugval.", "Kijk naar firmware en profiel; het telt met zijn maximum."],
          not_following: ["Aansluitpunt {a} neemt meer dan aangeboden.", "Kijk bij het station; anderen worden ondertussen verlaagd."],
          uncontrollable: ["Aansluitpunt {a} volgt niets: het telt met zijn maximum.", "Herstart het station en neem het opnieuw in gebruik."],
          clock_wrong: ["De klok van station {a} loopt fout.", "Stel de tijdserver in; tot dan wordt het niet geregeld."],
          base_above_limit: ["Op {a} {p} overschrijdt de overige belasting alleen al de grens.", "Schakel overige belasting uit: voertuigen staan op hun minimum."],
          over_limit: ["{a} {p} zit boven de grens.", "Voertuigen worden verlaagd; schakel anders overige belasting uit."],
          store_failed: ["Het journaal kan niets bewaren.", "Maak ruimte op de schijf van de regelaar."],
          unknown_supply: ["Het is niet bekend op welke fasen {a} laadt.", "Voer uit: sluice commission."],
          sender_silent: ["Wie {a} van buitenaf begrenst zwijgt.", "De terugvalgrens geldt; bel de netbeheerder als het duurt."]
        }
      }
    };

    """#
}
