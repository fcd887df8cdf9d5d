/// The dashboard's style: light and dark, a phone and a wall.
enum PageStyle {
  static let text = #"""
    :root{--back:#f2f5f7;--card:#fff;--ink:#12222e;--quiet:#51626e;--line:#d5dde2;--track:#e4eaee;--load:#0b6e99;--high:#a85c00;
    --over:#b3261e;--limit:#12222e;--held:#7aa7bd;--good:#19703a;--soft:#eaf4f8;--warn:#fff1dc;--focus:#005fcc;color-scheme:light}
    @media (prefers-color-scheme:dark){:root:not([data-theme=light]){--back:#0d151b;--card:#162129;--ink:#e8eff3;--quiet:#9fb0bb;
    --line:#2b3a44;--track:#26343e;--load:#45b0dd;--high:#f0a33c;--over:#ff7b70;--limit:#e8eff3;--held:#3d6f86;--good:#5fcb86;
    --soft:#1b2e38;--warn:#3a2c14;--focus:#8cc8ff;color-scheme:dark}}
    :root[data-theme=dark]{--back:#0d151b;--card:#162129;--ink:#e8eff3;--quiet:#9fb0bb;--line:#2b3a44;--track:#26343e;--load:#45b0dd;
    --high:#f0a33c;--over:#ff7b70;--limit:#e8eff3;--held:#3d6f86;--good:#5fcb86;--soft:#1b2e38;--warn:#3a2c14;--focus:#8cc8ff;color-scheme:dark}
    *{box-sizing:border-box}
    body{margin:0;background:var(--back);color:var(--ink);font:15px/1.45 system-ui,"DejaVu Sans",sans-serif;font-variant-numeric:tabular-nums}
    h1{font-size:1.25rem;margin:0}h2{font-size:1rem;margin:0 0 .6rem}h3{font-size:.95rem;margin:0}p{margin:0}ul{margin:0;padding:0;list-style:none}
    .quiet{color:var(--quiet);font-weight:400}
    .skip{position:absolute;left:-999px}.skip:focus{left:.5rem;top:.5rem;background:var(--card);padding:.4rem;z-index:2}
    :focus-visible{outline:3px solid var(--focus);outline-offset:2px;border-radius:4px}
    header{display:flex;flex-wrap:wrap;gap:.5rem 1.5rem;align-items:center;padding:.7rem 1rem;background:var(--card);border-bottom:1px solid var(--line)}
    header .title{flex:1 1 12rem;min-width:0}
    nav{display:flex;gap:.25rem}nav a{color:var(--ink);text-decoration:none;padding:.45rem .7rem;border-radius:8px}
    nav a[aria-current]{background:var(--soft);box-shadow:inset 0 -2px var(--load)}nav a:hover{background:var(--soft)}
    .tools{display:flex;gap:.4rem}
    button,input,select{font:inherit;color:inherit;background:var(--card);border:1px solid var(--line);border-radius:8px;padding:.4rem .7rem;min-height:2.5rem}
    button{cursor:pointer}button:hover{background:var(--soft)}button[aria-pressed=true]{background:var(--soft);border-color:var(--load)}
    button[type=submit]{background:var(--load);border-color:var(--load);color:var(--card)}
    button.small{min-height:2rem;padding:.15rem .55rem}
    #notice{margin:.7rem 1rem 0;padding:.6rem .9rem;border-radius:10px;background:var(--warn);border:1px solid var(--high)}
    #login,#limit-form,dialog form{display:grid;gap:.7rem;max-width:26rem}#login{margin:2rem auto;padding:1.2rem;background:var(--card);border:1px solid var(--line);border-radius:14px}
    #login[hidden]{display:none}
    label{display:grid;gap:.2rem}label.check{display:flex;gap:.5rem;align-items:center}label.check input{min-height:0}
    .page{display:grid;gap:.9rem;padding:.9rem;grid-template-columns:minmax(0,1fr)}.page[hidden]{display:none}
    .column{display:grid;gap:.9rem;align-content:start;min-width:0}.page>section,.column>section{background:var(--card);border:1px solid var(--line);border-radius:14px;padding:.9rem;min-width:0}
    @media (min-width:900px){.page{grid-template-columns:minmax(0,5fr) minmax(0,7fr)}.page>.wide{grid-column:1/-1}.page>section{align-self:start}
    #page-grid{grid-template-rows:auto auto 1fr}#page-grid>:nth-child(1){grid-area:1/1}#page-grid>:nth-child(2){grid-area:1/2/3/3}
    #page-grid>:nth-child(3){grid-area:2/1}#page-grid>:nth-child(4){grid-area:3/2}#page-grid>:nth-child(5){grid-area:3/1}
    #page-hub{grid-template-rows:auto auto 1fr}.a{grid-area:2/1}.b{grid-area:2/2/4/3}.c{grid-area:3/1}}
    @media (min-width:1500px){body{font-size:16px}#page-hub{grid-template-columns:minmax(0,4fr) minmax(0,5fr) minmax(0,4fr)}.b{grid-area:2/2}.c{grid-area:2/3}}
    .row{display:flex;flex-wrap:wrap;gap:.5rem;justify-content:space-between;align-items:baseline}
    .choices{display:flex;gap:.3rem;flex-wrap:wrap}
    .circuit{padding:.65rem 0;border-top:1px solid var(--line)}.circuit:first-child{border-top:0;padding-top:0}
    .circuit .facts{font-size:.87rem;color:var(--quiet);margin:.1rem 0 .35rem}
    .bar{display:grid;grid-template-columns:1.8rem 1fr 10rem;gap:.5rem;align-items:center;font-size:.87rem;margin:.15rem 0}
    .bar .amount{text-align:right;white-space:nowrap}
    .track{position:relative;height:.85rem;background:var(--track);border-radius:5px}
    .fill,.held{position:absolute;inset:0 auto 0 0;border-radius:5px}.fill{background:var(--load)}.held{background:var(--held);opacity:.45}
    .fill.high{background:var(--high)}.fill.over{background:var(--over)}
    .mark{position:absolute;top:-3px;bottom:-3px;width:3px;margin-left:-2px;background:var(--limit);border-radius:2px}
    .free{color:var(--good)}.none{color:var(--over)}
    .session{display:grid;grid-template-columns:1fr auto;gap:.1rem .8rem;padding:.55rem 0;border-top:1px solid var(--line)}.session:first-child{border-top:0}
    .session .why{grid-column:1/-1}.session .figures{text-align:right;white-space:nowrap}.session .small-print{font-size:.85rem;color:var(--quiet)}
    .session b{font-size:1.05rem}.session .last{grid-column:1/-1;flex-wrap:nowrap;align-items:center}.small{flex:none}
    .alarms li{padding:.5rem .7rem;border-left:4px solid var(--over);background:var(--warn);border-radius:6px;margin:.3rem 0}
    #alarms{border-color:var(--over)}
    .cards{display:grid;gap:.7rem;grid-template-columns:repeat(auto-fill,minmax(min(19rem,100%),1fr))}
    .card{border:1px solid var(--line);border-radius:10px;padding:.7rem}.card dl{display:grid;grid-template-columns:auto 1fr;gap:.1rem .7rem;margin:.4rem 0 0;font-size:.88rem}
    dt{color:var(--quiet)}dd{margin:0;overflow-wrap:anywhere}
    .badge{display:inline-block;padding:.05rem .5rem;border-radius:99px;border:1px solid currentColor;font-size:.8rem;white-space:nowrap}
    .badge.good{color:var(--good)}.badge.bad{color:var(--over)}.badge.warn{color:var(--high)}
    svg{display:block;width:100%;height:auto}svg text{fill:var(--quiet);font-size:11px}
    .plot-load{fill:none;stroke:var(--load);stroke-width:2}.plot-area{fill:var(--load);opacity:.15}.plot-limit{fill:none;stroke:var(--limit);stroke-width:1.5;stroke-dasharray:5 3}
    .plot-above{fill:var(--over);opacity:.3}.met{stroke:var(--good);stroke-width:1.5;stroke-dasharray:2 3}svg text.strong{fill:var(--ink);font-weight:600}
    .grid-line{stroke:var(--line)}.slot{fill:var(--load)}.slot.empty{fill:var(--track)}.leave{stroke:var(--over);stroke-width:2}
    .limit{padding:.5rem 0;border-top:1px solid var(--line)}.limit:first-child{border-top:0}
    .big{font-size:2rem;font-weight:600}
    dialog{background:var(--card);color:var(--ink);border:1px solid var(--line);border-radius:14px;padding:1.2rem;width:min(30rem,94vw)}
    dialog::backdrop{background:rgb(0 0 0/.5)}
    @media (max-width:480px){header{padding:.6rem .8rem}.page{padding:.6rem}.bar{grid-template-columns:1.4rem 1fr 10.2rem;gap:.35rem}.bar .amount{font-size:.8rem}nav{order:3;width:100%}nav a{flex:1;text-align:center;padding:.45rem .2rem}}
    @media (prefers-reduced-motion:no-preference){.fill,.held,.mark{transition:width .4s,left .4s}}
    """#
}
